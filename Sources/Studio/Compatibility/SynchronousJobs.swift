import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Painting

/// For the APIs that answer when all is painted: hands a job in and waits for its end.
struct SynchronousJobs: Sendable {
  let queue: JobQueue
  let admission: JobFactory
  let permits: Permits

  /// What came of a job.
  struct Outcome: Sendable {
    let job: Job
    let pictures: [PictureRecord]
  }

  /// What is seen on the way.
  enum Sight: Sendable {
    case preview(EventBus.Preview, done: Double)
  }

  /// Paints; when the client leaves meanwhile, the job is cancelled.
  /// - Parameter see: called with pictures on the way.
  /// - Throws: `Problem` when it could not be painted.
  func paint(
    _ new: Store.NewJob, see: (Sight) async throws -> Void = { _ in }
  ) async throws -> Outcome {
    let job = try await queue.submit(new).job
    do {
      return try await watch(job, see)
    } catch {
      _ = try await queue.cancel(job.id, keep: false)
      throw error
    }
  }

  private func watch(_ job: Job, _ see: (Sight) async throws -> Void) async throws -> Outcome {
    guard let notices = queue.bus.listen(to: job.id) else {
      throw Problem(
        .tooManyRequests, "Too many wait already. Try again later.",
        headers: [.retryAfter: "30"])
    }
    if let outcome = try await outcome(of: job) { return outcome }
    for await notice in notices {
      try Task.checkCancellation()
      switch notice {
      case .news: if let outcome = try await outcome(of: job) { return outcome }
      case .preview:
        guard let preview = queue.bus.preview(of: job.id) else { continue }
        let progress = await queue.live(job.id)?.progress
        let done = progress.map { Double($0.step) / Double(max(1, $0.total)) } ?? 0
        try await see(.preview(preview, done: done))
      case .beat: break
      }
    }
    try Task.checkCancellation()
    throw Problem(
      .serviceUnavailable, "The studio is closing; the job goes on when it is open again.",
      headers: [.retryAfter: "10"])
  }

  private func outcome(of job: Job) async throws -> Outcome? {
    guard let now = try await queue.store.job(job.id), now.state.isOver else { return nil }
    var pictures: [PictureRecord] = []
    for id in try await queue.store.pictures(of: [job.id])[job.id] ?? [] {
      if let picture = try await queue.store.picture(id) { pictures.append(picture) }
    }
    switch now.state {
    case .failed:
      throw Problem(
        now.field == nil ? .internalServerError : .unprocessableContent,
        now.reason ?? "It could not be painted.", field: now.field)
    case .cancelled where pictures.isEmpty:
      throw Problem(.conflict, "The job was cancelled before there was a picture.")
    default: return Outcome(job: now, pictures: pictures)
    }
  }

  /// The PNG of a picture.
  func file(_ picture: PictureRecord) throws -> Data {
    guard let data = try? Data(contentsOf: queue.folder.picture(picture.id)) else {
      throw Problem.notFound("file of this picture")
    }
    return data
  }

  /// Reads what `body` gives, and does something that ends early when the client leaves. To notice that,
  /// whatever the client sends next is read, too, and lost: the answer says that the connection ends.
  func attending(
    _ request: HummingbirdCore.Request, limit: Int,
    _ work: @Sendable @escaping (Data) async throws -> Response
  ) async throws -> Response {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw Problem(.contentTooLarge, "The body has \(length) bytes; \(limit) are taken.")
    }
    let permit = try permits.take()
    defer { permit.giveBack() }
    do {
      var response = try await request.body.consumeWithCancellationOnInboundClose { body in
        let buffer = try await body.collect(upTo: limit)
        return try await work(Data(buffer.readableBytesView))
      }
      response.headers[.connection] = "close"
      return response
    } catch {
      guard var problem = Problem(error) else { throw error }
      problem.headers[.connection] = "close"
      throw problem
    }
  }
}

/// JSON fields as foreign APIs have them: what is not known is left aside and noted.
struct Fields {
  private var values: [String: JSONValue]
  private var read: Set<String> = []

  /// - Throws: `Problem` unless the data are a JSON object.
  init(_ data: Data) throws {
    guard case .object(let fields) = try JSONValue(body: data) else {
      throw Problem(.unprocessableContent, "The body must be a JSON object.")
    }
    values = fields.filter { $0.value != .null }
  }

  init(_ values: [String: JSONValue]) { self.values = values }

  /// Names that nobody asked for.
  var ignored: [String] { values.keys.filter { !read.contains($0) }.sorted() }
  /// All of them.
  var all: JSONValue { .object(values) }

  mutating func value(_ name: String) -> JSONValue? {
    read.insert(name)
    return values[name]
  }

  mutating func text(_ name: String) throws -> String? {
    switch value(name) {
    case nil: return nil
    case .string(let text): return text
    default: throw RequestError.badValue(field: name, reason: "must be a text")
    }
  }

  mutating func integer(_ name: String) throws -> Int? {
    switch value(name) {
    case nil: return nil
    case .integer(let number): return number
    case .number(let number) where number == number.rounded() && abs(number) < 1e15:
      return Int(number)
    // Multipart forms have texts only.
    case .string(let text) where Int(text) != nil: return Int(text)
    default: throw RequestError.badValue(field: name, reason: "must be a whole number")
    }
  }

  mutating func number(_ name: String) throws -> Double? {
    switch value(name) {
    case nil: return nil
    case .integer(let number): return Double(number)
    case .number(let number): return number
    case .string(let text) where Double(text) != nil: return Double(text)
    default: throw RequestError.badValue(field: name, reason: "must be a number")
    }
  }

  mutating func truth(_ name: String) throws -> Bool? {
    switch value(name) {
    case nil: return nil
    case .bool(let truth): return truth
    case .string("true"): return true
    case .string("false"): return false
    default: throw RequestError.badValue(field: name, reason: "must be true or false")
    }
  }

  mutating func texts(_ name: String) throws -> [String] {
    switch value(name) {
    case nil: return []
    case .array(let values):
      return try values.map { value in
        guard case .string(let text) = value else {
          throw RequestError.badValue(field: name, reason: "must be a list of texts")
        }
        return text
      }
    default: throw RequestError.badValue(field: name, reason: "must be a list of texts")
    }
  }
}
