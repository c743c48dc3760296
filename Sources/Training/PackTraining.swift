import Foundation
import Imaging
import Models
import Painting
import Tokenizers
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
/// | `prior` | `tokenizer`, `clip` | `prior.safetensors` |
/// | `biggan` | | `biggan.safetensors` |
/// | `upscaler` | `vqgan` | `upscaler.safetensors` |
/// | `dvae` | | `dvae-encoder.safetensors` and `dvae-decoder.safetensors` |
/// | `damsm` | `tokenizer` | `attngan-text.safetensors`, and `damsm.safetensors` for the stage `attngan` |
/// | `attngan` | `tokenizer`, `damsm` | `attngan.safetensors` |
/// | `judge` | | `judge.safetensors` |
/// | `judge-clip` | `tokenizer` | `clip.safetensors` of a CLIP that guides nothing |
public struct PackTraining {
  /// A stage's name.
  public enum Stage: String, CaseIterable, Sendable {
    case tokenizer, vqgan, clip, decoder, dalle, diffusion, prior, biggan, upscaler, dvae, damsm,
      attngan, judge
    case judgeCLIP = "judge-clip"

    /// The networks of a pack: the file of each, and the stages that make it, the best first.
    static let makers: [(architecture: Architecture.ID, file: String, stages: [Stage])] = [
      (CLIP.architecture.id, "clip.safetensors", [.clip]),
      (VQGAN.architecture.id, "vqgan.safetensors", [.decoder, .vqgan]),
      (DALLEBart.architecture.id, "dalle.safetensors", [.dalle]),
      (VDiffusion.architecture.id, "diffusion.safetensors", [.diffusion]),
      (UnCLIPPrior.architecture.id, "prior.safetensors", [.prior]),
      (BigGAN.architecture.id, "biggan.safetensors", [.biggan]),
      (RRDBNet.architecture.id, "upscaler.safetensors", [.upscaler]),
      (DVAEEncoder.architecture.id, "dvae-encoder.safetensors", [.dvae]),
      (DVAEDecoder.architecture.id, "dvae-decoder.safetensors", [.dvae]),
      (AttnGANText.architecture.id, "attngan-text.safetensors", [.damsm]),
      (AttnGAN.architecture.id, "attngan.safetensors", [.attngan]),
    ]

    /// The file of a network that stages make; empty where none does.
    static func file<N: Network>(of type: N.Type) -> String {
      makers.first { $0.architecture == N.architecture.id }?.file ?? ""
    }
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
    /// Drawings of the emoji by other hands; nil to show the font's alone.
    public let art: ArtFolder?
    /// The folder of a judge whose weights a new training of the judge starts from.
    public let judge: URL?
    /// Where to compute.
    public let device: Device
    /// In what type to compute.
    public let precision: DType
    /// The processes that train together.
    public let group: ProcessGroup
    /// Whether to stop at the next step.
    public let stop: () -> Bool
    /// Called after every step.
    public let report: (Trainer.Report) -> Void
    /// Called with a line to tell the user.
    public let say: (String) -> Void

    /// A context of these parts.
    public init(
      folder: URL, data: Data, art: ArtFolder? = nil, start: Pack? = nil, judge: URL? = nil,
      device: Device,
      precision: DType, group: ProcessGroup = ProcessGroup(),
      stop: @escaping () -> Bool, report: @escaping (Trainer.Report) -> Void,
      say: @escaping (String) -> Void
    ) {
      self.folder = folder
      self.data = data
      self.art = art
      self.start = start
      self.judge = judge
      self.device = device
      self.precision = precision
      self.group = group
      self.stop = stop
      self.report = report
      self.say = say
    }
  }

  let context: Context

  /// Trainings in a context.
  public init(_ context: Context) { self.context = context }

  /// Runs a stage from where its folder stands. Stopped early it leaves a checkpoint and whatever
  /// product it can make of the weights so far.
  /// - Parameter configuration: the stage's YAML file.
  public func run(_ stage: Stage, configuration: URL) throws {
    guard context.group.size == 1 || Self.shared.contains(stage) else {
      throw TrainingError.group(
        "The stage '\(stage.rawValue)' trains in one process. Of several make use: "
          + Self.shared.map(\.rawValue).joined(separator: ", ") + ".")
    }
    switch stage {
    case .tokenizer:
      try trainTokenizer(Configuration.read(TokenizerConfig.self, from: configuration))
    case .vqgan: try trainVQGAN(configuration, phase: .continuous)
    case .decoder: try trainVQGAN(configuration, phase: .quantized)
    case .clip: try trainCLIP(configuration, .clip, file: start("clip.safetensors"))
    case .dalle: try trainDALLE(configuration)
    case .diffusion: try trainDiffusion(configuration)
    case .prior: try trainPrior(configuration)
    case .biggan: try trainBigGAN(configuration)
    case .upscaler: try trainUpscaler(configuration)
    case .dvae: try trainDVAE(configuration)
    case .damsm: try trainDAMSM(configuration)
    case .attngan: try trainAttnGAN(configuration)
    case .judge: try trainJudge(configuration)
    // A judge must owe nothing to what it judges: it always begins at random.
    case .judgeCLIP: try trainCLIP(configuration, .judgeCLIP, file: nil)
    }
  }

  /// The stages whose batches are shared among processes: their losses are means over examples, or gather what they
  /// compare.
  static let shared: [Stage] = [.clip, .dalle, .diffusion, .prior, .dvae, .judgeCLIP]

  /// Refuses sizes that would trap later on.
  func check(_ schedule: TrainingSchedule, _ problem: String? = nil) throws {
    if let problem { throw TrainingError.configuration("The configuration: \(problem).") }
    guard schedule.steps > 0, (2...65_536).contains(schedule.batch) else {
      throw TrainingError.configuration(
        "'schedule': steps must be above 0 and batch from 2 to 65536.")
    }
    guard schedule.batch % context.group.size == 0 else {
      throw TrainingError.configuration(
        "'schedule': a batch of \(schedule.batch) cannot be shared evenly among "
          + "\(context.group.size) processes.")
    }
    guard [schedule.beta1 ?? 0, schedule.beta2].allSatisfy((0..<1).contains) else {
      throw TrainingError.configuration("'schedule': beta1 and beta2 must be from 0 to below 1.")
    }
  }

  /// Refuses networks that do not know all tokens.
  func check(_ tokenizer: CLIPTokenizer, known: Int) throws {
    guard tokenizer.vocabularySize <= known else {
      throw TrainingError.configuration(
        "The tokenizer has \(tokenizer.vocabularySize) tokens and the network only \(known). "
          + "Raise the vocabulary in the configuration.")
    }
  }

  // MARK: Products of other stages

  /// What a stage made; where it has not run, the file of the same name in the pack to start from.
  func product(_ stage: Stage, _ name: String) throws -> URL {
    let url = context.folder.appending(path: stage.rawValue).appending(path: name)
    if FileManager.default.fileExists(atPath: url.path) { return url }
    if let start = context.start, start.manifest.files[name] != nil {
      return start.folder.appending(path: name)
    }
    throw TrainingError.missing(
      "\(url.path) is missing. Make it with: reverie train \(stage.rawValue)")
  }

  /// The weights that a stage without a checkpoint begins with, where a pack was given for that.
  func start(_ name: String) throws -> SafeTensors? {
    guard let pack = context.start, pack.manifest.files[name] != nil else { return nil }
    return try SafeTensors(contentsOf: pack.folder.appending(path: name))
  }

  func tokenizer() throws -> CLIPTokenizer {
    try CLIPTokenizer(contentsOf: product(.tokenizer, "tokenizer.json"))
  }

  // MARK: Data

  /// Views of the data for a stage.
  struct Sets {
    var train: [any CaptionedDataset]
    var heldOut: any CaptionedDataset
    var concepts: EmojiCatalogue?
    var prompts: [String]
  }

  /// The hands that pictures of the emoji corpus are of.
  private var arts: [ArtSet] { [.noto] + (context.art?.sets ?? []) }

  /// - Parameters:
  ///   - data: other than the context's.
  ///   - jitter: objects anywhere and of any size, besides those on the token grid.
  func sets(of data: Data? = nil, seed: UInt64, jitter: Bool) throws -> Sets {
    switch data ?? context.data {
    case .emoji(let size):
      var base = CorpusConfiguration.world(size: size, arts: arts)
      base.seed = seed
      let corpus = try Corpus(configuration: base, folder: context.art)
      // Other examples than the first's, lest each caption be in a batch twice.
      let train: [any CaptionedDataset] =
        jitter
        ? [corpus, try corpus.with { ($0.placement, $0.seed) = (.jitter, seed ^ 0x6a17_7e6d) }]
        : [corpus]
      let heldOut = try corpus.with(split: .heldOut)
      let prompts = (0..<48).map { heldOut.label($0).caption }
      return Sets(train: train, heldOut: heldOut, concepts: corpus.catalogue, prompts: prompts)
    case .folder(let folder, let size):
      let images = try images(in: folder, size: size)
      let count = min(48, images.count ?? 48)
      let prompts = (0..<count).map { images.label($0).caption }
      return Sets(train: [images], heldOut: images, concepts: nil, prompts: prompts)
    }
  }

  /// A folder's pictures; how many there are and what was left out is told.
  private func images(in folder: URL, size: Int) throws -> ImageFolder {
    let images = try ImageFolder(path: folder.path, size: size) { try Picture.read(from: $0) }
    images.summary.forEach(context.say)
    return images
  }

  /// The same at twice the size; of the emoji corpus what the font's bitmaps, of 128 pixels, are large
  /// enough for.
  func largeSets(seed: UInt64) throws -> Sets {
    switch context.data {
    case .emoji(let size):
      var base = CorpusConfiguration.world(size: 2 * size, arts: arts)
      base.seed = seed
      base.wornFraction = 0
      (base.pairFraction, base.countFraction, base.sizedFraction) = (0.55, 0.35, 0.1)
      let corpus = try Corpus(configuration: base, folder: context.art)
      return Sets(
        train: [corpus], heldOut: try corpus.with(split: .heldOut), concepts: nil, prompts: [])
    case .folder(let folder, let size):
      let images = try images(in: folder, size: 2 * size)
      return Sets(train: [images], heldOut: images, concepts: nil, prompts: [])
    }
  }

  // MARK: Running

  /// Opens a stage's folder.
  /// - Parameters:
  ///   - config: what was read from the file `configuration`.
  ///   - data: where the stage's pictures come from, other than the context's.
  func open(
    _ stage: Stage, _ config: some Codable, _ configuration: URL, data: Data? = nil
  ) throws -> TrainingRun {
    let data = data ?? context.data
    var options = ["--size": String(data.size)]
    switch data {
    case .emoji:
      options["--data"] = "the emoji corpus"
      options["--art"] = arts.map(\.rawValue).joined(separator: ", ")
    case .folder(let folder, _): options["--data"] = folder.standardizedFileURL.path
    }
    let text = try RegularFile.text(at: configuration)
    // Folders may lie elsewhere on another machine.
    let given = options.filter { $0.value.first != "/" }.sorted { $0.key < $1.key }
    try context.group.check(same: "\(stage) \(given) \(context.precision) \(text)")
    return try TrainingRun(
      folder: context.folder.appending(path: stage.rawValue), configuration: config, text: text,
      options: options, isFollowing: !context.group.isFirst)
  }

  func train(
    _ trainee: any Trainee, _ schedule: TrainingSchedule, _ run: TrainingRun
  ) throws -> Trainer {
    let stage = run.folder.lastPathComponent
    let count = trainee.parameters.map(\.tensor.count).reduce(0, +)
    let processes = context.group.size == 1 ? "" : ", \(context.group.size) processes"
    context.say(
      "\(stage): \(count) parameters, \(context.precision) on \(context.device)\(processes)")
    let trainer = Trainer(
      trainee, schedule, run: run, precision: context.precision, device: context.device,
      group: context.group)
    try trainer.train(until: context.stop, report: context.report)
    return trainer
  }

  /// - Parameter others: weights of the product that were not trained.
  func finish(
    _ trainee: any Trainee, _ schedule: TrainingSchedule, _ run: TrainingRun, _ name: String,
    besides others: [(key: String, tensor: Tensor)] = []
  ) throws {
    let trainer = try train(trainee, schedule, run)
    // What only criticised while training has done its work.
    let weights = trainer.weights.filter { !$0.key.hasPrefix("discriminator.") } + others
    guard context.group.isFirst else { return }
    try SafeTensors.write(
      Dictionary(uniqueKeysWithValues: weights), to: run.folder.appending(path: name))
  }
}
