import Foundation
import Library
import Models
import Painting
import Tokenizers
import Torch
import Weights

/// A pack of networks with random weights, small enough to make in a test.
public enum TinyPack {
  /// The sizes of its VQGAN.
  public static let vqgan = VQGAN.Config(
    ch: 32, ch_mult: [1, 1], num_res_blocks: 1, attn_levels: [], z_channels: 8, embed_dim: 8,
    n_embed: 16, levels: 2, patch: 4)

  /// Writes the pack into a new folder under the temporary one.
  /// - Parameters:
  ///   - damage: changes a file before its checksum is taken.
  ///   - upscaler: whether it has a network that enlarges.
  public static func make(
    dalle hasDALLE: Bool = true, upscaler hasUpscaler: Bool = false,
    defaults: [String: JSONValue]? = nil, words taught: [String]? = nil,
    damage: (String, inout Data) -> Void = { _, _ in }
  ) throws -> URL {
    let folder = try ScratchFolder.make("tiny")
    let tokenizer = try CLIPTokenizer(merges: [
      .init("r", "e"), .init("re", "d</w>"), .init("f", "o"), .init("fo", "x</w>"),
    ])
    try tokenizer.encoded().write(to: folder.appending(path: "tokenizer.json"))
    let vocabulary = tokenizer.vocabularySize + 1
    let clip = CLIP.Config(
      embedDim: 16,
      vision: .init(imageSize: 32, patchSize: 8, width: 32, layers: 1, headWidth: 16),
      text: .init(contextLength: 16, vocabSize: vocabulary, width: 32, heads: 2, layers: 1))
    let dalle = DALLEBart.Config(
      text_vocab_count: vocabulary, text_token_count: 16, image_vocab_count: 16,
      image_token_count: 16, levels: 2, embed_count: 32, attention_head_count: 2,
      glu_embed_count: 48, encoder_layer_count: 1, decoder_layer_count: 1,
      pad_token: vocabulary - 1)

    var files = ["tokenizer.json": try file(folder, "tokenizer.json")]
    /// - Parameter contrast: how much stronger the last layer of a decoder is than at random, which is so weak that
    ///   bytes show little of it.
    func write(_ name: String, contrast: Double = 1, _ make: (Parameters) -> Void) throws {
      let source = Initializer(seed: 7)
      make(Parameters(source))
      let tensors = Dictionary(
        uniqueKeysWithValues: source.parameters.map { key, tensor in
          (key, key.contains(".output.") ? tensor.detached() * contrast : tensor.detached())
        })
      let url = folder.appending(path: name)
      try SafeTensors.write(tensors, to: url)
      var data = try Data(contentsOf: url)
      damage(name, &data)
      try data.write(to: url)
      files[name] = try file(folder, name)
    }
    try write("clip.safetensors") { _ = CLIP($0, clip) }
    try write("vqgan.safetensors") { _ = VQGAN($0, vqgan) }
    if hasDALLE { try write("dalle.safetensors") { _ = DALLEBart($0, dalle) } }
    let diffusion = VDiffusion.Config(
      channels: 8, size: 4, widths: [16, 16], blocks: [1, 1], attention: 1, headWidth: 8,
      condition: .init(embedding: 16, width: 16, timeFeatures: 4))
    try write("diffusion.safetensors") { _ = VDiffusion($0, diffusion) }
    let biggan = BigGAN.Config(
      z_dim: 8, channel_width: 4, num_classes: 5,
      layers: [.init(true, 16, 8), .init(true, 8, 4), .init(true, 4, 2), .init(false, 2, 1)],
      attention_layer_position: 2, n_stats: 2)
    try write("biggan.safetensors") { _ = BigGAN($0, biggan) }
    let attnGAN = AttnGAN.Config(
      gf_dim: 1, z_dim: 4, condition_dim: 4, embedding_dim: 8, r_num: 1, branch_num: 2)
    try write("attngan.safetensors") { _ = AttnGAN($0, attnGAN) }
    let words = AttnGANText.Config(words: vocabulary, inputs: 6, width: 8)
    try write("attngan-text.safetensors") { _ = AttnGANText($0, words) }
    let dvae = DVAE.Config(n_hid: 4, n_blk_per_group: 1, vocab_size: 12, n_init: 8)
    try write("dvae-encoder.safetensors") { _ = DVAEEncoder($0, dvae) }
    try write("dvae-decoder.safetensors", contrast: 30) { _ = DVAEDecoder($0, dvae) }
    let prior = UnCLIPPrior.Config(
      text_ctx: 16, xf_width: 64, xf_layers: 1, xf_heads: 1, clip_dim: 16, text_dim: 32,
      hasStatistics: true)
    try write("prior.safetensors") { _ = UnCLIPPrior($0, prior) }
    func glide(_ inputs: Int, _ size: Int, small: Int?) -> GLIDE.Config {
      .init(
        .init(
          inputs: inputs, width: 32, widths: [32], blocks: 1, attention: [], context: 64,
          attendsInMiddle: false),
        size: size, smallSize: small, n_vocab: vocabulary, text_ctx: 16, xf_width: 64,
        xf_layers: 1, xf_heads: 1)
    }
    let (base, larger) = (glide(3, 8, small: nil), glide(6, 32, small: 8))
    try write("glide.safetensors") { _ = GLIDE($0, base) }
    try write("glide-upsampler.safetensors") { _ = GLIDEUpsampler($0, larger) }
    let upscaler = RRDBNet.Config(scale: 2, num_feat: 8, num_block: 1, num_grow_ch: 4)
    if hasUpscaler { try write("upscaler.safetensors") { _ = RRDBNet($0, upscaler) } }
    let book = PhraseBook(
      things: ["a red fox", "a fox"], places: ["on red"], styles: ["a drawing"], words: taught)
    try JSONEncoder().encode(book).write(to: folder.appending(path: "phrases.json"))
    files["phrases.json"] = try file(folder, "phrases.json")
    var networks: [Architecture.ID: PackManifest.Network] = [:]
    func describe<N: Network>(_ type: N.Type, _ config: N.Config, _ name: String) throws {
      networks[N.architecture.id] = .init(file: "\(name).safetensors", config: try value(config))
    }
    try describe(CLIP.self, clip, "clip")
    try describe(VQGAN.self, vqgan, "vqgan")
    if hasDALLE { try describe(DALLEBart.self, dalle, "dalle") }
    try describe(VDiffusion.self, diffusion, "diffusion")
    try describe(BigGAN.self, biggan, "biggan")
    try describe(AttnGAN.self, attnGAN, "attngan")
    try describe(AttnGANText.self, words, "attngan-text")
    try describe(DVAEEncoder.self, dvae, "dvae-encoder")
    try describe(DVAEDecoder.self, dvae, "dvae-decoder")
    try describe(UnCLIPPrior.self, prior, "prior")
    try describe(GLIDE.self, base, "glide")
    try describe(GLIDEUpsampler.self, larger, "glide-upsampler")
    if hasUpscaler { try describe(RRDBNet.self, upscaler, "upscaler") }
    let manifest = PackManifest(
      id: "tiny", version: "0.0.1", title: "Random weights", pictureSize: 32, largestSize: 64,
      files: files, networks: networks, defaults: defaults)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    try encoder.encode(manifest).write(to: folder.appending(path: "pack.json"))
    return folder
  }

  private static func file(_ folder: URL, _ name: String) throws -> PackManifest.File {
    let url = folder.appending(path: name)
    return .init(size: try Data(contentsOf: url).count, sha256: try Checksum.sha256(of: url))
  }

  /// What a configuration encodes itself as.
  public static func value(_ config: some Encodable) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(config))
  }

  /// The methods that it can paint by; `super-resolution` with the network that enlarges.
  public static let methods = Registry.builtIn.methods.filter {
    $0.components.allSatisfy(\.takesPacks)
  }

  /// Fills requests for a pack, with nothing installed.
  public static func resolver(_ pack: Pack) throws -> Resolver {
    Resolver(
      pack: pack, library: ModelLibrary(store: ModelStore(folder: try ScratchFolder.make("none"))))
  }
}
