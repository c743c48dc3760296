import Foundation
import GRDB
import Imaging
import Painting
import Synchronization

/// The worker's side: reads orders from its input, paints them one after the other, and writes what
/// happens to its output. It ends when its input does, which is also how it learns that the server died.
public final class WorkerSession: Sendable {
  let engine: Engine
  private let input: FileHandle
  private let output: FileHandle
  let checkpointEvery: Double
  private let traces: Bool
  private let state = Mutex(State())
  private let writing = Mutex(())

  private struct State {
    var stop: Stop?
    var generation: Generation?
  }

  /// - Parameters:
  ///   - engine: paints.
  ///   - input: where orders come from.
  ///   - output: where reports go.
  ///   - checkpointEvery: seconds between checkpoints.
  ///   - traces: whether it is recorded how pictures come about.
  public init(
    engine: Engine, input: FileHandle, output: FileHandle, checkpointEvery: Double = 2,
    traces: Bool = true
  ) {
    self.engine = engine
    self.input = input
    self.output = output
    self.checkpointEvery = checkpointEvery
    self.traces = traces
  }

  /// Takes the device, of which there is one worker in a studio's folder at a time: one of a server that
  /// was killed may be about to end still.
  /// - Returns: what holds the device; keep it while the loop runs.
  public static func take(_ device: String, in folder: StudioFolder) throws -> FolderLock {
    guard let lock = FolderLock(folder.workerLock(device), waits: true) else {
      throw StudioError.folder(path: folder.url.path, reason: String(cString: strerror(errno)))
    }
    return lock
  }

  /// Works until the input ends.
  public func run() async {
    tell(.ready(device: "\(engine.device)", threads: engine.threads))
    var current: Task<Void, Never>?
    for await line in lines() {
      switch Lines.read(line, as: Command.self) {
      case .paint(let order):
        await current?.value
        state.withLock { $0 = State() }
        current = Task { await self.paint(order) }
      case .stop(let how): stop(how)
      case nil: break
      }
    }
    stop(.leave)
    await current?.value
  }

  private func stop(_ how: Stop) {
    let generation = state.withLock { state in
      state.stop = state.stop ?? how
      return state.generation
    }
    generation?.stop()
  }

  /// How what is being painted is to be stopped; nil while it is not.
  var stopRequest: Stop? { state.withLock { $0.stop } }

  /// The lines of the input, read on a thread of their own.
  private func lines() -> AsyncStream<String> {
    let (lines, reader) = AsyncStream<String>.makeStream()
    let input = input.fileDescriptor
    Thread.detachNewThread {
      var (rest, part) = (Data(), [UInt8](repeating: 0, count: 1 << 16))
      while true {
        // What is there, and no more: a file handle would wait for all that was asked for.
        let count = read(input, &part, part.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        rest += part[..<count]
        while let end = rest.firstIndex(of: 0x0a) {
          reader.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
          rest = Data(rest[(end + 1)...])
        }
      }
      reader.finish()
    }
    return lines
  }

  /// Writes a report; without a reader the worker has nothing to live for.
  func tell(_ report: WorkerEvent) {
    writing.withLock { _ in
      guard let line = try? Lines.line(report), (try? output.write(contentsOf: line)) != nil else {
        return stop(.leave)
      }
    }
  }

  // MARK: Painting

  private func paint(_ order: JobAssignment) async {
    Memory.forgetPeak()
    do {
      do {
        tell(.ended(try await carryOut(order)))
      } catch let error as PaintingError where error.isOfRun {
        // What was left cannot be used: it is painted from its beginning, to the same pixels.
        try? FileManager.default.removeItem(atPath: order.run)
        var order = order
        (order.kept, order.processors) = (nil, nil)
        tell(.ended(try await carryOut(order)))
      }
    } catch PaintingError.stoppedEarly where stopRequest != nil {
      tell(.ended(stopRequest == .leave ? .left : .stopped))
    } catch {
      tell(.failed(WorkerEvent.Failure(error)))
    }
  }

  private func carryOut(_ order: JobAssignment) async throws -> JobOutcome {
    switch order.work {
    case nil: try await go(on: open(order), order)
    case .film(let film): try await shoot(film, order, on: open(order, film))
    case .enlargement(let enlargement): try await enlarge(enlargement, order)
    }
  }

  private func open(_ order: JobAssignment, _ film: Film? = nil) throws -> RunFolder {
    let run = try makeOrOpen(order, film)
    // What another machine has done of it, beside what is this one's own.
    for (name, path) in order.kept ?? [:] {
      let file = run.folder.appending(path: name)
      guard !FileManager.default.fileExists(atPath: file.path) else { continue }
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.copyItem(at: URL(filePath: path), to: file)
    }
    return run
  }

  private func makeOrOpen(_ order: JobAssignment, _ film: Film?) throws -> RunFolder {
    let folder = URL(filePath: order.run, directoryHint: .isDirectory)
    if FileManager.default.fileExists(atPath: folder.appending(path: "run.json").path) {
      return try RunFolder(opening: folder)
    }
    var files = Attachments()
    for file in order.files { files.add(file.reference, at: URL(filePath: file.path)) }
    let manifest = engine.pack.manifest
    return try RunFolder(
      creating: folder,
      RunFolder.Description(
        request: order.request, count: order.count, film: film, pack: engine.pack.folder.path,
        packEdition: .init(id: manifest.id, version: manifest.version),
        device: "\(engine.device)", threads: engine.threads, previewEvery: nil, output: nil,
        folder: folder.path), files: files)
  }

  private func go(on run: RunFolder, _ order: JobAssignment) async throws -> JobOutcome {
    for place in 0..<run.finishedCount {
      let file = run.finished(place + 1)
      try report(file, Metadata(ofPictureAt: file.path), place: place + 1)
    }
    guard run.finishedCount < order.count else { return .finished }
    let begun = run.finishedCount + 1
    let method = engine.registry.method(order.request.method)
    let generation = engine.generate(
      order.request,
      .init(
        count: order.count, files: run.files, previewEvery: method?.stepsToWatch,
        codesEvery: order.request.model == nil ? nil : 64, run: run,
        checkpointEvery: checkpointEvery, traces: traces))
    begin(generation)
    var steps = Pace(perSecond: 8)
    var previews = Pace(perSecond: 3)
    var saved = 0
    for try await event in generation {
      switch event {
      case .started(let started):
        tell(.started(width: started.paintedWidth, height: started.paintedHeight))
      case .preparing(let step):
        if steps.allows() { tell(.preparing(.init(step, picture: run.finishedCount + 1))) }
      case .step(let step):
        guard steps.allows() || step.step == step.total else { continue }
        let picture = run.finishedCount + 1
        let rest = method?.makesCandidates == true ? 0 : order.count - picture
        tell(.step(.init(step, picture: picture, rest: rest)))
      case .preview(let preview):
        guard stopRequest == nil, previews.allows() else { continue }
        let jpeg = try preview.picture.fitted(in: 512).encoded(as: .jpeg(quality: 80))
        tell(.preview(step: preview.step, jpeg: jpeg))
      case .image(var image):
        // Only the one that was begun elsewhere is of several processors.
        if run.finishedCount + 1 == begun { image.metadata.processors = order.processors }
        try keep(image, run, &saved)
      case .frame, .candidates, .finished: break
      }
    }
    switch stopRequest {
    case nil: return .finished
    case .leave: return .left
    case .keep, .discard: return .stopped
    }
  }

  /// Lets what is being painted be stopped; it may be already.
  func begin(_ generation: Generation) {
    let isStopped = state.withLock { state in
      state.generation = generation
      return state.stop != nil
    }
    if isStopped { generation.stop() }
  }

  /// - Parameter saved: pictures that were kept because painting was stopped.
  private func keep(_ image: Event.Output, _ run: RunFolder, _ saved: inout Int) throws {
    let stopRequest = stopRequest
    guard stopRequest == nil || stopRequest == .keep else { return }
    let place = run.finishedCount + saved + 1
    if stopRequest != nil { saved += 1 }
    let file =
      stopRequest == nil ? run.finished(place) : run.folder.appending(path: "stopped-\(place).png")
    // The picture last: when it is there it is finished.
    try image.attention?.write(to: Self.attention(of: file).path, replacing: true)
    if let trace = image.trace {
      let data = try JSONEncoder().encode(trace)
      if data.count <= Trace.limit { try data.write(to: Self.trace(of: file), options: .atomic) }
    }
    try image.picture.write(
      to: file.path, as: .png(texts: image.metadata.texts()), replacing: true)
    try report(file, image.metadata, place: place, score: image.score, stopped: stopRequest != nil)
  }

  private static func attention(of picture: URL) -> URL {
    picture.deletingPathExtension().appendingPathExtension("attention.png")
  }

  private static func trace(of picture: URL) -> URL {
    picture.deletingPathExtension().appendingPathExtension("trace.json")
  }

  private func report(
    _ file: URL, _ metadata: Metadata, place: Int, score: Double? = nil, stopped: Bool = false
  ) throws {
    func present(_ beside: URL) -> String? {
      FileManager.default.fileExists(atPath: beside.path) ? beside.path : nil
    }
    tell(
      .picture(
        .init(
          place: place, path: file.path, attention: present(Self.attention(of: file)),
          trace: present(Self.trace(of: file)), metadata: try metadata.json(), score: score,
          stopped: stopped, memory: Memory.peak)))
  }
}

/// Lets through so many things a second.
struct Pace {
  private let least: Duration
  private var last: ContinuousClock.Instant?

  init(perSecond: Double) { least = .seconds(1 / perSecond) }

  /// Whether one more may pass now.
  mutating func allows() -> Bool {
    let now = ContinuousClock.now
    if let last, now - last < least { return false }
    last = now
    return true
  }
}

extension Picture {
  /// The picture with its longer side at most so many pixels.
  func fitted(in side: Int) throws -> Picture {
    let longer = max(width, height)
    guard longer > side else { return self }
    return try resized(
      width: max(1, width * side / longer), height: max(1, height * side / longer))
  }
}

extension PaintingError {
  /// Whether it is about what was left of a run.
  var isOfRun: Bool {
    switch self {
    case .badRun, .badCheckpoint: true
    default: false
    }
  }
}

extension WorkerEvent.Failure {
  /// What an error says to people.
  init(_ error: any Error) {
    if let failure = error as? WorkerEvent.Failure {
      self = failure
    } else if isFullDisk(error) {
      self.init(reason: Problem.full.detail, field: nil)
    } else if error is DatabaseError || error is CocoaError || error is POSIXError {
      // In the system's own words, without its structures.
      self.init(reason: "The studio cannot keep it: \(error.localizedDescription)", field: nil)
    } else {
      self.init(reason: "\(error)", field: (error as? RequestError)?.field)
    }
  }
}

extension RequestError {
  /// The field that is to blame; nil where it is none alone.
  var field: String? {
    switch self {
    case .emptyPrompt, .badPrompt: "prompt"
    case .badValue(let field, _): field
    case .unknownField(let name, _): String(name.prefix(80))
    case .notARequest: nil
    case .notOfMethod(let field, _, _): field
    case .impossible: "method"
    }
  }
}
