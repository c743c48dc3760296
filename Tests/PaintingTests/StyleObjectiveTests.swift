import TestSupport
import Testing
import Torch

@testable import Painting

@Suite struct StyleObjectiveTests {
  private let stream = RandomStream(seed: 1, "pictures")

  /// Two maps of a network that anybody can check.
  private static func features(_ x: Tensor) -> [Tensor] {
    [x.averagePooled(2), concatenated([x.averagePooled(4), x.averagePooled(4).square()], over: 1)]
  }

  @Test("features are read where they lie in the picture, whatever the map's size")
  func reading() {
    // Maps that tell their own place.
    func map(_ n: Int) -> Tensor {
      let line = (Tensor.arange(0..<n, .float32) + 0.5) / Double(n)
      let x = line.reshaped(1, n).expanded([n, n])
      return stacked([x, x.transposed()]).unsqueezed(0)
    }
    let places = stream.uniform([20, 2]) * 0.75 + 0.125
    let found = sampledFeatures([map(16), map(8), map(4)], at: places)
    expectClose(found, concatenated([places, places, places], over: 1), atol: 1e-5)
  }

  @Test("a picture comes nearer to a style, in colours and in covariance, and only when it is time")
  func optimises() throws {
    // A style of orange stripes.
    let stripes = Tensor((0..<40).map { $0 % 4 < 2 ? 1 : 0.2 as Float }, [1, 1, 1, 40])
    let orange = Tensor([1, 0.5, 0.1] as [Float], [1, 3, 1, 1])
    let style = (stripes * orange).expanded([1, 3, 40, 40]).contiguous()
    var objective = StyleObjective(
      style: style, content: nil, width: 40, height: 40, seed: 3, features: Self.features)
    var x = stream.uniform([1, 3, 40, 40])
    #expect(objective.loss(Observation(picture: x, iteration: 99)) == nil)
    objective.skip = 0
    objective.every = 2
    #expect(objective.loss(Observation(picture: x, iteration: 1)) == nil)
    objective.every = 1
    objective.positions = 256

    func loss(_ x: Tensor, _ iteration: Int) throws -> Tensor {
      try #require(objective.loss(Observation(picture: x, iteration: iteration)))
    }
    let before = try loss(x, 0).item()
    #expect(try loss(x, 0).item() == before)
    for iteration in 0..<60 {
      let leaf = x.variable()
      let slope = gradient(of: try loss(leaf, iteration), at: [leaf])[0]
      x = (x - slope / slope.abs().amax() * 0.05).clamped(0, 1).detached()
    }
    #expect(try loss(x, 0).item() < 0.5 * before)
    let colour = x.mean(over: [0, 2, 3]).floats()
    #expect(colour[0] > colour[1] + 0.1 && colour[1] > colour[2] + 0.1, "\(colour)")
    #expect(try loss(style, 0).item() < 0.25 * before)
  }

  @Test("content counts the more the coarser the scale, and is zero for itself")
  func content() throws {
    let content = stream.uniform([1, 3, 72, 72])
    let style = stream.uniform([1, 3, 72, 72])
    func loss(_ picture: Tensor, _ weight: Double, keeping: Bool) throws -> Double {
      var objective = StyleObjective(
        style: style, content: keeping ? content : nil, width: 72, height: 72, seed: 3,
        features: Self.features)
      objective.skip = 0
      objective.contentWeight = weight
      return try #require(objective.loss(Observation(picture: picture))).item()
    }
    // Scales of a half and of one: 36 pixels are enough, 18 are not.
    #expect(try loss(content, 0, keeping: true) == loss(content, 0, keeping: false))
    #expect(try loss(content, 32, keeping: true) < 0.2 * loss(content, 0, keeping: true))
    let other = stream.uniform([1, 3, 72, 72])
    #expect(try loss(other, 32, keeping: true) > 2 * loss(content, 32, keeping: true))
  }
}
