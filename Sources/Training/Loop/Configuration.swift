import Foundation
import Painting
import Weights
import Yams

/// Reading training configurations: flat YAML files, best with a reason on every line.
public enum Configuration {
  /// Reads a configuration; a key that `Value` does not have is an error that names the nearest one,
  /// or all where none is near.
  /// - Throws: `TrainingError.configuration`.
  public static func read<Value: Codable>(_ type: Value.Type, from url: URL) throws -> Value {
    try reading(url) { text in
      let value = try YAMLDecoder().decode(Value.self, from: text)
      let known = try keys(YAMLEncoder().encode(value))
      for key in try keys(text).subtracting(known).sorted() {
        throw TrainingError.configuration(
          "\(url.lastPathComponent): unknown key '\(key)'"
            + (nearestName(to: key, among: known.sorted()).map { ". Did you mean '\($0)'?" }
              ?? "; there are \(known.sorted().joined(separator: ", "))"))
      }
      return value
    }
  }

  /// Reads the sizes of the network alone, so that a run of an earlier version of the program still
  /// serves, whatever its training was asked.
  /// - Throws: `TrainingError.configuration`.
  static func network<Network: Codable>(_ type: Network.Type, from url: URL) throws -> Network {
    try reading(url) { try YAMLDecoder().decode(Part<Network>.self, from: $0).network }
  }

  /// The values of a configuration as JSON, by their dotted paths; a list is one value.
  static func values(_ configuration: some Encodable) throws -> [String: String] {
    try leaves(JSONValue(encoding: configuration))
  }

  /// The values of a file, as `Value` has them with its defaults; where the file is of an earlier version
  /// of the program and does not fit `Value`, as they stand there.
  /// - Throws: `TrainingError.configuration`.
  static func values<Value: Codable>(of type: Value.Type, at url: URL) throws -> [String: String] {
    if let value = try? read(type, from: url) { return try values(value) }
    return try reading(url) { try leaves(YAMLDecoder().decode(JSONValue.self, from: $0)) }
  }

  private static func leaves(_ value: JSONValue, _ path: String = "") throws -> [String: String] {
    guard case .object(let fields) = value else {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return [path: String(decoding: try encoder.encode(value), as: UTF8.self)]
    }
    return try fields.reduce(into: [:]) { found, field in
      let key = path.isEmpty ? field.key : "\(path).\(field.key)"
      try found.merge(leaves(field.value, key)) { $1 }
    }
  }

  private struct Part<Network: Codable>: Codable {
    let network: Network
  }

  /// Hands on a file's text, and tells what goes wrong in words.
  private static func reading<Value>(_ url: URL, _ body: (String) throws -> Value) throws -> Value {
    let text: String
    do {
      text = try RegularFile.text(at: url)
    } catch {
      throw TrainingError.configuration("The configuration cannot be read: \(error)")
    }
    do {
      return try body(text)
    } catch let error as TrainingError {
      throw error
    } catch let DecodingError.keyNotFound(key, _) {
      throw TrainingError.configuration("\(url.lastPathComponent): '\(key.stringValue)' is missing")
    } catch let DecodingError.typeMismatch(_, context) {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw TrainingError.configuration(
        "\(url.lastPathComponent): '\(path)' is of the wrong type: \(context.debugDescription)")
    } catch {
      throw TrainingError.configuration("\(url.lastPathComponent): \(error)")
    }
  }

  /// All keys of a YAML text as dotted paths.
  private static func keys(_ text: String) throws -> Set<String> {
    func walk(_ node: Node, _ path: String) -> Set<String> {
      guard case .mapping(let mapping) = node else { return [] }
      return mapping.reduce(into: []) { found, pair in
        let key = (path.isEmpty ? "" : path + ".") + (pair.key.string ?? "?")
        found.insert(key)
        found.formUnion(walk(pair.value, key))
      }
    }
    return try Yams.compose(yaml: text).map { walk($0, "") } ?? []
  }
}
