import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Painting
import ServiceLifecycle
import Synchronization

/// The studio as a whole: folder, queue, workers, and what answers requests.
public struct StudioServer: Sendable {
  /// How it is to be.
  public struct Options: Sendable {
    /// The address on which it listens.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one.
    public var port = 7860
    /// The word that clients must know; nil for none.
    public var token: String?
    /// Names beside its address by which it may be called, behind a proxy for instance.
    public var names: [String] = []
    /// Other sites that may use it, as `http://localhost:5001`; `*` for all.
    public var origins: [String] = []
    /// Most connections at a time.
    public var connections = 512
    /// Most jobs that may wait.
    public var queueLimit = 20_000
    /// The broker through which workers on other machines are given jobs; nil where all is painted here.
    public var broker: NATSAddress?
    /// Seconds after which a worker elsewhere that is not heard of loses its job.
    public var lease = 30.0

    /// The usual ones.
    public init() {}
  }

  let options: Options
  let queue: JobQueue
  let admission: JobFactory
  let devices: [String]
  let interrogator: Interrogator?
  /// Hands jobs to workers elsewhere; nil where all is painted here.
  let broker: JobBroker?
  let logger: Logger
  private let lock: FolderLock

  /// Opens the studio's folder, and puts in order what a killed one left.
  /// - Parameter devices: where workers will paint, by name.
  /// - Throws: `StudioError`, or an error of the database.
  public init(
    folder: StudioFolder, admission: JobFactory, devices: [String], options: Options = Options(),
    interrogator: Interrogator? = nil, logger: Logger
  ) async throws {
    try folder.make()
    lock = try folder.lock()
    self.options = options
    self.admission = admission
    self.devices = devices
    self.interrogator = interrogator
    self.logger = logger
    queue = JobQueue(
      store: try Store(folder.database), folder: folder, logger: logger,
      limit: options.queueLimit)
    broker = try options.broker.map { address in
      JobBroker(
        .init(address: address, lease: options.lease), name: try folder.keptName(),
        factory: admission, logger: logger)
    }
    broker?.serve(queue)
    try await queue.begin(broker: broker)
  }

  /// All that answers requests, without a socket.
  func router() -> Router<StudioContext> {
    let metrics = Metrics()
    let permits = Permits(8)
    let page = Page()
    let router = Router(context: StudioContext.self, options: .autoGenerateHeadEndpoints)
    var names = Set((options.names + [options.host]).map { $0.lowercased() })
    for name in [ProcessInfo.processInfo.hostName.lowercased()] where !name.isEmpty {
      names.formUnion([name, name + ".local"])
    }
    router.add(middleware: WatchMiddleware(metrics: metrics))
    router.add(
      middleware: AccessMiddleware(
        gate: AccessPolicy(
          token: options.token, names: names, origins: Set(options.origins.map { $0.lowercased() }))
      ))
    router.add(middleware: ProblemMiddleware())
    let jobs = JobOperations(queue: queue, admission: admission)
    let groups: [any OperationGroup] = [
      jobs, EventOperations(queue: queue),
      GalleryOperations(queue: queue),
      PictureOperations(
        queue: queue, thumbnails: Thumbnails(folder: queue.folder), admission: admission,
        jobs: jobs, converter: FilmConverter(folder: queue.folder), interrogator: interrogator),
      FileOperations(queue: queue, permits: permits),
      CatalogueOperations(
        queue: queue, admission: admission, devices: devices, metrics: metrics, broker: broker,
        assets: Set(page.paths)),
      WorkerOperations(queue: queue, devices: devices, broker: broker),
      ModelOperations(keeper: ModelKeeper(library: admission.library), admission: admission),
      EstimateOperations(queue: queue, admission: admission),
    ]
    let operations = groups.flatMap(\.operations)
    for operation in operations {
      router.on(RouterPath(operation.path), method: operation.method) { request, context in
        try await operation.handler(request, context)
      }
    }
    if let broker {
      WorkOperations(queue: queue, broker: broker, factory: admission, metrics: metrics)
        .add(to: router)
    }
    page.add(to: router)
    Learn().add(to: router)
    let waiting = SynchronousJobs(queue: queue, admission: admission, permits: Permits(32))
    OpenAIImages(waiting: waiting).add(to: router)
    A1111(waiting: waiting, permits: permits, interrogator: interrogator).add(to: router)
    let document = OpenAPI(operations: operations, registry: admission.registry).document
    for path in ["/openapi.json", "/api/v1/openapi.json"] {
      router.get(RouterPath(path)) { _, _ in Response.json(document) }
    }
    return router
  }

  /// Serves until the task is told to shut down, or something cannot go on; whatever ends, all end.
  /// - Parameters:
  ///   - workers: one for each device, in the order of `devices`.
  ///   - started: called with the port once requests are answered.
  /// - Throws: `StudioError.address` where it cannot listen, or what could not go on.
  public func run(
    workers: [LocalWorker], started: @escaping @Sendable (Int) async -> Void
  ) async throws {
    try await run(anyWorkers: workers, started: started)
  }

  func run(
    anyWorkers workers: [any Worker], started: @escaping @Sendable (Int) async -> Void
  ) async throws {
    let isOpen = Atomic(false)
    let gates = workers.map { _ in AsyncStream<Never>.makeStream() }
    let application = Application(
      router: router(),
      // One that does not finish its request must not keep a place for good.
      server: .http1(configuration: .init(idleTimeout: .seconds(60))),
      configuration: .init(
        address: .hostname(options.host, port: options.port), serverName: nil,
        availableConnectionsDelegate: MaximumAvailableConnections(options.connections)),
      onServerRunning: { channel in
        isOpen.store(true, ordering: .releasing)
        for gate in gates { gate.continuation.finish() }
        await started(channel.localAddress?.port ?? 0)
      },
      logger: logger)
    // Ended from the last to the first: first nobody is let in, at last workers leave.
    var services: [any Service] = [Heart(bus: queue.bus), Broom(queue: queue)]
    for (place, worker) in workers.enumerated() {
      services.append(
        DeviceRunner(
          queue: queue, device: devices[place], worker: worker, gate: gates[place].stream))
    }
    if let broker { services.append(broker) }
    services += [application, Curtain(bus: queue.bus)]
    var configuration = ServiceGroupConfiguration(services: services, logger: logger)
    // Workers have twenty seconds to leave at a checkpoint; a client that reads slowly has no more.
    configuration.maximumGracefulShutdownDuration = .seconds(40)
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch  where !isOpen.load(ordering: .acquiring) {
      guard let reason = Self.reason(error) else { throw error }
      throw StudioError.address(host: options.host, port: options.port, reason: reason)
    }
  }

  /// Why an address cannot be listened on; nil where it is not that.
  private static func reason(_ error: any Error) -> String? {
    switch error {
    case let error as IOError where error.errnoCode == EADDRINUSE:
      "another program may have the port. Choose another --port"
    case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
      "it is no address of this machine. Choose another --host, or 0.0.0.0 for all that it has"
    case let error as IOError where error.errnoCode == EACCES:
      "ports below 1024 are for the system's own programs. Choose another --port"
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case is SocketAddressError.UnknownHost:
      "no machine is known by that name. Choose another --host"
    default: nil
    }
  }
}

/// Notices listeners that have gone.
private struct Heart: Service {
  let bus: EventBus

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .seconds(15))
        bus.beat()
      }
    }
  }
}

/// Clears away once a day what nobody needs any more.
private struct Broom: Service {
  let queue: JobQueue

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .seconds(86_400))
        do {
          try await queue.purge()
        } catch {
          queue.logger.warning("nothing was cleared away", metadata: ["why": "\(error)"])
        }
      }
    }
  }
}

/// Ends streams of events when the studio ends, since they would never end by themselves.
private struct Curtain: Service {
  let bus: EventBus

  func run() async throws {
    // Thrown where the studio ends by an error: its streams end all the same.
    try? await gracefulShutdown()
    bus.end()
  }
}
