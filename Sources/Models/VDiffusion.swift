import Foundation
import Torch

/// The U-Nets of v-diffusion (Crowson, 2021-2022; the objective is of Salimans & Ho, "Progressive
/// Distillation for Fast Sampling of Diffusion Models", 2022): from a noised picture to its velocity.
///
/// Follows `diffusion/models` of crowsonkb/v-diffusion-pytorch 0.0.2, keys verbatim: one class for its
/// eight networks, conditioned on CLIP embeddings or not. Two additions, off by default, serve Reverie's
/// own pack: any number of `channels`, so that a VQGAN's latent can be what is noised, and any sizes.
/// Norms and what follows from the time stay float32.
public struct VDiffusion {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Channels of what is noised: 3 for pictures, else those of a latent.
    public var channels: Int
    /// Height and width on which it was trained.
    public var size: Int
    /// Channels of each level, from the highest resolution down, which halves from level to level.
    public var widths: [Int]
    /// Blocks of each level on the way down, and as many on the way up; of the lowest all.
    public var blocks: [Int]
    /// Levels with attention after each block, counted from the lowest.
    public var attention: Int
    /// Channels of a head of attention.
    public var headWidth: Int
    /// What it is told of the picture; nil when it is told nothing.
    public var condition: Condition?
    /// Whether it is a port from JAX: these enlarge by repetition, put what was skipped first, have no
    /// norm before attention, and know the time as the logarithm of the ratio of signal to noise.
    public var isPort: Bool
    /// Whether even the last block of all ends with a ReLU.
    public var endsWithReLU: Bool

    /// How embeddings come in.
    public struct Condition: Codable, Sendable, Hashable {
      /// Numbers in an embedding.
      public var embedding: Int
      /// Numbers into which embedding and time are mapped, from which every block is modulated.
      public var width: Int
      /// Fourier features of the time beside the embedding.
      public var timeFeatures: Int

      /// A condition; what is left out is as in cc12m_1.
      public init(embedding: Int = 512, width: Int = 1024, timeFeatures: Int = 128) {
        (self.embedding, self.width, self.timeFeatures) = (embedding, width, timeFeatures)
      }
    }

    /// A configuration; see the fields.
    public init(
      channels: Int = 3, size: Int, widths: [Int], blocks: [Int], attention: Int = 3,
      headWidth: Int = 64, condition: Condition? = nil, isPort: Bool = false,
      endsWithReLU: Bool = false
    ) {
      self.channels = channels
      self.size = size
      self.widths = widths
      self.blocks = blocks
      self.attention = attention
      self.headWidth = headWidth
      self.condition = condition
      self.isPort = isPort
      self.endsWithReLU = endsWithReLU
    }

    /// Heights and widths are multiples of it.
    public var factor: Int { 1 << (widths.count - 1) }
  }

  /// Fourier features of the time that stand beside the picture's channels.
  static let timePlanes = 16

  /// The shape of the network.
  public let config: Config
  let net: [UNetPiece]
  let timestep_embed: FourierFeatures
  let mapping_timestep_embed: FourierFeatures?
  let mapping: [ResLinearBlock]

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    timestep_embed = FourierFeatures(
      p / "timestep_embed", Self.timePlanes, deviation: config.isPort ? 0.2 : 1)
    mapping_timestep_embed = config.condition.map {
      FourierFeatures(p / "mapping_timestep_embed", $0.timeFeatures, deviation: 1)
    }
    mapping =
      config.condition.map { condition in
        let m = p / "mapping"
        let width = condition.width
        return [
          ResLinearBlock(
            m / 0, condition.embedding + condition.timeFeatures, width, isLast: false),
          ResLinearBlock(m / 1, width, width, isLast: true),
        ]
      } ?? []
    net = UNetPiece.level(0, p / "net", config)
  }

  /// The type in which it computes.
  public var computeType: DType {
    for case .block(let block) in net { return block.main0.weight.dtype }
    return .float32
  }

  /// The velocity of noised pictures, `alpha noise - sigma picture`.
  /// - Parameters:
  ///   - x: `[B, C, H, W]`, height and width multiples of `config.factor`.
  ///   - time: of each, `[B]` in 0 (clean)…1 (noise); signal and noise are its cosine and sine, of a
  ///     quarter turn.
  ///   - embeddings: `[B, E]` of any length, where the network is conditioned; zeros for no condition.
  /// - Returns: `[B, C, H, W]` float32
  public func callAsFunction(_ x: Tensor, time: Tensor, embeddings: Tensor? = nil) -> Tensor {
    let (b, h, w) = (x.size(0), x.size(2), x.size(3))
    var told = time.to(.float32).reshaped(b, 1)
    if config.isPort {
      let angle = told * (.pi / 2)
      told = (angle.cos() / angle.sin()).log() * 2
    }
    let planes = timestep_embed(told).reshaped(b, Self.timePlanes, 1, 1)
      .expanded([b, Self.timePlanes, h, w])
    let dtype = computeType
    let condition = condition(told, embeddings)?.to(dtype)
    let input = concatenated([x.to(.float32), planes], over: 1).to(dtype)
      .contiguous(channelsLast: true)
    return UNetPiece.run(net, input, condition).to(.float32)
  }

  /// What every block is told, `[B, width]`; nil for networks that are told nothing.
  private func condition(_ told: Tensor, _ embeddings: Tensor?) -> Tensor? {
    guard let mapping_timestep_embed, let condition = config.condition else { return nil }
    let given =
      embeddings ?? Tensor.zeros([told.size(0), condition.embedding], device: told.device)
    let e = given.to(.float32).normalized() * Double(condition.embedding).squareRoot()
    let first = concatenated([e, mapping_timestep_embed(told)], over: 1)
    return mapping.reduce(first.to(mapping[0].main0.weight.dtype)) { $1($0) }
  }
}

/// Cosines and sines of a number at several frequencies.
struct FourierFeatures {
  let weight: Tensor

  init(_ p: Parameters, _ count: Int, deviation: Double) {
    weight = p("weight", [count / 2, 1], .normal(deviation), .precise)
  }

  /// `[B, 1]` to `[B, count]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let f = x.linear(weight) * (2 * .pi)
    return concatenated([f.cos(), f.sin()], over: -1)
  }
}

/// The square root of half of PyTorch's own bound: the published networks began so.
private func halved(_ inputs: Int) -> Initial {
  .uniform((0.5 / Double(inputs)).squareRoot())
}

/// Two linear layers beside a shortcut.
struct ResLinearBlock {
  let main0: Linear, main2: Linear
  let skip: Linear?
  let isLast: Bool

  init(_ p: Parameters, _ inputs: Int, _ outputs: Int, isLast: Bool) {
    main0 = Linear(p / "main" / 0, inputs, outputs, initial: halved(inputs))
    main2 = Linear(p / "main" / 2, outputs, outputs, initial: halved(outputs))
    skip =
      inputs == outputs
      ? nil : Linear(p / "skip", inputs, outputs, bias: false, initial: halved(inputs))
    self.isLast = isLast
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = main2(main0(x).relu())
    return (isLast ? y : y.relu()) + (skip?(x) ?? x)
  }
}

// MARK: - The U

/// A step through a U-Net.
indirect enum UNetPiece {
  case down
  case up(repeating: Bool)
  case block(ResConvBlock)
  case attention(SelfAttention2d)
  /// A level below this one, and its input beside what it gives.
  case skip([UNetPiece], inputFirst: Bool)

  /// The pieces of a level and of all below it.
  static func level(_ level: Int, _ p: Parameters, _ config: VDiffusion.Config) -> [UNetPiece] {
    let (widths, width, count) = (config.widths, config.widths[level], config.blocks[level])
    let isLowest = level == widths.count - 1
    let attends = widths.count - level <= config.attention
    let outside = level > 0 ? widths[level - 1] : config.channels
    var pieces: [UNetPiece] = level > 0 ? [.down] : []

    func add(_ inputs: Int, _ outputs: Int, isLast: Bool = false) {
      pieces.append(
        .block(
          ResConvBlock(p / pieces.count, inputs, width, outputs, isLast: isLast, config)))
      if attends, !isLast {
        pieces.append(.attention(SelfAttention2d(p / pieces.count, outputs, config)))
      }
    }
    var inputs = level > 0 ? outside : config.channels + VDiffusion.timePlanes
    if !isLowest {
      for _ in 0..<count {
        add(inputs, width)
        inputs = width
      }
      let below = Self.level(level + 1, p / pieces.count / "main", config)
      pieces.append(.skip(below, inputFirst: config.isPort))
      inputs = 2 * width
    }
    for _ in 1..<count {
      add(inputs, width)
      inputs = width
    }
    add(inputs, outside, isLast: level == 0)
    return level > 0 ? pieces + [.up(repeating: config.isPort)] : pieces
  }

  /// `[B, C, H, W]` through pieces.
  static func run(_ pieces: [UNetPiece], _ x: Tensor, _ condition: Tensor?) -> Tensor {
    pieces.reduce(x) { x, piece in
      switch piece {
      case .down: return x.averagePooled(2)
      case .up(let repeating):
        return x.resampled(2 * x.size(2), 2 * x.size(3), repeating ? .nearest : .bilinear)
      case .block(let block): return block(x, condition)
      case .attention(let attention): return attention(x)
      case .skip(let below, let inputFirst):
        let y = run(below, x, condition)
        return concatenated(inputFirst ? [x, y] : [y, x], over: 1)
      }
    }
  }
}

/// Two convolutions beside a shortcut (`ResConvBlock`); of a conditioned network each normalised and
/// modulated (`ResModConvBlock`).
struct ResConvBlock {
  let main0: Conv2d, main1: Conv2d
  let modulation: [Linear]
  let skip: Conv2d?
  let isLast: Bool
  let endsWithReLU: Bool

  init(
    _ p: Parameters, _ inputs: Int, _ middle: Int, _ outputs: Int, isLast: Bool,
    _ config: VDiffusion.Config
  ) {
    let m = p / "main"
    main0 = Conv2d(m / 0, inputs, middle, initial: halved(9 * inputs))
    main1 = Conv2d(
      m / (config.condition == nil ? 2 : 4), middle, outputs, initial: halved(9 * middle))
    modulation =
      config.condition.map { condition in
        let places = isLast ? [(2, middle)] : [(2, middle), (6, outputs)]
        return places.map { place, channels in
          Linear(
            m / place / "layer", condition.width, 2 * channels, bias: false,
            initial: halved(condition.width))
        }
      } ?? []
    skip =
      inputs == outputs
      ? nil
      : Conv2d(p / "skip", inputs, outputs, kernel: 1, bias: false, initial: halved(inputs))
    self.isLast = isLast
    endsWithReLU = !isLast || config.endsWithReLU
  }

  /// `[B, in, H, W]` to `[B, out, H, W]`.
  func callAsFunction(_ x: Tensor, _ condition: Tensor?) -> Tensor {
    let h = main1(modulated(main0(x), 0, condition, then: .relu))
    return modulated(h, 1, condition, then: endsWithReLU ? .relu : .none) + (skip?(x) ?? x)
  }

  private func modulated(
    _ x: Tensor, _ index: Int, _ condition: Tensor?, then activation: Tensor.Activation
  ) -> Tensor {
    guard index < modulation.count, let condition else {
      return activation == .relu ? x.relu() : x
    }
    let parts = modulation[index](condition).unsqueezed(-1).unsqueezed(-1).chunks(2, over: 1)
    return x.groupNorm(1, modulation: (scale: parts[0], shift: parts[1]), then: activation)
  }
}

/// Self-attention over all positions beside a shortcut.
struct SelfAttention2d {
  let norm: GroupNorm?
  let qkv_proj: Conv2d, out_proj: Conv2d
  let heads: Int

  init(_ p: Parameters, _ channels: Int, _ config: VDiffusion.Config) {
    heads = max(1, channels / config.headWidth)
    norm = config.isPort ? nil : GroupNorm(p / "norm", 1, channels)
    qkv_proj = Conv2d(
      p / "qkv_proj", channels, 3 * channels, kernel: 1, initial: halved(channels))
    out_proj = Conv2d(p / "out_proj", channels, channels, kernel: 1, initial: halved(channels))
  }

  /// `[B, C, H, W]` to the same shape.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let (b, c, h, w) = (x.size(0), x.size(1), x.size(2), x.size(3))
    let all = qkv_proj(norm?(x) ?? x).reshaped(b, 3 * heads, c / heads, h * w).transposed()
    let parts = all.chunks(3, over: 1)  // [B, heads, H W, C / heads] each
    let y = attention(parts[0], parts[1], parts[2])  // [B, heads, H W, C / heads]
    return x + out_proj(y.permuted(0, 2, 1, 3).reshaped(b, h, w, c).permuted(0, 3, 1, 2))
  }
}
