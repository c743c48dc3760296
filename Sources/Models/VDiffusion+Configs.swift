import Foundation
import Weights

// Where the sizes of v-diffusion's networks come from.

extension VDiffusion.Config {
  /// https://the-eye.eu/public/AI/models/v-diffusion/cc12m_1_cfg.pth, and cc12m_1.pth beside it;
  /// conditioned on embeddings of CLIP ViT-B/16.
  public static let cc12m = Self(
    size: 256, widths: [128, 256, 256, 512, 512, 1024, 1024], blocks: [4, 4, 4, 4, 4, 4, 8],
    condition: Condition())
  /// https://the-eye.eu/public/AI/models/v-diffusion/yfcc_1.pth
  public static let yfcc1 = Self(
    size: 512, widths: [128, 128, 256, 256, 512, 512, 1024, 1024],
    blocks: [4, 4, 4, 4, 4, 4, 4, 8])
  /// https://the-eye.eu/public/AI/models/v-diffusion/yfcc_2.pth
  public static let yfcc2 = Self(
    size: 512, widths: [128, 256, 512, 512, 1024, 1024, 2048, 2048],
    blocks: [2, 2, 2, 2, 2, 2, 2, 4])
  /// https://the-eye.eu/public/AI/models/v-diffusion/wikiart_256.pth
  public static let wikiart256 = Self(
    size: 256, widths: [64, 128, 256, 256, 512, 512, 1024], blocks: [4, 4, 4, 4, 4, 4, 8],
    headWidth: 128, isPort: true)
  /// https://the-eye.eu/public/AI/models/v-diffusion/wikiart_128.pth
  public static let wikiart128 = Self(
    size: 128, widths: [128, 256, 256, 512, 512, 1024], blocks: [4, 4, 4, 4, 4, 8], attention: 0,
    headWidth: 128, isPort: true, endsWithReLU: true)
  /// https://the-eye.eu/public/AI/models/v-diffusion/imagenet_128.pth
  public static let imagenet128 = Self(
    size: 128, widths: [128, 256, 256, 512, 512, 1024], blocks: [4, 4, 4, 4, 4, 8],
    headWidth: 128, isPort: true)
  /// https://the-eye.eu/public/AI/models/v-diffusion/danbooru_128.pth
  public static let danbooru128 = Self(
    size: 128, widths: [256, 512, 512, 1024, 1024, 2048], blocks: [2, 2, 2, 2, 2, 4],
    headWidth: 128, isPort: true, endsWithReLU: true)

  /// The network in a few words.
  public var title: String {
    "v-diffusion of \(size) pixels"
      + (condition.map { ", told embeddings of \($0.embedding) numbers" } ?? "")
  }

  /// Whether it has the sizes of one of v-diffusion's networks.
  public var isPublished: Bool { Self.published.contains(self) }

  private static let published = [
    cc12m, yfcc1, yfcc2, wikiart256, wikiart128, imagenet128, danbooru128,
  ]

  /// Reads the sizes from the shapes of a checkpoint. What leaves no trace there (the size of the
  /// pictures, the width of a head, whether the last block ends with a ReLU) is that of the published
  /// network of these widths; of others, pictures whose lowest level has 4 x 4 positions.
  ///
  /// - Returns: nil when these are not the shapes of such a network.
  public init?(detecting shapes: [String: [Int]]) {
    guard let first = shapes["net.0.main.0.weight"], first.count == 4,
      shapes["timestep_embed.weight"] == [VDiffusion.timePlanes / 2, 1]
    else { return nil }
    self.init(
      channels: first[1] - VDiffusion.timePlanes, size: 0, widths: [], blocks: [], attention: 0)
    isPort = !shapes.keys.contains { $0.hasSuffix(".norm.weight") }
    if let map = shapes["mapping.0.main.0.weight"], map.count == 2,
      let features = shapes["mapping_timestep_embed.weight"]?.first
    {
      condition = Condition(
        embedding: map[1] - 2 * features, width: map[0], timeFeatures: 2 * features)
    }
    var p = "net."
    while widths.count < 12 {
      // Only the level below stands in a piece of pieces, the first of which halves the picture.
      let pieces = (0..<64).map { "\(p)\($0)." }
      let below = pieces.firstIndex { shapes[$0 + "main.1.main.0.weight"] != nil }
      let own = pieces[..<(below ?? pieces.count)]
      let found = own.compactMap { shapes[$0 + "main.0.weight"]?.first }
      guard let width = found.first else { break }
      widths.append(width)
      blocks.append(found.count)
      if own.contains(where: { shapes[$0 + "qkv_proj.weight"] != nil }) { attention += 1 }
      guard let below else { break }
      p = pieces[below] + "main."
    }
    size = 4 << max(0, widths.count - 1)
    if let known = Self.published.first(where: {
      $0.widths == widths && $0.blocks == blocks && $0.isPort == isPort
        && $0.attention == attention
    }) {
      (size, headWidth, endsWithReLU) = (known.size, known.headWidth, known.endsWithReLU)
    }
    guard problem == nil else { return nil }
  }
}

extension VDiffusion.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    guard (1...1024).contains(channels), (2...12).contains(widths.count),
      widths.count == blocks.count, widths.allSatisfy({ (1...16_384).contains($0) }),
      blocks.allSatisfy({ (1...64).contains($0) }), (0...widths.count).contains(attention),
      headWidth > 0, (1...4096).contains(size), size % factor == 0,
      // The last block of a level already has the width of the level above.
      widths.suffix(attention + 1).allSatisfy({ $0 % max(1, $0 / headWidth) == 0 })
    else { return "the sizes make no network" }
    guard let condition else { return nil }
    let sizes = [condition.embedding, condition.width, condition.timeFeatures]
    guard sizes.allSatisfy({ (1...65_536).contains($0) }), condition.timeFeatures % 2 == 0
    else { return "the sizes of the condition make no network" }
    return nil
  }

  /// Pixels along each axis for the coarsest position.
  public var pixelsPerPosition: Int? { factor }
}

extension VDiffusion: Network {
  /// The files of crowsonkb/v-diffusion-pytorch.
  public static let architecture = Architecture(
    "v-diffusion", VDiffusion.self, kind: "diffusion",
    layouts: [
      .init("v-diffusion", mark: "timestep_embed.weight", needs: ["net.0.main.0.weight"])
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}
