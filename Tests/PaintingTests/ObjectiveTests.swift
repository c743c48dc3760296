import Foundation
import Testing
import Torch

@testable import Painting

@Suite struct ObjectiveTests {
  /// Two vectors whose cosine is given.
  private func pair(_ cosine: Double) -> (Tensor, Tensor) {
    let sine = (1 - cosine * cosine).squareRoot()
    return (
      Tensor([3, 0, 0] as [Float], [1, 3]),
      Tensor([Float(0.5 * cosine), Float(0.5 * sine), 0], [1, 3])
    )
  }

  // Vectors of methods.md, section 12; float32 and a chord near 2 cost the last digits.
  @Test(
    "the distance is half the squared angle",
    arguments: [
      (0.9, 0.101713), (0.5, 0.548311), (0.3, 0.801509), (0.25, 0.868715), (0.2, 0.937681),
      (0, 1.233701), (-1, 4.934802), (1, 0),
    ])
  func distance(_ cosine: Double, _ expected: Double) {
    let (x, y) = pair(cosine)
    #expect(abs(sphericalDistance(x, y).item() - expected) < 2e-5)
  }

  @Test("the gradient is a number everywhere, also where both agree or are opposite")
  func finite() {
    for cosine in [1.0, -1.0, 0.0, 0.999999] {
      let (x, y) = pair(cosine)
      let leaf = x.variable()
      let slope = gradient(of: sphericalDistance(leaf, y).sum(), at: [leaf])[0].floats()
      #expect(slope.allSatisfy { $0.isFinite }, "\(cosine): \(slope)")
    }
    let (x, _) = pair(1)
    let leaf = x.variable()
    let slope = gradient(of: sphericalDistance(leaf, x).sum(), at: [leaf])[0].floats()
    #expect(slope == [0, 0, 0])
  }

  @Test("gradients agree with finite differences")
  func differences() {
    let stream = RandomStream(seed: 3, "test")
    let x = stream.normal([4, 6])
    let objective = PromptObjective(stream.normal([2, 6]), weight: -1.5)
    let leaf = x.variable()
    let slope = gradient(of: objective.loss(leaf), at: [leaf])[0].floats()
    let values = x.floats()
    let h: Float = 1e-2
    for i in [0, 5, 11, 23] {
      func loss(_ change: Float) -> Double {
        var moved = values
        moved[i] += change
        return objective.loss(Tensor(moved, [4, 6])).item()
      }
      let expected = (loss(h) - loss(-h)) / Double(2 * h)
      #expect(abs(Double(slope[i]) - expected) < 2e-3, "\(i): \(slope[i]) and \(expected)")
    }
  }

  @Test("a weight scales, a negative one turns the sign")
  func weights() {
    let (x, y) = pair(0.5)
    #expect(abs(PromptObjective(y, weight: 2).loss(x).item() - 2 * 0.548311) < 1e-5)
    #expect(abs(PromptObjective(y, weight: -2).loss(x).item() + 2 * 0.548311) < 1e-5)
  }

  @Test("the mean of all views and each of them share the loss as is asked for")
  func averaging() {
    let stream = RandomStream(seed: 4, "views")
    let (views, text) = (stream.normal([5, 6]), stream.normal([1, 6]))
    let each = PromptObjective(text).loss(views).item()
    let together = PromptObjective(text).loss(views.mean(over: [0], keepDims: true)).item()
    let found = PromptObjective(text, averaging: 0.3).loss(views).item()
    #expect(abs(found - (0.3 * together + 0.7 * each)) < 1e-6)
    #expect(abs(together - each) > 0.01)
  }

  @Test(
    "views nearer than the stop count in the value but are not pulled",
    arguments: [
      // weight, stop, whether the near view (0.10) and the far view (1.23) have a gradient
      (1.0, 0.8, false, true), (1.0, 0.05, true, true), (1.0, 2.0, false, false),
      (-1.0, -0.95, true, false), (-1.0, -2.0, true, true), (1.0, -Double.infinity, true, true),
    ])
  func stops(_ weight: Double, _ stop: Double, _ near: Bool, _ far: Bool) {
    let y = pair(0.9).1
    let views = concatenated(
      [pair(0.9).0, Tensor([-0.4359 * 3, 0.9 * 3, 0] as [Float], [1, 3])], over: 0)
    let leaf = views.variable()
    let loss = PromptObjective(y, weight: weight, stop: stop).loss(leaf)
    let value = PromptObjective(y, weight: weight).loss(views).item()
    #expect(abs(loss.item() - value) < 1e-6)
    let slope = gradient(of: loss, at: [leaf])[0]
    #expect((slope[0].abs().sum().item() > 1e-4) == near)
    #expect((slope[1].abs().sum().item() > 1e-4) == far)
  }

  @Test("a clamp lets through only what leads back into the range")
  func clamp() {
    let x = Tensor([-1, -1, 0.5, 0.5, 2, 2] as [Float])
    let g = Tensor([1, -1, 1, -1, 1, -1] as [Float])
    // A step goes against the gradient: at -1 a positive one would lead further out.
    #expect(clampedGradient(g, at: x, 0, 1).floats() == [0, -1, 1, -1, 1, 0])
  }

  @Test("a replaced gradient goes to the other tensor")
  func replaced() {
    let a = Tensor([1, 2] as [Float]).variable()
    let b = Tensor([5, 7] as [Float]).variable()
    let y = replacingGradient(a, b)
    #expect(y.floats() == [1, 2])
    let slopes = gradient(of: (y * 3).sum(), at: [a, b]).map { $0.floats() }
    #expect(slopes == [[0, 0], [3, 3]])
  }
}
