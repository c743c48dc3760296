import Foundation
import Torch
import Weights

/// The convolutions of VGG-16 (Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale
/// Image Recognition", 2015), whose activations are compared where pictures shall be alike in style or
/// to the eye.
///
/// Follows `torchvision/models/vgg.py` of pytorch/vision at v0.28.0, keys verbatim. Difference: no
/// classifier. Wants float32 where gradients of small differences matter.
public struct VGG16 {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Channels of the five stages.
    public var widths: [Int]

    /// A configuration; what is left out is that of the published file.
    public init(widths: [Int] = [64, 128, 256, 512, 512]) { self.widths = widths }

    /// https://download.pytorch.org/models/vgg16-397923af.pth
    public static let published = Config()

    /// Reads the sizes from the shapes of a checkpoint.
    /// - Returns: nil when these are not the shapes of a VGG-16.
    public init?(detecting shapes: [String: [Int]]) {
      let kernels = [0, 5, 10, 17, 24].compactMap { shapes["features.\($0).weight"] }
      guard kernels.count == 5,
        kernels.allSatisfy({ $0.count == 4 && (1...65_536).contains($0[0]) })
      else { return nil }
      self.init(widths: kernels.map { $0[0] })
    }
  }

  private enum Layer {
    case convolution(Conv2d)
    case relu, pool
  }

  /// The shape of the network.
  public let config: Config
  private let features: [Layer]

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config = .published) {
    self.config = config
    var features: [Layer] = []
    var inputs = 3
    for (width, count) in zip(config.widths, [2, 2, 3, 3, 3]) {
      for _ in 0..<count {
        let layer = Conv2d(p / "features" / features.count, inputs, width)
        features += [.convolution(layer), .relu]
        inputs = width
      }
      features.append(.pool)
    }
    self.features = features
  }

  /// The activations behind these layers of `features`, counted as in torchvision: behind the
  /// rectifiers 1, 3 | 6, 8 | 11, 13, 15 | 18, 20, 22 | 25, 27, 29 of the five stages for instance.
  /// - Parameters:
  ///   - pictures: `[B, 3, H, W]` in 0…1; each stage halves height and width, which must leave
  ///     something.
  ///   - layers: 0 to 30.
  /// - Returns: for each layer asked for, in that order, `[B, C, h, w]` float32
  public func callAsFunction(_ pictures: Tensor, layers: [Int]) -> [Tensor] {
    guard let deepest = layers.max() else { return [] }
    precondition(features.indices.contains(deepest), "VGG-16 has no layer \(deepest)")
    var x = Self.normalised(pictures)
    var found: [Int: Tensor] = [:]
    for (index, layer) in features[...deepest].enumerated() {
      switch layer {
      case .convolution(let convolution):
        x = convolution(x.to(convolution.weight.dtype).contiguous(channelsLast: true))
      case .relu: x = x.relu()
      case .pool: x = x.maxPooled(2)
      }
      if layers.contains(index) { found[index] = x.to(.float32) }
    }
    return layers.compactMap { found[$0] }
  }

  /// Keys of torchvision's file that features do not need.
  public static let leftovers = ["classifier."]

  /// By the statistics of ImageNet with which the network was trained.
  private static func normalised(_ x: Tensor) -> Tensor {
    let mean = Tensor([0.485, 0.456, 0.406] as [Float], [1, 3, 1, 1]).to(x.device)
    let deviation = Tensor([0.229, 0.224, 0.225] as [Float], [1, 3, 1, 1]).to(x.device)
    return (x - mean) / deviation
  }
}

extension VGG16: Network {
  /// torchvision's files.
  public static let architecture = Architecture(
    "vgg16", VGG16.self, kind: "vgg",
    layouts: [
      .init(
        "torchvision VGG", mark: "features.24.weight",
        needs: ["features.0.weight", "features.2.weight", "features.17.weight"])
    ], leftovers: { _ in leftovers }
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}

extension VGG16.Config: NetworkConfig {
  /// The network in a few words.
  public var title: String { "VGG-16" }
}
