import Foundation
import Torch

/// Random changes of brightness, contrast, saturation and hue with kornia's meanings (0.5.4,
/// `ColorJitter`): brightness adds, contrast multiplies, saturation and hue work in HSV; the order of
/// the four is drawn once for the batch, the factors for each picture.
struct ColorJitter {
  /// Largest change of each.
  var brightness = 0.0
  var contrast = 0.0
  var saturation = 0.0
  var hue = 0.0
  /// Share of pictures that are changed.
  var probability: Double

  /// - Parameters:
  ///   - x: `[B, 3, H, W]` in 0…1.
  ///   - draws: five uniform numbers for each picture: whether, and the four factors.
  ///   - order: a permutation of 0..<4.
  /// - Returns: `[B, 3, H, W]`
  func callAsFunction(_ x: Tensor, draws: [[Float]], order: [Int]) -> Tensor {
    let chosen = draws.map { Double($0[0]) < probability }
    guard chosen.contains(true) else { return x }
    let amounts = [brightness, contrast, saturation, hue]
    let factors = zip(draws, chosen).map { draw, isChosen in
      (0..<4).map { index in
        let centre = index == 3 ? 0.0 : 1
        return isChosen ? centre + (2 * Double(draw[index + 1]) - 1) * amounts[index] : centre
      }
    }
    if x.device == .cpu, x.dtype == .float32 {
      return x.colorJittered(factors, chosen: chosen, order: order)
    }
    return chosen.mask(on: x.device).choose(Self.changed(x, factors, order: order), x)
  }

  /// By operators, on any device.
  /// - Parameters:
  ///   - x: `[B, 3, H, W]` in 0…1.
  ///   - factors: brightness, contrast, saturation (neutral at 1) and the hue's share of the circle,
  ///     for each picture.
  ///   - order: a permutation of 0..<4.
  static func changed(_ x: Tensor, _ factors: [[Double]], order: [Int]) -> Tensor {
    func factor(_ index: Int) -> Tensor {
      Tensor(factors.map { Float($0[index]) }, [factors.count, 1, 1, 1]).to(x.device)
    }
    var y = x
    var index = 0
    while index < order.count {
      switch order[index] {
      case 0: y = (y + (factor(0) - 1)).clamped(0, 1)
      case 1: y = (y * factor(1)).clamped(0, 1)
      default:
        // Saturation and hue commute: both at once where they follow each other.
        let both = index + 1 < order.count && order[index + 1] >= 2
        let saturation = both || order[index] == 2 ? factor(2) : nil
        let hue = both || order[index] == 3 ? factor(3) : nil
        y = shifted(y, saturation: saturation, hue: hue)
        if both { index += 1 }
      }
      index += 1
    }
    return y
  }

  /// Through HSV: saturation times a factor (then limited to 0…1), hue turned by a share of the
  /// circle.
  /// - Parameter x: `[B, 3, H, W]` in 0…1.
  static func shifted(_ x: Tensor, saturation: Tensor?, hue: Tensor?) -> Tensor {
    let value = x.amax(over: [1], keepDims: true)
    let range = value - x.amin(over: [1], keepDims: true)
    let safe = range.clamped(1e-6, .infinity)
    let s = range / value.clamped(1e-6, .infinity)
    let (r, g, b) = (x.narrowed(1, 0, 1), x.narrowed(1, 1, 1), x.narrowed(1, 2, 1))
    let isRed = r.atLeast(value)
    let isGreen = g.atLeast(value)
    // Hue in sixths of the circle.
    let sixths = isRed.choose(
      (g - b) / safe, isGreen.choose((b - r) / safe + 2, (r - g) / safe + 4))
    let h = hue.map { sixths + $0 * 6 } ?? sixths
    let s2 = saturation.map { (s * $0).clamped(0, 1) } ?? s
    // Each channel is `v - v s clamp(min(k, 4 - k), 0, 1)` with k = (n + h) mod 6, n = 5, 3, 1.
    let offsets = Tensor([5, 3, 1] as [Float], [1, 3, 1, 1]).to(x.device)
    let shifted = h + offsets  // [B, 3, H, W]
    let k = shifted - ((shifted / 6).floor() * 6).detached()
    let ramp = k.minimum(4 - k).clamped(0, 1)
    return value - value * s2 * ramp
  }
}

extension ColorJitter {
  /// All four changed by up to `strength`.
  init(strength: Double, probability: Double) {
    self.init(
      brightness: strength, contrast: strength, saturation: strength, hue: strength,
      probability: probability)
  }

  /// All four times a number.
  func scaled(_ strength: Double) -> ColorJitter {
    ColorJitter(
      brightness: brightness * strength, contrast: contrast * strength,
      saturation: saturation * strength, hue: hue * strength, probability: probability)
  }
}
