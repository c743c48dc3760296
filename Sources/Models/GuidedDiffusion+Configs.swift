import Foundation
import Torch
import Weights

// Where the sizes of guided-diffusion's networks come from.

extension GuidedDiffusion.Config {
  /// OpenAI's 64x64_diffusion.pt.
  public static let imagenet64 = Self(
    .init(
      width: 192, widths: [192, 384, 576, 768], blocks: 3, attention: [1, 2, 3],
      newAttentionOrder: true), size: 64, classes: 1000, betas: .cosine)
  /// OpenAI's 128x128_diffusion.pt.
  public static let imagenet128 = Self(
    .init(
      width: 256, widths: [256, 256, 512, 768, 1024], attention: [2, 3, 4], headWidth: nil, heads: 4
    ), size: 128, classes: 1000)
  /// OpenAI's 256x256_diffusion.pt.
  public static let imagenet256 = Self(unconditional256.unet, size: 256, classes: 1000)
  /// OpenAI's 256x256_diffusion_uncond.pt, and the four of LSUN, lsun_bedroom.pt for instance.
  public static let unconditional256 = Self(
    .init(width: 256, widths: [256, 256, 512, 512, 1024, 1024], attention: [3, 4, 5]), size: 256)
  /// OpenAI's 512x512_diffusion.pt.
  public static let imagenet512 = Self(unconditional512.unet, size: 512, classes: 1000)
  /// Crowson's 512x512_diffusion_uncond_finetune_008100.pt.
  public static let unconditional512 = Self(
    .init(width: 256, widths: [128, 256, 256, 512, 512, 1024, 1024], attention: [4, 5, 6]),
    size: 512)
  /// OpenAI's 64_256_upsampler.pt.
  public static let upsampler256 = Self(
    .init(
      inputs: 6, width: 192, widths: [192, 192, 384, 384, 768, 768], attention: [3, 4, 5],
      headWidth: nil, heads: 4), size: 256, classes: 1000, smallSize: 64)
  /// OpenAI's 128_512_upsampler.pt.
  public static let upsampler512 = Self(
    .init(inputs: 6, width: 192, widths: [192, 192, 384, 384, 768, 768], attention: [4, 5]),
    size: 512, classes: 1000, smallSize: 128)
  /// KaliYuga's networks of pixel art, watercolour and pulp covers, pixelartdiffusion4k.pt for instance.
  public static let kaliYuga256 = Self(
    .init(
      width: 128, widths: [128, 128, 256, 256, 512, 512], attention: [4], headWidth: nil,
      scales: false, resamplesInBlocks: false), size: 256)
  /// Felipe3DArtist's portrait_generator_v001_ema_0.9999_1MM.pt.
  public static let portrait512 = Self(
    .init(
      width: 128, widths: [64, 128, 128, 256, 256, 512, 512], attention: [4, 5, 6], headWidth: nil,
      heads: 4), size: 512)

  /// The networks that people have, by the number of their parameters, which tells each from all others.
  static let published: [Int: (name: String, config: Self)] = [
    295_904_454: ("OpenAI's network for 64 pixels", imagenet64),
    421_529_606: ("OpenAI's network for 128 pixels", imagenet128),
    553_838_086: ("OpenAI's network for 256 pixels", imagenet256),
    552_814_086: ("OpenAI's networks for 256 pixels without classes", unconditional256),
    558_997_638: ("OpenAI's network for 512 pixels", imagenet512),
    557_973_638: ("Crowson's network for 512 pixels without classes", unconditional512),
    311_795_910: ("OpenAI's network that enlarges 64 pixels to 256", upsampler256),
    308_835_270: ("OpenAI's network that enlarges 128 pixels to 512", upsampler512),
    113_676_678: ("KaliYuga's networks for 256 pixels", kaliYuga256),
    139_579_462: ("the portrait generator for 512 pixels", portrait512),
  ]

  /// Whether it has the sizes of one of the networks that people have.
  public var isPublished: Bool { Self.published.values.contains { $0.config == self } }

  /// What guided-diffusion's own flags say that shapes do not.
  struct Flags: Decodable {
    var image_size: Int?
    var large_size: Int?
    var small_size: Int?
    var num_heads: Int?
    var num_head_channels: Int?
    var use_new_attention_order: Bool?
    var noise_schedule: Betas?
  }

  /// Reads the sizes from the shapes of a checkpoint, and what leaves no trace there (heads, the order of
  /// attention, the size of pictures, the noise) from the table of known networks or from flags beside it.
  /// - Returns: nil when these are not the shapes of such a network.
  static func detected(_ shapes: [String: [Int]], _ flags: Sidecars.Told<Flags>? = nil) -> (
    Self, [String]
  )? {
    guard let unet = UNet.Config(detecting: shapes), unet.inputs % 3 == 0, unet.inputs <= 6,
      // A network that reads texts too, as GLIDE's and Karlo's do.
      !shapes.keys.contains(where: { $0.hasSuffix("encoder_kv.weight") })
    else { return nil }
    let enlarges = unet.inputs == 6
    var found = Self(
      unet, size: 8 << (unet.widths.count - 1), classes: shapes["label_emb.weight"]?.first)
    if enlarges { found.smallSize = found.size / 4 }
    let count = shapes.values.reduce(0) { $0 + $1.reduce(1, *) }
    if let known = published[count], known.config.hasShapes(of: found) {
      guard flags == nil else { return told(known.config, flags) }
      return (
        known.config, ["heads of attention, size and noise are those of \(known.name), by its size"]
      )
    }
    guard flags == nil else { return told(found, flags) }
    guard found.problem == nil else { return nil }
    return (
      found,
      [
        "taken for granted are heads of attention of 64 channels in the older order, pictures of "
          + "\(found.size) pixels and linear noise; a file guided-diffusion.json beside it tells "
          + #"otherwise, for instance {"num_heads": 4, "use_new_attention_order": true, "#
          + #""image_size": 256, "noise_schedule": "cosine"}"#
      ]
    )
  }

  private static func told(_ config: Self, _ flags: Sidecars.Told<Flags>?) -> (Self, [String])? {
    guard let flags else { return nil }
    var config = config
    let value = flags.value
    if let heads = value.num_heads { (config.unet.headWidth, config.unet.heads) = (nil, heads) }
    if let width = value.num_head_channels, width > 0 { config.unet.headWidth = width }
    if let new = value.use_new_attention_order { config.unet.newAttentionOrder = new }
    config.size = value.large_size ?? value.image_size ?? config.size
    if config.smallSize != nil { config.smallSize = value.small_size ?? config.size / 4 }
    config.betas = value.noise_schedule ?? config.betas
    guard config.problem == nil else { return nil }
    return (config, ["heads of attention, size and noise by \(flags.name)"])
  }

  /// Whether two differ at most in what shapes do not tell.
  private func hasShapes(of other: Self) -> Bool {
    var same = other
    (same.size, same.smallSize, same.betas) = (size, smallSize, betas)
    (same.unet.headWidth, same.unet.heads) = (unet.headWidth, unet.heads)
    same.unet.newAttentionOrder = unet.newAttentionOrder
    return same == self && (smallSize == nil) == (other.smallSize == nil)
  }
}

extension GuidedDiffusion.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    if let problem = unet.problem { return problem }
    guard (1...4096).contains(size), size % unet.factor == 0,
      classes.map({ (1...1 << 20).contains($0) }) ?? true,
      smallSize.map({ (1...4096).contains($0) && unet.inputs % 2 == 0 }) ?? true,
      unet.outputs == channels || learnsVariance
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String {
    "guided diffusion of \(size) pixels"
      + (smallSize.map { ", which enlarges \($0)" } ?? "")
      + (classes.map { ", told one of \($0) classes" } ?? "")
  }

  /// Pixels along each axis for the coarsest position.
  public var pixelsPerPosition: Int? { unet.factor }
}

extension GuidedDiffusion: Network {
  /// The name of the file in which an owner tells what the weights do not.
  static let flags = "guided-diffusion.json"

  /// The files of openai/guided-diffusion.
  public static let architecture = Architecture(
    "guided-diffusion", GuidedDiffusion.self, kind: "diffusion",
    layouts: [
      .init(
        "guided-diffusion", mark: "time_embed.0.weight",
        needs: [
          "input_blocks.0.0.weight", "middle_block.1.qkv.weight", "out.2.weight",
          "output_blocks.0.0.in_layers.0.weight",
        ])
    ], sidecars: { _ in [flags] }
  ) { checkpoint, sidecars in
    let told = sidecars.decode(Config.Flags.self, flags).map {
      Sidecars.Told(value: $0, name: flags)
    }
    return Config.detected(checkpoint.shapes, told)
  }
}

// MARK: - Classifiers

extension GuidedClassifier.Config {
  /// OpenAI's 64x64_classifier.pt.
  public static let imagenet64 = published(
    64, [128, 256, 384, 512], blocks: 4, attention: [1, 2, 3])
  /// OpenAI's 128x128_classifier.pt.
  public static let imagenet128 = published(128, [128, 128, 256, 384, 512], attention: [2, 3, 4])
  /// OpenAI's 256x256_classifier.pt.
  public static let imagenet256 = published(
    256, [128, 128, 256, 256, 512, 512], attention: [3, 4, 5])
  /// OpenAI's 512x512_classifier.pt.
  public static let imagenet512 = published(
    512, [64, 128, 128, 256, 256, 512, 512], attention: [4, 5, 6])

  private static func published(
    _ size: Int, _ widths: [Int], blocks: Int = 2, attention: [Int]
  ) -> Self {
    Self(
      .init(outputs: 1000, width: 128, widths: widths, blocks: blocks, attention: attention),
      size: size)
  }

  /// Reads the sizes from the shapes of a checkpoint.
  /// - Returns: nil when these are not the shapes of such a network.
  public init?(detecting shapes: [String: [Int]]) {
    guard var unet = UNet.Config(detecting: shapes, isHalf: true),
      let places = shapes["out.2.positional_embedding"]?.last, places > 1,
      let classes = shapes["out.2.c_proj.weight"]?.first
    else { return nil }
    unet.outputs = classes
    let side = Int(Double(places - 1).squareRoot().rounded())
    guard side <= 4096, side * side == places - 1 else { return nil }
    self.init(unet, size: side * unet.factor)
    guard problem == nil else { return nil }
  }
}

extension GuidedClassifier.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    if let problem = unet.problem { return problem }
    guard (1...4096).contains(size), size % unet.factor == 0, unet.inputs == 3,
      // Its pool attends as the middle does.
      unet.attendsInMiddle
    else {
      return "the sizes make no classifier"
    }
    return nil
  }

  /// The network in a few words.
  public var title: String {
    "classifier of noised pictures of \(size) pixels, \(unet.outputs) classes"
  }
}

extension GuidedClassifier: Network {
  /// The files of openai/guided-diffusion.
  public static let architecture = Architecture(
    "guided-classifier", GuidedClassifier.self, kind: "classifier",
    layouts: [
      .init(
        "guided-diffusion's classifier", mark: "out.2.positional_embedding",
        needs: ["time_embed.0.weight", "input_blocks.0.0.weight", "out.2.c_proj.weight"])
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}
