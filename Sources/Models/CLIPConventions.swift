import Foundation
import Weights

/// What neither keys nor shapes of a CLIP tell: its activation and the statistics of its pictures.
///
/// OpenAI's models and a few of LAION's first use QuickGELU, the others the exact GELU; the tag of a
/// release decides (open_clip `pretrained.py`). With the wrong one a model still works, only worse, and
/// so the reason for the choice is always given.
enum CLIPConventions {
  /// Fills in activation and statistics.
  /// - Returns: each choice with its reason.
  static func complete(
    _ config: inout CLIP.Config, _ checkpoint: Checkpoint, _ sidecars: Sidecars
  ) -> [String] {
    let sidecars = Said(sidecars)
    let file = checkpoint.file
    let name = file.url.lastPathComponent.lowercased()
    let (quick, why) = activation(config, checkpoint, name, sidecars)
    config.quickGELU = quick
    var notes = ["\(quick ? "QuickGELU" : "GELU"), \(why)"]
    if let heads = sidecars.visionHeads, heads > 0, config.vision.width % heads == 0 {
      config.vision.headWidth = config.vision.width / heads
    }
    if let heads = sidecars.textHeads, heads > 0, config.text.width % heads == 0 {
      config.text.heads = heads
    }
    if let told = sidecars.preprocessing {
      config.preprocessing = told.value
      notes.append("pictures normalised by \(told.name)")
    } else if config.vision.tower == .slip {
      notes.append("pictures normalised by ImageNet's statistics, as all of SLIP's")
    } else if name.contains("laion2b") && config.publishedName == "ViT-L/14" {
      config.preprocessing = .symmetric
      notes.append("pictures normalised to -1…1, as laion2b_s32b_b82k alone")
    }
    return notes
  }

  private static func activation(
    _ config: CLIP.Config, _ checkpoint: Checkpoint, _ name: String, _ sidecars: Said
  ) -> (quick: Bool, why: String) {
    if let told = sidecars.quickGELU { return (told.value, "by \(told.name)") }
    if checkpoint.file.container == .torchScript { return (true, "as in OpenAI's archives") }
    if config.vision.tower == .slip { return (true, "as in SLIP's text tower") }
    if config.vision.tower == .resNet { return (true, "as in every published residual network") }
    if name.contains("quickgelu") { return (true, "by the file's name") }
    if name.contains("laion400m") && config.publishedName == "ViT-B/32" {
      return (true, "as LAION's ViT-B/32 of 400 million pictures alone")
    }
    if name.contains("laion") || name.contains("datacomp") { return (false, "as LAION's models") }
    let published = CLIP.Config.published.first { $0.name == config.publishedName }
    if let published, !published.config.quickGELU {
      return (false, "as the only published \(published.name)")
    }
    return (true, "as OpenAI's; say otherwise with --activation gelu")
  }
}

extension CLIPConventions {
  /// What transformers' and open_clip's configurations beside a file say.
  struct Said {
    /// Whether the activation is QuickGELU.
    let quickGELU: Sidecars.Told<Bool>?
    /// Mean and deviation by which pictures are normalised.
    let preprocessing: Sidecars.Told<CLIP.Config.Preprocessing>?
    /// Heads of the towers, which leave no trace in the shapes.
    let visionHeads: Int?, textHeads: Int?

    init(_ sidecars: Sidecars) {
      var quickGELU: Sidecars.Told<Bool>?
      var preprocessing: Sidecars.Told<CLIP.Config.Preprocessing>?
      let transformers = sidecars.decode(Transformers.self, "config.json")
      if let config = transformers {
        let activation = config.vision_config?.hidden_act ?? config.hidden_act
        // transformers leaves its defaults out, and quick_gelu is CLIPConfig's.
        if activation != nil || config.model_type == "clip" {
          quickGELU = .init(value: activation ?? "quick_gelu" == "quick_gelu", name: "config.json")
        }
      }
      visionHeads = transformers?.vision_config?.num_attention_heads
      textHeads = transformers?.text_config?.num_attention_heads
      if let config = sidecars.decode(Preprocessor.self, "preprocessor_config.json"),
        config.image_mean.count == 3, config.image_std.count == 3
      {
        preprocessing = .init(
          value: .init(mean: config.image_mean, std: config.image_std),
          name: "preprocessor_config.json")
      }
      if let config = sidecars.decode(OpenCLIP.self, "open_clip_config.json") {
        quickGELU = .init(
          value: config.model_cfg.quick_gelu ?? false, name: "open_clip_config.json")
        if let told = config.preprocess_cfg, told.mean.count == 3, told.std.count == 3 {
          preprocessing = .init(value: told, name: "open_clip_config.json")
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
  }
}
