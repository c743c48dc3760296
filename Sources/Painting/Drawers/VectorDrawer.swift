import Torch

/// A drawer whose picture consists of shapes, which can be written out as such.
public protocol VectorDrawer: Drawer {
  /// The picture to look at, as an SVG document of the size in pixels at which it is drawn.
  func svg() -> String
  /// The picture to look at with its transparency, straight alpha in the fourth channel,
  /// `[1, 4, H, W]`; nil when its shapes are opaque or lie on a paper.
  func transparentPicture() -> Tensor?
}

extension VectorDrawer {
  /// None.
  public func transparentPicture() -> Tensor? { nil }
}
