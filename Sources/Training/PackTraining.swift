import Foundation
import Imaging
import Models
import Painting
import Torch
import Weights

/// The trainings of a pack, each in a folder of its own under one run folder; later ones read what
/// earlier ones made.
///
/// | stage | needs | makes |
/// |---|---|---|
/// | `tokenizer` | | `tokenizer.json`, and `phrases.json` of the emoji corpus |
/// | `vqgan` | | `vqgan.safetensors` with fitted codebooks |
/// | `clip` | `tokenizer`, `vqgan` | `clip.safetensors` |
/// | `decoder` | `vqgan`, `clip` | `vqgan.safetensors` with a decoder tuned to the codes |
/// | `dalle` | `tokenizer`, `vqgan` | `dalle.safetensors` |
/// | `diffusion` | `tokenizer`, `vqgan`, `clip` | `diffusion.safetensors` |
/// | `biggan` | | `biggan.safetensors` |
/// | `upscaler` | `vqgan` | `upscaler.safetensors` |
/// | `judge` | | `judge.safetensors` |
/// | `judge-clip` | `tokenizer` | `clip.safetensors` of a CLIP that guides nothing |
public struct PackTraining {
  /// A stage's name.
  public enum Stage: String, CaseIterable, Sendable {
    case tokenizer, vqgan, clip, decoder, dalle, diffusion, biggan, upscaler, judge
    case judgeCLIP = "judge-clip"
  }

  /// Where pictures come from.
  public enum Data: Sendable {
    /// The emoji corpus of Debian's font, in squares of so many pixels.
    case emoji(size: Int)
    /// A folder of captioned images, resized to squares of so many pixels.
    case folder(URL, size: Int)

    var size: Int {
      switch self {
      case .emoji(let size), .folder(_, let size): size
      }
    }

    /// The same pictures at another size.
    func resized(_ size: Int) -> Data {
      switch self {
      case .emoji: .emoji(size: size)
      case .folder(let folder, _): .folder(folder, size: size)
      }
    }
  }

  /// What a stage needs to know besides its configuration.
  public struct Context {
    /// The folder that holds every stage's folder.
    public let folder: URL
    /// Where pictures come from.
    public let data: Data
    /// A pack whose networks new trainings start from, and that stands in for stages that have not run.
    public let start: Pack?
    /// Where to compute.
    public let device: Device
    /// In what type to compute.
    public let precision: DType
    /// Whether to stop at the next step.
    public let stop: () -> Bool
    /// Called after every step.
    public let report: (Trainer.Report) -> Void
    /// Called with a line to tell the user.
    public let say: (String) -> Void

    /// A context of these parts.
    public init(
      folder: URL, data: Data, start: Pack? = nil, device: Device, precision: DType,
      stop: @escaping () -> Bool, report: @escaping (Trainer.Report) -> Void,
      say: @escaping (String) -> Void
    ) {
      self.folder = folder
      self.data = data
      self.start = start
      self.device = device
      self.precision = precision
      self.stop = stop
      self.report = report
      self.say = say
    }
  }

  private let context: Context

  /// Trainings in a context.
  public init(_ context: Context) { self.context = context }

  /// Runs a stage from where its folder stands. Stopped early it leaves a checkpoint and whatever
  /// product it can make of the weights so far.
  /// - Parameter configuration: the stage's YAML file.
  public func run(_ stage: Stage, configuration: URL) throws {
    switch stage {
    case .tokenizer:
      try trainTokenizer(Configuration.read(TokenizerConfig.self, from: configuration))
    case .vqgan: try trainVQGAN(configuration, phase: .continuous)
    case .decoder: try trainVQGAN(configuration, phase: .quantized)
    case .clip: try trainCLIP(configuration, .clip, file: start("clip.safetensors"))
    case .dalle: try trainDALLE(configuration)
    case .diffusion: try trainDiffusion(configuration)
    case .biggan: try trainBigGAN(configuration)
    case .upscaler: try trainUpscaler(configuration)
    case .judge: try trainJudge(configuration)
    // A judge must owe nothing to what it judges: it always begins at random.
    case .judgeCLIP: try trainCLIP(configuration, .judgeCLIP, file: nil)
    }
  }

  /// Refuses sizes that would trap later on.
  private func check(_ schedule: Schedule, _ problem: String? = nil) throws {
    if let problem { throw TrainingError.configuration("The configuration: \(problem).") }
    guard schedule.steps > 0, (2...65_536).contains(schedule.batch) else {
      throw TrainingError.configuration(
        "'schedule': steps must be above 0 and batch from 2 to 65536.")
    }
  }

  /// Refuses networks that do not know all tokens.
  private func check(_ tokenizer: BPETokenizer, known: Int) throws {
    guard tokenizer.vocabularySize <= known else {
      throw TrainingError.configuration(
        "The tokenizer has \(tokenizer.vocabularySize) tokens and the network only \(known). "
          + "Raise the vocabulary in the configuration.")
    }
  }

  // MARK: Products of other stages

  /// What a stage made; where it has not run, the file of the same name in the pack to start from.
  private func product(_ stage: Stage, _ name: String) throws -> URL {
    let url = context.folder.appending(path: stage.rawValue).appending(path: name)
    if FileManager.default.fileExists(atPath: url.path) { return url }
    if let start = context.start, start.manifest.files[name] != nil {
      return start.folder.appending(path: name)
    }
    throw TrainingError.missing(
      "\(url.path) is missing. Make it with: reverie train \(stage.rawValue)")
  }

  /// The weights that a stage without a checkpoint begins with, where a pack was given for that.
  private func start(_ name: String) throws -> SafeTensors? {
    guard let pack = context.start, pack.manifest.files[name] != nil else { return nil }
    return try SafeTensors(contentsOf: pack.folder.appending(path: name))
  }

  private func tokenizer() throws -> BPETokenizer {
    try BPETokenizer(contentsOf: product(.tokenizer, "tokenizer.json"))
  }

  // MARK: Data

  /// Views of the data for a stage.
  private struct Sets {
    var train: [any CaptionedDataset]
    var heldOut: any CaptionedDataset
    var concepts: EmojiCatalogue?
    var prompts: [String]
  }

  /// - Parameters:
  ///   - data: other than the context's.
  ///   - jitter: objects anywhere and of any size, besides those on the token grid.
  private func sets(of data: Data? = nil, seed: UInt64, jitter: Bool) throws -> Sets {
    switch data ?? context.data {
    case .emoji(let size):
      var base = CorpusConfiguration.rich(size: size)
      base.seed = seed
      let corpus = try Corpus(configuration: base)
      let train: [any CaptionedDataset] =
        jitter ? [corpus, try corpus.with { $0.placement = .jitter }] : [corpus]
      let heldOut = try corpus.with(split: .heldOut)
      let prompts = (0..<48).map { heldOut.label($0).caption }
      return Sets(train: train, heldOut: heldOut, concepts: corpus.catalogue, prompts: prompts)
    case .folder(let folder, let size):
      let images = try ImageFolder(path: folder.path, size: size) { try Picture.read(from: $0) }
      let count = min(48, images.count ?? 48)
      let prompts = (0..<count).map { images.label($0).caption }
      return Sets(train: [images], heldOut: images, concepts: nil, prompts: prompts)
    }
  }

  /// The same at twice the size; of the emoji corpus what the font's bitmaps, of 128 pixels, are large
  /// enough for.
  private func largeSets(seed: UInt64) throws -> Sets {
    switch context.data {
    case .emoji(let size):
      var base = CorpusConfiguration.rich(size: 2 * size)
      base.seed = seed
      (base.pairFraction, base.countFraction, base.sizedFraction) = (0.55, 0.35, 0.1)
      let corpus = try Corpus(configuration: base)
      return Sets(
        train: [corpus], heldOut: try corpus.with(split: .heldOut), concepts: nil, prompts: [])
    case .folder(let folder, let size):
      let images = try ImageFolder(path: folder.path, size: 2 * size) {
        try Picture.read(from: $0)
      }
      return Sets(train: [images], heldOut: images, concepts: nil, prompts: [])
    }
  }

  // MARK: Stages

  /// The text vocabulary's size.
  struct TokenizerConfig: Codable {
    var seed: UInt64
    var vocabulary: Int
    var captions: Int
  }

  private func trainTokenizer(_ config: TokenizerConfig) throws {
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

  private func trainVQGAN(_ configuration: URL, phase: VQGANTrainee.Phase) throws {
    let config = try Configuration.read(VQGANTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem(size: context.data.size))
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let start =
      phase == .quantized
      ? try SafeTensors(contentsOf: product(.vqgan, "vqgan.safetensors"))
      : try start("vqgan.safetensors")
    let trainee = try VQGANTrainee(
      config, phase: phase, file: start, sets: sets.train,
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
      let codebooks = fitCodebooks(trainee.model, config, sets.train)
      weights["quantize.embedding.weight"] = codebooks[0]
      for (i, codebook) in codebooks.dropFirst().enumerated() {
        weights["quantize.residual.\(i).weight"] = codebook
      }
    }
    try SafeTensors.write(weights, to: folder.appending(path: "vqgan.safetensors"))
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

  private func trainCLIP(_ configuration: URL, _ stage: Stage, file: SafeTensors?) throws {
    let config = try Configuration.read(CLIPTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    try check(tokenizer(), known: config.network.text.vocabSize)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let trainee = try CLIPTrainee(
      config, file: file, sets: sets.train, heldOut: sets.heldOut, tokenizer: tokenizer(),
      vqgan: config.reconstructed > 0 ? vqgan() : nil, device: context.device)
    try finish(trainee, config.schedule, stage, configuration, "clip.safetensors")
  }

  private func trainDALLE(_ configuration: URL) throws {
    let config = try Configuration.read(DALLETrainee.Config.self, from: configuration)
    try check(config.schedule, config.network.problem)
    let sets = try sets(seed: config.schedule.seed, jitter: false)
    let vqgan = try vqgan()
    try check(
      config.schedule, config.problem(size: context.data.size, vqgan: vqgan.config))
    try check(tokenizer(), known: config.network.text_vocab_count)
    let trainee = try DALLETrainee(
      config, file: start("dalle.safetensors"), set: sets.train[0], heldOut: sets.heldOut,
      tokenizer: tokenizer(), vqgan: vqgan, prompts: sets.prompts, device: context.device)
    try finish(trainee, config.schedule, .dalle, configuration, "dalle.safetensors")
  }

  private func trainDiffusion(_ configuration: URL) throws {
    let config = try Configuration.read(DiffusionTrainee.Config.self, from: configuration)
    let (vqgan, clip) = (try vqgan(.decoder), try clip())
    try check(config.schedule, config.problem(vqgan: vqgan.config, clip: clip.config))
    let size = config.network.size * vqgan.config.factor
    let sets = try sets(of: context.data.resized(size), seed: config.schedule.seed, jitter: false)
    let mixed = try (sets.train[0] as? Corpus)?.with {
      $0.pairFraction = config.pairs
      $0.countFraction = config.counts
      $0.sceneFraction = config.scenes
      $0.styleFraction = config.styles
    }
    let trainee = try DiffusionTrainee(
      config, file: start("diffusion.safetensors"), set: mixed ?? sets.train[0], vqgan: vqgan,
      clip: clip, tokenizer: tokenizer(), prompts: sets.prompts, device: context.device)
    try finish(trainee, config.schedule, .diffusion, configuration, "diffusion.safetensors")
  }

  private func trainBigGAN(_ configuration: URL) throws {
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

  private func trainUpscaler(_ configuration: URL) throws {
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
        try Configuration.read(
          VQGANTrainee.Config.self,
          from: file.deletingLastPathComponent().appending(path: "config.yaml")
        ).network
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
        try Configuration.read(CLIPTrainee.Config.self, from: product(.clip, "config.yaml")).network
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

  private func trainJudge(_ configuration: URL) throws {
    let config = try Configuration.read(JudgeTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    guard let catalogue = sets.concepts else {
      throw TrainingError.missing(
        "A judge needs the emoji corpus: a folder of images has no concepts.")
    }
    let trainee = try JudgeTrainee(
      config, sets: sets.train, heldOut: sets.heldOut, classes: .init(catalogue),
      device: context.device)
    try finish(trainee, config.schedule, .judge, configuration, "judge.safetensors")
    let description = Judge.Description(
      size: config.size, widths: config.widths, classes: .init(catalogue))
    try JSONEncoder().encode(description).write(
      to: context.folder.appending(path: Stage.judge.rawValue).appending(path: "judge.json"),
      options: .atomic)
  }

  // MARK: Running

  private func train(
    _ trainee: any Trainee, _ schedule: Schedule, _ stage: Stage, _ configuration: URL
  ) throws -> (Trainer, URL) {
    let folder = context.folder.appending(path: stage.rawValue)
    let run = try TrainingRun(
      folder: folder, configuration: String(contentsOf: configuration, encoding: .utf8))
    let count = trainee.parameters.map(\.tensor.count).reduce(0, +)
    context.say("\(stage.rawValue): \(count) parameters, \(context.precision) on \(context.device)")
    let trainer = Trainer(
      trainee, schedule, run: run, precision: context.precision, device: context.device)
    try trainer.train(until: context.stop, report: context.report)
    return (trainer, folder)
  }

  private func finish(
    _ trainee: any Trainee, _ schedule: Schedule, _ stage: Stage, _ configuration: URL,
    _ name: String
  ) throws {
    let (trainer, folder) = try train(trainee, schedule, stage, configuration)
    // What only criticised while training has done its work.
    let weights = trainer.weights.filter { !$0.key.hasPrefix("discriminator.") }
    try SafeTensors.write(
      Dictionary(uniqueKeysWithValues: weights), to: folder.appending(path: name))
  }
}
