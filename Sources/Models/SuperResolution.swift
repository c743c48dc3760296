import Torch

/// A network that makes pictures larger by a whole number.
public protocol SuperResolution: Network {
  /// How many times larger each side becomes.
  var scale: Int { get }
  /// Pixels along each axis that are folded into channels; height and width are multiples of it.
  var folding: Int { get }
  /// Enlarges pictures.
  /// - Parameter pictures: `[B, 3, H, W]` in 0…1, sizes multiples of the folding.
  /// - Returns: `[B, 3, scale H, scale W]`, 0…1 or a little outside, float32
  func callAsFunction(_ pictures: Tensor) -> Tensor
}
