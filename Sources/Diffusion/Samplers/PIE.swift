import Torch

/// Pseudo improved Euler, of second order: the transfer of Liu and others ("Pseudo Numerical Methods for
/// Diffusion Models on Manifolds", 2022) along the mean of the eps here and there.
///
/// Follows `pie_step` of crowsonkb/v-diffusion-pytorch at 439ed4c.
public struct PIE: Sampler {
  /// At the beginning of its way.
  public init() {}

  /// See `Sampler`.
  public mutating func step(
    _ x: Tensor, _ index: Int, of levels: [NoiseLevel],
    denoise: (Tensor, NoiseLevel) throws -> Denoised, noise: () -> Tensor
  ) throws -> Tensor {
    let (from, to) = (levels[index], levels[index + 1])
    return try Self.step(x, denoise(x, from), from: from, to: to, denoise: denoise).x
  }

  /// A step from what was found at `x`, and the eps that it went along.
  static func step(
    _ x: Tensor, _ found: Denoised, from: NoiseLevel, to: NoiseLevel,
    denoise: (Tensor, NoiseLevel) throws -> Denoised
  ) throws -> (x: Tensor, eps: Tensor) {
    let ahead = transfer(x, found.eps, found, from: from, to: to)
    let eps = (found.eps + (try denoise(ahead, to).eps)) / 2
    return (transfer(x, eps, found, from: from, to: to), eps)
  }
}
