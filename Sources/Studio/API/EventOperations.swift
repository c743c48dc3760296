import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Painting

/// What happens, as server-sent events (WHATWG HTML, section 9.2): of one job, or of all.
///
/// Events are numbered; who comes back with the last number that it saw (`Last-Event-ID`) gets what it
/// missed. Pictures on the way have no number: of them only the newest counts.
struct EventOperations: OperationGroup {
  let queue: JobQueue

  var operations: [Operation] {
    [
      Operation(
        method: .get, path: "/api/v1/jobs/{id}/events", id: "watchJob",
        summary: "What happens to a job from its beginning, until it is over.",
        parameters: [.job, .lastEvent],
        answers: [
          .init(status: 200, help: "Server-sent events", type: "text/event-stream"),
          .problem(404, "There is none"), .problem(429, "Too many listen already"),
        ]
      ) { request, context in
        let id = try context.identifier(of: "job")
        guard try await queue.store.job(id) != nil else { throw Problem.notFound("job '\(id)'") }
        return try await stream(request, job: id, after: 0)
      },
      Operation(
        method: .get, path: "/api/v1/events", id: "watchAll",
        summary: "What happens to all jobs from now on.",
        parameters: [.lastEvent],
        answers: [
          .init(status: 200, help: "Server-sent events", type: "text/event-stream"),
          .problem(429, "Too many listen already"),
        ]
      ) { request, _ in
        try await stream(request, job: nil, after: queue.store.lastEvent())
      },
    ]
  }

  private func stream(_ request: HummingbirdCore.Request, job: String?, after start: Int64)
    async throws -> Response
  {
    guard let notices = queue.bus.listen(to: job) else {
      throw Problem(
        .tooManyRequests, "\(queue.bus.limit) listen already. Try again later.",
        headers: [.retryAfter: "30"])
    }
    let asked = request.headers[.lastEventID].flatMap { Int64($0) }
    let last = asked.map { max(0, $0) } ?? start
    let queue = queue
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/event-stream", .cacheControl: "no-store",
        .init("X-Accel-Buffering").unsafelyUnwrapped: "no",
      ],
      body: ResponseBody { writer in
        var last = last
        var shown: [String: Int] = [:]
        // The number that a client begins with, so that it misses nothing if it is cut off early.
        try await writer.write(
          ByteBuffer(string: "retry: 2000\nid: \(last)\nevent: hello\ndata: {}\n\n"))
        var isOver = try await Self.send(queue, job, &last, &writer)
        for preview in queue.bus.previews where job == nil || job == preview.job {
          try await Self.send(preview, &shown, &writer)
        }
        if !isOver {
          for await notice in notices {
            switch notice {
            case .news: isOver = try await Self.send(queue, job, &last, &writer)
            case .preview(let id):
              // Events first, so that a picture on the way never stands before its beginning.
              isOver = try await Self.send(queue, job, &last, &writer)
              if let preview = queue.bus.preview(of: id) {
                try await Self.send(preview, &shown, &writer)
              }
            case .beat: try await writer.write(ByteBuffer(string: ": still here\n\n"))
            }
            if isOver { break }
          }
        }
        try await writer.finish(nil)
      })
  }

  /// Sends what is new.
  /// - Returns: whether the one job that is watched is over.
  private static func send(
    _ queue: JobQueue, _ job: String?, _ last: inout Int64, _ writer: inout any ResponseBodyWriter
  ) async throws -> Bool {
    while true {
      let events = try await queue.store.events(after: last, job: job)
      guard let newest = events.last?.id else { return false }
      var text = ""
      for event in events {
        var fields: [String: JSONValue] = ["job": .string(event.job), "time": .number(event.time)]
        if case .object(let more) = JSONValue(text: event.body) { fields.merge(more) { $1 } }
        text +=
          "id: \(event.id ?? 0)\nevent: \(event.kind.rawValue)\n"
          + "data: \(JSONValue.object(fields).json)\n\n"
      }
      try await writer.write(ByteBuffer(string: text))
      last = newest
      let ends: [StoredEvent.Kind] = [.finished, .failed, .cancelled]
      if job != nil, let kind = events.last?.kind, ends.contains(kind) { return true }
    }
  }

  private static func send(
    _ preview: EventBus.Preview, _ shown: inout [String: Int],
    _ writer: inout any ResponseBodyWriter
  ) async throws {
    guard shown[preview.job] != preview.step else { return }
    shown[preview.job] = preview.step
    let data = JSONValue.object([
      "job": .string(preview.job), "step": .integer(preview.step),
      "image": .string("data:image/jpeg;base64," + preview.jpeg.base64EncodedString()),
    ])
    try await writer.write(ByteBuffer(string: "event: preview\ndata: \(data.json)\n\n"))
  }
}

extension HTTPField.Name {
  static let lastEventID = Self("Last-Event-ID").unsafelyUnwrapped
}
