import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import Library
import NIOCore
import Synchronization
import TestSupport
import Testing
import Weights

@testable import Painting
@testable import Studio

/// What the studio answers is what its OpenAPI document says.
@Suite struct ResponseShapeTests {
  @Test(
    "the check of schemas finds what does not fit",
    arguments: [
      (#"{"type":"integer"}"#, "1", "1.5"), (#"{"type":["integer","null"]}"#, "null", "true"),
      (#"{"enum":["a","b"]}"#, #""b""#, #""c""#), (#"{"const":2}"#, "2", "3"),
      (#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "null", "1"),
      (#"{"minimum":2,"maximum":3}"#, "2.5", "3.5"), (#"{"minimum":2}"#, "2", "1"),
      (#"{"maxLength":2,"minLength":1}"#, #""ab""#, #""abc""#),
      (#"{"minLength":1}"#, #""a""#, #""""#),
      (#"{"pattern":"^[0-9]$"}"#, #""1""#, #""12""#),
      (#"{"items":{"type":"null"},"maxItems":1}"#, "[null]", "[1]"),
      (#"{"maxItems":1}"#, "[1]", "[1,2]"),
      (#"{"properties":{"a":{"type":"null"}}}"#, #"{"a":null}"#, #"{"a":1}"#),
      (#"{"required":["a"]}"#, #"{"a":1}"#, #"{"b":1}"#),
      (#"{"properties":{"a":{}},"additionalProperties":false}"#, #"{"a":1}"#, #"{"b":1}"#),
      (#"{"additionalProperties":{"type":"null"}}"#, #"{"b":null}"#, #"{"b":1}"#),
      (##"{"$ref":"#/x/y"}"##, "true", "1"),
    ])
  func check(_ schema: String, _ good: String, _ bad: String) throws {
    let document = try #require(JSONValue(text: #"{"x":{"y":{"type":"boolean"}}}"#))
    let check = SchemaCheck(document: document)
    let schema = try #require(JSONValue(text: schema))
    #expect(check.problems(try #require(JSONValue(text: good)), schema).isEmpty)
    #expect(!check.problems(try #require(JSONValue(text: bad)), schema).isEmpty)
    let unknown = JSONValue.object(["oneOf": .array([])])
    #expect(check.problems(.null, unknown) == ["$: oneOf is a keyword that is not checked"])
  }

  /// Asks a studio, and holds its answers against its document.
  private final class Asking: Sendable {
    private let client: any TestClientProtocol
    private let document: JSONValue
    /// Operations whose answer was looked at.
    private let seen = Mutex<Set<String>>([])

    init(_ client: any TestClientProtocol) async throws {
      self.client = client
      let response = try await client.executeRequest(
        uri: "/openapi.json", method: .get, headers: [:], body: nil)
      document = try #require(JSONValue(text: String(buffer: response.body)))
    }

    var asked: Set<String> { seen.withLock { $0 } }

    /// Operations that answer with JSON when all is well.
    var all: Set<String> {
      get throws {
        guard case .object(let paths) = document["paths"] else { return [] }
        let operations = paths.values.flatMap { path -> [JSONValue] in
          if case .object(let methods) = path { Array(methods.values) } else { [] }
        }
        return Set(
          operations.filter { operation in
            ["200", "201", "202"].contains {
              operation["responses"]?[$0]?["content"]?["application/json"] != nil
            }
          }.compactMap { $0["operationId"]?.text })
      }
    }

    /// - Parameters:
    ///   - path: as the document has it, with what stands in braces in `values`.
    ///   - query: behind the path.
    /// - Returns: the answer's body.
    @discardableResult
    func callAsFunction(
      _ method: HTTPRequest.Method, _ path: String, _ values: [String: String] = [:],
      query: String = "", body: ByteBuffer? = nil, type: String = "application/json",
      status: Int = 200
    ) async throws -> JSONValue {
      var uri = path
      for (name, value) in values { uri = uri.replacing("{\(name)}", with: value) }
      let response = try await client.executeRequest(
        uri: uri + query, method: method, headers: body == nil ? [:] : [.contentType: type],
        body: body)
      let text = String(buffer: response.body)
      #expect(response.status.code == status, "\(method) \(uri): \(text)")
      let operation = try #require(document["paths"]?[path]?[method.rawValue.lowercased()])
      let content = operation["responses"]?["\(status)"]?["content"]
      let answered = try #require(response.headers[.contentType])
      let schema = try #require(
        content?[answered]?["schema"], "\(method) \(path) \(status) has no schema for \(answered)")
      let answer = try #require(JSONValue(text: text))
      let problems = SchemaCheck(document: document).problems(answer, schema)
      #expect(problems.isEmpty, "\(method) \(uri): \(problems.joined(separator: "\n"))")
      if status < 300 {
        _ = seen.withLock { $0.insert(operation["operationId"]?.text ?? "") }
      }
      return answer
    }

    @discardableResult
    func callAsFunction(
      _ method: HTTPRequest.Method, _ path: String, _ values: [String: String] = [:], json: String,
      status: Int = 200
    ) async throws -> JSONValue {
      try await self(method, path, values, body: ByteBuffer(string: json), status: status)
    }
  }

  @Test("every answer in JSON has the shape that the document gives it")
  func shapes() async throws {
    let bench = try await Bench()
    let painter = FakeWorker()
    painter.script("waits", [.wait])
    painter.script("fails", [.refuse(.init(reason: "No.", field: "cutouts"))])
    painter.script("prepares", [.prepare(.init(step: 9, total: 10, unit: "class", picture: 1))])
    try model(in: bench)
    try await Application(router: bench.server.router()).test(.router) { client in
      let ask = try await Asking(client)
      try await self.jobs(ask, bench, painter)
      let job = try await self.pictures(ask, bench)
      try await self.collections(ask, picture: "\(job)-1")
      for path in ["status", "parameters", "presets", "models", "workers"] {
        try await ask(.get, "/api/v1/\(path)")
      }
      #expect(try await ask(.get, "/api/v1/models")["models"]?[0] != nil)
      try await ask(.get, "/healthz")
      try await ask(.post, "/api/v1/models/{id}/verify", ["id": "fox"])
      try await ask(
        .post, "/api/v1/estimates", json: #"{"request":{"prompt":"a","method":"fft"}}"#)
      let weights = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../ModelsTests/Fixtures/clip_vit_transformers.safetensors")
      try await ask(
        .post, "/api/v1/models", query: "?name=a.safetensors",
        body: ByteBuffer(bytes: Data(contentsOf: weights)), type: "application/octet-stream",
        status: 201)
      // These want the world outside, and a program.
      let elsewhere: Set = ["fetchModel", "describePicture"]
      let (asked, all) = (ask.asked, try ask.all)
      #expect(
        all.subtracting(asked).subtracting(elsewhere).isEmpty, "some operations were not asked for")
      #expect(all.count > 15)
    }
  }

  /// Jobs in every state, one after the other.
  private func jobs(_ ask: Asking, _ bench: Bench, _ painter: FakeWorker) async throws {
    let (list, create, one) = ("/api/v1/jobs", "/api/v1/jobs", "/api/v1/jobs/{id}")
    func queue(_ fields: String) async throws -> String {
      let made = try await ask(.post, create, json: "{\(fields)}", status: 202)
      return try #require(made["id"]?.text)
    }
    let request = #""method":"fft","iterations":3,"seed":1"#
    let film = try await queue(
      #""request":{"prompt":"films",\#(request)},"film":{"kind":"zoom","frames":4,"every":2}"#)
    let styled = try await queue(
      #""request":{"prompt":"is styled"},"presets":["hexagons","draft"],"count":2"#)
    let words = ["fails", "prepares", "waits"]
    var named: [String] = []
    for prompt in words {
      named.append(try await queue(#""request":{"prompt":"\#(prompt)",\#(request)}"#))
    }
    try await ask(.get, list, query: "?state=queued&limit=2")
    try await ask(.post, one + "/move", ["id": styled], json: "{}")
    try await ask(.post, one + "/cancel", ["id": film], json: "{}", status: 202)
    try await ask(.get, one, ["id": film])
    try await bench.painting(painter) {
      for (index, word) in words.enumerated().dropFirst() {
        try await bench.wait(for: named[index]) {
          $0.state == .painting && (word == "waits" ? $0.step != nil : $0.unit == "class")
        }
        let live = try await ask(.get, one, ["id": named[index]])
        #expect(live["progress"] != .null)
        try await ask(
          .post, one + "/cancel", ["id": named[index]], json: #"{"keep":true}"#, status: 202)
        try await bench.wait(for: named[index])
      }
      try await bench.wait(for: styled)
    }
    let failed = try await ask(.get, one, ["id": named[0]])
    #expect(failed["error"]?["field"] == .string("cutouts"))
    try await ask(.get, list)
    try await ask(.get, one, ["id": "nothing"], status: 404)
    try await ask(.post, one + "/cancel", ["id": film], json: "{}", status: 409)
    try await ask(.post, create, json: #"{"request":{"prompt":"a","cutouts":0}}"#, status: 422)
    try await ask(.post, create, json: "{", status: 400)
  }

  /// - Returns: a job with a picture.
  private func pictures(_ ask: Asking, _ bench: Bench) async throws -> String {
    let page = try await ask(.get, "/api/v1/pictures", query: "?limit=1")
    let job = try #require(page["pictures"]?[0]?["job"]?.text)
    let one = "/api/v1/pictures/{id}"
    let id = ["id": "\(job)-1"]
    try await ask(.get, one, id)
    try await ask(.patch, one, id, json: #"{"favourite":true}"#)
    try await ask(.post, one + "/restore", id)
    try await ask(.post, one + "/input", id)
    try await ask(.get, one, ["id": "nothing"], status: 404)
    let larger = try await ask(.post, one + "/enlarge", id, json: "{}", status: 202)
    #expect(larger["enlargement"] == .integer(2))
    let trace = Trace(panels: [
      .init(
        title: "Loss", text: "Lower is nearer.",
        looks: [try .init(Picture(width: 8, height: 8, color: .black), "1")],
        curve: .init([1, 0.5], first: 1))
    ])
    try JSONEncoder().encode(trace).write(to: bench.folder.trace("\(job)-1"))
    for beside in ["/trace", "/relatives"] { try await ask(.get, one + beside, id) }
    try await ask(
      .post, "/api/v1/pictures/changes",
      json: #"{"pictures":["\#(job)-1"],"change":"favourite"}"#)
    try await ask(.delete, "/api/v1/bin")
    try await ask(.post, one + "/describe", id, status: 501)
    let own = try Data(contentsOf: bench.folder.picture("\(job)-1"))
    let foreign = try Picture(width: 8, height: 8, color: .black).encoded(
      as: .png(texts: [.init(keyword: "parameters", text: "a cat\nSteps: 5, Seed: 3, Size: 16x16")])
    )
    for file in [own, foreign, try Picture(width: 8, height: 8, color: .black).encoded(as: .png())]
    {
      try await ask(
        .post, "/api/v1/files", query: "?name=a.png", body: ByteBuffer(bytes: file),
        type: "image/png", status: 201)
    }
    return job
  }

  private func collections(_ ask: Asking, picture: String) async throws {
    let all = "/api/v1/collections"
    try await ask(.post, all, json: #"{"name":"Trees"}"#, status: 201)
    try await ask(.get, all)
    try await ask(.post, all, json: #"{"name":""}"#, status: 422)
  }

  /// Installs a model, as far as a list needs it.
  private func model(in bench: Bench) throws {
    let store = bench.server.admission.library.store
    let home = store.folder.appending(path: "fox", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    let sum = String(repeating: "0", count: 64)
    try Data(
      #"{"schema":1,"id":"fox","kind":"clip","title":"a fox","source":"here","files":{"a.pt":{"size":9,"sha256":"\#(sum)"}}}"#
        .utf8
    ).write(to: home.appending(path: "model.json"))
  }
}
