import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Torch

@testable import Painting

/// A wish is granted, refused, or said to have no effect: pictures that engines paint, compared.
@Suite struct EffectTests {
  private static let pack = Result { try Pack(folder: TinyPack.make()) }
  private static let library = Result { try TinyLibrary.make() }

  /// Black in its left half, white in its right.
  private let halves: FileReference
  /// The same from the other side.
  private let other: FileReference
  private let files: Attachments

  init() throws {
    let folder = try ScratchFolder.make("effects")
    var files = Attachments()
    func picture(_ name: String, _ parts: [Tensor]) throws -> FileReference {
      let url = folder.appending(path: name)
      try Picture(concatenated(parts, over: 2)).write(to: url.path)
      return try files.add(url)
    }
    let (dark, light) = (Tensor.zeros([3, 32, 16]), Tensor.ones([3, 32, 16]))
    halves = try picture("halves.png", [dark, light])
    other = try picture("other.png", [light, light])
    self.files = files
  }

  private func request(_ method: Method.ID, _ change: (inout Request) -> Void) -> Request {
    var request = Request("red fox")
    request.method = method
    (request.width, request.height, request.seed) = (32, 32, 3)
    (request.iterations, request.cutouts) = (4, 2)
    change(&request)
    return request
  }

  private func bytes(_ method: Method.ID, _ change: (inout Request) -> Void = { _ in }) async throws
    -> [UInt8]
  {
    try await Engine(pack: Self.pack.get(), library: Self.library.get(), threads: 1)
      .painted(request(method, change), files).bytes
  }

  /// What a part needs to be made at all.
  private func needed(_ name: String) -> [String: JSONValue] {
    switch name {
    case "style": ["file": halves.json]
    // Of random weights "red fox" is near already.
    case "contrastive": ["text": .string("fox"), "than": .string("red fox")]
    case "transfer": ["from": .string("red"), "to": .string("fox"), "samples": .integer(16)]
    case "likeness": ["image": halves.json]
    case "inpaint": ["mask": halves.json, "blur": .number(0)]
    default: [:]
    }
  }

  @Test(
    "every objective changes what is painted",
    arguments: Registry.builtIn.objectives.map(\.name))
  func objectives(_ name: String) async throws {
    func paint(_ weight: Double?) async throws -> [UInt8] {
      try await bytes(.vqganCLIP) { request in
        request.initImage = halves
        request.clip = "pack"
        request.objectives = weight.map { [PartSpec(name, weight: $0, needed(name))] }
      }
    }
    let without = try await paint(nil)
    #expect(try await paint(1000) != without)
  }

  @Test(
    "likeness is by pictures where a drawer has no latent of others'",
    arguments: ["big-sleep", "fft"])
  func likeness(_ method: Method.ID) async throws {
    func paint(_ weight: Double?) async throws -> [UInt8] {
      try await bytes(method) { request in
        request.objectives = weight.map { [PartSpec("likeness", weight: $0, needed("likeness"))] }
      }
    }
    let without = try await paint(nil)
    #expect(try await paint(1000) != without)
  }

  @Test(
    "every objective changes what diffusion paints under guidance",
    arguments: ["range", "sat", "tv", "symmetry", "palette", "edge"])
  func steered(_ name: String) async throws {
    func paint(_ weight: Double?) async throws -> [UInt8] {
      try await bytes(.diffusion) { request in
        request.arguments["guidance"] = .number(500)
        request.objectives = weight.map { [PartSpec(name, weight: $0)] }
      }
    }
    let without = try await paint(nil)
    #expect(try await paint(1000) != without)
  }

  @Test(
    "every filter changes what is painted, under guidance and without any",
    arguments: Registry.builtIn.filters.map(\.name),
    [("vqgan-clip", nil), ("diffusion", 500.0), ("diffusion", 0)])
  func filters(_ name: String, _ way: (method: String, guidance: Double?)) async throws {
    func paint(_ filters: [PartSpec]?) async throws -> [UInt8] {
      try await bytes(.init(rawValue: way.method)) { request in
        request.initImage = halves
        request.arguments["guidance"] = way.guidance.map(JSONValue.number)
        request.filters = filters
      }
    }
    let without = try await paint(nil)
    #expect(try await paint([PartSpec(name, needed(name))]) != without)
  }

  @Test("--objective range and sat look at the colours before these are limited")
  func range() {
    let drawn = Tensor([-0.5, 0.25, 1.25] as [Float], [1, 1, 1, 3])
    let observation = Observation(picture: drawn.clamped(0, 1), drawn: drawn)
    // In -1…1: -2, -0.5, 1.5; by how much outside: 1, 0, 0.5.
    let squared = RangeObjective(isSquared: true).loss(observation)?.item() ?? 0
    let amount = RangeObjective(isSquared: false).loss(observation)?.item() ?? 0
    #expect(abs(squared - 1.25 / 3) < 1e-6 && abs(amount - 0.5) < 1e-6)
  }

  @Test("a wish for colours within the range is said to be idle where they never leave it")
  func idleRange() throws {
    let resolver = try Resolver(pack: Self.pack.get(), library: Self.library.get())
    func remarks(_ method: Method.ID) throws -> [String] {
      try resolver.remarks(
        on: request(method) { $0.objectives = [PartSpec("range"), PartSpec("tv")] }
      ).map(\.text)
    }
    #expect(
      try remarks("fft") == ["range has no effect in fft, whose colours never leave the range."])
    #expect(try remarks(.vqganCLIP).isEmpty)
  }

  @Test("what nobody looks at without guidance is refused, or said to have no effect")
  func unguided() throws {
    let resolver = try Resolver(pack: Self.pack.get(), library: Self.library.get())
    for none in [JSONValue.number(0), .integer(0), .string("0*5,0*5")] {
      #expect {
        try resolver.resolve(
          request(.diffusion) {
            $0.arguments["guidance"] = none
            $0.objectives = [PartSpec("tv")]
          }, device: .cpu)
      } throws: { "\($0)".contains("guidance is 0, where objectives do nothing") }
    }
    #expect {
      try resolver.resolve(
        request(.diffusion) {
          $0.arguments["guidance"] = .number(0)
          $0.prompts = [Prompt(.text("sea"), region: .outside)]
        }, device: .cpu)
    } throws: { "\($0)".contains("prompts of a region do nothing") }
    let asked = request(.diffusion) {
      $0.arguments["guidance"] = .number(0)
      $0.cutPower = 3
      $0.prompt = "red fox:1:0.8"
    }
    let said = try resolver.remarks(on: asked).map(\.text)
    #expect(said.count == 2 && said[0].hasPrefix("cutPower has no effect"), "\(said)")
    #expect(said[1].hasPrefix("Stop values have no effect"))
    // What stands there because it is usual is nobody's wish.
    #expect(try resolver.remarks(on: resolver.resolve(asked, device: .cpu)).count == 2)
  }

  @Test(
    "transfer changes only the place where the thing is found, whoever draws",
    arguments: [
      "vqgan-clip", "logits", "dvae-clip", "pixels", "fft", "pixel", "deep-daze", "clipdraw",
    ])
  func transfer(_ name: String) throws {
    let networks = try Networks(Self.pack.get(), Self.library.get())
    let request = request(.init(rawValue: name == "logits" ? "vqgan-clip" : name)) { request in
      request.initImage = halves
      if name == "logits" { request.arguments["latent"] = .string("logits") }
      // The codebook's range would move what lies outside.
      if name == "vqgan-clip" { request.arguments["clampLatent"] = .bool(false) }
      if name == "pixel" { request.arguments["columns"] = .integer(8) }
      request.objectives = [PartSpec("transfer", weight: 100, needed("transfer"))]
    }
    let source = try Picture.read(from: files.url(halves).path).tensor()
    let context = try PipelineContext(request, networks, initial: source, files: files)
    let pipeline = try #require(try context.pipeline() as? GuidedPipeline)
    let kept = try #require(
      ObjectiveKind.transfer.make(
        context.part("transfer", ObjectiveKind.transfer.arguments, needed("transfer")))
        as? TransferObjective
    ).kept
    let open = try #require(kept).open
    #expect((0.01..<1).contains(open.mean().item()))
    let before = pipeline.drawer.parameters.map { $0.detached().cloned() }
    for _ in 0..<2 { _ = try pipeline.step(.none) }
    if let confined = pipeline.drawer.confined(before.map { Tensor.ones($0.shape) }, to: open) {
      // Where no gradient comes, parameters stay as they were; elsewhere some have moved.
      for (index, mask) in confined.enumerated() {
        let moved = (pipeline.drawer.parameters[index] - before[index]).abs()
        #expect((moved * mask.equals(0).to(.float32)).sum().item() == 0)
        #expect((moved * mask).sum().item() > 0)
      }
    } else {
      let shown = pipeline.current()
      let outside = 1 - open.resampled(as: shown)
      #expect(((shown - source) * outside).abs().sum().item() < 1e-3)
      #expect(((shown - source) * (1 - outside)).abs().sum().item() > 0)
    }
  }

  @Test("a diffusion network that fills a hole sees what is around it")
  func surroundings() async throws {
    func hole(_ around: FileReference) async throws -> [UInt8] {
      let painted = try await bytes(.diffusion) { request in
        request.initImage = around
        request.arguments["guidance"] = .number(0)
        // Nothing of the picture is left where it begins.
        request.arguments["start"] = .number(1)
        request.filters = [PartSpec("inpaint", needed("inpaint"))]
      }
      // The right half, which is open.
      return painted.enumerated().filter { $0.offset / 3 % 32 >= 16 }.map(\.element)
    }
    #expect(try await hole(halves) != hole(other))
  }

  @Test("CLIPs that are named together add up, each by its weight")
  func added() async throws {
    let library = try TinyLibrary.empty()
    let folder = try ScratchFolder.make("critic")
    let clip = CLIP.Config(
      embedDim: 16, vision: .init(imageSize: 16, patchSize: 8, width: 64, layers: 1),
      text: .init(contextLength: 16, vocabSize: 518, width: 64, heads: 1, layers: 1))
    let file = try TinyLibrary.file("critic") { CLIP($0, clip) }
    try FileManager.default.copyItem(at: file, to: folder.appending(path: "model.safetensors"))
    try FileManager.default.copyItem(
      at: Self.pack.get().folder.appending(path: "tokenizer.json"),
      to: folder.appending(path: "tokenizer.json"))
    var particulars = ModelLibrary.Particulars()
    particulars.id = "critic"
    _ = try library.add([folder], particulars)
    func loss(_ clip: String, _ voices: Request.Voices? = nil) async throws -> Double {
      let painted = try await Engine(pack: Self.pack.get(), library: library, threads: 1).painted(
        request("fft") { ($0.clip, $0.clipVoices) = (clip, voices) }, files)
      return try #require(painted.losses.first ?? nil)
    }
    let (own, other) = (try await loss("pack"), try await loss("critic"))
    #expect(abs(try await loss("pack,critic:0.5") - (own + other / 2)) < 1e-4)
    #expect(abs(try await loss("pack:2") - 2 * own) < 1e-4)
    let mean = (own + other / 2) / 1.5
    #expect(abs(try await loss("pack,critic:0.5", .average) - mean) < 1e-4)
    #expect(abs(try await loss("pack:2", .average) - own) < 1e-4)
  }

  @Test("the cut mode whole shows the plain picture, as Deep Daze without cutouts does")
  func whole() {
    let picture = RandomStream(seed: 1, "picture").uniform([1, 3, 40, 24])
    let views = Cutouts(size: 16, count: 2, mode: .whole, seed: 1)(picture, iteration: 0)
    let plain = picture.resampled(16, 16, .bilinear)
    #expect(views.shape == [2, 3, 16, 16])
    #expect((views - plain).abs().sum().item() == 0)
  }
}
