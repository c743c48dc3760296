import Foundation
import Torch

/// How much picture and how much noise there is in `x`, and what the network is told of it.
///
/// ```
/// x = alpha x0 + sigma eps        alpha² + sigma² = 1
/// ```
public struct NoiseLevel: Sendable, Hashable {
  /// What the network is told: v-diffusion's time in 0 (clean)…1 (noise), or a discrete timestep.
  public var t: Double
  /// The picture's part.
  public var alpha: Double
  /// The noise's part; 0 where the picture is clean.
  public var sigma: Double

  /// A level of which the network is told `t`.
  public init(t: Double, alpha: Double, sigma: Double) {
    (self.t, self.alpha, self.sigma) = (t, alpha, sigma)
  }

  /// The level of v-diffusion's time: cosine and sine of a quarter turn (Salimans & Ho 2022).
  public init(t: Double) {
    self.init(t: t, alpha: cos(t * .pi / 2), sigma: sin(t * .pi / 2))
  }

  /// A picture without noise, where every way from noise ends.
  public static let clean = NoiseLevel(t: 0)

  /// This level as v-diffusion's time tells it: for a secondary model beside a network that is told
  /// timesteps.
  public var continuous: NoiseLevel {
    NoiseLevel(t: atan2(sigma, alpha) * 2 / .pi, alpha: alpha, sigma: sigma)
  }

  /// The level halfway to another in angle, told as halfway in `t`: one and the same in v-diffusion's
  /// time, and less than a timestep apart between discrete ones that are 20 apart.
  func halfway(to other: NoiseLevel) -> NoiseLevel {
    let angle = (atan2(sigma, alpha) + atan2(other.sigma, other.alpha)) / 2
    return NoiseLevel(t: (t + other.t) / 2, alpha: cos(angle), sigma: sin(angle))
  }

  /// The picture noised to this level: `q_sample` of guided-diffusion.
  /// - Parameters:
  ///   - x0: the picture.
  ///   - eps: standard normal noise of its shape.
  public func noised(_ x0: Tensor, with eps: Tensor) -> Tensor { x0 * alpha + eps * sigma }
}
