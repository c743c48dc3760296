/// An argument that a part of the machine takes, declared once: command line, JSON, validation and
/// help derive from it.
public struct PartArgument: Sendable {
  /// The name, `colors` for instance.
  public let name: String
  /// Which values it takes.
  public let kind: ParameterKind
  /// What stands in when it is left out.
  public let standard: JSONValue?
  /// What it does, in one sentence, without the final stop.
  public let help: String

  /// A number in a range.
  public static func number(
    _ name: String, _ range: ClosedRange<Double>, standard: Double? = nil, _ help: String
  ) -> PartArgument {
    PartArgument(
      name: name, kind: .number(range), standard: standard.map(JSONValue.number), help: help)
  }

  /// A whole number in a range.
  public static func integer(
    _ name: String, _ range: ClosedRange<Int>, standard: Int? = nil, _ help: String
  ) -> PartArgument {
    PartArgument(
      name: name, kind: .integer(range), standard: standard.map(JSONValue.integer), help: help)
  }

  /// One of these words.
  public static func choice(
    _ name: String, _ words: [String], standard: String? = nil, _ help: String
  ) -> PartArgument {
    PartArgument(
      name: name, kind: .choice(words), standard: standard.map(JSONValue.string), help: help)
  }

  /// A text, of at most 1,000 characters.
  public static func text(_ name: String, standard: String? = nil, _ help: String) -> PartArgument {
    PartArgument(
      name: name, kind: .text(limit: 1_000), standard: standard.map(JSONValue.string), help: help)
  }

  /// A file, named by its content.
  public static func file(_ name: String, _ help: String) -> PartArgument {
    PartArgument(name: name, kind: .file, standard: nil, help: help)
  }
}
