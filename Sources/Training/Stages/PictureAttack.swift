import Torch

/// Small changes of pictures that a network takes for something else, made by climbing its own loss (Madry
/// and others, "Towards deep learning models resistant to adversarial attacks", 2018).
///
/// A network trained against them has gradients at a picture that look like things (Engstrom and others,
/// "Adversarial robustness as a prior for learned representations", 2019).
struct PictureAttack: Codable, Sendable {
  /// Part of each batch's pictures that are changed.
  var part: Double
  /// Largest change: the L2 norm of the difference of a picture in 0…1.
  var radius: Double
  /// Steps over which the radius grows to its full size; a whole one at once teaches nothing at first.
  var growth: Int
  /// Gradient steps a picture, each of the radius by the square root of their number.
  var steps: Int

  /// What is wrong with it; nil when nothing is.
  var problem: String? {
    guard (0...1).contains(part), radius >= 0, radius <= 100, (0...1_000_000).contains(growth)
    else {
      return "'attack': part must be from 0 to 1, radius from 0 to 100, growth from 0 to 1000000"
    }
    return (0...20).contains(steps) ? nil : "'attack': steps must be from 0 to 20"
  }

  /// The radius at a step of the training.
  func radius(at step: Int) -> Double {
    growth > 0 ? radius * min(1, Double(step + 1) / Double(growth)) : radius
  }

  /// Changed pictures: noise within the radius, then steps up the loss, back into the ball and into 0…1 after
  /// each.
  /// - Parameters:
  ///   - x: `[B, C, H, W]`.
  ///   - radius: largest L2 norm of a picture's change.
  ///   - range: of the values of `x`; nil for latents, which have none.
  ///   - stream: of the device that `x` is on.
  ///   - loss: of changed pictures, a scalar.
  /// - Returns: as `x`, without history.
  func changed(
    _ x: Tensor, radius: Double, range: ClosedRange<Double>? = 0...1, _ stream: RandomStream,
    loss: (Tensor) -> Tensor
  ) -> Tensor {
    func norm(_ t: Tensor) -> Tensor {
      (t * t).sum(over: [1, 2, 3], keepDims: true).sqrt() + 1e-12
    }
    func within(_ change: Tensor) -> Tensor {
      let bounded = change * (radius / norm(change)).clamped(0, 1)
      return range.map { (x + bounded).clamped($0.lowerBound, $0.upperBound) - x } ?? bounded
    }
    // Of a uniform length: many weak changes beside strong ones.
    let noise = stream.normal(x.shape)
    var change = noGrad {
      within(noise / norm(noise) * (stream.uniform([x.size(0), 1, 1, 1]) * radius))
    }
    for _ in 0..<steps {
      let variable = change.detached().variable()
      let slope = gradient(of: loss(x + variable), at: [variable])[0]
      change = noGrad {
        within(change + slope / norm(slope) * (radius / Double(steps).squareRoot()))
      }
    }
    return (x + change).detached()
  }
}
