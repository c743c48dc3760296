import ArgumentParser
import Commands
import Foundation
import Logging
import Painting
import ServiceLifecycle
import Studio
import Torch
import UnixSignals

/// `reverie worker`: paints for a studio on another machine; or, without a broker, for the program that
/// starts it, of which it reads orders.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Paints for a studio on another machine.",
    discussion: """
      The studio is one that was started with --queue and the same server of NATS.
      What this machine's devices and installed models can do is taken from it, job
      by job; a machine that dies, hangs or is cut off loses its job to another one,
      which goes on from the last checkpoint. Start as many as you like, on as many
      machines. The program, its pack and the models must be the studio's.

      Without --studio it reads orders as lines of JSON and writes reports as such:
      so reverie serve starts it.

      EXAMPLES
        reverie worker --queue nats://studio --studio http://studio:7860 --token …
        reverie worker --queue tls://token@broker --studio https://studio --ca own.pem
      """)

  @OptionGroup(title: "The studio")
  var broker: BrokerOptions

  @Option(help: ArgumentHelp("The studio's address.", valueName: "address"))
  var studio: String?

  @Option(
    help: ArgumentHelp(
      "The word that the studio wants to hear (default: REVERIE_TOKEN, if set).", valueName: "word")
  )
  var token: String?

  @Option(help: ArgumentHelp("What it is called (default: the machine's name).", valueName: "name"))
  var name: String?

  @Option(help: ArgumentHelp("Jobs that each device paints at a time.", valueName: "n"))
  var atOnce = 1

  @Option(
    help: ArgumentHelp(
      "Gigabytes that the models of a job may take (default: what the machine has, on the CPU).",
      valueName: "n"))
  var memory: Double?

  @Option(
    help: ArgumentHelp(
      "Seconds without a step and without work after which what paints counts as hung.",
      valueName: "seconds"))
  var patience = 300.0

  @Option(
    help: ArgumentHelp(
      "The folder of what is being painted (default: reverie/worker in the user's cache).",
      valueName: "folder"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Seconds between checkpoints (default: 2, and 10 between those that the studio is sent).",
      valueName: "seconds"))
  var checkpointEvery: Double?

  @Flag(help: "Does not record how pictures come about.")
  var noTraces = false

  @Option(help: "How much is logged: debug, info, notice, warning or error.")
  var logLevel = "notice"

  @Option(help: .hidden)
  var painter: String?

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func validate() throws {
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError("--log-level must be debug, info, notice, warning or error.")
    }
    guard (1...1_000).contains(atOnce) else {
      throw ValidationError("--at-once must be from 1 to 1000, not \(atOnce).")
    }
    for (option, value) in [
      ("--memory", memory), ("--patience", patience), ("--checkpoint-every", checkpointEvery),
    ] {
      guard value.map({ $0 > 0 && $0 <= 1e6 }) ?? true else {
        throw ValidationError("\(option) must be more than 0, and a million at most.")
      }
    }
    guard let studio else {
      // What starts a worker of its own names a folder, and no studio.
      guard data != nil, broker.queue == nil else {
        throw ValidationError(
          "Whom to paint for? Give --studio http://… and --queue nats://…, as the studio has it.")
      }
      return
    }
    guard broker.address != nil else {
      throw ValidationError("--studio goes with --queue, the server of NATS that the studio has.")
    }
    guard let url = URL(string: studio), ["http", "https"].contains(url.scheme),
      url.host()?.isEmpty == false, ["", "/"].contains(url.path())
    else {
      throw ValidationError(
        "--studio must be the studio's address, as http://studio:7860, not '\(studio)'.")
    }
  }

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    guard let studio, let address = broker.address else { return try await obey() }
    try await paint(for: studio, through: address)
  }

  /// Paints what is ordered by lines of the standard input.
  private func obey() async throws {
    // A terminal's interrupt is for the server, which then tells the worker.
    signal(SIGINT, SIG_IGN)
    let device = try execution.resolvedDevice()
    let folder = StudioFolder(URL(filePath: data ?? "", directoryHint: .isDirectory))
    let held = try WorkerSession.take("\(device)", in: folder)
    let loop = WorkerSession(
      engine: try execution.engine(execution.openPack(), device: device),
      input: .standardInput, output: .standardOutput, checkpointEvery: checkpointEvery ?? 2,
      traces: !noTraces)
    await loop.run()
    withExtendedLifetime(held) {}
  }

  /// Paints what a studio elsewhere hands out.
  private func paint(for studio: String, through address: NATSAddress) async throws {
    let level = Logger.Level(rawValue: logLevel) ?? .notice
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
    let logger = Logger(label: "reverie")
    let environment = ProcessInfo.processInfo.environment
    let word = token ?? environment["REVERIE_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
    let home = data.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? RemoteWorker.folder()
    let pack = try execution.openPack()
    let link = BrokerLink(address, name: "Reverie's worker on \(machine)")
    var workers: [RemoteWorker] = []
    var locks: [FolderLock] = []
    try RemoteWorker.clearAway(in: home)
    for device in try execution.resolvedDevices() {
      let factory = JobFactory(pack: pack, device: device)
      for _ in 0..<atOnce {
        let name = RemoteWorker.name(name ?? machine, device)
        let folder = home.appending(path: name, directoryHint: .isDirectory)
        locks.append(try RemoteWorker.make(folder))
        var options = RemoteWorker.Options(
          studio: studio, token: word, authorities: broker.ca, folder: folder)
        options.patience = patience
        options.checkpointEvery = checkpointEvery.map { max(0.5, $0) } ?? 10
        workers.append(
          try RemoteWorker(
            options, link: link, name: name, factory: factory, threads: execution.resolvedThreads,
            memory: memory.map { Int($0 * 1e9) } ?? (device == .cpu ? Processor.memory : nil),
            painter: LocalWorker(
              program: painter ?? SiblingProgram.own.path,
              arguments: arguments(device, folder), environment: WorkerProcess.patience,
              logger: logger), logger: logger))
      }
    }
    Console.say("Painting for \(studio), \(workers.count) at a time. ^C ends it at a checkpoint.")
    let group = ServiceGroup(
      configuration: .init(
        services: workers.map {
          .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup)
        },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    // Whoever asks a second time does not want to wait for a checkpoint.
    let impatience = Task {
      for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint).dropFirst() {
        _exit(130)
      }
    }
    defer { impatience.cancel() }
    defer { withExtendedLifetime(locks) {} }
    do {
      try await group.run()
    } catch let refused as RemoteWorker.Refused {
      throw ValidationError("\(refused)")
    }
  }

  private var machine: String { ProcessInfo.processInfo.hostName }

  private func arguments(_ device: Device, _ folder: URL) -> [String] {
    var arguments = [
      "worker", "--device", "\(device)", "--data", folder.path,
      "--threads", "\(execution.resolvedThreads)",
    ]
    if let checkpointEvery { arguments += ["--checkpoint-every", "\(checkpointEvery)"] }
    if noTraces { arguments.append("--no-traces") }
    if let pack = execution.pack { arguments += ["--pack", URL(filePath: pack).absoluteURL.path] }
    return arguments
  }
}

/// What processes that paint have in common.
enum WorkerProcess {
  /// Threads that wait for one another sleep after a short while, as the launcher has it: beside another busy
  /// program spinning costs many times what the work does.
  static var patience: [String: String] {
    let name = "GOMP_SPINCOUNT"
    return ProcessInfo.processInfo.environment[name] == nil ? [name: "1000"] : [:]
  }
}
