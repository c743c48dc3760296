import Torch

/// The VQGAN of Esser, Rombach & Ommer, "Taming Transformers for High-Resolution Image Synthesis"
/// (2021): encoder, quantizer and decoder.
///
/// Follows taming/models/vqgan.py and taming/modules/diffusionmodules/model.py of
/// CompVis/taming-transformers at 3ba01b2; keys are that checkpoint's. Differences: no discriminator
/// and no losses in this file. Two additions, off by default, serve Reverie's own pack: `patch`
/// (pixels are folded into channels at both ends, which saves the costly full-resolution levels) and
/// a residual quantizer of several levels (`ResidualQuantizer`).
public struct VQGAN {
  /// The shape of the networks; names as in taming's yaml (`ddconfig` and its neighbours).
  public struct Config: Codable, Sendable, Hashable {
    /// Channels of the first level.
    public var ch: Int
    /// Channels of each level, as multiples of `ch`, from the highest resolution down.
    public var ch_mult: [Int]
    /// Residual blocks of each encoder level; the decoder has one more.
    public var num_res_blocks: Int
    /// Levels with attention, 0 being the highest resolution. Taming names resolutions of a 256²
    /// picture instead (`attn_resolutions`), but ties them to levels all the same.
    public var attn_levels: [Int]
    /// Groups of every norm; 32 is taming's. Narrow networks want fewer, lest a norm see one channel.
    public var norm_num_groups: Int
    /// Channels the encoder ends with.
    public var z_channels: Int
    /// Channels of a code.
    public var embed_dim: Int
    /// Entries of each codebook.
    public var n_embed: Int
    /// Codebooks applied one after the other to what the last one left; 1 is taming's quantizer.
    public var levels: Int
    /// Pixels folded into channels along each axis; 1 is taming's.
    public var patch: Int
    /// Whether latents are scaled to root mean square one at each position.
    public var normalized: Bool
    /// Whether codes are chosen by logits instead of by distance (taming's `GumbelVQ`).
    public var gumbel: Bool
    /// Whether the networks know pictures in 0…1 (dalle-mini's) instead of -1…1.
    public var unitRange: Bool

    /// A configuration; what is left out is taming's.
    public init(
      ch: Int = 128, ch_mult: [Int] = [1, 1, 2, 2, 4], num_res_blocks: Int = 2,
      attn_levels: [Int] = [4], norm_num_groups: Int = 32, z_channels: Int = 256,
      embed_dim: Int = 256, n_embed: Int = 16384, levels: Int = 1, patch: Int = 1,
      normalized: Bool = false, gumbel: Bool = false, unitRange: Bool = false
    ) {
      self.ch = ch
      self.ch_mult = ch_mult
      self.num_res_blocks = num_res_blocks
      self.attn_levels = attn_levels
      self.norm_num_groups = norm_num_groups
      self.z_channels = z_channels
      self.embed_dim = embed_dim
      self.n_embed = n_embed
      self.levels = levels
      self.patch = patch
      self.normalized = normalized
      self.gumbel = gumbel
      self.unitRange = unitRange
    }

    /// Reads a configuration; what Reverie's own packs may leave out is as in taming's files.
    public init(from decoder: any Swift.Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      func value<T: Decodable>(_ key: CodingKeys) throws -> T {
        try fields.decode(T.self, forKey: key)
      }
      self.init(
        ch: try value(.ch), ch_mult: try value(.ch_mult),
        num_res_blocks: try value(.num_res_blocks),
        attn_levels: try value(.attn_levels), norm_num_groups: try value(.norm_num_groups),
        z_channels: try value(.z_channels), embed_dim: try value(.embed_dim),
        n_embed: try value(.n_embed), levels: try value(.levels), patch: try value(.patch),
        normalized: try value(.normalized),
        gumbel: try fields.decodeIfPresent(Bool.self, forKey: .gumbel) ?? false,
        unitRange: try fields.decodeIfPresent(Bool.self, forKey: .unitRange) ?? false)
    }

    /// Pixels of a picture along each axis for one code.
    public var factor: Int { patch << (ch_mult.count - 1) }
  }

  /// The shape of these networks.
  public let config: Config
  let encoder: VQGANEncoder
  let decoder: VQGANDecoder
  let quantizer: ResidualQuantizer
  let quant_conv: Conv2d
  let post_quant_conv: Conv2d

  /// The networks with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    encoder = VQGANEncoder(p / "encoder", config)
    decoder = VQGANDecoder(p / "decoder", config)
    quantizer = ResidualQuantizer(p / "quantize", config)
    quant_conv = Conv2d(p / "quant_conv", config.z_channels, config.embed_dim, kernel: 1)
    post_quant_conv = Conv2d(p / "post_quant_conv", config.embed_dim, config.z_channels, kernel: 1)
  }

  /// The latent of a picture: continuous, or with Gumbel's quantizer that of the likeliest codes, since
  /// there what comes before the codes is of another space.
  /// - Parameter x: `[B, 3, H, W]` in -1…1, height and width multiples of `config.factor`.
  /// - Returns: `[B, embed_dim, H / factor, W / factor]`, float32.
  public func encode(_ x: Tensor) -> Tensor {
    let h = quant_conv(encoder(config.unitRange ? (x + 1) / 2 : x))
    if let logits = quantizer.logits(h) { return lookUp(logits.argmax(over: 1).unsqueezed(3)) }
    let z = h.to(.float32)
    guard config.normalized else { return z }
    return z * (z.square().mean(over: [1], keepDims: true) + 1e-6).rsqrt()
  }

  /// The picture of a latent, quantised or not.
  /// - Parameter z: `[B, embed_dim, h, w]`
  /// - Returns: `[B, 3, h * factor, w * factor]`, about -1…1, float32.
  public func decode(_ z: Tensor) -> Tensor {
    let x = decoder(post_quant_conv(z.to(decoder.computeType))).to(.float32)
    return config.unitRange ? x * 2 - 1 : x
  }

  /// The nearest codes; see `ResidualQuantizer`.
  public func quantize(_ z: Tensor) -> (quantized: Tensor, codes: Tensor) { quantizer(z) }

  /// The latent of codes `[B, h, w, levels]`: `[B, embed_dim, h, w]`.
  public func lookUp(_ codes: Tensor) -> Tensor { quantizer.lookUp(codes) }

  /// What the encoder makes of pictures on the way, finest first: features to compare pictures by.
  /// - Parameter pictures: `[B, 3, H, W]` in 0…1.
  /// - Returns: `[B, C, h, w]` float32 after each level.
  public func features(of pictures: Tensor) -> [Tensor] {
    encoder.levels(config.unitRange ? pictures : pictures * 2 - 1)
  }

  /// The latent of codes of which only probabilities are known: their entries' mean.
  /// - Parameter probabilities: `[B, h, w, levels, K]`
  /// - Returns: `[B, D, h, w]`
  public func lookUp(probabilities: Tensor) -> Tensor {
    let entries = quantizer.codebooks.enumerated().map { level, codebook in
      probabilities.select(3, level).matmul(codebook)  // [B, h, w, D]
    }
    return entries.dropFirst().reduce(entries[0], +).permuted(0, 3, 1, 2)
  }

  /// Lowest and highest value of each channel over all codes, `[1, embed_dim, 1, 1]` each: where
  /// VQGAN+CLIP keeps its latent.
  public var codebookRange: (low: Tensor, high: Tensor) { quantizer.range }
}

// MARK: - Blocks

/// Normalise, activate, convolve, twice; added to the input.
struct ResnetBlock {
  let norm1: GroupNorm, conv1: Conv2d, norm2: GroupNorm, conv2: Conv2d
  let nin_shortcut: Conv2d?

  init(_ p: Parameters, _ inputs: Int, _ outputs: Int, groups: Int) {
    norm1 = GroupNorm(p / "norm1", groups, inputs, eps: 1e-6)
    conv1 = Conv2d(p / "conv1", inputs, outputs)
    norm2 = GroupNorm(p / "norm2", groups, outputs, eps: 1e-6)
    conv2 = Conv2d(p / "conv2", outputs, outputs)
    nin_shortcut = inputs == outputs ? nil : Conv2d(p / "nin_shortcut", inputs, outputs, kernel: 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = conv2(norm2(conv1(norm1(x, then: .silu)), then: .silu))
    return (nin_shortcut?(x) ?? x) + h
  }
}

/// Self-attention of one head over all positions.
struct AttnBlock {
  let norm: GroupNorm, q: Conv2d, k: Conv2d, v: Conv2d, proj_out: Conv2d

  init(_ p: Parameters, _ channels: Int, groups: Int) {
    norm = GroupNorm(p / "norm", groups, channels, eps: 1e-6)
    q = Conv2d(p / "q", channels, channels, kernel: 1)
    k = Conv2d(p / "k", channels, channels, kernel: 1)
    v = Conv2d(p / "v", channels, channels, kernel: 1)
    proj_out = Conv2d(p / "proj_out", channels, channels, kernel: 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (b, c, h, w) = (x.size(0), x.size(1), x.size(2), x.size(3))
    let n = norm(x)
    func tokens(_ y: Tensor) -> Tensor {
      y.reshaped(b, 1, c, h * w).transposed()  // [B, 1, H W, C]
    }
    let y = attention(tokens(q(n)), tokens(k(n)), tokens(v(n)))
    return x + proj_out(y.transposed().reshaped(b, c, h, w))
  }
}

/// One resolution: residual blocks, each followed by attention where the level has it.
struct Level {
  let block: [ResnetBlock]
  let attn: [AttnBlock]

  init(
    _ p: Parameters, _ count: Int, _ inputs: Int, _ outputs: Int, attention: Bool, groups: Int
  ) {
    block = (0..<count).map {
      ResnetBlock(p / "block" / $0, $0 == 0 ? inputs : outputs, outputs, groups: groups)
    }
    attn = attention ? (0..<count).map { AttnBlock(p / "attn" / $0, outputs, groups: groups) } : []
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    block.indices.reduce(x) { h, i in
      let h = block[i](h)
      return attn.isEmpty ? h : attn[i](h)
    }
  }
}

/// Block, attention, block at the lowest resolution.
struct Middle {
  let block_1: ResnetBlock, attn_1: AttnBlock, block_2: ResnetBlock

  init(_ p: Parameters, _ channels: Int, groups: Int) {
    block_1 = ResnetBlock(p / "block_1", channels, channels, groups: groups)
    attn_1 = AttnBlock(p / "attn_1", channels, groups: groups)
    block_2 = ResnetBlock(p / "block_2", channels, channels, groups: groups)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { block_2(attn_1(block_1(x))) }
}

// MARK: - Encoder and decoder

/// Pixels to latents.
struct VQGANEncoder {
  let conv_in: Conv2d
  let down: [Level]
  let downsample: [Conv2d]
  let mid: Middle
  let norm_out: GroupNorm
  let conv_out: Conv2d
  let patch: Int

  init(_ p: Parameters, _ config: VQGAN.Config) {
    let widths = config.ch_mult.map { $0 * config.ch }
    let deepest = widths.count - 1
    let groups = config.norm_num_groups
    patch = config.patch
    conv_in = Conv2d(p / "conv_in", 3 * patch * patch, config.ch)
    down = widths.indices.map { level in
      Level(
        p / "down" / level, config.num_res_blocks, level == 0 ? config.ch : widths[level - 1],
        widths[level], attention: config.attn_levels.contains(level), groups: groups)
    }
    downsample = (0..<deepest).map { level in
      Conv2d(
        p / "down" / level / "downsample" / "conv", widths[level], widths[level], stride: 2,
        padding: 0)
    }
    mid = Middle(p / "mid", widths[deepest], groups: groups)
    norm_out = GroupNorm(p / "norm_out", groups, widths[deepest], eps: 1e-6)
    conv_out = Conv2d(p / "conv_out", widths[deepest], config.z_channels)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let h = mid(maps(x)[down.count - 1])
    return conv_out(norm_out(h, then: .silu))  // [B, z_channels, H / factor, W / factor]
  }

  /// What comes of each level, float32, finest first.
  func levels(_ x: Tensor) -> [Tensor] { maps(x).map { $0.to(.float32) } }

  private func maps(_ x: Tensor) -> [Tensor] {
    var h = x.to(conv_in.weight.dtype)
    if patch > 1 { h = h.pixelUnshuffled(patch) }  // [B, 3 patch², H / patch, W / patch]
    h = conv_in(h.contiguous(channelsLast: true))
    return down.indices.map { level in
      let map = down[level](h)
      // Zeros on the right and below only: taming's asymmetric padding.
      if level < downsample.count { h = downsample[level](map.padded([0, 1, 0, 1])) }
      return map
    }
  }
}

/// Latents to pixels.
struct VQGANDecoder {
  let conv_in: Conv2d
  let mid: Middle
  let up: [Level]
  let upsample: [Conv2d]
  let norm_out: GroupNorm
  let conv_out: Conv2d
  let patch: Int

  var computeType: DType { conv_in.weight.dtype }

  init(_ p: Parameters, _ config: VQGAN.Config) {
    let widths = config.ch_mult.map { $0 * config.ch }
    let deepest = widths.count - 1
    let groups = config.norm_num_groups
    patch = config.patch
    conv_in = Conv2d(p / "conv_in", config.z_channels, widths[deepest])
    mid = Middle(p / "mid", widths[deepest], groups: groups)
    // Stored from the highest resolution down; run from the lowest up.
    up = widths.indices.map { level in
      Level(
        p / "up" / level, config.num_res_blocks + 1, widths[min(level + 1, deepest)], widths[level],
        attention: config.attn_levels.contains(level), groups: groups)
    }
    upsample = (0..<deepest).map { level in
      Conv2d(p / "up" / (level + 1) / "upsample" / "conv", widths[level + 1], widths[level + 1])
    }
    norm_out = GroupNorm(p / "norm_out", groups, widths[0], eps: 1e-6)
    conv_out = Conv2d(p / "conv_out", widths[0], 3 * patch * patch)
  }

  func callAsFunction(_ z: Tensor) -> Tensor {
    var h = mid(conv_in(z.contiguous(channelsLast: true)))
    for level in up.indices.reversed() {
      h = up[level](h)
      if level > 0 {
        h = upsample[level - 1](h.resampled(h.size(2) * 2, h.size(3) * 2, .nearest))
      }
    }
    h = conv_out(norm_out(h, then: .silu))  // [B, 3 patch², H / patch, W / patch]
    return patch > 1 ? h.pixelShuffled(patch) : h
  }
}
