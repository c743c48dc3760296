import Foundation

// Where a VQGAN's sizes come from when no pack tells them.

extension VQGAN.Config {
  /// vqgan_imagenet_f16_16384: https://heibox.uni-heidelberg.de/d/a7530b09fed84f80a887/
  public static let imagenetF16x16384 = Self()
  /// vqgan_imagenet_f16_1024: https://heibox.uni-heidelberg.de/d/8088892a516d4e3baf92/
  public static let imagenetF16x1024 = Self(n_embed: 1024)
  /// The sizes of the COCO models.
  public static let cocoF16x8192 = Self(n_embed: 8192)
  /// vqgan_gumbel_f8: https://heibox.uni-heidelberg.de/d/2e5662443a6b4307b470/
  public static let gumbelF8x8192 = Self(
    ch_mult: [1, 1, 2, 4], attn_levels: [3], n_embed: 8192, gumbel: true)

  /// Reads the sizes from the shapes of a checkpoint in taming's layout. Groups of the norms leave no
  /// trace there and are taming's 32, or as many as fit a narrower network.
  ///
  /// - Returns: nil when these are not the shapes of a VQGAN.
  public init?(detecting shapes: [String: [Int]]) {
    func size(_ key: String, _ dimension: Int, rank: Int = 4) -> Int? {
      shapes[key].flatMap { $0.count == rank ? $0[dimension] : nil }
    }
    func numbers(_ prefix: String) -> [Int] {
      Set(
        shapes.keys.filter { $0.hasPrefix(prefix) }
          .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
      ).sorted()
    }
    let gumbel = shapes["quantize.embed.weight"] != nil
    let table = gumbel ? "quantize.embed.weight" : "quantize.embedding.weight"
    guard let ch = size("encoder.conv_in.weight", 0), ch > 0,
      let inputs = size("encoder.conv_in.weight", 1), inputs % 3 == 0,
      let z = size("encoder.conv_out.weight", 0),
      let entries = size(table, 0, rank: 2), let width = size(table, 1, rank: 2)
    else { return nil }
    let levels = numbers("encoder.down.")
    let widths = levels.compactMap { size("encoder.down.\($0).block.0.conv1.weight", 0) }
    let patch = Int(Double(inputs / 3).squareRoot().rounded())
    guard levels == Array(0..<levels.count), widths.count == levels.count, !levels.isEmpty,
      widths.allSatisfy({ $0 % ch == 0 }), patch * patch * 3 == inputs
    else { return nil }
    self.init(
      ch: ch, ch_mult: widths.map { $0 / ch },
      num_res_blocks: numbers("encoder.down.0.block.").count,
      attn_levels: levels.filter { !numbers("encoder.down.\($0).attn.").isEmpty },
      norm_num_groups: [32, 16, 8, 4, 2, 1].first { ch % $0 == 0 } ?? 1, z_channels: z,
      embed_dim: width, n_embed: entries,
      levels: 1 + numbers("quantize.residual.").count, patch: patch, gumbel: gumbel)
    guard problem == nil else { return nil }
  }
}
