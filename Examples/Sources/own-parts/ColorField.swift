import Models
import Painting
import Torch
import Weights

/// A network of one's own: from a text's embedding to a small field of colours.
struct ColorField: Network {
  struct Config: NetworkConfig {
    var embedding: Int
    var side: Int

    var title: String { "colour field of \(side) x \(side)" }
    var problem: String? {
      (1...65_536).contains(embedding) && (1...64).contains(side)
        ? nil : "the sizes make no network"
    }
  }

  let config: Config
  private let fc: Linear

  init(_ p: Parameters, _ config: Config) {
    self.config = config
    fc = Linear(p / "fc", config.embedding, 3 * config.side * config.side)
  }

  /// `[B, E]` to `[B, 3, S, S]` in 0…1.
  func callAsFunction(_ embeddings: Tensor) -> Tensor {
    fc(embeddings.normalized()).reshaped(-1, 3, config.side, config.side).sigmoid()
  }

  /// Its files, ours and those of a trainer that calls the layer `module.to_colors` and keeps matrices
  /// transposed.
  static let architecture = Architecture(
    "color-field", ColorField.self, kind: "color-field",
    layouts: [
      .init("color field", mark: "fc.weight", needs: ["fc.bias"]),
      .init("colours of a trainer", mark: "module.to_colors.kernel") { _ in [trainer] },
    ]
  ) { checkpoint, _ in
    guard let shape = checkpoint.shape("fc.weight"), shape.count == 2, shape[0] % 3 == 0 else {
      return nil
    }
    let side = Int(Double(shape[0] / 3).squareRoot().rounded())
    let config = Config(embedding: shape[1], side: side)
    return 3 * side * side == shape[0] && config.problem == nil ? (config, []) : nil
  }

  private static let trainer = KeyRules(
    name: "colours of a trainer", mark: "module.to_colors.kernel",
    rules: [
      .init("module.to_colors.kernel", "fc.weight", .transpose),
      .init("module.to_colors.bias", "fc.bias"),
    ])
}
