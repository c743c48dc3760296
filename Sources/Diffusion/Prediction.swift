import Torch

/// What a network's output stands for.
public enum Prediction: String, Sendable, Hashable, Codable {
  /// The velocity `alpha eps - sigma x0` (Salimans & Ho 2022): v-diffusion.
  case v
  /// The noise (Ho et al. 2020).
  case eps
  /// The noise and, in as many channels more, the variance as a place in its range, -1…1 (Nichol &
  /// Dhariwal 2021, `LEARNED_RANGE`): guided-diffusion, GLIDE, Karlo's decoder.
  case epsAndVariance
  /// The picture itself: the priors of unCLIP.
  case x0

  /// What an output says of `x`.
  /// - Parameter output: of the shape of `x`; `[B, 2 C, …]` where there is a variance.
  public func callAsFunction(_ output: Tensor, of x: Tensor, at level: NoiseLevel) -> Denoised {
    switch self {
    case .v: return Denoised(v: output, of: x, at: level)
    case .eps: return Denoised(eps: output, of: x, at: level)
    case .epsAndVariance:
      let eps = output.narrowed(1, 0, x.size(1))
      var found = Denoised(eps: eps, of: x, at: level)
      found.variance = variance(output)
      return found
    case .x0: return Denoised(x0: output, of: x, at: level)
    }
  }

  /// See `Denoised.variance`.
  func variance(_ output: Tensor) -> Tensor? {
    guard self == .epsAndVariance else { return nil }
    return (output.chunks(2, over: 1)[1] + 1) / 2
  }
}
