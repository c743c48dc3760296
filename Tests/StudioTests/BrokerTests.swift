import Foundation
import Imaging
import Logging
import Painting
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Studio

/// Workers that are given jobs through a server of NATS, which these tests start; without one they are skipped.
@Suite(.serialized, .enabled(if: NATSServer.program != nil, "nats-server is not installed"))
struct BrokerTests {
  private static let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }()

  /// A studio with a broker, that answers at a port.
  private func studio(
    _ server: NATSServer, lease: Double = 2, _ body: (Bench, String) async throws -> Void
  ) async throws {
    let bench = try await Bench {
      $0.broker = NATSAddress(server.url)
      $0.lease = lease
      $0.port = 0
    }
    let (ports, opened) = AsyncStream<Int>.makeStream()
    let group = ServiceGroup(
      configuration: .init(
        services: [Opening(server: bench.server, opened: opened)], logger: Self.quiet))
    let running = Task { try await group.run() }
    var port = 0
    for await number in ports {
      port = number
      break
    }
    do {
      try await body(bench, "http://127.0.0.1:\(port)")
    } catch {
      await group.triggerGracefulShutdown()
      try? await running.value
      throw error
    }
    await group.triggerGracefulShutdown()
    try await running.value
  }

  private struct Opening: Service {
    let server: StudioServer
    let opened: AsyncStream<Int>.Continuation

    func run() async throws {
      try await server.run(anyWorkers: []) { opened.yield($0) }
    }
  }

  private func worker(
    _ name: String, _ bench: Bench, _ server: NATSServer, _ studio: String, _ painter: any Worker
  ) throws -> RemoteWorker {
    let folder = try ScratchFolder.make("worker")
    let factory = bench.server.admission
    var options = RemoteWorker.Options(studio: studio, token: nil, folder: folder)
    options.checkpointEvery = 0.2
    return try RemoteWorker(
      options, link: BrokerLink(NATSAddress(server.url), name: name),
      describe: {
        WorkerDescription(name: name, factory: factory, threads: 1, memory: nil, film: false)
      }, painter: painter, logger: Self.quiet)
  }

  /// Runs workers while `body` does.
  private func working(_ workers: [RemoteWorker], _ body: () async throws -> Void) async throws {
    let group = ServiceGroup(configuration: .init(services: workers, logger: Self.quiet))
    let running = Task { try await group.run() }
    do {
      try await body()
    } catch {
      await group.triggerGracefulShutdown()
      try? await running.value
      throw error
    }
    await group.triggerGracefulShutdown()
    try await running.value
  }

  @Test("several workers paint all jobs, each once, and their broker is empty then")
  func shared() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      let painters = [FakeWorker(), FakeWorker(), FakeWorker()]
      let workers = try painters.enumerated().map {
        try worker("w\($0)", bench, server, address, $1)
      }
      try await working(workers) {
        var jobs: [Job] = []
        for number in 0..<20 {
          jobs.append(try await bench.queue.submit(bench.new("fox \(number)", count: 2)).job)
        }
        for job in jobs { try await bench.wait(for: job.id) }
        try await TestSupport.wait(for: "an empty broker") {
          bench.server.broker?.announce()
          return bench.server.broker?.standing.tickets == 0
        }
      }
      #expect(try await bench.store.jobCounts() == [.finished: 20])
      #expect(try await bench.store.pictureCount() == 40)
      let painted = painters.flatMap(\.painted).sorted()
      #expect(painted == (0..<20).map { "fox \($0)" }.sorted())
    }
  }

  @Test("a broker that is ended and comes back loses nothing, whatever was painted meanwhile")
  func restarted() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      let painter = FakeWorker()
      painter.script("held", [.wait])
      let work = try worker("w1", bench, server, address, painter)
      try await working([work]) {
        let held = try await bench.submit("held")[0]
        try await bench.wait(for: held.id, "painting") { $0.state == .painting }
        try server.restart()
        let jobs = try await bench.submit("a", "b")
        try await TestSupport.wait(for: "the broker") {
          bench.server.broker?.standing.since != nil
        }
        _ = try await bench.queue.cancel(held.id, keep: true)
        #expect(try await bench.wait(for: held.id).stopped)
        for job in jobs { #expect(try await bench.wait(for: job.id).state == .finished) }
      }
      #expect(try await bench.store.pictureCount() == 3)
    }
  }

  @Test("a broker that has lost its disk is given all jobs again")
  func emptied() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      let jobs = try await bench.submit("a", "b", "c")
      try await TestSupport.wait(for: "three tickets") {
        bench.server.broker?.standing.tickets == 3
      }
      try server.restart(forgetting: true)
      let painter = FakeWorker()
      try await working([worker("w1", bench, server, address, painter)]) {
        for job in jobs {
          let ended = try await bench.wait(for: job.id)
          #expect(ended.state == .finished)
        }
      }
      #expect(painter.painted.sorted() == ["a", "b", "c"])
    }
  }

  @Test("a worker that is not heard of any more loses its job to another one")
  func lost() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      let job = try await bench.submit("a")[0]
      let broker = try #require(bench.server.broker)
      try await TestSupport.wait(for: "a ticket") { broker.standing.tickets == 1 }
      // One that takes it, and is never heard of again.
      let stream = try JetStream(NATSConnection(NATSAddress(server.url), name: "lost"))
      let needs = Needs(pack: bench.server.admission.packName).json
      let name = Needs.name(of: needs)
      let studio = try bench.folder.keptName()
      let pull = try stream.pull(
        from: name, of: "REVERIE-\(studio)", subject: "reverie.\(studio).jobs.\(name)")
      let delivery = try #require(try pull.next(within: 5))
      let ticket = try JSONDecoder().decode(Ticket.self, from: delivery.data)
      let client = try StudioClient(address, token: nil)
      let claim = WorkClaim(worker: "lost", ticket: ticket, isAgain: false)
      #expect(try client.post("/worker/claim", claim).status == 200)
      let painter = FakeWorker()
      try await working([worker("w1", bench, server, address, painter)]) {
        let ended = try await bench.wait(for: job.id)
        #expect(ended.state == .finished)
      }
      let ended = try #require(try await bench.store.job(job.id))
      #expect((ended.device, ended.turn) == ("w1", 2))
      #expect(broker.roster.counts.lost == 0 || ended.interruptions == 1)
    }
  }

  @Test("a worker that ends leaves its job, and another one goes on with it")
  func left() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      let first = FakeWorker()
      first.script("a", [.wait])
      let job = try await bench.submit("a")[0]
      try await working([worker("w1", bench, server, address, first)]) {
        try await bench.wait(for: job.id, "a step") { $0.step != nil }
      }
      #expect(try await bench.store.job(job.id)?.state == .queued)
      try await working([worker("w2", bench, server, address, FakeWorker())]) {
        let ended = try await bench.wait(for: job.id)
        #expect(ended.device == "w2")
      }
    }
  }

  @Test("a broker that wants a token lets in who has it; a worker without it ends with a word")
  func token() async throws {
    let server = try NATSServer(token: "word")
    try await studio(server) { bench, address in
      let job = try await bench.submit("a")[0]
      try await working([worker("w1", bench, server, address, FakeWorker())]) {
        let ended = try await bench.wait(for: job.id)
        #expect(ended.state == .finished)
      }
      let factory = bench.server.admission
      let stranger = try RemoteWorker(
        .init(studio: address, token: nil, folder: try ScratchFolder.make("worker")),
        link: BrokerLink(NATSAddress(server.bareURL), name: "w2"),
        describe: {
          WorkerDescription(name: "w2", factory: factory, threads: 1, memory: nil, film: false)
        }, painter: FakeWorker(), logger: Self.quiet)
      await #expect {
        try await stranger.run()
      } throws: {
        $0 is RemoteWorker.Refused && "\($0)".contains("--queue")
      }
    }
  }

  /// Leaves a checkpoint with its first job, and shows what the next one begins with.
  private final class Leaving: Worker {
    let found = Mutex<[String: Data]>([:])
    private let stops = AsyncStream<Void>.makeStream()

    func paint(
      _ order: JobAssignment, tell: @escaping @Sendable (WorkerEvent) async throws -> Void
    ) async throws -> JobOutcome {
      let kept = try (order.kept ?? [:]).mapValues { try Data(contentsOf: URL(filePath: $0)) }
      guard kept.isEmpty else {
        found.withLock { $0 = kept }
        return .finished
      }
      let run = URL(filePath: order.run)
      try FileManager.default.createDirectory(
        at: run.appending(path: "frames"), withIntermediateDirectories: true)
      for name in ["run.json", "checkpoint.safetensors", "frames/000001.png"] {
        try Data("\(name) of it".utf8).write(to: run.appending(path: name), options: .atomic)
      }
      try await tell(.step(.init(step: 1, total: 2, unit: "iteration", picture: 1)))
      for await _ in stops.stream { break }
      return .left
    }

    func stop(_ job: String, _ how: Stop) { stops.continuation.yield() }
    func close() {}
  }

  @Test("a checkpoint is there for who goes on, without what is of the machine that left")
  func checkpoint() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      let painter = Leaving()
      let job = try await bench.submit("a")[0]
      try await working([worker("w1", bench, server, address, painter)]) {
        try await bench.wait(for: job.id, "a step") { $0.step != nil }
      }
      try await working([worker("w2", bench, server, address, painter)]) {
        try await bench.wait(for: job.id)
      }
      #expect(
        painter.found.withLock { $0 } == [
          "checkpoint.safetensors": Data("checkpoint.safetensors of it".utf8),
          "frames/000001.png": Data("frames/000001.png of it".utf8),
        ])
    }
  }

  @Test("a worker's process that is killed is followed by another, which ends with the same pixels")
  func killed() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      var request = Request("red fox")
      (request.seed, request.width, request.height) = (3, 32, 32)
      (request.method, request.iterations, request.cutouts) = ("vqgan-clip", 300, 2)
      let new = try bench.server.admission.job(request, count: 1)
      let disturbed = try await bench.queue.submit(new).job
      let first = try process(server, address)
      defer { kill(first.processIdentifier, SIGKILL) }
      try await TestSupport.wait(for: "a checkpoint") {
        bench.folder.kept(of: disturbed.id).checkpoint != nil
      }
      kill(first.processIdentifier, SIGKILL)
      let second = try process(server, address)
      defer { kill(second.processIdentifier, SIGKILL) }
      let ended = try await bench.wait(for: disturbed.id)
      #expect(ended.state == .finished, "\(ended.reason ?? "")")
      #expect((ended.turn, ended.interruptions) == (2, 1))
      let alone = try await bench.queue.submit(new).job
      try await bench.wait(for: alone.id)
      let pictures = try [disturbed, alone].map {
        try Data(contentsOf: bench.folder.picture("\($0.id)-1"))
      }
      #expect(pictures[0] == pictures[1])
      second.terminate()
      second.waitUntilExit()
      #expect(second.terminationStatus == 0)
    }
  }

  private static let pack = Result { try TinyPack.make(upscaler: true).path }

  /// A process of the program that was built with these tests.
  private func process(_ server: NATSServer, _ studio: String) throws -> Process {
    let worker = Process()
    worker.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appending(path: "reverie-studio")
    worker.arguments = [
      "worker", "--queue", server.url, "--studio", studio, "--device", "cpu", "--threads", "1",
      "--pack", try Self.pack.get(), "--checkpoint-every", "0.5", "--data",
      try ScratchFolder.make("worker").path,
    ]
    worker.standardError = FileHandle.nullDevice
    try worker.run()
    return worker
  }

  @Test("a worker that the studio does not want ends with a word")
  func refused() async throws {
    let server = try NATSServer()
    try await studio(server) { bench, address in
      let link = BrokerLink(NATSAddress(server.url), name: "w1")
      let options = RemoteWorker.Options(
        studio: address, token: nil, folder: try ScratchFolder.make("worker"))
      let stranger = try RemoteWorker(
        options, link: link, describe: { LeaseTests.worker() }, painter: FakeWorker(),
        logger: Self.quiet)
      await #expect {
        try await stranger.run()
      } throws: {
        "\($0)".contains("--pack")
      }
    }
  }
}

/// A server of NATS with JetStream, for one test.
final class NATSServer: Sendable {
  /// Where the program is; nil where it is not installed.
  static let program: String? = ["/usr/sbin", "/usr/bin", "/usr/local/bin"]
    .map { $0 + "/nats-server" }.first { FileManager.default.isExecutableFile(atPath: $0) }

  private let port: Int
  private let folder: URL
  private let process = Mutex<Process?>(nil)

  private let token: String?

  var url: String { "nats://" + (token.map { $0 + "@" } ?? "") + "127.0.0.1:\(port)" }
  /// The address without the token.
  var bareURL: String { "nats://127.0.0.1:\(port)" }

  /// - Parameter token: the word that it wants.
  init(token: String? = nil) throws {
    self.token = token
    folder = try ScratchFolder.make("nats")
    port = try Self.freePort()
    try start()
  }

  deinit { stop() }

  /// Kills the server and starts it again.
  /// - Parameter forgetting: whether its disk is empty then.
  func restart(forgetting: Bool = false) throws {
    stop()
    if forgetting { try FileManager.default.removeItem(at: folder) }
    try start()
  }

  private func start() throws {
    let server = Process()
    server.executableURL = URL(filePath: Self.program ?? "")
    server.arguments =
      ["-a", "127.0.0.1", "-p", "\(port)", "-js", "-sd", folder.path]
      + (token.map { ["--auth", $0] } ?? [])
    server.standardError = FileHandle.nullDevice
    server.standardOutput = FileHandle.nullDevice
    try server.run()
    process.withLock { $0 = server }
  }

  private func stop() {
    process.withLock { process in
      guard let running = process else { return }
      kill(running.processIdentifier, SIGKILL)
      running.waitUntilExit()
      process = nil
    }
  }

  private static func freePort() throws -> Int {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(probe) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(probe, $0, size) == 0 && getsockname(probe, $0, &size) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRINUSE) }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
