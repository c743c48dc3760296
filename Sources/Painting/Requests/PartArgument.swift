/// An argument that a part of the machine takes, declared once: command line, JSON, validation and
/// help derive from it.
public struct PartArgument: Sendable {
  /// The name, `colors` for instance.
  public let name: String
  /// Which values it takes.
  public let kind: ParameterKind
  /// What stands in when it is left out.
  public let `default`: JSONValue?
  /// What it does, in one sentence, without the final stop.
  public let help: String
  /// Whether it names an installed model, on which the picture then depends.
  public var namesModel = false

  /// A number in a range.
  public static func number(
    _ name: String, _ range: ClosedRange<Double>, default: Double? = nil, _ help: String
  ) -> PartArgument {
    PartArgument(
      name: name, kind: .number(range), default: `default`.map(JSONValue.number), help: help)
  }

  /// A number in a range, or several over the steps.
  public static func schedule(
    _ name: String, _ range: ClosedRange<Double>, default: Double, _ help: String
  ) -> PartArgument {
    PartArgument(name: name, kind: .schedule(range), default: .number(`default`), help: help)
  }

  /// A whole number in a range.
  public static func integer(
    _ name: String, _ range: ClosedRange<Int>, default: Int? = nil, _ help: String
  ) -> PartArgument {
    PartArgument(
      name: name, kind: .integer(range), default: `default`.map(JSONValue.integer), help: help)
  }

  /// Numbers in a range, at most so many.
  public static func numbers(
    _ name: String, _ range: ClosedRange<Double>, most: Int, default: [Double], _ help: String
  ) -> PartArgument {
    PartArgument(
      name: name, kind: .numbers(range, most: most),
      default: .array(`default`.map(JSONValue.number)), help: help)
  }

  /// One of these words.
  public static func choice(
    _ name: String, _ words: [String], default: String? = nil, _ help: String
  ) -> PartArgument {
    PartArgument(
      name: name, kind: .choice(words), default: `default`.map(JSONValue.string), help: help)
  }

  /// Yes or no.
  public static func flag(_ name: String, default: Bool, _ help: String) -> PartArgument {
    PartArgument(name: name, kind: .flag, default: .bool(`default`), help: help)
  }

  /// A text, of at most 1,000 characters.
  public static func text(_ name: String, default: String? = nil, _ help: String) -> PartArgument {
    PartArgument(
      name: name, kind: .text(limit: 1_000), default: `default`.map(JSONValue.string), help: help)
  }

  /// An installed model, by its name.
  public static func model(_ name: String, _ help: String) -> PartArgument {
    PartArgument(
      name: name, kind: .text(limit: 1_000), default: nil, help: help, namesModel: true)
  }

  /// A file, named by its content.
  public static func file(_ name: String, _ help: String) -> PartArgument {
    PartArgument(name: name, kind: .file, default: nil, help: help)
  }
}
