import Foundation

/// The timesteps that a network was trained with, each noisier than the one before by its beta.
///
/// Follows `gaussian_diffusion.py` of openai/guided-diffusion at 22e0df8 and openai/glide-text2im at
/// 69b5307.
public struct DiscreteSchedule: Sendable {
  /// What remains of the picture's variance after each timestep: `∏ (1 - beta)`, `alphas_cumprod`.
  public let alphasCumprod: [Double]

  /// The schedule of these betas, each in 0<…1, the first timestep's first.
  public init(betas: [Double]) {
    var left = 1.0
    alphasCumprod = betas.map { beta in
      left *= 1 - beta
      return left
    }
  }

  /// Betas in even steps (Ho et al. 2020), for any number of timesteps.
  public static func linear(_ count: Int = 1000) -> DiscreteSchedule {
    let scale = 1000 / Double(count)
    let (first, last) = (scale * 1e-4, scale * 0.02)
    let step = (last - first) / Double(max(count - 1, 1))
    return DiscreteSchedule(betas: (0..<count).map { first + step * Double($0) })
  }

  /// A squared cosine of what remains (Nichol & Dhariwal 2021): `cosine` of guided-diffusion,
  /// `squaredcos_cap_v2` of GLIDE and Karlo.
  public static func squaredCosine(_ count: Int = 1000) -> DiscreteSchedule {
    func left(_ t: Double) -> Double { pow(cos((t + 0.008) / 1.008 * .pi / 2), 2) }
    return DiscreteSchedule(
      betas: (0..<count).map { step in
        let (from, to) = (Double(step) / Double(count), Double(step + 1) / Double(count))
        return min(1 - left(to) / left(from), 0.999)
      })
  }

  /// The levels of these timesteps, from noise to picture, and, last, the clean one.
  /// - Parameters:
  ///   - timesteps: those to stop at, rising: see `Respacing`; all where nil.
  ///   - rescaled: whether the network is told thousandths of the way instead of timesteps
  ///     (`rescale_timesteps`).
  public func levels(_ timesteps: [Int]? = nil, rescaled: Bool = false) -> [NoiseLevel] {
    let scale = rescaled ? 1000 / Double(alphasCumprod.count) : 1
    return (timesteps ?? Array(alphasCumprod.indices)).reversed().map { step in
      let left = alphasCumprod[step]
      return NoiseLevel(
        t: Double(step) * scale, alpha: left.squareRoot(), sigma: (1 - left).squareRoot())
    } + [.clean]
  }
}
