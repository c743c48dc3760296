import Foundation
import Torch

/// The U-Net of networks that are told timesteps: Ho et al., "Denoising Diffusion Probabilistic Models"
/// (2020), as Dhariwal & Nichol, "Diffusion Models Beat GANs on Image Synthesis" (2021), have it.
///
/// Follows `UNetModel` in `guided_diffusion/unet.py` of openai/guided-diffusion at 22e0df8, keys verbatim.
/// Differences: no dropout, no checkpoints. Norms stay float32. GLIDE and Karlo use the same U-Net, whose attention
/// sees a context beside the picture (`encoder_kv`).
public struct UNet {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Channels of what comes in.
    public var inputs: Int
    /// Channels of what comes out.
    public var outputs: Int
    /// Numbers that the time is written in, a quarter of those that blocks are told (`model_channels`).
    public var width: Int
    /// Channels of each level, from the highest resolution down, which halves from level to level.
    public var widths: [Int]
    /// Blocks of each level on the way down (`num_res_blocks`); on the way up there is one more.
    public var blocks: Int
    /// Levels with attention after each block, 0 being the highest resolution.
    public var attention: [Int]
    /// Channels of a head of attention (`num_head_channels`); nil where their number is the same everywhere.
    public var headWidth: Int?
    /// Heads of attention where their width is not given (`num_heads`).
    public var heads: Int
    /// Whether queries, keys and values are told apart before heads are (`use_new_attention_order`).
    public var newAttentionOrder: Bool
    /// Whether what blocks are told scales what it also shifts (`use_scale_shift_norm`).
    public var scales: Bool
    /// Whether it is blocks that halve and double the resolution (`resblock_updown`), not convolutions.
    public var resamplesInBlocks: Bool
    /// Width of what attention sees beside the picture (`encoder_channels`); nil when it sees nothing.
    public var context: Int?
    /// Whether the middle attends (`use_middle_attention`).
    public var attendsInMiddle: Bool

    /// A configuration; see the fields. What is left out is as in most of OpenAI's.
    public init(
      inputs: Int = 3, outputs: Int = 6, width: Int, widths: [Int], blocks: Int = 2,
      attention: [Int], headWidth: Int? = 64, heads: Int = 1, newAttentionOrder: Bool = false,
      scales: Bool = true, resamplesInBlocks: Bool = true, context: Int? = nil,
      attendsInMiddle: Bool = true
    ) {
      (self.inputs, self.outputs, self.width) = (inputs, outputs, width)
      (self.widths, self.blocks, self.attention) = (widths, blocks, attention)
      (self.headWidth, self.heads) = (headWidth, heads)
      self.newAttentionOrder = newAttentionOrder
      (self.scales, self.resamplesInBlocks) = (scales, resamplesInBlocks)
      (self.context, self.attendsInMiddle) = (context, attendsInMiddle)
    }

    /// Heights and widths are multiples of it.
    public var factor: Int { 1 << (widths.count - 1) }

    /// Groups of every norm.
    static let groups = 32

    /// Heads of attention on so many channels.
    func heads(on channels: Int) -> Int { headWidth.map { max(1, channels / $0) } ?? heads }

    /// Why these sizes make no network; nil when they do.
    var problem: String? {
      guard (1...1024).contains(inputs), (1...4096).contains(outputs), (2...8192).contains(width),
        width % 2 == 0, (1...12).contains(widths.count), (1...64).contains(blocks),
        widths.allSatisfy({ (1...32_768).contains($0) && $0 % Self.groups == 0 }),
        attention.allSatisfy(widths.indices.contains), (1...65_536).contains(context ?? 1),
        headWidth.map({ (1...32_768).contains($0) }) ?? (1...1024).contains(heads),
        (attention + (attendsInMiddle ? [widths.count - 1] : [])).allSatisfy({ level in
          headWidth.map { widths[level] % $0 == 0 } ?? (widths[level] % heads == 0)
        })
      else { return "the sizes make no U-Net" }
      return nil
    }
  }

  /// What attention sees beside the picture.
  struct Context {
    /// `[B, S, context]`
    let values: Tensor
    /// Added to the scores on each of them, `[B, S]`; nil for nothing.
    var mask: Tensor?
  }

  let trunk: UNetTrunk
  let output_blocks: [[UNetLayer]]
  let out0: GroupNorm
  let out2: Conv2d

  /// The network with parameters at `p`.
  init(_ p: Parameters, _ config: Config) {
    trunk = UNetTrunk(p, config)
    var skipped = trunk.channels
    var channels = config.widths[config.widths.count - 1]
    var blocks: [[UNetLayer]] = []
    for (level, width) in config.widths.enumerated().reversed() {
      for index in 0...config.blocks {
        let q = p / "output_blocks" / blocks.count
        let inputs = channels + skipped.removeLast()
        var layers = [UNetLayer.block(TimedResBlock(q / 0, inputs, width, config))]
        channels = width
        if config.attention.contains(level) {
          layers.append(.attention(QKVAttention(q / layers.count, width, config)))
        }
        if level > 0, index == config.blocks {
          let place = q / layers.count
          layers.append(
            config.resamplesInBlocks
              ? .block(TimedResBlock(place, width, width, config, .up))
              : .doubling(Conv2d(place / "conv", width, width)))
        }
        blocks.append(layers)
      }
    }
    output_blocks = blocks
    out0 = GroupNorm(p / "out" / 0, Config.groups, channels)
    out2 = Conv2d(p / "out" / 2, channels, config.outputs)
  }

  /// The type in which it computes.
  var computeType: DType { out2.weight.dtype }

  /// - Parameters:
  ///   - x: `[B, inputs, H, W]`, height and width multiples of `config.factor`.
  ///   - told: what blocks are told, `[B, 4 width]`; see `UNetTrunk.told(_:)`.
  ///   - context: what attention sees beside the picture, where it sees something.
  /// - Returns: `[B, outputs, H, W]` float32
  func callAsFunction(_ x: Tensor, told: Tensor, context: Context? = nil) -> Tensor {
    let dtype = computeType
    let told = told.silu().to(dtype)
    var (h, skipped) = trunk.run(x.to(dtype).contiguous(channelsLast: true), told, context)
    for layers in output_blocks {
      h = concatenated([h, skipped.removeLast()], over: 1)
      h = UNetLayer.run(layers, h, told, context)
    }
    return out2(out0(h, then: .silu)).to(.float32)
  }
}

/// The time and the way down to the lowest level, which a classifier has too (`EncoderUNetModel`).
struct UNetTrunk {
  let config: UNet.Config
  let time_embed0: Linear, time_embed2: Linear
  let input_blocks: [[UNetLayer]]
  let middle_block: [UNetLayer]
  /// Channels behind each of `input_blocks`.
  let channels: [Int]

  init(_ p: Parameters, _ config: UNet.Config) {
    self.config = config
    time_embed0 = Linear(p / "time_embed" / 0, config.width, 4 * config.width)
    time_embed2 = Linear(p / "time_embed" / 2, 4 * config.width, 4 * config.width)
    var inputs = config.widths[0]
    let input = p / "input_blocks"
    var blocks = [[UNetLayer.convolution(Conv2d(input / 0 / 0, config.inputs, inputs))]]
    var channels = [inputs]
    for (level, width) in config.widths.enumerated() {
      for _ in 0..<config.blocks {
        let q = input / blocks.count
        var layers = [UNetLayer.block(TimedResBlock(q / 0, inputs, width, config))]
        if config.attention.contains(level) {
          layers.append(.attention(QKVAttention(q / 1, width, config)))
        }
        blocks.append(layers)
        inputs = width
        channels.append(width)
      }
      if level < config.widths.count - 1 {
        let place = input / blocks.count / 0
        blocks.append([
          config.resamplesInBlocks
            ? .block(TimedResBlock(place, width, width, config, .down))
            : .convolution(Conv2d(place / "op", width, width, stride: 2))
        ])
        channels.append(width)
      }
    }
    let middle = p / "middle_block"
    input_blocks = blocks
    self.channels = channels
    let attention =
      config.attendsInMiddle
      ? [UNetLayer.attention(QKVAttention(middle / 1, inputs, config))] : []
    middle_block =
      [.block(TimedResBlock(middle / 0, inputs, inputs, config))] + attention
      + [.block(TimedResBlock(middle / (attention.count + 1), inputs, inputs, config))]
  }

  /// What the blocks are told of the time, `[B, 4 width]` float32.
  /// - Parameter timesteps: `[B]`, of a thousand; they need not be whole.
  func told(_ timesteps: Tensor) -> Tensor {
    let written = sinusoids(of: timesteps, width: config.width)
    let dtype = time_embed0.weight.dtype
    return time_embed2(time_embed0(written.to(dtype)).silu()).to(.float32)
  }

  /// What the lowest level makes of `[B, inputs, H, W]`, and what stood behind each of the blocks before.
  func run(
    _ x: Tensor, _ told: Tensor, _ context: UNet.Context? = nil
  ) -> (Tensor, skipped: [Tensor]) {
    var (h, skipped) = (x, [Tensor]())
    for layers in input_blocks {
      h = UNetLayer.run(layers, h, told, context)
      skipped.append(h)
    }
    return (UNetLayer.run(middle_block, h, told, context), skipped)
  }
}

/// A layer of a block of blocks.
enum UNetLayer {
  case convolution(Conv2d)
  case doubling(Conv2d)
  case block(TimedResBlock)
  case attention(QKVAttention)

  /// `[B, C, H, W]` through layers.
  /// - Parameter told: behind its SiLU, `[B, 4 width]`.
  static func run(
    _ layers: [UNetLayer], _ x: Tensor, _ told: Tensor, _ context: UNet.Context?
  ) -> Tensor {
    layers.reduce(x) { x, layer in
      switch layer {
      case .convolution(let convolution): convolution(x)
      case .doubling(let convolution):
        convolution(x.resampled(2 * x.size(2), 2 * x.size(3), .nearest))
      case .block(let block): block(x, told)
      case .attention(let attention): attention(x, context)
      }
    }
  }
}

/// Two normalised convolutions beside a shortcut, told the time (`ResBlock`).
struct TimedResBlock {
  /// What becomes of the resolution.
  enum Resampling {
    case up, down

    func callAsFunction(_ x: Tensor) -> Tensor {
      switch self {
      case .up: x.resampled(2 * x.size(2), 2 * x.size(3), .nearest)
      case .down: x.averagePooled(2)
      }
    }
  }

  let in_layers0: GroupNorm, in_layers2: Conv2d
  let emb_layers1: Linear
  let out_layers0: GroupNorm, out_layers3: Conv2d
  let skip_connection: Conv2d?
  let resampling: Resampling?
  let scales: Bool

  init(
    _ p: Parameters, _ inputs: Int, _ outputs: Int, _ config: UNet.Config,
    _ resampling: Resampling? = nil
  ) {
    in_layers0 = GroupNorm(p / "in_layers" / 0, UNet.Config.groups, inputs)
    in_layers2 = Conv2d(p / "in_layers" / 2, inputs, outputs)
    emb_layers1 = Linear(
      p / "emb_layers" / 1, 4 * config.width, config.scales ? 2 * outputs : outputs)
    out_layers0 = GroupNorm(p / "out_layers" / 0, UNet.Config.groups, outputs)
    out_layers3 = Conv2d(p / "out_layers" / 3, outputs, outputs, initial: .zeros)
    skip_connection =
      inputs == outputs ? nil : Conv2d(p / "skip_connection", inputs, outputs, kernel: 1)
    self.resampling = resampling
    scales = config.scales
  }

  /// `[B, in, H, W]` to `[B, out, H, W]`, or half or twice that size.
  func callAsFunction(_ x: Tensor, _ told: Tensor) -> Tensor {
    var (x, h) = (x, in_layers0(x, then: .silu))
    if let resampling { (x, h) = (resampling(x), resampling(h)) }
    h = in_layers2(h)
    let told = emb_layers1(told).unsqueezed(-1).unsqueezed(-1)  // [B, out or 2 out, 1, 1]
    if scales {
      let parts = told.chunks(2, over: 1)
      h = out_layers0(h, modulation: (scale: parts[0], shift: parts[1]), then: .silu)
    } else {
      h = out_layers0(h + told, then: .silu)
    }
    return (skip_connection?(x) ?? x) + out_layers3(h)
  }
}

/// Self-attention over all positions beside a shortcut (`AttentionBlock`).
struct QKVAttention {
  let norm: GroupNorm
  let qkv: Pointwise, encoder_kv: Pointwise?, proj_out: Pointwise
  let heads: Int
  let newOrder: Bool

  init(_ p: Parameters, _ channels: Int, _ config: UNet.Config) {
    norm = GroupNorm(p / "norm", UNet.Config.groups, channels)
    qkv = Pointwise(p / "qkv", channels, 3 * channels)
    encoder_kv = config.context.map { Pointwise(p / "encoder_kv", $0, 2 * channels) }
    proj_out = Pointwise(p / "proj_out", channels, channels, initial: .zeros)
    heads = config.heads(on: channels)
    newOrder = config.newAttentionOrder
  }

  /// `[B, C, H, W]` to the same shape.
  func callAsFunction(_ x: Tensor, _ context: UNet.Context?) -> Tensor {
    let (b, c, h, w) = (x.size(0), x.size(1), x.size(2), x.size(3))
    let rows = norm(x).permuted(0, 2, 3, 1).reshaped(b, h * w, c)
    let beside = encoder_kv.flatMap { kv in context.map { (kv($0.values), $0.mask) } }
    let y = proj_out(attended(qkv(rows), heads: heads, newOrder: newOrder, beside: beside))
    return x + y.reshaped(b, h, w, c).permuted(0, 3, 1, 2)
  }
}

/// Timesteps as angles of `width / 2` frequencies, cosines first: `[B]` to `[B, width]` float32.
func sinusoids(of timesteps: Tensor, width: Int) -> Tensor {
  let half = width / 2
  let rates = (Tensor.arange(0..<half, .float32) * (-log(10_000) / Double(half))).exp()
  let angles =
    timesteps.to(.float32).reshaped(-1, 1) * rates.to(timesteps.device).reshaped(1, half)
  return concatenated([angles.cos(), angles.sin()], over: 1)
}

/// What positions make of queries, keys and values, which lie side by side in `[B, T, 3 C]`: for each head
/// in turn, or in the new order all heads' queries, keys and values.
/// - Parameters:
///   - mask: added to the scores; broadcasts to `[B, heads, T, T]`.
///   - beside: keys and values that stand before those of the positions, `[B, S, 2 C]`, for each head in turn, and
///     what is added to the scores on them, `[B, S]`; goes without a mask of the positions.
/// - Returns: `[B, T, C]`
func attended(
  _ qkv: Tensor, heads: Int, newOrder: Bool, mask: Tensor? = nil,
  beside: (kv: Tensor, mask: Tensor?)? = nil
) -> Tensor {
  let (b, t, c) = (qkv.size(0), qkv.size(1), qkv.size(2) / 3)
  // [B, heads, T, C / heads] each
  let parts =
    (newOrder
    ? qkv.reshaped(b, t, 3, heads, c / heads).unbound(over: 2)
    : qkv.reshaped(b, t, heads, 3, c / heads).unbound(over: 3)).map { $0.transposed(1, 2) }
  var (k, v, mask) = (parts[1], parts[2], mask)
  if let beside {
    let s = beside.kv.size(1)
    // [B, heads, S, C / heads] each
    let first = beside.kv.reshaped(b, s, heads, 2, c / heads).unbound(over: 3)
      .map { $0.transposed(1, 2) }
    (k, v) = (concatenated([first[0], k], over: 2), concatenated([first[1], v], over: 2))
    mask = beside.mask.map {
      concatenated([$0, Tensor.zeros([b, t], device: $0.device)], over: 1)
        .reshaped(b, 1, 1, s + t)
    }
  }
  return attention(parts[0], k, v, mask: mask).permuted(0, 2, 1, 3).reshaped(b, t, c)
}

/// A convolution over one dimension with a kernel of one: a linear layer of each position.
///
/// Weights: `weight` `[out, in, 1]`, `bias` `[out]`.
struct Pointwise {
  let weight: Tensor
  let bias: Tensor

  init(
    _ p: Parameters, _ inputs: Int, _ outputs: Int, initial: Initial = .kaimingUniform
  ) {
    weight = p("weight", [outputs, inputs, 1], initial)
    bias = p("bias", [outputs], .zeros)
  }

  /// `[B, T, in]` to `[B, T, out]`.
  func callAsFunction(_ x: Tensor) -> Tensor { x.linear(weight.squeezed(-1), bias) }
}

// MARK: - Sizes from shapes

extension UNet.Config {
  /// Reads from the shapes of a checkpoint all that leaves traces there: heads and the order of attention do
  /// not, and are OpenAI's most frequent.
  /// - Parameter isHalf: whether there is no way up, as in a classifier, whose `outputs` are then 0.
  /// - Returns: nil when these are not the shapes of such a network.
  init?(detecting shapes: [String: [Int]], isHalf: Bool = false) {
    func exists(_ key: String) -> Bool { shapes[key] != nil }
    guard let first = shapes["input_blocks.0.0.weight"], first.count == 4,
      let time = shapes["time_embed.0.weight"], time.count == 2, time[0] == 4 * time[1],
      let told = shapes["input_blocks.1.0.emb_layers.1.weight"], let rows = told.first,
      let next = shapes["input_blocks.1.0.in_layers.2.weight"], next.count == 4
    else { return nil }
    let count = (0..<512).first { n in
      !["in_layers.0.weight", "weight", "op.weight"].contains {
        exists("input_blocks.\(n).0.\($0)")
      }
    }
    guard let count else { return nil }
    /// Levels and blocks of each, as far as the way down tells.
    var sizes = (1...12).compactMap { levels in
      count % levels == 0 && count / levels > 1 ? (levels, count / levels - 1) : nil
    }
    if !isHalf {
      let ups = (0..<512).filter { n in
        [1, 2].contains { place in
          exists("output_blocks.\(n).\(place).in_layers.2.weight")
            || exists("output_blocks.\(n).\(place).conv.weight")
        }
      }
      sizes = sizes.filter { $0.0 == ups.count + 1 }
    }
    self.init(
      inputs: first[1], outputs: isHalf ? 0 : shapes["out.2.weight"]?.first ?? 0, width: time[1],
      widths: [], attention: [], scales: rows == 2 * next[0])
    for (levels, blocks) in sizes {
      let places = (0..<levels).map { level in
        (0..<blocks).map { 1 + level * (blocks + 1) + $0 }
      }
      let downs = (1..<levels).map { $0 * (blocks + 1) }
      // No block that halves attends; in a level that attends, all others do, and are of one width.
      let widths = places.map { level in
        Set(level.map { shapes["input_blocks.\($0).0.in_layers.2.weight"]?.first ?? 0 })
      }
      let attends = places.map { level in
        Set(level.map { exists("input_blocks.\($0).1.qkv.weight") })
      }
      let shrinks = downs.map { exists("input_blocks.\($0).0.in_layers.2.weight") }
      guard (widths.map(\.count) + attends.map(\.count)).allSatisfy({ $0 == 1 }),
        !downs.contains(where: { exists("input_blocks.\($0).1.qkv.weight") }),
        !downs.contains(where: { exists("input_blocks.\($0).0.skip_connection.weight") }),
        Set(shrinks).count <= 1
      else { continue }
      self.widths = widths.compactMap(\.first)
      self.blocks = blocks
      attention = attends.indices.filter { attends[$0] == [true] }
      resamplesInBlocks = shrinks.first ?? true
      context = shapes["middle_block.1.encoder_kv.weight"].flatMap { $0.count == 3 ? $0[1] : nil }
      attendsInMiddle = exists("middle_block.1.qkv.weight")
      return
    }
    return nil
  }
}
