import Foundation

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
