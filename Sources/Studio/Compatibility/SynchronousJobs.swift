import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Painting

/// For the APIs that answer when all is painted: hands jobs in and waits for their end.
struct SynchronousJobs: Sendable {
  let queue: JobQueue
  let admission: JobFactory
  let permits: Permits

  /// What came of jobs.
  struct Outcome: Sendable {
    let jobs: [Job]
    let pictures: [PictureRecord]
  }

  /// What is seen on the way.
  enum Sight: Sendable {
    case preview(EventBus.Preview, done: Double)
    /// Nothing has happened for a while.
    case beat
  }

  /// Paints jobs one after the other; when the client leaves meanwhile, they are cancelled.
  /// - Parameters:
  ///   - names: of a request's fields as the client calls them.
  ///   - isWanted: called with the name of each job that was handed in; no more follow one that is not.
  ///   - see: called with what is seen on the way.
  /// - Throws: `Problem` when one of them could not be painted, or none has a picture.
  func paint(
    _ new: [Store.NewJob], names: [String: String] = [:],
    isWanted: (String) -> Bool = { _ in true },
    see: (Sight) async throws -> Void = { _ in }
  ) async throws -> Outcome {
    var jobs: [Job] = []
    do {
      for one in new {
        // Outlasting: what was taken must be known here, or nobody could cancel it.
        jobs.append(try await outlasting { [queue] in try await queue.submit(one).job })
        try Task.checkCancellation()
        guard isWanted(jobs[jobs.count - 1].id) else {
          await cancel([jobs.removeLast().id])
          break
        }
      }
      var ended: [Job] = []
      var pictures: [PictureRecord] = []
      for job in jobs {
        let (now, found) = try await watch(job, see)
        ended.append(now)
        pictures += found
      }
      guard !pictures.isEmpty else {
        throw Problem(.conflict, "The job was cancelled before there was a picture.")
      }
      return Outcome(jobs: ended, pictures: pictures)
    } catch {
      // Of a studio that closes, jobs go on when it is open again.
      if await queue.isOpen { await cancel(jobs.map(\.id)) }
      guard var problem = error as? Problem else { throw error }
      problem.field = problem.field.map { names[$0] ?? $0 }
      throw problem
    }
  }

  /// Cancels jobs, also where the task that asks for it is cancelled itself.
  private func cancel(_ jobs: [String]) async {
    for id in jobs {
      do {
        _ = try await outlasting { [queue] in try await queue.cancel(id, keep: false) }
      } catch {
        queue.logger.error("cannot cancel", metadata: ["job": "\(id)", "why": "\(error)"])
      }
    }
  }

  private func watch(
    _ job: Job, _ see: (Sight) async throws -> Void
  ) async throws -> (Job, [PictureRecord]) {
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
      case .beat: try await see(.beat)
      }
    }
    try Task.checkCancellation()
    throw Problem(
      .serviceUnavailable, "The studio is closing; the job goes on when it is open again.",
      headers: [.retryAfter: "10"])
  }

  private func outcome(of job: Job) async throws -> (Job, [PictureRecord])? {
    guard let now = try await queue.store.job(job.id), now.state.isOver else { return nil }
    if now.state == .failed {
      if now.reason == Problem.full.detail { throw Problem.full }
      throw Problem(
        now.field == nil ? .internalServerError : .unprocessableContent,
        now.reason ?? "It could not be painted.", field: now.field)
    }
    var pictures: [PictureRecord] = []
    for id in try await queue.store.pictures(of: [job.id])[job.id] ?? [] {
      if let picture = try await queue.store.picture(id) { pictures.append(picture) }
    }
    return (now, pictures)
  }

  /// The PNG of a picture.
  func file(_ picture: PictureRecord) throws -> Data {
    guard let data = try? Data(contentsOf: queue.folder.picture(picture.id)) else {
      throw Problem.notFound("file of this picture")
    }
    return data
  }

  /// A client that waits for its answer, all of whose request is read.
  struct Caller: Sendable {
    fileprivate let request: HummingbirdCore.Request

    /// Does something, once, that is cancelled when the client leaves. To notice that, whatever it sends next
    /// is read, too, and lost: the answer says that the connection ends.
    func attending<Value: Sendable>(
      _ work: () async throws -> Value
    ) async throws -> Value {
      try await request.body.consumeWithCancellationOnInboundClose { _ in try await work() }
    }
  }

  /// Reads what `work` gives an answer to.
  func answering(
    _ request: HummingbirdCore.Request, limit: Int,
    _ work: (Data, Caller) async throws -> Response
  ) async throws -> Response {
    let permit = try permits.take()
    defer { permit.giveBack() }
    do {
      var request = request
      let data = try await request.bytes(limit: limit)
      // Nobody reads it again, and the connection is looked at behind it.
      request.body = RequestBody(buffer: ByteBuffer())
      var response = try await work(data, Caller(request: request))
      response.headers[.connection] = "close"
      return response
    } catch {
      guard var problem = Problem(error) else { throw error }
      problem.headers[.connection] = "close"
      throw problem
    }
  }
}

/// Does something to its end, whatever becomes of the task that asks for it. In a task that is cancelled, the
/// database throws instead of reading or writing.
func outlasting<Value: Sendable>(
  _ body: @Sendable @escaping () async throws -> Value
) async throws -> Value {
  try await Task { try await body() }.value
}
