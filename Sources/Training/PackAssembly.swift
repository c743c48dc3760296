import Foundation
import Library
import Models
import Painting
import Torch
import Weights

/// Gathers what the stages of a `PackTraining` made into a pack: weights in half precision or eight bits,
/// tokenizer, `pack.json`.
public struct PackAssembly {
  /// What a pack is called and how it paints best, as its YAML file says.
  struct Identity: Codable {
    /// See `PackManifest`.
    var id: String
    var version: String
    var title: String
    var pictureSize: Int
    var largestSize: Int
    var defaults: [String: JSONValue]
    var examples: [String]
    /// The networks whose weights are kept in eight bits instead of sixteen.
    var eightBits: [String]?
  }

  private let runs: URL
  private let start: Pack?

  /// - Parameters:
  ///   - runs: the folder that holds the stages' folders.
  ///   - start: the pack that gives what no stage made.
  public init(runs: URL, start: Pack? = nil) {
    self.runs = runs
    self.start = start
  }

  /// Makes the pack. A stage that has not run is left out, unless `start` has what it makes, and with it
  /// the methods that need it; the decoder is the `decoder` stage's if that has run, else the `vqgan` stage's.
  /// - Parameters:
  ///   - configuration: the YAML file with the pack's identity.
  ///   - out: the pack's folder, made if need be; files of the same names are replaced.
  @discardableResult
  public func assemble(configuration: URL, into out: URL) throws -> PackManifest {
    let identity = try Configuration.read(Identity.self, from: configuration)
    var manifest = PackManifest(
      id: identity.id, version: identity.version, title: identity.title,
      pictureSize: identity.pictureSize, largestSize: identity.largestSize, files: [:],
      defaults: identity.defaults, examples: identity.examples)
    try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)

    guard let tokenizer = product([.tokenizer], "tokenizer.json") else {
      throw TrainingError.missing(
        "\(runs.path) has no tokenizer. Make it with: reverie train tokenizer --run \(runs.path)")
    }
    try Data(contentsOf: tokenizer)
      .write(to: out.appending(path: "tokenizer.json"), options: .atomic)
    manifest.files["tokenizer.json"] = try entry(out.appending(path: "tokenizer.json"))

    if let phrases = product([.tokenizer], "phrases.json") {
      let copy = out.appending(path: "phrases.json")
      try Data(contentsOf: phrases).write(to: copy, options: .atomic)
      manifest.files["phrases.json"] = try entry(copy)
    }

    for (architecture, made, stages) in PackTraining.Stage.makers {
      let old = start?.manifest.networks[architecture]
      let name = old?.file ?? made
      guard let file = product(stages, name) else { continue }
      guard let config = try config(architecture, stages) ?? old?.config else { continue }
      manifest.files[name] = try write(file, to: out, identity)
      manifest.networks[architecture] = .init(file: name, config: config)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(manifest).write(to: out.appending(path: "pack.json"), options: .atomic)
    return manifest
  }

  /// Writes the judges that have been trained into a folder of their own, in half precision too: the
  /// classifier, and the CLIP with its sizes and its tokenizer.
  public func assembleJudges(into out: URL) throws {
    try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
    if let file = product([.judge], "judge.safetensors"),
      let sizes = product([.judge], "judge.json")
    {
      _ = try write(file, to: out)
      try Data(contentsOf: sizes).write(to: out.appending(path: "judge.json"), options: .atomic)
    }
    let clip = runs.appending(path: "judge-clip/clip.safetensors")
    guard FileManager.default.fileExists(atPath: clip.path),
      let tokenizer = product([.tokenizer], "tokenizer.json")
    else { return }
    _ = try write(clip, to: out)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let sizes = try config(CLIP.architecture.id, [.judgeCLIP])
    try encoder.encode(sizes).write(to: out.appending(path: "clip.json"), options: .atomic)
    try Data(contentsOf: tokenizer)
      .write(to: out.appending(path: "tokenizer.json"), options: .atomic)
  }

  /// What the first of the stages that has run made, else the file of that name in `start`.
  private func product(_ stages: [PackTraining.Stage], _ name: String) -> URL? {
    let made = stages.map { runs.appending(path: $0.rawValue).appending(path: name) }
    let old = start?.manifest.files[name] != nil ? start?.folder.appending(path: name) : nil
    return (made + [old].compactMap(\.self)).first {
      FileManager.default.fileExists(atPath: $0.path)
    }
  }

  /// The network's sizes as the first of the stages that has run was configured; nil when none has.
  private func config(_ id: Architecture.ID, _ stages: [PackTraining.Stage]) throws -> JSONValue? {
    let configurations = stages.map {
      runs.appending(path: $0.rawValue).appending(path: "config.yaml")
    }
    guard
      let url = configurations.first(where: { FileManager.default.fileExists(atPath: $0.path) }),
      let architecture = Architecture.builtIn.first(where: { $0.id == id })
    else { return nil }
    let given = try Configuration.network(JSONValue.self, from: url)
    // With every size that the file leaves to the network's defaults.
    let config = try architecture.config(from: JSONEncoder().encode(given))
    return try JSONValue(encoding: config)
  }

  /// Writes a file's tensors under the same name in `folder`: in half precision, or in eight bits where the
  /// pack wants that.
  private func write(_ url: URL, to folder: URL, _ identity: Identity? = nil) throws
    -> PackManifest.File
  {
    let file = try SafeTensors(contentsOf: url)
    let whole = try Checkpoint(file).keys.reduce(into: [:]) { $0[$1] = try file.weight($1) }
    let isSmall = identity?.eightBits?.contains(url.deletingPathExtension().lastPathComponent)
    let (tensors, metadata) =
      isSmall == true ? EightBits.packed(whole) : (whole.mapValues { $0.to(.float16) }, [:])
    let out = folder.appending(path: url.lastPathComponent)
    try SafeTensors.write(tensors, metadata: metadata, to: out)
    return try entry(out)
  }

  private func entry(_ url: URL) throws -> PackManifest.File {
    let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
    return .init(size: size, sha256: try Checksum.sha256(of: url))
  }
}

extension JSONValue {
  /// What a value encodes itself as.
  init(encoding value: some Encodable) throws {
    self = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
  }
}
