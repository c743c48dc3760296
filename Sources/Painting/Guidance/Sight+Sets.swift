import Torch

extension Sight {
  /// The sets of cutouts that there are, `[B, 3, S, S]`, one that several perceptors share counted
  /// once; the picture where no perceptor looks.
  var cutoutSets: [Tensor] {
    var sets: [Tensor] = []
    for view in views where !sets.contains(where: { $0 === view.cutouts }) {
      sets.append(view.cutouts)
    }
    return sets.isEmpty ? [picture] : sets
  }
}

extension Tensor {
  /// `[B, C, H, W]` to `[B H W, C]`: a row for every pixel.
  var pixelRows: Tensor { permuted(0, 2, 3, 1).reshaped(-1, size(1)) }

  /// A picture `[1, C, h, w]` at the size of another.
  func resampled(as other: Tensor) -> Tensor {
    let (height, width) = (other.size(2), other.size(3))
    guard size(2) != height || size(3) != width else { return self }
    return resampled(height, width, .bilinear, antialias: true)
  }
}

/// Adds losses up.
func total(_ losses: [Tensor]) -> Tensor? {
  losses.first.map { losses.dropFirst().reduce($0, +) }
}
