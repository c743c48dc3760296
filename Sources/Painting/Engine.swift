import Foundation
import Imaging
import Library
import Models
import Torch

/// Paints pictures with the networks of one pack.
///
/// The engine is an actor that owns its networks; requests go in, events and pictures come out, and
/// tensors stay inside. All its work runs on one thread of its own, one picture after the other.
///
/// ```swift
/// let engine = Engine(pack: try Pack(folder: Pack.embedded))
/// let picture = try await engine.picture(of: "a red fox")
/// ```
public actor Engine {
  /// The pack that paints.
  public nonisolated let pack: Pack
  /// Where networks compute.
  public nonisolated let device: Device
  /// Threads of one operation.
  public nonisolated let threads: Int
  /// The models that requests may name.
  public nonisolated let library: ModelLibrary
  /// Where embeddings of prompts are kept; nil for nowhere.
  public nonisolated let cache: EmbeddingCache?
  /// What requests may name.
  public nonisolated let registry: Registry
  private nonisolated let thread: ModelThread
  let provider: ModelProvider

  /// - Parameters:
  ///   - pack: the pack that paints.
  ///   - library: the models that requests may name beside the pack's.
  ///   - registry: what requests may name.
  ///   - cache: where embeddings of prompts are kept; nil for nowhere.
  ///   - device: where networks compute; it must be among `Device.available`.
  ///   - threads: of one operation; the number of physical cores if left out.
  ///   - memory: bytes of networks that are kept from painting to painting; what the present one needs is
  ///     held in any case.
  public init(
    pack: Pack, library: ModelLibrary = ModelLibrary(), registry: Registry = .builtIn,
    cache: EmbeddingCache? = nil, device: Device = .cpu, threads: Int = Processor.cores,
    memory: Int = Processor.memory / 2
  ) {
    self.pack = pack
    self.library = library
    self.registry = registry
    self.cache = cache
    self.device = device
    let threads = max(1, threads)
    self.threads = threads
    thread = ModelThread { Libtorch.threads = threads }
    provider = ModelProvider(
      pack: pack, library: library, cache: cache, device: device, budget: memory)
  }

  /// Fills requests as this engine paints them.
  public nonisolated var resolver: Resolver {
    Resolver(pack: pack, library: library, registry: registry)
  }

  /// Bytes of the networks that are loaded.
  public var networkBytes: Int { provider.bytes }

  /// The engine's own thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// What to paint besides the request.
  public struct Options: Sendable {
    /// Number of pictures: the best candidates, or those of the seeds that follow each other.
    public var count: Int
    /// The files that the request names.
    public var files: Attachments
    /// Steps, or candidates, between previews; nil for none.
    public var previewEvery: Int?
    /// Codes of a candidate between previews of it while it is written; nil for none.
    public var codesEvery: Int?
    /// Whether all candidates are shown at the end, too.
    public var showsCandidates: Bool
    /// Where the run's state is kept; nil for nowhere. Pictures that it has finished are left out.
    public var run: RunFolder?
    /// Seconds between checkpoints.
    public var checkpointEvery: Double
    /// Whether it is recorded how pictures come about.
    public var traces: Bool
    /// What moves; nil paints pictures. A film needs a `run`, which takes its frames.
    public var film: Film?

    /// Options; see the fields.
    public init(
      count: Int = 1, files: Attachments = Attachments(), previewEvery: Int? = nil,
      codesEvery: Int? = nil, showsCandidates: Bool = false, run: RunFolder? = nil,
      checkpointEvery: Double = 5, traces: Bool = false, film: Film? = nil
    ) {
      self.count = count
      self.files = files
      self.previewEvery = previewEvery
      self.codesEvery = codesEvery
      self.showsCandidates = showsCandidates
      self.run = run
      self.checkpointEvery = checkpointEvery
      self.traces = traces
      self.film = film
    }
  }

  /// Begins to paint; see `Event` for what comes. Errors of the request come as `RequestError`.
  public nonisolated func generate(_ request: Request, _ options: Options = Options()) -> Generation
  {
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: Event.self)
    let stop = StopFlag()
    let task = Task {
      let control = StepControl(isStopped: { stop.isSet }, report: { _ in })
      do {
        if let film = options.film {
          try await self.shoot(film, request, options, control) { continuation.yield($0) }
        } else {
          try await self.paint(request, options, control) { continuation.yield($0) }
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    continuation.onTermination = { reason in
      guard case .cancelled = reason else { return }
      stop.set()
      task.cancel()
    }
    return Generation(stream: stream, task: task, flag: stop)
  }

  /// Paints the best picture of a request; of a text, for instance.
  ///
  /// ```swift
  /// let picture = try await engine.picture(of: "a fox")
  /// ```
  /// - Throws: `RequestError`, `PaintingError`; `CancellationError` when the task is cancelled before there
  ///   is a picture.
  public nonisolated func picture(of request: Request, _ options: Options = Options()) async throws
    -> Picture
  {
    try await output(of: request, options).picture
  }

  /// As ``picture(of:_:)-(Request,_)``, of a text with all else left open.
  public nonisolated func picture(of prompt: String) async throws -> Picture {
    try await picture(of: Request(prompt))
  }

  /// As ``picture(of:_:)-(Request,_)``, with how it was painted.
  public nonisolated func output(of request: Request, _ options: Options = Options()) async throws
    -> Event.Output
  {
    for try await event in generate(request, options) {
      if case .image(let output) = event { return output }
    }
    throw CancellationError()
  }

  private func paint(
    _ request: Request, _ options: Options, _ control: StepControl,
    _ emit: @escaping @Sendable (Event) -> Void
  ) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let request = try resolver.resolve(request, count: options.count, device: device)
    let runner = try self.runner(request, options, control, emit)
    emit(
      .started(
        .init(
          request: request, paintedWidth: runner.size.width, paintedHeight: runner.size.height)))
    let done = options.run?.finishedCount ?? 0
    if runner.method.makesCandidates {
      let pipeline = try runner.pipeline(request)
      let recorder = options.traces ? TraceRecorder() : nil
      try runner.paint(pipeline, picture: 0, recorder: recorder)
      let first = (request.rank ?? 1) - 1
      let pictures = try pipeline.finished()
      for picture in pictures.dropFirst(first + done).prefix(max(0, options.count - done)) {
        try finish(picture, runner, recorder?.trace(of: picture, by: pipeline))
      }
      if options.showsCandidates, !control.isStopped() {
        emit(
          .candidates(
            try pictures.map {
              .init(picture: try Picture(painted: $0.picture[0]), score: $0.score)
            }))
      }
    } else {
      for index in done..<options.count where index == done || !control.isStopped() {
        var exact = request
        exact.seed = request.seed.map { $0 + index }
        let pipeline = try runner.pipeline(exact)
        let recorder = options.traces ? TraceRecorder() : nil
        try runner.paint(pipeline, picture: index, recorder: recorder)
        for picture in try pipeline.finished().prefix(1) {
          try finish(picture, runner, recorder?.trace(of: picture, by: pipeline))
        }
      }
    }
    emit(.finished(.init(stopped: control.isStopped(), seconds: (clock.now - start).seconds)))
  }

  /// Everything that pictures of one request have in common.
  func runner(
    _ request: Request, _ options: Options, _ control: StepControl,
    _ emit: @escaping @Sendable (Event) -> Void
  ) throws -> PipelineRunner {
    guard let method = registry.method(request.method) else {
      throw RequestError.badValue(field: "method", reason: "is not resolved")
    }
    provider.begin()
    return PipelineRunner(
      method: method, registry: registry,
      networks: networks(request.precision == .bfloat16 ? .bfloat16 : .float32),
      size: try resolver.paintedSize(request), options: options, control: control, emit: emit)
  }

  private func finish(_ finished: FinishedPicture, _ runner: PipelineRunner, _ trace: Trace?) throws
  {
    var picture = try Picture(painted: finished.picture[0])
    let resampling = try resize(&picture, for: finished.request, runner)
    picture = try finished.finish(picture)
    let metadata = Metadata(
      request: finished.request, pack: .init(id: pack.manifest.id, version: pack.manifest.version),
      device: "\(device)",
      precision: finished.request.precision == .int8 ? "int8" : "\(runner.networks.dtype)",
      threads: threads,
      libtorch: Libtorch.version, models: try fingerprints(finished.request), painted: runner.size,
      resampling: resampling)
    runner.emit(
      .image(
        .init(
          picture: picture, metadata: metadata, score: finished.score, svg: finished.svg,
          attention: finished.attention, trace: trace)))
  }

  /// Brings a picture to the size that was asked for. What the pack's networks drew is enlarged by the
  /// pack's network, where it has one.
  /// - Returns: how that was done, for the metadata.
  private func resize(_ picture: inout Picture, for request: Request, _ runner: PipelineRunner)
    throws
    -> String?
  {
    let width = request.width ?? picture.width
    let height = request.height ?? picture.height
    guard picture.width != width || picture.height != height else { return nil }
    if !runner.method.components.isEmpty, resolver.drawsWithPack(request, runner.method),
      picture.width < width || picture.height < height,
      let large = try runner.networks.enlargedByPack(picture, width: width, height: height)
    {
      picture = large
      return "upscaler"
    }
    picture = try picture.resized(width: width, height: height, filter: .lanczos3)
    return "lanczos"
  }

  func networks(_ dtype: DType) -> Networks { Networks(provider: provider, dtype: dtype) }

  /// The installed models that a request names, with what tells them apart.
  nonisolated func fingerprints(_ request: Request) throws -> [String: String]? {
    let found = try resolver.fingerprints(of: request)
    return found.isEmpty ? nil : found
  }
}

extension Picture {
  /// The picture that networks have made; see `init(_:)`.
  /// - Throws: `PaintingError.noPicture` where a value of it is no number.
  init(painted tensor: Tensor) throws {
    guard tensor.sum().item().isFinite else { throw PaintingError.noPicture }
    try self.init(tensor)
  }
}

/// A picture being painted: its events, and the way to stop it.
public struct Generation: AsyncSequence, Sendable {
  let stream: AsyncThrowingStream<Event, any Error>
  let task: Task<Void, Never>
  let flag: StopFlag

  /// Asks to stop after the step that is being done. The events go on until the best picture so far
  /// has come.
  public func stop() {
    flag.set()
    task.cancel()
  }

  /// The events.
  public func makeAsyncIterator() -> AsyncThrowingStream<Event, any Error>.Iterator {
    stream.makeAsyncIterator()
  }
}
