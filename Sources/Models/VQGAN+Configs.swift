import Foundation
import Yams

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

extension VQGAN.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    let sizes = [ch, z_channels, embed_dim, n_embed]
    guard
      sizes.allSatisfy({ (1...65_536).contains($0) }), (1...8).contains(ch_mult.count),
      ch_mult.allSatisfy({ (1...64).contains($0) }),
      (1...256).contains(norm_num_groups),
      ch_mult.allSatisfy({ $0 * ch % norm_num_groups == 0 }),
      ch % norm_num_groups == 0,
      (0...16).contains(num_res_blocks), (1...8).contains(levels),
      (1...64).contains(patch), factor <= 256, !gumbel || levels == 1
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String {
    "VQGAN f\(factor), \(n_embed) codes" + (gumbel ? ", Gumbel" : "")
      + (levels > 1 ? ", \(levels) levels" : "")
  }

  /// Pixels for a code along each axis.
  public var pixelsPerPosition: Int? { factor }
}

// MARK: - taming's yaml

extension Sidecars {
  /// The sizes that taming's yaml beside a file tells: of the same name, `model.yaml`, or
  /// `../configs/…-project.yaml`, as its trainings leave them.
  func taming(for file: URL) -> Told<VQGAN.Config>? {
    let stem = file.deletingPathExtension().lastPathComponent
    var candidates = ["\(stem).yaml", "\(stem).yml", "model.yaml", "config.yaml"].map {
      folder.appending(path: $0)
    }
    let configs = folder.deletingLastPathComponent().appending(path: "configs")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: configs.path)) ?? []
    candidates += names.filter { $0.hasSuffix("-project.yaml") }.sorted().reversed()
      .map { configs.appending(path: $0) }
    for url in candidates {
      guard let data = Self.read(url), let text = String(data: data, encoding: .utf8),
        let config = VQGAN.Config(taming: text)
      else { continue }
      return Told(value: config, name: url.lastPathComponent)
    }
    return nil
  }
}

extension VQGAN.Config {
  private struct Taming: Decodable {
    struct Model: Decodable {
      var target: String
      var params: Parameters
    }
    struct Parameters: Decodable {
      var embed_dim: Int?
      var n_embed: Int?
      var ddconfig: Networks?
      var first_stage_config: FirstStage?
    }
    struct FirstStage: Decodable {
      var target: String
      var params: Inner
    }
    struct Inner: Decodable {
      var embed_dim: Int
      var n_embed: Int
      var ddconfig: Networks
    }
    struct Networks: Decodable {
      var z_channels: Int
      var resolution: Int
      var ch: Int
      var ch_mult: [Int]
      var num_res_blocks: Int
      var attn_resolutions: [Int]
    }
    var model: Model
  }

  /// The VQGAN of taming's yaml, which may be the first stage of a transformer's; nil when the text is no
  /// such yaml.
  init?(taming text: String) {
    guard let model = try? YAMLDecoder().decode(Taming.self, from: text).model else { return nil }
    let inner: (target: String, embed: Int, entries: Int, networks: Taming.Networks)
    if let stage = model.params.first_stage_config {
      inner = (
        stage.target, stage.params.embed_dim, stage.params.n_embed, stage.params.ddconfig
      )
    } else if let embed = model.params.embed_dim, let entries = model.params.n_embed,
      let networks = model.params.ddconfig
    {
      inner = (model.target, embed, entries, networks)
    } else {
      return nil
    }
    let networks = inner.networks
    // Attention is given by resolutions of the training picture, and belongs to levels.
    let levels = networks.ch_mult.indices.filter {
      networks.attn_resolutions.contains(networks.resolution >> $0)
    }
    self.init(
      ch: networks.ch, ch_mult: networks.ch_mult, num_res_blocks: networks.num_res_blocks,
      attn_levels: levels, z_channels: networks.z_channels, embed_dim: inner.embed,
      n_embed: inner.entries, gumbel: inner.target.hasSuffix("GumbelVQ"))
  }
}
