extension ObjectiveKind {
  /// All kinds; a new one is a file and a line here.
  public static let builtIn: [ObjectiveKind] = [
    aesthetic, contrastive, edge, gaussian, likeness, palette, range, sat, saturation, smoothness,
    start,
    style,
    symmetry, transfer, tv,
  ]
}
