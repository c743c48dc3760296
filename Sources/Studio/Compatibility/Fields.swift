import Foundation
import HTTPTypes
import Imaging
import Library
import Painting

/// JSON fields, or those of a form, as foreign APIs have them: what is not known is left aside and noted.
///
/// A number is in its range when it is given out, so that nobody computes with one that is not.
struct Fields {
  /// How values are taken.
  enum Manner {
    /// As OpenAI documents them; forms have texts only, so that a text may be a number or a truth.
    case exact
    /// As pydantic reads them for AUTOMATIC1111: truths from many words, numbers from truths, texts from
    /// numbers.
    case lenient
  }

  private var values: [String: JSONValue]
  private var read: Set<String> = []
  private let manner: Manner

  /// - Throws: `Problem` unless the data are a JSON object.
  init(_ data: Data, _ manner: Manner = .exact) throws {
    guard case .object(let fields) = try JSONValue(body: data) else {
      throw Problem(.unprocessableContent, "The body must be a JSON object.")
    }
    self.init(fields, manner)
  }

  init(_ values: [String: JSONValue], _ manner: Manner = .exact) {
    self.values = values.filter { $0.value != .null }
    self.manner = manner
  }

  /// Names that nobody asked for.
  var ignored: [String] { values.keys.filter { !read.contains($0) }.sorted() }
  /// All of them.
  var all: [String: JSONValue] { values }

  mutating func set(_ name: String, _ value: JSONValue) { values[name] = value }

  mutating func value(_ name: String) -> JSONValue? {
    read.insert(name)
    return values[name]
  }

  mutating func text(_ name: String) throws -> String? {
    switch value(name) {
    case nil: return nil
    case .string(let text): return text
    case .integer(let number) where manner == .lenient: return "\(number)"
    case .number(let number) where manner == .lenient: return "\(number)"
    default: throw RequestError.badValue(field: name, reason: "must be a text")
    }
  }

  mutating func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = value(name) else { return nil }
    var number = value
    switch value {
    // Beyond this, not every whole number is one of these.
    case .number(let given) where abs(given) <= 0x1p53:
      if given == given.rounded() || manner == .lenient { number = .integer(Int(given)) }
    case .string(let text): if let given = Int(text) { number = .integer(given) }
    case .bool(let truth) where manner == .lenient: number = .integer(truth ? 1 : 0)
    default: break
    }
    guard case .integer(let result) = try ParameterKind.integer(range).check(number, of: name)
    else { return nil }
    return result
  }

  mutating func number(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
    guard let value = value(name) else { return nil }
    var number = value
    switch value {
    case .string(let text):
      // Not `nan`, `inf` or hexadecimal, which Swift would read as well.
      let isPlain = text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
      if isPlain, let given = Double(text) { number = .number(given) }
    case .bool(let truth) where manner == .lenient: number = .integer(truth ? 1 : 0)
    default: break
    }
    guard case .number(let result) = try ParameterKind.number(range).check(number, of: name)
    else { return nil }
    return result
  }

  private static let truths: [String: Bool] = [
    "true": true, "t": true, "yes": true, "y": true, "on": true, "1": true,
    "false": false, "f": false, "no": false, "n": false, "off": false, "0": false,
  ]

  mutating func truth(_ name: String) throws -> Bool? {
    switch value(name) {
    case nil: return nil
    case .bool(let truth): return truth
    case .string(let word):
      if let truth = Self.truths[word.lowercased()] { return truth }
    case .integer(let number) where manner == .lenient && (0...1).contains(number):
      return number == 1
    case .number(let number) where manner == .lenient && (number == 0 || number == 1):
      return number == 1
    default: break
    }
    throw RequestError.badValue(field: name, reason: "must be true or false")
  }

  mutating func texts(_ name: String) throws -> [String] {
    switch value(name) {
    case nil: return []
    case .array(let values):
      return try values.map { value in
        switch value {
        case .string(let text): return text
        case .integer(let number) where manner == .lenient: return "\(number)"
        default: throw RequestError.badValue(field: name, reason: "must be a list of texts")
        }
      }
    default: throw RequestError.badValue(field: name, reason: "must be a list of texts")
    }
  }

  mutating func object(_ name: String) throws -> [String: JSONValue] {
    switch value(name) {
    case nil: return [:]
    case .object(let fields): return fields
    default: throw RequestError.badValue(field: name, reason: "must be an object")
    }
  }
}

extension JSONValue {
  /// Whether it says nothing: null, false, zero, an empty text, list or object, or `None`.
  var isIdle: Bool {
    switch self {
    case .null, .bool(false), .integer(0), .string(""), .string("None"), .string("none"): true
    case .number(let number): number == 0
    case .array(let values): values.allSatisfy(\.isIdle)
    case .object(let fields): fields.isEmpty
    default: false
    }
  }
}

/// Lets errors name fields as the client calls them.
/// - Parameter names: the client's names of a request's fields.
func naming<Value>(_ names: [String: String], _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as RequestError {
    guard let field = error.field, let name = names[String(field.prefix { $0 != "." })] else {
      throw error
    }
    switch error {
    case .badValue(_, let reason): throw RequestError.badValue(field: name, reason: reason)
    case .notOfMethod(_, let method, let methods):
      throw RequestError.notOfMethod(field: name, method: method, methods: methods)
    default: throw Problem(.unprocessableContent, "\(error)", field: name)
    }
  } catch let error as StoreError {
    throw Problem(.unprocessableContent, "\(error)", field: names["model"] ?? "model")
  } catch let error as PresetError {
    throw Problem(.unprocessableContent, "\(error)", field: names["presets"] ?? "presets")
  }
}

/// A picture's bytes as base64 or data URL. Nothing is fetched from anywhere.
/// - Parameter field: what errors name.
func pictureData(_ text: String?, field: String) throws -> Data {
  guard let text = text?.trimmingCharacters(in: .whitespacesAndNewlines), !text.isEmpty else {
    throw RequestError.badValue(field: field, reason: "must be a picture as base64")
  }
  guard !text.hasPrefix("http:"), !text.hasPrefix("https:") else {
    throw RequestError.badValue(
      field: field, reason: "must be the picture itself: nothing is fetched for a client")
  }
  let plain = text.hasPrefix("data:") ? text.drop { $0 != "," }.dropFirst() : Substring(text)
  guard let data = Data(base64Encoded: String(plain), options: .ignoreUnknownCharacters) else {
    throw RequestError.badValue(field: field, reason: "is not base64")
  }
  return data
}

extension Inputs {
  /// Keeps a client's picture; errors name its field.
  func keep(_ data: Data, field: String, name: String) async throws -> FileReference {
    do {
      return try await keep(data, name: name)
    } catch let error as ImagingError {
      if case .tooLarge = error { throw error }
      throw Problem(.unprocessableContent, "\(field) cannot be read: \(error)", field: field)
    }
  }
}
