import Imaging
import Models
import TestSupport
import Testing
import Torch

@testable import Painting

/// Candidates that are sampled side by side, and pictures that are asked for without a stream of events.
@Suite struct SamplingTests {
  private static let pack = Result { try Pack(folder: TinyPack.make()) }

  private func request(candidates: Int) -> Request {
    var request = Request("red fox")
    (request.method, request.width, request.height, request.seed) = (.dalle, 32, 32, 7)
    (request.candidates, request.precision) = (candidates, .float32)
    return request
  }

  /// Four groups at once, of 2, 4, 4 and 4 candidates with 16 tokens each.
  private func pipeline() throws -> DALLEMiniPipeline {
    try DALLEMiniPipeline(
      PipelineContext(request(candidates: 14), Networks(Self.pack.get())))
  }

  private func withFourThreads(_ body: () throws -> Void) throws {
    let threads = Libtorch.threads
    Libtorch.threads = 4
    defer { Libtorch.threads = threads }
    try #require(Libtorch.threads == 4)
    try body()
  }

  @Test("whichever group learns of the stop first, all end at their next token")
  func stops() throws {
    try withFourThreads {
      let pipeline = try pipeline()
      let flag = StopFlag()
      var told: [Int] = []
      let control = StepControl(isStopped: { flag.isSet }) { progress in
        told.append(progress.step)
        flag.set()
      }
      _ = try pipeline.step(control)
      #expect((1...4).contains(told.count) && (2...14).contains(told.max() ?? 0), "\(told)")
      #expect(pipeline.isDone && pipeline.done == 0)
      #expect(throws: PaintingError.stoppedEarly) { try pipeline.finished() }
    }
  }

  @Test("a seamless picture is the largest square of the candidates, drawn at once")
  func seamless() throws {
    var request = request(candidates: 5)
    let apart = try DALLEMiniPipeline(PipelineContext(request, Networks(Self.pack.get())))
    request.arguments["seamless"] = .bool(true)
    let whole = try DALLEMiniPipeline(PipelineContext(request, Networks(Self.pack.get())))
    for pipeline in [apart, whole] { while !pipeline.isDone { _ = try pipeline.step(.none) } }
    let (pictures, mosaics) = (try apart.finished(), try whole.finished())
    #expect(pictures.count == 5 && mosaics.count == 1)
    let (picture, mosaic) = (pictures[0].picture, mosaics[0].picture)
    let side = picture.size(2)
    #expect(mosaic.shape == [1, 3, 2 * side, 2 * side])
    // Far from the seams the second candidate stands to the right of the first; at them it does not end.
    let tiles = concatenated(pictures[0..<2].map(\.picture), over: 3)
    #expect(cosine(mosaic.narrowed(2, 0, side), tiles) > 0.9)
    #expect((mosaic.narrowed(2, 0, side) - tiles).abs().amax().item() > 1e-3)
  }

  @Test(
    "what is written so far is shown with the last code in place of the rest, and changes nothing")
  func unfinished() async throws {
    let pack = try Self.pack.get()
    var (previews, pictures): ([Event.Preview], [Picture]) = ([], [])
    for every in [5, nil] {
      let engine = Engine(pack: pack, threads: 2)
      let options = Engine.Options(count: 3, codesEvery: every, showsCandidates: every == nil)
      for try await event in engine.generate(request(candidates: 3), options) {
        switch event {
        case .preview(let preview): previews.append(preview)
        case .image(let image): pictures.append(image.picture)
        case .candidates(let all):
          #expect(all.map(\.picture) == Array(pictures.suffix(3)))
          #expect(all.compactMap(\.score).count == 3)
        default: break
        }
      }
    }
    #expect(pictures.count == 6 && pictures[0..<3] == pictures[3..<6])
    // 16 codes: after 5, 10 and 15 of each candidate.
    #expect(
      Set(previews.map { [$0.step, $0.codes ?? 0] })
        == Set((1...3).flatMap { step in [5, 10, 15].map { [step, $0] } }))
    #expect(previews.count == 9)

    let networks = try Networks(pack)
    let pipeline = try DALLEMiniPipeline(PipelineContext(request(candidates: 3), networks))
    while !pipeline.isDone { _ = try pipeline.step(.none) }
    let codes = try #require(pipeline.state.tensors["codes.0"])  // [2, 16, 2]
    let decoder = CodeDecoder(try networks.network(VQGAN.self))
    let shown = concatenated(
      [codes.narrowed(1, 0, 10), Tensor.full([2, 6, 2], 15, .int64)], over: 1
    ).reshaped(2, 4, 4, 2)
    let expected = try Picture(noGrad { decoder(shown) }[1])
    #expect(previews.first { $0.step == 2 && $0.codes == 10 }?.picture == expected)
  }

  @Test("groups that were complete when painting was stopped are kept")
  func keeps() throws {
    try withFourThreads {
      let pipeline = try pipeline()
      let flag = StopFlag()
      // The last token of all: no group can be stopped any more.
      let control = StepControl(isStopped: { flag.isSet }) { progress in
        if progress.step == progress.total { flag.set() }
      }
      _ = try pipeline.step(control)
      #expect(flag.isSet && pipeline.isDone && pipeline.done == pipeline.total)
      #expect(try pipeline.finished().count == 14)
    }
  }

  @Test("the best of what several threads had sampled when they were stopped can be painted again")
  func threads() async throws {
    func best(_ request: Request, stopping: Bool = false) async throws -> Event.Output {
      let engine = Engine(pack: try Self.pack.get(), threads: 4)
      let generation = engine.generate(request, .init(previewEvery: 1))
      var output: Event.Output?
      for try await event in generation {
        if case .preview = event, stopping { generation.stop() }
        if case .image(let image) = event { output = image }
      }
      return try #require(output)
    }
    let output = try await best(request(candidates: 64), stopping: true)
    // Whole rounds and whole groups, however far it came meanwhile.
    let count = try #require(output.metadata.request.candidates)
    #expect(count == 64 || count % 4 == 2, "\(count)")
    let again = try await best(output.metadata.request)
    #expect(again.picture == output.picture && again.score == output.score)
  }

  // MARK: Without events

  @Test("a text is enough for a picture")
  func text() async throws {
    let engine = Engine(pack: try Self.pack.get(), threads: 1)
    let picture = try await engine.picture(of: "red fox")
    #expect(picture.width == 256 && picture.height == 256)
    await #expect(throws: RequestError.emptyPrompt) { _ = try await engine.picture(of: " ") }
  }

  @Test("the picture of a request is the first that its events bring")
  func ofRequest() async throws {
    let engine = Engine(pack: try Self.pack.get(), threads: 1)
    let request = request(candidates: 5)
    var outputs: [Event.Output] = []
    for try await event in engine.generate(request, .init(count: 2)) {
      if case .image(let output) = event { outputs.append(output) }
    }
    #expect(outputs.count == 2)
    let output = try await engine.output(of: request, .init(count: 2))
    #expect(output.picture == outputs[0].picture && output.metadata == outputs[0].metadata)
    #expect(try await engine.picture(of: request, .init(count: 2)) == outputs[0].picture)
  }

  @Test("a task that is cancelled gets no picture, and the engine is free again")
  func cancelled() async throws {
    let engine = Engine(pack: try Self.pack.get(), threads: 1)
    var endless = request(candidates: 1)
    (endless.method, endless.candidates) = (.pixels, nil)
    (endless.iterations, endless.cutouts) = (100_000, 1)
    let task = Task { [endless] in try await engine.picture(of: endless) }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    #expect(try await engine.picture(of: request(candidates: 1)).width == 32)
  }
}
