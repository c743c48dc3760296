import Foundation
import Weights

// Where BigGAN-deep's sizes come from.

extension BigGAN.Config {
  private static let first: [Layer] = [
    .init(false, 16, 16), .init(true, 16, 16), .init(false, 16, 16), .init(true, 16, 8),
    .init(false, 8, 8),
  ]
  private static let middle: [Layer] = [.init(true, 8, 8), .init(false, 8, 8)]
  private static let last: [Layer] = [
    .init(true, 8, 4), .init(false, 4, 4), .init(true, 4, 2), .init(false, 2, 2),
    .init(true, 2, 1),
  ]

  /// https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-128-config.json
  public static let deep128 = Self(layers: first + last)
  /// https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-256-config.json
  public static let deep256 = Self(layers: first + middle + last)
  /// https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-512-config.json
  public static let deep512 = Self(
    layers: first + middle + last + [.init(false, 1, 1), .init(true, 1, 1)])

  /// Reads the sizes from the shapes of a checkpoint. Which blocks double the picture leaves no trace
  /// there: as in all published networks it is every other one.
  ///
  /// - Returns: nil when these are not the shapes of a BigGAN-deep.
  public init?(detecting shapes: [String: [Int]]) {
    guard let embeddings = shapes["embeddings.weight"], embeddings.count == 2,
      let statistics = shapes["generator.bn.running_means"], statistics.count == 2,
      statistics[1] > 0
    else { return nil }
    let width = statistics[1]
    var layers: [Layer] = []
    var attention: Int?
    for index in 0... {
      let p = "generator.layers.\(index)."
      if shapes[p + "gamma"] != nil, attention == nil {
        attention = layers.count
        continue
      }
      guard let before = shapes[p + "conv_0.weight_orig"], before.count == 4,
        let after = shapes[p + "conv_3.weight_orig"], after.count == 4
      else { break }
      layers.append(
        .init(!layers.count.isMultiple(of: 2), before[1] / width, after[0] / width))
    }
    self.init(
      z_dim: embeddings[0], channel_width: width, num_classes: embeddings[1], layers: layers,
      attention_layer_position: attention ?? layers.count, n_stats: statistics[0])
    guard problem == nil else { return nil }
  }

  /// The names that the configuration beside a file may have: as published, and as the package wants
  /// it.
  public static func names(for file: URL) -> [String] {
    let name = file.lastPathComponent
    let published = name.replacing("pytorch_model.bin", with: "config.json")
    return (published == name ? [] : [published]) + ["config.json"]
  }
}

extension BigGAN.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    let sizes = [z_dim, channel_width, num_classes, n_stats]
    var width = 16
    for layer in layers {
      // Where channels are dropped, the upper half of them is.
      guard layer.inputs == width, (1...16).contains(layer.outputs),
        layer.outputs == width || 2 * layer.outputs == width
      else { return "the layers do not follow each other" }
      width = layer.outputs
    }
    guard sizes.allSatisfy({ (1...65_536).contains($0) }), n_stats > 1, channel_width >= 3,
      channel_width % 4 == 0, (1...64).contains(layers.count), width == 1,
      layers.count(where: \.upsample) <= 10,
      (0...layers.count).contains(attention_layer_position), attentionWidth % 8 == 0,
      eps > 0, eps < 1
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "BigGAN-deep \(size), \(num_classes) classes" }
}

extension BigGAN: Network {
  /// The files of pytorch-pretrained-BigGAN.
  public static let architecture = Architecture(
    "biggan", BigGAN.self, kind: "biggan",
    layouts: [
      .init(
        "pytorch-pretrained-BigGAN", mark: "generator.gen_z.weight_orig",
        needs: ["embeddings.weight"])
    ], sidecars: { Config.names(for: $0) }
  ) { checkpoint, sidecars in
    guard let config = Config(detecting: checkpoint.shapes) else { return nil }
    for name in Config.names(for: checkpoint.file.url) {
      guard let told = sidecars.decode(Config.self, name), told.problem == nil else { continue }
      return (told, ["sizes by \(name)"])
    }
    return (config, ["every other block doubles the picture; no config.json says so"])
  }
}
