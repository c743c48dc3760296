import Diffusion
import Foundation
import Imaging
import Library
import Models
import Tokenizers
import Torch

// GLIDE (Nichol et al. 2021): a diffusion model that reads the text draws small, a second one enlarges. Both may
// know of a hole to fill.

extension Method {
  /// GLIDE.
  static let glide = Method(
    "glide", title: "GLIDE",
    "A diffusion model that reads the text draws a small picture and another one enlarges it; those trained for "
      + "holes fill what a mask leaves open (GLIDE, Nichol and others, 2021)",
    arguments: [
      .number("conditionScale", 0...20, default: 3, "How strongly the text is followed"),
      .number(
        "clipGuidance", 0...100, default: 0,
        "How strongly the noised CLIP steers, where it is installed with the model; its authors use 3, at a "
          + "conditionScale of 1"),
      .number(
        "upsampleTemperature", 0...2, default: 0.997,
        "How much noise there is before the picture is enlarged: 1 is sharper, less is smoother"),
      .text(
        "upsampleRespacing", default: "fast27",
        "Which of a thousand timesteps the picture is enlarged at, as in fast27, 100 or 10,10,3,2,2"
      ),
    ],
    defaults: ["iterations": .integer(100), "candidates": .integer(1)],
    components: [
      .init("base", GLIDE.architecture.id, title: "GLIDE"),
      .init("upsampler", GLIDEUpsampler.architecture.id, title: "upsampler of GLIDE"),
    ],
    takes: [
      .prompts, .steps, .model, .candidates, .firstNoise, .initialImage, .filters,
    ], films: [.morph],
    ofNetwork: { network in
      guard let config = network.config as? GLIDE.Config else { return [:] }
      let side = config.size * enlargement
      return [
        "width": .integer(side), "height": .integer(side),
        // The scales of their notebooks.
        "conditionScale": .number(config.fillsHoles ? 5 : 3),
      ]
    },
    preference: .init(10, "it reads the text itself"),
    calling: { request, resolver in
      guard request.filters?.contains(where: { $0.name == "inpaint" }) == true else { return nil }
      return resolver.library.installed(GLIDE.architecture).first {
        (try? resolver.library.config(GLIDE.self, of: $0).fillsHoles) == true
      }.map { .init(model: $0, reason: "it was trained to fill holes") }
    },
    size: { canvas in
      guard
        let side = (canvas.installed as? GLIDE.Config ?? canvas.pack.config(of: GLIDE.self))?.size
      else { return canvas.asked }
      return .square(side * enlargement)
    },
    check: { request throws(RequestError) in
      if let objection = request.glideObjection {
        throw .impossible(method: "glide", reason: objection)
      }
      if (request.width ?? 256) != (request.height ?? 256) {
        throw .impossible(method: "glide", reason: "its pictures are square; choose one --size")
      }
      try request.checkTimesteps()
      guard case .string(let text) = request.arguments["upsampleRespacing"] else { return }
      do {
        _ = try Respacing(text).timesteps(of: 1000)
      } catch {
        throw .badValue(field: "upsampleRespacing", reason: "is of no use. \(error)")
      }
    },
    packProblem: { pack in
      let (base, upsampler) = (pack.config(of: GLIDE.self), pack.config(of: GLIDEUpsampler.self))
      guard base != nil || upsampler != nil else { return nil }
      return base.map { $0.size * enlargement } == upsampler?.size
        ? nil : "its GLIDE and the upsampler of it do not go together"
    }
  ) { context in
    let painting = try GLIDEPainting(context)
    return try Ranked(
      DiffusionCascade(context, painting.stages(), finish: painting.finish), context)
  }

  /// How much larger the upsampler makes the pictures.
  private static let enlargement = 4
}

extension Request {
  /// Why the request is none that GLIDE paints; nil where it is.
  fileprivate var glideObjection: String? {
    guard let scenes = try? scenes() else { return nil }
    for prompts in scenes {
      guard prompts.allSatisfy({ $0.text != nil && $0.region == .everywhere }) else {
        return "it reads texts alone, of the whole picture"
      }
      guard prompts.contains(where: { $0.weight > 0 }) else {
        return "it needs a text of positive weight"
      }
    }
    let names = (filters ?? []).map(\.name)
    guard names.isEmpty || names == ["inpaint"] else {
      return "of filters it knows inpaint alone, once"
    }
    return (initImage == nil) == names.isEmpty && initNoise == nil
      ? nil
      : "a picture to begin from goes with a mask that says where it is painted (--filter inpaint), and both "
        + "together only"
  }
}

/// What GLIDE is told for a request, and its networks.
private struct GLIDEPainting {
  private let context: PipelineContext
  private let arguments: PartContext
  /// An installed model; nil is the pack.
  private let model: String?
  /// Several are composed (Liu et al., "Compositional Visual Generation with Composable Diffusion Models", 2022).
  private let texts: [(text: String, weight: Double)]
  /// What stands around a hole, at the painting's size, and what gives it its pixels back; nil where there is none.
  private let hole: (kept: Kept, filters: [any Filter])?

  init(_ context: PipelineContext) throws {
    self.context = context
    arguments = try context.arguments()
    texts = try context.request.scenes()[0].compactMap { prompt in
      prompt.text.map { ($0, prompt.weight) }
    }
    let filters = try GuidanceMaker(context: context).filters()
    hole = filters.lazy.compactMap { ($0 as? any Keeping)?.kept }.first.map { ($0, filters) }
    let networks = context.networks
    let library = networks.provider.library
    if context.request.model == nil, networks.pack.config(of: GLIDE.self) != nil {
      model = nil
    } else {
      let fills = hole != nil
      let installed = library.installed(GLIDE.architecture)
      let fitting = installed.first {
        (try? library.config(GLIDE.self, of: $0).fillsHoles) == fills
      }
      model = try context.request.model ?? fitting ?? library.first(GLIDE.architecture)
    }
    let config =
      try model.map { try library.config(GLIDE.self, of: $0) }
      ?? networks.pack.config(of: GLIDE.self)
    if hole != nil, config?.fillsHoles == false {
      throw RequestError.badValue(
        field: "model",
        reason:
          "'\(model ?? "pack")' was not trained to fill holes. Get the networks that were with: "
          + "reverie models pull glide-inpaint, and name them with --model glide-inpaint")
    }
  }

  func finish(_ picture: Picture) throws -> Picture {
    try (hole?.filters ?? []).reduce(picture) {
      try ($1 as? any FinishingFilter)?.finish($0) ?? $0
    }
  }

  func stages() throws -> [any CascadeStage] {
    let networks = context.networks
    let library = networks.provider.library
    let configs = (
      try model.map { try library.config(GLIDE.self, of: $0) }
        ?? networks.pack.config(of: GLIDE.self),
      try model.map { try library.config(GLIDEUpsampler.self, of: $0) }
        ?? networks.pack.config(of: GLIDEUpsampler.self)
    )
    guard let base = configs.0, let upsampler = configs.1 else {
      throw PaintingError.notInPack(pack: networks.pack.manifest.id, what: "GLIDE")
    }
    guard upsampler.text_ctx == base.text_ctx, upsampler.n_vocab == base.n_vocab,
      upsampler.fillsHoles == base.fillsHoles, upsampler.size % upsampler.unet.factor == 0,
      upsampler.size == context.size.width
    else {
      throw StoreError.nothing(
        path: model ?? networks.pack.manifest.id,
        reason: "its GLIDE and the upsampler of it do not go together")
    }
    let scale = arguments.number("conditionScale")
    let tokenizer = try tokenizer(base)
    func tokens(_ text: String) -> GLIDEStage.Tokens {
      let (ids, mask) = tokenizer.padded(text, length: base.text_ctx)
      return (
        Tensor(ids, [1, ids.count]).to(context.device),
        Tensor(mask.map { $0 ? 1 : 0 } as [Float], [1, ids.count]).to(context.device)
      )
    }
    let conds = texts.map { (tokens: tokens($0.text), weight: $0.weight) }
    let wanted = conds.filter { $0.weight > 0 }
    let sum = wanted.reduce(0) { $0 + $1.weight }
    let nothing = tokens("")
    let (small, model) = (StageNetwork(GLIDE.self, of: model, networks), model)
    return [
      GLIDEStage(
        .init(open: small.open) {
          small.release()
          networks.release(NoisedCLIPImageEncoder.self, of: model)
        }, "base", base,
        try schedule(DiscreteSchedule.squaredCosine(), "\(context.request.iterations ?? 100)"),
        DDPM(), conds: conds.map { ($0.tokens, $0.weight * scale) }, null: nothing,
        hole: around(base.size, of: base.size), steering: try steering()),
      GLIDEStage(
        StageNetwork(GLIDEUpsampler.self, of: model, networks).map(\.network), "upsampler",
        upsampler,
        try schedule(.linear(), arguments.text("upsampleRespacing") ?? "fast27"),
        // Around a hole their notebook draws noise anew.
        hole == nil ? DDIM() as any Sampler : DDPM(),
        conds: wanted.map { ($0.tokens, $0.weight / sum) }, null: nothing,
        temperature: arguments.number("upsampleTemperature"),
        hole: around(upsampler.size, of: base.size)),
    ]
  }

  private func schedule(_ schedule: DiscreteSchedule, _ respacing: String) throws -> [NoiseLevel] {
    schedule.levels(
      try Respacing(respacing).timesteps(of: schedule.alphasCumprod.count))
  }

  private func tokenizer(_ config: GLIDE.Config) throws -> any Tokenizer {
    guard let model else { return try context.networks.tokenizer() }
    return try context.networks.provider.library.byteTokenizer(
      of: model, .glide, size: config.n_vocab)
  }

  /// The hole at a stage's size: of the small picture a pixel is open where any of those that it stands for is, of
  /// the large one those are that such a pixel stands for.
  private func around(_ side: Int, of small: Int) -> GLIDE.Hole? {
    guard let kept = hole?.kept else { return nil }
    return noGrad {
      let open = kept.open.adaptiveMaxPooled(small, small)
      let known = open.less(than: 0.5).to(.float32).resampled(side, side, .nearest)
      let picture = kept.picture.resampled(side, side, .bicubic, antialias: true)
      return GLIDE.Hole(
        picture: (picture.clamped(0, 1) * 2 - 1).to(context.device), known: known.to(context.device)
      )
    }
  }

  /// The gradient of the noised CLIP; nil where it does not count.
  private func steering() throws -> (scale: Double, condFn: CondFn)? {
    let scale = arguments.number("clipGuidance")
    guard scale > 0 else { return nil }
    let (networks, device) = (context.networks, context.device)
    let library = networks.provider.library
    guard let model, library.installed(NoisedCLIPTextEncoder.architecture).contains(model) else {
      throw RequestError.badValue(
        field: "clipGuidance",
        reason:
          "needs GLIDE's noised CLIP: add the model again with clip_text_enc.pt and clip_image_enc.pt"
      )
    }
    let (image, text) = (
      try library.config(NoisedCLIPImageEncoder.self, of: model),
      try library.config(NoisedCLIPTextEncoder.self, of: model)
    )
    let base = try library.config(GLIDE.self, of: model)
    guard image.n_embd == text.n_embd, image.image_size == base.size, image.n_timestep >= 1000
    else {
      throw StoreError.nothing(path: model, reason: "its noised CLIP is of another GLIDE")
    }
    let encoder = try networks.network(NoisedCLIPTextEncoder.self, of: model, packs: false)
    let tokenizer = try library.noisedCLIPTokenizer(of: model)
    guard tokenizer.vocabularySize <= text.n_vocab else {
      throw StoreError.nothing(
        path: model, reason: "its noised CLIP knows fewer words than its vocabulary has")
    }
    let read = texts.map { text, weight in
      let (ids, mask) = tokenizer.padded(text, length: encoder.config.max_text_len)
      return noGrad {
        encoder(
          Tensor(ids, [1, ids.count]).to(device),
          lengths: Tensor([mask.count { $0 }], [1]).to(device)) * weight
      }
    }
    let wanted = read.dropFirst().reduce(read[0], +)
    networks.release(NoisedCLIPTextEncoder.self, of: model)
    return (
      scale,
      { x, level, found in
        let perceptor = try networks.network(NoisedCLIPImageEncoder.self, of: model, packs: false)
        return try perceptor.condFn(wanted)(x, level, found)
      }
    )
  }
}

extension NoisedCLIPImageEncoder {
  /// The gradient of how near noised pictures are to what is wanted.
  /// - Parameter wanted: embeddings of length one or their sum, `[1, E]`.
  func condFn(_ wanted: Tensor) -> CondFn {
    { x, level, _ in
      let timesteps = Tensor([Int(level.t)], [1]).to(x.device)
      let sum = (self(x, timesteps: timesteps) * wanted).sum() * NoisedCLIP.logitScale
      return gradient(of: sum, at: [x])[0]
    }
  }
}

/// One of GLIDE's networks on its way from noise to a picture.
final class GLIDEStage: CascadeStage {
  /// Of a text, `[1, T]`, and 1 where one is the text's, `[1, T]`.
  typealias Tokens = (ids: Tensor, mask: Tensor)

  let name: String
  let levels: [NoiseLevel]
  let shape: [Int]
  let sampler: any Sampler
  let temperature: Double
  private let conds: [(tokens: Tokens, weight: Double)]
  private let null: Tokens
  private let hole: GLIDE.Hole?
  private let steering: (scale: Double, condFn: CondFn)?
  private let network: StageNetwork<GLIDE>

  /// - Parameters:
  ///   - conds: what it is told.
  ///   - null: what it is told for nothing.
  ///   - steering: what else moves it.
  init(
    _ network: StageNetwork<GLIDE>, _ name: String, _ config: GLIDE.Config, _ levels: [NoiseLevel],
    _ sampler: any Sampler,
    conds: [(tokens: Tokens, weight: Double)], null: Tokens, temperature: Double = 1,
    hole: GLIDE.Hole?,
    steering: (scale: Double, condFn: CondFn)? = nil
  ) {
    self.network = network
    (self.name, self.levels, self.sampler) = (name, levels, sampler)
    (self.conds, self.null, self.temperature) = (conds, null, temperature)
    (self.hole, self.steering) = (hole, steering)
    shape = [1, 3, config.size, config.size]
  }

  func denoiser(after earlier: Tensor?) throws -> any Denoiser {
    let network = try network.open()
    let hole = hole
    func read(_ tokens: Tokens) -> GLIDE.Text { network.read(tokens.ids, mask: tokens.mask) }
    let told = conds.map { (cond: read($0.tokens), weight: $0.weight) }
    let base = NetworkDenoiser<GLIDE.Text>(.epsAndVariance, conds: told, null: read(null)) {
      (x: Tensor, t: Tensor, texts: [GLIDE.Text]) -> Tensor in
      let small = earlier?.repeatedRows(texts.count)
      return network(
        x, timesteps: t, text: .init(texts), small: small, hole: hole?.repeated(texts.count))
    }
    var found: any Denoiser = base
    if let hole {
      let (open, around) = (1 - hole.known, hole.picture * hole.known)
      found = ChangedDenoiser(base: found) { x0 in x0 * open + around }
    }
    found = found.thresholded(.static(1))
    guard let steering else { return found }
    return found.guided(steering.scale, through: .direct, by: steering.condFn)
  }

  /// As a picture of bytes would hold it.
  func made(_ x: Tensor, after earlier: Tensor?) throws -> Tensor {
    ((x + 1) * 127.5).round() / 127.5 - 1
  }

  func release() { network.release() }
}

extension GLIDE.Hole {
  /// One hole, for each of so many rows.
  fileprivate func repeated(_ count: Int) -> Self {
    .init(picture: picture.repeatedRows(count), known: known.repeatedRows(count))
  }
}

extension Tensor {
  /// `[1, …]` for each of so many rows.
  fileprivate func repeatedRows(_ count: Int) -> Tensor {
    count == 1 ? self : concatenated(Array(repeating: self, count: count), over: 0)
  }
}
