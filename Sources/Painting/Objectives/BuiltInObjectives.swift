extension ObjectiveKind {
  /// All kinds that need no network of their own; a new one is a file and a line here.
  public static let builtIn: [ObjectiveKind] = [
    edge, gaussian, palette, range, sat, saturation, smoothness, start, symmetry, tv,
  ]
}
