import ArgumentParser
import Commands
import Foundation
import Logging
import Painting
import ServiceLifecycle
import Studio
import Torch
import UnixSignals

/// `reverie serve`: the studio in the browser, and the HTTP APIs.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Opens the studio: a page in the browser, and HTTP APIs.",
    discussion: """
      The studio is at the address that it prints. It listens to this machine alone; with --host it is
      open to a network, and then wants a token, which it makes and prints if none is given.

      The queue and the pictures are kept in a folder: $XDG_DATA_HOME/reverie/studio, or what
      REVERIE_STUDIO or --data says. Stopped or killed at any moment, it goes on from there when it is
      started again.

      With --queue nothing is painted here: jobs are handed to workers on any number
      of machines, this one too, through a server of NATS with JetStream. See:
      reverie worker --help

      EXAMPLES
        reverie serve
        reverie serve --port 8080 --data ~/pictures/studio
        reverie serve --host 0.0.0.0
        reverie serve --host 0.0.0.0 --queue nats://localhost
      """)

  @Option(help: "The address to listen on (default: this machine alone).")
  var host = "127.0.0.1"

  @Option(help: "The port; 0 takes a free one.")
  var port = 7860

  @Option(help: ArgumentHelp("The word that clients must know.", valueName: "word"))
  var token: String?

  @Option(
    help: ArgumentHelp(
      "A name by which it may be called, beside its address; again for several.",
      valueName: "name"))
  var name: [String] = []

  @Option(
    help: ArgumentHelp(
      "A page of another address that may use the studio, as http://localhost:5001, or * for all; again "
        + "for several.",
      valueName: "origin"))
  var allowOrigin: [String] = []

  @Option(help: ArgumentHelp("The folder of queue and pictures.", valueName: "folder"))
  var data: String?

  @Option(help: ArgumentHelp("Most jobs that may wait.", valueName: "n"))
  var queueLimit = 20_000

  @Flag(help: "Does not record how pictures come about, which takes up to 2 MB of each.")
  var noTraces = false

  @OptionGroup(title: "Workers on other machines")
  var broker: BrokerOptions

  @Option(
    help: ArgumentHelp(
      "Seconds after which a worker that is not heard of loses its job.", valueName: "seconds"))
  var lease = 30.0

  @Option(help: "How much is logged: debug, info, notice, warning or error.")
  var logLevel = "notice"

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be from 0 to 65535, not \(port).")
    }
    if let token,
      token.count < 8
        || !token.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
    {
      throw ValidationError("--token must have at least 8 letters, digits and hyphens.")
    }
    for origin in allowOrigin where origin != "*" {
      guard let url = URL(string: origin), ["http", "https"].contains(url.scheme),
        url.host() != nil,
        ["", "/"].contains(url.path()), url.query() == nil
      else {
        throw ValidationError(
          "--allow-origin must be the start of an address, as http://localhost:5001, not \(origin)."
        )
      }
    }
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError("--log-level must be debug, info, notice, warning or error.")
    }
    guard (2...3_600).contains(lease) else {
      throw ValidationError("--lease must be from 2 to 3600 seconds, not \(lease).")
    }
    guard (1...1_000_000).contains(queueLimit) else {
      throw ValidationError("--queue-limit must be from 1 to 1000000, not \(queueLimit).")
    }
  }

  /// Whether `host` is reached from this machine alone.
  private var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }

  func run() async throws {
    // A worker that has died must not take the server with it.
    signal(SIGPIPE, SIG_IGN)
    let level = Logger.Level(rawValue: logLevel) ?? .notice
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
    let logger = Logger(label: "reverie")
    let folder =
      data.map { StudioFolder(URL(filePath: $0, directoryHint: .isDirectory)) } ?? .standard()
    try folder.make()
    let devices = try execution.resolvedDevices()
    var options = StudioServer.Options()
    options.host = host
    options.port = port
    options.names = name
    options.origins = allowOrigin.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    options.queueLimit = queueLimit
    options.token = try token ?? (isLoopback ? nil : folder.keptToken())
    options.broker = broker.address
    options.lease = lease
    // With a broker all is painted by workers, those of this machine with them.
    let own = options.broker == nil ? devices : []
    let server = try await StudioServer(
      folder: folder,
      admission: JobFactory(pack: try execution.openPack(), device: devices[0]),
      devices: own.map(\.description), options: options,
      interrogator: Interrogator(
        program: SiblingProgram.own.path,
        arguments: ["--device", "\(devices[0])"]
          + (execution.pack.map { ["--pack", URL(filePath: $0).absoluteURL.path] } ?? [])),
      logger: logger)
    let workers = own.map { device in
      LocalWorker(
        program: SiblingProgram.own.path, arguments: workerArguments(device, folder),
        environment: WorkerProcess.patience, logger: logger)
    }
    let opening = Opening { [token = options.token] in
      try await server.run(workers: workers) { announce($0, token) }
    }
    let group = ServiceGroup(
      configuration: .init(
        services: [opening], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    // Whoever asks a second time does not want to wait for a checkpoint.
    let impatience = Task {
      for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint).dropFirst() {
        _exit(130)
      }
    }
    defer { impatience.cancel() }
    do {
      try await group.run()
    } catch let error as StudioError {
      guard case .address = error else { throw error }
      throw ValidationError("\(error)")
    }
  }

  /// The studio, as the signals' group runs it.
  private struct Opening: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await body() }
  }

  private func workerArguments(_ device: Device, _ folder: StudioFolder) -> [String] {
    var arguments = [
      "worker", "--device", "\(device)", "--data", folder.url.absoluteURL.path,
      "--threads", "\(execution.resolvedThreads)",
    ]
    if noTraces { arguments.append("--no-traces") }
    if let pack = execution.pack { arguments += ["--pack", URL(filePath: pack).absoluteURL.path] }
    return arguments
  }

  private func announce(_ port: Int, _ token: String?) {
    let name = host.contains(":") ? "[\(host)]" : host == "0.0.0.0" ? "127.0.0.1" : host
    let query = token.map { "/?token=\($0)" } ?? ""
    Console.result("http://\(name):\(port)\(query)")
    if host == "0.0.0.0" || host == "::" {
      Console.say(
        "Other machines reach it at http://\(ProcessInfo.processInfo.hostName):\(port)\(query)")
    }
    Console.say("The studio is open. ^C closes it; what is being painted goes on next time.")
  }
}
