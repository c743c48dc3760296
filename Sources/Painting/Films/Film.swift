/// What moves, as a value.
public struct Film: Codable, Sendable, Hashable {
  /// All files that it names.
  var references: [FileReference] { [] }
}
