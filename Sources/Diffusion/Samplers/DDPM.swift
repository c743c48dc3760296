import Foundation
import Torch

/// Ho, Jain & Abbeel, "Denoising Diffusion Probabilistic Models" (2020), algorithm 2, with the variance
/// that the network has learnt (Nichol & Dhariwal 2021) where it has.
///
/// Follows `p_sample` of openai/guided-diffusion at 22e0df8. Where the denoiser is guided, the gradient
/// moves the mean by the step's variance, `condition_mean` (Dhariwal & Nichol 2021, algorithm 1).
public struct DDPM: Sampler {
  /// The variance of a step of a network that has not learnt one.
  public enum Variance: Sendable {
    /// That of the step back when the picture is known (`FIXED_SMALL`).
    case small
    /// That of the step forth (`FIXED_LARGE`).
    case large
  }

  private let variance: Variance

  /// - Parameter variance: of a network that has not learnt one.
  public init(variance: Variance = .small) { self.variance = variance }

  /// See `Sampler`.
  public mutating func step(
    _ x: Tensor, _ index: Int, of levels: [NoiseLevel],
    denoise: (Tensor, NoiseLevel) throws -> Denoised, noise: () -> Tensor
  ) throws -> Tensor {
    let step = Step(from: levels[index], to: levels[index + 1])
    let found = try denoise(x, levels[index])
    // The last step's smallest variance is 0, which has no logarithm: that of the one before is taken.
    let before = levels.count > 2 ? min(index, levels.count - 3) : index
    let smallest = max(Step(from: levels[before], to: levels[before + 1]).posterior, 1e-20)
    let logVariance = found.variance.map {
      $0 * log(step.beta) + (1 - $0) * log(smallest)
    }
    let fixed =
      switch variance {
      case .small: step.posterior
      case .large: step.posterior > 0 ? step.beta : smallest
      }

    var mean = (found.guidance?.x0 ?? found.x0) * step.ofPicture + x * step.ofX
    if let grad = found.guidance?.grad {
      mean = mean + (logVariance.map { grad * $0.exp() } ?? grad * fixed)
    }
    guard levels[index + 1].sigma > 0 else { return mean }
    let fresh = noise()
    return mean
      + (logVariance.map { ($0 * 0.5).exp() * fresh } ?? fresh * fixed.squareRoot())
  }

  /// `q(x' | x, x0)`: what is known of a step back when the picture is known.
  private struct Step {
    /// Variance that the step forth adds.
    let beta: Double
    /// Variance of the step back.
    let posterior: Double
    /// The picture's and x's part in the mean.
    let ofPicture, ofX: Double

    init(from: NoiseLevel, to: NoiseLevel) {
      let ratio = from.alpha / to.alpha
      beta = 1 - ratio * ratio
      let (noise, left) = (from.sigma * from.sigma, to.sigma * to.sigma)
      posterior = beta * left / noise
      ofPicture = beta * to.alpha / noise
      ofX = left * ratio / noise
    }
  }
}
