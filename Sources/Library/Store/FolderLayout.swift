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
    let pipeline = pipelineFolders.compactMap { folder in
      pipelineWeights.map { "\(folder)/\($0)" }.first(where: present.contains)
    }
    guard pipeline.isEmpty else { return pipeline }
    if let name = preferred.first(where: present.contains) { return [name] }
    return names.filter { name in
      // ncnn's weights belong to their description.
      let isWeightsOfNcnn =
        name.hasSuffix(".bin") && present.contains(String(name.dropLast(4)) + ".param")
      return !name.contains("/") && !isWeightsOfNcnn && endings.contains(where: name.hasSuffix)
    }
    .sorted()
  }

  /// Folders of a pipeline of diffusers that hold networks, or parts of one.
  private static let pipelineFolders = [
    "prior", "decoder", "text_proj", "super_res_first", "super_res_last",
  ]
  private static let pipelineWeights = [
    "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin",
  ]

  /// All that such folders may hold, below the pipeline's.
  static let pipelineNames = pipelineFolders.flatMap { folder in
    pipelineWeights.map { "\(folder)/\($0)" }
  }

  /// The folder of a model and the name there of one of its files, which may lie in a folder of a pipeline.
  static func place(of url: URL) -> (folder: URL, name: String) {
    let folder = url.deletingLastPathComponent()
    let name = "\(folder.lastPathComponent)/\(url.lastPathComponent)"
    return pipelineNames.contains(name)
      ? (folder.deletingLastPathComponent(), name) : (folder, url.lastPathComponent)
  }

  /// What a file is called in the store, where all lie in one folder.
  static func storedName(_ name: String) -> String {
    pipelineNames.contains(name)
      ? name.replacing("/", with: ".") : (name as NSString).lastPathComponent
  }

  /// The files that hold one network together with `name`, by what they hold of it; nil for a network in
  /// one file.
  static func parts(of name: String) -> [(part: String, name: String)]? {
    let ofPipelines = [("decoder", "text_proj"), ("super_res_first", "super_res_last")].flatMap {
      first, second in
      ["/", "."].flatMap { separator in
        pipelineWeights.map { file in
          [first, second].map { ($0, "\($0)\(separator)\(file)") }
        }
      }
    }
    let ofMinDALLE = ["", "_mini"].map {
      [("encoder", "encoder\($0).pt"), ("decoder", "decoder\($0).pt")]
    }
    return (ofMinDALLE + ofPipelines).first { $0.contains { $0.1 == name } }
  }
}
