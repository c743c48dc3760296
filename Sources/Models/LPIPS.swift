import Torch
import Weights

/// How unlike pictures are to the eye: channels of VGG-16's activations, weighed by what people judged
/// (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", 2018).
///
/// Follows `lpips/lpips.py` of richzhang/PerceptualSimilarity 0.1 with `net='vgg'`, keys verbatim: its own
/// files hold the weights of the channels alone, and the trunk is torchvision's VGG-16.
public struct LPIPS {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Channels of the activations that are compared.
    public var widths: [Int]

    /// A configuration; what is left out is that of VGG-16.
    public init(widths: [Int] = [64, 128, 256, 512, 512]) { self.widths = widths }
  }

  /// The shape of the network.
  public let config: Config
  private let lin: [Tensor]

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config = .init()) {
    self.config = config
    lin = config.widths.enumerated().map { index, width in
      (p / "lin\(index)" / "model" / 1)("weight", [1, width, 1, 1], .ones, .precise)
    }
  }

  /// Behind the last rectifiers of VGG-16's five stages, counted as in torchvision.
  private static let layers = [3, 8, 15, 22, 29]

  /// What is compared of pictures: activations of length one at each position.
  /// - Parameters:
  ///   - pictures: `[B, 3, H, W]` in 0…1 or a little outside, of 16 pixels a side at least.
  ///   - trunk: the network's activations, `[B, C, h, w]`, behind these layers.
  /// - Returns: of each stage, `[B, C, h, w]` float32
  public func features(_ pictures: Tensor, _ trunk: (Tensor, [Int]) -> [Tensor]) -> [Tensor] {
    // VGG-16's own statistics are LPIPS's shift and scale, which are of -1…1.
    trunk(pictures, Self.layers).map { $0 / ($0.norm(over: 1, keepDims: true) + 1e-10) }
  }

  /// The distance of pictures by what is compared of them.
  /// - Returns: `[B]`
  public func callAsFunction(_ first: [Tensor], _ second: [Tensor]) -> Tensor {
    let parts = zip(zip(first, second), lin).map { pair, weight in
      ((pair.0 - pair.1).square() * weight).sum(over: [1]).mean(over: [1, 2])
    }
    return parts.dropFirst().reduce(parts[0], +)
  }
}

extension LPIPS: Network {
  /// The files of richzhang/PerceptualSimilarity that are for VGG-16; those for other trunks are none of ours.
  public static let architecture = Architecture(
    "lpips", LPIPS.self, kind: "lpips",
    layouts: [
      .init("LPIPS", mark: "lin0.model.1.weight", needs: ["lin4.model.1.weight"])
    ]
  ) { checkpoint, _ in
    let shapes = (0..<6).compactMap { checkpoint.shape("lin\($0).model.1.weight") }
    let widths = shapes.compactMap { $0.count == 4 && $0[0] == 1 ? $0[1] : nil }
    // AlexNet's widths fall at the end, and SqueezeNet has seven.
    return widths.count == 5 && widths == widths.sorted() ? (Config(widths: widths), []) : nil
  }
}

extension LPIPS.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    widths.count == 5 && widths.allSatisfy { (1...65_536).contains($0) }
      ? nil : "the sizes make no network"
  }

  /// The network in a few words.
  public var title: String { "LPIPS for VGG-16" }
}
