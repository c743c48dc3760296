/// A part of the machine by name, with its weight and arguments, as the command line writes it:
///
/// ```
/// palette:0.5,colors=[red,#0044ff],steps=8
/// ```
///
/// and as JSON: `{"name": "palette", "weight": 0.5, "colors": "[red,#0044ff]", "steps": 8}`.
public struct PartSpec: Sendable, Hashable {
  /// What kind of part it is.
  public enum Family: String, Sendable, Hashable {
    case objective, filter
  }

  /// Which part.
  public var name: String
  /// How much it counts; nil is one.
  public var weight: Double?
  /// Its arguments by name.
  public var arguments: [String: JSONValue]

  /// A part; see the fields.
  public init(_ name: String, weight: Double? = nil, _ arguments: [String: JSONValue] = [:]) {
    self.name = name
    self.weight = weight
    self.arguments = arguments
  }

  /// Reads the command line's form. Commas inside brackets do not end an argument.
  /// - Parameter attach: gives a file on the command line its reference.
  /// - Throws: `RequestError`, and what `attach` throws.
  public init(
    parsing text: String, _ family: Family, in registry: Registry,
    attach: (String) throws -> FileReference
  ) throws {
    let pieces = Self.split(text)
    let head = pieces[0].split(separator: ":", omittingEmptySubsequences: false)
    let name = String(head[0]).trimmed
    let declared = try registry.arguments(of: name, family)
    var weight: Double?
    if head.count > 1 {
      guard head.count == 2, let number = Double(head[1]), number.isFinite else {
        throw RequestError.badValue(
          field: name, reason: "must have one number after the colon, not '\(head[1].prefix(40))'")
      }
      weight = number
    }
    var arguments: [String: JSONValue] = [:]
    for piece in pieces.dropFirst() {
      guard let equals = piece.firstIndex(of: "=") else {
        throw RequestError.badValue(
          field: name, reason: "takes arguments as NAME=VALUE, not '\(piece.prefix(40))'")
      }
      let key = String(piece[..<equals]).trimmed
      let argument = try Self.argument(key, of: name, declared)
      arguments[key] = try argument.kind.value(
        of: String(piece[piece.index(after: equals)...]), field: "\(name).\(key)", in: registry,
        attach: attach)
    }
    self.init(name, weight: weight, arguments)
    self = try PartSpec(json: json, family, in: registry)
  }

  /// Reads the JSON form and checks it.
  /// - Parameter registry: knows the parts and their arguments; nil leaves these for later.
  /// - Throws: `RequestError`.
  init(json: JSONValue, _ family: Family, in registry: Registry?) throws(RequestError) {
    guard case .object(let fields) = json, case .string(let name) = fields["name"] else {
      throw .badValue(field: "\(family.rawValue)s", reason: "must be objects with a 'name'")
    }
    var weight: Double?
    if let value = fields["weight"] {
      let checked = try ParameterKind.number(-1_000_000...1_000_000).check(
        value, of: "\(name).weight")
      if case .number(let number) = checked { weight = number }
    }
    var arguments = fields.filter { $0.key != "name" && $0.key != "weight" }
    guard let registry else {
      self.init(name, weight: weight, arguments)
      return
    }
    let declared = try registry.arguments(of: name, family)
    for (key, value) in arguments.sorted(by: { $0.key < $1.key }) {
      let argument = try Self.argument(key, of: name, declared)
      arguments[key] = try argument.kind.check(value, of: "\(name).\(key)")
    }
    self.init(name, weight: weight, arguments)
  }

  /// The JSON form.
  var json: JSONValue {
    var fields = arguments
    fields["name"] = .string(name)
    if let weight { fields["weight"] = .number(weight) }
    return .object(fields)
  }

  private static func argument(_ key: String, of name: String, _ declared: [PartArgument])
    throws(RequestError) -> PartArgument
  {
    if let found = declared.first(where: { $0.name == key }) { return found }
    let names = declared.map(\.name)
    throw .badValue(
      field: name,
      reason: "has no argument '\(key.prefix(40))'"
        + (names.isEmpty ? "; it takes none" : "; it takes " + names.joined(separator: ", ")))
  }

  /// The pieces between commas that stand in no brackets.
  static func split(_ text: String) -> [String] {
    var pieces = [""]
    var depth = 0
    for character in text {
      if "[(".contains(character) { depth += 1 }
      if "])".contains(character) { depth = max(0, depth - 1) }
      if character == ",", depth == 0 {
        pieces.append("")
      } else {
        pieces[pieces.count - 1].append(character)
      }
    }
    return pieces
  }
}

extension [PartArgument] {
  /// The arguments given, and the defaults of those that were not.
  func filled(_ given: [String: JSONValue]) -> [String: JSONValue] {
    reduce(into: given) { values, argument in
      if values[argument.name] == nil { values[argument.name] = argument.default }
    }
  }
}
