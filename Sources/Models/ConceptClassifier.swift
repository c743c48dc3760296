import Torch

/// A small residual network (He et al. 2016) that names what a picture shows: the judge of a pack.
///
/// Three stages of two pre-activation blocks at a quarter, an eighth and a sixteenth of the picture's
/// size, then the mean over positions and one linear layer. It takes no part in painting.
public struct ConceptClassifier {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// What it can name.
    public var classes: Int
    /// Channels of each stage; multiples of 8.
    public var widths: [Int]

    /// A configuration.
    public init(classes: Int, widths: [Int] = [48, 96, 192]) {
      self.classes = classes
      self.widths = widths
    }
  }

  struct Block {
    let norm1: GroupNorm, conv1: Conv2d, norm2: GroupNorm, conv2: Conv2d
    let shortcut: Conv2d?

    init(_ p: Parameters, _ inputs: Int, _ outputs: Int, stride: Int) {
      norm1 = GroupNorm(p / "norm1", 8, inputs)
      conv1 = Conv2d(p / "conv1", inputs, outputs, stride: stride, padding: 1)
      norm2 = GroupNorm(p / "norm2", 8, outputs)
      conv2 = Conv2d(p / "conv2", outputs, outputs)
      shortcut =
        inputs == outputs && stride == 1
        ? nil : Conv2d(p / "shortcut", inputs, outputs, kernel: 1, stride: stride)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      (shortcut?(x) ?? x) + conv2(norm2(conv1(norm1(x, then: .silu)), then: .silu))
    }
  }

  /// The shape of this network.
  public let config: Config
  let stem: Conv2d
  let blocks: [Block]
  let norm: GroupNorm
  let head: Linear

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    stem = Conv2d(p / "stem", 3, config.widths[0], kernel: 4, stride: 4, padding: 0)
    var inputs = config.widths[0]
    blocks = config.widths.enumerated().flatMap { stage, width in
      (0..<2).map { i in
        defer { inputs = width }
        return Block(
          p / "blocks" / (2 * stage + i), inputs, width, stride: stage > 0 && i == 0 ? 2 : 1)
      }
    }
    norm = GroupNorm(p / "norm", 8, inputs)
    head = Linear(p / "head", inputs, config.classes)
  }

  /// Pictures `[B, 3, H, W]` in -1…1, sides multiples of 16, to logits `[B, classes]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let x = x.to(stem.weight.dtype).contiguous(channelsLast: true)
    let h = blocks.reduce(stem(x)) { $1($0) }  // [B, C, H / 16, W / 16]
    return head(norm(h, then: .silu).mean(over: [2, 3])).to(.float32)
  }
}
