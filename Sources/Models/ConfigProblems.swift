// Sizes come from files that users write. What would otherwise surface as a trap deep inside a
// network is found here first.

extension VQGAN.Config {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    let sizes = [ch, z_channels, embed_dim, n_embed]
    guard
      sizes.allSatisfy({ (1...65_536).contains($0) }), (1...8).contains(ch_mult.count),
      ch_mult.allSatisfy({ (1...64).contains($0) }),
      (1...256).contains(norm_num_groups),
      ch_mult.allSatisfy({ $0 * ch % norm_num_groups == 0 }),
      ch % norm_num_groups == 0,
      (0...16).contains(num_res_blocks), (1...8).contains(levels),
      (1...64).contains(patch), factor <= 256, !gumbel || levels == 1
    else { return "the sizes make no network" }
    return nil
  }
}

extension BigGAN.Config {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    let sizes = [z_dim, channel_width, num_classes, n_stats]
    var width = 16
    for layer in layers {
      // Where channels are dropped, the upper half of them is.
      guard layer.inputs == width, (1...16).contains(layer.outputs),
        layer.outputs == width || 2 * layer.outputs == width
      else { return "the layers do not follow each other" }
      width = layer.outputs
    }
    guard sizes.allSatisfy({ (1...65_536).contains($0) }), n_stats > 1, channel_width >= 3,
      channel_width % 4 == 0, (1...64).contains(layers.count), width == 1,
      layers.count(where: \.upsample) <= 10,
      (0...layers.count).contains(attention_layer_position), attentionWidth % 8 == 0,
      eps > 0, eps < 1
    else { return "the sizes make no network" }
    return nil
  }
}

extension RRDBNet.Config {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    guard [1, 2, 4].contains(scale), (1...4096).contains(num_feat),
      (1...4096).contains(num_grow_ch), (1...256).contains(num_block)
    else { return "the sizes make no network" }
    return nil
  }
}

extension DALLEBart.Config {
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
}

extension VDiffusion.Config {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    guard (1...1024).contains(channels), (2...12).contains(widths.count),
      widths.count == blocks.count, widths.allSatisfy({ (1...16_384).contains($0) }),
      blocks.allSatisfy({ (1...64).contains($0) }), (0...widths.count).contains(attention),
      headWidth > 0, (1...4096).contains(size), size % factor == 0,
      // The last block of a level already has the width of the level above.
      widths.suffix(attention + 1).allSatisfy({ $0 % max(1, $0 / headWidth) == 0 })
    else { return "the sizes make no network" }
    guard let condition else { return nil }
    let sizes = [condition.embedding, condition.width, condition.timeFeatures]
    guard sizes.allSatisfy({ (1...65_536).contains($0) }), condition.timeFeatures % 2 == 0
    else { return "the sizes of the condition make no network" }
    return nil
  }
}
