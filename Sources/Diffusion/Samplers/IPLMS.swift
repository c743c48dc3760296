import Torch

/// Linear multistep of up to fourth order that begins with lower orders: Zhang & Chen, "Fast Sampling of
/// Diffusion Models with Exponential Integrator" (2022), after Liu and others' `PLMS`.
///
/// Follows `iplms_sample` of crowsonkb/v-diffusion-pytorch at 439ed4c.
public struct IPLMS: Sampler {
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
    let found = try denoise(x, levels[index])
    let all = earlier + [found.eps]
    earlier = all.suffix(3)
    return transfer(x, adamsBashforth(all), found, from: levels[index], to: levels[index + 1])
  }
}
