import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging
import Library
import Logging
import NIOCore
import NIOHTTP1
import Painting

/// What a client did wrong, or what the studio cannot do, told in the form that the client's API has:
/// RFC 9457 for the studio's own, and the forms of OpenAI and AUTOMATIC1111 for theirs.
struct Problem: Error, HTTPResponseError {
  var status: HTTPResponse.Status
  /// For people, with the next step.
  var detail: String
  /// The field that is to blame.
  var field: String?
  var headers = HTTPFields()

  init(
    _ status: HTTPResponse.Status, _ detail: String, field: String? = nil,
    headers: HTTPFields = HTTPFields()
  ) {
    self.status = status
    self.detail = detail
    self.field = field
    self.headers = headers
  }

  /// The folder of the studio takes no more.
  static let full = Problem(
    .init(code: 507, reasonPhrase: "Insufficient Storage"),
    "The disk of the studio's folder is full. Free some space, or throw pictures away, and try again."
  )

  static func notFound(_ what: String) -> Problem { Problem(.notFound, "There is no \(what).") }

  func response(from request: HummingbirdCore.Request, context: some RequestContext) -> Response {
    let path = request.uri.path
    var headers = headers
    let value: JSONValue
    headers[.contentType] = "application/json"
    if path.hasPrefix("/v1/") {
      let type =
        status.code >= 500
        ? "server_error" : status.code == 429 ? "rate_limit_error" : "invalid_request_error"
      value = .object([
        "error": .object([
          "message": .string(detail), "type": .string(type), "param": JSONValue(field),
          "code": .string(title.lowercased().replacingOccurrences(of: " ", with: "_")),
        ])
      ])
    } else if path.hasPrefix("/sdapi/") {
      value = .object([
        "error": .string(title.replacingOccurrences(of: " ", with: "")), "detail": .string(detail),
        "body": .string(""), "errors": .string(field.map { "\($0): \(detail)" } ?? ""),
      ])
    } else {
      headers[.contentType] = "application/problem+json"
      var fields: [String: JSONValue] = [
        "type": .string("about:blank"), "title": .string(title),
        "status": .integer(status.code), "detail": .string(detail),
      ]
      if let field { fields["field"] = .string(field) }
      value = .object(fields)
    }
    return Response(
      status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: value.json)))
  }

  private var title: String {
    status.reasonPhrase.isEmpty ? "Error \(status.code)" : status.reasonPhrase
  }
}

/// Whether an error is that a disk, or somebody's share of it, is full.
func isFullDisk(_ error: any Error) -> Bool {
  switch error {
  case let error as DatabaseError: return error.resultCode == .SQLITE_FULL
  case let error as CocoaError where error.code == .fileWriteOutOfSpace: return true
  case let error as POSIXError: return [.ENOSPC, .EDQUOT].contains(error.code)
  case ImagingError.unwritable(_, let reason):
    return reason.contains(String(cString: strerror(ENOSPC)))
  case StudioError.folder(_, let reason): return reason == String(cString: strerror(ENOSPC))
  case let error as WorkerEvent.Failure:
    return error.reason.contains(String(cString: strerror(ENOSPC)))
  default:
    let inner = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
    return inner.map(isFullDisk) ?? false
  }
}

extension Problem {
  /// The problem that an error is; nil where it is none of the client's.
  init?(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let error where isFullDisk(error): self = .full
    case let error as RequestError:
      self.init(.unprocessableContent, "\(error)", field: error.field)
    case let error as PresetError: self.init(.unprocessableContent, "\(error)", field: "presets")
    case let error as StoreError: self.init(.unprocessableContent, "\(error)", field: "model")
    case let error as PaintingError:
      switch error {
      case .notInPack: self.init(.unprocessableContent, "\(error)", field: "method")
      case .missingFile: self.init(.unprocessableContent, "\(error)")
      default: return nil
      }
    case let error as ImagingError:
      switch error {
      case .tooLarge: self.init(.contentTooLarge, "\(error)")
      default: self.init(.unprocessableContent, "\(error)")
      }
    case QueueError.full(let limit):
      self.init(
        .tooManyRequests, "\(limit) jobs are waiting already. Wait until some are painted.",
        headers: [.retryAfter: "30"])
    case is NIOTooManyBytesError:
      self.init(.contentTooLarge, "The request is larger than this place takes.")
    case let error as HTTPError:
      self.init(
        error.status,
        error.body
          ?? (error.status == .notFound ? "There is nothing at this address." : "\(error)"),
        headers: error.headers)
    case let error as any HTTPResponseError: self.init(error.status, "\(error)")
    default: return nil
    }
  }
}

/// Turns errors into problems. What nobody foresaw is logged with its reason and told as 500.
struct ProblemMiddleware: RouterMiddleware {
  typealias Context = StudioContext

  func handle(
    _ request: HummingbirdCore.Request, context: StudioContext,
    next: (HummingbirdCore.Request, StudioContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPParserError {
      throw error
    } catch is CancellationError {
      // Nobody is there any more to read it; the log is.
      return Problem(
        .init(code: 499, reasonPhrase: "Client Closed Request"), "The client left."
      ).response(from: request, context: context)
    } catch {
      if let problem = Problem(error) { return problem.response(from: request, context: context) }
      context.logger.error(
        "request failed", metadata: ["path": "\(request.uri.path)", "reason": "\(error)"])
      return Problem(.internalServerError, "The studio failed at this; its log says why.")
        .response(from: request, context: context)
    }
  }
}

/// What is known of a request beside itself.
struct StudioContext: RequestContext {
  var coreContext: CoreRequestContextStorage

  init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }
}
