import Torch

extension ObjectiveKind {
  static let tv = ObjectiveKind(
    "tv", "little difference between neighbouring pixels",
    arguments: [
      .choice(
        "kind", TotalVariationObjective.Kind.allCases.map(\.rawValue), default: "squared",
        "mean of squared differences, or of their lengths, which keeps edges")
    ]
  ) { context in
    TotalVariationObjective(
      kind: context.choice("kind"))
  }
}

/// Little difference between neighbouring pixels. A quarter of the squared kind, as in EleutherAI's
/// codebook sampling; this weight is 16 times guided diffusion's `tv_scale`, which measures in -1…1.
struct TotalVariationObjective: Objective {
  enum Kind: String, CaseIterable {
    case squared, isotropic
  }

  let kind: Kind

  func loss(_ observation: Observation) -> Tensor? {
    switch kind {
    case .squared: squaredVariation(observation.picture).mean() / 4
    case .isotropic: isotropicVariation(observation.picture)
    }
  }
}

/// Mean of `dx² + dy²` (Mahendran & Vedaldi, "Understanding Deep Image Representations by Inverting
/// Them", 2015); the last row and column have no next one and count as flat there.
/// - Parameter x: `[B, C, H, W]`
/// - Returns: `[B]`
func squaredVariation(_ x: Tensor) -> Tensor {
  let (dx, dy) = forwardDifferences(x)
  return (dx.square() + dy.square()).mean(over: [1, 2, 3])
}

/// Mean over the pixels of `√(mean over the channels of dx² + dy²)`.
/// - Parameter x: `[B, C, H, W]`
func isotropicVariation(_ x: Tensor) -> Tensor {
  let (dx, dy) = forwardDifferences(x)
  return (dx.square() + dy.square() + 1e-8).mean(over: [1]).sqrt().mean()
}

private func forwardDifferences(_ x: Tensor) -> (Tensor, Tensor) {
  let (height, width) = (x.size(2), x.size(3))
  let wide = x.padded([0, 1, 0, 1], .replicate)  // [B, C, H + 1, W + 1]
  return (
    wide.narrowed(2, 0, height).narrowed(3, 1, width) - x,
    wide.narrowed(2, 1, height).narrowed(3, 0, width) - x
  )
}
