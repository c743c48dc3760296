import Torch

extension ObjectiveKind {
  static let range = ObjectiveKind(
    "range", "no colour outside the range, by squares, where pictures are not limited to it"
  ) { _ in RangeObjective(isSquared: true) }

  static let sat = ObjectiveKind(
    "sat", "no colour outside the range, by amounts, where pictures are not limited to it"
  ) { _ in RangeObjective(isSquared: false) }
}

/// No colour outside the range: guided diffusion's `range_loss` and Disco Diffusion's `sat_loss`, both
/// measured in -1…1 at the picture as it was drawn, before its colours are limited.
struct RangeObjective: Objective {
  let isSquared: Bool

  func loss(_ observation: Observation) -> Tensor? {
    let x = observation.drawn * 2 - 1
    return isSquared ? squaredExcess(x).mean() : excess(x)
  }
}

/// Mean of `(x - clamp(x))²` for a range of -1…1.
/// - Parameter x: `[B, C, H, W]`
/// - Returns: `[B]`
func squaredExcess(_ x: Tensor) -> Tensor {
  (x - x.clamped(-1, 1)).square().mean(over: [1, 2, 3])
}

/// Mean of `|x - clamp(x)|` for a range of -1…1, over all elements.
func excess(_ x: Tensor) -> Tensor { (x - x.clamped(-1, 1)).abs().mean() }
