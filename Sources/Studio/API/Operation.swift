import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Painting
import Synchronization

/// One thing that clients can ask for: routes and the OpenAPI document both come from these.
struct Operation: Sendable {
  /// A value in the address.
  struct Parameter: Sendable {
    let name: String
    let help: String
    let schema: JSONValue
    var isInPath = false
    var isHeader = false
  }

  /// An answer.
  struct Answer: Sendable {
    let status: Int
    let help: String
    /// The media type; nil for none.
    var type: String? = "application/json"
    /// The name of a schema, or nil for what it may be.
    var schema: String?
  }

  let method: HTTPRequest.Method
  /// `/api/v1/jobs/{id}`.
  let path: String
  /// The name in generated clients.
  let id: String
  let summary: String
  var parameters: [Parameter] = []
  /// The name of the body's schema; nil where it takes none.
  var body: String?
  /// The body's media types.
  var bodyTypes = ["application/json"]
  /// Whether the body may be left out.
  var isBodyOptional = false
  let answers: [Answer]
  let handler: @Sendable (HummingbirdCore.Request, StudioContext) async throws -> Response
}

/// Several operations of one subject.
protocol OperationGroup: Sendable {
  var operations: [Operation] { get }
}

// MARK: - Reading requests

/// How many may do something at once that takes much memory; others are told to come back.
final class Permits: Sendable {
  private let left: Mutex<Int>

  init(_ count: Int) { left = Mutex(count) }

  /// One permit.
  /// - Throws: `Problem` when there is none left.
  func take() throws -> Permit {
    let isThere = left.withLock { left in
      guard left > 0 else { return false }
      left -= 1
      return true
    }
    guard isThere else {
      throw Problem(
        .tooManyRequests, "Too many pictures are being handed in at once. Try again.",
        headers: [.retryAfter: "2"])
    }
    return Permit(permits: self)
  }

  /// Given back when it is done with.
  struct Permit: Sendable {
    fileprivate let permits: Permits

    func giveBack() { permits.left.withLock { $0 += 1 } }
  }
}

extension HummingbirdCore.Request {
  /// The JSON of the body.
  /// - Parameter limit: most bytes.
  /// - Throws: `Problem`.
  func json(limit: Int = 1 << 20) async throws -> JSONValue {
    if let type = headers[.contentType]?.lowercased(), !type.hasPrefix("application/json"),
      !type.contains("+json")
    {
      throw Problem(
        .unsupportedMediaType, "The body must be application/json, not \(type.prefix(60)).")
    }
    let data = try await bytes(limit: limit)
    return data.isEmpty ? .object([:]) : try JSONValue(body: data)
  }

  /// The bytes of the body.
  /// - Parameter limit: most of them.
  func bytes(limit: Int) async throws -> Data {
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw Problem(.contentTooLarge, "The body has \(length) bytes; \(limit) are taken.")
    }
    let buffer = try await body.collect(upTo: limit)
    return Data(buffer.readableBytesView)
  }

  /// A whole number of the query.
  /// - Throws: `Problem` when it is none in the range.
  func number(_ name: String, in range: ClosedRange<Int>, standard: Int) throws -> Int {
    guard let text = uri.queryParameters[Substring(name)] else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw Problem(
        .unprocessableContent,
        "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).",
        field: name)
    }
    return number
  }

  /// A text of the query; nil when it is not there or empty.
  func text(_ name: String, limit: Int = 400) throws -> String? {
    guard let text = uri.queryParameters[Substring(name)], !text.isEmpty else { return nil }
    guard text.count <= limit, !text.unicodeScalars.contains("\0") else {
      throw Problem(
        .unprocessableContent, "\(name) must have at most \(limit) characters.", field: name)
    }
    return String(text)
  }

  /// A truth of the query.
  func flag(_ name: String) throws -> Bool {
    switch uri.queryParameters[Substring(name)] {
    case nil, "false", "0": false
    case "true", "1": true
    default:
      throw Problem(.unprocessableContent, "\(name) must be true or false.", field: name)
    }
  }
}

extension StudioContext {
  /// A name in the address that could be one of a job, picture or collection.
  /// - Throws: `Problem`.
  func identifier(_ name: String = "id", of what: String) throws -> String {
    guard let id = parameters.get(name), Identifier.isPlausible(id) else {
      throw Problem.notFound(what)
    }
    return id
  }
}

extension JSONValue {
  /// The value of a body.
  /// - Throws: `Problem` when it is no JSON, or nested for no reason.
  init(body data: Data) throws {
    // Foundation's decoder goes down by recursion: the depth is looked at first.
    guard Self.depth(data) <= 64 else {
      throw Problem(.badRequest, "The body is nested too deeply.")
    }
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: data) else {
      throw Problem(.badRequest, "The body is not valid JSON.")
    }
    self = value
  }

  private static func depth(_ data: Data) -> Int {
    var (depth, most, isText, isEscaped) = (0, 0, false, false)
    for byte in data {
      if isText {
        if isEscaped {
          isEscaped = false
        } else if byte == 0x5c {
          isEscaped = true
        } else if byte == 0x22 {
          isText = false
        }
        continue
      }
      switch byte {
      case 0x22: isText = true
      case 0x5b, 0x7b:
        depth += 1
        most = max(most, depth)
      case 0x5d, 0x7d: depth -= 1
      default: break
      }
    }
    return most
  }
}

// MARK: - Answers

extension Response {
  /// JSON.
  static func json(
    _ value: JSONValue, _ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = HTTPFields()
  ) -> Response {
    var headers = headers
    headers[.contentType] = "application/json"
    return Response(
      status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: value.json)))
  }

  /// Bytes that never change under their address, or that are asked for anew with `etag`.
  static func bytes(
    _ data: Data, type: String, etag: String, request: HummingbirdCore.Request,
    cache: String = "private, max-age=31536000, immutable"
  ) -> Response {
    let quoted = "\"\(etag)\""
    let headers: HTTPFields = [.contentType: type, .eTag: quoted, .cacheControl: cache]
    if request.headers[.ifNoneMatch]?.contains(quoted) == true {
      return Response(status: .notModified, headers: headers)
    }
    return Response(
      status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
  }
}
