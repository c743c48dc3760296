import Foundation
import Imaging
import Testing
import TestSupport
import Torch
import Weights

@testable import Painting

/// Folders of runs that the version before `Pipeline` left: what it wrote is taken up to the bit.
@Suite struct CheckpointTests {
  private static let pack = Result { try Pack(folder: TinyPack.make()) }

  private func engine() throws -> Engine { Engine(pack: try Self.pack.get(), threads: 1) }

  /// A run of a request that was left when as much was done as `first` asks for.
  private func left(_ request: Request, after first: (inout Request) -> Void) async throws
    -> URL
  {
    let folder = try ScratchFolder.make("left").appending(path: "fox.run")
    let run = try RunFolder(
      creating: folder,
      .init(
        request: request, count: 1, pack: nil, packEdition: .init(id: "tiny", version: "0.0.1"),
        device: "cpu", threads: 1, previewEvery: nil, output: nil, folder: folder.path),
      files: Attachments())
    var part = request
    first(&part)
    _ = try await engine().picture(of: part, .init(run: run))
    return folder
  }

  /// Replaces the notes of a run's checkpoint.
  /// - Parameter old: the notes as the old version wrote them, from the new ones.
  private func rewrite(_ folder: URL, _ old: (JSONValue) throws -> String) throws {
    let (notes, _) = try #require(try RunFolder(opening: folder).checkpoint(JSONValue.self))
    let url = folder.appending(path: "checkpoint.safetensors")
    let file = try SafeTensors(contentsOf: url)
    let tensors = try file.names.map { ($0, try file.tensor($0).cloned()) }
    try SafeTensors.write(
      Dictionary(uniqueKeysWithValues: tensors), metadata: ["notes": old(notes)], to: url)
  }

  /// A run painted to its end: the picture, and the first step that was taken.
  private func resumed(_ request: Request, _ folder: URL) async throws -> (
    output: Event.Output, first: Int
  ) {
    var (output, first): (Event.Output?, Int?)
    for try await event in try engine().generate(
      request, .init(run: RunFolder(opening: folder)))
    {
      switch event {
      case .step(let progress): first = first ?? progress.step
      case .image(let image): output = image
      default: continue
      }
    }
    return (try #require(output), try #require(first))
  }

  private func field(_ value: JSONValue?, _ path: String...) throws -> String {
    let found = path.reduce(value) { value, name in
      if case .object(let fields) = value { fields[name] } else { nil }
    }
    return try String(decoding: JSONEncoder().encode(#require(found)), as: UTF8.self)
  }

  @Test("an optimisation goes on from where it was left")
  func guided() async throws {
    var request = Request("red fox")
    (request.method, request.width, request.height, request.seed) = (.vqganCLIP, 32, 32, 7)
    (request.iterations, request.cutouts, request.precision) = (14, 2, .float32)
    // It remembers the beginning, of which nothing else in the checkpoint tells.
    request.objectives = [PartSpec("start", weight: 3)]
    let whole = try await engine().output(of: request)
    let folder = try await left(request) { $0.iterations = 11 }
    try rewrite(folder) { notes in
      let best = try ["smoothed", "weight", "lowest", "iteration"].map {
        "\"\($0)\":\(try field(notes, "painting", "best", $0))"
      }
      return """
        {"picture":0,"painting":{"iteration":11,"best":{\(best.joined(separator: ","))},\
        "schedule":{"drops":[],"dropped":0,"since":0,"isExhausted":false},"memories":[["start"]]}}
        """
    }
    let (output, first) = try await resumed(request, folder)
    #expect(first == 12)
    #expect(output.picture == whole.picture)
    #expect(output.metadata == whole.metadata)
  }

  @Test("a sketch goes on from where it was left, and so does what follows it", arguments: [4, 9])
  func sketched(left iterations: Int) async throws {
    var request = Request("red fox")
    (request.method, request.width, request.height, request.seed) = ("pixel", 32, 32, 7)
    (request.iterations, request.cutouts, request.precision) = (12, 2, .float32)
    let plain = try await engine().output(of: request)
    request.sketch = 6
    let whole = try await engine().output(of: request)
    #expect(whole.picture != plain.picture)
    let folder = try await left(request) { $0.iterations = iterations }
    let (output, first) = try await resumed(request, folder)
    #expect(first == iterations + 1)
    #expect(output.picture == whole.picture)
    request.sketch = 0
    #expect(try await engine().output(of: request).picture == plain.picture)
  }

  @Test(
    "what the diffusion model pulls to goes on from where it was left",
    arguments: ["pixel", .vqganCLIP] as [Method.ID], [(32, 32), (48, 32)])
  func distilled(_ method: Method.ID, size: (Int, Int)) throws {
    let networks = try Networks(Pack(folder: TinyPack.make()))
    var request = Request("red fox ^ green leaf")
    (request.method, request.width, request.height, request.seed) = (method, size.0, size.1, 7)
    (request.iterations, request.cutouts, request.precision) = (8, 2, .float32)
    func pipeline(_ weight: Double) throws -> any Pipeline {
      request.distillation = weight
      return try PipelineContext(request, networks).pipeline()
    }
    func bytes(_ pipeline: any Pipeline) throws -> [UInt8] {
      while !pipeline.isDone { _ = try pipeline.step(.none) }
      return try Picture(pipeline.finished()[0].picture[0]).bytes
    }
    let whole = try bytes(pipeline(100))
    #expect(try bytes(pipeline(0)) != whole)
    let first = try pipeline(100)
    for _ in 0..<5 { _ = try first.step(.none) }
    let state = try first.state
    let second = try pipeline(100)
    try second.restore(state.notes) { state.tensors[$0] }
    #expect(try bytes(second) == whole)
  }

  @Test("what an objective remembers of the beginning is the drawer's, not the sketch's")
  func sketchedStart() async throws {
    var request = Request("red fox")
    (request.method, request.width, request.height, request.seed) = (.vqganCLIP, 32, 32, 7)
    (request.iterations, request.cutouts, request.precision, request.sketch) = (8, 2, .float32, 4)
    request.objectives = [PartSpec("start", weight: 3)]
    let whole = try await engine().output(of: request)
    for iterations in [2, 6] {
      let folder = try await left(request) { $0.iterations = iterations }
      #expect(try await resumed(request, folder).output.picture == whole.picture)
    }
  }

  private func candidates(_ count: Int) -> Request {
    var request = Request("red fox")
    (request.method, request.width, request.height, request.seed) = (.dalle, 32, 32, 7)
    (request.candidates, request.precision) = (count, .float32)
    return request
  }

  @Test("candidates that were sampled are not sampled again")
  func sampled() async throws {
    let request = candidates(6)
    let whole = try await engine().output(of: request)
    let folder = try await left(request) { $0.candidates = 2 }
    try rewrite(folder) { notes in
      let groups = try field(notes, "painting", "groups")
      #expect(groups == "1")
      return #"{"groups":1}"#
    }
    let (output, first) = try await resumed(request, folder)
    // Two candidates have sixteen tokens each.
    #expect(first > 32)
    #expect(output.picture == whole.picture)
    #expect(output.metadata == whole.metadata)
  }

  @Test(
    "a checkpoint that is of another painting is refused",
    arguments: [
      #"{"groups":3}"#, #"{"groups":-1}"#, #"{"picture":0,"painting":{"iteration":1}}"#, "[]",
    ])
  func foreign(_ notes: String) async throws {
    let request = candidates(6)
    let folder = try await left(request) { $0.candidates = 2 }
    try rewrite(folder) { _ in notes }
    await #expect(throws: PaintingError.badCheckpoint(reason: "it is of another request")) {
      _ = try await resumed(request, folder)
    }
  }
}
