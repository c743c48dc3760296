import Foundation
import HTTPTypes
import Painting

/// The OpenAPI 3.1 document: paths from the operations that the routes have, the request's schema from
/// the declarations that the command line has.
struct OpenAPI {
  let operations: [Operation]
  /// What requests may name.
  let registry: Registry

  var document: JSONValue {
    var paths: [String: [String: JSONValue]] = [:]
    for operation in operations {
      paths[operation.path, default: [:]][operation.method.rawValue.lowercased()] =
        value(of: operation)
    }
    return .object([
      "openapi": .string("3.1.0"),
      "info": .object([
        "title": .string("Reverie's studio"), "version": .string(Program.version),
        "description": .string(
          "Turns texts into pictures on this machine. Errors are RFC 9457 problems that name the "
            + "field."), "license": .object(["name": .string("Apache-2.0")]),
      ]),
      "servers": .array([.object(["url": .string("/")])]),
      "paths": .object(paths.mapValues(JSONValue.object)),
      "components": .object([
        "schemas": .object(Self.schemas(registry)),
        "securitySchemes": .object([
          "token": .object(["type": .string("http"), "scheme": .string("bearer")])
        ]),
      ]),
      // The token is wanted only where the studio is open to a network.
      "security": .array([.object([:]), .object(["token": .array([])])]),
    ])
  }

  private func value(of operation: Operation) -> JSONValue {
    var fields: [String: JSONValue] = [
      "operationId": .string(operation.id), "summary": .string(operation.summary),
      "responses": .object(responses(of: operation)),
    ]
    if !operation.parameters.isEmpty {
      fields["parameters"] = .array(
        operation.parameters.map { parameter in
          .object([
            "name": .string(parameter.name),
            "in": .string(parameter.isInPath ? "path" : parameter.isHeader ? "header" : "query"),
            "required": .bool(parameter.isInPath), "description": .string(parameter.help + "."),
            "schema": parameter.schema,
          ])
        })
    }
    if let body = operation.body {
      let content = operation.bodyTypes.map { type in
        (type, JSONValue.object(type == "application/json" ? ["schema": .reference(body)] : [:]))
      }
      fields["requestBody"] = .object([
        "required": .bool(!operation.isBodyOptional),
        "content": .object(Dictionary(uniqueKeysWithValues: content)),
      ])
    }
    return .object(fields)
  }

  private func responses(of operation: Operation) -> [String: JSONValue] {
    var answers = operation.answers
    var general: [Operation.Answer] = [
      .problem(401, "The token is missing"), .problem(403, "Another site may not"),
      .problem(421, "The studio does not go by this name"),
    ]
    if operation.body != nil {
      general += [
        .problem(400, "The body cannot be read"), .problem(413, "The body is too large"),
        .problem(415, "The body is of another type"),
      ]
    }
    answers += general.filter { extra in !answers.contains { $0.status == extra.status } }
    return answers.reduce(into: [:]) { responses, answer in
      var fields: [String: JSONValue] = ["description": .string(answer.help + ".")]
      if let type = answer.type {
        let schema = answer.schema.map { ["schema": JSONValue.reference($0)] } ?? [:]
        fields["content"] = .object([type: .object(schema)])
      }
      responses["\(answer.status)"] = .object(fields)
    }
  }

  // MARK: Schemas

  /// What operations take, by the name of its schema. What it has not, no operation reads.
  enum Body: String, CaseIterable {
    case newJob = "NewJob"
    case enlargement = "Enlargement"
    case cancellation = "Cancellation"
    case move = "Move"
    case pictureChange = "PictureChange"
    case newCollection = "NewCollection"
    case pictureChanges = "PictureChanges"
    case pictureList = "PictureList"

    private var properties: [String: JSONValue] {
      func count(_ range: ClosedRange<Int>) -> JSONValue {
        .object([
          "type": .array([.string("integer"), .string("null")]),
          "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
        ])
      }
      switch self {
      case .newJob:
        return [
          "request": .reference("Request"), "count": count(1...64),
          "presets": .optional(.list(of: .text(limit: 100, least: 1), most: 16)),
          "parent": .optional(.text(limit: 32)), "film": .optional(.reference("NewFilm")),
          "strength": .optional(ParameterKind.number(0...1).schema(.builtIn)),
        ]
      case .enlargement: return ["scale": count(2...4)]
      case .cancellation: return ["keep": .optional(.boolean)]
      case .move: return ["before": .optional(.text(limit: 32))]
      case .pictureChange: return ["favourite": .boolean]
      case .newCollection: return ["name": .text(limit: 80, least: 1)]
      case .pictureChanges:
        return [
          "pictures": .list(of: .text(limit: 32, least: 1), most: 1_000),
          "change": .words(GalleryOperations.Change.allCases.map(\.rawValue)),
        ]
      case .pictureList: return ["pictures": .list(of: .text(limit: 32, least: 1), most: 1_000)]
      }
    }

    var schema: JSONValue {
      let required: [String] =
        switch self {
        case .newJob: ["request"]
        case .newCollection: ["name"]
        case .pictureChanges: ["pictures", "change"]
        case .pictureList: ["pictures"]
        case .enlargement, .cancellation, .move, .pictureChange: []
        }
      return .record(of: properties, required: required)
    }

    /// Refuses fields that it has not.
    /// - Throws: `RequestError` naming the first.
    func check(_ fields: [String: JSONValue]) throws(RequestError) {
      let known = properties
      for name in fields.keys.sorted() where known[name] == nil {
        throw .unknownField(name, nearest: nearestName(to: name, among: known.keys.sorted()))
      }
    }
  }

  /// Every schema by name.
  static func schemas(_ registry: Registry) -> [String: JSONValue] {
    let text = JSONValue.plain("string")
    let number = JSONValue.plain("number")
    let integer = JSONValue.plain("integer")
    let any = JSONValue.object([:])
    let fields = JSONValue.record(of: [:], isOpen: true)
    var schemas = Dictionary(
      uniqueKeysWithValues: Body.allCases.map { ($0.rawValue, $0.schema) })
    let answers: [String: JSONValue] = [
      "Request": request(registry),
      "NewFilm": film(registry, isAnswer: false),
      "Film": film(registry, isAnswer: true),
      "Job": .record(
        of: [
          "id": text, "state": .words(Job.State.allCases.map(\.rawValue)), "prompt": text,
          "count": integer, "presets": .list(of: text), "request": .reference("Request"),
          "source": .words(["api", "openai", "a1111"]), "parent": .optional(text),
          "created": number, "started": .optional(number), "ended": .optional(number),
          "device": .optional(text), "place": .optional(integer),
          "progress": .optional(.reference("Progress")), "stopped": .boolean,
          "error": .optional(
            .record(
              of: ["reason": text, "field": .optional(text)], required: ["reason", "field"])),
          "pictures": .list(of: text), "film": .optional(.reference("Film")),
          "enlargement": .optional(integer), "remarks": .list(of: text),
        ], required: ["id", "state", "prompt", "count", "request", "created", "pictures"]),
      "Progress": .record(
        of: [
          "step": integer, "total": integer, "unit": .optional(text), "picture": integer,
          "loss": .optional(number), "eta": .optional(number),
        ], required: ["step", "total", "unit"]),
      "JobPage": .record(
        of: ["jobs": .list(of: .reference("Job")), "next": .optional(text)],
        required: ["jobs", "next"]),
      "Picture": .record(
        of: [
          "id": text, "job": text, "place": integer, "created": number, "prompt": text,
          "method": text, "seed": integer, "width": integer, "height": integer,
          "score": .optional(number), "stopped": .boolean, "parent": .optional(text),
          "favourite": .boolean, "deleted": .optional(number), "request": .optional(fields),
          "metadata": .optional(fields),
          "links": .record(of: [
            "file": text, "thumbnail": text, "film": .optional(text), "attention": .optional(text),
            "trace": .optional(text),
          ]),
        ], required: ["id", "job", "prompt", "seed", "width", "height", "links"]),
      "Trace": .record(
        of: [
          "panels": .list(
            of: .record(
              of: [
                "title": text, "text": text, "isSequence": .boolean,
                "looks": .list(
                  of: .record(of: ["caption": text, "webp": text], required: ["caption", "webp"])),
                "curve": .optional(
                  .record(
                    of: ["first": integer, "last": integer, "values": .list(of: number)],
                    required: ["first", "last", "values"])),
              ], required: ["title", "text", "isSequence", "looks"]))
        ], required: ["panels"]),
      "PicturePage": .record(
        of: [
          "pictures": .list(of: .reference("Picture")), "next": .optional(text),
          "methods": .list(of: text),
        ], required: ["pictures", "next"]),
      "Changed": .record(of: ["pictures": integer], required: ["pictures"]),
      "Description": .record(of: ["caption": text], required: ["caption"]),
      "Estimate": .record(
        of: [
          "method": text, "width": integer, "height": integer, "seconds": .optional(number),
          "measured": integer, "memory": .optional(integer), "freeMemory": .optional(integer),
          "remarks": .list(of: text),
        ],
        required: [
          "method", "width", "height", "seconds", "measured", "memory", "freeMemory", "remarks",
        ]),
      "Verdict": .record(
        of: ["sound": .boolean, "problems": .list(of: text)], required: ["sound", "problems"]),
      "Collections": .record(
        of: [
          "collections": .list(
            of: .record(
              of: [
                "id": text, "name": text, "created": number, "pictures": integer,
                "cover": .optional(text),
              ], required: ["id", "name", "pictures"]))
        ], required: ["collections"]),
      "File": .record(
        of: [
          "name": .text(limit: 200, least: 1),
          "sha256": .object([
            "type": .string("string"), "pattern": .string("^[0-9a-f]{64}$"),
          ]),
        ], required: ["name", "sha256"]),
      "HandedIn": .record(
        of: ["file": .reference("File"), "origin": .optional(text), "settings": .optional(fields)],
        required: ["file", "origin", "settings"]),
    ]
    schemas.merge(answers) { $1 }
    schemas["Part"] = .record(
      of: ["name": text, "weight": number], required: ["name"], isOpen: true)
    schemas["Prompt"] = .record(
      of: [
        "text": text, "label": text, "image": .reference("File"), "embedding": .reference("File"),
        "noise": integer, "average": .list(of: .reference("Prompt"), most: 16),
        "weight": number, "stop": number,
        "region": .words(Prompt.Region.allCases.map(\.rawValue)), "scene": integer,
      ])
    schemas["Status"] = .record(
      of: [
        "program": text, "version": text, "libtorch": text, "devices": .list(of: text),
        "jobs": .record(
          of: Dictionary(uniqueKeysWithValues: Job.State.allCases.map { ($0.rawValue, integer) }),
          required: Job.State.allCases.map(\.rawValue)), "pictures": integer,
        "pack": .record(
          of: ["id": text, "version": text, "title": text, "examples": .list(of: text)],
          required: ["id", "version", "title", "examples"]),
      ], required: ["program", "version", "libtorch", "devices", "jobs", "pictures", "pack"])
    let argument: [String: JSONValue] = [
      "name": text, "help": text, "note": .optional(text), "kind": text, "schema": fields,
      "default": any, "words": .list(of: text),
    ]
    let common = ["name", "help", "kind", "schema", "default", "words"]
    schemas["Argument"] = .record(of: argument, required: common)
    let arguments = JSONValue.list(of: .reference("Argument"))
    schemas["Kind"] = .record(
      of: ["name": text, "help": text, "arguments": arguments],
      required: ["name", "help", "arguments"])
    schemas["Parameters"] = .record(
      of: [
        "schema": integer, "prompt": .record(of: ["limit": integer], required: ["limit"]),
        "groups": .list(of: text),
        "methods": .list(
          of: .record(
            of: [
              "name": text, "title": text, "help": text, "available": .boolean,
              "films": .list(of: text), "models": .list(of: text), "arguments": arguments,
            ], required: ["name", "title", "help", "available", "films", "models", "arguments"])),
        "parameters": .list(
          of: .record(
            of: argument.merging([
              "flag": text, "group": text, "methods": .list(of: text), "defaults": fields,
            ]) { $1 }, required: common + ["flag", "group", "methods", "defaults"])),
        "objectives": .list(of: .reference("Kind")), "filters": .list(of: .reference("Kind")),
        "films": .list(of: .reference("Kind")),
      ],
      required: [
        "schema", "prompt", "groups", "methods", "parameters", "objectives", "filters", "films",
      ])
    schemas["Presets"] = .record(
      of: [
        "presets": .list(
          of: .record(
            of: [
              "name": text, "help": text, "kind": .words(Preset.Kind.allCases.map(\.rawValue)),
              "wantsLargeCLIP": .boolean, "picture": .optional(text), "fields": fields,
              "scale": .optional(number), "prompt": .optional(text),
            ], required: ["name", "help", "kind", "wantsLargeCLIP", "fields"]))
      ], required: ["presets"])
    schemas["Models"] = .record(
      of: [
        "models": .list(
          of: .record(
            of: [
              "id": text, "kind": text, "title": text, "bytes": integer,
              "licence": .optional(text), "memory": .optional(integer), "methods": .list(of: text),
            ], required: ["id", "kind", "title", "bytes", "licence", "memory", "methods"])),
        "known": .list(
          of: .record(
            of: [
              "id": text, "kind": text, "title": text, "licence": text, "page": text,
              "bytes": .optional(integer), "isInstalled": .boolean,
            ], required: ["id", "kind", "title", "licence", "page", "bytes", "isInstalled"])),
        "fetches": .list(
          of: .record(
            of: [
              "id": text, "state": .words(ModelKeeper.Fetch.State.allCases.map(\.rawValue)),
              "done": integer, "total": .optional(integer), "problem": .optional(text),
            ], required: ["id", "state", "done", "total", "problem"])),
      ], required: ["models", "known", "fetches"])
    schemas["Health"] = .record(
      of: [
        "status": .words(["ok"]), "broker": .words(["reached", "away"]), "workers": integer,
      ], required: ["status"])
    schemas["Workers"] = WorkerOperations.schema
    schemas["Problem"] = .record(
      of: [
        "type": text, "title": text, "status": integer, "detail": text, "field": text,
      ], required: ["title", "status", "detail"])
    return schemas
  }

  /// The schema of what moves.
  private static func film(_ registry: Registry, isAnswer: Bool) -> JSONValue {
    var fields: [String: JSONValue] = ["kind": .words(Film.Kind.allCases.map(\.rawValue))]
    for parameter in Film.parameters {
      fields[parameter.name] = .optional(
        described(Film.limited(parameter), parameter.help, registry))
    }
    let files = JSONValue.list(of: .reference("File"), most: Film.mostFrames)
    fields["source"] = isAnswer ? .list(of: .record(of: [:], isOpen: true)) : .optional(files)
    return .record(of: fields, required: ["kind"])
  }

  /// The schema of a request.
  static func request(_ registry: Registry) -> JSONValue {
    var fields: [String: JSONValue] = [
      "prompt": .text(limit: Prompt.longest),
      "schema": .object(["const": .integer(Painting.Request.schema)]),
    ]
    for method in registry.methods {
      for argument in method.arguments {
        fields[argument.name] = described(argument.kind, argument.help, registry)
      }
    }
    for parameter in Painting.Request.parameters {
      fields[parameter.name] = described(parameter.kind, parameter.help, registry)
    }
    return .record(of: fields, required: ["prompt"])
  }

  private static func described(_ kind: ParameterKind, _ help: String, _ registry: Registry)
    -> JSONValue
  {
    let schema = kind.schema(registry)
    guard case .object(var fields) = schema else { return schema }
    fields["description"] = .string(help + ".")
    return .object(fields)
  }
}

extension Operation.Answer {
  /// An answer that is a problem.
  static func problem(_ status: Int, _ help: String) -> Self {
    .init(status: status, help: help, type: "application/problem+json", schema: "Problem")
  }
}

extension Operation.Parameter {
  private static func name(_ help: String) -> Self {
    .init(name: "id", help: help, schema: .text(limit: 32, least: 1), isInPath: true)
  }

  static let job = name("The job's name")
  static let picture = name("The picture's name")
  static let collection = name("The collection's name")
  static let after = Self(
    name: "after", help: "What an earlier page called 'next'", schema: .text(limit: 40))
  static let lastEvent = Self(
    name: "Last-Event-ID", help: "The number of the last event that was seen",
    schema: .text(limit: 20), isHeader: true)

  static func limit(standard: Int, most: Int) -> Self {
    .init(
      name: "limit", help: "Most of them",
      schema: .object([
        "type": .string("integer"), "minimum": .integer(1), "maximum": .integer(most),
        "default": .integer(standard),
      ]))
  }
}
