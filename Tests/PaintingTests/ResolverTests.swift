import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// Which method paints what is asked for, and why.
@Suite struct ResolverTests {
  private static let resolver = Result { try TinyPack.resolver(Pack(folder: TinyPack.make())) }
  private static let file = FileReference(
    name: "a.png", sha256: String(repeating: "0f", count: 32))

  /// A pack that lacks these networks.
  private func pack(without lacking: Set<String>) throws -> Pack {
    let folder = try TinyPack.make()
    let url = folder.appending(path: "pack.json")
    var manifest = try JSONDecoder().decode(PackManifest.self, from: Data(contentsOf: url))
    #expect(lacking.isSubset(of: manifest.networks.keys))
    manifest.networks = manifest.networks.filter { !lacking.contains($0.key) }
    try JSONEncoder().encode(manifest).write(to: url)
    return try Pack(folder: folder)
  }

  private func choice(_ resolver: Resolver? = nil, _ change: (inout Request) -> Void) throws
    -> Resolver.Choice
  {
    var request = Request("red fox")
    change(&request)
    return try (resolver ?? Self.resolver.get()).choice(for: request)
  }

  @Test("auto takes dalle unless it cannot, then diffusion, then vqgan-clip, and says why")
  func order() throws {
    let plain = try choice { _ in }
    #expect(plain.method.id == .dalle && plain.model == nil)
    #expect(plain.reason == "it paints the best pictures, in seconds")
    #expect(try choice { $0.method = .auto }.method.id == .dalle)
    #expect(try choice { ($0.width, $0.height) = (64, 64) }.method.id == .dalle)

    // What dalle cannot do, and the word of it that the reason has.
    let beyond: [(String, (inout Request) -> Void)] = [
      ("initImage", { $0.initImage = Self.file }), ("mask", { $0.mask = Self.file }),
      ("one text", { $0.prompt = "a | b" }), ("one text", { $0.prompt = "a:-1" }),
      ("one text", { $0.prompt = "a ^ b" }), ("one text", { $0.prompts = [Prompt("a")] }),
      ("square", { ($0.width, $0.height) = (64, 32) }), ("square", { $0.width = 64 }),
      ("iterations", { $0.iterations = 5 }), ("cutouts", { $0.cutouts = 5 }),
      ("filters", { $0.filters = [PartSpec("tiler")] }),
    ]
    for (word, change) in beyond {
      let found = try choice(nil, change)
      #expect(found.method.id == .diffusion, "\(word)")
      let objection = try #require(found.objections.first)
      #expect("\(objection)".contains(word) && found.reason != nil, "\(objection)")
    }
    let optimised: [(String, (inout Request) -> Void)] = [
      ("learningRate", { $0.learningRate = 0.1 }), ("ema", { $0.ema = 0.5 }),
      ("overlay", { $0.overlay = Self.file }),
      ("latent", { $0.arguments["latent"] = .string("z") }),
    ]
    for (word, change) in optimised {
      let found = try choice(nil, change)
      #expect(found.method.id == .vqganCLIP, "\(word)")
      #expect(found.objections.contains { "\($0)".contains(word) }, "\(found.objections)")
    }
  }

  @Test("without dalle in the pack diffusion is first, without both vqgan-clip, each by its merits")
  func smaller() throws {
    let second = try choice(TinyPack.resolver(pack(without: ["dalle-bart"]))) { _ in }
    #expect(second.method.id == .diffusion)
    #expect(
      second.reason == "it takes several prompts, a picture to begin from and all proportions")
    let third = try choice(TinyPack.resolver(pack(without: ["dalle-bart", "v-diffusion"]))) { _ in }
    #expect(third.method.id == .vqganCLIP)
    #expect(third.reason == "it does all that CLIP can guide")
    let drawers: Set = ["dalle-bart", "v-diffusion", "vqgan"]
    let fourth = try choice(TinyPack.resolver(pack(without: drawers))) { _ in }
    #expect(fourth.method.id == "attngan")
    #expect(fourth.reason == "it draws in one pass what its pictures showed")
    #expect(throws: PaintingError.self) {
      let more: Set = ["attngan", "attngan-text", "glide", "glide-upsampler"]
      _ = try choice(TinyPack.resolver(pack(without: drawers.union(more)))) { _ in }
    }
  }

  @Test("what a pack asks for goes first where it can, and a method that is named needs no reason")
  func first() throws {
    let pack = try Pack(folder: TinyPack.make(defaults: ["method": .string("fft")]))
    let resolver = try TinyPack.resolver(pack)
    #expect(try choice(resolver) { _ in }.method.id == "fft")
    #expect(try choice(resolver) { $0.candidates = 3 }.method.id == .dalle)
    let named = try choice(resolver) { $0.method = .dalle }
    #expect(named.method.id == .dalle && named.reason == nil)
  }

  @Test("where nothing can do all that is asked, the first method's reason is told")
  func impossible() throws {
    let error = #expect(throws: RequestError.self) {
      try choice { ($0.candidates, $0.cutouts) = (3, 3) }
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("cutouts is not a parameter of dalle"))
  }

  @Test("a network that is missing is an error that says how to get it")
  func missing() throws {
    let pack = try pack(without: ["dalle-bart", "v-diffusion", "vqgan"])
    let resolver = try TinyPack.resolver(pack)
    var request = Request("red fox")
    request.method = .vqganCLIP
    #expect {
      try resolver.paintedSize(resolver.resolve(request, device: .cpu))
    } throws: {
      $0 is StoreError && "\($0)".contains("reverie models pull vqgan-imagenet-f16-1024")
    }
    // What can only be in a pack is asked of another one.
    request.method = .dalle
    #expect {
      try resolver.resolve(request, device: .cpu)
    } throws: { "\($0)".contains("has no DALL·E transformer") && "\($0)".contains("--pack") }
  }

  @Test("settings of drawers and the pull of the diffusion model are for the pack's CLIP alone")
  func distilled() throws {
    let folder = try TinyPack.make()
    let url = folder.appending(path: "pack.json")
    var manifest = try JSONDecoder().decode(PackManifest.self, from: Data(contentsOf: url))
    manifest.defaults = [
      "pixels": .object(["distillation": .number(50), "cutouts": .integer(3)]),
      "vqgan-clip": .object(["distillation": .number(40), "cutouts": .integer(5)]),
    ]
    try JSONEncoder().encode(manifest).write(to: url)
    var resolver = try TinyPack.resolver(Pack(folder: folder))
    func resolved(_ method: Method.ID, clip: String? = nil) throws -> Request {
      var request = Request("red fox")
      (request.method, request.clip) = (method, clip)
      return try resolver.resolve(request, device: .cpu)
    }
    for clip in [nil, "pack", "pack:0.5"] {
      let pixels = try resolved("pixels", clip: clip)
      #expect(pixels.distillation == 50 && pixels.cutouts == 3)
    }
    let pixels = try resolved("pixels", clip: "openai-vit-b-32")
    #expect(pixels.distillation == 0 && pixels.cutouts == 16)
    let codes = try resolved(.vqganCLIP, clip: "pack,openai-vit-b-32:0.5")
    #expect(codes.distillation == 0 && codes.cutouts == 5)

    // A pack that has no diffusion model is led by none, and says so where one is asked for.
    manifest.networks["v-diffusion"] = nil
    try JSONEncoder().encode(manifest).write(to: url)
    resolver = try TinyPack.resolver(Pack(folder: folder))
    var alone = try resolved("pixels")
    #expect(alone.distillation == 0 && alone.cutouts == 3)
    (alone.distillation, alone.width, alone.height) = (50, 32, 32)
    #expect {
      _ = try PipelineContext(alone, Networks(Pack(folder: folder))).pipeline()
    } throws: { "\($0)".contains("needs a diffusion model") }
  }

  @Test("a method that there is not is refused, with the nearest name")
  func unknown() throws {
    let error = #expect(throws: RequestError.self) { try choice { $0.method = "vqgan-clop" } }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("did you mean 'vqgan-clip'") && text.contains("auto, "), "\(text)")
  }

  @Test("the yes and no of earlier versions are flags once a request is resolved")
  func flags() throws {
    let resolver = try Self.resolver.get()
    func resolved(_ json: String) throws -> Request {
      try resolver.resolve(Request(json: Data(json.utf8)), device: .cpu)
    }
    let line = try resolved(
      #"{"prompt":"a","method":"line","inkChanges":"no","paperChanges":"yes"}"#)
    #expect(line.arguments["inkChanges"] == .bool(false))
    #expect(line.arguments["paperChanges"] == .bool(true))
    for (word, flag) in [("yes", true), ("no", false)] {
      let transfer = try resolved(
        #"{"prompt":"a","method":"fft","objectives":[{"name":"transfer","mask":"\#(word)"}]}"#)
      #expect(transfer.objectives?.first?.arguments["mask"] == .bool(flag), "\(word)")
    }
  }
}
