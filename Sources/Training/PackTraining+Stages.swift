import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

// What stages have in common.

extension PackTraining {
  /// The text vocabulary's size, and what it is made of.
  struct TokenizerConfig: Codable {
    var seed: UInt64
    var vocabulary: Int
    var captions: Int
  }

  func trainTokenizer(_ config: TokenizerConfig) throws {
    let set = try sets(seed: config.seed, jitter: false).train[0]
    let count = min(config.captions, set.count ?? config.captions)
    let tokenizer = try BPETrainer.train(
      (0..<count).map { set.label($0).caption }, vocabularySize: config.vocabulary)
    let folder = context.folder.appending(path: Stage.tokenizer.rawValue)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try tokenizer.encoded().write(to: folder.appending(path: "tokenizer.json"), options: .atomic)
    try Sheet.captioned(set, count: 96).write(
      to: folder.appending(path: "samples.png").path, replacing: true)
    if let corpus = set as? Corpus {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(corpus.phrases)
        .write(to: folder.appending(path: "phrases.json"), options: .atomic)
    }
    context.say("\(tokenizer.vocabularySize) tokens from \(count) captions")
  }

  /// The sets, corpora among them made otherwise; folders of images are what they are.
  func mixed(
    _ sets: [any CaptionedDataset], _ change: (inout CorpusConfiguration) -> Void
  ) throws -> [any CaptionedDataset] {
    try sets.map { try ($0 as? Corpus)?.with(change) ?? $0 }
  }

  /// A network as a stage left it, or as the pack has it that stands in for the stage.
  func network<N: Network>(_ type: N.Type, of stage: Stage) throws -> N {
    let file = try product(stage, Stage.file(of: type))
    let own = context.start.flatMap { $0.file(of: type) == file ? $0.config(of: type) : nil }
    let config =
      try own
      ?? Configuration.network(
        N.Config.self, from: file.deletingLastPathComponent().appending(path: "config.yaml"))
    return try Checkpoint(SafeTensors(contentsOf: file)).build(device: context.device) {
      N($0, config)
    }
  }

  /// The VQGAN as a stage left it; its codes do not depend on the `decoder` stage.
  func vqgan(_ stage: Stage = .vqgan) throws -> VQGAN {
    try network(VQGAN.self, of: stage)
  }

  /// The CLIP as the `clip` stage left it.
  func clip() throws -> CLIP {
    let clip = try network(CLIP.self, of: .clip)
    guard clip.config.vision.tower == .transformer else {
      throw TrainingError.configuration(
        "The CLIP is no vision transformer, and 'perceptual' compares the features of one. "
          + "Set it to 0, or train a CLIP with: reverie train clip")
    }
    return clip
  }

}
