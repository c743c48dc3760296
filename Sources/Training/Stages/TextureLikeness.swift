import Torch

/// Compares textures as style transfer does (Gatys et al. 2016): by what occurs together, not by where.
/// A brush's strokes need not lie where they lay, but there must be strokes.
///
/// What is compared are the covariances of differences between near pixels, tile by tile. Each tile
/// counts relative to its own contrast, so that a faint texture beside a strong outline counts as well.
enum TextureLikeness {
  /// Side of a tile in pixels.
  private static let tile = 32
  /// Down and right, where the neighbours are.
  private static let offsets = [
    (0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (2, 2), (2, -2),
  ]
  /// Contrasts of one or two of 256 steps are no texture.
  private static let faintest = 1e-5

  /// How unlike two pictures' textures are.
  /// - Parameters:
  ///   - x: pictures `[B, 3, H, W]` in -1…1.
  ///   - y: likewise.
  /// - Returns: from 0 to 1, where one of both has a texture and the other none.
  static func distance(_ x: Tensor, _ y: Tensor) -> Tensor {
    let (a, b) = (covariances(x), covariances(y))
    func energy(_ z: Tensor) -> Tensor { z.square().sum(over: [1, 2]) }  // [B tiles]
    return (energy(a - b) / (energy(a) + energy(b) + faintest)).mean()
  }

  /// `[B, 3, H, W]` to `[B tiles, C, C]`, C being channels times offsets.
  private static func covariances(_ x: Tensor) -> Tensor {
    let (h, w) = (x.size(2) - 4, x.size(3) - 4)
    let middle = x.narrowed(2, 2, h).narrowed(3, 2, w)
    let differences = concatenated(
      offsets.map { x.narrowed(2, 2 + $0.0, h).narrowed(3, 2 + $0.1, w) - middle }, over: 1)
    let (rows, columns) = (max(1, x.size(2) / tile), max(1, x.size(3) / tile))
    let (th, tw) = (h / rows, w / columns)
    let c = differences.size(1)
    let inTiles = differences.narrowed(2, 0, rows * th).narrowed(3, 0, columns * tw)
      .reshaped(-1, c, rows, th, columns, tw).permuted(0, 2, 4, 1, 3, 5)
      .reshaped(-1, c, th * tw)
    return inTiles.matmul(inTiles.transposed()) / Double(th * tw)
  }
}
