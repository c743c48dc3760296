import Foundation

// The command line's form of values.

extension ParameterKind {
  /// The value that a text on the command line stands for, not yet checked against the range.
  /// - Parameters:
  ///   - field: what errors name.
  ///   - attach: gives a file its reference.
  /// - Throws: `RequestError`, and what `attach` throws.
  public func value(of text: String, field: String, attach: (String) throws -> FileReference) throws
    -> JSONValue
  {
    func pieces() -> [String] {
      text == "none" || text.isEmpty
        ? []
        : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmed }
    }
    switch self {
    case .text, .choice, .method: return .string(text)
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
    case .numbers:
      return .array(
        try pieces().map { piece in
          guard let number = Double(piece) else {
            throw RequestError.badValue(
              field: field, reason: "must be numbers, not '\(piece.prefix(40))'")
          }
          return .number(number)
        })
    case .choices, .augmentations: return .array(pieces().map(JSONValue.string))
    case .file: return try attach(text).json
    case .parts(let family):
      return .array([try PartSpec(parsing: text, family, attach: attach).json])
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
  var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
