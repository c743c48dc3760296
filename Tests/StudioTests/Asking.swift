import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import NIOCore
import Testing

@testable import Painting
@testable import Studio

/// Asks a studio of a test, without a socket.
struct Asking: Sendable {
  let client: any TestClientProtocol
  let bench: Bench

  /// What was answered.
  struct Answer: Sendable {
    let status: Int
    let body: JSONValue
    let headers: HTTPFields

    /// The field that an error names, in any API's form.
    var field: String? {
      if let field = body["field"] ?? body["error"]?["param"] { return field.text }
      // AUTOMATIC1111's form: "field: sentence".
      return body["errors"]?.text.split(separator: ":").first.map(String.init)
    }

    /// The sentence of an error, in any API's form.
    var sentence: String? {
      (body["error"]?["message"] ?? body["detail"])?.text
    }
  }

  /// Runs `body` with a studio whose pictures a worker only pretends to paint.
  static func with(
    _ worker: FakeWorker = FakeWorker(), interrogator: Interrogator? = nil,
    _ change: (inout StudioServer.Options) -> Void = { _ in },
    _ body: @escaping @Sendable (Asking) async throws -> Void
  ) async throws {
    let bench = try await Bench(nil, interrogator: interrogator, change)
    try await bench.painting(worker) {
      try await Application(router: bench.server.router()).test(.router) { client in
        try await body(Asking(client: client, bench: bench))
      }
    }
  }

  func callAsFunction(
    _ method: HTTPRequest.Method, _ uri: String, _ data: Data? = nil,
    _ headers: HTTPFields = [.contentType: "application/json"]
  ) async throws -> Answer {
    let response = try await client.executeRequest(
      uri: uri, method: method, headers: headers, body: data.map { ByteBuffer(bytes: $0) })
    let text = String(buffer: response.body)
    return Answer(
      status: response.status.code, body: JSONValue(text: text) ?? .string(text),
      headers: response.headers)
  }

  func get(_ uri: String, _ headers: HTTPFields = [:]) async throws -> Answer {
    try await self(.get, uri, nil, headers)
  }

  func post(_ uri: String, _ json: String) async throws -> Answer {
    try await self(.post, uri, Data(json.utf8))
  }

  func post(_ uri: String, _ value: JSONValue) async throws -> Answer {
    try await post(uri, value.json)
  }

  /// A multipart form of names, file names and contents.
  func form(_ uri: String, _ parts: [(String, String?, Data)]) async throws -> Answer {
    var data = Data()
    for (name, file, content) in parts {
      data += Data("--line\r\nContent-Disposition: form-data; name=\"\(name)\"".utf8)
      if let file { data += Data("; filename=\"\(file)\"\r\nContent-Type: image/png".utf8) }
      data += Data("\r\n\r\n".utf8) + content + Data("\r\n".utf8)
    }
    data += Data("--line--\r\n".utf8)
    return try await self(
      .post, uri, data, [.contentType: "multipart/form-data; boundary=line"])
  }

  /// The `info` of an answer of AUTOMATIC1111's API.
  func info(_ answer: Answer) throws -> JSONValue {
    try #require(JSONValue(text: answer.body["info"]?.text ?? ""), "\(answer.body)")
  }

  /// What was painted for an answer of any API.
  func painted(_ answer: Answer) async throws -> Painting.Request {
    let id = try answer.body["data"]?[0]?["job"]?.text ?? info(answer)["job"]?.text ?? ""
    return try #require(try await bench.store.job(id)).painted()
  }
}

/// Pictures for tests.
enum Sample {
  /// The left half of one colour, the right half of another, 16x16, as PNG.
  static func halves(_ left: Color, _ right: Color, texts: [PictureText] = []) throws -> Data {
    var bytes: [UInt8] = []
    for _ in 0..<16 {
      for x in 0..<16 {
        let color = x < 8 ? left : right
        bytes += [color.red, color.green, color.blue, color.alpha]
      }
    }
    return try Picture(width: 16, height: 16, channels: 4, bytes: bytes)
      .encoded(as: .png(texts: texts))
  }

  static let red = Color(red: 200, green: 20, blue: 30)
  static let white = Color(red: 255, green: 255, blue: 255)
  static let black = Color(red: 0, green: 0, blue: 0)
  static let clear = Color(red: 0, green: 0, blue: 0, alpha: 0)

  /// A whole picture as base64.
  static func base64() throws -> String { try halves(red, red).base64EncodedString() }
}
