import TestSupport
import Testing
import Torch

@testable import Painting

@Suite struct LanczosTests {
  // Vectors of Crowson's filter; half of each, the middle last.
  @Test(
    "the filter's taps",
    arguments: [
      (512, 224, 2.0, [-0.00776, -0.03738, 0.04305, 0.28543, 0.43331]),
      (480, 224, 2, [-0.00227, -0.03673, 0.02221, 0.28592, 0.46175]),
      (300, 224, 2, [-0.04812, 0.17747, 0.7413]),
      (486, 224, 3, [0.003, 0.01439, -0.01825, -0.06805, 0.03306, 0.3047, 0.46229]),
    ])
  func taps(_ source: Int, _ target: Int, _ lobes: Double, _ half: [Double]) {
    let taps = Lanczos.taps(from: source, to: target, lobes: lobes)
    let expected = half + half.dropLast().reversed()
    #expect(taps.count == expected.count)
    #expect(zip(taps, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(taps)")
    #expect(abs(taps.reduce(0, +) - 1) < 1e-12)
  }

  // PyTorch reckons places in float32.
  @Test("one matrix does what padding, convolution and PyTorch's bicubic interpolation do")
  func reference() {
    let x = RandomStream(seed: 1, "x").uniform([2, 3, 50, 37])
    func filtered(_ x: Tensor, _ target: Int, over dim: Int) -> Tensor {
      let taps = Lanczos.taps(from: x.size(dim), to: target)
      let reach = taps.count / 2
      let isWidth = dim == 3
      let weight = Tensor(
        taps.map(Float.init), isWidth ? [1, 1, 1, taps.count] : [1, 1, taps.count, 1])
      return x.padded(isWidth ? [reach, reach, 0, 0] : [0, 0, reach, reach], .reflect)
        .conv2d(weight)
    }
    for (height, width) in [(24, 24), (20, 60), (64, 17), (50, 20)] {
      let one = x.reshaped(6, 1, 50, 37)
      let expected = filtered(filtered(one, height, over: 2), width, over: 3)
        .resampled(height, width, .bicubic, alignCorners: true)
        .reshaped(2, 3, height, width)
      expectClose(
        Lanczos.resampled(x, height, width), expected, atol: 1e-5, "\(height) x \(width)")
    }
  }

  // The cubic with -0.75 keeps slopes only to a few hundredths of a pixel.
  @Test("a slope stays a slope away from the edge, and an even picture even, larger or smaller")
  func slope() {
    for (size, reach) in [(20, 5), (48, 0), (100, 4)] {
      let line = Tensor.arange(0..<48, .float32) / 47
      let picture = line.reshaped(1, 1, 1, 48).expanded([2, 3, 48, 48])
      let y = Lanczos.resampled(picture, size, size)
      #expect(y.shape == [2, 3, size, size])
      let expected = (Tensor.arange(0..<size, .float32) / Double(size - 1))
        .reshaped(1, 1, 1, size).expanded([2, 3, size, size])
      let inner = size - 2 * reach
      expectClose(
        y.narrowed(3, reach, inner), expected.narrowed(3, reach, inner), atol: 2e-3, "\(size)")
      let even = Tensor.full([1, 1, 48, 48], 0.4)
      expectClose(
        Lanczos.resampled(even, size, size), Tensor.full([1, 1, size, size], 0.4), atol: 1e-6)
    }
  }

  @Test("shrinking leaves nothing of a pattern that the smaller picture cannot show")
  func aliasing() {
    let stripes = Tensor((0..<64).map { Float($0 % 2) }, [1, 1, 1, 64]).expanded([1, 1, 64, 64])
    let y = Lanczos.resampled(stripes, 16, 16).narrowed(3, 3, 10)
    expectClose(y, Tensor.full([1, 1, 16, 10], 0.5), atol: 0.01)
  }

  @Test("a picture smaller than the filter is resampled, too")
  func tiny() {
    let y = Lanczos.resampled(Tensor.full([1, 3, 3, 9], 0.5), 1, 2)
    #expect(y.shape == [1, 3, 1, 2])
    #expect(y.floats().allSatisfy { abs($0 - 0.5) < 1e-6 })
  }
}
