import Torch

/// Karras, Aittala, Aila & Laine, "Elucidating the Design Space of Diffusion-Based Generative Models"
/// (2022), algorithm 2 without churn.
///
/// Gives what `sample_heun` of crowsonkb/k-diffusion at 4601bf0 gives. Its `x` is ours divided by alpha, its
/// derivative is eps: a step of `PIE`, and in the last, to the clean picture, one of Euler's.
public struct Heun: Sampler {
  /// At the beginning of its way.
  public init() {}

  /// See `Sampler`.
  public mutating func step(
    _ x: Tensor, _ index: Int, of levels: [NoiseLevel],
    denoise: (Tensor, NoiseLevel) throws -> Denoised, noise: () -> Tensor
  ) throws -> Tensor {
    let (from, to) = (levels[index], levels[index + 1])
    let found = try denoise(x, from)
    guard to.sigma > 0 else { return found.x0 }
    return try PIE.step(x, found, from: from, to: to, denoise: denoise).x
  }
}
