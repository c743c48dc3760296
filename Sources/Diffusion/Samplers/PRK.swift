import Torch

/// Pseudo Runge-Kutta of fourth order: Liu, Ren, Lin & Zhao, "Pseudo Numerical Methods for Diffusion Models
/// on Manifolds" (2022), equation 13.
///
/// Follows `prk_step` of crowsonkb/v-diffusion-pytorch at 439ed4c.
public struct PRK: Sampler {
  /// At the beginning of its way.
  public init() {}

  /// See `Sampler`.
  public mutating func step(
    _ x: Tensor, _ index: Int, of levels: [NoiseLevel],
    denoise: (Tensor, NoiseLevel) throws -> Denoised, noise: () -> Tensor
  ) throws -> Tensor {
    try Self.step(x, from: levels[index], to: levels[index + 1], denoise: denoise).x
  }

  /// A step, and the eps that it went along.
  static func step(
    _ x: Tensor, from: NoiseLevel, to: NoiseLevel,
    denoise: (Tensor, NoiseLevel) throws -> Denoised
  ) throws -> (x: Tensor, eps: Tensor) {
    let middle = from.halfway(to: to)
    let first = try denoise(x, from)
    func along(_ eps: Tensor, to: NoiseLevel) -> Tensor {
      transfer(x, eps, first, from: from, to: to)
    }
    let second = try denoise(along(first.eps, to: middle), middle).eps
    let third = try denoise(along(second, to: middle), middle).eps
    let fourth = try denoise(along(third, to: to), to).eps
    let eps = (first.eps + second * 2 + third * 2 + fourth) / 6
    return (along(eps, to: to), eps)
  }
}
