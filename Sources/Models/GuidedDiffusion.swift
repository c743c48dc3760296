import Foundation
import Torch

/// The networks of guided-diffusion: from a noised picture to its noise and, in as many channels more, the
/// variance of a step (Dhariwal & Nichol, "Diffusion Models Beat GANs on Image Synthesis", 2021; Nichol &
/// Dhariwal, "Improved Denoising Diffusion Probabilistic Models", 2021).
///
/// Follows `UNetModel` and `SuperResModel` of openai/guided-diffusion at 22e0df8, keys verbatim: OpenAI's
/// own networks, Crowson's finetune for 512 pixels, and those that people trained for Disco Diffusion.
public struct GuidedDiffusion {
  /// The shape of the network, and what it was trained with.
  public struct Config: Codable, Sendable, Hashable {
    /// Noise that the timesteps of the training added.
    public enum Betas: String, Codable, Sendable {
      case linear, cosine
    }

    /// The U-Net.
    public var unet: UNet.Config
    /// Height and width on which it was trained.
    public var size: Int
    /// Classes of which it is told one; nil when it is told none.
    public var classes: Int?
    /// Height and width of the small picture that it is shown to enlarge; nil when it is shown none.
    public var smallSize: Int?
    /// Noise that its timesteps add.
    public var betas: Betas

    /// A configuration; see the fields.
    public init(
      _ unet: UNet.Config, size: Int, classes: Int? = nil, smallSize: Int? = nil,
      betas: Betas = .linear
    ) {
      self.unet = unet
      (self.size, self.classes, self.smallSize) = (size, classes, smallSize)
      self.betas = betas
    }

    /// Channels of what is noised.
    public var channels: Int { smallSize == nil ? unet.inputs : unet.inputs / 2 }
    /// Whether it has learnt the variance of a step.
    public var learnsVariance: Bool { unet.outputs == 2 * channels }
  }

  /// The shape of the network.
  public let config: Config
  private let unet: UNet
  private let label_emb: Embedding?

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    unet = UNet(p, config.unet)
    label_emb = config.classes.map { Embedding(p / "label_emb", $0, 4 * config.unet.width) }
  }

  /// The noise in noised pictures and, where it has learnt that, the variance.
  /// - Parameters:
  ///   - x: `[B, C, H, W]`, height and width multiples of `config.unet.factor`.
  ///   - timesteps: of each, `[B]`, of a thousand; they need not be whole.
  ///   - classes: of each, `[B]` int64, where it is told one.
  ///   - small: what is enlarged, `[B, C, h, w]` in -1…1, where it is shown something.
  /// - Returns: `[B, C or 2 C, H, W]` float32
  public func callAsFunction(
    _ x: Tensor, timesteps: Tensor, classes: Tensor? = nil, small: Tensor? = nil
  ) -> Tensor {
    var told = unet.trunk.told(timesteps)
    if let label_emb {
      let classes = classes ?? Tensor.zeros([x.size(0)], .int64, device: x.device)
      told = told + label_emb(classes).to(.float32)
    }
    guard config.smallSize != nil else { return unet(x.to(.float32), told: told) }
    let large =
      small?.resampled(x.size(2), x.size(3)).to(.float32) ?? Tensor.zeros(x.shape, device: x.device)
    return unet(concatenated([x.to(.float32), large], over: 1), told: told)
  }
}

/// A classifier of noised pictures, whose gradient guides (Dhariwal & Nichol 2021, section 4).
///
/// Follows `EncoderUNetModel` of openai/guided-diffusion at 22e0df8 with `pool="attention"`, as all that are
/// published have it, keys verbatim.
public struct GuidedClassifier {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// The way down of the U-Net; its outputs are the classes.
    public var unet: UNet.Config
    /// Height and width of its pictures.
    public var size: Int

    /// A configuration; see the fields.
    public init(_ unet: UNet.Config, size: Int) { (self.unet, self.size) = (unet, size) }

    /// Positions at the end.
    var positions: Int {
      let side = size / unet.factor
      return side * side
    }
  }

  /// The shape of the network.
  public let config: Config
  private let trunk: UNetTrunk
  private let out0: GroupNorm
  private let positional_embedding: Tensor
  private let qkv_proj: Pointwise, c_proj: Pointwise

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    trunk = UNetTrunk(p, config.unet)
    let channels = config.unet.widths[config.unet.widths.count - 1]
    out0 = GroupNorm(p / "out" / 0, UNet.Config.groups, channels)
    let pool = p / "out" / 2
    positional_embedding = pool(
      "positional_embedding", [channels, config.positions + 1],
      .normal(1 / Double(channels).squareRoot()), .precise)
    qkv_proj = Pointwise(pool / "qkv_proj", channels, 3 * channels)
    c_proj = Pointwise(pool / "c_proj", channels, config.unet.outputs)
  }

  /// The classes' logits.
  /// - Parameters:
  ///   - x: noised pictures, `[B, 3, size, size]`.
  ///   - timesteps: of each, `[B]`, of a thousand.
  /// - Returns: `[B, classes]` float32
  public func callAsFunction(_ x: Tensor, timesteps: Tensor) -> Tensor {
    let dtype = qkv_proj.weight.dtype
    let told = trunk.told(timesteps).silu().to(dtype)
    let h = trunk.run(x.to(dtype).contiguous(channelsLast: true), told).0
    let (b, c) = (h.size(0), h.size(1))
    let places = out0(h, then: .silu).reshaped(b, c, -1)
    let rows = concatenated([places.mean(over: [2], keepDims: true), places], over: 2)
    let placed = (rows.to(.float32) + positional_embedding).to(dtype).transposed()
    let y = attended(
      qkv_proj(placed), heads: config.unet.heads(on: c), newOrder: true)  // [B, 1 + H W, C]
    return c_proj(y.narrowed(1, 0, 1)).select(1, 0).to(.float32)
  }

  /// The gradient, at `x`, of the logarithm of the probability that a picture is of a class.
  /// - Parameter classes: one of each picture, `[B]` int64.
  public func gradient(_ x: Tensor, timesteps: Tensor, classes: Tensor) -> Tensor {
    let leaf = x.variable()
    let logs = self(leaf, timesteps: timesteps).logSoftmax(over: -1)
    return Torch.gradient(of: logs.gather(1, classes.unsqueezed(-1)).sum(), at: [leaf])[0]
  }
}
