import Torch

/// How far the values of a picture may reach.
public enum Threshold: Sendable, Hashable {
  /// To this in either direction (`clip_denoised`).
  case `static`(Double)
  /// To 1 in either direction, after all are divided by what this part of them, 0…1, lies within (where
  /// that is above 1): Saharia et al., "Photorealistic Text-to-Image Diffusion Models with Deep Language
  /// Understanding" (2022).
  case dynamic(Double)

  /// `x0` within its bounds.
  func callAsFunction(_ x0: Tensor) -> Tensor {
    switch self {
    case .static(let bound): return x0.clamped(-bound, bound)
    case .dynamic(let part):
      let sizes = x0.abs().reshaped(x0.size(0), -1).sorted().values  // [B, C H W]
      // Between the two nearest, as torch.quantile reads it.
      let place = part * Double(sizes.size(1) - 1)
      let (low, high) = (Int(place), min(Int(place) + 1, sizes.size(1) - 1))
      let (below, above) = (sizes.narrowed(1, low, 1), sizes.narrowed(1, high, 1))
      let quantile = below + (above - below) * (place - Double(low))
      let bound = quantile.clamped(1, .infinity)
        .reshaped([x0.size(0)] + Array(repeating: 1, count: x0.rank - 1))
      return x0.clamped(-bound, bound) / bound
    }
  }
}

/// A denoiser whose pictures keep within bounds; the noise follows from them.
public struct Thresholded: Denoiser {
  let base: any Denoiser
  let threshold: Threshold

  /// See `Denoiser`.
  public func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
    let found = try base(x, at: level)
    var bounded = Denoised(x0: threshold(found.x0), of: x, at: level)
    if found.v != nil { bounded.v = bounded.eps * level.alpha - bounded.x0 * level.sigma }
    bounded.variance = found.variance
    return bounded
  }
}

extension Denoiser {
  /// This denoiser with the values of its pictures kept within bounds.
  public func thresholded(_ threshold: Threshold) -> Thresholded {
    Thresholded(base: self, threshold: threshold)
  }
}
