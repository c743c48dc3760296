import Foundation
import Logging
import Painting
import ServiceLifecycle
import Synchronization

/// Hands the studio's jobs to workers on other machines, through JetStream.
///
/// The store stays the truth. For every job that is not over the stream holds one ticket, which a worker
/// pulls, holds on a lease while it paints, and acknowledges when the store knows the end. Who holds a ticket
/// asks the studio which job it is for. So nothing hangs on the two agreeing to the last message: a ticket too
/// many finds no job and is thrown away, and what is missing, after a broker lost its disk for instance, is
/// counted and published again.
final class JobBroker: Service, JobAnnouncing {
  /// How it is reached, and how it is to be.
  struct Options: Sendable {
    var address: NATSAddress
    /// Seconds after which a worker that has not been heard of loses its job.
    var lease = 30.0
  }

  /// How it stands with the broker.
  struct Standing: Sendable {
    /// Since when it is reached; nil while it is not.
    var since: Date?
    /// Why it is not.
    var reason: String?
    /// Tickets in its stream when they were last counted.
    var tickets = 0
    /// Tickets that were published.
    var published = 0
  }

  private struct State {
    var standing = Standing(reason: "not asked yet")
    var stream: JetStream?
    /// `Needs.json` of consumers that were made.
    var needs: Set<String> = []
  }

  let options: Options
  let roster: WorkerRoster
  private let name: String
  private let factory: JobFactory
  private let logger: Logger
  private let state = Mutex(State())
  private let queue = Mutex<JobQueue?>(nil)
  private let thread = WaitingThread("broker")
  private let wakes = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

  /// - Parameters:
  ///   - name: of the studio, so that several can share a broker.
  ///   - factory: tells what jobs need.
  init(_ options: Options, name: String, factory: JobFactory, logger: Logger) {
    self.options = options
    self.name = name
    self.factory = factory
    self.logger = logger
    roster = WorkerRoster(lease: options.lease)
  }

  /// Whose jobs it hands on.
  func serve(_ queue: JobQueue) { self.queue.withLock { $0 = queue } }

  /// How it stands.
  var standing: Standing {
    state.withLock { state in
      var standing = state.standing
      if let stream = state.stream, !stream.connection.isConnected {
        standing.since = nil
        standing.reason = "the connection is broken"
      }
      return standing
    }
  }

  // MARK: Names

  var streamName: String { "REVERIE-\(name)" }
  private var base: String { "reverie.\(name)" }
  private func subject(_ needs: String) -> String { "\(base).jobs.\(Needs.name(of: needs))" }
  private var reports: String { "\(base).reports" }
  private func orders(_ worker: String) -> String { "\(base).orders.\(worker)" }

  /// What a worker is told that may paint.
  func welcome(_ worker: WorkerDescription) -> Welcome {
    let needs = state.withLock { $0.needs }
    return Welcome(
      stream: streamName,
      sources: needs.sorted().filter { Needs(json: $0).map(worker.satisfies) ?? false }.map {
        .init(consumer: Needs.name(of: $0), subject: subject($0))
      },
      reports: reports, orders: orders(worker.name), lease: options.lease)
  }

  // MARK: Work

  func announce() { wakes.continuation.yield() }

  /// Keeps the broker's tickets in step with the store until the studio ends.
  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          while true {
            self.announce()
            try await Task.sleep(for: .seconds(2))
          }
        }
        group.addTask {
          for await _ in self.wakes.stream {
            let start = ContinuousClock.now
            await self.settle()
            // What comes in a rush is counted together, and counting must not be all that is done.
            try await Task.sleep(for: max(.milliseconds(20), (ContinuousClock.now - start) * 4))
          }
        }
        try await group.next()
      }
    }
    // The last words to the broker are not waited for.
    state.withLock { $0.stream = nil }
  }

  private func settle() async {
    guard let queue = queue.withLock({ $0 }) else { return }
    do {
      let stream = try await connection()
      try await describe(queue)
      try await publish(try await queue.store.openCounts(), on: stream)
      try await takeBack(queue)
    } catch {
      let reason = "\(error)"
      let isNews = state.withLock { state in
        let isNews = state.standing.since != nil || state.standing.reason != reason
        (state.standing.since, state.standing.reason) = (nil, reason)
        // What was made may be gone with the broker's disk.
        state.needs = []
        return isNews
      }
      if isNews { logger.warning("no word with the broker", metadata: ["why": "\(reason)"]) }
    }
  }

  /// The connection, made where there is none.
  private func connection() async throws -> JetStream {
    if let known = state.withLock({ $0.stream }), !known.connection.isClosed { return known }
    let (options, name, reports) = (options, "Reverie's studio \(name)", reports)
    let made = try await thread { [weak self] in
      let stream = try JetStream(NATSConnection(options.address, name: name))
      let (words, hear) = AsyncStream<Data>.makeStream(bufferingPolicy: .bufferingNewest(10_000))
      try stream.connection.subscribe(to: reports) { hear.yield($0) }
      Task { for await word in words { await self?.hear(word) } }
      return stream
    }
    state.withLock { state in
      state.stream = made
      state.needs = []
    }
    logger.notice("broker reached", metadata: ["address": "\(options.address.shown)"])
    return made
  }

  /// Finds out what new jobs need.
  private func describe(_ queue: JobQueue) async throws {
    let jobs = try await queue.store.withoutNeeds()
    guard !jobs.isEmpty else { return }
    var found: [String: String] = [:]
    for job in jobs {
      do {
        found[job.id] = try factory.needs(of: job.painted(), work: job.decodedWork()).json
      } catch {
        try await queue.fail(job.id, WorkerEvent.Failure(error))
      }
    }
    try await queue.store.note(needs: found)
  }

  /// Publishes tickets for jobs that have none.
  private func publish(_ open: [String: Int], on stream: JetStream) async throws {
    let known = state.withLock { $0.needs }
    let all = Set(open.keys).union([Needs(pack: factory.packName).json])
    let missing = all.subtracting(known)
    let (streamName, base, lease) = (streamName, base, options.lease)
    let wanted = open.map { (needs: $0.key, subject: subject($0.key), count: $0.value) }
    let fresh = missing.map { ($0, subject($0)) }
    let (tickets, published) = try await thread {
      if known.isEmpty { try stream.makeStream(streamName, subject: "\(base).jobs.*") }
      for (needs, subject) in fresh {
        try stream.makeConsumer(
          Needs.name(of: needs), of: streamName, subject: subject, lease: lease)
      }
      let counts = try stream.counts(of: streamName, subject: "\(base).jobs.*")
      var published = 0
      for (needs, subject, count) in wanted {
        for _ in 0..<max(0, count - (counts[subject] ?? 0)) {
          let ticket = Ticket(id: Identifier.new(), needs: needs)
          try stream.publish(JSONEncoder().encode(ticket), to: subject, id: ticket.id)
          published += 1
        }
      }
      return (counts.values.reduce(0, +) + published, published)
    }
    state.withLock { state in
      state.needs.formUnion(missing)
      state.standing.since = state.standing.since ?? Date()
      state.standing.reason = nil
      state.standing.tickets = tickets
      state.standing.published += published
    }
  }

  /// Queues again what was lost by a worker, and not given to another one by the broker either.
  private func takeBack(_ queue: JobQueue) async throws {
    // Who could not be heard is not lost yet.
    guard let since = standing.since, Date().timeIntervalSince(since) > 3 * options.lease else {
      return
    }
    for job in try await queue.store.leased() {
      let lease = Lease(job: job.id, turn: job.turn)
      let seconds = roster.seconds(since: lease) ?? .infinity
      guard seconds > 3 * options.lease else { continue }
      roster.lose(lease)
      logger.warning(
        "worker lost", metadata: ["job": "\(job.id)", "worker": "\(job.device ?? "")"])
      try await queue.note(
        WorkerDeath(signal: SIGKILL, complaint: "\(job.device ?? "its worker") was lost"),
        of: job.id)
    }
  }

  // MARK: What workers say

  private func hear(_ word: Data) async {
    guard let queue = queue.withLock({ $0 }) else { return }
    guard let report = try? JSONDecoder().decode(WorkReport.self, from: word) else {
      return logger.warning("a report cannot be read", metadata: ["bytes": "\(word.count)"])
    }
    do {
      guard let job = try await job(on: report.lease, of: report.worker, queue) else {
        // It works on what is over, or was given to another one.
        return tell(report.worker, .init(lease: report.lease, stop: .discard))
      }
      roster.note(report.lease, of: report.worker)
      switch report.event {
      case .preparing, .step, .preview:
        if let event = report.event { try await queue.note(event, of: job) }
      // The rest is told by HTTP, where it cannot get lost.
      case nil, .ready, .started, .picture, .ended, .failed: break
      }
      if let wish = await queue.wish(for: job.id), wish != .leave {
        tell(report.worker, .init(lease: report.lease, stop: wish))
      }
    } catch {
      logger.warning("a report was not taken", metadata: ["why": "\(error)"])
    }
  }

  /// The job of a lease. A studio that was started meanwhile gets to know who paints it.
  private func job(on lease: Lease, of worker: String, _ queue: JobQueue) async throws -> Job? {
    guard let job = try await queue.store.job(on: lease) else { return nil }
    if await queue.live(job.id) == nil {
      await queue.begins(job.id, with: RemotePainter(worker: worker, lease: lease, broker: self))
    }
    return job
  }

  /// Tells a worker something. It may get lost: the next report is answered with it again.
  func tell(_ worker: String, _ order: WorkOrder) {
    guard let stream = state.withLock({ $0.stream }), let data = try? JSONEncoder().encode(order)
    else { return }
    try? stream.connection.publish(data, to: orders(worker))
  }
}

/// Who paints a job elsewhere, as the queue knows it.
struct RemotePainter: Stoppable {
  let worker: String
  let lease: Lease
  let broker: JobBroker

  func stop(_ job: String, _ how: Stop) async {
    // The studio's end is no reason for others to stop.
    guard job == lease.job, how != .leave else { return }
    broker.tell(worker, .init(lease: lease, stop: how))
  }
}
