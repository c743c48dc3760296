import Torch
import Weights

/// The small networks that stand in for a large one where a gradient is taken: Crowson's secondary models
/// of Disco Diffusion, from a noised picture to its velocity.
///
/// Follows `SecondaryDiffusionImageNet` and `SecondaryDiffusionImageNet2` of alembics/disco-diffusion at
/// 37eb39b, keys verbatim.
public struct SecondaryDiffusion {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Channels of each level, from the highest resolution down, which halves from level to level.
    public var widths: [Int]
    /// Convolutions of the lowest level; all others have two on the way down and two on the way up.
    public var lowest: Int

    /// A configuration; see the fields.
    public init(widths: [Int], lowest: Int) { (self.widths, self.lowest) = (widths, lowest) }

    /// secondary_model_imagenet.pth
    public static let first = Self(widths: [64, 128, 256, 512], lowest: 2)
    /// secondary_model_imagenet_2.pth
    public static let second = Self(widths: [64, 128, 128, 256, 256, 512], lowest: 4)

    /// Heights and widths are multiples of it.
    public var factor: Int { 1 << (widths.count - 1) }
  }

  /// Fourier features of the time that stand beside the picture's channels.
  fileprivate static let timePlanes = 16

  /// The shape of the network.
  public let config: Config
  private let timestep_embed: FourierFeatures
  private let net: [Piece]

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    timestep_embed = FourierFeatures(p / "timestep_embed", Self.timePlanes, deviation: 1)
    net = Self.level(0, p / "net", config)
  }

  private indirect enum Piece {
    case down, up
    case convolution(Conv2d, rectified: Bool)
    /// What a lower level gives, beside its input.
    case skip([Piece])
  }

  /// The pieces of a level and of all below it.
  private static func level(_ level: Int, _ p: Parameters, _ config: Config) -> [Piece] {
    let width = config.widths[level]
    let outside = level > 0 ? config.widths[level - 1] : 3
    var pieces: [Piece] = level > 0 ? [.down] : []
    func add(_ inputs: Int, _ outputs: Int) {
      let isLast = level == 0 && outputs == outside
      let place = p / pieces.count
      pieces.append(
        .convolution(Conv2d(isLast ? place : place / 0, inputs, outputs), rectified: !isLast))
    }
    add(level > 0 ? outside : 3 + Self.timePlanes, width)
    if level == config.widths.count - 1 {
      for _ in 2..<max(2, config.lowest) { add(width, width) }
    } else {
      add(width, width)
      pieces.append(.skip(Self.level(level + 1, p / pieces.count / "main", config)))
      add(2 * width, width)
    }
    add(width, outside)
    return level > 0 ? pieces + [.up] : pieces
  }

  private static func run(_ pieces: [Piece], _ x: Tensor) -> Tensor {
    pieces.reduce(x) { x, piece in
      switch piece {
      case .down: x.averagePooled(2)
      case .up: x.resampled(2 * x.size(2), 2 * x.size(3))
      case .convolution(let convolution, let isRectified):
        isRectified ? convolution(x).relu() : convolution(x)
      case .skip(let below): concatenated([run(below, x), x], over: 1)
      }
    }
  }

  /// The velocity of noised pictures, `alpha noise - sigma picture`.
  /// - Parameters:
  ///   - x: `[B, 3, H, W]`, height and width multiples of `config.factor`.
  ///   - time: of each, `[B]` in 0 (clean)…1 (noise), as v-diffusion tells it.
  /// - Returns: `[B, 3, H, W]` float32
  public func callAsFunction(_ x: Tensor, time: Tensor) -> Tensor {
    let (b, h, w) = (x.size(0), x.size(2), x.size(3))
    let planes = timestep_embed(time.to(.float32).reshaped(b, 1))
      .reshaped(b, Self.timePlanes, 1, 1).expanded([b, Self.timePlanes, h, w])
    let input = concatenated([x.to(.float32), planes], over: 1)
    return Self.run(net, input.to(computeType).contiguous(channelsLast: true)).to(.float32)
  }

  private var computeType: DType {
    for case .convolution(let convolution, _) in net { return convolution.weight.dtype }
    return .float32
  }
}

extension SecondaryDiffusion.Config: NetworkConfig {
  /// Reads the sizes from the shapes of a checkpoint.
  /// - Returns: nil when these are not the shapes of such a network.
  init?(detecting shapes: [String: [Int]]) {
    guard shapes["timestep_embed.weight"] == [SecondaryDiffusion.timePlanes / 2, 1] else {
      return nil
    }
    var (widths, p, lowest) = ([Int](), "net.", 0)
    while widths.count < 12 {
      // Below the first level, what halves the picture comes first.
      let first = widths.isEmpty ? 0 : 1
      guard let width = shapes["\(p)\(first).0.weight"]?.first else { break }
      widths.append(width)
      lowest = (first..<first + 16).prefix { shapes["\(p)\($0).0.weight"] != nil }.count
      p += "\(first + 2).main."
    }
    self.init(widths: widths, lowest: lowest)
    guard problem == nil else { return nil }
  }

  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    guard (2...12).contains(widths.count), widths.allSatisfy({ (1...16_384).contains($0) }),
      (2...16).contains(lowest)
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String {
    "secondary diffusion model of Disco Diffusion"
      + (self == .first ? ", the first" : self == .second ? ", the second" : "")
  }
}

extension SecondaryDiffusion: Network {
  /// The files of Disco Diffusion.
  public static let architecture = Architecture(
    "secondary-diffusion", SecondaryDiffusion.self, kind: "secondary",
    layouts: [
      .init(
        "Disco Diffusion's secondary model", mark: "timestep_embed.weight",
        needs: ["net.0.0.weight", "net.2.main.1.0.weight"])
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}
