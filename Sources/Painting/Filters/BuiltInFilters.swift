extension FilterKind {
  /// All kinds; a new one is a file and a line here.
  public static let builtIn: [FilterKind] = [inpaint, lookup, tiler, wallpaper]
}
