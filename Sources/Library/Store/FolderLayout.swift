import Foundation

/// Which files of a folder or a repository matter, by the names that Hugging Face, open_clip, taming
/// and DALL·E give them.
public enum FolderLayout {
  /// Names of weights, the best first: what is mapped and checked before what is pickled.
  private static let preferred = [
    "model.safetensors.index.json", "model.safetensors", "open_clip_model.safetensors",
    "diffusion_pytorch_model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin",
    "open_clip_pytorch_model.bin", "diffusion_pytorch_model.bin", "flax_model.msgpack.index.json",
    "flax_model.msgpack",
    "checkpoints/last.ckpt",
  ]
  private static let endings = [
    ".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".pkl", ".msgpack", ".th", ".param",
  ]

  /// Names of CLIP's vocabulary.
  public static let vocabularies = [
    "tokenizer.json", "vocab.json", "merges.txt", "bpe_simple_vocab_16e6.txt.gz",
  ]

  /// Names of what lies beside weights and is used.
  public static let sidecars =
    vocabularies + [
      "config.json", "preprocessor_config.json", "open_clip_config.json",
      "enwiki-words-frequency.txt",
    ]

  /// The files of weights among these names; several only where they belong together or nothing tells
  /// which is meant.
  public static func weights(among names: [String]) -> [String] {
    let present = Set(names)
    if present.isSuperset(of: ["encoder.pkl", "decoder.pkl"]) {
      return ["encoder.pkl", "decoder.pkl"]
    }
    if let name = preferred.first(where: present.contains) { return [name] }
    return names.filter { name in
      // ncnn's weights belong to their description.
      let isWeightsOfNcnn =
        name.hasSuffix(".bin") && present.contains(String(name.dropLast(4)) + ".param")
      return !name.contains("/") && !isWeightsOfNcnn && endings.contains(where: name.hasSuffix)
    }
    .sorted()
  }

  /// The files that hold one network together with `name`, by what they hold of it; nil for a network in
  /// one file.
  static func parts(of name: String) -> [(part: String, name: String)]? {
    ["", "_mini"].map { [("encoder", "encoder\($0).pt"), ("decoder", "decoder\($0).pt")] }
      .first { $0.contains { $0.1 == name } }
  }
}
