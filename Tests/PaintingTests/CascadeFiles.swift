import Foundation
import Models
import TestSupport
import Tokenizers
import Torch
import Weights

/// Files of Karlo and GLIDE as people have them, reduced and with random weights.
extension InstalledCascadeTests {
  static let unet = UNet.Config(width: 32, widths: [32, 64], blocks: 1, attention: [1])

  /// A folder of files with the weights of networks, each written under a prefix.
  static func folder(
    _ name: String, _ files: [(name: String, prefix: String, make: (Parameters) -> Void)]
  ) throws -> URL {
    let folder = try ScratchFolder.make("cascade").appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for file in files {
      let source = Recorder()
      file.make(Parameters(source))
      let weights = source.weights.map { (file.prefix + $0.key, $0.value) }
      try SafeTensors.write(
        Dictionary(uniqueKeysWithValues: weights), to: folder.appending(path: file.name))
    }
    return folder
  }

  /// What `models add` gets of Karlo's own files.
  static func karlo(statistics: Bool = true) throws -> URL {
    var told = unet
    told.context = 48
    let decoder = UnCLIPDecoder.Config(told, size: 16, clip_dim: 64)
    let large = UNet.Config(
      inputs: 6, outputs: 3, width: 32, widths: [32, 64], blocks: 1, attention: [], scales: false,
      attendsInMiddle: false)
    let clip = CLIP.Config(
      embedDim: 64,
      vision: .init(imageSize: 32, patchSize: 8, width: 64, layers: 1, headWidth: 64),
      text: .init(contextLength: 12, vocabSize: 518, width: 64, heads: 1, layers: 1))
    let folder = try folder(
      "karlo",
      [
        (
          "prior.safetensors", "model.",
          {
            _ = UnCLIPPrior(
              $0,
              .init(
                text_ctx: 12, xf_width: 64, xf_layers: 1, xf_heads: 1, clip_dim: 64, text_dim: 64))
          }
        ),
        ("decoder.safetensors", "model.", { _ = UnCLIPDecoder($0, decoder) }),
        ("sr.safetensors", "", { _ = UnCLIPUpsampler($0, .init(large, size: 64)) }),
        ("ViT-L-14.safetensors", "", { _ = CLIP($0, clip) }),
      ])
    try tokenizer.encoded().write(to: folder.appending(path: "tokenizer.json"))
    if statistics {
      let stream = RandomStream(seed: 9, "statistics")
      try SafeTensors.write(
        ["0": stream.normal([64]), "1": stream.uniform([64]) + 0.5],
        to: folder.appending(path: UnCLIPPrior.statisticsFile))
    }
    return folder
  }

  static var tokenizer: CLIPTokenizer {
    get throws {
      try CLIPTokenizer(merges: [
        .init("r", "e"), .init("re", "d</w>"), .init("f", "o"), .init("fo", "x</w>"),
      ])
    }
  }

  static func glide(fills: Bool) throws -> URL {
    func config(_ widths: [Int], _ inputs: Int, _ size: Int, _ small: Int?) -> GLIDE.Config {
      var unet = UNet.Config(
        inputs: inputs + (fills ? 4 : 0), width: 32, widths: widths, blocks: 1,
        attention: [widths.count - 1], context: 64)
      unet.outputs = 6
      return .init(
        unet, size: size, smallSize: small, fillsHoles: fills, n_vocab: 260, text_ctx: 8,
        xf_width: 64, xf_layers: 1, xf_heads: 1)
    }
    let folder = try folder(
      fills ? "glide-inpaint" : "glide",
      [
        ("base.safetensors", "", { _ = GLIDE($0, config([32, 64], 3, 16, nil)) }),
        (
          "upsample.safetensors", "",
          { _ = GLIDEUpsampler($0, config([32, 32, 32, 64], 6, 64, 16)) }
        ),
        (
          "clip_text_enc.safetensors", "",
          {
            _ = NoisedCLIPTextEncoder(
              $0, .init(n_vocab: 600, max_text_len: 8, n_embd: 10, width: 64, n_xf_blocks: 1))
          }
        ),
        (
          "clip_image_enc.safetensors", "",
          {
            _ = NoisedCLIPImageEncoder(
              $0, .init(image_size: 16, patch_size: 4, n_embd: 10, width: 64, n_xf_blocks: 1))
          }
        ),
      ])
    // GPT-2's byte alphabet in its order, some words, and the token that pads.
    var symbols: [Int] = Array(33...126) + Array(161...172) + Array(174...255)
    symbols += (0..<256 - symbols.count).map { 256 + $0 }
    let letters = symbols.map { String(Character(Unicode.Scalar(UInt32($0)) ?? " ")) }
    let words = letters + ["re", "red", "fo", "<|endoftext|>"]
    let ids = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) })
    try JSONEncoder().encode(ids).write(to: folder.appending(path: "encoder.json"))
    try Data("#version: 0.2\nr e\nre d\nf o\n".utf8).write(
      to: folder.appending(path: "vocab.bpe"))
    try Data("#version: 0.2\nr e\nre d</w>\nf o\nfo x</w>\n".utf8).write(
      to: folder.appending(path: "bpe_simple_vocab_16e6.txt.gz"))
    return folder
  }
}
