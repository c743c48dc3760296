extension ObjectiveKind {
  static let builtIn: [ObjectiveKind] = []
}

extension FilterKind {
  static let builtIn: [FilterKind] = []
}
