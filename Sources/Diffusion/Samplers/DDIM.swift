import Foundation
import Torch

/// Song, Meng & Ermon, "Denoising Diffusion Implicit Models" (2021), equation 12.
///
/// Follows `sample` of crowsonkb/v-diffusion-pytorch at 439ed4c; `ddim_sample` of openai/guided-diffusion
/// is the same. Without `eta`, levels from picture to noise find the noise that gives a picture.
public struct DDIM: Sampler {
  /// Part of the noise that is drawn anew in each step; at 1 it is DDPM of the smallest variance.
  private let eta: Double

  /// - Parameter eta: part of the noise that is drawn anew in each step.
  public init(eta: Double = 0) { self.eta = eta }

  /// See `Sampler`.
  public mutating func step(
    _ x: Tensor, _ index: Int, of levels: [NoiseLevel],
    denoise: (Tensor, NoiseLevel) throws -> Denoised, noise: () -> Tensor
  ) throws -> Tensor {
    let (from, to) = (levels[index], levels[index + 1])
    let found = try denoise(x, from)
    guard to.sigma > 0 else { return found.x0 }
    let fresh =
      eta > 0
      ? eta * (to.sigma / from.sigma) * max(0, 1 - pow(from.alpha / to.alpha, 2)).squareRoot() : 0
    let kept = max(0, to.sigma * to.sigma - fresh * fresh).squareRoot()
    let next = found.x0 * to.alpha + found.eps * kept
    return eta > 0 ? next + noise() * fresh : next
  }
}
