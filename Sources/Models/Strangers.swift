import Foundation
import Weights

/// What files hold that is no network of Reverie's, told from a few keys: people take many things for a
/// checkpoint.
struct Stranger {
  private let file: any TensorFile
  private let names: [String]

  init(_ file: any TensorFile) {
    self.file = file
    names = file.names + file.unread.keys
  }

  /// What it is, in words that follow on "it is".
  var title: String {
    guard !file.names.isEmpty else { return withoutTensors }
    return Self.kinds.lazy.first { $0.isMet(self) }?.title(self) ?? anything
  }

  private var withoutTensors: String {
    guard file.unread.isEmpty else {
      let types = Set(file.unread.values).sorted().prefix(4).joined(separator: ", ")
      return "tensors of types that are not read (\(types))"
    }
    return file.foreign.isEmpty
      ? "nothing: it is empty, without one tensor"
      : "nothing but Python objects (\(file.foreign.prefix(3).joined(separator: ", ")))"
  }

  private var anything: String {
    let some = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    return names.count == 1 ? "one tensor (\(some))" : "\(names.count) tensors (\(some))"
  }

  // MARK: Keys

  /// Whether a key is this, or ends with it behind a point.
  private func has(_ key: String) -> Bool {
    names.contains { $0 == key || $0.hasSuffix(key) && $0.dropLast(key.count).last == "." }
  }

  private func hasAny(_ parts: String...) -> Bool {
    names.contains { name in parts.contains { name.contains($0) } }
  }

  private func shape(_ key: String) -> [Int]? {
    names.first { $0 == key || $0.hasSuffix("." + key) }.flatMap { file.entries[$0]?.shape }
  }

  private func has(_ keys: [String], without absent: [String] = []) -> Bool {
    keys.allSatisfy { has($0) } && !absent.contains { has($0) }
  }

  // MARK: Kinds

  private struct Kind: Sendable {
    let title: @Sendable (Stranger) -> String
    let isMet: @Sendable (Stranger) -> Bool

    init(_ title: String, _ isMet: @escaping @Sendable (Stranger) -> Bool) {
      self.init({ _ in title }, isMet)
    }

    init(
      _ title: @escaping @Sendable (Stranger) -> String,
      _ isMet: @escaping @Sendable (Stranger) -> Bool
    ) {
      (self.title, self.isMet) = (title, isMet)
    }
  }

  /// The more telling first.
  private static let kinds: [Kind] = [
    Kind("a LoRA, small changes to the weights of a diffusion network") {
      $0.hasAny(
        "lora_down", "lora_up", "lora_A", "lora_B", "lora.down", "lora.up", "hada_w1", "lokr_w",
        "lora_unet", "lora_te", "dora_scale", "oft_blocks")
    },
    Kind("an embedding of Textual Inversion") {
      $0.hasAny("string_to_param", "emb_params")
        || $0.names.allSatisfy { ["clip_l", "clip_g"].contains($0) || $0.hasPrefix("<") }
    },
    Kind("the state of an optimiser, without the network that it trains") { stranger in
      stranger.names.allSatisfy { name in
        ["exp_avg", "momentum_buffer", "square_avg", "state.", "optimizer", "max_exp_avg_sq"]
          .contains { name.contains($0) } || name.hasSuffix("step")
      }
    },
    Kind("a ControlNet") {
      $0.hasAny("control_model.", "controlnet_cond_embedding", "zero_convs.")
    },
    Kind("Stable Diffusion") { $0.hasAny("model.diffusion_model.") },
    Kind("a transformer of FLUX") { $0.hasAny("double_blocks.0.") },
    Kind("a transformer of Stable Diffusion 3") { $0.hasAny("joint_blocks.0.") },
    Kind("a U-Net of diffusers") { $0.has(["time_embedding.linear_1.weight", "conv_in.weight"]) },
    Kind("a U-Net of guided-diffusion's kind, of sizes that make no network that Reverie has") {
      $0.has(["time_embed.0.weight", "input_blocks.0.0.weight"])
    },
    Kind({ stranger in
      let latent = stranger.shape("decoder.conv_in.weight")?.dropFirst().first
      let moments = stranger.shape("encoder.conv_out.weight")?.first
      return latent.map { 2 * $0 == moments } ?? false
        ? "a KL autoencoder, such as Stable Diffusion's VAE"
        : "a VQGAN without its codebook, quantize.embedding.weight"
    }) { $0.has(["encoder.conv_in.weight", "decoder.conv_in.weight"]) },
    Kind("half a VQGAN: its encoder alone") { $0.has(["encoder.conv_in.weight"]) },
    Kind("half a VQGAN: its decoder alone") { $0.has(["decoder.conv_in.weight"]) },
    Kind({ "the text encoder of a CLIP alone" + $0.tower(["token_embedding.weight"]) }) {
      ($0.has(["text_model.embeddings.token_embedding.weight"])
        || $0.has(["embeddings.token_embedding.weight", "encoder.layers.0.self_attn.q_proj.weight"])
        || $0.has(["token_embedding.weight", "positional_embedding", "ln_final.weight"]))
        && !$0.hasAny("vision_model.", "visual.")
    },
    Kind({ "the picture encoder of a CLIP alone" + $0.tower(["class_embedding"]) }) {
      ($0.has(["vision_model.embeddings.patch_embedding.weight"])
        || $0.has(["visual.conv1.weight", "visual.class_embedding"]))
        && !$0.hasAny("text_model.", "token_embedding")
    },
    Kind({ stranger in
      let needed = ["visual.conv1.weight", "token_embedding.weight"]
      let theirs = [
        "vision_model.embeddings.patch_embedding.weight",
        "text_model.embeddings.token_embedding.weight",
      ]
      let isTransformers = stranger.hasAny("vision_model.", "text_model.")
      let missing = (isTransformers ? theirs : needed).filter { !stranger.has($0) }
      return "a CLIP without \(missing.joined(separator: " and "))"
    }) {
      $0.hasAny("visual.transformer.resblocks.", "visual.layer1.") && $0.hasAny("resblocks.0.")
        || $0.hasAny("vision_model.encoder.layers.")
    },
    Kind("a T5, an encoder of texts") { $0.hasAny("SelfAttention.q.weight", "DenseReluDense") },
    Kind("a BERT, an encoder of texts") { $0.has(["embeddings.word_embeddings.weight"]) },
    Kind("a transformer of texts or codes without the VQGAN that paints") {
      $0.hasAny(
        "transformer.h.0.", "transformer.blocks.0.", "model.layers.0.self_attn", "wte.weight")
        || $0.has(["tok_emb.weight"])
    },
    Kind("LPIPS, the weights of a measure of likeness") { $0.has(["lin0.model.1.weight"]) },
    Kind("a tiny autoencoder (TAESD)") { $0.hasAny("3.conv.0.weight", "3.conv.2.weight") },
    Kind("an ESRGAN without conv_first.weight") { $0.hasAny("rdb1.conv1.weight", "RDB1.conv1") },
    Kind("an upscaling network of another kind than Real-ESRGAN's") {
      $0.has(["conv_first.weight"]) || $0.hasAny("upsampler.", "conv_after_body")
    },
    Kind("a VGG or an AlexNet, other than VGG-16") { $0.has(["features.0.weight"]) },
    Kind("a residual network that names things") { $0.has(["layer1.0.conv1.weight"]) },
    Kind("a StyleGAN") { $0.hasAny("synthesis.", "mapping.fc0", "to_rgb1.") },
    Kind({ "a list of \($0.names.count) tensors without names" }) {
      $0.names.count > 1 && $0.names.allSatisfy { Int($0) != nil }
    },
  ]

  /// Width and depth of a tower, in brackets.
  private func tower(_ keys: [String]) -> String {
    let layers = Set(
      names.compactMap { name -> Int? in
        let parts = name.split(separator: ".")
        guard let at = parts.firstIndex(where: { $0 == "layers" || $0 == "resblocks" }),
          at + 1 < parts.count
        else { return nil }
        return Int(parts[at + 1])
      }
    ).count
    guard let width = keys.lazy.compactMap({ self.shape($0)?.last }).first else { return "" }
    return " (\(width) wide, \(layers) \(layers == 1 ? "layer" : "layers"))"
  }
}
