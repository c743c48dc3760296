import Torch

/// Pseudo linear multistep of second order, begun by a step of `PIE`.
///
/// Follows `plms2_sample` of crowsonkb/v-diffusion-pytorch at 439ed4c.
public struct PLMS2: Sampler {
  private var earlier: [Tensor] = []

  /// At the beginning of its way.
  public init() {}

  /// The last step's eps.
  public var state: [String: Tensor] {
    get { earlier.remembered }
    set { earlier = .init(remembered: newValue) }
  }

  /// See `Sampler`.
  public mutating func step(
    _ x: Tensor, _ index: Int, of levels: [NoiseLevel],
    denoise: (Tensor, NoiseLevel) throws -> Denoised, noise: () -> Tensor
  ) throws -> Tensor {
    let (from, to) = (levels[index], levels[index + 1])
    let found = try denoise(x, from)
    guard !earlier.isEmpty else {
      let (next, eps) = try PIE.step(x, found, from: from, to: to, denoise: denoise)
      earlier = [eps]
      return next
    }
    let all = earlier + [found.eps]
    earlier = [found.eps]
    return transfer(x, adamsBashforth(all), found, from: from, to: to)
  }
}
