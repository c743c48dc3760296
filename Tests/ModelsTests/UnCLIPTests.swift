import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against kakaobrain/karlo, diffusers, dalle2-pytorch and openai/glide-text2im, by `Oracle/unclip.py`.
@Suite("unCLIP and GLIDE")
struct UnCLIPTests {
  private let file = Result { try SafeTensors(contentsOf: Fixtures.url("unclip.safetensors")) }

  /// Values and gradient of a record within 1e-4 of their scale.
  private func expect(_ name: String, _ x: Tensor, _ y: Tensor) throws {
    let file = try file.get()
    func compare(_ found: Tensor, _ part: String) throws {
      let wanted = try file.tensor("\(name).\(part)")
      expectClose(found, wanted, atol: 1e-4 * wanted.abs().amax().item(), "\(name) \(part)")
    }
    try compare(y, "y")
    let probe = try file.tensor("\(name).probe")
    try compare(gradient(of: (y * probe).sum(), at: [x])[0], "gradient")
  }

  private func text(encoding: String = "karlo") throws -> PriorText {
    let file = try file.get()
    return PriorText(
      embedding: try file.tensor("karlo.embedding"),
      encoding: try file.tensor("\(encoding).encoding"), mask: try file.tensor("karlo.mask"))
  }

  private static let karlo = UnCLIPPrior.Config(
    text_ctx: 6, xf_width: 128, xf_layers: 2, xf_heads: 2, clip_dim: 24, text_dim: 24)

  @Test("Karlo's prior gives what the original gives")
  func karlo() throws {
    let prior = UnCLIPPrior(Parameters(Recorder()), Self.karlo)
    let x = try file.get().tensor("karlo.x").variable()
    try expect("karlo", x, prior(x, timesteps: file.get().tensor("karlo.t"), text: text()))
  }

  @Test("a prior in diffusers' keys is known, and gives what diffusers gives")
  func diffusers() throws {
    let shapes = try JSONDecoder().decode(
      [String: [Int]].self, from: Data(contentsOf: Fixtures.url("unclip.json")))
    let weights = Dictionary(
      uniqueKeysWithValues: shapes.map { ($0.key, SyntheticWeights.tensor($0.key, $0.value)) })
    try Fixtures.withTemporaryFile("prior.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      let found = try Recognition(of: openTensors(at: url))
      #expect(found.layout == "diffusers PriorTransformer")
      var config = Self.karlo
      config.hasStatistics = true
      #expect(found.config as? UnCLIPPrior.Config == config)
      let prior = try #require(try found.network(UnCLIPPrior.self, nil, .float32, device: .cpu))
      let mean = try #require(prior.statistics?.clip_mean)
      expectClose(mean, SyntheticWeights.tensor("clip_mean", [1, 24]), atol: 0, "clip_mean")
      let x = try file.get().tensor("karlo.x").variable()
      try expect("diffusers", x, prior(x, timesteps: file.get().tensor("karlo.t"), text: text()))
    }
  }

  @Test(
    "LAION's prior gives what dalle2-pytorch gives",
    arguments: [("laion", 64), ("laion-narrow", 8)])
  func laion(name: String, head: Int) throws {
    let file = try file.get()
    let source = Replaced("rotary_emb.freqs", by: try file.tensor("\(name).freqs"))
    let prior = DiffusionPrior(
      Parameters(source),
      .init(
        dim: 24, depth: 2, heads: 3, dim_head: head, inner: 96, num_timesteps: 100,
        max_text_len: 20, normformer: head == 64))
    let x = try file.tensor("karlo.x").variable()
    let t = try file.tensor("\(name).t")
    try expect(name, x, prior(x, timesteps: t, text: text(encoding: name)))
    let null = try file.tensor("\(name).null")
    expectClose(
      prior(x, timesteps: t, text: nil), null, atol: 1e-4 * null.abs().amax().item(), "null")
  }

  @Test("distances fall into T5's buckets")
  func buckets() {
    #expect(
      [0, 15, 16, 18, 19, 31, 32, 64, 127, 500].map(DiffusionPrior.bucket)
        == [0, 15, 16, 16, 17, 21, 21, 26, 31, 31])
  }

  @Test("GLIDE's noised CLIP gives what the original gives")
  func noised() throws {
    let file = try file.get()
    let text = NoisedCLIPTextEncoder(
      Parameters(Recorder()) / "text",
      .init(n_vocab: 30, max_text_len: 9, n_embd: 10, width: 128, n_xf_blocks: 2))
    expectClose(
      text(try file.tensor("text.tokens"), lengths: try file.tensor("text.lengths")),
      try file.tensor("text.y"), atol: 1e-4, "texts")
    let image = NoisedCLIPImageEncoder(
      Parameters(Recorder()) / "image",
      .init(
        image_size: 16, patch_size: 4, n_embd: 10, width: 128, n_xf_blocks: 2, n_timestep: 50))
    let x = try file.tensor("image.x").variable()
    try expect("image", x, image(x, timesteps: file.tensor("image.t")))
  }

  private static let unet = UNet.Config(
    width: 32, widths: [32, 64], blocks: 1, attention: [1], headWidth: 32, context: 32)

  @Test(
    "GLIDE's networks give what the original gives",
    arguments: [
      ("glide-base", 3, false, false), ("glide-upsampler", 6, true, false),
      ("glide-hole", 7, false, true), ("glide-upsampler-hole", 10, true, true),
    ])
  func glide(name: String, inputs: Int, enlarges: Bool, fills: Bool) throws {
    let file = try file.get()
    var unet = Self.unet
    unet.inputs = inputs
    let config = GLIDE.Config(
      unet, size: 16, smallSize: enlarges ? 4 : nil, fillsHoles: fills, n_vocab: 30, text_ctx: 5,
      xf_width: 32, xf_layers: 2, xf_heads: 2)
    #expect(config.problem == nil)
    let glide = GLIDE(Parameters(Recorder()), config)
    let x = try file.tensor("unet.x").variable()
    let text = glide.read(try file.tensor("unet.tokens"), mask: try file.tensor("unet.mask"))
    let hole = GLIDE.Hole(
      picture: try file.tensor("unet.hole"), known: try file.tensor("unet.known"))
    try expect(
      name, x,
      glide(
        x, timesteps: file.tensor("unet.t"), text: text, small: file.tensor("unet.small"),
        hole: hole))
  }

  @Test("Karlo's decoder and super-resolution give what the original gives")
  func decoder() throws {
    let file = try file.get()
    func close(_ found: Tensor, _ name: String) throws {
      let wanted = try file.tensor(name)
      expectClose(found, wanted, atol: 1e-4 * wanted.abs().amax().item(), name)
    }
    var unet = Self.unet
    unet.context = 48
    let decoder = UnCLIPDecoder(
      Parameters(Recorder()), .init(unet, size: 16, clip_dim: 24, clip_emb_mult: 4))
    let (x, t) = (try file.tensor("unet.x").variable(), try file.tensor("unet.t"))
    let told = decoder.read(picture: try file.tensor("decoder.picture"), text: try text())
    try expect("decoder", x, decoder(x, timesteps: t, told: told))
    let null = decoder.read(picture: nil, text: try text())
    try close(decoder(x, timesteps: t, told: null), "decoder.null")

    (unet.context, unet.inputs, unet.outputs, unet.attention) = (nil, 6, 3, [])
    (unet.scales, unet.attendsInMiddle) = (false, false)
    let upsampler = UnCLIPUpsampler(Parameters(Recorder()), .init(unet, size: 16))
    let large = try file.tensor("upsampler.large")
    try expect("upsampler", x, upsampler(x, timesteps: t, large: large, isLast: false))
    try close(upsampler(x, timesteps: t, large: large, isLast: true), "upsampler.last")
  }

  @Test("the folders of diffusers' pipeline are known, and give what diffusers gives")
  func pipeline() throws {
    let file = try file.get()
    let shapes = try JSONDecoder().decode(
      [String: [Int]].self, from: Data(contentsOf: Fixtures.url("unclip-pipeline.json")))
    /// The network of several folders.
    func network<N: Network>(_ type: N.Type, _ parts: [String], _ layout: String) throws -> N {
      let folder = try ScratchFolder.make("pipeline")
      let files = try parts.map { part in
        let url = folder.appending(path: "\(part).safetensors")
        let own = shapes.filter { $0.key.hasPrefix(part + ".") }.map { key, shape in
          (String(key.dropFirst(part.count + 1)), SyntheticWeights.tensor(key, shape))
        }
        try SafeTensors.write(Dictionary(uniqueKeysWithValues: own), to: url)
        return (part: part, url: url)
      }
      let found = try Recognition(of: JoinedFile(files))
      #expect(found.layout == layout)
      return try #require(try found.network(N.self, nil, .float32, device: .cpu))
    }
    func close(_ found: Tensor, _ name: String) throws {
      let wanted = try file.tensor(name)
      expectClose(found, wanted, atol: 1e-4 * wanted.abs().amax().item(), name)
    }
    let (x, t) = (try file.tensor("unet.x").variable(), try file.tensor("unet.t"))
    let decoder = try network(
      UnCLIPDecoder.self, ["decoder", "text_proj"], "diffusers UnCLIP decoder")
    #expect(decoder.config.unet.blocks == 2 && decoder.config.clip_emb_mult == 4)
    let told = decoder.read(picture: try file.tensor("decoder.picture"), text: try text())
    try expect("decoder.diffusers", x, decoder(x, timesteps: t, told: told))
    let upsampler = try network(
      UnCLIPUpsampler.self, ["super_res_first", "super_res_last"],
      "diffusers UnCLIP super-resolution")
    let large = try file.tensor("upsampler.large")
    try expect(
      "upsampler.diffusers", x, upsampler(x, timesteps: t, large: large, isLast: false))
    try close(
      upsampler(x, timesteps: t, large: large, isLast: true), "upsampler.diffusers.last")
  }

  @Test("the published networks have their numbers of parameters, and are known by their shapes")
  func published() {
    func shapes(_ make: (Parameters) -> Void) -> [String: [Int]] {
      let recorder = ShapeRecorder()
      make(Parameters(recorder))
      return recorder.shapes
    }
    func count(_ shapes: [String: [Int]]) -> Int {
      shapes.values.reduce(0) { $0 + $1.reduce(1, *) }
    }
    let karlo = shapes { _ = UnCLIPPrior($0, .karlo) }
    #expect(count(karlo) == 1_022_028_544)
    #expect(UnCLIPPrior.Config(detecting: karlo) == .karlo)
    let laion = shapes { _ = DiffusionPrior($0, .laion) }
    #expect(DiffusionPrior.Config(detecting: laion) == .laion)
    // The angles' frequencies are one parameter of all layers in the package, and so is its count.
    #expect(count(laion) - 23 * 16 == 249_279_248)
    #expect(count(shapes { _ = NoisedCLIPTextEncoder($0, .init()) }) == 71_679_488)
    #expect(count(shapes { _ = NoisedCLIPImageEncoder($0, .init()) }) == 86_443_776)
    #expect(UnCLIPPrior.Config(detecting: ["prd_emb": [1]]) == nil)

    for (config, parameters) in [
      (GLIDE.Config.base, 385_030_726), (.upsampler, 398_361_286), (.baseInpaint, 385_037_638),
      (.upsamplerInpaint, 398_368_198),
    ] {
      let glide = shapes { _ = GLIDE($0, config) }
      #expect(count(glide) == parameters)
      #expect(GLIDE.Config(detecting: glide) == config)
    }
    let decoder = shapes { _ = UnCLIPDecoder($0, .karlo) }
    #expect(count(decoder) == 893_318_086)
    #expect(UnCLIPDecoder.Config(detecting: decoder) == .karlo)
    let upsampler = shapes { _ = UnCLIPUpsampler($0, .karlo) }
    #expect(count(upsampler) == 2 * 691_579_523)
    #expect(UnCLIPUpsampler.Config(detecting: upsampler) == .karlo)
  }
}

/// Synthetic weights, but for keys that end in some way.
private final class Replaced: ParameterSource {
  private let ending: String
  private let value: Tensor

  init(_ ending: String, by value: Tensor) { (self.ending, self.value) = (ending, value) }

  func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
    path.hasSuffix(ending) ? value : SyntheticWeights.tensor(path, shape)
  }
}
