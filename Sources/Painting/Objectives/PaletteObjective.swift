import Torch

extension ObjectiveKind {
  static let palette = ObjectiveKind(
    "palette", "only colours of a palette",
    arguments: [
      .text(
        "colors", "the palette, as in [red,#0044ff] (sixteen colours of pixel art if left out)"),
      .file("file", "a picture or an Adobe table whose colours are meant; @file in colors"),
    ]
  ) { context in
    PaletteObjective(
      colors: try context.palette("colors") ?? LookupFilter.defaultColors.to(context.device))
  }
}

/// Only colours of a palette: the mean distance of a pixel to the nearest of them, times a tenth of the
/// number of cutouts (pixray's `palette`).
struct PaletteObjective: Objective {
  /// `[K, 3]` in 0…1.
  let colors: Tensor

  func loss(_ observation: Observation) -> Tensor? { total(observation.cutoutSets.map(loss)) }

  /// Of cutouts `[B, 3, S, S]`.
  func loss(_ cutouts: Tensor) -> Tensor {
    let pixels = cutouts.pixelRows  // [B S S, 3]
    let distances = (pixels - nearestColors(to: pixels, among: colors)).norm(over: 1)
    return distances.mean() * (Double(cutouts.size(0)) / 10)
  }
}
