import Foundation
import Torch

/// Goes from noise to a picture by the velocities that a diffusion model finds, one evaluation a step.
///
/// Follows `diffusion/sampling.py` of crowsonkb/v-diffusion-pytorch 0.0.2: DDIM (Song, Meng & Ermon,
/// "Denoising Diffusion Implicit Models", 2021), which with `eta` of 1 is DDPM, and `iplms`, the linear
/// multistep method of Liu and others ("Pseudo Numerical Methods for Diffusion Models on Manifolds",
/// 2022) that begins with lower orders.
public struct DiffusionSampler {
  /// How steps are taken.
  public enum Kind: String, Sendable, CaseIterable {
    case ddim, iplms
  }

  private let kind: Kind
  private let times: [Double]
  /// Part of the noise that is drawn anew in each step, for DDIM.
  private let eta: Double
  /// What earlier steps took for the noise, newest last.
  var earlier: [Tensor] = []

  /// - Parameters:
  ///   - times: see `NoiseSchedule.times`.
  ///   - eta: part of the noise that is drawn anew in each step, for DDIM.
  public init(_ kind: Kind, times: [Double], eta: Double = 0) {
    self.kind = kind
    self.times = times
    self.eta = eta
  }

  /// Steps in all.
  public var count: Int { times.count - 1 }

  /// The time of a step, counted from 0; after the last one it is 0.
  public func time(_ step: Int) -> Double { times[step] }

  /// The picture that a velocity points to, `signal x - noise v`.
  public func picture(_ x: Tensor, _ velocity: Tensor, step: Int) -> Tensor {
    let (signal, noise) = NoiseSchedule.parts(at: times[step])
    return x * signal - velocity * noise
  }

  /// A step.
  /// - Parameters:
  ///   - x: where the sampler stands.
  ///   - velocity: there.
  ///   - fresh: normal noise of this shape, asked for where it is wanted.
  /// - Returns: where it stands next; after the last step, the picture.
  public mutating func advance(
    _ x: Tensor, _ velocity: Tensor, step: Int, fresh: () -> Tensor
  ) -> Tensor {
    let (signal, noise) = NoiseSchedule.parts(at: times[step])
    let (nextSignal, nextNoise) = NoiseSchedule.parts(at: times[step + 1])
    let found = x * noise + velocity * signal  // the noise in x
    switch kind {
    case .ddim:
      let picture = x * signal - velocity * noise
      guard step + 1 < count else { return picture }
      let share =
        eta * (nextNoise / noise) * max(0, 1 - pow(signal / nextSignal, 2)).squareRoot()
      let kept = max(0, nextNoise * nextNoise - share * share).squareRoot()
      let next = picture * nextSignal + found * kept
      return eta > 0 ? next + fresh() * share : next
    case .iplms:
      let all = earlier + [found]
      let weights: [Double] =
        switch all.count {
        case 1: [1]
        case 2: [-0.5, 1.5]
        case 3: [5.0 / 12, -16.0 / 12, 23.0 / 12]
        default: [-9.0 / 24, 37.0 / 24, -59.0 / 24, 55.0 / 24]
        }
      let blend = zip(all.suffix(4), weights).map { $0 * $1 }.reduce(nil) { sum, part in
        sum.map { $0 + part } ?? part
      }
      earlier = all.suffix(3)
      let towards = blend ?? found
      // At the very beginning there is no signal to divide by; the velocity then is the picture's own.
      let picture = signal > 1e-6 ? (x - towards * noise) / signal : x * signal - velocity * noise
      return picture * nextSignal + towards * nextNoise
    }
  }
}
