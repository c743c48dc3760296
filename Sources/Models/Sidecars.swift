import Foundation
import Yams

/// The configurations that lie beside a file of weights: transformers' `config.json`, open_clip's
/// `open_clip_config.json`, taming's yaml. None is needed; what they say and shapes do not is used.
struct Sidecars: Sendable {
  /// Something that a file said.
  struct Told<Value: Sendable>: Sendable {
    let value: Value
    /// The file's name.
    let name: String
  }

  /// Whether CLIP's activation is QuickGELU.
  let quickGELU: Told<Bool>?
  /// Mean and deviation by which CLIP's pictures are normalised.
  let preprocessing: Told<CLIP.Config.Preprocessing>?

  /// Heads of CLIP's towers, which leave no trace in the shapes.
  let visionHeads: Int?
  /// Heads of CLIP's text tower.
  let textHeads: Int?

  private let folder: URL

  private static let longest = 4 << 20

  init(in folder: URL) {
    self.folder = folder
    var quickGELU: Told<Bool>?
    var preprocessing: Told<CLIP.Config.Preprocessing>?
    let transformers = Self.read(folder.appending(path: "config.json"))
      .flatMap { try? JSONDecoder().decode(Transformers.self, from: $0) }
    if let config = transformers {
      let activation = config.vision_config?.hidden_act ?? config.hidden_act
      // transformers leaves its defaults out, and quick_gelu is CLIPConfig's.
      if activation != nil || config.model_type == "clip" {
        quickGELU = Told(value: activation ?? "quick_gelu" == "quick_gelu", name: "config.json")
      }
    }
    visionHeads = transformers?.vision_config?.num_attention_heads
    textHeads = transformers?.text_config?.num_attention_heads
    if let data = Self.read(folder.appending(path: "preprocessor_config.json")),
      let config = try? JSONDecoder().decode(Preprocessor.self, from: data),
      config.image_mean.count == 3, config.image_std.count == 3
    {
      preprocessing = Told(
        value: .init(mean: config.image_mean, std: config.image_std),
        name: "preprocessor_config.json")
    }
    if let data = Self.read(folder.appending(path: "open_clip_config.json")),
      let config = try? JSONDecoder().decode(OpenCLIP.self, from: data)
    {
      quickGELU = Told(value: config.model_cfg.quick_gelu ?? false, name: "open_clip_config.json")
      if let told = config.preprocess_cfg, told.mean.count == 3, told.std.count == 3 {
        preprocessing = Told(value: told, name: "open_clip_config.json")
      }
    }
    self.quickGELU = quickGELU
    self.preprocessing = preprocessing
  }

  private struct Transformers: Decodable {
    struct Tower: Decodable {
      var hidden_act: String?
      var num_attention_heads: Int?
    }
    var vision_config: Tower?
    var text_config: Tower?
    var hidden_act: String?
    var model_type: String?
  }
  private struct Preprocessor: Decodable {
    var image_mean: [Float]
    var image_std: [Float]
  }
  private struct OpenCLIP: Decodable {
    struct Model: Decodable { var quick_gelu: Bool? }
    var model_cfg: Model
    var preprocess_cfg: CLIP.Config.Preprocessing?
  }

  private static func read(_ url: URL) -> Data? {
    guard
      let size = try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int,
      size <= longest
    else { return nil }
    return try? Data(contentsOf: url)
  }

  // MARK: BigGAN

  /// The sizes that the configuration beside a file tells.
  func bigGAN(for file: URL) -> Told<BigGAN.Config>? {
    for name in BigGAN.Config.names(for: file) {
      guard let data = Self.read(folder.appending(path: name)),
        let config = try? JSONDecoder().decode(BigGAN.Config.self, from: data),
        config.problem == nil
      else { continue }
      return Told(value: config, name: name)
    }
    return nil
  }

  // MARK: taming

  /// The sizes that taming's yaml beside a file tells: of the same name, `model.yaml`, or
  /// `../configs/…-project.yaml`, as its trainings leave them.
  func vqgan(for file: URL) -> (config: VQGAN.Config, name: String)? {
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
        let config = Self.taming(text)
      else { continue }
      return (config, url.lastPathComponent)
    }
    return nil
  }

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

  /// The VQGAN of taming's yaml, which may be the first stage of a transformer's.
  static func taming(_ text: String) -> VQGAN.Config? {
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
    return VQGAN.Config(
      ch: networks.ch, ch_mult: networks.ch_mult, num_res_blocks: networks.num_res_blocks,
      attn_levels: levels, z_channels: networks.z_channels, embed_dim: inner.embed,
      n_embed: inner.entries, gumbel: inner.target.hasSuffix("GumbelVQ"))
  }
}
