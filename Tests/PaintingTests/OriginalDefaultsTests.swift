import Diffusion
import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Torch

@testable import Painting

/// Networks of others paint by their authors' numbers, the pack's by its own.
@Suite struct OriginalDefaultsTests {
  private static let defaults: [String: JSONValue] = [
    "big-sleep": .object([
      "maxClasses": .integer(1), "firstClass": .string("best"), "cutouts": .integer(16),
      "iterations": .integer(60), "width": .integer(256), "height": .integer(256),
    ]),
    "diffusion": .object([
      "iterations": .integer(25), "cutouts": .integer(2), "guidance": .number(200),
      "conditionScale": .number(1.5),
    ]),
  ]
  private static let pack = Result { try Pack(folder: TinyPack.make(defaults: defaults)) }

  // MARK: Big Sleep

  @Test("Big Sleep's own way, all classes at once, can be had from the pack's network, too")
  func allClasses() throws {
    let resolver = try TinyPack.resolver(Self.pack.get())
    var request = Request("red fox")
    request.method = .bigSleep
    #expect(try resolver.resolve(request, device: .cpu).arguments["maxClasses"] == .integer(1))
    request.arguments["maxClasses"] = .integer(0)
    request.arguments["firstClass"] = .string("none")
    let context = try PipelineContext(request, Networks(Self.pack.get()))
    let pipeline = try #require(try context.pipeline() as? GuidedPipeline)
    let drawer = try #require(pipeline.drawer as? BigGANDrawer)
    // Sigmoids, not the best of a softmax.
    let difference = drawer.classWeights() - drawer.logits.sigmoid()
    #expect(difference.abs().sum().item() == 0)
  }

  @Test("the preset big-sleep has the original's numbers")
  func preset() throws {
    let resolver = try TinyPack.resolver(Self.pack.get())
    let preset = try PresetLibrary.standard([:]).preset("big-sleep")
    let request = try resolver.resolve(Request("red fox").with([preset], resolver), device: .cpu)
    #expect(request.arguments["maxClasses"] == .integer(0) && request.iterations == 1050)
    #expect(request.arguments["firstClass"] == .string("none") && request.cutouts == 128)
  }

  @Test("an installed BigGAN gets none of the pack's numbers, and the size of its own pictures")
  func installed() throws {
    let config = BigGAN.Config(
      z_dim: 8, channel_width: 4, num_classes: 5,
      layers: [.init(true, 16, 8), .init(true, 8, 4), .init(true, 4, 2), .init(false, 2, 1)],
      attention_layer_position: 2, n_stats: 2)
    let library = try TinyLibrary.empty()
    let folder = try ScratchFolder.make("gan")
    try FileManager.default.copyItem(
      at: TinyLibrary.file("gan") { BigGAN($0, config) },
      to: folder.appending(path: "pytorch_model.bin"))
    try JSONEncoder().encode(config).write(to: folder.appending(path: "config.json"))
    var particulars = ModelLibrary.Particulars()
    particulars.id = "gan"
    _ = try library.add([folder], particulars)
    let resolver = try Resolver(pack: Self.pack.get(), library: library)
    var request = Request("red fox")
    (request.method, request.model) = (.bigSleep, "gan")
    let resolved = try resolver.resolve(request, device: .cpu)
    #expect(resolved.arguments["maxClasses"] == nil)
    #expect(resolved.arguments["firstClass"] == .string("none"))
    #expect(resolved.cutouts == 128 && resolved.width == config.size)
  }

  // MARK: v-diffusion

  private func defaults(_ config: VDiffusion.Config, _ name: String) -> [String: JSONValue] {
    Method.ofNetwork(DrawingNetwork(config: config, names: [name]))
  }

  @Test("the network for guidance without a classifier is sampled as cfg_sample.py does")
  func cfg() {
    for name in ["v-diffusion-cc12m-1-cfg", "cc12m_1_cfg.pth"] {
      let values = defaults(.cc12m, name)
      #expect(values["sampler"] == .string("plms") && values["iterations"] == .integer(50))
      #expect(values["conditionScale"] == .number(3) && values["guidance"] == nil)
      #expect(values["schedule"] == .string("spliced") && values["width"] == .integer(256))
    }
  }

  @Test(
    "all others are sampled as clip_sample.py does, ports by the schedule that they were trained on",
    arguments: [
      (VDiffusion.Config.cc12m, "cc12m_1.pth", "spliced", 256),
      (.yfcc1, "yfcc_1.pth", "spliced", 512),
      (.yfcc2, "yfcc_2.pth", "spliced", 512), (.wikiart256, "wikiart_256.pth", "ddpm", 256),
      (.wikiart128, "wikiart_128.pth", "ddpm", 128),
      (.imagenet128, "imagenet_128.pth", "ddpm", 128),
      (.danbooru128, "danbooru_128.pth", "ddpm", 128),
    ])
  func clip(_ config: VDiffusion.Config, _ name: String, _ schedule: String, _ size: Int) throws {
    let values = defaults(config, name)
    #expect(values["schedule"] == .string(schedule) && values["width"] == .integer(size))
    #expect(values["iterations"] == .integer(1000) && values["eta"] == .number(1))
    #expect(values["guidance"] == .number(500) && values["conditionScale"] == .number(1))
    // What it is to be is checked as what is typed is.
    var request = Request("fox")
    request.method = .diffusion
    for (name, value) in values { try request.set(name, value) }
    #expect(throws: Never.self) { try request.validate(in: .builtIn) }
  }

  @Test("the ports' schedule ends where the least noise is that they know")
  func leastNoise() {
    // min_t of the ports in v-diffusion's models.
    let last = ContinuousSchedule.ddpm.levels(1000)[999].t
    #expect(last >= 0.0064 - 1e-4 && last < 0.0075, "\(last)")
    #expect(ContinuousSchedule.spliced.levels(1000)[999].t < 0.0064)
  }

  @Test("cc12m_1 is told by OpenAI's ViT-B/16, wherever that is, and by none that is only as wide")
  func teller() {
    var laion = CLIP.Config.vitB16
    laion.quickGELU = false
    func teller(_ named: [(String, CLIP.Config)], _ installed: [(String, CLIP.Config)] = [])
      -> String?
    { Method.teller(of: .cc12m, among: named, installed) }
    let own = (
      "pack",
      CLIP.Config(
        embedDim: 16, vision: .init(imageSize: 32, patchSize: 8, width: 32, layers: 1),
        text: .init(contextLength: 16, vocabSize: 518, width: 32, heads: 2, layers: 1))
    )
    let b32 = ("openai-vit-b-32", CLIP.Config.vitB32)
    let (b16, rn101) = (
      ("openai-vit-b-16", CLIP.Config.vitB16), ("openai-rn101", CLIP.Config.rn101)
    )
    #expect(teller([b32, b16]) == "openai-vit-b-16")
    #expect(teller([b32, rn101]) == nil)
    #expect(teller([own], [b32, b16]) == "openai-vit-b-16")
    #expect(teller([own], [("laion-vit-b-16", laion)]) == nil)
    #expect(
      Method.teller(
        of: .init(
          size: 64, widths: [8], blocks: [1], condition: .init(embedding: 16)), among: [b32, own],
        [])
        == "pack")
  }

  @Test("a port that is installed under any name is sampled by its schedule")
  func installedPort() throws {
    let config = VDiffusion.Config(
      size: 8, widths: [16, 16], blocks: [1, 1], attention: 1, headWidth: 8, isPort: true)
    let library = try TinyLibrary.empty()
    var particulars = ModelLibrary.Particulars()
    particulars.id = "mine"
    _ = try library.add([TinyLibrary.file("port") { VDiffusion($0, config) }], particulars)
    let resolver = try Resolver(pack: Self.pack.get(), library: library)
    var request = Request("red fox")
    request.method = .diffusion
    let own = try resolver.resolve(request, device: .cpu)
    #expect(own.iterations == 25 && own.arguments["schedule"] == .string("spliced"))
    request.model = "mine"
    let port = try resolver.resolve(request, device: .cpu)
    #expect(port.arguments["schedule"] == .string("ddpm"))
    #expect(port.iterations == 50 && port.arguments["conditionScale"] == .number(2))
  }

  // MARK: Heads

  @Test("an aesthetic head reads the CLIP that it was trained on")
  func heads() throws {
    let b32 = ("openai-vit-b-32", CLIP.Config.vitB32)
    let (b16, rn101) = (
      ("openai-vit-b-16", CLIP.Config.vitB16), ("openai-rn101", CLIP.Config.rn101)
    )
    func place(_ name: String, _ perceptors: [(String, CLIP.Config)]) throws -> Int {
      try AestheticObjective.perceptor(ofHead: [name], width: 512, among: perceptors)
    }
    #expect(try place("sa_0_4_vit_b_16_linear.pth", [b32, b16]) == 1)
    #expect(try place("aesthetic-vit-b-32", [b16, b32]) == 1)
    #expect {
      try place("sa_0_4_vit_b_16_linear.pth", [b32, rn101])
    } throws: { "\($0)".contains("trained on OpenAI's ViT-B/16") }
    // Of one that does not say, the only one of the width; two are too many.
    #expect(try place("mine.pth", [b32]) == 0)
    #expect { try place("mine.pth", [b32, rn101]) } throws: {
      "\($0)".contains("openai-vit-b-32 and openai-rn101")
    }
    #expect(
      try AestheticObjective.perceptor(
        ofHead: ["sac+logos+ava1-l14-linearMSE.pth"], width: 768,
        among: [b32, ("openai-vit-l-14", .vitL14)]) == 1)
  }

  // MARK: Qualities

  @Test(
    "a draft is never more work than usual, best never less, whatever the method",
    arguments: Registry.builtIn.methods.filter { $0.components.allSatisfy(\.takesPacks) }.map(\.id),
    [false, true])
  func qualities(_ method: Method.ID, _ isLarge: Bool) throws {
    let resolver = try TinyPack.resolver(Self.pack.get())
    func work(_ quality: String?) throws -> (steps: Int, views: Int, candidates: Int) {
      var request = Request("red fox")
      request.method = method
      // Large is what is not the pack's alone; it need not be there.
      request.clip = isLarge ? "pack,other" : nil
      let presets = try quality.map { [try PresetLibrary.standard([:]).preset($0)] } ?? []
      let made = try resolver.resolve(request.with(presets, resolver), device: .cpu)
      return (made.iterations ?? 1, made.cutouts ?? 1, made.candidates ?? 1)
    }
    let usual = try work(nil)
    let draft = try work("draft")
    let (normal, better, best) = (try work("normal"), try work("better"), try work("best"))
    #expect(draft.steps <= usual.steps && draft.views <= usual.views)
    #expect(draft.candidates <= usual.candidates)
    let product = { (work: (steps: Int, views: Int, candidates: Int)) in
      work.steps * work.views * work.candidates
    }
    #expect(product(draft) < product(usual) && product(usual) <= product(normal))
    #expect(product(normal) < product(better) && product(better) < product(best))
  }
}
