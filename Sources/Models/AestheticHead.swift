import Foundation
import Torch
import Weights

/// What a CLIP's embedding of a picture is worth to the eye, on a scale of about 1 to 10.
///
/// Follows the heads of LAION-AI/aesthetic-predictor, one linear layer, and of
/// christophschuhmann/improved-aesthetic-predictor, five of them with or without rectifiers between,
/// keys verbatim; and those of crowsonkb/simulacra-aesthetic-models, one linear layer as well, which take
/// the embedding times the square root of its width. A head knows the embeddings of one CLIP only: that of its file's name.
public struct AestheticHead {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Features before each layer and after the last.
    public var widths: [Int]
    /// The numbers of the layers among the file's; none when it has one layer without a number.
    public var layers: [Int]
    /// Whether the embedding, of length one, is brought to a variance of one first; nil is no.
    public var unitVariance: Bool?

    /// A configuration.
    public init(widths: [Int], layers: [Int] = [], unitVariance: Bool? = nil) {
      self.widths = widths
      self.layers = layers
      self.unitVariance = unitVariance
    }

    /// The single layer: sa_0_4_vit_l_14_linear.pth with 768, the others with 512.
    public static func linear(_ width: Int) -> Config { Config(widths: [width, 1]) }
    /// sac+logos+ava1-l14-linearMSE.pth and ava+logos-l14-linearMSE.pth
    public static let linearMSE = Config(
      widths: [768, 1024, 128, 64, 16, 1], layers: [0, 2, 4, 6, 7])
    /// ava+logos-l14-reluMSE.pth
    public static let reluMSE = Config(
      widths: [768, 1024, 128, 64, 16, 1], layers: [0, 3, 6, 9, 11])

    /// sac_public_2022_06_29_vit_l_14_linear.pth with 768, the others with 512.
    public static func simulacra(_ width: Int) -> Config {
      Config(widths: [width, 1], unitVariance: true)
    }

    /// Whether rectifiers stand between the layers. The numbers tell: with a rectifier and a dropout
    /// behind it a layer is followed by the third next.
    var hasReLU: Bool { layers.count > 1 && layers[1] - layers[0] == 3 }

    /// Length of the embedding that is scored.
    public var width: Int { widths[0] }

    /// Reads the sizes from the shapes of a checkpoint.
    /// - Returns: nil when these are not the shapes of such a head.
    public init?(detecting shapes: [String: [Int]]) {
      if let single = shapes["weight"] {
        guard single.count == 2, single[0] == 1, shapes["bias"] == [1] else { return nil }
        self.init(widths: [single[1], 1])
        return
      }
      let layers = shapes.keys.filter { $0.hasPrefix("layers.") && $0.hasSuffix(".weight") }
        .compactMap { Int($0.dropFirst(7).dropLast(7)) }.sorted()
      let matrices = layers.compactMap { shapes["layers.\($0).weight"] }
      guard !layers.isEmpty, matrices.count == layers.count,
        matrices.allSatisfy({ $0.count == 2 }), matrices.last?[0] == 1,
        shapes.keys.allSatisfy({ !$0.hasPrefix("layers.") || $0.split(separator: ".").count == 3 })
      else { return nil }
      self.init(widths: matrices.map { $0[1] } + [1], layers: layers)
    }
  }

  /// The shape of the network.
  public let config: Config
  let layers: [Linear]

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let places = config.layers.isEmpty ? [p] : config.layers.map { p / "layers" / $0 }
    layers = places.enumerated().map { index, place in
      Linear(place, config.widths[index], config.widths[index + 1])
    }
  }

  /// Scores embeddings.
  /// - Parameter embeddings: `[B, E]` of length one.
  /// - Returns: `[B]` float32
  public func callAsFunction(_ embeddings: Tensor) -> Tensor {
    var x =
      config.unitVariance == true ? embeddings * Double(config.width).squareRoot() : embeddings
    for (index, layer) in layers.enumerated() {
      x = layer(x.to(layer.weight.dtype))
      if config.hasReLU, index < layers.count - 1 { x = x.relu() }
    }
    return x.to(.float32).squeezed(-1)
  }
}

extension AestheticHead: Network {
  /// The files of all three.
  public static let architecture = Architecture(
    "aesthetic-head", AestheticHead.self, kind: "aesthetic",
    layouts: [
      .init("improved-aesthetic-predictor", mark: "layers.0.weight", needs: ["layers.0.bias"]),
      .init(
        simulacra.name, mark: simulacra.mark, needs: ["linear.bias"], rules: { _ in [simulacra] }),
      .init("aesthetic-predictor", mark: "weight", needs: ["bias"]),
    ]
  ) { checkpoint, _ in
    guard var config = Config(detecting: checkpoint.shapes) else { return nil }
    // Many networks end in a layer like this: a head is all that its file is about.
    let weights = checkpoint.file.entries.values.filter { $0.dtype.isFloat && $0.count > 1 }
    guard weights.count <= 2 * max(1, config.layers.count) + 2 else { return nil }
    if checkpoint.layout?.name == simulacra.name { config.unitVariance = true }
    return (config, ["the scale is that of the CLIP it was trained on, by its file's name"])
  }

  /// A module with one layer, where LAION's file is the layer itself.
  static let simulacra = KeyRules(
    name: "simulacra-aesthetic-models", mark: "linear.weight",
    rules: [.init("linear.weight", "weight"), .init("linear.bias", "bias")])
}

extension AestheticHead.Config: NetworkConfig {
  /// The network in a few words.
  public var title: String {
    "aesthetic score of embeddings of \(width) numbers, "
      + (layers.isEmpty ? "linear" : "\(layers.count) layers")
      + (unitVariance == true ? ", of Simulacra's ratings" : "")
  }
}
