import Torch

/// Half the squared angle between vectors, as CLIP guidance measures distance (Crowson 2021):
///
/// ```
/// d(x, y) = 2 asin(|x/|x| - y/|y|| / 2)²
/// ```
///
/// The gradient is zero, not NaN, where both agree or are opposite.
/// - Parameters:
///   - x: `[…, E]`
///   - y: `[…, E]`, broadcast against `x`.
/// - Returns: `[…]`, 0 to π²/2.
public func sphericalDistance(_ x: Tensor, _ y: Tensor) -> Tensor {
  let squared = (x.normalized() - y.normalized()).square().sum(over: [-1])  // |chord|², 0…4
  // The slopes of the root at 0 and of the arc sine at 1 are infinite: there a constant takes over.
  let smooth = squared.clamped(1e-12, 4 * (1 - 1e-6)).sqrt() / 2
  let exact = noGrad { (squared.clamped(0, 4).sqrt() / 2).clamped(0, 1).asin().square() * 2 }
  return exact.straightThrough(to: smooth.asin().square() * 2)
}

/// The wish that views fit a text or a picture, given by its embeddings (methods of Crowson's
/// VQGAN+CLIP notebook).
public struct PromptObjective: Objective {
  /// Embeddings wanted, `[M, E]`; 1 for a text.
  let targets: Tensor
  /// Which perceptor's views are measured.
  let perceptor: Int
  /// Which part of the picture is measured.
  let region: Prompt.Region
  let weight: Double
  let stop: Double
  let averaging: Double

  /// - Parameters:
  ///   - targets: embeddings wanted, `[M, E]`.
  ///   - perceptor: which one's views are measured.
  ///   - region: which part of the picture is measured.
  ///   - weight: how strongly; negative pushes away.
  ///   - stop: signed distance below which a view gives no gradient.
  ///   - averaging: share of the loss that measures the mean of all views' embeddings, and not each of
  ///     them (Deep Daze's `averaging_weight`).
  public init(
    _ targets: Tensor, perceptor: Int = 0, region: Prompt.Region = .everywhere,
    weight: Double = 1, stop: Double = -.infinity, averaging: Double = 0
  ) {
    self.targets = targets.detached()
    self.perceptor = perceptor
    self.region = region
    self.weight = weight
    self.stop = stop
    self.averaging = averaging
  }

  /// `|w| · mean(d · sign(w))`; pairs nearer than `stop` count in the value but have no gradient.
  public func loss(_ observation: Observation) -> Tensor? {
    let views = observation.views[perceptor]
    switch region {
    case .everywhere: return loss(views.embeddings)
    case .inside: return views.inside.map(loss)
    case .outside: return views.outside.map(loss)
    }
  }

  /// As `loss(_:)`, of embeddings `[B, E]`.
  func loss(_ embeddings: Tensor) -> Tensor {
    guard averaging > 0 else { return distance(embeddings) }
    let together = distance(embeddings.mean(over: [0], keepDims: true))
    return together * averaging + distance(embeddings) * (1 - averaging)
  }

  private func distance(_ embeddings: Tensor) -> Tensor {
    let sign: Double = weight < 0 ? -1 : 1
    let distances =
      sphericalDistance(embeddings.unsqueezed(1), targets.unsqueezed(0)) * sign  // [B, M]
    guard stop.isFinite else { return distances.mean() * abs(weight) }
    return distances.atLeast(stop).choose(distances, distances.detached()).mean() * abs(weight)
  }
}
