import Torch

/// The wish of Big Sleep that latents stay as if drawn from a normal distribution, and that all classes
/// but the strongest of each block stay away:
///
/// ```
/// mean |1 - std(z)| + mean |mean(z)| + 4 max(mean(z²), 1) + mean(|excess kurtosis| + |skew|)
///   + mean over blocks of (50 c)², c the weights of all classes but the largest
/// ```
///
/// where std, mean, kurtosis and skew are those of each row of the latents.
struct BigSleepObjective: Objective {
  /// The weights of the classes, `[L, K]`, with history.
  let classes: () -> Tensor
  var weight = 1.0

  /// Nil when there are no latents `[L, Z]` to look at.
  func loss(_ observation: Observation) -> Tensor? {
    observation.latent.map { (Self.latents($0) + Self.classes(classes())) * weight }
  }

  /// The terms of latents `[L, Z]`.
  static func latents(_ z: Tensor) -> Tensor {
    let count = Double(z.size(1))
    let mean = z.mean(over: [1], keepDims: true)  // [L, 1]
    let rest = z - mean
    let variance = rest.square().mean(over: [1], keepDims: true)
    // The spread that is held at one is the sample's; higher moments are over the population's.
    let sample = (variance * (count / (count - 1))).sqrt()
    let standard = rest / variance.sqrt()
    let skew = standard.pow(3).mean(over: [1])
    let kurtosis = standard.square().square().mean(over: [1]) - 3
    return (1 - sample).abs().mean() + mean.abs().mean()
      + z.square().mean().clamped(1, .infinity) * 4 + (kurtosis.abs() + skew.abs()).mean()
  }

  /// The term of weights of classes `[L, K]`.
  static func classes(_ weights: Tensor) -> Tensor {
    let count = weights.size(1)
    let entries = Tensor.arange(0..<count, device: weights.device).unsqueezed(0)
    let largest = entries.equals(weights.argmax(over: 1, keepDims: true))
    let others = weights.filled(where: largest, with: 0)
    return (others * 50).square().sum() / Double(weights.size(0) * max(1, count - 1))
  }
}
