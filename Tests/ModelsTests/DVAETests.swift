import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against the package DALL-E, by `Oracle/dvae.py`, and taming's GumbelQuantize, by `Oracle/gumbel.py`.
@Suite("Discrete autoencoders")
struct DVAETests {
  /// float32 on both sides, sums of at most 600 products.
  static let tolerance = 1e-4

  static let config = DVAE.Config(n_hid: 8, vocab_size: 24, n_init: 16)

  private func fixture(_ name: String) throws -> SafeTensors {
    try SafeTensors(contentsOf: Fixtures.url(name))
  }

  @Test("The dVAE's encoder and decoder agree with DALL·E's")
  func dvae() throws {
    let file = try fixture("dvae.safetensors")
    let encoder = DVAEEncoder(Parameters(Recorder()) / "encoder", Self.config)
    expectClose(
      encoder(try file.tensor("images")), try file.tensor("logits"), atol: Self.tolerance, "logits")
    let decoder = DVAEDecoder(Parameters(Recorder()) / "decoder", Self.config)
    let codes = try file.tensor("codes")
    expectClose(
      decoder.statistics(codes), try file.tensor("statistics"), atol: Self.tolerance, "statistics")
    expectClose(decoder(codes), try file.tensor("pictures"), atol: Self.tolerance, "pictures")
  }

  @Test("The published dVAE has its number of parameters, and is known by its shapes")
  func published() {
    let encoder = ShapeRecorder()
    let decoder = ShapeRecorder()
    _ = DVAEEncoder(Parameters(encoder), .published)
    _ = DVAEDecoder(Parameters(decoder), .published)
    func count(_ recorder: ShapeRecorder) -> Int {
      recorder.shapes.values.reduce(0) { $0 + $1.reduce(1, *) }
    }
    #expect(count(encoder) == 53_786_240)
    #expect(count(decoder) == 43_829_766)
    #expect(encoder.shapes.count == 74)
    #expect(decoder.shapes.count == 76)
    #expect(DVAE.Config(detecting: encoder.shapes) == .published)
    #expect(DVAE.Config(detecting: decoder.shapes) == .published)
    #expect(DVAE.Config(detecting: ["x": [1]]) == nil)
  }

  @Test(
    "Gumbel's quantizer gives taming's logits, and its latents are those of the likeliest codes")
  func gumbel() throws {
    let file = try fixture("gumbel.safetensors")
    let vqgan = VQGAN(
      Parameters(Recorder()),
      .init(
        ch: 32, ch_mult: [1, 2], num_res_blocks: 1, attn_levels: [1], z_channels: 16,
        embed_dim: 16, n_embed: 40, gumbel: true))
    let x = try file.tensor("x")
    let logits = try #require(vqgan.quantizer.logits(vqgan.quant_conv(vqgan.encoder(x))))
    expectClose(logits, try file.tensor("logits"), atol: Self.tolerance, "logits")
    expectClose(vqgan.encode(x), try file.tensor("latents"), atol: 1e-6, "latents")
    let (quantized, codes) = vqgan.quantize(vqgan.encode(x))
    #expect(codes.ints() == (try file.tensor("indices").ints()))
    expectClose(quantized, try file.tensor("latents"), atol: 1e-6, "nearest")
  }

  @Test(
    "Every published VQGAN has its number of parameters, and is known by its shapes",
    arguments: [
      (VQGAN.Config.imagenetF16x1024, 72_141_699, 343),
      (.cocoF16x8192, 73_976_707, 343), (.imagenetF16x16384, 76_073_859, 343),
      (.gumbelF8x8192, 68_995_971, 301),
    ])
  func vqgans(config: VQGAN.Config, parameters: Int, tensors: Int) {
    let recorder = ShapeRecorder()
    _ = VQGAN(Parameters(recorder), config)
    #expect(recorder.shapes.values.reduce(0) { $0 + $1.reduce(1, *) } == parameters)
    #expect(recorder.shapes.count == tensors)
    #expect(VQGAN.Config(detecting: recorder.shapes) == config)
  }
}
