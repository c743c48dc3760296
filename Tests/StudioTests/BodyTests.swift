import Foundation
import HTTPTypes
import Hummingbird
import Testing

@testable import Painting
@testable import Studio

/// What the OpenAPI document says of bodies is what is taken.
@Suite struct BodyTests {
  /// A value of a type that no field has.
  private static let wrong = JSONValue.object(["nothing": .array([.bool(true)])])

  /// An operation that takes JSON, and the properties of its body.
  private struct Target {
    let method: HTTPRequest.Method
    let path: String
    let properties: [String]
  }

  private static func properties(_ schema: String, _ document: JSONValue) throws -> [String] {
    guard
      case .object(let properties) = document["components"]?["schemas"]?[schema]?["properties"]
    else { throw CancellationError() }
    return properties.keys.sorted()
  }

  private static func targets(_ document: JSONValue) throws -> [Target] {
    guard case .object(let paths) = document["paths"] else { throw CancellationError() }
    return try paths.sorted { $0.key < $1.key }.flatMap { path, operations -> [Target] in
      guard case .object(let methods) = operations else { return [] }
      return try methods.sorted { $0.key < $1.key }.compactMap { word, operation in
        let body = operation["requestBody"]?["content"]?["application/json"]?["schema"]?["$ref"]
        guard let schema = body?.text.split(separator: "/").last,
          let method = HTTPRequest.Method(word.uppercased())
        else { return nil }
        return Target(
          method: method, path: path, properties: try properties(String(schema), document))
      }
    }
  }

  /// Fields without which others are not looked at.
  private static func needed(_ path: String) -> [String: JSONValue] {
    switch path {
    case "/api/v1/jobs", "/api/v1/estimates": ["request": .object(["prompt": .string("a")])]
    case "/api/v1/pictures/changes": ["pictures": .array([.string("a-1")])]
    default: [:]
    }
  }

  /// Whether an answer refuses a field's value, and does not say that there is no such field.
  private func refusesValue(_ answer: Asking.Answer, of field: String) -> Bool {
    let named = answer.field?.split(separator: ".").first.map(String.init) ?? ""
    return answer.status == 422 && answer.sentence?.contains("no parameter") == false
      && (named == field || answer.sentence?.contains("'\(field)'") == true)
  }

  @Test("every property of a body that is documented is read, and no other")
  func bodies() async throws {
    try await Asking.with { ask in
      let document = try await ask.get("/openapi.json").body
      let job = try await ask.post(
        "/api/v1/jobs", #"{"request":{"prompt":"a","method":"fft","iterations":3}}"#)
      let id = try #require(job.body["id"]?.text)
      try await ask.bench.wait(for: id)
      let targets = try Self.targets(document)
      #expect(targets.count == 9)
      for target in targets {
        let name = target.path.hasPrefix("/api/v1/pictures") ? "\(id)-1" : id
        let path = target.path.replacing("{id}", with: name)
        func send(_ field: String) async throws -> Asking.Answer {
          var fields = [field: Self.wrong]
          // What is read first is as it should be.
          for (name, value) in Self.needed(target.path) where name != field {
            fields[name] = value
          }
          return try await ask(
            target.method, path, Data(JSONValue.object(fields).json.utf8))
        }
        for property in target.properties {
          let answer = try await send(property)
          // The request and the film name what is wrong within them.
          let isWhole = ["request", "film"].contains(property)
          #expect(
            isWhole ? answer.status == 422 : refusesValue(answer, of: property),
            "\(target.path) \(property): \(answer.status) \(answer.body)")
        }
        let other = try await send("nothing")
        #expect(other.status == 422 && other.sentence?.contains("no parameter 'nothing'") == true)
      }
    }
  }

  @Test(
    "every property of a request and of a film that is documented is read, and no other",
    arguments: [("request", "Request"), ("film", "NewFilm")])
  func inner(_ object: String, _ schema: String) async throws {
    try await Asking.with { ask in
      let document = try await ask.get("/openapi.json").body
      func send(_ field: String) async throws -> Asking.Answer {
        var request: [String: JSONValue] = ["prompt": .string("a")]
        var film: [String: JSONValue] = ["kind": .string("zoom")]
        if object == "film" { film[field] = Self.wrong } else { request[field] = Self.wrong }
        var fields = ["request": JSONValue.object(request)]
        if object == "film" { fields["film"] = .object(film) }
        return try await ask.post("/api/v1/jobs", .object(fields))
      }
      let properties = try Self.properties(schema, document)
      #expect(properties.count > 10)
      for property in properties {
        let answer = try await send(property)
        #expect(
          refusesValue(answer, of: property), "\(property): \(answer.status) \(answer.body)")
      }
      let other = try await send("nothing")
      #expect(other.status == 422 && other.sentence?.contains("no parameter 'nothing'") == true)
    }
  }

  @Test("what a request writes is documented, and so is what a film writes")
  func written() async throws {
    try await Asking.with { ask in
      let document = try await ask.get("/openapi.json").body
      let registry = ask.bench.server.admission.registry
      let request = Set(
        ["prompt", "schema"] + Painting.Request.parameters.map(\.name)
          + registry.arguments.map(\.name))
      #expect(Set(try Self.properties("Request", document)) == request)
      for kind in Film.Kind.allCases {
        let film = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(Film(kind)))
        guard case .object(let fields) = film else { throw CancellationError() }
        #expect(Set(fields.keys).subtracting(try Self.properties("Film", document)).isEmpty)
      }
    }
  }

  @Test(
    "a video is no picture to begin from, and that is said before it is queued",
    arguments: Inputs.videoEndings)
  func videoAsPicture(ending: String) async throws {
    try await Asking.with { ask in
      let sha256 = String(repeating: "a", count: 64)
      try await ask.bench.store.add(
        InputRecord(sha256: sha256, name: "a.\(ending)", ending: ending, bytes: 9, created: 1))
      let file = #"{"name":"a.\#(ending)","sha256":"\#(sha256)"}"#
      let answer = try await ask(
        .post, "/api/v1/jobs",
        Data(#"{"request":{"prompt":"a","method":"fft","initImage":\#(file)}}"#.utf8))
      #expect((answer.status, answer.field) == (422, "request"))
      #expect(answer.sentence?.contains("'a.\(ending)' is a video") == true)
      #expect(try await ask.bench.store.jobs([], after: nil, limit: 9).jobs.isEmpty)
    }
  }
}
