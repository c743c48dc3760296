import Foundation
import Testing

@testable import Torch

@Suite struct StrokesTests {
  private static let (width, height) = (41, 37)

  /// Polylines of a few vertices all over the canvas, broad and hairline ones, half transparent.
  private func scene(_ count: Int, vertices: Int, seed: UInt64) -> [Tensor] {
    let stream = RandomStream(seed: seed, "strokes")
    let size = Tensor([Float(Self.width), Float(Self.height)])
    let radii = Tensor((0..<count).map { $0 % 3 == 0 ? 0.2 : Float($0) + 0.7 })
    return [
      stream.uniform([count, vertices, 2]) * size, radii,
      stream.uniform([count, 4]) * 0.8 + 0.1, stream.uniform([3]),
    ].map { $0.to(.float64).variable() }
  }

  private func paint(_ scene: [Tensor], filled: Bool) -> Tensor {
    paintedStrokes(
      scene[0], radii: scene[1], colors: scene[2], paper: scene[3], width: Self.width,
      height: Self.height, filled: filled)
  }

  @Test(
    "gradients of overlapping strokes agree with finite differences: vertices, radii, colours, paper",
    arguments: [false, true])
  func gradients(filled: Bool) {
    let scene = scene(6, vertices: 7, seed: 1)
    let weights = RandomStream(seed: 2, "weights").normal([1, 3, Self.height, Self.width])
      .to(.float64)
    let slopes = gradient(of: (paint(scene, filled: filled) * weights).sum(), at: scene)
    for (i, parameter) in scene.enumerated() where !(filled && i == 1) {
      let direction = RandomStream(seed: 3, "direction \(i)").normal(parameter.shape).to(.float64)
      let step = 1e-6
      func value(_ sign: Double) -> Double {
        noGrad {
          var moved = scene
          moved[i] = parameter + direction * (sign * step)
          return (paint(moved, filled: filled) * weights).sum().item()
        }
      }
      let expected = (value(1) - value(-1)) / (2 * step)
      let found = (slopes[i] * direction).sum().item()
      #expect(abs(expected) > 0.1, "nothing depends on tensor \(i)")
      // The nearest line may change within a step.
      #expect(abs(found - expected) < 1e-4 * abs(expected), "\(i): \(found), not \(expected)")
    }
    if filled { #expect(slopes[1].abs().amax().item() == 0) }
  }

  /// The share of 16 x 16 samples of a pixel that lie in a stroke, by the definition.
  private func reference(_ line: [Double], radius: Double, filled: Bool) -> [Double] {
    let count = line.count / 2
    func vertex(_ i: Int) -> (x: Double, y: Double) {
      (line[2 * (i % count)], line[2 * (i % count) + 1])
    }
    func covers(_ x: Double, _ y: Double) -> Bool {
      var inside = false
      var near = false
      for i in 0..<(filled ? count : count - 1) {
        let (a, b) = (vertex(i), vertex(i + 1))
        if (a.y <= y) != (b.y <= y), x < a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x) {
          inside.toggle()
        }
        let (ex, ey) = (b.x - a.x, b.y - a.y)
        let t = min(max(((x - a.x) * ex + (y - a.y) * ey) / (ex * ex + ey * ey), 0), 1)
        let (dx, dy) = (x - a.x - t * ex, y - a.y - t * ey)
        if dx * dx + dy * dy < radius * radius { near = true }
      }
      return filled ? inside : near
    }
    return (0..<(Self.width * Self.height)).map { pixel in
      let (x, y) = (Double(pixel % Self.width), Double(pixel / Self.width))
      var hits = 0
      for sample in 0..<256 {
        hits +=
          covers(x + (Double(sample % 16) + 0.5) / 16, y + (Double(sample / 16) + 0.5) / 16) ? 1 : 0
      }
      return Double(hits) / 256
    }
  }

  @Test(
    "coverage agrees with many samples a pixel",
    arguments: [(false, 0.3), (false, 1.3), (false, 4), (true, 0)])
  func coverage(filled: Bool, radius: Double) {
    // Rings so gently dented that no edge meets another; the open ones leave a gap.
    for petals in 1...3 {
      let corners = (0..<48).flatMap { i in
        let angle = Double(i) / 48 * (filled ? 2 : 1.7) * Double.pi
        let reach = 13 + 3 * sin(Double(petals) * angle)
        return [Float(20.3 + reach * cos(angle)), Float(18.6 + reach * sin(angle))]
      }
      let line = Tensor(corners, [1, 48, 2]).to(.float64)
      let found = paintedStrokes(
        line, radii: .full([1], radius, .float64), colors: .ones([1, 4], .float64),
        paper: .zeros([3], .float64), width: Self.width, height: Self.height, filled: filled
      ).select(1, 0).floats().map(Double.init)
      let expected = reference(line.floats().map(Double.init), radius: radius, filled: filled)
      let edges = expected.indices.filter { expected[$0] > 0 && expected[$0] < 1 }
      let errors = edges.map { abs(found[$0] - expected[$0]) }
      #expect(errors.count > 30)
      // A step by distance alone is not quite what a square pixel sees of a slanting edge.
      let mean = errors.reduce(0, +) / Double(errors.count)
      #expect(mean < 0.02, "mean error \(mean)")
      for i in expected.indices where expected[i] == 0 || expected[i] == 1 {
        #expect(abs(found[i] - expected[i]) < 0.1)
      }
    }
  }

  @Test("a stroke lies over the earlier ones and mixes with them by its alpha")
  func order() {
    let line: [Float] = [-10, 18, 60, 18]
    let picture = paintedStrokes(
      Tensor(line + line, [2, 2, 2]), radii: Tensor([50, 50]),
      colors: Tensor([1, 0, 0, 1, 0, 0, 1, 0.25], [2, 4]), paper: .ones([3]), width: 20, height: 9)
    #expect(picture.narrowed(2, 4, 1).narrowed(3, 4, 1).floats() == [0.75, 0, 0.25])
    #expect(picture.shape == [1, 3, 9, 20])
  }

  @Test("picture and gradients are the same with any number of threads")
  func threads() {
    let scene = scene(40, vertices: 9, seed: 5)
    func run(_ threads: Int) -> [[Float]] {
      let before = Libtorch.threads
      Libtorch.threads = threads
      defer { Libtorch.threads = before }
      let picture = paint(scene, filled: false)
      return ([picture] + gradient(of: picture.square().sum(), at: scene)).map { $0.floats() }
    }
    #expect(run(1) == run(3))
  }

  @Test("strokes outside the picture, of no length or not numbers at all leave the paper as it is")
  func nothing() {
    let far: [Float] = [900, 900, 950, 950]
    let vertices = Tensor(far + [.nan, 3, 3, .infinity] + [5, 5, 5, 5], [3, 2, 2]).variable()
    let picture = paintedStrokes(
      vertices, radii: Tensor([2, 2, 0]), colors: .zeros([3, 4]) + 1, paper: .full([3], 0.5),
      width: 20, height: 20)
    #expect(picture.floats().allSatisfy { $0 == 0.5 })
    let slope = gradient(of: picture.sum(), at: [vertices])[0]
    #expect(slope.floats().allSatisfy { $0 == 0 })
  }
}
