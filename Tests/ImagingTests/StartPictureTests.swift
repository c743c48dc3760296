import Foundation
import TestSupport
import Testing
import Torch

@testable import Imaging

/// What Oracle/perlin.py writes.
private struct PerlinFixture: Decodable {
  var side: Int
  var angles: [[Float]]
  var fractal, contrasted: [Float]
}

@Suite struct StartPictureTests {
  @Test(
    "Every kind is a picture of the size, the same for the same stream",
    arguments: StartPicture.allCases)
  func pictures(kind: StartPicture) {
    let (a, b, other) = (
      kind.tensor(width: 37, height: 21, from: RandomStream(seed: 5, "start")),
      kind.tensor(width: 37, height: 21, from: RandomStream(seed: 5, "start")),
      kind.tensor(width: 37, height: 21, from: RandomStream(seed: 6, "start"))
    )
    #expect(a.shape == [1, 3, 21, 37] && a.dtype == .float32)
    let values = a.floats()
    #expect(values.allSatisfy { (0...1).contains($0) })
    #expect(values == b.floats() && values != other.floats())
    // The three channels differ.
    #expect((values.prefix(21 * 37) == values.suffix(21 * 37)) == (kind == .discoGray))
  }

  @Test("Uniform noise has the mean and spread of 0 to 1, and whole levels")
  func uniform() {
    for (kind, top) in [(StartPicture.pixels, 254.0), (.snow, 255)] {
      let levels = kind.tensor(width: 200, height: 200, from: RandomStream(seed: 1, "start")) * 255
      #expect(abs(levels.mean().item() - top / 2) < 1)
      #expect(levels.amax().item().rounded() == top && levels.amin().item() == 0)
      expectClose(levels, levels.round(), atol: 1e-4)
    }
  }

  @Test("The gradient is straight: red to the right, green and blue downwards")
  func gradient() {
    let x = StartPicture.gradient.tensor(width: 9, height: 5, from: RandomStream(seed: 3, "start"))[
      0]
    let (red, green, blue) = (x[0], x[1], x[2])
    #expect(red[0][0].item() == 0 && green[0][0].item() == 0)
    #expect((red[0] - red[4]).abs().amax().item() == 0 && red[0][8].item() > 0)
    for plane in [green, blue] {
      let line = plane.transposed()[0].floats()
      #expect((plane - plane.narrowed(1, 0, 1)).abs().amax().item() == 0)
      for index in 1..<4 {
        #expect(abs(line[index] * 2 - line[index - 1] - line[index + 1]) < 1e-6)
      }
    }
  }

  @Test("Perlin noise agrees with the formulas in NumPy for the same gradients")
  func perlin() throws {
    let fixture = try Fixture.load(PerlinFixture.self, "perlin")
    let angles = fixture.angles.map { values in
      let n = Int(Double(values.count).squareRoot().rounded())
      return Tensor(values, [n, n])
    }
    let field = PerlinNoise.fractal(side: fixture.side, angles: angles)
    // float32 against NumPy's float64.
    for (a, b) in zip(field.floats(), fixture.fractal) { #expect(abs(a - b) < 1e-5) }
    for (a, b) in zip(PerlinNoise.contrasted(field).floats(), fixture.contrasted) {
      #expect(abs(a - b) < 1e-5)
    }
  }

  @Test(
    "Perlin noise is made for every size",
    arguments: [(1, 1), (300, 20), (20, 600)])
  func perlinSizes(width: Int, height: Int) {
    let x = StartPicture.perlin.tensor(
      width: width, height: height, from: RandomStream(seed: 1, "p"))
    #expect(
      x.shape == [1, 3, height, width] && x.isFinite().equals(0).to(.float32).sum().item() == 0)
  }

  @Test("Noise of five sizes lies around grey and is smoother than that of one")
  func octaves() {
    let x = StartPicture.octaves.tensor(
      width: 160, height: 128, from: RandomStream(seed: 2, "start"))
    #expect(abs(x.mean().item() - 0.5) < 0.03)
    let spread = (x - x.mean()).square().mean().sqrt().item()
    // Five times variance 1/25, less what bicubic growth smooths away, over five.
    #expect(spread > 0.05 && spread < 0.095)
    let step = (x.narrowed(3, 1, 159) - x.narrowed(3, 0, 159)).square().mean().sqrt().item()
    // Independent neighbours would differ by √2 spreads.
    #expect(step < 1.1 * spread)
  }
}
