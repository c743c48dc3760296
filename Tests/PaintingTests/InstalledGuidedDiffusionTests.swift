import Diffusion
import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// Installed networks of guided-diffusion with random weights, painted with.
@Suite("Installed networks of guided-diffusion")
struct InstalledGuidedDiffusionTests {
  private static let unet = UNet.Config(
    width: 32, widths: [32, 32], blocks: 1, attention: [1], headWidth: 16)

  /// A library of networks of 32 pixels: without classes, with, one that enlarges, a classifier and a
  /// secondary model.
  private static func library() throws -> ModelLibrary {
    let library = try TinyLibrary.empty()
    func add(_ id: String, _ flags: String? = nil, _ make: (Parameters) -> Void) throws {
      let url = try file(id, make)
      if let flags {
        try Data(flags.utf8).write(
          to: url.deletingLastPathComponent().appending(path: "guided-diffusion.json"))
      }
      var particulars = ModelLibrary.Particulars()
      particulars.id = id
      _ = try library.add([url], particulars)
    }
    let told = #"{"image_size": 32, "num_head_channels": 16, "noise_schedule": "cosine"}"#
    var upscaling = unet
    upscaling.inputs = 6
    try add("plain", told) { _ = GuidedDiffusion($0, .init(unet, size: 32)) }
    try add("classes", told) { _ = GuidedDiffusion($0, .init(unet, size: 32, classes: 5)) }
    try add("larger", told) { _ = GuidedDiffusion($0, .init(upscaling, size: 32, smallSize: 8)) }
    var half = unet
    (half.outputs, half.widths, half.headWidth) = (5, [32, 64], 64)
    try add("critic") { _ = GuidedClassifier($0, .init(half, size: 32)) }
    try add("second") { _ = SecondaryDiffusion($0, .init(widths: [8, 16], lowest: 2)) }
    return library
  }

  /// A file of a network with random weights, none of which is zero as in the beginning of a training.
  private static func file(_ name: String, _ make: (Parameters) -> Void) throws -> URL {
    let source = Initializer(seed: 3)
    make(Parameters(source))
    let tensors = source.parameters.map { key, tensor in
      (key, tensor.detached() + RandomStream(seed: 4, key).normal(tensor.shape) * 0.05)
    }
    let url = try ScratchFolder.make("network").appending(path: "\(name).safetensors")
    try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: url)
    return url
  }

  private let library: ModelLibrary

  init() throws { library = try Self.library() }

  private func request(
    _ model: String = "plain", _ arguments: [String: JSONValue] = [:],
    _ change: (inout Request) -> Void = { _ in }
  ) -> Request {
    var request = Request("a red fox")
    (request.method, request.model, request.seed) = (.diffusion, model, 3)
    // The same on every processor: in bfloat16 rounding is seen.
    request.precision = .float32
    (request.width, request.height, request.iterations, request.cutouts) = (32, 32, 4, 2)
    request.arguments = ["guidance": .number(0)].merging(arguments) { $1 }
    change(&request)
    return request
  }

  private func paint(_ request: Request, _ files: Attachments = Attachments()) async throws
    -> Engine.Painted
  {
    try await Engine(pack: Pack(folder: TinyPack.make()), library: library, cache: nil, threads: 1)
      .painted(request, files)
  }

  private func refusal(_ request: Request) async -> String {
    do {
      _ = try await paint(request)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "an installed network is known with what is told beside it, and sampled as Disco Diffusion does"
  )
  func resolved() throws {
    let resolver = try Resolver(pack: Pack(folder: TinyPack.make()), library: library)
    var asked = Request("a red fox")
    (asked.method, asked.model) = ("guided-diffusion", "plain")
    let request = try resolver.resolve(asked, device: .cpu)
    #expect(request.method == .diffusion)
    #expect(request.iterations == 250 && request.arguments["eta"] == .number(0.8))
    #expect(request.arguments["guidance"] == .number(5000))
    #expect(request.width == 32 && request.height == 32)
    #expect(request.cutMode == .dango && request.accumulate == 4)
    #expect(request.promptWeights == .normalized)
    #expect(request.arguments["look"] == .string("blended"))
    #expect(request.arguments["clampGradient"] == .number(0.05))
    asked.model = "larger"
    let larger = try resolver.resolve(asked, device: .cpu)
    #expect(larger.arguments["sampler"] == .string("ddpm"))
    #expect(larger.arguments["guidance"] == .number(0))
    let method = try #require(resolver.registry.method("guided-diffusion"))
    #expect(resolver.installed(for: method).sorted() == ["classes", "larger", "plain"])
    // One that needs hours is not what a plain wish takes.
    #expect(try resolver.choice(for: Request("a red fox")).model == nil)
  }

  @Test("guided-diffusion paints with the pack where no network is named")
  func offline() async throws {
    var own = request { ($0.method, $0.model) = ("guided-diffusion", nil) }
    let alias = try await paint(own)
    own.method = .diffusion
    #expect(try await paint(own).bytes == alias.bytes)
  }

  @Test(
    "every sampler paints, steered or not", arguments: SamplerKind.all.map(\.name))
  func samplers(name: String) async throws {
    let arguments: [String: JSONValue] = ["sampler": .string(name), "clipDenoised": .bool(true)]
    let plain = try await paint(request("plain", arguments))
    #expect(plain.losses.count == 4 && Set(plain.bytes).count > 8)
    let steered = try await paint(
      request("plain", arguments.merging(["guidance": .number(500)]) { $1 }))
    #expect(steered.bytes != plain.bytes)
    #expect(steered.losses.count == 4 && steered.losses.allSatisfy { $0?.isFinite == true })
  }

  @Test("a secondary model takes the gradient's way, and paints otherwise than the network's own")
  func secondary() async throws {
    let arguments: [String: JSONValue] = ["guidance": .number(500), "clipDenoised": .bool(true)]
    let own = try await paint(request("plain", arguments))
    let second = try await paint(
      request("plain", arguments.merging(["secondary": .string("second")]) { $1 }))
    #expect(second.losses.allSatisfy { $0?.isFinite == true } && second.bytes != own.bytes)
  }

  @Test("a class, another in each step, and a classifier change the picture")
  func classes() async throws {
    func painted(_ arguments: [String: JSONValue]) async throws -> [UInt8] {
      try await paint(
        request("classes", arguments.merging(["clipDenoised": .bool(true)]) { $1 })
      ).bytes
    }
    let two = try await painted(["class": .integer(2)])
    #expect(try await painted(["class": .integer(2)]) == two)
    #expect(try await painted(["class": .integer(3)]) != two)
    let any = try await painted([:])
    #expect(any != two)
    #expect(try await painted([:]) == any)
    let judged: [String: JSONValue] = ["class": .integer(2), "classifier": .string("critic")]
    #expect(
      try await painted(judged.merging(["classifierScale": .number(500)]) { $1 }) != two)
    // Only rounding differs.
    let unheard = try await painted(judged.merging(["classifierScale": .number(0)]) { $1 })
    #expect(zip(unheard, two).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
  }

  @Test("steps are respaced, and left out at the beginning")
  func steps() async throws {
    func count(_ arguments: [String: JSONValue]) async throws -> Int {
      try await paint(request("plain", arguments)).losses.count
    }
    #expect(try await count(["respacing": .string("ddim5")]) == 5)
    #expect(try await count(["respacing": .string("3,2,1")]) == 6)
    #expect(try await count(["skipSteps": .integer(3)]) == 1)
    #expect(try await count(["skipSteps": .integer(30)]) == 1)
  }

  @Test("timesteps are Disco Diffusion's")
  func levels() throws {
    let network = GuidedDiffusion(
      Parameters(Initializer(seed: 1)), .init(Self.unet, size: 32, betas: .linear))
    let discrete = DiscreteNetwork(network: network, seed: 1)
    // 1000 // 150 * 150 = 900 timesteps, every sixth, told as thousandths.
    let levels = try discrete.levels(150, from: 1)
    #expect(levels.count == 151 && levels[150] == .clean)
    #expect(abs(levels[0].t - 894 * 1000.0 / 900) < 1e-9 && levels[149].t == 0)
    let schedule = DiscreteSchedule.linear(900)
    #expect(abs(levels[0].alpha - schedule.alphasCumprod[894].squareRoot()) < 1e-12)
    let late = try discrete.levels(150, from: 0.5)
    #expect(late.count < levels.count && late.first.map { $0.continuous.t <= 0.5 } == true)
    #expect(try discrete.levels(1, from: 1).map(\.t) == [999, 0])
    #expect(try discrete.levels(150, from: 0).count == 2)
  }

  /// A picture of one colour in a file.
  private func picture(_ color: Color, _ files: inout Attachments) throws -> FileReference {
    let url = try ScratchFolder.make("start").appending(path: "\(color.red).png")
    try Picture(width: 32, height: 32, color: color).write(to: url.path)
    return try files.add(url)
  }

  @Test("a network that enlarges is shown the picture")
  func larger() async throws {
    var files = Attachments()
    let (red, blue) = (
      try picture(Color(0xcc3020), &files), try picture(Color(0x2030cc), &files)
    )
    let first = try await paint(request("larger") { $0.initImage = red }, files)
    #expect(try await paint(request("larger") { $0.initImage = blue }, files).bytes != first.bytes)
    #expect(await refusal(request("larger")).contains("enlarges a picture"))
  }

  @Test("what a mask closes stays, whatever network draws around it", arguments: ["plain", nil])
  func inpainted(model: String?) async throws {
    var files = Attachments()
    let start = try picture(Color(0xcc3020), &files)
    let mask = try ScratchFolder.make("mask").appending(path: "mask.png")
    let bytes = (0..<32 * 32).flatMap { [UInt8](repeating: $0 % 32 < 16 ? 0 : 255, count: 3) }
    try Picture(width: 32, height: 32, channels: 3, bytes: bytes).write(to: mask.path)
    let reference = try files.add(mask)
    let painted = try await paint(
      request("plain", ["start": .number(1)]) {
        $0.model = model
        $0.initImage = start
        $0.filters = [PartSpec("inpaint", ["mask": reference.json])]
      }, files)
    let rows = (0..<32).map { y in (0..<32).map { x in painted.bytes[(y * 32 + x) * 3] } }
    #expect(rows.allSatisfy { $0[..<8].allSatisfy { $0 == 0xcc } })
    #expect(rows.contains { $0[24...].contains { $0 != 0xcc } })
  }

  @Test("the noise of a picture gives it back")
  func inverted() async throws {
    var files = Attachments()
    let start = try picture(Color(0x804020), &files)
    func painted(_ steps: Int) async throws -> Engine.Painted {
      try await paint(
        request("plain", ["inversion": .bool(true), "conditionScale": .number(0)]) {
          ($0.model, $0.iterations, $0.initImage) = (nil, steps, start)
        }, files)
    }
    let (few, many) = (try await painted(30), try await painted(150))
    #expect(few.losses.count == 60)
    let same = try await paint(
      request("plain", ["start": .number(0.01), "conditionScale": .number(0)]) {
        ($0.model, $0.initImage) = (nil, start)
      }, files)
    let other = try await paint(request { $0.model = nil }, files)
    func distance(_ a: Engine.Painted) -> Int {
      zip(a.bytes, same.bytes).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    }
    #expect(distance(many) * 4 < distance(other))
    #expect(distance(many) < distance(few))
  }

  @Test("what cannot be is told in words")
  func refused() async {
    for (request, words) in [
      (request("plain", ["class": .integer(1)]), "knows no classes"),
      (request("classes", ["class": .integer(5)]), "below 5"),
      (request("plain", ["classifier": .string("critic")]), "5 classes is wanted"),
      (request("plain", ["respacing": .string("ddim999")]), "no whole number"),
      (request("plain", ["respacing": .string("x")]), "which timesteps"),
      (
        request("plain", ["inversion": .bool(true), "eta": .number(0)]), "picture to begin from"
      ),
      (request("plain", ["secondary": .string("critic")]), "not of the kind 'secondary'"),
      (request("critic"), "not of the kind 'diffusion'"),
      (
        request("plain", ["classifier": .string("critic"), "class": .integer(1)]) { $0.width = 64 },
        "32 x 32"
      ),
      (request("plain", ["respacing": .string("250")]) { $0.model = nil }, "guided-diffusion"),
      (request("plain", ["class": .integer(1)]) { $0.model = nil }, "guided-diffusion"),
    ] {
      let found = await refusal(request)
      #expect(found.contains(words), "\(found)")
    }
  }

  @Test("a painting that is left goes on to the bit", arguments: ["ddim", "guided-plms"])
  func resumed(sampler: String) throws {
    let request = request(
      "classes", ["sampler": .string(sampler), "eta": .number(0.5), "guidance": .number(100)])
    let pack = try Pack(folder: TinyPack.make())
    let networks = try Networks(pack, library)
    func pipeline() throws -> any Pipeline { try PipelineContext(request, networks).pipeline() }
    let whole = try pipeline()
    let control = StepControl.none
    while !whole.isDone { _ = try whole.step(control) }
    let first = try pipeline()
    for _ in 0..<2 { _ = try first.step(control) }
    let state = try first.state
    let second = try pipeline()
    try second.restore(state.notes) { state.tensors[$0] }
    #expect(second.done == 2)
    while !second.isDone { _ = try second.step(control) }
    #expect(try (second.current() - whole.current()).abs().amax().item() == 0)
  }

  /// What `Oracle/full.py` of `ModelsTests` writes.
  private static let full = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: ".oracle/full/256x256_diffusion_uncond")

  @Test(
    "OpenAI's network for 256 pixels draws in four steps what guided-diffusion draws with it",
    .enabled(
      if: ProcessInfo.processInfo.environment["REVERIE_FULL"] != nil
        && FileManager.default.fileExists(atPath: full.path + ".pt"),
      "takes 4 GB and its checkout in .oracle/checkouts: run script/test --full"))
  func fullSize() throws {
    let found = try Recognition(of: openTensors(at: Self.full.appendingPathExtension("pt")))
    #expect(found.config as? GuidedDiffusion.Config == .unconditional256)
    #expect(try found.fit()?.problem == nil)
    let network = try #require(
      try found.network(GuidedDiffusion.self, nil, .float32, device: .cpu))
    var discrete = DiscreteNetwork(network: network, seed: 1)
    discrete.respacing = .ddim(4)
    let stored = try SafeTensors(
      contentsOf: Self.full.appendingPathExtension("oracle.safetensors"))
    var sampler = DDIM()
    let levels = try discrete.levels(4, from: 1)
    let picture = try noGrad { () throws(any Error) in
      try sampler.sample(
        stored.tensor("noise"), levels, with: discrete.denoiser(nil, step: 0),
        noise: { _ in Tensor.zeros([1]) })
    }
    let expected = try stored.tensor("picture")
    let scale = expected.abs().amax().item()
    expectClose(picture / scale, expected / scale, atol: 1e-3)
  }
}
