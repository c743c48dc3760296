import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import Imaging
import NIOCore
import Painting
import TestSupport
import Testing

@testable import Studio

/// The studio's HTTP, without a socket.
@Suite struct ServerTests {
  typealias Client = any TestClientProtocol

  private func withClient(
    _ bench: Bench, _ test: @escaping @Sendable (Client) async throws -> Void
  ) async throws {
    try await Application(router: bench.server.router()).test(.router, test)
  }

  /// Sends JSON.
  private func send(
    _ client: Client, _ method: HTTPRequest.Method, _ uri: String, _ body: String? = nil,
    _ headers: HTTPFields = HTTPFields()
  ) async throws -> (status: Int, body: JSONValue, headers: HTTPFields) {
    var all = headers
    if body != nil, all[.contentType] == nil { all[.contentType] = "application/json" }
    let response = try await client.executeRequest(
      uri: uri, method: method, headers: all, body: body.map { ByteBuffer(string: $0) })
    let text = String(buffer: response.body)
    return (response.status.code, JSONValue(text: text) ?? .string(text), response.headers)
  }

  @Test("a job is taken, listed and told of")
  func job() async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let made = try await send(
        client, .post, "/api/v1/jobs",
        #"{"request":{"prompt":"a fox","method":"fft","seed":7,"width":64,"height":48},"count":2}"#)
      #expect(made.status == 202)
      #expect(made.body["state"] == .string("queued"))
      #expect(made.body["request"]?["seed"] == .integer(7))
      // Resolved: what was left open is filled.
      #expect(made.body["request"]?["iterations"] != nil)
      let id = try #require(made.body["id"]?.text)
      #expect(made.headers[.location] == "/api/v1/jobs/\(id)")
      let one = try await send(client, .get, "/api/v1/jobs/\(id)")
      #expect(one.body["place"] == .integer(0))
      let list = try await send(client, .get, "/api/v1/jobs?state=queued")
      #expect(list.body["jobs"]?[0]?["id"] == .string(id))
      let ended = try await send(client, .post, "/api/v1/jobs/\(id)/cancel", "{}")
      #expect((ended.status, ended.body["state"]) == (202, .string("cancelled")))
      let again = try await send(client, .post, "/api/v1/jobs/\(id)/cancel")
      #expect(again.status == 409)
    }
  }

  @Test("presets fill what a request leaves open")
  func presets() async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let made = try await send(
        client, .post, "/api/v1/jobs",
        #"{"request":{"prompt":"a fox"},"presets":["hexagons"]}"#)
      #expect(made.status == 202)
      #expect(made.body["request"]?["method"] == .string("pixel"))
      #expect(made.body["prompt"] == .string("a fox"))
    }
  }

  /// What is wrong, the status, and the field that the answer names.
  static let mistakes: [(String, Int, String?)] = [
    (#"{"request":{"prompt":"a","cutouts":0}}"#, 422, "cutouts"),
    (#"{"request":{"prompt":"a","width":15}}"#, 422, "width"),
    (#"{"request":{"prompt":""}}"#, 422, "prompt"),
    (#"{"request":{"promt":"a"}}"#, 422, nil),
    (#"{"request":{"prompt":"a","cutout":3}}"#, 422, "cutout"),
    (#"{"request":{"prompt":"a","method":"dalle","cutouts":3}}"#, 422, "cutouts"),
    (#"{"request":{"prompt":"a"},"count":0}"#, 422, "count"),
    (#"{"request":{"prompt":"a"},"count":"2"}"#, 422, "count"),
    (#"{"request":{"prompt":"a"},"presets":["no-such"]}"#, 422, "presets"),
    (#"{"request":{"prompt":"a"},"presets":"watercolour"}"#, 422, "presets"),
    (#"{"request":{"prompt":"a"},"colour":1}"#, 422, "colour"),
    (#"{"request":{"prompt":"a","model":"../../etc/passwd","method":"vqgan-clip"}}"#, 422, "model"),
    (#"{"request":{"prompt":"a","method":"crayon"}}"#, 422, "method"),
    (
      #"{"request":{"prompt":"a","method":"fft","initImage":{"name":"a.png","sha256":"\#(String(repeating: "0", count: 64))"}}}"#,
      422, "request"
    ),
    ("{}", 422, "request"), ("[]", 422, nil), ("{", 400, nil), ("\u{0}", 400, nil),
    (String(repeating: "[", count: 5_000), 400, nil),
  ]

  @Test("a mistake is told with its status and its field", arguments: mistakes)
  func mistake(_ body: String, _ status: Int, _ field: String?) async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let answer = try await send(client, .post, "/api/v1/jobs", body)
      #expect(answer.status == status, "\(answer.body)")
      #expect(answer.body["field"]?.text == field)
      #expect(answer.headers[.contentType] == "application/problem+json")
      #expect(answer.body["detail"]?.text.isEmpty == false)
      #expect(try await bench.store.jobCounts() == [:])
    }
  }

  @Test("a method that the pack lacks is told before anything is queued")
  func lacking() async throws {
    let bench = try await Bench(pack: Pack(folder: TinyPack.make(dalle: false)))
    try await withClient(bench) { client in
      let answer = try await send(
        client, .post, "/api/v1/jobs", #"{"request":{"prompt":"a","method":"dalle"}}"#)
      #expect(answer.status == 422, "\(answer.body)")
      #expect(answer.body["field"]?.text == "method")
      #expect(try await bench.store.jobCounts() == [:])
    }
  }

  @Test("limits are told as 413, 415 and 429 with when to come back")
  func limits() async throws {
    let bench = try await Bench { $0.queueLimit = 1 }
    try await withClient(bench) { client in
      let long = "{\"request\":{\"prompt\":\"" + String(repeating: "a", count: 2 << 20) + "\"}}"
      #expect(try await send(client, .post, "/api/v1/jobs", long).status == 413)
      let form = try await send(
        client, .post, "/api/v1/jobs", "a=b", [.contentType: "application/x-www-form-urlencoded"])
      #expect(form.status == 415)
      let fox = #"{"request":{"prompt":"a fox"}}"#
      #expect(try await send(client, .post, "/api/v1/jobs", fox).status == 202)
      let full = try await send(client, .post, "/api/v1/jobs", fox)
      #expect(full.status == 429)
      #expect(full.headers[.retryAfter] != nil)
    }
  }

  @Test("what takes much memory is done by so many at once, and no more")
  func permits() throws {
    let permits = Permits(2)
    let first = try permits.take()
    _ = try permits.take()
    #expect(throws: Problem.self) { try permits.take() }
    first.giveBack()
    _ = try permits.take()
  }

  @Test("a full disk is told as 507, in words, by the studio and by its workers")
  func fullDisk() throws {
    let errors: [any Error] = [
      CocoaError(.fileWriteOutOfSpace), POSIXError(.ENOSPC), POSIXError(.EDQUOT),
      NSError(
        domain: "x", code: 1, userInfo: [NSUnderlyingErrorKey: CocoaError(.fileWriteOutOfSpace)]),
      ImagingError.unwritable(path: "a.png", reason: "No space left on device"),
    ]
    for error in errors {
      let problem = try #require(Problem(error))
      #expect(problem.status.code == 507)
      #expect(problem.detail.hasPrefix("The disk of the studio's folder is full."))
      #expect(WorkerEvent.Failure(error).reason == problem.detail)
    }
    let other = WorkerEvent.Failure(CocoaError(.fileReadNoPermission)).reason
    #expect(!other.contains("Domain") && !other.contains("Code="), "\(other)")
  }

  @Test("the same key twice is one job")
  func key() async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let name = HTTPField.Name("Idempotency-Key").unsafelyUnwrapped
      let fox = #"{"request":{"prompt":"a fox"}}"#
      let first = try await send(client, .post, "/api/v1/jobs", fox, [name: "k"])
      let second = try await send(client, .post, "/api/v1/jobs", fox, [name: "k"])
      #expect((first.status, second.status) == (202, 200))
      #expect(first.body["id"] == second.body["id"])
    }
  }

  // MARK: Who may come in

  @Test(
    "names by which the studio does not go are turned away",
    arguments: [
      ("localhost", true), ("localhost:7860", true), ("127.0.0.1:7860", true),
      ("192.168.1.20", true), ("[::1]:7860", true), ("evil.example", false),
      ("localhost.evil.example:7860", false), ("127.0.0.1.evil.example", false), ("", false),
    ])
  func host(_ host: String, _ isWelcome: Bool) {
    let request = HummingbirdCore.Request(
      head: .init(method: .get, scheme: "http", authority: host, path: "/api/v1/jobs"),
      body: .init(buffer: ByteBuffer()))
    #expect((AccessPolicy().objection(to: request) == nil) == isWelcome)
  }

  @Test(
    "pages of other sites may not use the studio",
    arguments: [
      ("http://localhost", 202), ("http://evil.example", 403), ("null", 403),
      ("http://localhost:7861", 403), ("http://localhost.evil.example", 403),
    ])
  func origin(_ origin: String, _ status: Int) async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let answer = try await send(
        client, .post, "/api/v1/jobs", #"{"request":{"prompt":"a fox"}}"#, [.origin: origin])
      #expect(answer.status == status)
    }
  }

  @Test("with a token nobody comes in without it, and /healthz alone is open")
  func token() async throws {
    let bench = try await Bench { $0.token = "open-sesame-1" }
    try await withClient(bench) { client in
      #expect(try await send(client, .get, "/api/v1/jobs").status == 401)
      #expect(try await send(client, .get, "/openapi.json").status == 401)
      #expect(try await send(client, .get, "/metrics").status == 401)
      #expect(try await send(client, .get, "/healthz").status == 200)
      let basic = Data("me:open-sesame-1".utf8).base64EncodedString()
      for header in ["Bearer open-sesame-1", "Basic \(basic)"] {
        let answer = try await send(client, .get, "/api/v1/jobs", nil, [.authorization: header])
        #expect(answer.status == 200)
      }
      for header in ["Bearer open-sesame", "Bearer ", "Basic !", "open-sesame-1"] {
        let answer = try await send(client, .get, "/api/v1/jobs", nil, [.authorization: header])
        #expect(answer.status == 401)
      }
      let login = try await send(client, .get, "/?token=open-sesame-1")
      #expect(login.status == 303)
      let cookie = try #require(login.headers[.setCookie])
      #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
      let pair = String(cookie.prefix { $0 != ";" })
      let answer = try await send(client, .get, "/api/v1/jobs", nil, [.cookie: "a=b; " + pair])
      #expect(answer.status == 200)
      #expect(try await send(client, .get, "/?token=open-sesame-2").status == 401)
    }
  }

  @Test("answers carry headers that keep browsers from harm")
  func headers() async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let answer = try await send(client, .get, "/nothing/here")
      #expect(answer.status == 404)
      let policy = try #require(answer.headers[.contentSecurityPolicy])
      #expect(policy.hasPrefix("default-src 'none'"))
      #expect(!policy.contains("unsafe"))
      #expect(answer.headers[.xContentTypeOptions] == "nosniff")
    }
  }

  // MARK: Pictures, files, events

  @Test("a painted picture is shown, in small, with its request, and thrown away and taken back")
  func picture() async throws {
    let bench = try await Bench()
    let job = try await bench.submit("a red fox")[0]
    try await bench.painting(FakeWorker()) { try await bench.wait(for: job.id) }
    try await withClient(bench) { client in
      let page = try await send(client, .get, "/api/v1/pictures?q=fox")
      let id = try #require(page.body["pictures"]?[0]?["id"]?.text)
      #expect(page.body["pictures"]?[0]?["request"]?["prompt"] == .string("a red fox"))
      for (path, type) in [("file", "image/png"), ("thumbnail", "image/webp")] {
        let response = try await client.executeRequest(
          uri: "/api/v1/pictures/\(id)/\(path)", method: .get,
          headers: [:], body: nil)
        #expect(response.headers[.contentType] == type)
        let picture = try Picture(decoding: Data(response.body.readableBytesView))
        #expect((picture.width, picture.height) == (16, 16))
        let etag = try #require(response.headers[.eTag])
        let cached = try await client.executeRequest(
          uri: "/api/v1/pictures/\(id)/\(path)", method: .get,
          headers: [.ifNoneMatch: etag], body: nil)
        #expect(cached.status == .notModified)
      }
      let liked = try await send(
        client, .patch, "/api/v1/pictures/\(id)", #"{"favourite":true}"#)
      #expect(liked.body["favourite"] == .bool(true))
      #expect(try await send(client, .delete, "/api/v1/pictures/\(id)").status == 204)
      #expect(try await send(client, .get, "/api/v1/pictures").body["pictures"] == .array([]))
      #expect(try await send(client, .post, "/api/v1/pictures/\(id)/restore").status == 200)
      let input = try await send(client, .post, "/api/v1/pictures/\(id)/input")
      let file = try #require(input.body["sha256"]?.text)
      let varied = try await send(
        client, .post, "/api/v1/jobs",
        #"{"request":{"prompt":"a fox","method":"fft","initImage":{"name":"a.png","sha256":"\#(file)"}},"parent":"\#(id)"}"#
      )
      #expect((varied.status, varied.body["parent"]) == (202, .string(id)))
    }
  }

  @Test("a picture that is handed in tells its settings; what is none is refused")
  func files() async throws {
    let bench = try await Bench()
    let job = try await bench.submit("a red fox")[0]
    try await bench.painting(FakeWorker()) { try await bench.wait(for: job.id) }
    let own = try Data(contentsOf: bench.folder.picture("\(job.id)-1"))
    let foreign = try Picture(width: 8, height: 8, color: .black).encoded(
      as: .png(texts: [
        .init(
          keyword: "parameters",
          text: "a castle\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, Seed: 42, Size: 64x48"
        )
      ]))
    try await withClient(bench) { client in
      func hand(_ data: Data, _ name: String) async throws -> (Int, JSONValue) {
        let response = try await client.executeRequest(
          uri: "/api/v1/files?name=\(name)", method: .post,
          headers: [.contentType: "image/png"],
          body: ByteBuffer(bytes: data))
        return (response.status.code, JSONValue(text: String(buffer: response.body)) ?? .null)
      }
      let (status, mine) = try await hand(own, "..%2F..%2Fetc%2Fpasswd")
      #expect(status == 201)
      #expect(mine["origin"] == .string("reverie"))
      #expect(mine["settings"]?["prompt"] == .string("a red fox"))
      #expect(mine["file"]?["name"] == .string("etc-passwd.png"))
      let (_, theirs) = try await hand(foreign, "castle.png")
      #expect(theirs["origin"] == .string("a1111"))
      #expect(theirs["settings"]?["prompt"] == .string("a castle"))
      #expect(theirs["settings"]?["negativePrompt"] == .string("fog"))
      #expect(theirs["settings"]?["seed"] == .integer(42))
      #expect(theirs["settings"]?["width"] == .integer(64))
      #expect(try await hand(Data("no picture".utf8), "x.png").0 == 422)
      #expect(try await hand(own.prefix(own.count / 2), "x.png").0 == 422)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: bench.folder.inputs.path)
    #expect(names.count == 2)
  }

  @Test("collections are made, filled and forgotten")
  func collections() async throws {
    let bench = try await Bench()
    let job = try await bench.submit("a")[0]
    try await bench.painting(FakeWorker()) { try await bench.wait(for: job.id) }
    try await withClient(bench) { client in
      let made = try await send(client, .post, "/api/v1/collections", #"{"name":" Trees "}"#)
      #expect(made.status == 201)
      let id = try #require(made.body["collections"]?[0]?["id"]?.text)
      #expect(made.body["collections"]?[0]?["name"] == .string("Trees"))
      let place = "/api/v1/collections/\(id)/pictures/\(job.id)-1"
      #expect(try await send(client, .put, place).status == 204)
      let page = try await send(client, .get, "/api/v1/pictures?collection=\(id)")
      #expect(page.body["pictures"]?[0]?["job"] == .string(job.id))
      #expect(try await send(client, .delete, place).status == 204)
      #expect(try await send(client, .delete, "/api/v1/collections/\(id)").status == 204)
      #expect(try await send(client, .put, place).status == 404)
      #expect(try await send(client, .post, "/api/v1/collections", #"{"name":""}"#).status == 422)
    }
  }

  @Test("events are told from the beginning or from where a listener was, until the job is over")
  func events() async throws {
    let bench = try await Bench()
    let job = try await bench.submit("a")[0]
    try await bench.painting(FakeWorker()) { try await bench.wait(for: job.id) }
    try await withClient(bench) { client in
      func events(_ headers: HTTPFields) async throws -> [(String, Int)] {
        let response = try await client.executeRequest(
          uri: "/api/v1/jobs/\(job.id)/events", method: .get, headers: headers, body: nil)
        #expect(response.headers[.contentType] == "text/event-stream")
        let blocks = String(buffer: response.body).components(separatedBy: "\n\n")
        return blocks.compactMap { block in
          let lines = block.split(separator: "\n")
          guard let kind = lines.first(where: { $0.hasPrefix("event: ") })?.dropFirst(7),
            let id = lines.first(where: { $0.hasPrefix("id: ") }).flatMap({ Int($0.dropFirst(4)) })
          else { return nil }
          return (String(kind), id)
        }
      }
      let all = try await events([:])
      #expect(all.map(\.0) == ["hello", "queued", "started", "picture", "finished"])
      let rest = try await events([.lastEventID: "\(all[2].1)"])
      #expect(rest.map(\.0) == ["hello", "picture", "finished"])
    }
  }

  // MARK: What there is

  @Test("the form, the OpenAPI document and the command line have one set of parameters")
  func declarations() async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let declared = Painting.Request.parameters.map(\.name)
      let form = try await send(client, .get, "/api/v1/parameters").body
      guard case .array(let parameters) = form["parameters"] else {
        Issue.record("no parameters")
        return
      }
      #expect(parameters.compactMap { $0["name"]?.text } == declared)
      let document = try await send(client, .get, "/openapi.json").body
      guard
        case .object(let properties) =
          document["components"]?["schemas"]?["Request"]?["properties"]
      else {
        Issue.record("no schema of a request")
        return
      }
      let arguments = Registry.builtIn.arguments.map(\.name)
      #expect(Set(properties.keys) == Set(declared + arguments + ["prompt", "schema"]))
      for parameter in Painting.Request.parameters {
        if case .integer(let range) = parameter.kind {
          #expect(properties[parameter.name]?["minimum"] == .integer(range.lowerBound))
          #expect(properties[parameter.name]?["maximum"] == .integer(range.upperBound))
        }
      }
    }
  }

  @Test("films and enlargements are asked for as such, and mistakes name their field")
  func works() async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      func film(_ fields: String, _ more: String = "") async throws -> (
        status: Int, body: JSONValue, headers: HTTPFields
      ) {
        try await send(
          client, .post, "/api/v1/jobs",
          #"{"request":{"prompt":"a fox","method":"fft"},"film":{\#(fields)}\#(more)}"#)
      }
      let made = try await film(#""kind":"zoom","frames":4,"every":2"#)
      #expect(made.status == 202, "\(made.body)")
      #expect(made.body["film"]?["frames"] == .integer(4))
      #expect(made.body["request"]?["iterations"] == .integer(8))
      for (fields, more, field) in [
        ("", "", "kind"), (#""kind":"restyle""#, "", "source"),
        (#""kind":"zoom","fps":1"#, "", "fps"),
        (#""kind":"zoom","frames":"9""#, "", "frames"),
        (#""kind":"zoom","frames":99999"#, "", "frames"), (#""kind":"zoom","rate":0"#, "", "rate"),
        (#""kind":"zoom""#, #","count":2"#, "count"), (#""kind":"morph""#, "", "morph"),
      ] {
        let answer = try await film(fields, more)
        #expect(answer.status == 422 && answer.body["field"] == .string(field), "\(answer.body)")
      }
      let long = try await send(
        client, .post, "/api/v1/jobs",
        #"{"request":{"prompt":"a fox","method":"fft","iterations":9000},"#
          + #""film":{"kind":"progress","every":2}}"#)
      #expect((long.status, long.body["field"]) == (422, .string("every")))
      let still = try await send(
        client, .post, "/api/v1/jobs", #"{"request":{"prompt":"a fox"},"film":{"kind":"zoom"}}"#)
      #expect((still.status, still.body["field"]) == (422, .string("method")))
      #expect(try await send(client, .post, "/api/v1/pictures/nothing/enlarge").status == 404)
      #expect(try await send(client, .get, "/api/v1/pictures/nothing/film").status == 404)
    }
  }

  @Test(
    "the part of a film that a player asks for",
    arguments: [
      ("bytes=0-1", 0...1), ("bytes=5-", 5...9), ("bytes=-3", 7...9), ("bytes=0-99", 0...9),
      ("bytes=-99", 0...9), ("bytes=10-", 10...10), ("bytes=3-2", nil), ("bytes=0-1,3-4", nil),
      ("lines=0-1", nil), ("bytes=a-b", nil), ("bytes=-", nil), ("bytes=-0", nil),
    ] as [(String, ClosedRange<Int>?)])
  func ranges(_ header: String, _ part: ClosedRange<Int>?) {
    #expect(Films.part(header, of: 10) == part)
  }

  @Test("presets, models, status, health and metrics are told")
  func catalogue() async throws {
    let bench = try await Bench()
    try await withClient(bench) { client in
      let presets = try await send(client, .get, "/api/v1/presets").body
      guard case .array(let all) = presets["presets"] else {
        Issue.record("no presets")
        return
      }
      #expect(all.contains { $0["name"] == .string("watercolour") })
      #expect(Set(all.compactMap { $0["kind"]?.text }) == ["style", "quality", "shape", "recipe"])
      // Pictures of presets are named where the page has them only.
      for preset in all {
        guard case .string(let path) = preset["picture"] else { continue }
        #expect(Page().paths.contains(path))
      }
      #expect(try await send(client, .get, "/api/v1/models").body["models"] == .array([]))
      let status = try await send(client, .get, "/api/v1/status").body
      #expect(status["devices"]?[0] == .string("cpu"))
      let metrics = try await send(client, .get, "/metrics")
      #expect(metrics.body.text.contains("reverie_jobs{state=\"queued\"} 0"))
    }
  }
}

extension JSONValue {
  subscript(name: String) -> JSONValue? {
    if case .object(let fields) = self { fields[name] } else { nil }
  }

  subscript(index: Int) -> JSONValue? {
    if case .array(let values) = self, values.indices.contains(index) { values[index] } else { nil }
  }
}
