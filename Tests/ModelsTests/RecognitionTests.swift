import Foundation
import Testing
import Torch
import Weights

@testable import Models

@Suite("Recognition")
struct RecognitionTests {
  static let clip = CLIP.Config(
    embedDim: 16, vision: .init(imageSize: 16, patchSize: 8, width: 64, layers: 1),
    text: .init(contextLength: 8, vocabSize: 16, width: 64, heads: 1, layers: 2))
  static let vqgan = VQGAN.Config(
    ch: 32, ch_mult: [1, 2], num_res_blocks: 1, attn_levels: [1], z_channels: 16, embed_dim: 16,
    n_embed: 40)

  /// Weights of what `body` lays out, by keys behind a prefix.
  private func weights(_ prefix: String = "", _ body: (Parameters) -> Any) -> [String: Tensor] {
    let recorder = ShapeRecorder()
    _ = body(Parameters(recorder))
    return Dictionary(
      uniqueKeysWithValues: recorder.shapes.map { (prefix + $0, Tensor.zeros($1, .float16)) })
  }

  private func recognise(
    _ weights: [String: Tensor], name: String = "model.safetensors",
    beside files: [String: String] = [:]
  ) throws -> (Recognition, misfit: String?) {
    try Fixtures.withTemporaryFile(name) { url in
      try SafeTensors.write(weights, to: url)
      for (name, text) in files {
        try Data(text.utf8).write(to: url.deletingLastPathComponent().appending(path: name))
      }
      let found = try Recognition(of: openTensors(at: url))
      return (found, try found.fit()?.problem)
    }
  }

  @Test("CLIP is known below any prefix", arguments: ["", "state_dict.module.", "model."])
  func prefixes(prefix: String) throws {
    var file = weights(prefix) { CLIP($0, Self.clip) }
    file["epoch"] = Tensor.zeros([], .int64)
    let (found, misfit) = try recognise(file)
    #expect(found.config as? CLIP.Config == Self.clip)
    #expect(found.prefix == prefix)
    #expect(found.layout == "OpenAI CLIP")
    #expect(misfit == nil)
  }

  @Test("SLIP is known, with its statistics")
  func slip() throws {
    var config = CLIPTowerTests.slip
    config.text = Self.clip.text
    var file = weights("state_dict.module.") { CLIP($0, config) }
    file["state_dict.module.image_mlp.layer1.weight"] = Tensor.zeros([2, 2])
    let (found, _) = try recognise(file)
    guard let known = found.config as? CLIP.Config else {
      Issue.record("\(found.title)")
      return
    }
    #expect(known.vision.tower == .slip)
    #expect(known.preprocessing == .imageNet)
  }

  @Test(
    "the activation comes from where it is told, and the reason with it",
    arguments: [
      ("model.safetensors", [:], true, "OpenAI"),
      ("vit_b_32-quickgelu-laion400m.pt", [:], true, "name"),
      ("vit_b_32-laion2b_e16.pt", [:], false, "LAION"),
      (
        "model.safetensors", ["config.json": #"{"vision_config": {"hidden_act": "gelu"}}"#], false,
        "config.json"
      ),
      (
        "open_clip_model.safetensors",
        ["open_clip_config.json": #"{"model_cfg": {"quick_gelu": true}}"#], true, "open_clip_config"
      ),
    ] as [(String, [String: String], Bool, String)])
  func activation(name: String, files: [String: String], quick: Bool, reason: String) throws {
    let (found, _) = try recognise(weights { CLIP($0, Self.clip) }, name: name, beside: files)
    guard let config = found.config as? CLIP.Config else {
      Issue.record("\(found.title)")
      return
    }
    #expect(config.quickGELU == quick)
    #expect(found.notes.contains { $0.contains(reason) }, "\(found.notes)")
  }

  @Test("statistics of pictures come from the configuration beside the file")
  func statistics() throws {
    let told = #"{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#
    let (found, _) = try recognise(
      weights { CLIP($0, Self.clip) }, beside: ["preprocessor_config.json": told])
    guard let config = found.config as? CLIP.Config else {
      Issue.record("\(found.title)")
      return
    }
    #expect(config.preprocessing == .symmetric)
  }

  @Test(
    "VQGAN is known as taming leaves it, below a transformer's prefix, and in diffusers' layout")
  func vqgans() throws {
    var file = weights { VQGAN($0, Self.vqgan) }
    file["loss.discriminator.main.0.weight"] = Tensor.zeros([1])
    let (plain, misfit) = try recognise(file)
    #expect(plain.config as? VQGAN.Config == Self.vqgan)
    #expect(misfit == nil)

    var stage = weights("state_dict.first_stage_model.") { VQGAN($0, Self.vqgan) }
    stage["state_dict.transformer.tok_emb.weight"] = Tensor.zeros([2, 2])
    let (inner, innerMisfit) = try recognise(stage)
    #expect(inner.config as? VQGAN.Config == Self.vqgan)
    #expect(inner.prefix == "state_dict.first_stage_model.")
    #expect(innerMisfit == nil)

    var gumbel = Self.vqgan
    gumbel.gumbel = true
    let (other, otherMisfit) = try recognise(weights { VQGAN($0, gumbel) })
    #expect(other.config as? VQGAN.Config == gumbel)
    #expect(otherMisfit == nil)
  }

  @Test("a yaml beside a VQGAN is compared with the shapes")
  func yaml() throws {
    let yaml = """
      model:
        target: taming.models.vqgan.VQModel
        params:
          embed_dim: 16
          n_embed: 40
          ddconfig:
            {z_channels: 16, resolution: 16, ch: 32, ch_mult: [1, 2], num_res_blocks: 1,
             attn_resolutions: [8]}
      """
    let file = weights { VQGAN($0, Self.vqgan) }
    let (agreed, _) = try recognise(file, beside: ["model.yaml": yaml])
    #expect(agreed.notes == ["sizes by model.yaml, which the shapes bear out"])
    let wrong = yaml.replacing("n_embed: 40", with: "n_embed: 41")
    let (doubted, _) = try recognise(file, beside: ["model.yaml": wrong])
    #expect(doubted.notes == ["sizes by the shapes; model.yaml says something else"])
    #expect(doubted.config as? VQGAN.Config == Self.vqgan)
  }

  @Test("the dVAE's halves are told apart")
  func dvae() throws {
    let (encoder, _) = try recognise(weights { DVAEEncoder($0, DVAETests.config) })
    #expect(encoder.architecture?.id == DVAEEncoder.architecture.id)
    let (decoder, misfit) = try recognise(weights { DVAEDecoder($0, DVAETests.config) })
    #expect(decoder.config as? DVAE.Config == DVAETests.config)
    #expect(misfit == nil)
  }

  @Test("BigGAN is known, with what its config.json says and shapes do not")
  func bigGAN() throws {
    var config = BigGANTests.config
    config.layers[0].upsample = true
    let file = weights { BigGAN($0, config) }
    let (plain, misfit) = try recognise(file)
    #expect(plain.config as? BigGAN.Config == BigGANTests.config)
    #expect(misfit == nil)
    let told = String(decoding: try JSONEncoder().encode(config), as: UTF8.self)
    for (name, sidecar) in [
      ("pytorch_model.bin", "config.json"),
      ("biggan-deep-64-pytorch_model.bin", "biggan-deep-64-config.json"),
    ] {
      let (found, misfit) = try recognise(file, name: name, beside: [sidecar: told])
      #expect(found.config as? BigGAN.Config == config)
      #expect(found.notes == ["sizes by \(sidecar)"])
      #expect(misfit == nil)
    }
  }

  @Test("averaged weights of Real-ESRGAN are preferred to the others")
  func averaged() throws {
    let config = RRDBNet.Config(num_feat: 8, num_block: 1)
    let file = weights("params.") { RRDBNet($0, config) }
      .merging(weights("params_ema.") { RRDBNet($0, config) }) { $1 }
    let (found, misfit) = try recognise(file)
    #expect(found.config as? RRDBNet.Config == config)
    #expect(found.prefix == "params_ema.")
    #expect(misfit == nil)
  }

  @Test("VGG-16 is known with its classifier, and VGG-19 is not taken for it")
  func vgg() throws {
    let config = VGG16.Config(widths: [4, 4, 4, 4, 4])
    var file = weights { VGG16($0, config) }
    file["classifier.0.weight"] = Tensor.zeros([2, 2])
    let (found, misfit) = try recognise(file)
    #expect(found.config as? VGG16.Config == config)
    #expect(misfit == nil)
    file["features.17.weight"] = nil
    #expect(try recognise(file).0.architecture == nil)
  }

  @Test(
    "aesthetic heads are known by shape, with or without a name before their keys",
    arguments: [
      ("", AestheticHead.Config.linear(512)), ("head.", .linear(768)), ("linear.", .simulacra(768)),
      ("", .linearMSE), ("", .reluMSE),
    ])
  func aestheticHeads(prefix: String, config: AestheticHead.Config) throws {
    let (found, misfit) = try recognise(weights(prefix) { AestheticHead($0, config) })
    #expect(found.config as? AestheticHead.Config == config)
    #expect(misfit == nil)
  }

  @Test("what does not fit is named, and what is no network of ours is no error")
  func misfits() throws {
    var file = weights { VQGAN($0, Self.vqgan) }
    file["decoder.conv_in.bias"] = nil
    file["decoder.stray"] = Tensor.zeros([1], .float16)
    let (found, misfit) = try recognise(file)
    #expect(found.config as? VQGAN.Config == Self.vqgan)
    #expect(misfit?.contains("decoder.conv_in.bias") == true)
    #expect(misfit?.contains("decoder.stray") == true)
    let (stranger, none) = try recognise(["a.weight": Tensor.zeros([2])])
    #expect(stranger.architecture == nil)
    #expect(none == nil)
  }

  // MARK: What people hand in

  @Test("of two VQGANs in one checkpoint the picture's is taken, and the other is told of")
  func twoVQGANs() throws {
    var segments = Self.vqgan
    segments.n_embed = 24
    let both = weights("state_dict.first_stage_model.") { VQGAN($0, Self.vqgan) }
      .merging(weights("state_dict.cond_stage_model.") { VQGAN($0, segments) }) { $1 }
    let (found, misfit) = try recognise(both)
    #expect(found.prefix == "state_dict.first_stage_model.")
    #expect(found.config as? VQGAN.Config == Self.vqgan)
    #expect(misfit == nil)
    #expect(found.notes.contains { $0.contains("state_dict.cond_stage_model.") })
    // Of one channel: no network of ours, and no reason to refuse the other.
    var depth = both
    for name in ["encoder.conv_in.weight", "decoder.conv_out.weight", "decoder.conv_out.bias"] {
      let key = "state_dict.cond_stage_model." + name
      let shape = both[key]?.shape ?? []
      let axis = name == "encoder.conv_in.weight" ? 1 : 0
      depth[key] = Tensor.zeros(
        shape.enumerated().map { $0.offset == axis ? 1 : $0.element }, .float16)
    }
    let (single, fits) = try recognise(depth)
    #expect(single.config as? VQGAN.Config == Self.vqgan)
    #expect(fits == nil)
  }

  @Test(
    "of a network that is there twice one is taken that is whole, averaged weights first",
    arguments: [("model.", "model_ema.", "model_ema."), ("a.", "teacher.", "a.")])
  func twice(first: String, second: String, taken: String) throws {
    let file = weights(first) { CLIP($0, Self.clip) }
      .merging(weights(second) { CLIP($0, Self.clip) }) { $1 }
    let (found, misfit) = try recognise(file)
    #expect(found.prefix == taken && misfit == nil)
    #expect(found.notes.contains { $0.contains(taken == first ? second : first) })
    var broken = file
    broken[taken + "ln_final.bias"] = nil
    let (other, fits) = try recognise(broken)
    #expect(other.prefix == (taken == first ? second : first) && fits == nil)
  }

  @Test("tensors that nobody asks for are passed over, and noted")
  func besides() throws {
    var file = weights { VQGAN($0, Self.vqgan) }
    for (name, tensor) in file { file["model_ema." + name.replacing(".", with: "")] = tensor }
    file["extra.scale"] = Tensor.ones([1])
    file["extra.empty"] = Tensor.zeros([0, 4])
    file["decoder.empty"] = Tensor.zeros([0, 4])
    file["decoder.steps"] = Tensor.zeros([], .int64)
    let (found, misfit) = try recognise(file)
    #expect(found.config as? VQGAN.Config == Self.vqgan)
    #expect(misfit == nil)
  }

  @Test("one more of the network's own modules is another network: ESRGAN for eight times")
  func another() throws {
    var file = weights { RRDBNet($0, .init(num_feat: 8, num_block: 1)) }
    file["conv_up3.weight"] = Tensor.zeros([8, 8, 3, 3])
    #expect(try recognise(file).0.architecture == nil)
    var head = weights { VQGAN($0, Self.vqgan) }
    head["post_quant_conv2.weight"] = Tensor.zeros([1, 1], .float16)
    #expect(try recognise(head).misfit?.contains("post_quant_conv2.weight") == true)
  }

  @Test(
    "what is no network of ours is called what it is",
    arguments: [
      (["lora_unet_x.lora_down.weight", "lora_unet_x.lora_up.weight"], "a LoRA"),
      (["blocks.0.attn.lora_A.weight", "blocks.0.attn.lora_B.weight"], "a LoRA"),
      (["state.0.exp_avg", "state.0.exp_avg_sq", "state.0.step"], "optimiser"),
      (
        ["text_model.embeddings.token_embedding.weight", "text_model.final_layer_norm.bias"],
        "text encoder of a CLIP"
      ),
      (["vision_model.embeddings.patch_embedding.weight"], "picture encoder of a CLIP"),
      (["encoder.conv_in.weight", "decoder.conv_in.weight"], "a VQGAN without its codebook"),
      (["model.diffusion_model.input_blocks.0.0.weight"], "Stable Diffusion"),
      (["string_to_param.*"], "Textual Inversion"), (["0", "1", "2"], "a list of 3 tensors"),
      (["a.weight"], "one tensor (a.weight)"),
    ])
  func strangers(names: [String], words: String) throws {
    let file = Dictionary(uniqueKeysWithValues: names.map { ($0, Tensor.zeros([2])) })
    let (found, _) = try recognise(file)
    #expect(found.architecture == nil)
    #expect(found.title.contains(words), "\(found.title)")
  }

  @Test("an empty dictionary is called so")
  func nothing() throws {
    #expect(try recognise([:]).0.title.contains("empty"))
  }

  @Test("a linear layer at the end of something larger is no aesthetic head")
  func noHead() throws {
    var file = ["head.weight": Tensor.zeros([1, 8]), "head.bias": Tensor.zeros([1])]
    for index in 0..<8 { file["body.\(index).weight"] = Tensor.zeros([8, 8]) }
    #expect(try recognise(file).0.architecture == nil)
  }
}
