import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Files as dalle-mini, vqgan-jax and min-dalle leave them, against these, by `Oracle/dalle_mini_flax.py` and
/// `Oracle/min_dalle_files.py`.
@Suite("DALL·E mini's files")
struct DALLEMiniFilesTests {
  /// float32 on both sides; logits are at most 3, pictures 2.
  static let tolerance = 1e-4

  private func fixture(_ name: String) throws -> SafeTensors {
    try SafeTensors(contentsOf: Fixtures.url(name))
  }

  private func shapes(_ file: SafeTensors, _ name: String) throws -> [String: [Int]] {
    let text = try #require(file.metadata[name])
    return try JSONDecoder().decode([String: [Int]].self, from: Data(text.utf8))
  }

  private func expectFit(_ found: Recognition) throws {
    let fit = try #require(try found.fit())
    #expect(fit.problem == nil && fit.besides.isEmpty, "\(fit)")
  }

  private func greedy(
    _ dalle: DALLEBart, _ tokens: Tensor, empty: Tensor, scale: Double
  ) throws -> [Int] {
    try dalle.sample(
      tokens, empty: empty, count: 1, .init(conditionScale: scale, temperature: 1, topK: 1),
      RandomStream(seed: 1, "none")
    ).ints()
  }

  // MARK: dalle-mini

  @Test(
    "flax's files, with a tensor for each layer and with scanned layers, give dalle-mini's logits and codes",
    arguments: [("dalle-mini", DType.float16), ("dalle-mini-scanned", .bfloat16)])
  func flax(folder: String, type: DType) throws {
    let file = try openTensors(at: Fixtures.url("\(folder)/flax_model.msgpack"))
    #expect(file.entries.values.allSatisfy { $0.dtype == type })
    let found = try Recognition(of: file)
    var config = DALLEBartTests.config
    (config.embed_count, config.glu_embed_count, config.start_token) = (16, 24, 32)
    #expect(found.config as? DALLEBart.Config == config)
    try expectFit(found)
    let dalle = try #require(
      try found.network(DALLEBart.self, nil, .float32, device: .cpu))
    let expected = try fixture("dalle_mini_flax.safetensors")
    let (tokens, codes) = (try expected.tensor("tokens"), try expected.tensor("codes"))
    // Those of the start token and after it are no codes' logits.
    expectClose(
      dalle.logits(dalle.encode(tokens), codes.unsqueezed(2))[0],
      try expected.tensor("logits").narrowed(-1, 0, 32), atol: Self.tolerance)
    for scale in [1, 10] {
      let drawn = try greedy(
        dalle, tokens, empty: expected.tensor("empty"), scale: Double(scale))
      #expect(drawn == (try expected.tensor("greedy.\(scale)").ints()), "scale \(scale)")
    }
  }

  @Test("flax's files in parts, by their index, are the same network as the whole one")
  func sharded() throws {
    let file = try openTensors(
      at: Fixtures.url("dalle-mini-sharded/flax_model.msgpack.index.json"))
    let whole = try openTensors(at: Fixtures.url("dalle-mini/flax_model.msgpack"))
    #expect(file.container == .sharded && file.parts.count == 2)
    #expect(file.entries == whole.entries)
    let found = try Recognition(of: file)
    #expect(found.layout == "dalle-mini")
    try expectFit(found)
    let dalle = try #require(try found.network(DALLEBart.self, nil, .float32, device: .cpu))
    let expected = try fixture("dalle_mini_flax.safetensors")
    let (tokens, codes) = (try expected.tensor("tokens"), try expected.tensor("codes"))
    expectClose(
      dalle.logits(dalle.encode(tokens), codes.unsqueezed(2))[0],
      try expected.tensor("logits").narrowed(-1, 0, 32), atol: Self.tolerance)
  }

  @Test("without config.json heads are 64 wide, and the last row begins a picture")
  func withoutConfig() throws {
    let file = try Fixtures.url("dalle-mini/flax_model.msgpack")
    let alone = FileManager.default.temporaryDirectory
    let found = try Recognition(of: openTensors(at: file), beside: alone)
    let config = try #require(found.config as? DALLEBart.Config)
    #expect(config.attention_head_count == 1 && config.startToken == 40)
    #expect(found.notes == ["heads of 64, start token 40: there is no config.json"])
  }

  @Test(
    "published sizes are told from shapes: mega's rows beyond its codes are none",
    arguments: [(1024, 16_385, "DALL·E mini"), (2048, 16_416, "DALL·E mega")])
  func published(width: Int, rows: Int, title: String) throws {
    let layers = width / 1024 * 12
    var shapes = [
      "encoder.embed_tokens.weight": [50_264, width],
      "encoder.embed_positions.weight": [64, width],
      "decoder.embed_tokens.weight": [rows, width], "decoder.embed_positions.weight": [256, width],
    ]
    for layer in 0..<layers {
      for side in ["encoder", "decoder"] {
        shapes["\(side).layers.\(layer).glu.fc0.weight"] = [4096, width]
      }
    }
    let config = try #require(DALLEBart.Config(detecting: shapes))
    #expect(config.startToken == 16_384)
    #expect(config.attention_head_count == width / 64)
    #expect(config.title == "\(title), \(layers) + \(layers) layers of \(width)")
  }

  @Test("a VQGAN of vqgan-jax gives its pictures and latents, in 0…1")
  func vqganJAX() throws {
    let expected = try fixture("dalle_mini_flax.safetensors")
    // Its values are those of taming's keys, in flax's order.
    let weights = try shapes(expected, "vqgan").reduce(into: [String: Tensor]()) { weights, entry in
      let (key, shape) = entry
      let kernel = key.hasSuffix("kernel")
      let ours = try #require(tamingKey(key))
      let turned = kernel ? [shape[3], shape[2], shape[0], shape[1]] : shape
      let tensor = SyntheticWeights.tensor(ours, turned)
      weights[key] = kernel ? tensor.permuted(2, 3, 1, 0).contiguous() : tensor
    }
    try Fixtures.withTemporaryFile("flax.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      let found = try Recognition(of: openTensors(at: url))
      #expect(found.layout == "vqgan-jax")
      try expectFit(found)
      let vqgan = try #require(try found.network(VQGAN.self, nil, .float32, device: .cpu))
      #expect(vqgan.config.unitRange && vqgan.config.n_embed == 32)
      let codes = try expected.tensor("codes").reshaped(2, 4, 4, 1)
      let pictures = (vqgan.decode(vqgan.lookUp(codes)) + 1) / 2  // [2, 3, 8, 8]
      expectClose(
        pictures.permuted(0, 2, 3, 1), try expected.tensor("pictures"), atol: Self.tolerance)
      let pixels = try expected.tensor("pixels").permuted(0, 3, 1, 2)
      expectClose(
        vqgan.encode(pixels * 2 - 1).permuted(0, 2, 3, 1), try expected.tensor("latent"),
        atol: Self.tolerance)
    }
  }

  /// The key of taming's that is vqgan-jax's.
  private func tamingKey(_ key: String) -> String? {
    var parts = key.split(separator: ".").map(String.init)
    let leaves = ["kernel": "weight", "scale": "weight", "embedding": "weight", "bias": "bias"]
    guard let leaf = parts.popLast().flatMap({ leaves[$0] }) else { return nil }
    let isMiddle = parts.contains("mid")
    let names = parts.flatMap { part -> [String] in
      let pieces = part.split(separator: "_").map(String.init)
      let isNumbered = pieces.count == 2 && ["down", "up", "block", "attn"].contains(pieces[0])
      return isNumbered && !isMiddle ? pieces : [part]
    }
    return (names + [leaf]).joined(separator: ".")
  }

  // MARK: min-dalle

  @Test("min-dalle's two files are one network, with its logits and codes")
  func minDALLE() throws {
    let file = try JoinedFile(
      ["encoder", "decoder"].map { ($0, try Fixtures.url("min-dalle/\($0).pt")) })
    let found = try Recognition(of: file)
    #expect(found.layout == "min-dalle")
    try expectFit(found)
    #expect(file.parts.map(\.lastPathComponent) == ["encoder.pt", "decoder.pt"])
    let dalle = try #require(try found.network(DALLEBart.self, nil, .float32, device: .cpu))
    let expected = try fixture("min_dalle.safetensors")
    let (tokens, codes) = (try expected.tensor("tokens"), try expected.tensor("codes"))
    // Rows are the empty text and the text, which see the same codes.
    expectClose(
      dalle.logits(dalle.encode(tokens), concatenated([codes, codes], over: 0).unsqueezed(2))[0],
      try expected.tensor("logits").narrowed(-1, 0, 40), atol: Self.tolerance)
    for factor in [1, 16] {
      let drawn = try greedy(
        dalle, tokens[1..<2], empty: tokens[0..<1], scale: Double(factor))
      #expect(drawn == (try expected.tensor("greedy.\(factor)").ints()), "factor \(factor)")
    }
  }

  @Test("min-dalle's detokenizer at its published size gives its picture, in 0…1")
  func detokenizer() throws {
    let expected = try fixture("min_dalle.safetensors")
    let weights = try shapes(expected, "detokenizer").reduce(into: [String: Tensor]()) {
      $0[$1.key] = SyntheticWeights.tensor($1.key, $1.value)
    }
    #expect(weights.values.reduce(0) { $0 + $1.count } == 46_709_891)
    try Fixtures.withTemporaryFile("detoker.pt") { url in
      try SafeTensors.write(weights, to: url)
      let found = try Recognition(of: openTensors(at: url))
      #expect(found.config as? VQGAN.Config == VQGAN.Config(unitRange: true))
      try expectFit(found)
      let network = try #require(
        try found.network(VQGANDetokenizer.self, nil, .float32, device: .cpu))
      try noGrad {
        expectClose(
          network(try expected.tensor("grid")), try expected.tensor("picture"),
          atol: Self.tolerance)
      }
    }
  }
}
