import Torch

/// The generator of BigGAN-deep (Brock, Donahue & Simonyan, "Large Scale GAN Training for High Fidelity
/// Natural Image Synthesis", 2019): latents and classes to pictures.
///
/// Follows `model.py` of pytorch-pretrained-biggan 0.1.1, keys verbatim. Differences: every block may
/// have a condition of its own, as Big Sleep needs it; between two stored truncations the statistics
/// are interpolated the right way round, where the package exchanges the two weights; the spectral
/// norms are divided out once, while loading; the last convolution computes only the three channels
/// that are used. Statistics, gains and offsets of the norms stay float32.
public struct BigGAN {
  /// The shape of the network; names as in its `config.json`.
  public struct Config: Codable, Sendable, Hashable {
    /// One block, written as a list: whether it doubles the picture, and its channels before and after
    /// in multiples of `channel_width`.
    public struct Layer: Codable, Sendable, Hashable {
      /// Whether it doubles height and width.
      public var upsample: Bool
      /// Channels before, in multiples of `channel_width`.
      public var inputs: Int
      /// Channels after, likewise.
      public var outputs: Int

      /// A block.
      public init(_ upsample: Bool, _ inputs: Int, _ outputs: Int) {
        self.upsample = upsample
        self.inputs = inputs
        self.outputs = outputs
      }

      /// Reads `[upsample, inputs, outputs]`.
      public init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        self.init(
          try list.decode(Bool.self), try list.decode(Int.self), try list.decode(Int.self))
      }

      /// Writes `[upsample, inputs, outputs]`.
      public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(upsample)
        try list.encode(inputs)
        try list.encode(outputs)
      }
    }

    /// Numbers in a latent, and in the embedding of a class.
    public var z_dim: Int
    /// Channels at the highest resolution.
    public var channel_width: Int
    /// Number of classes.
    public var num_classes: Int
    /// The blocks in order.
    public var layers: [Layer]
    /// Number of blocks before the attention.
    public var attention_layer_position: Int
    /// Added to every variance.
    public var eps: Double
    /// Number of truncations from 0 to 1 for which statistics are stored.
    public var n_stats: Int

    /// A configuration; what is left out is that of the published networks.
    public init(
      z_dim: Int = 128, channel_width: Int = 128, num_classes: Int = 1000, layers: [Layer],
      attention_layer_position: Int = 8, eps: Double = 1e-4, n_stats: Int = 51
    ) {
      self.z_dim = z_dim
      self.channel_width = channel_width
      self.num_classes = num_classes
      self.layers = layers
      self.attention_layer_position = attention_layer_position
      self.eps = eps
      self.n_stats = n_stats
    }

    /// Height and width of the pictures.
    public var size: Int { layers.reduce(4) { $1.upsample ? 2 * $0 : $0 } }

    /// Latents that a picture takes when every block has its own: one before the first block, and one
    /// for each.
    public var conditionCount: Int { layers.count + 1 }

    /// Channels where the attention is; none when it comes after all blocks.
    var attentionWidth: Int {
      let position = attention_layer_position
      return position < layers.count ? layers[position].inputs * channel_width : 0
    }
  }

  /// The shape of the network.
  public let config: Config
  let embeddings: Linear
  let generator: Generator

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    embeddings = Linear(
      p / "embeddings", config.num_classes, config.z_dim, bias: false, initial: .normal(1))
    generator = Generator(p / "generator", config, embeddings.weight.dtype)
  }

  /// What the generator is told of a latent and of the weights of the classes.
  /// - Parameters:
  ///   - latents: `[B, Z]`
  ///   - classes: `[B, K]`, one-hot or any weights.
  /// - Returns: `[B, 2 Z]` float32
  public func condition(_ latents: Tensor, _ classes: Tensor) -> Tensor {
    let embedded = embeddings(classes.to(embeddings.weight.dtype)).to(.float32)
    return concatenated([latents.to(.float32), embedded], over: 1)
  }

  /// Draws pictures.
  /// - Parameters:
  ///   - conditions: for what stands before the blocks and for each block, `[B, 2 Z]` each.
  ///   - truncation: for which the statistics are, 0 to 1.
  /// - Returns: `[B, 3, S, S]` in -1…1, float32
  public func callAsFunction(_ conditions: [Tensor], truncation: Double = 1) -> Tensor {
    precondition(
      conditions.count == config.conditionCount,
      "\(conditions.count) conditions for \(config.conditionCount)")
    var next = 1
    var x = generator.start(conditions[0])
    for layer in generator.layers {
      switch layer {
      case .attention(let attention): x = attention(x)
      case .block(let block):
        x = block(x, conditions[next], truncation)
        next += 1
      }
    }
    return generator.finish(x, truncation)
  }

  /// Draws pictures, telling every block the same.
  /// - Parameters:
  ///   - latents: `[B, Z]`
  ///   - classes: `[B, K]`, one-hot or any weights.
  ///   - truncation: of the latents, 0 to 1.
  /// - Returns: `[B, 3, S, S]` in -1…1, float32
  public func callAsFunction(_ latents: Tensor, _ classes: Tensor, truncation: Double) -> Tensor {
    let condition = condition(latents, classes)
    return self(
      Array(repeating: condition, count: config.conditionCount), truncation: truncation)
  }
}

/// From a condition to a picture.
struct Generator {
  enum Layer {
    case block(GenBlock)
    case attention(BigGANAttention)
  }

  let gen_z: SpectralLinear
  let layers: [Layer]
  let bn: BigGANStatistics
  let weight: Tensor, bias: Tensor
  let conv_to_rgb: SpectralConv

  init(_ p: Parameters, _ config: BigGAN.Config, _ dtype: DType) {
    let width = config.channel_width
    gen_z = SpectralLinear(p / "gen_z", 2 * config.z_dim, 4 * 4 * 16 * width, bias: true, dtype)
    var layers: [Layer] = []
    for (index, layer) in config.layers.enumerated() {
      if index == config.attention_layer_position {
        layers.append(
          .attention(
            BigGANAttention(p / "layers" / layers.count, layer.inputs * width, dtype)))
      }
      layers.append(.block(GenBlock(p / "layers" / layers.count, layer, config, dtype)))
    }
    self.layers = layers
    bn = BigGANStatistics(p / "bn", width, config)
    weight = (p / "bn")("weight", [width], .ones, .precise)
    bias = (p / "bn")("bias", [width], .zeros, .precise)
    conv_to_rgb = SpectralConv(
      p / "conv_to_rgb", width, width, kernel: 3, dtype, used: 3, gain: 0.1)
  }

  /// `[B, 2 Z]` to `[B, 16 C, 4, 4]`.
  func start(_ condition: Tensor) -> Tensor {
    // Channels come last, as in the TensorFlow original.
    gen_z(condition).reshaped(condition.size(0), 4, 4, -1).permuted(0, 3, 1, 2)
  }

  /// `[B, C, S, S]` to `[B, 3, S, S]`.
  func finish(_ x: Tensor, _ truncation: Double) -> Tensor {
    let (mean, scale) = bn(truncation)
    let gain = weight * scale
    let h = normalised(x, gain: gain.unsqueezed(0), shift: (bias - mean * gain).unsqueezed(0))
    return conv_to_rgb(h.relu()).to(.float32).tanh()
  }
}

/// `x` `[B, C, H, W]` times a gain and plus a shift, `[B, C]` or `[1, C]`.
private func normalised(_ x: Tensor, gain: Tensor, shift: Tensor) -> Tensor {
  func spread(_ y: Tensor) -> Tensor { y.to(x.dtype).unsqueezed(-1).unsqueezed(-1) }
  return x * spread(gain) + spread(shift)
}

/// Four convolutions, of which the inner two are narrow, beside a shortcut.
struct GenBlock {
  let norms: [BigGANNorm], convolutions: [SpectralConv]
  let upsample: Bool
  let outputs: Int

  init(
    _ p: Parameters, _ layer: BigGAN.Config.Layer, _ config: BigGAN.Config, _ dtype: DType
  ) {
    let inputs = layer.inputs * config.channel_width
    let middle = inputs / 4
    outputs = layer.outputs * config.channel_width
    upsample = layer.upsample
    norms = (0..<4).map { BigGANNorm(p / "bn_\($0)", $0 == 0 ? inputs : middle, config) }
    convolutions = [
      SpectralConv(p / "conv_0", inputs, middle, kernel: 1, dtype),
      SpectralConv(p / "conv_1", middle, middle, kernel: 3, dtype),
      SpectralConv(p / "conv_2", middle, middle, kernel: 3, dtype),
      SpectralConv(p / "conv_3", middle, outputs, kernel: 1, dtype),
    ]
  }

  /// `[B, in, H, W]` to `[B, out, H', W']`.
  func callAsFunction(_ x: Tensor, _ condition: Tensor, _ truncation: Double) -> Tensor {
    var h = x
    for (index, (norm, convolution)) in zip(norms, convolutions).enumerated() {
      h = norm(h, condition, truncation).relu()
      h = convolution(index == 1 ? doubled(h) : h)
    }
    let shortcut = x.size(1) == outputs ? x : x.narrowed(1, 0, outputs)
    return h + doubled(shortcut)
  }

  private func doubled(_ x: Tensor) -> Tensor {
    upsample ? x.resampled(2 * x.size(2), 2 * x.size(3), .nearest) : x
  }
}

/// Self-attention over positions with keys and values at half the resolution (Zhang et al. 2019).
struct BigGANAttention {
  let snconv1x1_theta: SpectralConv, snconv1x1_phi: SpectralConv, snconv1x1_g: SpectralConv
  let snconv1x1_o_conv: SpectralConv
  let gamma: Tensor

  init(_ p: Parameters, _ width: Int, _ dtype: DType) {
    func conv(_ name: String, _ inputs: Int, _ outputs: Int) -> SpectralConv {
      SpectralConv(p / "snconv1x1_\(name)", inputs, outputs, kernel: 1, dtype, bias: false)
    }
    snconv1x1_theta = conv("theta", width, width / 8)
    snconv1x1_phi = conv("phi", width, width / 8)
    snconv1x1_g = conv("g", width, width / 2)
    snconv1x1_o_conv = conv("o_conv", width / 2, width)
    gamma = p("gamma", [1], .zeros, .precise)
  }

  /// `[B, C, H, W]` to the same shape.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let (b, h, w) = (x.size(0), x.size(2), x.size(3))
    let queries = snconv1x1_theta(x).reshaped(b, -1, h * w)  // [B, C / 8, HW]
    let keys = snconv1x1_phi(x).maxPooled(2).reshaped(b, -1, h * w / 4)
    let values = snconv1x1_g(x).maxPooled(2).reshaped(b, -1, h * w / 4)  // [B, C / 2, HW / 4]
    let weights = queries.transposed().matmul(keys).to(.float32).softmax(over: -1)
    let mixed = values.matmul(weights.to(values.dtype).transposed()).reshaped(b, -1, h, w)
    return x + snconv1x1_o_conv(mixed) * gamma.to(x.dtype)
  }
}

/// Normalisation by stored statistics with gains and offsets that depend on a condition.
struct BigGANNorm {
  let statistics: BigGANStatistics
  let scale: SpectralLinear, offset: SpectralLinear

  init(_ p: Parameters, _ channels: Int, _ config: BigGAN.Config) {
    statistics = BigGANStatistics(p, channels, config)
    func linear(_ name: String) -> SpectralLinear {
      SpectralLinear(p / name, 2 * config.z_dim, channels, bias: false, .float32, gain: 0.5)
    }
    (scale, offset) = (linear("scale"), linear("offset"))
  }

  /// `[B, C, H, W]` and `[B, 2 Z]` to `[B, C, H, W]`.
  func callAsFunction(_ x: Tensor, _ condition: Tensor, _ truncation: Double) -> Tensor {
    let (mean, scale) = statistics(truncation)
    let gain = (self.scale(condition) + 1) * scale  // [B, C]
    return normalised(x, gain: gain, shift: offset(condition) - mean * gain)
  }
}

/// Means and variances of channels, `[N, C]`, for truncations from 0 to 1.
struct BigGANStatistics {
  let running_means: Tensor, running_vars: Tensor
  let eps: Double

  init(_ p: Parameters, _ channels: Int, _ config: BigGAN.Config) {
    running_means = p("running_means", [config.n_stats, channels], .zeros, .precise)
    running_vars = p("running_vars", [config.n_stats, channels], .ones, .precise)
    eps = config.eps
  }

  /// The mean and one over the deviation at a truncation, `[C]` each.
  func callAsFunction(_ truncation: Double) -> (mean: Tensor, scale: Tensor) {
    let last = running_means.size(0) - 1
    let position = min(max(truncation, 0), 1) * Double(last)
    let lower = Int(position)
    let part = position - Double(lower)
    func between(_ table: Tensor) -> Tensor {
      table[lower] * (1 - part) + table[min(lower + 1, last)] * part
    }
    return (between(running_means), (between(running_vars) + eps).rsqrt())
  }
}

/// `y = x Wᵀ + b` with a spectrally normalised weight.
struct SpectralLinear {
  let weight: Tensor, bias: Tensor?

  init(
    _ p: Parameters, _ inputs: Int, _ outputs: Int, bias: Bool, _ dtype: DType, gain: Double = 1
  ) {
    weight = spectrallyNormalised(p, [outputs, inputs], dtype, gain: gain)
    self.bias = bias ? p("bias", [outputs], .zeros) : nil
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x.to(weight.dtype).linear(weight, bias) }
}

/// A convolution that keeps the size, with a spectrally normalised weight.
struct SpectralConv {
  let weight: Tensor, bias: Tensor?

  /// - Parameter used: how many of the outputs are computed; all if left out.
  init(
    _ p: Parameters, _ inputs: Int, _ outputs: Int, kernel: Int, _ dtype: DType,
    bias: Bool = true, used: Int? = nil, gain: Double = 0.7
  ) {
    let whole = spectrallyNormalised(p, [outputs, inputs, kernel, kernel], dtype, gain: gain)
    weight = whole[0..<(used ?? outputs)]
    self.bias = bias ? p("bias", [outputs], .zeros)[0..<(used ?? outputs)] : nil
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    x.conv2d(weight, bias, padding: (weight.size(2) - 1) / 2)
  }
}

/// A weight over its spectral norm (Miyato et al. 2018), by the vectors `u` and `v` with which training
/// ended: W / (uᵀ W v). A variable, in training, is taken as it is: what trains sees to its norm.
///
/// - Parameter gain: how a training begins: how much larger what comes out is than what goes in.
private func spectrallyNormalised(
  _ p: Parameters, _ shape: [Int], _ dtype: DType, gain: Double
) -> Tensor {
  let columns = shape.dropFirst().reduce(1, *)
  let whole = p(
    "weight_orig", shape, .uniform(gain * (3 / Double(columns)).squareRoot()), .precise)
  let u = p("weight_u", [shape[0]], .kaimingUniform, .precise)
  let v = p("weight_v", [columns], .kaimingUniform, .precise)
  guard !whole.requiresGrad else { return whole.to(dtype) }
  return noGrad {
    let product = whole.reshaped(shape[0], columns).matmul(v.unsqueezed(1)).squeezed(1)
    return (whole / (u * product).sum()).to(dtype)
  }
}
