import Foundation
import Torch

/// At which times a diffusion model is asked on the way from noise to a picture.
///
/// Time runs from 1, all noise, to 0, the picture; signal and noise are its cosine and sine of a quarter
/// turn (Salimans & Ho 2022). The schedules are those of `diffusion/utils.py` of v-diffusion.
public enum NoiseSchedule: String, Sendable, CaseIterable {
  /// The cosine schedule for fine detail, that of DDPM for the beginning.
  case spliced
  /// That of Ho and others, "Denoising Diffusion Probabilistic Models" (2020), in continuous time.
  case ddpm
  /// Even in time.
  case cosine
  /// Even in the logarithm of the ratio of signal to noise, from -10 to 10.
  case log

  /// How much of the picture and how much noise there is at a time.
  public static func parts(at time: Double) -> (signal: Double, noise: Double) {
    (cos(time * .pi / 2), sin(time * .pi / 2))
  }

  /// The time of a place on the way, which runs from 1 to 0 too.
  func time(at place: Double) -> Double {
    switch self {
    case .cosine: return place
    case .ddpm: return Self.ddpm(place)
    case .spliced:
      let (ddpmCrossover, cosineCrossover) = (0.48536712, 0.80074257)
      let far = place * (1 + cosineCrossover - ddpmCrossover)
      return far < cosineCrossover ? far : Self.ddpm(far + ddpmCrossover - cosineCrossover)
    case .log: return Self.time(ofLogSNR: 10 - 20 * place)
    }
  }

  /// The times of `steps` steps and, last, 0.
  /// - Parameter start: the time to begin at; 1 is pure noise. Fewer steps are not taken for it.
  public func times(_ steps: Int, from start: Double = 1) -> [Double] {
    var (low, high) = (0.0, 1.0)
    if start < time(at: 1) {
      for _ in 0..<60 {
        let middle = (low + high) / 2
        if time(at: middle) < start { low = middle } else { high = middle }
      }
    }
    return (0..<steps).map { time(at: high * (1 - Double($0) / Double(steps))) } + [0]
  }

  private static func ddpm(_ place: Double) -> Double {
    time(ofLogSNR: -Foundation.log(expm1(1e-4 + 10 * place * place)))
  }

  private static func time(ofLogSNR logSNR: Double) -> Double {
    let (signal, noise) = (
      (1 / (1 + exp(-logSNR))).squareRoot(), (1 / (1 + exp(logSNR))).squareRoot()
    )
    return atan2(noise, signal) * 2 / .pi
  }
}
