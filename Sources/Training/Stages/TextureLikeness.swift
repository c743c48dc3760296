import Torch

/// Compares textures as style transfer does (Gatys et al. 2016): by how much there is, not by where.
/// A brush's strokes need not lie where they lay, but there must be strokes.
///
/// What is compared, cell by cell, are the energies of differences between near pixels in four
/// directions, in the logarithm: a faint texture counts as much as a strong outline near it.
enum TextureLikeness {
  /// Side of a cell in pixels: a few strokes wide.
  private static let cell = 8
  /// Down and right, where the neighbours are.
  private static let offsets = [
    (0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (2, 2), (2, -2),
  ]
  /// Contrasts of one of 256 steps are no texture.
  private static let faintest = 1e-4

  /// How unlike two pictures' textures are.
  /// - Parameters:
  ///   - x: pictures `[B, 3, H, W]` in -1…1, of at least 12 pixels a side.
  ///   - y: likewise.
  /// - Returns: the mean of the logarithms by which the energies differ.
  static func distance(_ x: Tensor, _ y: Tensor) -> Tensor {
    (energies(x) - energies(y)).abs().mean()
  }

  /// `[B, 3, H, W]` to `[B, C, H / 8, W / 8]`, C being channels times offsets.
  private static func energies(_ x: Tensor) -> Tensor {
    let x = x.to(.float32)
    let (h, w) = (x.size(2) - 4, x.size(3) - 4)
    let middle = x.narrowed(2, 2, h).narrowed(3, 2, w)
    let differences = concatenated(
      offsets.map { x.narrowed(2, 2 + $0.0, h).narrowed(3, 2 + $0.1, w) - middle }, over: 1)
    return (differences.square().averagePooled(cell) + faintest).log()
  }
}
