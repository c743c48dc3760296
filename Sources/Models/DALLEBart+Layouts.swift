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
