import Diffusion
import Foundation
import Imaging
import Library
import Models
import Torch

/// A diffusion network, and what makes pictures of what it draws.
struct DiffusionModel {
  let network: VDiffusion
  /// Decodes the latents that it draws; nil when it draws pictures.
  let decoder: VQGAN?

  /// A picture `[1, 3, H, W]`, 0…1 or a little outside.
  func picture(_ x: Tensor) -> Tensor { ((decoder?.decode(x) ?? x) + 1) / 2 }

  /// What the network would have drawn for a picture of 0…1.
  func encoded(_ picture: Tensor) -> Tensor {
    let x = picture * 2 - 1
    return decoder?.encode(x) ?? x
  }
}

/// What a diffusion network is conditioned on in a scene: embeddings `[N, E]`, and how strongly each is
/// followed.
struct Conditioning {
  let embeddings: Tensor
  let scales: [Double]
}

/// Goes from noise to a picture with a network of v-diffusion: conditioned on CLIP's embeddings without a
/// classifier (`cfg_sample.py`), steered by the gradient of objectives (`clip_sample.py`; Crowson's
/// CLIP-guided diffusion, 2021), or both: see `NetworkDenoiser` and `Guided`.
final class CLIPGuidedDiffusionPipeline: Pipeline, Remembering {
  /// How a picture is sampled.
  struct Options {
    var sampler: any Sampler = DDIM()
    var schedule = ContinuousSchedule.spliced
    var steps = 50
    /// How much the gradient of the objectives counts; 0 leaves it out.
    var guidance: Schedule = 0
    var steering = Steering()
    var symmetry = SampleSymmetry()
    /// The time at which a given picture, noised, is taken up.
    var start = 0.9
  }

  let request: Request
  let unit = "iteration"
  private(set) var done = 0
  /// Where the sampler stands, `[1, C, h, w]`.
  private let x: Tensor
  private let model: DiffusionModel
  private let options: Options
  private let scenes: [Conditioning]
  private let sceneLength: Int
  private let seed: UInt64
  private let guidance: Guidance
  private let known: [Known]
  /// The side of the square in which the picture is composed; nil where the network composes the whole.
  private let side: Int?
  private let levels: [NoiseLevel]
  private var sampler: any Sampler
  /// The newest picture that the network found, to be shown on the way.
  private var x0: Tensor?

  /// Begins with noise, or with the picture that is given, noised.
  init(
    _ context: PipelineContext, _ model: DiffusionModel, _ options: Options,
    scenes: [Conditioning]
  ) throws {
    request = context.request
    self.model = model
    self.options = options
    self.scenes = scenes
    seed = context.seed
    sceneLength = request.sceneLength(of: max(1, scenes.count))
    let scale = model.decoder?.config.factor ?? 1
    let shape = [
      1, model.network.config.channels, context.size.height / scale, context.size.width / scale,
    ]
    let noise = context.firstNoise("first noise", shape).to(context.device)
    levels = options.schedule.levels(
      options.steps, from: context.initial == nil ? 1 : options.start)
    let first = levels[0]
    x = noGrad {
      context.initial.map { first.noised(model.encoded($0), with: noise) } ?? noise
    }
    sampler = options.sampler
    let guidance = try Guidance(context, total: options.steps)
    let device = context.device
    known = noGrad {
      guidance.allKept.map { kept in
        // A place of the latent is open when any of its pixels is.
        let open = kept.open.adaptiveMaxPooled(shape[2], shape[3])
        return Known(
          latent: model.encoded(kept.picture.to(device)),
          open: (1 - open).less(than: 0.75).to(.float32).to(device))
      }
    }
    guidance.limitsColors = options.steering.look == .found
    self.guidance = guidance
    // The pack's network knows squares alone: what it draws would fill any other picture and be squeezed.
    let short = min(shape[2], shape[3])
    side = model.decoder != nil && context.initial == nil && shape[2] != shape[3] ? short : nil
  }

  /// What of the sample is not to change.
  private struct Known {
    /// `[1, C, h, w]`
    let latent: Tensor
    /// 1 where it may change, 0 where it stays, `[1, 1, h, w]`.
    let open: Tensor
  }

  var total: Int { options.steps }
  var isDone: Bool { done >= total }

  // MARK: Sampling

  func step(_ control: StepControl) throws -> Double? {
    if options.symmetry.isDue(done, of: total) {
      x.assign(noGrad { options.symmetry.applied(to: x) })
    }
    let denoiser = self.denoiser
    let scale = options.guidance.value(at: done)
    var loss: Double?
    let guided = denoiser.guided(scale) { x, level, found in
      let (grad, number) = try self.grad(at: x, level, found, scale: scale)
      loss = number
      return grad
    }
    var next = try sampler.step(
      x, done, of: levels,
      denoise: { x, level in
        guard scale > 0 else {
          let found = try noGrad { try denoiser(x, at: level) }
          x0 = found.x0
          return found
        }
        return try guided(x, at: level)
      },
      noise: { RandomStream(seed: seed, "noise \(done)").normal(x.shape).to(x.device) })
    // What stays is noised anew to where the sample is now, so that the network sees it around what it
    // paints (Lugmayr and others, "RePaint", 2022, without its way back).
    for (index, known) in known.enumerated() {
      let noise = RandomStream(seed: seed, "known \(index) \(done)").normal(x.shape).to(x.device)
      let there = levels[done + 1].noised(known.latent, with: noise)
      next = next * known.open + there * (1 - known.open)
    }
    x.assign(next)
    done += 1
    return loss
  }

  /// The network, told what the scene's prompts want, under the filters.
  private var denoiser: any Denoiser {
    guidance.filtered(side.map { ComposedDenoiser(base: told, side: $0) } ?? told, step: done)
  }

  private var told: any Denoiser {
    let network = model.network
    guard let condition = network.config.condition else {
      return NetworkDenoiser(.v) { network($0, time: $1, embeddings: nil) }
    }
    var conds: [(cond: Tensor, weight: Double)] = []
    if !scenes.isEmpty {
      let scene = scenes[(done / sceneLength) % scenes.count]
      conds = scene.scales.enumerated().map { index, scale in
        (cond: scene.embeddings[index..<index + 1], weight: scale)
      }
    }
    return NetworkDenoiser(
      .v, conds: conds, null: Tensor.zeros([1, condition.embedding], device: x.device)
    ) { network($0, time: $1, embeddings: concatenated($2, over: 0)) }
  }

  /// The gradient of the objectives at `x`, downwards, and their loss; where they are no numbers, none.
  private func grad(
    at x: Tensor, _ level: NoiseLevel, _ found: Denoised, scale: Double
  ) throws -> (grad: Tensor, loss: Double?) {
    x0 = found.x0.detached()
    let shown = options.steering.shown(found, of: x, at: level)
    guard
      let sum = try? guidance.gradient(
        at: x, of: model.picture(shown), step: done, way: level.way),
      sum.gradients[0].isFinite().to(DType.float32).amin().item() > 0
    else { return (Tensor.zeros(x.shape, device: x.device), nil) }
    let wanted = known.reduce(sum.gradients[0]) { $0 * $1.open }
    return (-options.steering.limited(wanted, scale: scale), sum.loss)
  }

  // MARK: Looking

  func current() -> Tensor {
    noGrad {
      if x0 == nil, !isDone { x0 = try? denoiser(x, at: levels[done]).x0 }
      return guidance.shown(model.picture(isDone ? x : x0 ?? x))
    }
  }

  func finished() throws -> [FinishedPicture] {
    var exact = request
    exact.iterations = done
    var finished = FinishedPicture(current(), exact)
    finished.finish = guidance.finish
    return [finished]
  }

  // MARK: Leaving and taking up again

  /// The step, and what a multistep sampler needs of earlier ones.
  var memory: [String: Tensor] {
    get {
      sampler.state.merging(["step": Tensor([done], [1])]) { $1 }
    }
    set {
      done = min(total, max(0, newValue["step"]?.ints().first ?? 0))
      sampler.state = newValue.filter { $0.key != "step" }
      x0 = nil
    }
  }

  private struct Notes: Codable {
    var iteration: Int
    var memories: [[String]]
  }

  private var remembering: [any Remembering] { [self] + guidance.remembering }

  var state: PipelineState {
    get throws {
      try PipelineState(
        notes: Notes(iteration: done, memories: remembering.names),
        tensors: remembering.tensors.merging(["parameter.0": x]) { $1 })
    }
  }

  func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws {
    guard let notes = try? JSONDecoder().decode(Notes.self, from: notes),
      (0...total).contains(notes.iteration)
    else { throw PaintingError.badCheckpoint(reason: "it is of another request") }
    guard let stored = try tensor("parameter.0"), stored.shape == x.shape else {
      throw PaintingError.badCheckpoint(reason: "its 'parameter.0' does not fit")
    }
    noGrad { x.assign(stored) }
    try remembering.restore(notes.memories, x.device, tensor)
    done = notes.iteration
  }
}

extension Method {
  /// A diffusion network, conditioned on CLIP's embeddings and steered by its gradient.
  static let clipGuidedDiffusion = Method(
    "diffusion", title: "diffusion",
    "A diffusion model goes from noise to a picture, told what is wanted by CLIP's embedding and, with "
      + "--guidance, steered by its gradient (CLIP-guided diffusion, v-diffusion; Crowson, 2021)",
    arguments: [
      .schedule(
        "guidance", 0...1_000_000, default: 0,
        "How strongly CLIP's gradient and the objectives steer; at 0 the model is only told"),
      .number(
        "conditionScale", 0...20, default: 2, "How strongly the text is followed"),
      .choice(
        "sampler", SamplerKind.all.map(\.name), default: "ddim",
        "How steps are taken: ddim, or one of the multistep samplers, which need fewer of them "
          + "(iplms, plms, plms2, guided-plms)"),
      .number(
        "eta", 0...1, default: 0,
        "Part of the noise that ddim draws anew in each step; at 1 it is DDPM"),
      .choice(
        "schedule", ContinuousSchedule.allCases.map(\.rawValue), default: "spliced",
        "How the steps are spread over the way from noise to picture"),
      .choice(
        "look", Steering.Look.allCases.map(\.rawValue), default: "found",
        "What steers looks at: the picture that the network finds, or, as in Disco Diffusion, that blended "
          + "with what noise there still is"),
      .number(
        "clampGradient", 0...1000,
        "Root mean square above which what steers is made weaker (Disco Diffusion's clamp_max); without "
          + "limit if left out"),
      .choice(
        "symmetry", SampleSymmetry.Kind.allCases.map(\.rawValue), default: "none",
        "Halves that are made alike once on the way"),
      .numbers(
        "symmetryAt", 0...1, most: 16, default: [0.09],
        "After which shares of the steps they are"),
      .number(
        "start", 0.01...1, default: 0.9,
        "How much of a picture to begin from is noise at first: at 1 nothing of it is left"),
    ],
    defaults: ["iterations": .integer(50), "cutouts": .integer(8)],
    components: [.init("generator", VDiffusion.architecture.id, title: "diffusion model")],
    takes: [.guidance, .model], films: [.progress, .restyle, .zoom, .morph],
    ofNetwork: ofNetwork,
    preference: .init(1, "it takes several prompts, a picture to begin from and all proportions"),
    size: { canvas in
      if let factor = canvas.installed?.pixelsPerPosition { return canvas.multiples(of: factor) }
      guard let own = canvas.pack.config(of: VDiffusion.self),
        let factor = canvas.pack.config(of: VQGAN.self)?.factor
      else { return canvas.asked }
      // What the pack's small network draws, in the proportions asked for; the rest is enlargement.
      // The shorter side is as long as its own.
      let (width, height) = (Double(canvas.asked.width), Double(canvas.asked.height))
      let step = factor * own.factor
      let scale = Double(own.size * factor) / min(width, height)
      func side(_ pixels: Double) -> Int {
        min(16, max(1, Int((pixels * scale / Double(step)).rounded()))) * step
      }
      return .init(width: side(width), height: side(height))
    },
    check: { request throws(RequestError) in
      guard isUnguided(request) else { return }
      if request.objectives?.isEmpty == false {
        throw .badValue(
          field: "guidance", reason: "is 0, where objectives do nothing; try --guidance 500")
      }
      if let scenes = try? request.scenes(),
        scenes.joined().contains(where: { $0.region != .everywhere })
      {
        throw .badValue(
          field: "guidance",
          reason: "is 0, where prompts of a region do nothing; try --guidance 500")
      }
    },
    remarks: { request in
      guard isUnguided(request) else { return [] }
      let idle = [
        "cutMode", "cutPower", "cutWhole", "cutSizes", "cutSpread", "cutCenter", "augmentations",
        "averagingWeight", "accumulate", "pictureViews", "cutOverview", "cutInner", "cutInnerPower",
        "cutInnerGray", "look", "clampGradient",
      ].filter { request[$0] != nil }
      let stops = (try? request.scenes().joined().contains { $0.stop.isFinite }) == true
      return idle.map {
        Remark($0, "\($0) has no effect in diffusion at guidance 0, where nobody looks at views.")
      }
        + (stops
          ? [Remark("prompt", "Stop values have no effect in diffusion at guidance 0.")] : [])
    },
    packProblem: { pack in
      guard let own = pack.config(of: VDiffusion.self) else { return nil }
      guard let vqgan = pack.config(of: VQGAN.self), own.channels == vqgan.embed_dim else {
        return "its diffusion model draws latents that are not its VQGAN's"
      }
      guard (16...4096).contains(own.size * vqgan.factor) else {
        return "its diffusion model draws pictures of \(own.size * vqgan.factor) pixels a side, "
          + "and they must have 16 to 4096"
      }
      if let condition = own.condition, condition.embedding != pack.config(of: CLIP.self)?.embedDim
      {
        return "its diffusion model is told embeddings that are not its CLIP's"
      }
      return nil
    }
  ) { context in
    let arguments = try context.arguments()
    let (networks, request) = (context.networks, context.request)
    let slot = context.method.components[0]
    let network = try networks.network(VDiffusion.self, in: slot, of: request.model)
    let isOwn = request.model == nil && networks.pack.config(of: VDiffusion.self) != nil
    let model = DiffusionModel(
      network: network, decoder: isOwn ? try networks.network(VQGAN.self) : nil)
    let drawing =
      isOwn
      ? nil : try networks.provider.library.drawing(VDiffusion.architecture, of: request.model)
    return try CLIPGuidedDiffusionPipeline(
      context, model,
      .init(
        sampler: sampler(arguments.choice("sampler"), eta: arguments.number("eta")),
        schedule: arguments.choice("schedule"), steps: request.iterations ?? 50,
        guidance: arguments.schedule("guidance"),
        steering: .init(
          look: arguments.choice("look"), clamp: arguments.numberIfGiven("clampGradient")),
        symmetry: .init(
          kind: arguments.choice("symmetry"), shares: arguments.numbers("symmetryAt")),
        start: arguments.number("start")),
      scenes: conditioning(
        model, context, scale: arguments.number("conditionScale"),
        knowsNothing: drawing.map(knowsNothing) ?? true))
  }

  private static func sampler(_ name: String, eta: Double) -> any Sampler {
    guard let kind = SamplerKind.named(name) else {
      preconditionFailure("'\(name)' is declared and is no sampler")
    }
    return kind.make(eta)
  }

  /// Whether nothing steers.
  private static func isUnguided(_ request: Request) -> Bool {
    guard let guidance = request.arguments["guidance"].flatMap(Schedule.init(json:)) else {
      return false
    }
    return guidance.values.allSatisfy { $0 == 0 }
  }

  // MARK: Networks of v-diffusion

  /// What v-diffusion's own programs sample its networks by: `cfg_sample.py` the one that was trained for
  /// guidance without a classifier, `clip_sample.py` all others.
  static func ofNetwork(_ network: DrawingNetwork) -> [String: JSONValue] {
    guard let config = network.config as? VDiffusion.Config else { return [:] }
    var values: [String: JSONValue] = [
      "schedule": .string((config.isPort ? ContinuousSchedule.ddpm : .spliced).rawValue)
    ]
    guard config.isPublished else { return values }
    (values["width"], values["height"]) = (.integer(config.size), .integer(config.size))
    if config.condition != nil, knowsNothing(network) {
      values.merge([
        "sampler": .string("plms"), "iterations": .integer(50), "conditionScale": .number(3),
      ]) { $1 }
    } else {
      values.merge([
        "sampler": .string("ddim"), "eta": .number(1), "iterations": .integer(1000),
        "guidance": .number(500), "conditionScale": .number(1), "cutouts": .integer(16),
        "cutMode": .string(CutoutMode.notebook.rawValue),
      ]) { $1 }
    }
    return values
  }

  /// Whether a network that is told something was trained with being told nothing, too. Of the two networks
  /// on Conceptual 12M, which are alike but for this, only the name tells.
  private static func knowsNothing(_ network: DrawingNetwork) -> Bool {
    network.config as? VDiffusion.Config != .cc12m || network.isNamed("cfg")
  }

  /// The CLIP whose embeddings a network is told: OpenAI's ViT-B/16 by v-diffusion's, wherever it is
  /// installed; by others one of the request's that is as wide.
  private static func teller(_ model: DiffusionModel, _ context: PipelineContext) throws
    -> Perceptor?
  {
    let (request, networks) = (context.request, context.networks)
    if model.decoder != nil { return try networks.perceptor("pack", request) }
    let library = networks.provider.library
    let named = try networks.perceptors(request).map { ($0.id, $0.clip.config) }
    let installed = library.installed(CLIP.architecture).compactMap { id in
      (try? library.component(CLIP.architecture, of: id).config as? CLIP.Config).map { (id, $0) }
    }
    return try teller(of: model.network.config, among: named, installed)
      .map { try networks.perceptor($0, request) }
  }

  /// Which CLIP that is, by name.
  /// - Parameters:
  ///   - named: those that the request names.
  ///   - installed: those that there are.
  static func teller(
    of config: VDiffusion.Config, among named: [(String, CLIP.Config)],
    _ installed: [(String, CLIP.Config)]
  ) -> String? {
    guard config == .cc12m else {
      return named.first { $0.1.embedDim == config.condition?.embedding }?.0
    }
    return (named + installed).first { $1.openAIName(id: $0) == "ViT-B/16" }?.0
  }

  /// What a diffusion network is conditioned on of the prompts, scene by scene; nothing where it is not.
  /// - Parameter knowsNothing: whether it was trained with being told nothing, so that one may go beyond
  ///   what it is told.
  private static func conditioning(
    _ model: DiffusionModel, _ context: PipelineContext, scale: Double, knowsNothing: Bool
  ) throws -> [Conditioning] {
    guard let condition = model.network.config.condition else { return [] }
    guard let perceptor = try teller(model, context) else {
      throw RequestError.badValue(
        field: "clip",
        reason: model.network.config == .cc12m
          ? "must name OpenAI's ViT-B/16, which tells this network what is wanted. Get it with: "
            + "reverie models pull openai-vit-b-16"
          : "must name a CLIP with embeddings of \(condition.embedding) numbers, which "
            + "'\(model.network.config.title)' was trained with")
    }
    guard knowsNothing || scale == 1 else {
      throw RequestError.badValue(
        field: "conditionScale",
        reason:
          "must be 1 with this network, which was not trained with an empty text (one that was has "
          + "'cfg' in its name, as v-diffusion-cc12m-1-cfg)")
    }
    let cutouts = Cutouts(
      size: perceptor.size, count: context.request.cutouts ?? 1,
      mode: context.request.cutMode ?? .balanced,
      power: context.request.cutPower?.value(at: 0) ?? 1,
      augmentations: context.request.augmentations, seed: context.seed)
    return try context.request.scenes().map { prompts in
      var (rows, scales): ([Tensor], [Double]) = ([], [])
      for prompt in prompts where prompt.weight != 0 && prompt.region == .everywhere {
        guard
          let found = try perceptor.embeddings(
            of: prompt.target, cutouts: cutouts, files: context.files,
            size: (context.size.width, context.size.height), device: context.device)
        else { continue }
        rows.append(found.to(.float32).normalized().mean(over: [0], keepDims: true))
        scales.append(prompt.weight * scale)
      }
      guard !rows.isEmpty else {
        return .init(
          embeddings: Tensor.zeros([1, condition.embedding], device: context.device), scales: [0])
      }
      guard knowsNothing else {
        // One embedding of all that is wanted, as clip_sample.py has it.
        let sum = zip(rows, scales).map { $0 * $1 }
        return .init(embeddings: sum.dropFirst().reduce(sum[0], +).normalized(), scales: [1])
      }
      return .init(embeddings: concatenated(rows, over: 0), scales: scales)
    }
  }
}
