import Foundation
import Imaging
import Models
import Torch
import Weights

/// Paints pictures with the networks of one pack.
///
/// The engine is an actor that owns its networks; requests go in, events and pictures come out, and
/// tensors stay inside. All its work runs on one thread of its own, one picture after the other.
///
/// ```swift
/// let engine = try Engine(pack: Pack(folder: EmbeddedPack.folder))
/// for try await event in engine.generate(Request("a red fox")) {
///   if case .image(let output) = event { print(output.metadata.request.seed ?? 0) }
/// }
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
  private nonisolated let thread: ModelThread
  private var networks: Networks?

  /// - Parameters:
  ///   - pack: the pack that paints.
  ///   - library: the models that requests may name beside the pack's.
  ///   - cache: where embeddings of prompts are kept; nil for nowhere.
  ///   - device: where networks compute; it must be among `Device.available`.
  ///   - threads: of one operation; the number of physical cores if left out.
  public init(
    pack: Pack, library: ModelLibrary = ModelLibrary(), cache: EmbeddingCache? = nil,
    device: Device = .cpu, threads: Int = Processor.cores
  ) {
    self.pack = pack
    self.library = library
    self.cache = cache
    self.device = device
    let threads = max(1, threads)
    self.threads = threads
    thread = ModelThread { Libtorch.threads = threads }
  }

  /// The engine's own thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// What to paint besides the request.
  public struct Options: Sendable {
    /// Number of pictures: the best candidates of `dalle`, or the seeds that follow each other.
    public var count: Int
    /// The files that the request names.
    public var files: Attachments
    /// Steps between previews; nil for none.
    public var previewEvery: Int?
    /// Where the run's state is kept; nil for nowhere. Pictures that it has finished are left out.
    public var run: RunFolder?
    /// Seconds between checkpoints.
    public var checkpointEvery: Double
    /// What moves; nil paints pictures. A film needs a `run`, which takes its frames.
    public var film: Film?

    /// Options; see the fields.
    public init(
      count: Int = 1, files: Attachments = Attachments(), previewEvery: Int? = nil,
      run: RunFolder? = nil, checkpointEvery: Double = 5, film: Film? = nil
    ) {
      self.count = count
      self.files = files
      self.previewEvery = previewEvery
      self.run = run
      self.checkpointEvery = checkpointEvery
      self.film = film
    }
  }

  /// Begins to paint; see `Event` for what comes. Errors of the request come as `RequestError`.
  public nonisolated func generate(_ request: Request, _ options: Options = Options()) -> Generation
  {
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: Event.self)
    let task = Task {
      do {
        if let film = options.film {
          try await self.shoot(film, request, options) { continuation.yield($0) }
        } else {
          try await self.paint(request, options) { continuation.yield($0) }
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    continuation.onTermination = { reason in
      if case .cancelled = reason { task.cancel() }
    }
    return Generation(stream: stream, task: task)
  }

  private func paint(
    _ request: Request, _ options: Options, _ emit: @escaping @Sendable (Event) -> Void
  ) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let request = try pack.resolve(request, count: options.count, device: device)
    let networks = networks(for: request.precision == .bfloat16 ? .bfloat16 : .float32)
    let painted = pack.paintedSize(request, factor: try factor(of: request))
    let models = try fingerprints(request)
    emit(
      .started(
        .init(request: request, paintedWidth: painted.width, paintedHeight: painted.height)))
    let easel = Easel(emit: emit, previewEvery: options.previewEvery)
    let done = options.run?.finishedCount ?? 0

    func finish(
      _ picture: Tensor, _ exact: Request, score: Double?, _ painting: GuidedPainting? = nil
    ) throws {
      var picture = try Picture(picture[0])
      let resampling = try resize(&picture, for: exact, networks)
      picture = try painting?.finished(picture) ?? picture
      let metadata = Metadata(
        request: exact, pack: .init(id: pack.manifest.id, version: pack.manifest.version),
        device: "\(device)", precision: "\(networks.dtype)", threads: threads,
        libtorch: Libtorch.version, models: models, painted: painted, resampling: resampling)
      emit(.image(.init(picture: picture, metadata: metadata, score: score, svg: painting?.svg())))
    }

    if request.method == .dalle {
      let candidates = try DALLE(networks: networks, easel: easel, run: options.run)
        .paint(request)
      let first = (request.rank ?? 1) - 1
      for rank in (first + done)..<min(first + options.count, candidates.count) {
        var exact = request
        exact.rank = rank + 1
        exact.candidates = candidates.count
        try finish(candidates[rank].picture, exact, score: candidates[rank].score)
      }
    } else {
      for index in done..<options.count where index == done || !Task.isCancelled {
        var exact = request
        exact.seed = request.seed.map { $0 + index }
        let painting = try GuidedPainting(
          exact, networks: networks, width: painted.width, height: painted.height,
          initial: try startPicture(exact, options.files, painted), files: options.files,
          preparing: { emit(.preparing($0)) })
        try paint(painting, Keeper(options, picture: index), easel)
        exact.iterations = painting.iteration
        try finish(
          painting.transparentPicture() ?? painting.picture(), exact, score: nil, painting)
      }
    }
    let spent = (clock.now - start).components
    emit(
      .finished(
        .init(
          stopped: Task.isCancelled,
          seconds: Double(spent.seconds) + Double(spent.attoseconds) * 1e-18)))
  }

  /// Brings a picture to the size that was asked for. What the pack's codes drew is enlarged by the pack's
  /// network, where it has one.
  /// - Returns: how that was done, for the metadata.
  private func resize(_ picture: inout Picture, for request: Request, _ networks: Networks) throws
    -> String?
  {
    let width = request.width ?? picture.width
    let height = request.height ?? picture.height
    guard picture.width != width || picture.height != height else { return nil }
    let isOfCodes =
      request.method == .dalle
      || [.vqgan, .diffusion, .biggan].contains(request.method?.drawer?.needs)
    if isOfCodes, request.model == nil, picture.width < width || picture.height < height,
      let network = try networks.upscaler()
    {
      picture = try networks.enlarged(picture, with: network, width: width, height: height)
      return "upscaler"
    }
    picture = try picture.resized(width: width, height: height, filter: .lanczos3)
    return "lanczos"
  }

  func networks(for dtype: DType) -> Networks {
    if let networks, networks.dtype == dtype { return networks }
    let made = Networks(pack, library, cache: cache, device: device, dtype: dtype)
    networks = made
    return made
  }

  /// Pixels for a code along each axis, where an installed network draws by codes.
  nonisolated func factor(of request: Request) throws -> Int? {
    switch request.method?.drawer?.needs {
    case .vqgan: try request.model.map { try library.factor(of: $0) }
    case .diffusion where pack.diffusion == nil || request.model != nil:
      try library.factor(of: request.model ?? library.first(.diffusion))
    case .dvae: try library.factor(of: request.model ?? library.first(.dvae))
    default: nil
    }
  }

  /// The installed models that a request names, with what tells them apart.
  nonisolated func fingerprints(_ request: Request) throws -> [String: String]? {
    let critics = try request.clip.map { try Perceptor.Choice.parse($0).map(\.id) } ?? []
    let ids = (critics + [request.model].compactMap(\.self)).filter { $0 != "pack" }
    guard !ids.isEmpty else { return nil }
    return try ids.reduce(into: [:]) { $0[$1] = try library.fingerprint($1) }
  }

  /// Paints to the end, or until it is stopped.
  /// - Parameter before: called at each iteration before it is done, the last one's end included.
  func paint(
    _ painting: GuidedPainting, _ keeper: Keeper?, _ easel: Easel,
    before: (GuidedPainting) throws -> Void = { _ in }
  ) throws {
    try keeper?.restore(painting)
    let first = painting.iteration
    while !painting.isDone, !easel.isStopped || painting.iteration == first {
      try before(painting)
      let loss = try painting.step()
      let done = painting.iteration
      easel.emit(
        .step(.init(step: done, total: painting.total, unit: "iteration", loss: loss)))
      if easel.wantsPreview(done), !painting.isDone {
        let picture = try Picture(painting.current()[0])
        easel.emit(.preview(.init(picture: picture, step: done, score: nil)))
      }
      try keeper?.note(painting, loss: loss)
    }
    try keeper?.save(painting)
    if painting.isDone { try before(painting) }
  }
}

/// A picture being painted: its events, and the way to stop it.
public struct Generation: AsyncSequence, Sendable {
  let stream: AsyncThrowingStream<Event, any Error>
  let task: Task<Void, Never>

  /// Asks to stop after the step that is being done. The events go on until the best picture so far
  /// has come.
  public func stop() { task.cancel() }

  /// The events.
  public func makeAsyncIterator() -> AsyncThrowingStream<Event, any Error>.Iterator {
    stream.makeAsyncIterator()
  }
}
