import Foundation
import Yams

/// Reading training configurations: flat YAML files, best with a reason on every line.
public enum Configuration {
  /// Reads a configuration; a key that `Value` does not have is an error that names the nearest one.
  /// - Throws: `TrainingError.configuration`.
  public static func read<Value: Codable>(_ type: Value.Type, from url: URL) throws -> Value {
    try reading(url) { text in
      let value = try YAMLDecoder().decode(Value.self, from: text)
      let known = try keys(YAMLEncoder().encode(value))
      for key in try keys(text).subtracting(known).sorted() {
        let nearest = known.min { distance($0, key) < distance($1, key) } ?? ""
        throw TrainingError.configuration(
          "\(url.lastPathComponent): unknown key '\(key)'. Did you mean '\(nearest)'?")
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

  private struct Part<Network: Codable>: Codable {
    let network: Network
  }

  /// Hands on a file's text, and tells what goes wrong in words.
  private static func reading<Value>(_ url: URL, _ body: (String) throws -> Value) throws -> Value {
    let text: String
    do {
      text = try String(contentsOf: url, encoding: .utf8)
    } catch {
      throw TrainingError.configuration(
        "cannot read the configuration \(url.path): \(error.localizedDescription)")
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

  /// Levenshtein's distance.
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j + 1] + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }
}
