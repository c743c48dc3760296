import Painting

@testable import Studio

/// What of a value does not fit a schema (JSON Schema, draft 2020-12), as far as the studio's schemas
/// go. A keyword that is not known here is told as well, so that nothing is passed over.
struct SchemaCheck {
  /// The document in which references are looked up.
  let document: JSONValue

  /// What does not fit, each with its place.
  func problems(_ value: JSONValue, _ schema: JSONValue, at place: String = "$") -> [String] {
    guard case .object(let keywords) = schema else { return ["\(place): the schema is no object"] }
    return keywords.keys.sorted().flatMap { keyword -> [String] in
      guard let rule = keywords[keyword] else { return [] }
      return problems(value, keyword, rule, keywords, place)
    }
  }

  private func problems(
    _ value: JSONValue, _ keyword: String, _ rule: JSONValue, _ schema: [String: JSONValue],
    _ place: String
  ) -> [String] {
    func unless(_ fits: Bool) -> [String] {
      fits ? [] : ["\(place): \(value.json.prefix(80)) does not fit \(keyword) \(rule.json)"]
    }
    switch keyword {
    case "description", "default": return []
    case "$ref":
      guard let target = resolved(rule.text) else { return ["\(place): \(rule.text) is nowhere"] }
      return problems(value, target, at: place)
    case "type":
      let types: [JSONValue] = if case .array(let all) = rule { all } else { [rule] }
      return unless(types.contains { isOf($0.text, value) })
    case "enum":
      guard case .array(let words) = rule else { return ["\(place): enum is no list"] }
      return unless(words.contains(value))
    case "const": return unless(value == rule)
    case "anyOf":
      guard case .array(let schemas) = rule else { return ["\(place): anyOf is no list"] }
      let found = schemas.map { problems(value, $0, at: place) }
      return found.contains([]) ? [] : found.flatMap(\.self)
    case "minimum": return unless(value.number.map { $0 >= rule.number ?? .nan } ?? true)
    case "maximum": return unless(value.number.map { $0 <= rule.number ?? .nan } ?? true)
    case "minLength", "maxLength":
      guard case .string(let text) = value, let limit = rule.number else { return [] }
      let length = Double(text.unicodeScalars.count)
      return unless(keyword == "minLength" ? length >= limit : length <= limit)
    case "pattern":
      guard case .string(let text) = value else { return [] }
      guard let pattern = try? Regex(rule.text) else { return ["\(place): a bad pattern"] }
      return unless(text.contains(pattern))
    case "items":
      guard case .array(let values) = value else { return [] }
      return values.enumerated().flatMap { problems($1, rule, at: "\(place)[\($0)]") }
    case "maxItems":
      guard case .array(let values) = value, let most = rule.number else { return [] }
      return unless(Double(values.count) <= most)
    case "properties":
      guard case .object(let fields) = value, case .object(let rules) = rule else { return [] }
      return fields.keys.sorted().flatMap { name in
        guard let field = fields[name], let rule = rules[name] else { return [String]() }
        return problems(field, rule, at: "\(place).\(name)")
      }
    case "required":
      guard case .object(let fields) = value, case .array(let names) = rule else { return [] }
      return names.filter { fields[$0.text] == nil }.map { "\(place): \($0.text) is missing" }
    case "additionalProperties":
      guard case .object(let fields) = value else { return [] }
      let known: Set<String> =
        if case .object(let rules) = schema["properties"] { Set(rules.keys) } else { [] }
      return Set(fields.keys).subtracting(known).sorted().flatMap { name -> [String] in
        switch rule {
        case .bool(true): return []
        case .bool(false): return ["\(place): \(name) is not in the schema"]
        default: return fields[name].map { problems($0, rule, at: "\(place).\(name)") } ?? []
        }
      }
    default: return ["\(place): \(keyword) is a keyword that is not checked"]
    }
  }

  private func resolved(_ reference: String) -> JSONValue? {
    guard reference.hasPrefix("#/") else { return nil }
    return reference.dropFirst(2).split(separator: "/").reduce(document) { $0?[String($1)] }
  }

  private func isOf(_ type: String, _ value: JSONValue) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array),
      ("object", .object), ("number", .number), ("number", .integer), ("integer", .integer):
      true
    case ("integer", .number(let number)): number == number.rounded()
    default: false
    }
  }
}

extension JSONValue {
  fileprivate var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}
