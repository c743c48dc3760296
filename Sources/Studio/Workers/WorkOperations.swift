import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Painting

/// What workers on other machines ask of the studio. It is between programs of one version, and no part of the
/// API.
struct WorkOperations: Sendable {
  let queue: JobQueue
  let broker: JobBroker
  let factory: JobFactory
  let metrics: Metrics

  /// The header that says on which lease something is handed in.
  static let lease = HTTPField.Name("Reverie-Lease").unsafelyUnwrapped

  func add(to router: Router<StudioContext>) {
    router.post("/worker/greet") { request, _ in try await greet(request) }
    router.post("/worker/claim") { request, _ in try await claim(request) }
    router.post("/worker/pictures") { request, _ in try await takePicture(request) }
    router.post("/worker/checkpoint") { request, _ in try await takeCheckpoint(request) }
    router.post("/worker/end") { request, _ in try await end(request) }
    router.get("/worker/files/{sha256}") { request, context in
      try await file(request, context)
    }
    router.put("/worker/files/{sha256}") { request, context in
      try await takeFile(request, context)
    }
  }

  // MARK: Who is there

  private func greet(_ request: HummingbirdCore.Request) async throws -> Response {
    let worker = try await read(WorkerDescription.self, from: request)
    if let objection = worker.objection(pack: factory.packName) {
      broker.roster.refuse()
      throw Problem(.conflict, objection)
    }
    try check(worker.name)
    broker.roster.greet(worker)
    return try answer(broker.welcome(worker))
  }

  /// A name becomes part of subjects and of what is told.
  private func check(_ name: String) throws {
    guard (1...80).contains(name.utf8.count), name.utf8.allSatisfy(Self.isPlain) else {
      throw Problem(
        .unprocessableContent, "A worker's name has small letters, digits and hyphens.")
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
  }

  // MARK: Jobs

  private func claim(_ request: HummingbirdCore.Request) async throws -> Response {
    let start = ContinuousClock.now
    let wish = try await read(WorkClaim.self, from: request)
    try check(wish.worker)
    guard await queue.isOpen else {
      throw Problem(
        .serviceUnavailable, "The studio is closing.", headers: [.retryAfter: "5"])
    }
    let roster = broker.roster
    let claim = try await queue.store.claim(
      wish.ticket.id, isAgain: wish.isAgain, needs: wish.ticket.needs, for: wish.worker,
      isAtWork: { roster.isAtWork($0) })
    defer { metrics.note(claim: (ContinuousClock.now - start).seconds) }
    switch claim {
    case .granted(let job): return try answer(try await assignment(job, for: wish.worker))
    case .nothing: throw Problem(.gone, "No job of these needs waits.")
    case .taken: throw Problem(.gone, "Another worker is at work on this.")
    case .givenUp(let job):
      try await queue.fail(
        job.id,
        .init(
          reason: "\(Store.mostLosses) workers were lost while they painted this.", field: nil))
      throw Problem(.gone, "The job is given up.")
    }
  }

  private func assignment(_ job: Job, for worker: String) async throws -> WorkAssignment {
    let lease = Lease(job: job.id, turn: job.turn)
    broker.roster.give(lease, to: worker)
    await queue.begins(job.id, with: RemotePainter(worker: worker, lease: lease, broker: broker))
    queue.bus.tell(job.id)
    queue.logger.info("job begins", metadata: ["job": "\(job.id)", "worker": "\(worker)"])
    do {
      let work = try job.decodedWork()
      let request = try job.painted()
      var inputs: [WorkAssignment.Input] = []
      for reference in request.references + (work?.references ?? []) {
        guard let input = try await queue.store.input(reference.sha256) else {
          throw PaintingError.missingFile(name: reference.name)
        }
        inputs.append(.init(reference: reference, ending: input.ending))
      }
      return WorkAssignment(
        lease: lease, request: request, count: job.count, work: work, inputs: inputs,
        checkpoint: queue.folder.kept(of: job.id).checkpoint)
    } catch {
      try await queue.fail(job.id, WorkerEvent.Failure(error))
      broker.roster.end(lease, finished: false)
      throw Problem(.gone, "The job cannot be painted.")
    }
  }

  private func end(_ request: HummingbirdCore.Request) async throws -> Response {
    let (job, lease) = try await leased(request)
    let ending = try await read(WorkEnding.self, from: request)
    let logger = queue.logger
    if let failure = ending.failure {
      logger.warning("job failed", metadata: ["job": "\(job.id)", "reason": "\(failure.reason)"])
      try await queue.fail(
        job.id, .init(reason: String(failure.reason.prefix(2_000)), field: failure.field))
    } else if let death = ending.death?.death {
      logger.warning("painter ended", metadata: ["job": "\(job.id)", "how": "\(death)"])
      try await queue.note(death, of: job.id)
    } else if let outcome = ending.outcome {
      logger.info("job ends", metadata: ["job": "\(job.id)", "how": "\(outcome)"])
      try await queue.end(job.id, outcome)
    } else {
      throw Problem(.unprocessableContent, "There is no outcome, no failure and no death.")
    }
    let state = try await queue.store.job(job.id)?.state
    let isOver = state?.isOver ?? true
    broker.roster.end(lease, finished: isOver ? state != .failed : nil)
    return try answer(WorkReceipt(isOver: isOver))
  }

  // MARK: What is handed in

  private func takePicture(_ request: HummingbirdCore.Request) async throws -> Response {
    let (job, _) = try await leased(request)
    let picture = try await read(WorkPicture.self, from: request)
    guard (1...max(1, job.count)).contains(picture.place) else {
      throw Problem(.unprocessableContent, "The job has no picture \(picture.place).")
    }
    let kept = queue.folder.kept(of: job.id)
    func path(_ sha256: String) throws -> String {
      guard KeptFiles.isHash(sha256), kept.has(sha256) else {
        throw Problem(.unprocessableContent, "A file of the picture was not handed in.")
      }
      return kept.file(sha256).path
    }
    try await queue.note(
      .picture(
        .init(
          place: picture.place, path: path(picture.picture), film: try picture.film.map(path),
          attention: try picture.attention.map(path), trace: try picture.trace.map(path),
          metadata: picture.metadata, score: picture.score, stopped: picture.stopped)), of: job)
    return Response(status: .noContent)
  }

  private func takeCheckpoint(_ request: HummingbirdCore.Request) async throws -> Response {
    let (job, _) = try await leased(request)
    let checkpoint = try await read(KeptFiles.Checkpoint.self, from: request)
    try queue.folder.kept(of: job.id).keep(checkpoint)
    return Response(status: .noContent)
  }

  private func takeFile(_ request: HummingbirdCore.Request, _ context: StudioContext) async throws
    -> Response
  {
    let (job, _) = try await leased(request)
    let sha256 = try hash(context)
    let kept = queue.folder.kept(of: job.id)
    guard !kept.has(sha256) else { return Response(status: .noContent) }
    try await kept.add(sha256, request.body.map(\.readableBytesView))
    return Response(status: .created)
  }

  private func file(_ request: HummingbirdCore.Request, _ context: StudioContext) async throws
    -> Response
  {
    let (job, _) = try await leased(request)
    let file = queue.folder.kept(of: job.id).file(try hash(context))
    guard let handle = try? FileHandle(forReadingFrom: file) else {
      throw Problem.notFound("such file")
    }
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: 0)
    return Response(
      status: .ok, headers: [.contentType: "application/octet-stream"],
      body: ResponseBody(contentLength: Int(size)) { writer in
        defer { try? handle.close() }
        while let part = try handle.read(upToCount: 1 << 18), !part.isEmpty {
          try await writer.write(ByteBuffer(bytes: part))
        }
        try await writer.finish(nil)
      })
  }

  private func hash(_ context: StudioContext) throws -> String {
    guard let sha256 = context.parameters.get("sha256"), KeptFiles.isHash(sha256) else {
      throw Problem.notFound("such file")
    }
    return sha256
  }

  // MARK: Forms

  /// The job on whose lease something is asked.
  /// - Throws: `Problem` 409 where the lease is lost: whoever asks is to drop what it does.
  private func leased(_ request: HummingbirdCore.Request) async throws -> (Job, Lease) {
    guard let lease = request.headers[Self.lease].flatMap({ Lease($0) }) else {
      throw Problem(.badRequest, "There is no \(Self.lease.rawName) that could be one.")
    }
    guard let job = try await queue.store.job(on: lease), let worker = job.device else {
      throw Problem(.conflict, "The job is over, or was given to another worker.")
    }
    broker.roster.note(lease, of: worker)
    return (job, lease)
  }

  private func read<Value: Decodable>(
    _ type: Value.Type, from request: HummingbirdCore.Request
  ) async throws -> Value {
    let data = try await request.bytes(limit: 8 << 20)
    // Its depth is looked at first.
    _ = try JSONValue(body: data)
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch {
      throw Problem(.unprocessableContent, "The body is no \(type).")
    }
  }

  private func answer(_ value: some Encodable) throws -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json"],
      body: .init(byteBuffer: ByteBuffer(bytes: try JSONEncoder().encode(value))))
  }
}
