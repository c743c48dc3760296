import Torch

/// Pseudo linear multistep of fourth order: Liu, Ren, Lin & Zhao, "Pseudo Numerical Methods for Diffusion
/// Models on Manifolds" (2022), algorithm 2. Three steps of `PRK` begin it.
///
/// Follows `plms_sample` of crowsonkb/v-diffusion-pytorch at 439ed4c.
public struct PLMS: Sampler {
  private var earlier: [Tensor] = []

  /// At the beginning of its way.
  public init() {}

  /// The last steps' eps.
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
    guard earlier.count == 3 else {
      let (next, eps) = try PRK.step(x, from: from, to: to, denoise: denoise)
      earlier.append(eps)
      return next
    }
    let found = try denoise(x, from)
    let all = earlier + [found.eps]
    earlier = all.suffix(3)
    return transfer(x, adamsBashforth(all), found, from: from, to: to)
  }
}
