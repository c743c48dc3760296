import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

// What each stage reads, trains and writes.

extension PackTraining {
  /// The text vocabulary's size.
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
    if let corpus = set as? Corpus {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(corpus.phrases)
        .write(to: folder.appending(path: "phrases.json"), options: .atomic)
    }
    context.say("\(tokenizer.vocabularySize) tokens from \(count) captions")
  }

  func trainVQGAN(_ configuration: URL, phase: VQGANTrainee.Phase) throws {
    let config = try Configuration.read(VQGANTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem(size: context.data.size))
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let start =
      phase == .quantized
      ? try SafeTensors(contentsOf: product(.vqgan, "vqgan.safetensors"))
      : try start("vqgan.safetensors")
    let styled = try mixed(sets.train) {
      $0.styleFraction = config.styles
      $0.whiteFraction = config.white
    }
    let trainee = try VQGANTrainee(
      config, phase: phase, file: start, sets: styled,
      clip: config.perceptual > 0 ? clip() : nil,
      examples: PictureBatches.tensor(sets.heldOut, Array(0..<36)).pictures,
      device: context.device)
    let stage: Stage = phase == .continuous ? .vqgan : .decoder
    let (trainer, folder) = try train(trainee, config.schedule, stage, configuration)

    var weights = Dictionary(
      uniqueKeysWithValues: trainee.everything.map { ($0.key, $0.tensor.detached()) })
    for (key, tensor) in trainer.weights where weights[key] != nil { weights[key] = tensor }
    if phase == .continuous {
      for (parameter, average) in zip(trainee.parameters, trainer.weights) {
        parameter.tensor.assign(average.tensor)
      }
      let codebooks = fitCodebooks(trainee.model, config, styled)
      weights["quantize.embedding.weight"] = codebooks[0]
      for (i, codebook) in codebooks.dropFirst().enumerated() {
        weights["quantize.residual.\(i).weight"] = codebook
      }
    }
    try SafeTensors.write(weights, to: folder.appending(path: "vqgan.safetensors"))
  }

  /// The sets, corpora among them made otherwise; folders of images are what they are.
  private func mixed(
    _ sets: [any CaptionedDataset], _ change: (inout CorpusConfiguration) -> Void
  ) throws -> [any CaptionedDataset] {
    try sets.map { try ($0 as? Corpus)?.with(change) ?? $0 }
  }

  private func fitCodebooks(
    _ model: VQGAN, _ config: VQGANTrainee.Config, _ sets: [any CaptionedDataset]
  ) -> [Tensor] {
    let width = config.network.embed_dim
    let batches = PictureBatches(sets, device: context.device)
    let side = batches.size / config.network.factor
    // About a quarter of a million latents.
    let count = max(1, (1 << 18) / (64 * side * side))
    let latents = noGrad {
      (0..<count).map { i in
        // Indices far from those of training: the fit should not know its examples by heart.
        let x = batches(step: 1_000_000 + i, count: 64).pictures
        return autocast(context.precision, on: context.device) { model.encode(x) }
          .permuted(0, 2, 3, 1).reshaped(-1, width)
      }
    }
    return CodebookFitting.fit(
      concatenated(latents, over: 0), entries: config.network.n_embed,
      levels: config.network.levels, rounds: 12, seed: config.schedule.seed
    ) { level, round, error in
      context.say("codebook \(level + 1), round \(round + 1): mean squared error \(error)")
    }
  }

  func trainCLIP(_ configuration: URL, _ stage: Stage, file: SafeTensors?) throws {
    let config = try Configuration.read(CLIPTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    try check(tokenizer(), known: config.network.text.vocabSize)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let trainee = try CLIPTrainee(
      config, file: file, sets: sets.train, heldOut: sets.heldOut, tokenizer: tokenizer(),
      vqgan: config.reconstructed > 0 ? vqgan() : nil, device: context.device)
    try finish(trainee, config.schedule, stage, configuration, "clip.safetensors")
  }

  func trainDALLE(_ configuration: URL) throws {
    let config = try Configuration.read(DALLETrainee.Config.self, from: configuration)
    try check(config.schedule, config.network.problem)
    let sets = try sets(seed: config.schedule.seed, jitter: false)
    let vqgan = try vqgan()
    try check(
      config.schedule, config.problem(size: context.data.size, vqgan: vqgan.config))
    try check(tokenizer(), known: config.network.text_vocab_count)
    let set = try mixed([sets.train[0]]) {
      $0.bareSceneFraction = config.bareScenes
      $0.chatterFraction = config.chatter
    }
    let trainee = try DALLETrainee(
      config, file: start("dalle.safetensors"), set: set[0], heldOut: sets.heldOut,
      tokenizer: tokenizer(), vqgan: vqgan, prompts: sets.prompts, device: context.device)
    try finish(trainee, config.schedule, .dalle, configuration, "dalle.safetensors")
  }

  func trainDiffusion(_ configuration: URL) throws {
    let config = try Configuration.read(DiffusionTrainee.Config.self, from: configuration)
    let (vqgan, clip) = (try vqgan(.decoder), try clip())
    try check(config.schedule, config.problem(vqgan: vqgan.config, clip: clip.config))
    let size = config.network.size * vqgan.config.factor
    let sets = try sets(of: context.data.resized(size), seed: config.schedule.seed, jitter: false)
    let set = try mixed([sets.train[0]]) {
      $0.pairFraction = config.pairs
      $0.countFraction = config.counts
      $0.bareSceneFraction = config.bareScenes
      $0.sceneFraction = config.scenes
      $0.styleFraction = config.styles
      $0.chatterFraction = config.chatter
    }
    let trainee = try DiffusionTrainee(
      config, file: start("diffusion.safetensors"), set: set[0], vqgan: vqgan,
      clip: clip, tokenizer: tokenizer(), prompts: sets.prompts, device: context.device)
    try finish(trainee, config.schedule, .diffusion, configuration, "diffusion.safetensors")
  }

  func trainBigGAN(_ configuration: URL) throws {
    let config = try Configuration.read(BigGANTrainee.Config.self, from: configuration)
    try check(config.schedule, config.network.problem)
    let sets = try sets(
      of: context.data.resized(config.network.size), seed: config.schedule.seed, jitter: false)
    guard let corpus = sets.train[0] as? Corpus else {
      throw TrainingError.missing(
        "A BigGAN needs the emoji corpus: a folder of images has no concepts.")
    }
    guard config.network.num_classes == corpus.catalogue.concepts.count else {
      throw TrainingError.configuration(
        "The corpus has \(corpus.catalogue.concepts.count) concepts; give 'num_classes' so.")
    }
    let trainee = try BigGANTrainee(
      config, file: start("biggan.safetensors"), corpus: corpus, device: context.device)
    let (trainer, folder) = try train(trainee, config.schedule, .biggan, configuration)
    try SafeTensors.write(
      trainee.complete(trainer.weights), to: folder.appending(path: "biggan.safetensors"))
  }

  func trainUpscaler(_ configuration: URL) throws {
    let config = try Configuration.read(UpscalerTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem(size: context.data.size))
    let vqgan = config.reconstructed > 0 ? try vqgan(.decoder) : nil
    if let factor = vqgan?.config.factor, context.data.size % factor != 0 {
      try check(
        config.schedule,
        "pictures of \(context.data.size) pixels do not divide into codes of \(factor)")
    }
    let sets = try largeSets(seed: config.schedule.seed)
    let trainee = try UpscalerTrainee(
      config, file: start("upscaler.safetensors"), sets: sets.train,
      vqgan: vqgan,
      examples: PictureBatches.tensor(sets.heldOut, Array(0..<18)).pictures,
      device: context.device)
    try finish(trainee, config.schedule, .upscaler, configuration, "upscaler.safetensors")
  }

  /// The VQGAN as a stage left it; its codes do not depend on the `decoder` stage.
  private func vqgan(_ stage: Stage = .vqgan) throws -> VQGAN {
    let file = try product(stage, "vqgan.safetensors")
    let network =
      if let start = context.start?.vqgan,
        file == context.start?.folder.appending(path: file.lastPathComponent)
      {
        start
      } else {
        try Configuration.network(
          VQGAN.Config.self, from: file.deletingLastPathComponent().appending(path: "config.yaml"))
      }
    return try Checkpoint(SafeTensors(contentsOf: file)).build(device: context.device) {
      VQGAN($0, network)
    }
  }

  /// The CLIP as the `clip` stage left it.
  private func clip() throws -> CLIP {
    let file = try product(.clip, "clip.safetensors")
    let network =
      if let start = context.start?.clip,
        file == context.start?.folder.appending(path: file.lastPathComponent)
      {
        start
      } else {
        try Configuration.network(CLIP.Config.self, from: product(.clip, "config.yaml"))
      }
    guard network.vision.tower == .transformer else {
      throw TrainingError.configuration(
        "\(file.path) is no vision transformer, and 'perceptual' compares the features of one. "
          + "Set it to 0, or train a CLIP with: reverie train clip")
    }
    return try Checkpoint(SafeTensors(contentsOf: file)).build(device: context.device) {
      CLIP($0, network)
    }
  }

  func trainJudge(_ configuration: URL) throws {
    let config = try Configuration.read(JudgeTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let styled = try mixed(sets.train.filter { $0 is Corpus }) {
      $0.styleFraction = config.styles
      $0.whiteFraction = config.white
    }
    guard let catalogue = sets.concepts else {
      throw TrainingError.missing(
        "A judge needs the emoji corpus: a folder of images has no concepts.")
    }
    let file = try context.judge.map {
      try SafeTensors(contentsOf: $0.appending(path: "judge.safetensors"))
    }
    let trainee = try JudgeTrainee(
      config, file: file, sets: styled, heldOut: sets.heldOut, classes: .init(catalogue),
      device: context.device)
    try finish(trainee, config.schedule, .judge, configuration, "judge.safetensors")
    let description = Judge.Description(
      size: config.size, widths: config.widths, classes: .init(catalogue))
    try JSONEncoder().encode(description).write(
      to: context.folder.appending(path: Stage.judge.rawValue).appending(path: "judge.json"),
      options: .atomic)
  }
}
