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

/// Whole ways from noise to picture against kakaobrain/karlo and openai/glide-text2im, by `Oracle/cascades.py`.
@Suite("Stages of cascades")
struct CascadeStageTests {
  private let fixture: SafeTensors

  init() throws {
    let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
    fixture = try SafeTensors(contentsOf: folder.appending(path: "cascades.safetensors"))
  }

  /// What a stage makes of the reference's noise.
  private func sample(
    _ stage: any CascadeStage, _ name: String, after earlier: Tensor? = nil
  ) throws -> Tensor {
    var drawn = 0
    func noise() -> Tensor {
      defer { drawn += 1 }
      guard let noise = try? fixture.tensor("\(name).noise.\(drawn)") else {
        Issue.record("\(name) draws noise \(drawn) and the reference does not")
        return Tensor.zeros(stage.shape)
      }
      return noise
    }
    var sampler = stage.sampler
    let denoiser = try stage.denoiser(after: earlier)
    var x = noise() * stage.temperature
    for index in 0..<stage.levels.count - 1 {
      x = try sampler.step(
        x, index, of: stage.levels, denoise: { try denoiser($0, at: $1) }, noise: noise)
    }
    return x
  }

  private func network<N: Network>(_ type: N.Type, _ config: N.Config) -> StageNetwork<N> {
    StageNetwork(open: { N(Parameters(Recorder()), config) })
  }

  private func expect(_ x: Tensor, _ name: String, _ tolerance: Double = 1e-3) throws {
    let wanted = try fixture.tensor(name)
    expectClose(x, wanted, atol: tolerance * max(1, wanted.abs().amax().item()), name)
  }

  @Test("Karlo's prior, decoder and upsampler give what the original gives")
  func karlo() throws {
    func text(_ row: Int) throws -> PriorText {
      PriorText(
        embedding: try fixture.tensor("karlo.embedding")[row..<row + 1],
        encoding: try fixture.tensor("karlo.encoding")[row..<row + 1],
        mask: try fixture.tensor("karlo.mask")[row..<row + 1])
    }
    let (wanted, empty) = (try text(0), try text(1))
    let (mean, deviation) = (try fixture.tensor("karlo.mean"), try fixture.tensor("karlo.std"))
    let prior = try PriorStage(
      network(
        UnCLIPPrior.self,
        .init(text_ctx: 6, xf_width: 128, xf_layers: 2, xf_heads: 2, clip_dim: 24, text_dim: 24)),
      .init(text: wanted, null: empty, scale: 4, steps: 5, samples: 1), width: 24
    ) { $1 * deviation + mean }
    let embedding = try prior.made(sample(prior, "karlo.prior"), after: nil)
    try expect(embedding, "karlo.prior", 1e-4)

    let unet = UNet.Config(width: 32, widths: [32, 64], blocks: 1, attention: [1], context: 48)
    let decoder = try UnCLIPDecoderStage(
      network(UnCLIPDecoder.self, .init(unet, size: 16, clip_dim: 24)), side: 16, scale: 8,
      steps: 5, text: wanted, null: empty, told: { $0 })
    let small = try sample(decoder, "karlo.decoder", after: embedding)
    try expect(small, "karlo.decoder")

    let large = UNet.Config(
      inputs: 6, outputs: 3, width: 32, widths: [32, 64], blocks: 1, attention: [], scales: false,
      attendsInMiddle: false)
    let upsampler = try UnCLIPUpsamplerStage(
      network(UnCLIPUpsampler.self, .init(large, size: 64)), side: 64)
    try expect(
      sample(upsampler, "karlo.upsampler", after: decoder.made(small, after: embedding)),
      "karlo.upsampler")
  }

  private static func glide(
    _ widths: [Int], _ attention: [Int], inputs: Int, _ size: Int, small: Int? = nil,
    fills: Bool = false
  ) -> GLIDE.Config {
    .init(
      .init(
        inputs: inputs, width: 32, widths: widths, blocks: 1, attention: attention, context: 32),
      size: size, smallSize: small, fillsHoles: fills, n_vocab: 30, text_ctx: 5, xf_width: 32,
      xf_layers: 1, xf_heads: 1)
  }

  private func tokens(_ row: Int) throws -> GLIDEStage.Tokens {
    (
      try fixture.tensor("glide.tokens")[row..<row + 1],
      try fixture.tensor("glide.mask")[row..<row + 1]
    )
  }

  private func levels(_ schedule: DiscreteSchedule, _ respacing: String) throws -> [NoiseLevel] {
    schedule.levels(try Respacing(respacing).timesteps(of: 1000))
  }

  @Test("GLIDE's networks give what its notebook gives")
  func glide() throws {
    let base = GLIDEStage(
      network(GLIDE.self, Self.glide([32, 64], [1], inputs: 3, 16)), "base",
      Self.glide([32, 64], [1], inputs: 3, 16),
      try levels(.squaredCosine(), "5"), DDPM(), conds: [(try tokens(0), 3)], null: try tokens(1),
      hole: nil)
    let small = try sample(base, "glide.base")
    try expect(small, "glide.base")
    let config = Self.glide([32, 32, 32, 64], [3], inputs: 6, 64, small: 16)
    let upsampler = GLIDEStage(
      network(GLIDEUpsampler.self, config).map(\.network), "upsampler", config,
      try levels(.linear(), "fast27"), DDIM(), conds: [(try tokens(0), 1)], null: try tokens(1),
      temperature: 0.997, hole: nil)
    try expect(
      sample(upsampler, "glide.upsampler", after: base.made(small, after: nil)), "glide.upsampler")
  }

  @Test("GLIDE steered by its noised CLIP gives what its notebook gives")
  func steered() throws {
    let config = Self.glide([32, 64], [1], inputs: 3, 16)
    let encoder = NoisedCLIPImageEncoder(
      Parameters(Recorder()) / "image",
      .init(image_size: 16, patch_size: 4, n_embd: 10, width: 128, n_xf_blocks: 1))
    let wanted = try fixture.tensor("glide.wanted")
    let base = GLIDEStage(
      network(GLIDE.self, config), "base", config, try levels(.squaredCosine(), "5"), DDPM(),
      conds: [(try tokens(0), 1)], null: try tokens(1), hole: nil,
      steering: (3, encoder.condFn(wanted)))
    try expect(sample(base, "glide.steered"), "glide.steered")
  }

  @Test("GLIDE fills a hole as its notebook does")
  func hole() throws {
    let known = try fixture.tensor("glide.known")
    let picture = try fixture.tensor("glide.picture")
    let around = GLIDE.Hole(
      picture: picture.resampled(16, 16, .bicubic, antialias: true).clamped(-1, 1), known: known)
    let config = Self.glide([32, 64], [1], inputs: 7, 16, fills: true)
    let base = GLIDEStage(
      network(GLIDE.self, config), "base", config, try levels(.squaredCosine(), "5"), DDPM(),
      conds: [(try tokens(0), 5)], null: try tokens(1), hole: around)
    let small = try sample(base, "glide.hole")
    try expect(small, "glide.hole")
    let larger = Self.glide([32, 32, 32, 64], [3], inputs: 10, 64, small: 16, fills: true)
    let upsampler = GLIDEStage(
      network(GLIDEUpsampler.self, larger).map(\.network), "upsampler", larger,
      try levels(.linear(), "2,1"), DDPM(), conds: [(try tokens(0), 1)], null: try tokens(1),
      temperature: 0.997,
      hole: .init(picture: picture, known: known.resampled(64, 64, .nearest)))
    try expect(
      sample(upsampler, "glide.upsampler.hole", after: base.made(small, after: nil)),
      "glide.upsampler.hole")
  }
}
