import Torch
import Weights

/// The half of a `VQGAN` that turns codes into pictures, as kuprel/min-dalle ships it (`detoker.pt`,
/// min_dalle/models/vqgan_detokenizer.py at 73621fb).
///
/// Keys are that file's. Its norms add 1e-5 to the variance where taming's, which were trained, add 1e-6;
/// here it is 1e-6.
public struct VQGANDetokenizer: Network {
  /// The shape of the whole network.
  public let config: VQGAN.Config
  private let embedding: Embedding
  private let post_quant_conv: Conv2d
  private let decoder: VQGANDecoder

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: VQGAN.Config) {
    self.config = config
    embedding = Embedding(p / "embedding", config.n_embed, config.embed_dim)
    post_quant_conv = Conv2d(p / "post_quant_conv", config.embed_dim, config.z_channels, kernel: 1)
    decoder = VQGANDecoder(p / "decoder", config)
  }

  /// The pictures of codes.
  /// - Parameter codes: `[B, h, w]` int64.
  /// - Returns: `[B, 3, h * factor, w * factor]`, about 0…1, float32.
  public func callAsFunction(_ codes: Tensor) -> Tensor {
    let z = embedding(codes).permuted(0, 3, 1, 2)  // [B, embed_dim, h, w]
    return decoder(post_quant_conv(z)).to(.float32)
  }

  /// min-dalle's file.
  public static let architecture = Architecture(
    "vqgan-detokenizer", VQGANDetokenizer.self, kind: "detokenizer",
    layouts: [
      .init(
        "min-dalle", mark: "embedding.weight",
        needs: ["post_quant_conv.weight", "decoder.conv_in.weight"])
    ]
  ) { checkpoint, _ in
    VQGAN.Config(detectingDecoder: checkpoint.shapes).map { ($0, ["sizes by the shapes"]) }
  }
}

extension VQGAN.Config {
  /// Reads the sizes from the shapes of a decoder with its codebook.
  init?(detectingDecoder shapes: [String: [Int]]) {
    func size(_ key: String, _ dimension: Int, rank: Int = 4) -> Int? {
      shapes[key].flatMap { $0.count == rank ? $0[dimension] : nil }
    }
    func count(_ prefix: String) -> Int {
      Set(
        shapes.keys.filter { $0.hasPrefix(prefix) }.map {
          $0.dropFirst(prefix.count).prefix { $0 != "." }
        }
      ).count
    }
    guard let entries = size("embedding.weight", 0, rank: 2),
      let width = size("embedding.weight", 1, rank: 2),
      let z = size("decoder.conv_in.weight", 1), let ch = size("decoder.conv_out.weight", 1), ch > 0
    else { return nil }
    let levels = 0..<count("decoder.up.")
    let widths = levels.compactMap { size("decoder.up.\($0).block.0.conv2.weight", 0) }
    guard widths.count == levels.count, !widths.isEmpty, widths.allSatisfy({ $0 % ch == 0 }) else {
      return nil
    }
    self.init(
      ch: ch, ch_mult: widths.map { $0 / ch }, num_res_blocks: count("decoder.up.0.block.") - 1,
      attn_levels: levels.filter { count("decoder.up.\($0).attn.") > 0 },
      norm_num_groups: [32, 16, 8, 4, 2, 1].first { ch % $0 == 0 } ?? 1, z_channels: z,
      embed_dim: width, n_embed: entries, unitRange: true)
    guard problem == nil else { return nil }
  }
}
