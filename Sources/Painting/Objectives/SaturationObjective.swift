import Torch

extension ObjectiveKind {
  static let saturation = ObjectiveKind("saturation", "strong colours") { _ in
    SaturationObjective()
  }
}

/// Strong colours: a tenth of the cutouts' colourfulness, as a gain (pixray's `saturation`).
struct SaturationObjective: Objective {
  func loss(_ observation: Observation) -> Tensor? {
    total(observation.cutoutSets.map { colourfulness($0) / -10 })
  }
}

/// How colourful pictures are (Hasler & Süsstrunk, "Measuring Colourfulness in Natural Images", 2003),
/// all of them taken together:
///
/// ```
/// √(σ²(R - G) + σ²((R + G) / 2 - B)) + 0.3 √(μ²(R - G) + μ²((R + G) / 2 - B))
/// ```
/// - Parameter x: `[B, 3, H, W]`
func colourfulness(_ x: Tensor) -> Tensor {
  let (red, green, blue) = (x.select(1, 0), x.select(1, 1), x.select(1, 2))
  var variance = Tensor(0).to(x.device)
  var meanSquared = Tensor(0).to(x.device)
  for opponent in [red - green, (red + green) / 2 - blue] {
    let mean = opponent.mean()
    variance = variance + (opponent - mean).square().sum() / Double(max(1, opponent.count - 1))
    meanSquared = meanSquared + mean.square()
  }
  // A grey picture has neither; the root's slope there is infinite.
  return (variance + 1e-12).sqrt() + (meanSquared + 1e-12).sqrt() * 0.3
}
