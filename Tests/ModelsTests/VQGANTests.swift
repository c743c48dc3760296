import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against diffusers' `VQModel` (and, in the script, taming's own modules), by `Oracle/vqgan.py`.
@Suite("VQGAN")
struct VQGANTests {
  /// float32 on both sides; sums of up to 576 products in another order.
  static let tolerance = 1e-4

  static let config = VQGAN.Config(
    ch: 32, ch_mult: [1, 2, 2], num_res_blocks: 1, attn_levels: [2], z_channels: 16, embed_dim: 16,
    n_embed: 40)

  private func fixture() throws -> SafeTensors {
    try SafeTensors(contentsOf: Fixtures.url("vqgan.safetensors"))
  }

  /// The model through a file in taming's layout.
  private func model(_ dtype: DType = .float32) throws -> VQGAN {
    let recorder = Recorder()
    _ = VQGAN(Parameters(recorder), Self.config)
    let weights = Dictionary(
      uniqueKeysWithValues: recorder.shapes.map { ($0, SyntheticWeights.tensor($0, $1)) })
    return try Fixtures.withTemporaryFile("vqgan.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      let checkpoint = try Checkpoint(contentsOf: url)
      return try checkpoint.build(dtype) { VQGAN($0, Self.config) }
    }
  }

  @Test("The encoder agrees with diffusers', stage by stage, and finds the same codes")
  func encoder() throws {
    let file = try fixture()
    let vqgan = try model()
    let encoder = vqgan.encoder
    func check(_ x: Tensor, _ name: String) throws {
      expectClose(x, try file.tensor("encoder.\(name)"), atol: Self.tolerance, name)
    }
    let x = try file.tensor("x")
    var h = encoder.conv_in(x)
    try check(h, "conv_in")
    for level in encoder.down.indices {
      h = encoder.down[level](h)
      if level < encoder.downsample.count {
        h = encoder.downsample[level](h.padded([0, 1, 0, 1]))
      }
      try check(h, "down.\(level)")
    }
    h = encoder.mid(h)
    try check(h, "mid")
    try check(encoder.conv_out(encoder.norm_out(h).silu()), "conv_out")
    let latents = vqgan.encode(x)
    expectClose(latents, try file.tensor("latents"), atol: Self.tolerance, "latents")
    let (quantized, codes) = vqgan.quantize(latents)
    #expect(codes.ints() == (try file.tensor("indices").ints()))
    expectClose(quantized, try file.tensor("quantized"), atol: Self.tolerance, "quantized")
  }

  @Test("The decoder agrees with diffusers', stage by stage")
  func decoder() throws {
    let file = try fixture()
    let vqgan = try model()
    let decoder = vqgan.decoder
    func check(_ x: Tensor, _ name: String) throws {
      expectClose(x, try file.tensor("decoder.\(name)"), atol: Self.tolerance, name)
    }
    let z = try file.tensor("quantized")
    var h = decoder.conv_in(vqgan.post_quant_conv(z))
    try check(h, "conv_in")
    h = decoder.mid(h)
    try check(h, "mid")
    for level in decoder.up.indices.reversed() {
      h = decoder.up[level](h)
      if level > 0 {
        h = decoder.upsample[level - 1](h.resampled(h.size(2) * 2, h.size(3) * 2, .nearest))
      }
      try check(h, "up.\(level)")
    }
    try check(decoder.conv_out(decoder.norm_out(h).silu()), "conv_out")
    expectClose(vqgan.decode(z), try file.tensor("image"), atol: Self.tolerance, "image")
  }

  @Test("The gradient at the latent agrees with PyTorch's")
  func gradientAtLatent() throws {
    let file = try fixture()
    let vqgan = try model()
    let z = try file.tensor("quantized").variable()
    let loss = (vqgan.decode(z) * (try file.tensor("probe"))).sum()
    let expected = try file.tensor("gradient")
    // A sum over 768 pixels: the tolerance follows its scale.
    let scale = max(1, expected.abs().amax().item())
    expectClose(
      gradient(of: loss, at: [z])[0], expected, atol: Self.tolerance * scale, "gradient")
  }

  @Test("A file in diffusers' layout loads into the same model")
  func diffusersLayout() throws {
    let file = try fixture()
    let weights = try Self.diffusersWeights(file.metadata)
    let vqgan = try Fixtures.withTemporaryFile("diffusion_pytorch_model.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      let opened = try SafeTensors(contentsOf: url)
      let checkpoint = try Checkpoint(opened, layouts: VQGAN.layouts(of: opened.names))
      #expect(checkpoint.layout?.name == "diffusers VQModel")
      return try checkpoint.build { VQGAN($0, Self.config) }
    }
    expectClose(
      vqgan.encode(try file.tensor("x")), try file.tensor("latents"), atol: Self.tolerance)
    expectClose(
      vqgan.decode(try file.tensor("quantized")), try file.tensor("image"), atol: Self.tolerance)
  }

  /// The weights under diffusers' keys, by the oracle's own table of keys.
  private static func diffusersWeights(_ metadata: [String: String]) throws -> [String: Tensor] {
    let text = try #require(metadata["keys"])
    let table = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [Any]])
    return try table.mapValues { row in
      let ours = try #require(row[0] as? String)
      let theirs = try #require(row[1] as? [Int])
      let shape = try #require(row[2] as? [Int])
      return SyntheticWeights.tensor(ours, shape).reshaped(theirs)
    }
  }

  @Test("In bfloat16 pictures keep their direction, norms and codebook stay float32")
  func bfloat16() throws {
    let file = try fixture()
    let vqgan = try model(.bfloat16)
    let image = vqgan.decode(try file.tensor("quantized"))
    #expect(image.dtype == .float32)
    // Eight bits of mantissa at tiny width; the real size is held to 0.999.
    #expect(cosine(image, try file.tensor("image")) > 0.995)
    #expect(vqgan.lookUp(Tensor([0], [1, 1, 1, 1])).dtype == .float32)
  }
}
