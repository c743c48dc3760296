import Foundation
import Weights

extension CLIP {
  /// Hugging Face's `CLIPModel` (transformers `models/clip/modeling_clip.py`).
  ///
  /// Query, key and value are separate matrices there, and the two projections are linear layers,
  /// hence transposed.
  public static let transformers = KeyRules(
    name: "transformers CLIPModel",
    mark: "vision_model.embeddings.patch_embedding.weight",
    rules: vision(from: "vision_model.") + text(from: "text_model.") + [
      .init("visual_projection.weight", "visual.proj", .transpose),
      .init("text_projection.weight", "text_projection", .transpose),
    ],
    ignored: positionIDs)

  /// Hugging Face's `CLIPTextModelWithProjection`, as beside Stable Diffusion and Karlo.
  public static let transformersText = KeyRules(
    name: "transformers CLIPTextModel", mark: "text_model.embeddings.token_embedding.weight",
    rules: text(from: "text_model.") + [
      .init("text_projection.weight", "text_projection", .transpose)
    ],
    ignored: positionIDs)

  /// `CLIPTextModel` as transformers 5 saves it, without the prefix that all earlier ones write.
  public static let transformersBareText = KeyRules(
    name: "transformers CLIPTextModel, bare", mark: "embeddings.token_embedding.weight",
    rules: text(from: "") + [.init("text_projection.weight", "text_projection", .transpose)],
    ignored: ["embeddings.position_ids"])

  /// All layouts other than OpenAI's own that are understood, the most telling first.
  public static let layouts = [transformers, transformersText, transformersBareText]

  /// Keys in OpenAI's own files that are not weights, open_clip's mask, the head that SLIP trained beside
  /// its image tower, and counters of batch norms.
  public static let leftovers = [
    "input_resolution", "context_length", "vocab_size", "attn_mask", "image_mlp.",
    "*.num_batches_tracked",
  ]

  /// Buffers that old files of transformers hold: the numbers from 0 on.
  private static let positionIDs = [
    "text_model.embeddings.position_ids", "vision_model.embeddings.position_ids",
  ]

  private static func vision(from p: String) -> [KeyRules.Rule] {
    [
      .init(p + "embeddings.patch_embedding.weight", "visual.conv1.weight"),
      .init(p + "embeddings.class_embedding", "visual.class_embedding"),
      .init(p + "embeddings.position_embedding.weight", "visual.positional_embedding"),
      .init(p + "pre_layrnorm.*", "visual.ln_pre.*"),  // sic
      .init(p + "post_layernorm.*", "visual.ln_post.*"),
    ] + blocks(from: p + "encoder.layers.*.", to: "visual.transformer.resblocks.*.")
  }

  private static func text(from p: String) -> [KeyRules.Rule] {
    [
      .init(p + "embeddings.token_embedding.weight", "token_embedding.weight"),
      .init(p + "embeddings.position_embedding.weight", "positional_embedding"),
      .init(p + "final_layer_norm.*", "ln_final.*"),
    ] + blocks(from: p + "encoder.layers.*.", to: "transformer.resblocks.*.")
  }

  private static func blocks(from p: String, to q: String) -> [KeyRules.Rule] {
    ["q", "k", "v"].enumerated().flatMap { index, name in
      ["weight", "bias"].map { kind in
        KeyRules.Rule(
          p + "self_attn.\(name)_proj.\(kind)", q + "attn.in_proj_\(kind)", .part(index, of: 3))
      }
    } + [
      .init(p + "self_attn.out_proj.*", q + "attn.out_proj.*"),
      .init(p + "layer_norm1.*", q + "ln_1.*"),
      .init(p + "layer_norm2.*", q + "ln_2.*"),
      .init(p + "mlp.fc1.*", q + "mlp.c_fc.*"),
      .init(p + "mlp.fc2.*", q + "mlp.c_proj.*"),
    ]
  }
}

extension CLIP: Network {
  /// OpenAI's files, transformers', open_clip's and SLIP's.
  public static let architecture = Architecture(
    "clip", CLIP.self, kind: "clip",
    layouts: [
      .init("OpenAI CLIP", mark: "visual.conv1.weight", needs: ["token_embedding.weight"]),
      .init(
        "transformers CLIPModel", mark: transformers.mark,
        needs: ["text_model.embeddings.token_embedding.weight"], rules: { _ in layouts }),
      .init("SLIP", mark: "visual.cls_token", needs: ["image_projection"]),
    ],
    leftovers: { _ in leftovers },
    sidecars: { _ in
      [
        "tokenizer.json", "vocab.json", "merges.txt", "bpe_simple_vocab_16e6.txt.gz", "config.json",
        "preprocessor_config.json", "open_clip_config.json",
      ]
    }
  ) { checkpoint, sidecars in
    var config = try CLIP.Config(detecting: checkpoint.shapes)
    let notes = CLIPConventions.complete(&config, checkpoint, sidecars)
    return (config, notes)
  }
}

extension CLIP.Config: NetworkConfig {
  /// The network in a few words.
  public var title: String { "CLIP \(publishedName ?? "of its own sizes")" }
  /// Tokens that the text tower knows.
  public var vocabularySize: Int? { text.vocabSize }
}
