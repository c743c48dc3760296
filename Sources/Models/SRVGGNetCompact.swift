import Foundation
import Torch
import Weights

/// The compact network of Real-ESRGAN (Wang et al. 2021): small pictures to large ones, a tenth of the work
/// of an `RRDBNet`.
///
/// Follows `realesrgan/archs/srvgg_arch.py` of xinntao/Real-ESRGAN 0.3.0, keys verbatim: a chain of
/// convolutions, each but the last with a rectifier of learned slopes, whose result is added to the picture
/// enlarged without smoothing.
public struct SRVGGNetCompact {
  /// The shape of the network; names as in the reference.
  public struct Config: Codable, Sendable, Hashable {
    /// How many times larger the picture becomes.
    public var upscale: Int
    /// Channels between convolutions.
    public var num_feat: Int
    /// Convolutions between the first and the last.
    public var num_conv: Int

    /// A configuration; what is left out is that of realesr-animevideov3.
    public init(upscale: Int = 4, num_feat: Int = 64, num_conv: Int = 16) {
      self.upscale = upscale
      self.num_feat = num_feat
      self.num_conv = num_conv
    }

    /// https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.5.0/realesr-animevideov3.pth
    public static let animeVideo = Config()
    /// https://github.com/xinntao/Real-ESRGAN/releases/download/v0.2.5.0/realesr-general-x4v3.pth
    public static let general = Config(num_conv: 32)

    /// Reads the sizes from the shapes of a checkpoint.
    /// - Returns: nil when these are not the shapes of such a network.
    public init?(detecting shapes: [String: [Int]]) {
      let numbers = shapes.keys.filter { $0.hasPrefix("body.") && $0.hasSuffix(".weight") }
        .compactMap { Int($0.dropFirst(5).dropLast(7)) }
      guard let last = numbers.max(), last >= 4, last % 2 == 0, last < 1024,
        let first = shapes["body.0.weight"], first.count == 4, first[1...] == [3, 3, 3],
        (1...4096).contains(first[0]), shapes["body.1.weight"] == [first[0]],
        let end = shapes["body.\(last).weight"], end.count == 4,
        let upscale = (1...8).first(where: { 3 * $0 * $0 == end[0] })
      else { return nil }
      self.init(upscale: upscale, num_feat: first[0], num_conv: (last - 2) / 2)
    }
  }

  /// The shape of the network.
  public let config: Config
  let convolutions: [Conv2d]
  let slopes: [Tensor]

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let (width, count) = (config.num_feat, config.num_conv)
    let (body, end) = (p / "body", 3 * config.upscale * config.upscale)
    convolutions = (0...count + 1).map { index in
      Conv2d(body / (2 * index), index == 0 ? 3 : width, index <= count ? width : end)
    }
    slopes = (0...count).map { (body / (2 * $0 + 1))("weight", [width], .constant(0.25)) }
  }

  /// Enlarges pictures.
  /// - Parameter pictures: `[B, 3, H, W]` in 0…1
  /// - Returns: `[B, 3, scale H, scale W]`, 0…1 or a little outside, float32
  public func callAsFunction(_ pictures: Tensor) -> Tensor {
    var x = pictures.to(convolutions[0].weight.dtype).contiguous(channelsLast: true)
    for (convolution, slope) in zip(convolutions, slopes) {
      x = convolution(x)
      x = x.relu() + slope.reshaped(1, -1, 1, 1) * x.clamped(-.infinity, 0)
    }
    x = convolutions[convolutions.count - 1](x)  // [B, 3 scale², H, W]
    let plain = pictures.to(.float32).resampled(
      pictures.size(2) * scale, pictures.size(3) * scale, .nearest)
    return x.to(.float32).pixelShuffled(scale) + plain
  }
}

extension SRVGGNetCompact: SuperResolution {
  /// How many times larger pictures become.
  public var scale: Int { config.upscale }
  /// Any size will do.
  public var folding: Int { 1 }

  /// Real-ESRGAN's files and those for ncnn.
  public static let architecture = Architecture(
    "srvgg-compact", SRVGGNetCompact.self, kind: "upscaler",
    layouts: [
      .init(
        "Real-ESRGAN compact", mark: "body.0.weight", needs: ["body.1.weight", "body.2.weight"]),
      .init(
        ncnn.name, mark: ncnn.mark, needs: ["PReLU.1.weight", "Convolution.2.weight"],
        rules: { _ in [ncnn] }),
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }

  /// ncnn's layers with weights, which follow each other as here.
  static let ncnn = KeyRules(
    name: "ncnn", mark: "Convolution.0.weight",
    rules: [.init("Convolution.*.*", "body.*.*"), .init("PReLU.*.*", "body.*.*")])
}

extension SRVGGNetCompact.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    guard (1...8).contains(upscale), (1...4096).contains(num_feat), (1...510).contains(num_conv)
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "SRVGGNetCompact x\(upscale), \(num_conv) convolutions" }
}

/// Parameters between those of two sources of the same network, as Real-ESRGAN's `dni` mixes a network that
/// removes noise with one that keeps it (Wang et al., "Deep Network Interpolation", 2019).
public final class Interpolation: ParameterSource {
  private let first: Parameters
  private let second: Parameters
  private let share: Double

  /// - Parameter share: of the first, 0 to 1.
  public init(_ first: Parameters, _ second: Parameters, share: Double) {
    (self.first, self.second, self.share) = (first, second, share)
  }

  /// See `ParameterSource`.
  public func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor
  {
    first(path, shape, initial, role) * share + second(path, shape, initial, role) * (1 - share)
  }
}
