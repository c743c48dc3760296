import Foundation
import Testing
import Weights

@testable import Torch

@Suite struct LanczosTests {
  @Test(
    "the window has the published taps",
    arguments: [
      (512, 224, 2, [-0.00776, -0.03738, 0.04305, 0.28543, 0.43331]),
      (480, 224, 2, [-0.00227, -0.03673, 0.02221, 0.28592, 0.46175]),
      (300, 224, 2, [-0.04812, 0.17747, 0.7413]),
      (486, 224, 3, [0.003, 0.01439, -0.01825, -0.06805, 0.03306, 0.3047, 0.46229]),
    ])
  func taps(from: Int, to: Int, lobes: Int, half: [Float]) {
    let taps = Tensor.lanczosTaps(from: from, to: to, lobes: lobes)
    #expect(taps.count == 2 * half.count - 1)
    #expect(abs(taps.reduce(0, +) - 1) < 1e-6)
    for (a, b) in zip(taps, half + half.reversed().dropFirst()) {
      // The list has five places.
      #expect(abs(a - b) < 0.6e-5)
    }
  }

  @Test(
    "resampling and its gradient agree with PyTorch",
    arguments: [(8, 11, 2), (8, 11, 3), (30, 9, 2), (6, 40, 2), (25, 33, 2)])
  func reference(height: Int, width: Int, lobes: Int) throws {
    let file = try SafeTensors(
      contentsOf: Bundle.module.bundleURL.appending(path: "Fixtures/lanczos.safetensors"))
    let key = "\(height).\(width).\(lobes)"
    let x = try file.tensor("x").cloned().variable()
    let y = x.lanczosResampled(height: height, width: width, lobes: lobes)
    #expect(y.shape == [2, 3, height, width])
    // The taps are rounded to float32 from other sums of float64.
    let error = try (y.detached() - file.tensor("\(key).y")).abs().amax().item()
    #expect(error < 1e-5)
    let found = gradient(of: (y * (try file.tensor("\(key).weight"))).sum(), at: [x])[0]
    #expect(try (found - file.tensor("\(key).gradient")).abs().amax().item() < 1e-5)
  }

  @Test("a side shrinks below the reach of the window too, and keeps a flat picture flat")
  func tiny() {
    for (size, target) in [(7, 1), (9, 2), (3, 1), (1, 1), (1, 5)] {
      let y = Tensor.full([1, 2, size, size], 0.25).lanczosResampled(height: target, width: target)
      #expect(y.shape == [1, 2, target, target])
      #expect((y - 0.25).abs().amax().item() < 1e-6)
    }
  }
}
