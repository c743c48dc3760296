import Foundation

/// A value as Python writes it down: dictionaries, lists, tuples, texts, numbers, `True`, `False`, `None`.
/// JSON is nearly all of it too.
struct PythonLiteral {
  private static let deepest = 16
  private var rest: Substring

  /// The value of a text; nil where it is none.
  static func value(of text: String) -> JSONValue? {
    var literal = PythonLiteral(rest: text[...])
    guard let value = literal.value(depth: 0) else { return nil }
    literal.skip()
    return literal.rest.isEmpty ? value : nil
  }

  /// Past blanks, line ends and remarks.
  private mutating func skip() {
    while let character = rest.first {
      if character == "#" {
        rest = rest.drop { !$0.isNewline }
      } else if character.isWhitespace {
        rest = rest.drop(while: \.isWhitespace)
      } else {
        return
      }
    }
  }

  private mutating func take(_ character: Character) -> Bool {
    skip()
    guard rest.first == character else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func value(depth: Int) -> JSONValue? {
    skip()
    guard depth < Self.deepest, let first = rest.first else { return nil }
    switch first {
    case "{": return object(depth)
    case "[", "(": return list(depth)
    case "'", "\"": return string().map(JSONValue.string)
    default: return word()
    }
  }

  private mutating func object(_ depth: Int) -> JSONValue? {
    rest.removeFirst()
    var fields: [String: JSONValue] = [:]
    while !take("}") {
      guard let key = value(depth: depth + 1), take(":"), let value = value(depth: depth + 1)
      else { return nil }
      fields[key.text] = value
      guard take(",") else { return take("}") ? .object(fields) : nil }
    }
    return .object(fields)
  }

  private mutating func list(_ depth: Int) -> JSONValue? {
    let end: Character = rest.removeFirst() == "[" ? "]" : ")"
    var values: [JSONValue] = []
    while !take(end) {
      guard let value = value(depth: depth + 1) else { return nil }
      values.append(value)
      guard take(",") else { return take(end) ? .array(values) : nil }
    }
    return .array(values)
  }

  private mutating func string() -> String? {
    let mark = rest.removeFirst()
    var text = ""
    while let character = rest.popFirst(), character != mark {
      guard character == "\\" else {
        text.append(character)
        continue
      }
      switch rest.popFirst() {
      case "n": text.append("\n")
      case "t": text.append("\t")
      case "r": text.append("\r")
      case "u":
        guard let code = UInt32(rest.prefix(4), radix: 16), let scalar = Unicode.Scalar(code)
        else { return nil }
        text.unicodeScalars.append(scalar)
        rest = rest.dropFirst(4)
      case let other?: text.append(other)
      case nil: return nil
      }
    }
    return text
  }

  private mutating func word() -> JSONValue? {
    let word = rest.prefix { $0.isLetter || $0.isNumber || "+-._".contains($0) }
    rest = rest.dropFirst(word.count)
    switch word {
    case "True", "true": return .bool(true)
    case "False", "false": return .bool(false)
    case "None", "null": return .null
    default:
      if let number = Int(word) { return .integer(number) }
      return Double(word).flatMap { $0.isFinite ? .number($0) : nil }
    }
  }
}
