import Foundation

// The command line's form of values.

extension ParameterKind {
  /// The value that a text on the command line stands for, not yet checked against the range.
  /// - Parameters:
  ///   - field: what errors name.
  ///   - attach: gives a file its reference.
  /// - Throws: `RequestError`, and what `attach` throws.
  public func value(
    of text: String, field: String, in registry: Registry,
    attach: (String) throws -> FileReference
  ) throws -> JSONValue {
    func pieces() -> [String] {
      text == "none" || text.isEmpty
        ? []
        : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmed }
    }
    switch self {
    case .text, .choice, .method: return .string(text)
    case .flag: return try check(.string(text), of: field)
    case .integer:
      guard let number = Int(text.trimmed) else {
        throw RequestError.badValue(
          field: field, reason: "must be a whole number, not '\(text.prefix(40))'")
      }
      return .integer(number)
    case .number:
      guard let number = Double(text.trimmed) else {
        throw RequestError.badValue(
          field: field, reason: "must be a number, not '\(text.prefix(40))'")
      }
      return .number(number)
    case .schedule:
      guard let schedule = Schedule(text) else {
        throw RequestError.badValue(
          field: field,
          reason:
            "must be a number, or numbers over the steps as in 0.1*100,0.05*50 or 0:1,50:1.05, "
            + "not '\(text.prefix(40))'")
      }
      return schedule.json
    case .numbers:
      return .array(
        try pieces().map { piece in
          guard let number = Double(piece) else {
            throw RequestError.badValue(
              field: field, reason: "must be numbers, not '\(piece.prefix(40))'")
          }
          return .number(number)
        })
    case .seeds:
      return .array(try pieces().map { .integer(try Seed.number(of: $0, field: field)) })
    case .choices, .augmentations: return .array(pieces().map(JSONValue.string))
    case .file: return try attach(text).json
    case .parts(let family):
      return .array([try PartSpec(parsing: text, family, in: registry, attach: attach).json])
    case .prompts:
      throw RequestError.badValue(
        field: field, reason: "is given by --image-prompt, --noise-prompt and their kin")
    }
  }

  /// Whether giving it again adds to what was given before.
  public var accumulates: Bool {
    switch self {
    case .parts, .prompts: true
    default: false
    }
  }
}

extension String {
  /// Without blanks and line ends around it.
  package var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
