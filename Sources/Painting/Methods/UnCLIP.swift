import Diffusion
import Foundation
import Imaging
import Library
import Models
import Tokenizers
import Torch

// unCLIP (Ramesh et al. 2022): a prior finds the embedding of a picture that a text is of, a decoder paints the
// picture of an embedding, an upsampler enlarges it.

extension Method {
  /// unCLIP, with Karlo's networks or the pack's.
  static let unCLIP = Method(
    "unclip", title: "unCLIP",
    "A prior finds CLIP's embedding of a picture that the text is of, and a diffusion model paints the picture "
      + "of that; pictures given as prompts are varied and blended (DALL·E 2's unCLIP, Ramesh and others, 2022; "
      + "Karlo, Lee and others, 2022)",
    aliases: ["karlo", "dalle2"],
    arguments: [
      .number(
        "conditionScale", 0...20, default: 2, "How strongly the embedding is followed"),
      .number("priorScale", 0...20, default: 4, "How strongly the prior follows the text"),
      .integer("priorSteps", 1...1000, default: 25, "Steps of the prior"),
      .integer(
        "priorSamples", 1...64, default: 1,
        "Embeddings that the prior finds, of which the one nearest to the text is taken (2 in the paper)"
      ),
      .model(
        "prior", "An installed prior instead of the model's own, such as LAION's"),
      .number(
        "difference", 0...1, default: 0.4,
        "How far a picture goes along the difference of two texts, what it is to become and, of negative weight, "
          + "what it is (a quarter to a half in the paper)"),
    ],
    defaults: ["iterations": .integer(25), "candidates": .integer(1)],
    components: [
      .init(
        "decoder", VDiffusion.architecture.id, title: "diffusion model",
        alternatives: [UnCLIPDecoder.architecture.id]),
      .init(
        "prior", UnCLIPPrior.architecture.id, title: "prior",
        alternatives: [DiffusionPrior.architecture.id]),
    ],
    takes: [.prompts, .steps, .model, .candidates, .firstNoise], films: [.morph],
    ofNetwork: { network in
      guard let config = network.config as? UnCLIPDecoder.Config else { return [:] }
      let side = config.size * UnCLIPPainting.enlargement
      return [
        "width": .integer(side), "height": .integer(side), "iterations": .integer(50),
        "conditionScale": .number(8),
      ]
    },
    preference: .init(9, "it varies pictures and goes between them"),
    calling: { request, resolver in
      let isOfPictures = request.unCLIPPrompts.allSatisfy {
        if case .image = $0.target { $0.weight > 0 } else { false }
      }
      guard isOfPictures, !request.unCLIPPrompts.isEmpty else { return nil }
      return .init(
        model: resolver.library.installed(UnCLIPDecoder.architecture).first,
        reason: "it varies pictures and goes between them")
    },
    size: { canvas in
      if let config = canvas.installed as? UnCLIPDecoder.Config {
        return .square(config.size * UnCLIPPainting.enlargement)
      }
      guard canvas.installed == nil, let own = canvas.pack.config(of: VDiffusion.self),
        let factor = canvas.pack.config(of: VQGAN.self)?.factor
      else { return canvas.asked }
      return .square(own.size * factor)
    },
    check: { request throws(RequestError) in
      if let objection = request.unCLIPObjection {
        throw .impossible(method: "unclip", reason: objection)
      }
      if (request.width ?? 256) != (request.height ?? 256) {
        throw .impossible(method: "unclip", reason: "its pictures are square; choose one --size")
      }
      if request.model != nil { try request.checkTimesteps() }
    },
    packProblem: { pack in
      guard let prior = pack.config(of: UnCLIPPrior.self) else { return nil }
      guard let clip = pack.config(of: CLIP.self), prior.clip_dim == clip.embedDim,
        prior.text_dim == clip.text.width, prior.text_ctx == clip.text.contextLength
      else { return "its prior is told what its CLIP does not tell" }
      return prior.hasStatistics ? nil : "its prior has no 'clip_mean' and 'clip_std'"
    }
  ) { context in
    let painting = try UnCLIPPainting(context)
    return try Ranked(
      DiffusionCascade(context, painting.stages(), start: painting.pictures), context)
  }
}

extension Metadata.Size {
  static func square(_ side: Int) -> Self { .init(width: side, height: side) }
}

extension Request {
  /// A network that was told a thousand timesteps takes no more steps.
  func checkTimesteps() throws(RequestError) {
    guard let iterations, iterations > 1000 else { return }
    throw .badValue(
      field: "iterations", reason: "must be at most 1000, the timesteps of this network")
  }

  /// The prompts of the picture; a request of several scenes is a film's.
  fileprivate var unCLIPPrompts: [Prompt] { (try? scenes())?.first ?? [] }

  /// Why the prompts are none that unCLIP paints; nil where they are.
  fileprivate var unCLIPObjection: String? {
    let prompts = unCLIPPrompts
    let away = prompts.filter { $0.weight < 0 }
    guard prompts.contains(where: { $0.weight > 0 }) else {
      return "it needs a text or a picture of positive weight"
    }
    guard away.count <= 1, away.allSatisfy({ $0.text != nil }) else {
      return "it keeps away from one text at most, and from no picture"
    }
    return prompts.allSatisfy { $0.region == .everywhere }
      ? nil : "its prompts have no regions"
  }
}

/// What unCLIP is told for a request, and the networks that are asked one after another.
struct UnCLIPPainting {
  /// How much larger Karlo's upsampler makes the decoder's pictures.
  static let enlargement = 4

  /// Embeddings of the pictures that are wanted, `[P, E]`; nil where none are.
  let pictures: Tensor?
  private let texts: [(text: PriorText, weight: Double)]
  private let weights: [Double]
  /// The CLIP that has read it.
  private let clip: CLIP.Config
  private let away: PriorText
  /// What embeddings are moved along, of length one, `[1, E]`, and how far.
  private let difference: (direction: Tensor, share: Double)?
  private let context: PipelineContext
  private let arguments: PartContext

  /// Reads what is wanted; the CLIP that reads it is let go again.
  init(_ context: PipelineContext) throws {
    self.context = context
    arguments = try context.arguments()
    let prompts = context.request.unCLIPPrompts
    let tower = try Self.tower(context)
    let (clip, tokenizer) = (tower.clip, tower.tokenizer)
    self.clip = clip.config
    func read(_ text: String) -> PriorText {
      let length = clip.config.text.contextLength
      let fitting = TowerText(text, tokenizer, length: length).text
      return noGrad { PriorText(clip, tokenizer([fitting], length: length).to(context.device)) }
    }
    let wanted = prompts.filter { $0.weight > 0 }
    let shown = wanted.filter { $0.text == nil }
    let told = wanted.compactMap { prompt in prompt.text.map { ($0, prompt.weight) } }
    let unwanted = prompts.first { $0.weight < 0 }?.text
    let embeddings = try shown.map { prompt in
      guard
        let found = try tower.wholeEmbedding(of: prompt.target, context.files, context.device)
      else {
        throw RequestError.badValue(
          field: "prompts",
          reason: "name an embedding that is not of '\(tower.id)', which tells the decoder")
      }
      return found
    }
    pictures = embeddings.isEmpty ? nil : concatenated(embeddings, over: 0)
    if let unwanted, !shown.isEmpty, let (text, _) = told.first {
      away = read("")
      let (to, from) = (read(text).embedding, read(unwanted).embedding)
      let share = arguments.number("difference")
      difference =
        share > 0 ? ((to.normalized() - from.normalized()).normalized(), share) : nil
      texts = []
    } else {
      away = read(unwanted ?? "")
      difference = nil
      texts = told.map { (read($0.0), $0.1) }
    }
    weights = shown.map(\.weight) + texts.map(\.weight)
    // A pack's is small, and ranks what is painted.
    if tower.id != "pack" { context.networks.release(CLIP.self, of: tower.id) }
  }

  /// The CLIP whose embeddings the decoder is told: the pack's; the model's own, or one that is alike.
  private static func tower(_ context: PipelineContext) throws -> Perceptor {
    let (networks, request) = (context.networks, context.request)
    guard let model = request.model else { return try networks.perceptor("pack", request) }
    let library = networks.provider.library
    let width = try library.config(UnCLIPDecoder.self, of: model).clip_dim
    let named = try request.clip.map { try Perceptor.Choice.parse($0).map(\.id) } ?? []
    // Many CLIPs have the sizes of OpenAI's, whose embeddings mean nothing to this decoder.
    let fitting = ([model] + named + library.installed(CLIP.architecture)).first { id in
      guard let clip = try? library.config(CLIP.self, of: id), clip.embedDim == width,
        clip.text.width == width
      else { return false }
      return id == model || named.contains(id) || clip.openAIName(id: id) == "ViT-L/14"
    }
    guard let fitting else {
      throw StoreError.nothing(
        path: model,
        reason: "it comes without the CLIP that tells its decoder what is wanted. Get it with: "
          + "reverie models pull openai-vit-l-14")
    }
    return try networks.perceptor(fitting, request)
  }

  /// The stages of a painting: a prior for each text, the decoder and, where there is one, the upsampler.
  func stages() throws -> [any CascadeStage] {
    let model = context.request.model
    let shown = pictures?.size(0) ?? 0
    let priors = try texts.enumerated().map {
      try prior(for: $1.text, of: model, before: shown + $0)
    }
    let (scale, steps) = (arguments.number("conditionScale"), context.request.iterations ?? 25)
    // Beside pictures a text would say something else than they show.
    let isOfTexts = pictures == nil && !texts.isEmpty
    let text = isOfTexts ? PriorText.between(texts.map { ($0.text, $0.weight) }) : away
    guard let model else {
      return priors + [
        try PackDecoderStage(
          context.networks, scale: scale, steps: steps,
          text: isOfTexts ? text.embedding.normalized() : nil, told: told)
      ]
    }
    let library = context.networks.provider.library
    let upsampler = try library.config(UnCLIPUpsampler.self, of: model)
    guard context.size.width % upsampler.unet.factor == 0 else {
      throw StoreError.nothing(
        path: model, reason: "its decoder and its upsampler do not go together")
    }
    return priors + [
      try UnCLIPDecoderStage(
        .init(UnCLIPDecoder.self, of: model, context.networks),
        side: library.config(UnCLIPDecoder.self, of: model).size, scale: scale, steps: steps,
        text: text, null: away,
        told: told),
      try UnCLIPUpsamplerStage(
        .init(UnCLIPUpsampler.self, of: model, context.networks), side: context.size.width),
    ]
  }

  /// What the decoder is told: of several embeddings `[K, E]` what lies between them on the sphere.
  private func told(_ embeddings: Tensor) -> Tensor {
    let rows = weights.indices.map { (embeddings[$0..<$0 + 1], weights[$0]) }
    let found = spherical(rows)
    guard let difference else { return found }
    let length = found.square().sum(over: [1], keepDims: true).sqrt()
    return spherical(found / length, difference.direction, difference.share) * length
  }

  /// - Parameters:
  ///   - tells: numbers of the embeddings that a prior finds.
  ///   - told: width of what it is told of a token.
  ///   - length: tokens of a text.
  private func check(_ prior: String, tells: Int, told: Int, length: Int) throws {
    guard tells == clip.embedDim, told == clip.text.width, length == clip.text.contextLength else {
      throw RequestError.badValue(
        field: "prior",
        reason:
          "of '\(prior)' finds embeddings of \(tells) numbers from texts of \(length) tokens, "
          + "\(told) wide, and the CLIP that tells the decoder has \(clip.embedDim), "
          + "\(clip.text.contextLength) and \(clip.text.width)")
    }
  }

  private func prior(
    for text: PriorText, of model: String?, before: Int
  ) throws -> any CascadeStage {
    let networks = context.networks
    let library = networks.provider.library
    let statistics = try model.flatMap {
      try library.embeddingStatistics(of: $0, on: context.device)
    }
    if let found = statistics?.clip_mean.size(1), found != clip.embedDim {
      throw StoreError.nothing(
        path: model ?? "",
        reason: "its \(UnCLIPPrior.statisticsFile) is of embeddings of \(found) numbers, "
          + "and its CLIP's have \(clip.embedDim)")
    }
    let way = PriorWay(
      text: text, null: away, scale: arguments.number("priorScale"),
      steps: arguments.integer("priorSteps"), samples: arguments.integer("priorSamples"))
    let named = arguments.text("prior")
    if let named, library.installed(DiffusionPrior.architecture).contains(named) {
      let config = try library.config(DiffusionPrior.self, of: named)
      try check(
        named, tells: config.dim, told: config.dim,
        length: min(config.max_text_len, clip.text.contextLength))
      guard let statistics else {
        throw RequestError.badValue(
          field: "prior",
          reason:
            "is '\(named)', which finds embeddings of length one: how long the decoder's are is not known "
            + "without \(UnCLIPPrior.statisticsFile) beside it; add '\(model ?? "pack")' again with that"
        )
      }
      let length = (statistics.clip_mean.square() + statistics.clip_std.square()).sum().sqrt()
      return try PriorStage(
        .init(DiffusionPrior.self, of: named, networks), way,
        width: config.dim, before: before,
        embedding: { _, x in x.normalized() * length })
    }
    let holder = named ?? model
    if holder == nil, networks.pack.config(of: UnCLIPPrior.self) == nil {
      throw PaintingError.notInPack(
        pack: networks.pack.manifest.id, what: "prior, which finds what a text shows")
    }
    if let holder {
      let config = try library.config(UnCLIPPrior.self, of: holder)
      try check(holder, tells: config.clip_dim, told: config.text_dim, length: config.text_ctx)
    }
    return try PriorStage(
      .init(UnCLIPPrior.self, of: holder, networks), way, width: clip.embedDim, before: before,
      embedding: { prior, x in
        guard let known = prior.statistics ?? statistics else {
          throw StoreError.nothing(
            path: holder ?? "pack",
            reason:
              "its prior comes without \(UnCLIPPrior.statisticsFile): add it again from a folder with that"
          )
        }
        return x * known.clip_std + known.clip_mean
      })
  }
}
