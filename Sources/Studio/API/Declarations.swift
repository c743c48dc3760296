import Foundation
import Painting

/// What requests can say, as a form or a program needs it: all of it from the declarations that the
/// command line has its options from.
struct Declarations {
  let admission: JobFactory

  init(_ admission: JobFactory) { self.admission = admission }

  /// Methods with their arguments, parameters with what stands in for them, objectives and filters.
  func value() throws -> JSONValue {
    .object([
      "schema": .integer(Painting.Request.schema),
      "prompt": .object(["limit": .integer(Prompt.longest)]),
      "groups": .array(
        ParameterDeclaration.Group.allCases.map { .string($0.rawValue) }),
      "methods": .array([automatic] + admission.registry.methods.map(method)),
      "parameters": .array(try Painting.Request.parameters.map(parameter)),
      "objectives": .array(
        admission.registry.objectives.map { part($0.name, $0.help, $0.arguments) }),
      "filters": .array(admission.registry.filters.map { part($0.name, $0.help, $0.arguments) }),
      "films": .array(Film.Kind.allCases.map(film)),
    ])
  }

  private var automatic: JSONValue {
    .object([
      "name": .string(Method.ID.auto.rawValue), "title": .string("Automatic"),
      "help": .string("Whichever makes the best picture with the networks at hand"),
      "available": .bool(true), "films": .array([]), "models": .array([]), "arguments": .array([]),
    ])
  }

  private func method(_ method: Method) -> JSONValue {
    .object([
      "name": .string(method.id.rawValue), "title": .string(method.title),
      "help": .string(method.help), "available": .bool(admission.resolver.isAvailable(method)),
      "films": .array(method.films.map(\.rawValue).sorted().map(JSONValue.string)),
      "models": .array(admission.resolver.installed(for: method).map(JSONValue.string)),
      "arguments": .array(
        method.arguments.map {
          argument($0, default: (try? admission.resolver.default($0.name, of: method)) ?? nil)
        }),
    ])
  }

  private func parameter(_ parameter: ParameterDeclaration) throws -> JSONValue {
    let takers = admission.registry.methods.filter { $0.takes(parameter) }
    var defaults: [String: JSONValue] = [:]
    for method in takers {
      defaults[method.id.rawValue] = try? admission.resolver.default(parameter.name, of: method)
    }
    return .object([
      "name": .string(parameter.name), "flag": .string("--" + parameter.flag),
      "group": .string(parameter.group.rawValue), "help": .string(parameter.help + "."),
      "note": JSONValue(parameter.kind.note()),
      "kind": .string(parameter.kind.word(of: parameter.name)),
      "words": .array(parameter.kind.words.map(JSONValue.string)),
      "schema": parameter.kind.schema(admission.registry), "default": parameter.default ?? .null,
      "methods": .array(takers.map { .string($0.id.rawValue) }),
      "defaults": .object(defaults),
    ])
  }

  private func part(_ name: String, _ help: String, _ arguments: [PartArgument]) -> JSONValue {
    .object([
      "name": .string(name), "help": .string(help + "."),
      "arguments": .array(arguments.map { argument($0, default: $0.default) }),
    ])
  }

  private func film(_ kind: Film.Kind) -> JSONValue {
    .object([
      "name": .string(kind.rawValue), "help": .string(kind.help + "."),
      "arguments": .array(
        Film.parameters.filter { $0.films.contains(kind) }.map { parameter in
          let values = Film.limited(parameter)
          return .object([
            "name": .string(parameter.name), "help": .string(parameter.help + "."),
            "note": JSONValue(values.note()), "kind": .string(values.word(of: parameter.name)),
            "words": .array([]), "schema": values.schema(admission.registry),
            "default": parameter.default(of: kind) ?? .null,
          ])
        }),
    ])
  }

  private func argument(_ argument: PartArgument, default value: JSONValue?) -> JSONValue {
    .object([
      "name": .string(argument.name), "help": .string(argument.help + "."),
      "note": JSONValue(argument.kind.note()),
      "kind": .string(argument.namesModel ? "model" : argument.kind.word(of: argument.name)),
      "words": .array(argument.kind.words.map(JSONValue.string)),
      "schema": argument.kind.schema(admission.registry), "default": value ?? .null,
    ])
  }
}

extension ParameterKind {
  /// The kind in one word, by which a form chooses its control.
  /// - Parameter name: of what has such values; colours, CLIPs and models are texts that are known by it.
  func word(of name: String) -> String {
    switch self {
    case .text:
      ["color": "color", "colors": "palette", "clip": "clip", "model": "model"][name] ?? "text"
    case .integer: "integer"
    case .number: "number"
    case .numbers: "numbers"
    case .seeds: "seeds"
    case .choice: "choice"
    case .flag: "flag"
    case .schedule: "schedule"
    case .method: "method"
    case .choices: "choices"
    case .augmentations: "augmentations"
    case .file: "file"
    case .parts: "parts"
    case .prompts: "prompts"
    }
  }

  /// Words that may stand in a value which its schema does not name.
  var words: [String] { self == .augmentations ? Augmentation.words : [] }

  /// The JSON Schema (draft 2020-12) of its values.
  func schema(_ registry: Registry) -> JSONValue {
    switch self {
    case .text(let limit): .text(limit: limit, least: 1)
    case .integer(let range):
      .object([
        "type": .string("integer"), "minimum": .integer(range.lowerBound),
        "maximum": .integer(range.upperBound),
      ])
    case .number(let range):
      .object([
        "type": .string("number"), "minimum": .number(range.lowerBound),
        "maximum": .number(range.upperBound),
      ])
    case .numbers(let range, let most):
      .list(of: Self.number(range).schema(registry), most: most)
    case .seeds(let most): .list(of: Self.integer(Seed.range).schema(registry), most: most)
    case .choice(let words): .words(words)
    case .method: .words(registry.methodNames)
    case .flag: .boolean
    case .schedule(let range):
      .object([
        "anyOf": .array([Self.number(range).schema(registry), .text(limit: 1_000, least: 1)])
      ])
    case .choices(let words): .list(of: .words(words))
    case .augmentations: .list(of: .text(limit: 60, least: 1))
    case .file: .reference("File")
    case .parts: .list(of: .reference("Part"), most: 16)
    case .prompts: .list(of: .reference("Prompt"), most: Prompt.most)
    }
  }
}

// MARK: - Schemas

extension JSONValue {
  /// A text.
  static func text(limit: Int, least: Int = 0) -> JSONValue {
    var fields: [String: JSONValue] = ["type": .string("string"), "maxLength": .integer(limit)]
    if least > 0 { fields["minLength"] = .integer(least) }
    return .object(fields)
  }

  /// True or false.
  static var boolean: JSONValue { .object(["type": .string("boolean")]) }

  /// One of these words.
  static func words(_ words: [String]) -> JSONValue {
    .object(["type": .string("string"), "enum": .array(words.map(JSONValue.string))])
  }

  /// A list.
  static func list(of items: JSONValue, most: Int? = nil) -> JSONValue {
    var fields: [String: JSONValue] = ["type": .string("array"), "items": items]
    if let most { fields["maxItems"] = .integer(most) }
    return .object(fields)
  }

  /// A schema of the document, by name.
  static func reference(_ name: String) -> JSONValue {
    .object(["$ref": .string("#/components/schemas/\(name)")])
  }

  /// An object of these fields.
  static func record(
    of fields: [String: JSONValue], required: [String] = [], isOpen: Bool = false
  ) -> JSONValue {
    .object([
      "type": .string("object"), "properties": .object(fields),
      "required": .array(required.sorted().map(JSONValue.string)),
      "additionalProperties": .bool(isOpen),
    ])
  }

  /// A schema, or null.
  static func optional(_ schema: JSONValue) -> JSONValue {
    .object(["anyOf": .array([schema, .object(["type": .string("null")])])])
  }

  /// A value of a simple type.
  static func plain(_ name: String) -> JSONValue { .object(["type": .string(name)]) }
}
