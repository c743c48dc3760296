import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Painting

/// Jobs: hand in, list, look at, end, move.
struct JobOperations: OperationGroup {
  let queue: JobQueue
  let admission: JobFactory

  var operations: [Operation] {
    [
      Operation(
        method: .post, path: "/api/v1/jobs", id: "createJob",
        summary: "Queue something to be painted. When it is answered, it is on the disk.",
        parameters: [
          .init(
            name: "Idempotency-Key",
            help: "Of two with one key the second is the first one's job",
            schema: .text(limit: 200),
            isHeader: true)
        ],
        body: "NewJob",
        answers: [
          .init(status: 202, help: "It is queued", schema: "Job"),
          .init(status: 200, help: "It was queued before, under the same key", schema: "Job"),
          .problem(422, "The field that it names cannot be used"),
          .problem(429, "The queue is full; Retry-After says when to try again"),
        ], handler: create),
      Operation(
        method: .get, path: "/api/v1/jobs", id: "listJobs",
        summary: "Jobs: those that wait in the order of the queue, else the newest first.",
        parameters: [
          .init(
            name: "state", help: "One or more states, by commas", schema: .text(limit: 100)),
          .limit(standard: 50, most: 500), .after,
        ],
        answers: [
          .init(status: 200, help: "A page", schema: "JobPage"),
          .problem(422, "A value of the query cannot be used"),
        ], handler: list),
      Operation(
        method: .get, path: "/api/v1/jobs/{id}", id: "getJob", summary: "A job and how it stands.",
        parameters: [.job],
        answers: [
          .init(status: 200, help: "The job", schema: "Job"), .problem(404, "There is none"),
        ]
      ) { _, context in
        .json(try await value(of: job(context)))
      },
      Operation(
        method: .post, path: "/api/v1/jobs/{id}/cancel", id: "cancelJob",
        summary: "End a job, and keep what there is so far if that is wanted.",
        parameters: [.job], body: "Cancellation", isBodyOptional: true,
        answers: [
          .init(status: 202, help: "It ends after its step", schema: "Job"),
          .problem(404, "There is none"), .problem(409, "It is over already"),
          .problem(422, "A field cannot be used"),
        ], handler: cancel),
      Operation(
        method: .post, path: "/api/v1/jobs/{id}/move", id: "moveJob",
        summary: "Move a waiting job before another one, or to the end.",
        parameters: [.job], body: "Move",
        answers: [
          .init(status: 200, help: "The job", schema: "Job"), .problem(404, "There is none"),
          .problem(409, "One of the two does not wait"),
          .problem(422, "A field cannot be used"),
        ], handler: move),
      Operation(
        method: .get, path: "/api/v1/jobs/{id}/preview", id: "getPreview",
        summary: "The newest picture on the way of a job that is being painted.",
        parameters: [.job],
        answers: [
          .init(status: 200, help: "A JPEG", type: "image/jpeg"),
          .problem(404, "There is none"),
        ]
      ) { request, context in
        let id = try context.identifier(of: "job")
        guard let preview = queue.bus.preview(of: id) else {
          throw Problem.notFound("picture on the way")
        }
        return .bytes(
          preview.jpeg, type: "image/jpeg", etag: "\(preview.step)", request: request,
          cache: "no-store")
      },
    ]
  }

  @Sendable private func create(_ request: HummingbirdCore.Request, _ context: StudioContext)
    async throws -> Response
  {
    let new = try admission.job(await request.json(), key: request.headers[Self.key])
    try await checkFiles(new.request.references, mayBeVideos: false)
    try await checkFiles(new.work?.references ?? [], mayBeVideos: true)
    let (job, isNew) = try await queue.submit(new)
    var answer = try await value(of: job)
    if case .object(var fields) = answer, !new.remarks.isEmpty {
      fields["remarks"] = .array(new.remarks.map { .string($0.text) })
      answer = .object(fields)
    }
    return .json(answer, isNew ? .accepted : .ok, [.location: "/api/v1/jobs/\(job.id)"])
  }

  private static let key = HTTPField.Name("Idempotency-Key").unsafelyUnwrapped

  /// Files that a job names must be here, and pictures where pictures are wanted.
  private func checkFiles(_ references: [FileReference], mayBeVideos: Bool) async throws {
    for reference in references {
      let name = reference.name.prefix(80)
      guard let input = try await queue.store.input(reference.sha256) else {
        throw Problem(
          .unprocessableContent,
          "The file '\(name)' is not here. Hand it in first: POST /api/v1/files", field: "request")
      }
      guard mayBeVideos || !Inputs.videoEndings.contains(input.ending) else {
        throw Problem(
          .unprocessableContent,
          "The file '\(name)' is a video, and the request wants a picture there. A video is painted over with "
            + #""film": {"kind": "restyle", "source": […]}."#, field: "request")
      }
    }
  }

  @Sendable private func list(_ request: HummingbirdCore.Request, _ context: StudioContext)
    async throws -> Response
  {
    let states = try (request.text("state") ?? "").split(separator: ",").map { word in
      guard let state = Job.State(rawValue: String(word)) else {
        throw Problem(
          .unprocessableContent,
          "There is no state '\(word.prefix(20))', but "
            + Job.State.allCases.map(\.rawValue).joined(separator: ", ") + ".", field: "state")
      }
      return state
    }
    let limit = try request.number("limit", in: 1...500, standard: 50)
    let after = try request.text("after", limit: 40)
    if let after, Double(after).map({ !$0.isFinite }) ?? true {
      throw Problem(
        .unprocessableContent, "after must be what an earlier page called 'next'.", field: "after")
    }
    let page = try await queue.store.jobs(states, after: after, limit: limit)
    return .json(
      .object([
        "jobs": .array(try await values(of: page.jobs)), "next": JSONValue(page.next),
      ]))
  }

  private func job(_ context: StudioContext) async throws -> Job {
    let id = try context.identifier(of: "job")
    guard let job = try await queue.store.job(id) else { throw Problem.notFound("job '\(id)'") }
    return job
  }

  @Sendable private func cancel(_ request: HummingbirdCore.Request, _ context: StudioContext)
    async throws -> Response
  {
    let job = try await job(context)
    let fields = try await request.fields(of: .cancellation)
    var keep = false
    switch fields["keep"] {
    case nil, .null: break
    case .bool(let wish): keep = wish
    default: throw RequestError.badValue(field: "keep", reason: "must be true or false")
    }
    guard let ended = try await queue.cancel(job.id, keep: keep) else {
      throw Problem(.conflict, "The job is over already: it is \(job.state.rawValue).")
    }
    return .json(try await value(of: ended), .accepted)
  }

  @Sendable private func move(_ request: HummingbirdCore.Request, _ context: StudioContext)
    async throws -> Response
  {
    let job = try await job(context)
    let fields = try await request.fields(of: .move)
    var before: String?
    switch fields["before"] {
    case nil, .null: break
    case .string(let id) where Identifier.isPlausible(id): before = id
    default: throw RequestError.badValue(field: "before", reason: "must be a job's name, or null")
    }
    guard try await queue.move(job.id, before: before) else {
      throw Problem(.conflict, "Only jobs that wait can be moved, and before one that waits.")
    }
    return .json(try await value(of: self.job(context)))
  }

  // MARK: The form of a job

  func value(of job: Job) async throws -> JSONValue { try await values(of: [job])[0] }

  /// Jobs as clients see them.
  func values(of jobs: [Job]) async throws -> [JSONValue] {
    let places = try await queue.store.places(of: jobs)
    let pictures = try await queue.store.pictures(of: jobs.map(\.id))
    let live = await queue.allLive
    return jobs.map { job in
      var progress: JSONValue = .null
      if let fields = live[job.id].map(JobQueue.fields), !fields.isEmpty {
        progress = .object(fields)
      } else if let step = job.step, let total = job.total {
        progress = .object([
          "step": .integer(step), "total": .integer(total), "unit": JSONValue(job.unit),
        ])
      }
      var error: JSONValue = .null
      if let reason = job.reason {
        error = .object(["reason": .string(reason), "field": JSONValue(job.field)])
      }
      return .object([
        "id": .string(job.id), "state": .string(job.state.rawValue),
        "prompt": .string(job.prompt), "count": .integer(job.count),
        "presets": .array(job.presetNames.map(JSONValue.string)),
        "request": JSONValue(text: job.request) ?? .null, "source": .string(job.source.rawValue),
        "film": film(job), "enlargement": enlargement(job),
        "parent": JSONValue(job.parent), "created": .number(job.created),
        "started": JSONValue(job.started), "ended": JSONValue(job.ended),
        "device": JSONValue(job.device), "place": JSONValue(places[job.id]),
        "progress": progress, "stopped": .bool(job.stopped), "error": error,
        "pictures": .array((pictures[job.id] ?? []).map(JSONValue.string)),
      ])
    }
  }
}

/// The film of a job as clients see it, or null.
private func film(_ job: Job) -> JSONValue {
  guard case .film(let film) = try? job.decodedWork(), let data = try? JSONEncoder().encode(film)
  else { return .null }
  return JSONValue(text: String(decoding: data, as: UTF8.self)) ?? .null
}

/// How many times larger a job makes a picture, or null.
private func enlargement(_ job: Job) -> JSONValue {
  guard case .enlargement(let enlargement) = try? job.decodedWork() else { return .null }
  return .integer(enlargement.scale)
}

extension HummingbirdCore.Request {
  /// The fields of a small JSON body, which may be empty.
  /// - Throws: `RequestError` for a field that the schema has not.
  func fields(of body: OpenAPI.Body) async throws -> [String: JSONValue] {
    guard case .object(let fields) = try await json(limit: 1 << 16) else {
      throw Problem(.unprocessableContent, "The body must be a JSON object.")
    }
    try body.check(fields)
    return fields
  }
}
