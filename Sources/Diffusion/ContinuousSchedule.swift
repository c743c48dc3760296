import Foundation

/// How the steps of a network that is told v-diffusion's time are spread over the way from noise to
/// picture.
///
/// Follows `diffusion/utils.py` of crowsonkb/v-diffusion-pytorch at 439ed4c. Difference: a beginning on
/// the way does not leave steps out but spreads them all over what is left.
public enum ContinuousSchedule: String, Sendable, CaseIterable {
  /// The cosine schedule for fine detail, that of DDPM for the beginning.
  case spliced
  /// That of Ho and others, "Denoising Diffusion Probabilistic Models" (2020), in continuous time.
  case ddpm
  /// Even in time.
  case cosine
  /// Even in the logarithm of the ratio of signal to noise, from -10 to 10.
  case log

  /// The levels of `steps` steps and, last, the clean one.
  /// - Parameter start: the time to begin at; 1 is pure noise.
  public func levels(_ steps: Int, from start: Double = 1) -> [NoiseLevel] {
    var (low, high) = (0.0, 1.0)
    if start < time(at: 1) {
      for _ in 0..<60 {
        let middle = (low + high) / 2
        if time(at: middle) < start { low = middle } else { high = middle }
      }
    }
    return (0..<steps).map { step in
      NoiseLevel(t: time(at: high * (1 - Double(step) / Double(steps))))
    } + [.clean]
  }

  /// The time of a place on the way, which runs from 1 to 0 too.
  private func time(at place: Double) -> Double {
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

  private static func ddpm(_ place: Double) -> Double {
    time(ofLogSNR: -Foundation.log(expm1(1e-4 + 10 * place * place)))
  }

  private static func time(ofLogSNR logSNR: Double) -> Double {
    let (alpha, sigma) = (
      (1 / (1 + exp(-logSNR))).squareRoot(), (1 / (1 + exp(logSNR))).squareRoot()
    )
    return atan2(sigma, alpha) * 2 / .pi
  }
}
