import Foundation
import Imaging
import Testing
import Torch
import TestSupport
import Weights

@testable import Painting

@Suite(.serialized) struct EngineTests {
  private static let folder = Result { try TinyPack.make() }
  private static let pack = Result { try Pack(folder: folder.get()) }
  private static let enlarging = Result { try Pack(folder: TinyPack.make(upscaler: true)) }

  private func request(_ method: Method.ID, _ change: (inout Request) -> Void = { _ in }) -> Request
  {
    var request = Request("red fox")
    request.method = method
    request.width = 48
    request.height = 48
    request.seed = 7
    request.precision = .float32
    change(&request)
    return request
  }

  private func quick(_ request: inout Request) {
    request.iterations = 3
    request.cutouts = 4
  }

  /// Everything that comes of a request.
  private func events(
    _ request: Request, _ options: Engine.Options = .init(),
    pack: Pack? = nil, each: (Event, Generation) -> Void = { _, _ in }
  ) async throws -> [Event] {
    let own = request.method == "super-resolution" ? Self.enlarging : Self.pack
    let engine = Engine(pack: try pack ?? own.get(), threads: 1)
    let generation = engine.generate(request, options)
    var events: [Event] = []
    for try await event in generation {
      events.append(event)
      each(event, generation)
    }
    return events
  }

  private func makesCandidates(_ method: Method.ID) -> Bool {
    Registry.builtIn.method(method)?.makesCandidates == true
  }

  private func outputs(_ events: [Event]) -> [Event.Output] {
    events.compactMap { if case .image(let output) = $0 { output } else { nil } }
  }

  @Test(
    "events come in order and the picture has the size asked for",
    arguments: TinyPack.methods.map(\.id))
  func order(_ method: Method.ID) async throws {
    let request = request(method) { if !makesCandidates(method) { quick(&$0) } }
    let events = try await events(request, .init(previewEvery: 1))
    guard case .started(let started) = events.first, case .finished(let summary) = events.last
    else {
      Issue.record(
        "first \(String(describing: events.first)), last \(String(describing: events.last))")
      return
    }
    let ownSizes: [Method.ID: Int] = [
      .dalle: 32, .diffusion: 32, .bigSleep: 32, "attngan": 64, "attngan-clip": 64, "unclip": 32,
      "glide": 32,
    ]
    let isOwnSize = ownSizes[method] != nil
    #expect(started.paintedWidth == ownSizes[method] ?? 48)
    #expect(!summary.stopped)
    let output = try #require(outputs(events).first)
    #expect(output.picture.width == 48 && output.picture.height == 48)
    #expect(output.metadata.resampling == (isOwnSize ? "lanczos" : nil))
    #expect(events.contains { if case .preview = $0 { true } else { false } })
    let steps = events.compactMap { if case .step(let step) = $0 { step } else { nil } }
    #expect(steps.last.map { $0.step == $0.total } == true)
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.step < $1.step })
  }

  @Test(
    "the same seed gives the same picture, and the request in its metadata gives it once more",
    arguments: TinyPack.methods.map(\.id))
  func again(_ method: Method.ID) async throws {
    var request = request(method) { if !makesCandidates(method) { quick(&$0) } }
    let first = try #require(outputs(try await events(request)).first)
    let second = try #require(outputs(try await events(request)).first)
    #expect(first.picture == second.picture)
    #expect(first.metadata == second.metadata)
    let json = try first.metadata.json()
    let third = try #require(outputs(try await events(Metadata(json: json).request)).first)
    #expect(third.picture == first.picture)
    request.seed = 8
    let other = try #require(outputs(try await events(request)).first)
    #expect(other.picture != first.picture)
  }

  @Test("several pictures of dalle are the best candidates, each paintable again by its rank")
  func ranks() async throws {
    let request = request(.dalle) { $0.candidates = 5 }
    let best = outputs(try await events(request, .init(count: 3)))
    #expect(best.map(\.metadata.request.rank) == [1, 2, 3])
    let scores = best.compactMap(\.score)
    #expect(scores == scores.sorted(by: >) && scores.count == 3)
    let second = try #require(outputs(try await events(best[1].metadata.request)).first)
    #expect(second.picture == best[1].picture)
  }

  @Test("several pictures of vqgan-clip have seeds that follow each other")
  func seeds() async throws {
    let request = request(.vqganCLIP, quick)
    let pictures = outputs(try await events(request, .init(count: 2)))
    #expect(pictures.map(\.metadata.request.seed) == [7, 8])
    let second = try #require(outputs(try await events(pictures[1].metadata.request)).first)
    #expect(second.picture == pictures[1].picture)
  }

  @Test("a stopped optimisation gives the best so far, which can be painted again")
  func stopped() async throws {
    let request = request(.vqganCLIP) {
      $0.iterations = 100_000
      $0.cutouts = 2
    }
    let events = try await events(request) { event, generation in
      if case .step(let step) = event, step.step == 3 { generation.stop() }
    }
    let output = try #require(outputs(events).first)
    let done = try #require(output.metadata.request.iterations)
    #expect((3..<100_000).contains(done))
    guard case .finished(let summary) = events.last else {
      Issue.record("no end")
      return
    }
    #expect(summary.stopped)
    let repeated = try #require(
      outputs(try await self.events(output.metadata.request)).first)
    #expect(repeated.picture == output.picture)
  }

  @Test("sampling that is stopped gives the best of the candidates that are complete")
  func stoppedSampling() async throws {
    let request = request(.dalle) { $0.candidates = 64 }
    // A run that has its first two candidates, and is stopped before it can begin on the next.
    let folder = try ScratchFolder.make("stopped").appending(path: "fox.run")
    let run = try RunFolder(
      creating: folder,
      .init(
        request: request, count: 1, pack: nil, packEdition: .init(id: "tiny", version: "0"),
        device: "cpu", threads: 1, previewEvery: nil, output: nil, folder: folder.path),
      files: Attachments())
    var first = request
    first.candidates = 2
    _ = try await events(first, .init(run: run))

    let engine = Engine(pack: try Self.pack.get(), threads: 1)
    let (isHeld, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    async let held: Void = engine.hold(isHeld, until: mayGoOn)
    await isHeld.reached()
    let generation = engine.generate(request, .init(run: run))
    generation.stop()
    mayGoOn.signal()
    await held
    var stopped: [Event] = []
    for try await event in generation { stopped.append(event) }
    let output = try #require(outputs(stopped).first)
    #expect(output.metadata.request.candidates == 2)
    guard case .finished(let summary) = stopped.last else {
      Issue.record("no end")
      return
    }
    #expect(summary.stopped)
    let repeated = try #require(outputs(try await self.events(output.metadata.request)).first)
    #expect(repeated.picture == output.picture)
  }

  @Test("sampling may be stopped at any time")
  func stoppedOnTheWay() async throws {
    let request = request(.dalle) { $0.candidates = 64 }
    let events = try await events(request, .init(previewEvery: 1)) { event, generation in
      if case .preview(let preview) = event, preview.step == 2 { generation.stop() }
    }
    let output = try #require(outputs(events).first)
    // Where it stops depends on how busy the machine is; it is after whole groups of 2, 4, 4, … 2.
    let count = try #require(output.metadata.request.candidates)
    #expect(count < 64 && count % 4 == 2)
    let repeated = try #require(outputs(try await self.events(output.metadata.request)).first)
    #expect(repeated.picture == output.picture)
  }

  @Test("the optimisation lowers the loss", arguments: OptimizerName.allCases)
  func descends(optimizer: OptimizerName) async throws {
    let request = request(.vqganCLIP) {
      $0.iterations = 60
      $0.cutouts = 8
      $0.augmentations = []
      $0.optimizer = optimizer
    }
    let losses = try await events(request).compactMap { event -> Double? in
      if case .step(let step) = event { step.loss } else { nil }
    }
    #expect(losses.suffix(5).reduce(0, +) < losses.prefix(5).reduce(0, +))
  }

  @Test("an initial picture is where painting begins, and is asked for when it is missing")
  func initial() async throws {
    let color = Color(red: 255, green: 0, blue: 0, alpha: 255)
    let url = try ScratchFolder.make("initial").appending(path: "red.png")
    try Picture(width: 60, height: 30, color: color).write(to: url.path)
    var files = Attachments()
    let reference = try files.add(url)
    let request = request(.pixels) {
      quick(&$0)
      $0.learningRate = 0.01
      $0.initImage = reference
    }
    let events = try await events(request, .init(files: files, previewEvery: 1))
    #expect(try #require(outputs(events).first).metadata.request.initImage?.name == "red.png")
    let previews = events.compactMap { event -> Picture? in
      if case .preview(let preview) = event { preview.picture } else { nil }
    }
    // One step of 0.01 is 2.55 of 255 at most.
    let red = try Picture(width: 48, height: 48, color: color)
    let first = try #require(previews.first)
    #expect(zip(first.bytes, red.bytes).allSatisfy { abs(Int($0) - Int($1)) <= 3 })
    #expect(first != red)
    await #expect(throws: PaintingError.missingFile(name: "red.png")) {
      _ = try await self.events(request)
    }
  }

  @Test("bfloat16 paints much the same", arguments: TinyPack.methods.map(\.id))
  func bfloat16(_ method: Method.ID) async throws {
    func paint(_ change: (inout Request) -> Void) async throws -> Event.Output {
      let request = request(method) {
        // Which of several candidates is best may depend on the last digit.
        if makesCandidates(method) { $0.candidates = 1 } else { quick(&$0) }
        change(&$0)
      }
      return try #require(outputs(try await events(request)).first)
    }
    func distance(_ a: Picture, _ b: Picture) -> Int {
      zip(a.bytes, b.bytes).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    }
    let whole = try await paint { _ in }
    let half = try await paint { $0.precision = .bfloat16 }
    let other = try await paint { $0.seed = 8 }
    #expect(half.metadata.precision == "bfloat16")
    #expect(half.picture != whole.picture)
    // Which token a draw gives changes with the last digit, and with it the picture.
    if method == .dalle { return }
    let (near, far) = (
      distance(half.picture, whole.picture), distance(other.picture, whole.picture)
    )
    #expect(Double(near) < 0.3 * Double(far), "\(near) and \(far)")
  }
}

extension Engine {
  /// Keeps the engine's thread busy from `began` until `end`.
  fileprivate func hold(_ began: DispatchSemaphore, until end: DispatchSemaphore) {
    began.signal()
    end.wait()
  }
}

extension DispatchSemaphore {
  /// Waits without keeping a thread of the cooperative pool.
  fileprivate func reached() async {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        self.wait()
        continuation.resume()
      }
    }
  }
}
