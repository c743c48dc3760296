import Foundation
import Torch
import Weights

extension DALLEBart {
  /// Keys that files written by min-dalle's own modules hold and this network has no use for.
  ///
  /// dalle-mini trains its norms before blocks, inside gated layers and at the ends with
  /// `use_scale=False`: they have biases and no gains. PyTorch's `nn.LayerNorm` has no such choice
  /// for itself, so that min-dalle's state dictionaries hold gains that are all ones.
  public static func leftovers(_ config: Config) -> [String] {
    func layers(_ side: String, _ count: Int, _ norms: [String]) -> [String] {
      (0..<count).flatMap { layer in norms.map { "\(side).layers.\(layer).\($0).weight" } }
        + ["\(side).final_ln.weight"]
    }
    let norms = ["pre_self_attn_layer_norm", "glu.ln0", "glu.ln1"]
    return layers("encoder", config.encoder_layer_count, norms)
      + layers(
        "decoder", config.decoder_layer_count, norms + ["pre_encoder_attn_layer_norm"])
  }

  /// What borisdayma/dalle-mini saves as `flax_model.msgpack`, with a tensor for each layer, or, where the
  /// layers were scanned (`use_scan`), with one for all of them.
  static func flax(scanned: Bool) -> KeyRules {
    func leaves(_ theirs: String, _ ours: String) -> [KeyRules.Rule] {
      [
        .init("\(theirs).bias", "\(ours).bias"), .init("\(theirs).scale", "\(ours).weight"),
        .init("\(theirs).embedding", "\(ours).weight"),
        .init("\(theirs).kernel", "\(ours).weight", .kernel),
      ]
    }
    func blocks(_ side: String, _ type: String, _ names: [(String, String)]) -> [KeyRules.Rule] {
      let theirs = "model.\(side).layers.\(type)Layer" + (scanned ? "s" : "_*")
      return names.flatMap { (from, to) -> [KeyRules.Rule] in
        let (from, to) = ("\(theirs).\(from)", "\(side).layers.*.\(to)")
        return [
          .init("\(from).bias", "\(to).bias", stacked: scanned),
          .init("\(from).scale", "\(to).weight", stacked: scanned),
          .init("\(from).kernel", "\(to).weight", .kernel, stacked: scanned),
        ]
      }
    }
    func attention(_ theirs: String, _ ours: String) -> [(String, String)] {
      ["q_proj", "k_proj", "v_proj", "out_proj"].map { ("\(theirs).\($0)", "\(ours).\($0)") }
    }
    let shared =
      attention("FlaxBartAttention_0", "self_attn") + [
        ("LayerNorm_0", "pre_self_attn_layer_norm"), ("LayerNorm_1", "self_attn_layer_norm"),
        ("GLU_0.LayerNorm_0", "glu.ln0"), ("GLU_0.LayerNorm_1", "glu.ln1"),
        ("GLU_0.Dense_0", "glu.fc0"), ("GLU_0.Dense_1", "glu.fc1"), ("GLU_0.Dense_2", "glu.fc2"),
      ]
    let cross =
      attention("FlaxBartAttention_1", "encoder_attn") + [
        ("LayerNorm_2", "pre_encoder_attn_layer_norm"), ("LayerNorm_3", "encoder_attn_layer_norm"),
      ]
    return KeyRules(
      name: "dalle-mini" + (scanned ? ", scanned layers" : ""), mark: flaxMark,
      rules: blocks("encoder", "FlaxBartEncoder", shared)
        + blocks("decoder", "FlaxBartDecoder", shared + cross)
        + ["encoder", "decoder"].flatMap { leaves("model.\($0).*", "\($0).*") }
        + leaves("lm_head", "decoder.lm_head"))
  }

  private static let flaxMark = "model.decoder.embed_tokens.embedding"

  /// The layout of a file with these keys.
  static func layouts(of keys: [String]) -> [KeyRules] {
    [flax(scanned: keys.contains { $0.hasPrefix("model.encoder.layers.FlaxBartEncoderLayers.") })]
  }
}

extension DALLEBart: Network {
  /// dalle-mini's transformer as flax saves it, and as kuprel/min-dalle does in two files.
  public static let architecture = Architecture(
    "dalle-bart", DALLEBart.self, kind: "dalle",
    partners: [VQGAN.architecture.id, VQGANDetokenizer.architecture.id],
    layouts: [
      .init("dalle-mini", mark: flaxMark, needs: ["lm_head.kernel"], rules: { layouts(of: $0) }),
      .init(
        "min-dalle", mark: "encoder.layers.0.glu.fc0.weight",
        needs: ["decoder.layers.0.encoder_attn.q_proj.weight"]),
    ],
    leftovers: { leftovers($0) },
    sidecars: { file in
      let isMini = file.deletingPathExtension().lastPathComponent.hasSuffix("_mini")
      return isMini
        ? ["vocab_mini.json", "merges_mini.txt"]
        : [
          "config.json", "tokenizer.json", "vocab.json", "merges.txt", "enwiki-words-frequency.txt",
        ]
    }
  ) { checkpoint, sidecars in
    guard var config = Config(detecting: checkpoint.shapes) else { return nil }
    guard let told = sidecars.decode(Upstream.self, "config.json") else {
      return (config, ["heads of 64, start token \(config.startToken): there is no config.json"])
    }
    config.attention_head_count = told.encoder_attention_heads ?? config.attention_head_count
    config.start_token = told.decoder_start_token_id ?? config.start_token
    guard config.problem == nil else {
      return (config, ["config.json says something else than the shapes"])
    }
    return (config, ["heads and start token by config.json"])
  }

  /// What dalle-mini's `config.json` says and shapes do not.
  private struct Upstream: Decodable {
    var encoder_attention_heads: Int?
    var decoder_start_token_id: Int?
  }
}

extension DALLEBart.Config {
  /// Reads the sizes from the shapes of a checkpoint. Heads leave no trace there: they are 64 wide in all
  /// published models.
  /// - Returns: nil when these are not the shapes of such a transformer.
  init?(detecting shapes: [String: [Int]]) {
    func size(_ key: String, _ dimension: Int) -> Int? {
      shapes[key].flatMap { $0.count == 2 ? $0[dimension] : nil }
    }
    func layers(_ side: String) -> Int {
      let prefix = "\(side).layers."
      return Set(
        shapes.keys.filter { $0.hasPrefix(prefix) }.map {
          $0.dropFirst(prefix.count).prefix { $0 != "." }
        }
      ).count
    }
    guard let text = size("encoder.embed_tokens.weight", 0),
      let length = size("encoder.embed_positions.weight", 0),
      let rows = size("decoder.embed_tokens.weight", 0),
      let width = size("decoder.embed_tokens.weight", 1),
      let positions = size("decoder.embed_positions.weight", 0),
      let inner = size("encoder.layers.0.glu.fc0.weight", 0), rows > 1
    else { return nil }
    self.init(
      text_vocab_count: text, text_token_count: length, image_vocab_count: rows - 1,
      image_token_count: positions, embed_count: width, attention_head_count: max(1, width / 64),
      glu_embed_count: inner, encoder_layer_count: layers("encoder"),
      decoder_layer_count: layers("decoder"))
    // DALL·E mega has 31 rows more than codes and the start token, to share out evenly among devices.
    let codes = 1 << (Int.bitWidth - 1 - (rows - 1).leadingZeroBitCount)
    if codes >= 16_384, codes < rows - 1 { start_token = codes }
    guard problem == nil else { return nil }
  }
}

extension DALLEBart.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    let sizes = [
      text_vocab_count, image_vocab_count, embed_count, glu_embed_count,
    ]
    let counts = [encoder_layer_count, decoder_layer_count]
    guard
      sizes.allSatisfy({ (1...2_000_000).contains($0) }),
      counts.allSatisfy({ (0...128).contains($0) }),
      (2...4096).contains(text_token_count), (1...16_384).contains(image_token_count),
      (1...2).contains(levels),
      (1...embed_count).contains(attention_head_count),
      embed_count % attention_head_count == 0, pad_token >= 0,
      pad_token < text_vocab_count, (1...image_vocab_count).contains(startToken)
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String {
    let published =
      switch (encoder_layer_count, embed_count) {
      case (12, 1024): "DALL·E mini"
      case (24, 2048): "DALL·E mega"
      default: "DALL·E transformer"
      }
    return "\(published), \(encoder_layer_count) + \(decoder_layer_count) layers of \(embed_count)"
  }
  /// Tokens that the encoder knows.
  public var vocabularySize: Int? { text_vocab_count }
}
