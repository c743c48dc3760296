import Foundation
import Imaging
import Library
import Logging
import Painting
import ServiceLifecycle
import Synchronization
import Torch
import Weights

/// Paints for a studio on another machine: pulls tickets from its broker, asks it what they are for, has a
/// process of this machine paint, and hands in what comes of it.
public actor RemoteWorker: Service {
  /// Where the studio is, and how this machine is to paint for it.
  public struct Options: Sendable {
    /// `https://studio:7860`.
    public var studio: String
    /// The word that the studio wants to hear.
    public var token: String?
    /// A file with the certificates of authorities that vouch for the studio; nil is the system's.
    public var authorities: String?
    /// Where runs and inputs lie while they are painted. All of it can be lost.
    public var folder: URL
    /// Seconds between checkpoints that are handed in.
    public var checkpointEvery = 10.0
    /// Seconds without a step and without use of the processor after which what paints is ended.
    public var patience = 300.0

    /// - Parameters: see the fields.
    public init(studio: String, token: String?, authorities: String? = nil, folder: URL) {
      (self.studio, self.token) = (studio, token)
      (self.authorities, self.folder) = (authorities, folder)
    }
  }

  let options: Options
  private let link: BrokerLink
  private let describe: @Sendable () -> WorkerDescription
  private let name: String
  let processor: String
  let painter: any Worker
  let logger: Logger
  private let client: StudioClient
  let asking = WaitingThread("studio")
  private let pulling = WaitingThread("tickets")
  private var welcome: Welcome?
  private var greeted: ContinuousClock.Instant?
  private var pulls: [Welcome.Source: JetStreamPull] = [:]
  private var turn = 0
  private var current: Lease?
  private var isLeaving = false
  private var isWaiting = false

  /// A worker that is not wanted, with a sentence for people.
  public struct Refused: Error, CustomStringConvertible {
    /// The sentence.
    public let description: String
  }

  /// Another one paints the job now, or it is over.
  struct LeaseLost: Error {}

  /// - Parameters:
  ///   - link: to the broker, which several workers of a program share.
  ///   - describe: says what this worker is and can do.
  ///   - painter: paints.
  init(
    _ options: Options, link: BrokerLink, describe: @escaping @Sendable () -> WorkerDescription,
    painter: any Worker, logger: Logger
  ) throws {
    self.options = options
    self.link = link
    self.describe = describe
    let description = describe()
    (name, processor) = (description.name, description.processor)
    self.painter = painter
    self.logger = logger
    client = try StudioClient(
      options.studio, token: options.token, authorities: options.authorities)
  }

  /// A worker of this machine.
  /// - Parameters:
  ///   - name: what it is called, of small letters, digits and hyphens; none other must have it.
  ///   - factory: with the pack and the device that it paints with.
  ///   - threads: of one operation.
  ///   - memory: bytes that a job's models may take; nil where that is not known.
  public init(
    _ options: Options, link: BrokerLink, name: String, factory: JobFactory, threads: Int,
    memory: Int?, painter: LocalWorker, logger: Logger
  ) throws {
    let film = (try? FFmpeg()) != nil
    try self.init(
      options, link: link,
      describe: {
        WorkerDescription(
          name: name, factory: factory, threads: threads, memory: memory, film: film)
      }, painter: painter, logger: logger)
  }

  /// Where what is being painted lies if nobody says otherwise.
  public static func folder(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> URL { XDG.cache(environment).appending(path: "reverie/worker", directoryHint: .isDirectory) }

  /// Makes the folder of a worker.
  /// - Returns: what shows others that it is in use; keep it while the worker runs.
  public static func make(_ folder: URL) throws -> FolderLock {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw StudioError.folder(path: folder.path, reason: "it cannot be made")
    }
    return try StudioFolder(folder).lock()
  }

  /// Removes what workers left that were killed.
  public static func clearAway(in home: URL) throws {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: home.path)) ?? [] {
      let folder = home.appending(path: name, directoryHint: .isDirectory)
      let lock = folder.appending(path: "studio.lock")
      guard FileManager.default.fileExists(atPath: lock.path),
        let held = try? StudioFolder(folder).lock()
      else { continue }
      try? FileManager.default.removeItem(at: folder)
      withExtendedLifetime(held) {}
    }
  }

  /// A name that no other worker has: the machine's, the device's, and some letters.
  public static func name(_ machine: String, _ device: Device) -> String {
    let words = OutputName.slug("\(machine.prefix(40))-\(device)")
    return "\(words)-\(Identifier.random(length: 5))"
  }

  /// Paints until the program is told to end, and leaves what it paints at a checkpoint then.
  /// - Throws: `Refused` where the studio does not want it.
  public func run() async throws {
    let work = Task { try await self.work() }
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await work.value
    } onCancelOrGracefulShutdown: {
      Task { await self.leave() }
    }
  }

  private func leave() async {
    isLeaving = true
    if let current { await painter.stop(current.job, .leave) }
  }

  private func work() async throws {
    while !isLeaving {
      do {
        if let delivery = try await next() { await take(delivery) }
        isWaiting = false
      } catch let refused as Refused {
        await painter.close()
        throw refused
      } catch let error as NATSError where error.isRefusal {
        await painter.close()
        throw Refused(
          description: "\(error). Look at the address of --queue, its token, and --ca.")
      } catch {
        // Once is enough for what goes on.
        if !isWaiting { logger.warning("waiting", metadata: ["why": "\(error)"]) }
        isWaiting = true
        (welcome, pulls) = (nil, [:])
        try? await Task.sleep(for: .seconds(1))
      }
    }
    await painter.close()
    try? FileManager.default.removeItem(at: options.folder)
  }

  // MARK: Tickets

  /// The next ticket; nil where there is none for a while.
  private func next() async throws -> Delivery? {
    let welcome = try await greet()
    let stream = try await link.stream()
    guard !welcome.sources.isEmpty else {
      try await Task.sleep(for: .seconds(2))
      return nil
    }
    // All sources have their turn.
    turn = (turn + 1) % welcome.sources.count
    let source = welcome.sources[turn]
    let known = pulls[source]
    let seconds = max(0.1, 2 / Double(welcome.sources.count))
    let (pull, delivery) = try await pulling {
      let pull =
        try known
        ?? stream.pull(from: source.consumer, of: welcome.stream, subject: source.subject)
      return (pull, try pull.next(within: seconds))
    }
    pulls[source] = pull
    return delivery
  }

  /// Says that this worker is there, and hears what there is for it.
  private func greet() async throws -> Welcome {
    if let welcome, let greeted, .now - greeted < .seconds(5) { return welcome }
    let description = describe()
    let answer = try await asking { [client] in try client.post("/worker/greet", description) }
    switch answer.status {
    case 200: break
    case 404:
      throw Refused(
        description: "The studio \(options.studio) hands no jobs out. Start it with: reverie serve "
          + "--queue nats://…")
    case 401: throw Refused(description: "\(answer.detail) Give it with --token.")
    case 400..<500: throw Refused(description: answer.detail)
    default: throw StudioClient.Failure(description: "\(options.studio): \(answer.detail)")
    }
    let heard = try JSONDecoder().decode(Welcome.self, from: answer.body)
    if heard.orders != welcome?.orders || heard.stream != welcome?.stream {
      try await link.listen(to: heard.orders) { [weak self] data in
        guard let order = try? JSONDecoder().decode(WorkOrder.self, from: data) else { return }
        Task { await self?.heed(order) }
      }
      logger.notice("painting for", metadata: ["studio": "\(options.studio)"])
    }
    (welcome, greeted) = (heard, .now)
    return heard
  }

  private func heed(_ order: WorkOrder) async {
    guard order.lease == current else { return }
    await painter.stop(order.lease.job, order.stop)
  }

  // MARK: A job

  private func take(_ delivery: Delivery) async {
    guard let ticket = try? JSONDecoder().decode(Ticket.self, from: delivery.data) else {
      return settle { try delivery.acknowledge() }
    }
    guard !isLeaving, let welcome else { return settle { try delivery.giveBack() } }
    let life = Life()
    // From here on it is prolonged, whatever is waited for.
    let prolonging = Task { await prolong(delivery, life, welcome) }
    defer { prolonging.cancel() }
    do {
      let claim = WorkClaim(worker: name, ticket: ticket, isAgain: delivery.number > 1)
      let answer = try await insist { try $0.post("/worker/claim", claim) }
      guard answer.status == 200 else {
        if answer.status != 410 {
          logger.warning("a job was not given", metadata: ["why": "\(answer.detail)"])
        }
        // Nothing waits: the ticket is one too many.
        return settle {
          try answer.status == 410 ? delivery.acknowledge() : delivery.giveBack(after: 5)
        }
      }
      let assignment = try JSONDecoder().decode(WorkAssignment.self, from: answer.body)
      life.lease.withLock { $0 = assignment.lease }
      let receipt = try await paint(assignment, life, welcome)
      prolonging.cancel()
      settle {
        try receipt.isOver ? delivery.acknowledge() : delivery.giveBack(after: receipt.wait)
      }
    } catch is LeaseLost {
      logger.warning("the job was given to another worker, or is over")
    } catch {
      logger.warning("a job is given back", metadata: ["why": "\(error)"])
      settle { try delivery.giveBack(after: 5) }
    }
  }

  private func settle(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      // Then it is handed out again, and whoever has it finds the job over.
      logger.info("the broker did not hear", metadata: ["why": "\(error)"])
    }
  }

  /// Shows that what paints is alive.
  private final class Life: Sendable {
    let lease = Mutex<Lease?>(nil)
    let sign = Mutex(ContinuousClock.now)
    let ticks = Mutex(0)

    func note() { sign.withLock { $0 = .now } }
  }

  private func prolong(_ delivery: Delivery, _ life: Life, _ welcome: Welcome) async {
    while !Task.isCancelled {
      if await isAlive(life) {
        try? delivery.prolong()
        if let lease = life.lease.withLock({ $0 }) { await say(nil, on: lease, welcome) }
      }
      try? await Task.sleep(for: .seconds(welcome.lease / 3))
    }
  }

  /// Whether what paints has made a step lately, or at least used the processor; it is ended otherwise.
  private func isAlive(_ life: Life) async -> Bool {
    guard let process = await (painter as? LocalWorker)?.processIdentifier, current != nil else {
      return true
    }
    if let ticks = Self.ticks(of: process) {
      let isBusy = life.ticks.withLock { known in
        defer { known = ticks }
        return known != ticks
      }
      if isBusy { life.note() }
    }
    guard .now - life.sign.withLock({ $0 }) > .seconds(options.patience) else { return true }
    logger.warning("what paints hangs, and is ended", metadata: ["process": "\(process)"])
    kill(process, SIGKILL)
    return false
  }

  /// Time on the processor that a process has used; nil where the system does not tell.
  private static func ticks(of process: pid_t) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let name = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[name...].split(separator: " ")
    guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
      return nil
    }
    return user + system
  }

  private struct Receipt {
    var isOver: Bool
    /// Seconds before somebody is to try it again.
    var wait = 0.0
  }

  private func paint(_ assignment: WorkAssignment, _ life: Life, _ welcome: Welcome) async throws
    -> Receipt
  {
    let lease = assignment.lease
    logger.info("job begins", metadata: ["job": "\(lease.job)"])
    let home = options.folder.appending(path: lease.job, directoryHint: .isDirectory)
    try? FileManager.default.removeItem(at: home)
    defer { try? FileManager.default.removeItem(at: home) }
    let order = try await order(assignment, in: home)
    let hand = HandedIn(run: URL(filePath: order.run), home: home, order: order)
    current = lease
    defer { current = nil }
    if isLeaving { await painter.stop(lease.job, .leave) }
    let keeping = Task { await keepCheckpoints(of: hand, lease) }
    var ending = WorkEnding()
    do {
      ending.outcome = try await painter.paint(order) { event in
        life.note()
        if case .picture(let result) = event {
          try await self.handIn(result, hand, lease)
        } else {
          await self.say(event, on: lease, welcome)
        }
      }
    } catch let death as WorkerDeath {
      ending.death = .init(death)
    } catch let failure as WorkerEvent.Failure {
      ending.failure = failure
    } catch {
      keeping.cancel()
      throw error
    }
    keeping.cancel()
    _ = await keeping.value
    if ending.death != nil || ending.outcome == .left { try await keepCheckpoint(of: hand, lease) }
    let answer = try await insist(lease) { [ending] in
      try $0.post("/worker/end", ending, lease: lease)
    }
    guard answer.status == 200 else { throw Refused(description: answer.detail) }
    logger.info("job ends", metadata: ["job": "\(lease.job)"])
    let receipt = try JSONDecoder().decode(WorkReceipt.self, from: answer.body)
    // A painter that dies at once must not keep the machine busy with nothing else.
    return Receipt(isOver: receipt.isOver, wait: ending.death?.code == 127 ? 5 : 0)
  }

  /// Fetches what a job names, and where it stands.
  private func order(_ assignment: WorkAssignment, in home: URL) async throws -> JobAssignment {
    let lease = assignment.lease
    let inputs = options.folder.appending(path: "inputs", directoryHint: .isDirectory)
    for folder in [home, inputs] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    var files: [JobAssignment.File] = []
    for input in assignment.inputs where KeptFiles.isHash(input.reference.sha256) {
      let name = "\(input.reference.sha256).\(OutputName.slug(input.ending))"
      let file = inputs.appending(path: name)
      try await fetch("/api/v1/files/\(input.reference.sha256)", to: file, nil)
      files.append(.init(reference: input.reference, path: file.path))
    }
    var order = JobAssignment(
      job: lease.job, request: assignment.request, count: assignment.count, work: assignment.work,
      run: home.appending(path: "run").path, files: files)
    if let checkpoint = assignment.checkpoint, checkpoint.objection == nil {
      for sha256 in Set(checkpoint.files.values) {
        try await fetch("/worker/files/\(sha256)", to: home.appending(path: sha256), lease)
      }
      order.go(on: checkpoint, here: processor) { home.appending(path: $0).path }
    }
    return order
  }

  /// Fetches a file that is called by its hash at the end of its address, if it is not there.
  private func fetch(_ path: String, to file: URL, _ lease: Lease?) async throws {
    guard !FileManager.default.fileExists(atPath: file.path) else { return }
    let answer = try await insist(lease) { try $0.fetch(path, to: file, lease: lease) }
    guard answer.status == 200 else {
      throw StudioClient.Failure(description: "\(options.studio)\(path): \(answer.detail)")
    }
    guard try Checksum.sha256(of: file) == path.split(separator: "/").last.map(String.init) else {
      try? FileManager.default.removeItem(at: file)
      throw StudioClient.Failure(description: "\(options.studio)\(path) came damaged")
    }
  }

  // MARK: The studio

  /// Says through the broker what happens; it may get lost.
  private func say(_ event: WorkerEvent?, on lease: Lease, _ welcome: Welcome) async {
    let report = WorkReport(worker: name, lease: lease, event: event)
    guard let data = try? JSONEncoder().encode(report) else { return }
    try? link.publish(data, to: welcome.reports)
  }

  /// Asks the studio until it answers, however long it is away; a worker that is to leave does not wait long.
  /// - Throws: `LeaseLost`.
  func insist(
    _ lease: Lease? = nil,
    _ ask: @escaping @Sendable (StudioClient) throws -> StudioClient.Answer
  ) async throws -> StudioClient.Answer {
    var wait = 0.25
    var triesLeft = 8
    while true {
      var why: String
      do {
        let answer = try await asking { [client] in try ask(client) }
        switch answer.status {
        case 409 where lease != nil: throw LeaseLost()
        case 429, 500...: why = answer.detail
        default: return answer
        }
      } catch let failure as StudioClient.Failure {
        why = failure.description
      }
      try Task.checkCancellation()
      logger.info("asking again", metadata: ["why": "\(why)"])
      if isLeaving {
        triesLeft -= 1
        guard triesLeft > 0 else { throw StudioClient.Failure(description: why) }
      }
      try? await Task.sleep(for: .seconds(wait))
      wait = min(isLeaving ? 1 : 5, wait * 2)
    }
  }
}
