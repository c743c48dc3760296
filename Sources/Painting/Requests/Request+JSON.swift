import Foundation

extension Request: Codable {
  /// Reads a JSON object with the fields' names. `schema` and all but `prompt` may be left out. Keys that
  /// no parameter has are taken for the method's arguments, which `validate` looks at.
  /// - Throws: `RequestError` naming the field.
  public init(from decoder: any Decoder) throws {
    let value: [String: JSONValue]
    do {
      value = try decoder.singleValueContainer().decode([String: JSONValue].self)
    } catch {
      throw RequestError.notARequest("it is not a JSON object")
    }
    try self.init(fields: value)
  }

  /// As `init(from:)`, from fields.
  init(fields: [String: JSONValue]) throws(RequestError) {
    guard let prompt = fields["prompt"] else {
      throw .notARequest("it has no 'prompt'")
    }
    guard case .string(let text) = prompt else {
      throw .badValue(field: "prompt", reason: "must be a text")
    }
    self.init(text)
    if let schema = fields["schema"] {
      guard case .integer(let number) = schema, number >= 1 else {
        throw .badValue(field: "schema", reason: "must be a whole number")
      }
      guard number <= Self.schema else {
        throw .notARequest(
          "it is of version \(number), which is newer than this program; get a newer Reverie")
      }
    }
    for (key, value) in fields.sorted(by: { $0.key < $1.key })
    where key != "prompt" && key != "schema" {
      try set(key, value)
    }
  }

  /// Reads a request from a JSON text.
  /// - Throws: `RequestError`.
  public init(json data: Data) throws {
    do {
      self = try JSONDecoder().decode(Request.self, from: data)
    } catch let error as RequestError {
      throw error
    } catch {
      throw RequestError.notARequest("it is not valid JSON")
    }
  }

  /// The fields that are not open, with `prompt` and `schema`.
  public var fields: [String: JSONValue] {
    var fields: [String: JSONValue] = ["schema": .integer(Self.schema), "prompt": .string(prompt)]
    for parameter in Self.parameters { fields[parameter.name] = parameter.get(self) }
    fields.merge(arguments) { declared, _ in declared }
    return fields
  }

  /// Writes `fields`.
  public func encode(to encoder: any Encoder) throws { try fields.encode(to: encoder) }
}

/// The most similar of `names`, if any is similar at all.
public func nearestName(to name: String, among names: [String]) -> String? {
  let typed = Array(name.lowercased().prefix(64))
  let measured = names.map { ($0, editDistance(typed, Array($0.lowercased()))) }
  guard let best = measured.min(by: { $0.1 < $1.1 }) else { return nil }
  return best.1 <= max(2, best.0.count / 3) ? best.0 : nil
}

/// Insertions, deletions and replacements from one text to the other (Levenshtein 1966).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var previous = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, previous + (x == y ? 0 : 1))
      previous = above
    }
  }
  return row[b.count]
}
