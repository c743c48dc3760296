/// A drawer whose picture consists of shapes, which can be written out as such.
public protocol VectorDrawer: Drawer {
  /// The picture to look at, as an SVG document of the size in pixels at which it is drawn.
  func svg() -> String
}
