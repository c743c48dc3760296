import Torch

/// The average of parameters over the iterations, exponentially weighted and corrected for its start
/// (EMA of BigSleep and of EleutherAI's notebooks).
///
/// ```
/// biased = decay biased + (1 - decay) x      average = biased / (1 - decayᵗ)
/// ```
final class ParameterAverage {
  private let decay: Double
  private(set) var biased: [Tensor]
  private(set) var steps: Tensor

  init(_ parameters: [Tensor], decay: Double) {
    self.decay = decay
    biased = parameters.map { .zeros($0.shape, device: $0.device) }
    steps = .zeros([], .int64)
  }

  /// Takes the parameters of one more step in.
  func update(_ parameters: [Tensor]) {
    noGrad {
      for (average, parameter) in zip(biased, parameters) {
        average.assign(average * decay + parameter.detached() * (1 - decay))
      }
      steps.assign(steps + Tensor([1], []))
    }
  }

  /// Calls `body` while the parameters have their averages' values.
  func with<Result>(_ parameters: [Tensor], _ body: () throws -> Result) rethrows -> Result {
    let time = Int(steps.item())
    guard time > 0 else { return try body() }
    let correction = 1 - (0..<time).reduce(1.0) { power, _ in power * decay }
    let kept = parameters.map { $0.detached().cloned() }
    noGrad { for (p, b) in zip(parameters, biased) { p.assign(b / correction) } }
    defer { noGrad { for (p, k) in zip(parameters, kept) { p.assign(k) } } }
    return try body()
  }

  /// What a checkpoint must keep.
  var state: [(key: String, tensor: Tensor)] {
    [("steps", steps)] + biased.enumerated().map { ("\($0)", $1) }
  }
}
