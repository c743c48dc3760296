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
}

extension DALLEBart: Network {
  /// The transformer as packs hold it.
  public static let architecture = Architecture(
    "dalle-bart", DALLEBart.self, kind: "dalle", leftovers: { leftovers($0) },
    detect: { _, _ in nil })
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
      pad_token < text_vocab_count
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String {
    "DALL·E transformer, \(encoder_layer_count) + \(decoder_layer_count) layers of \(embed_count)"
  }
  /// Tokens that the encoder knows.
  public var vocabularySize: Int? { text_vocab_count }
}
