import Torch

/// Pseudo linear multistep as CLIP-guided diffusion has it: begun by a step of `PIE`, then of rising order,
/// and the last step is the picture that was found.
///
/// Follows `plms_sample` of crowsonkb/guided-diffusion at fb47224, which Disco Diffusion samples by.
public struct GuidedPLMS: Sampler {
  private let order: Int
  private var earlier: [Tensor] = []

  /// At the beginning of its way.
  /// - Parameter order: the highest that it rises to, 2...4.
  public init(order: Int = 2) {
    precondition((2...4).contains(order), "order \(order) of a linear multistep method")
    self.order = order
  }

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
    let found = try denoise(x, from)
    let all = earlier + [found.eps]
    earlier = all.suffix(order - 1)
    guard to.sigma > 0 else { return found.x0 }
    guard all.count > 1 else {
      return try PIE.step(x, found, from: from, to: to, denoise: denoise).x
    }
    return transfer(x, adamsBashforth(all), found, from: from, to: to)
  }
}
