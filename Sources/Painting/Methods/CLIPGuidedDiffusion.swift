import Diffusion
import Foundation
import Imaging
import Library
import Models
import Torch

/// A diffusion network, and what makes pictures of what it draws.
struct DiffusionModel {
  let network: any SampledNetwork
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

/// Goes from noise to a picture with a network of v-diffusion or guided-diffusion: conditioned on CLIP's
/// embeddings without a classifier (`cfg_sample.py`), steered by the gradient of objectives
/// (`clip_sample.py`; Crowson's CLIP-guided diffusion, 2021) or of a classifier (`classifier_sample.py`), or
/// all of these: see `NetworkDenoiser` and `Guided`.
final class CLIPGuidedDiffusionPipeline: Pipeline, Remembering {
  /// How a picture is sampled.
  struct Options {
    var sampler: any Sampler = DDIM()
    var steps = 50
    /// How much the gradient of the objectives counts; 0 leaves it out.
    var guidance: Schedule = 0
    var steering = Steering()
    var symmetry = SampleSymmetry()
    /// The time at which a given picture, noised, is taken up.
    var start = 0.9
    /// Steps that are left out at the beginning (`skip_timesteps`); 0 leaves the beginning to `start`.
    var skip = 0
    /// Whether the noise is looked for that gives the picture to begin from (`cfg_modify_image.py`).
    var inverts = false
    /// Whether the picture that is found keeps to its colours at each step (`clip_denoised`).
    var clips = false
    /// What the gradient goes through instead of the network: Disco Diffusion's secondary model.
    var secondary: SecondaryDiffusion?
    /// What steers towards a class.
    var classifier: Classifier?

    /// A classifier of noised pictures, the class that is wanted, and how strongly.
    struct Classifier {
      let network: GuidedClassifier
      let wanted: Int
      let scale: Double
    }
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
  /// Steps of the way that are left out at its beginning.
  private let skipped: Int
  /// Steps, before all others, from the picture back to noise.
  private let inverted: Int
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
      1, model.network.channels, context.size.height / scale, context.size.width / scale,
    ]
    let noise = context.firstNoise("first noise", shape).to(context.device)
    let initial = model.network.showsBeginning ? nil : context.initial
    let whole = try model.network.levels(options.steps, from: 1)
    let isLate = initial != nil && options.skip == 0 && !options.inverts
    let begun = isLate ? try model.network.levels(options.steps, from: options.start) : whole
    let levels = Array(begun.suffix(max(2, begun.count - options.skip)))
    self.levels = levels
    skipped = whole.count - levels.count
    inverted = options.inverts ? levels.count - 1 : 0
    x = noGrad {
      guard !options.inverts else { return initial.map(model.encoded) ?? noise }
      // Of grey, where there is nothing else, as Disco Diffusion has it.
      let grey = options.skip > 0 ? Tensor.zeros(shape, device: context.device) : nil
      return (initial.map(model.encoded) ?? grey).map { levels[0].noised($0, with: noise) } ?? noise
    }
    sampler = options.sampler
    let guidance = try Guidance(context, total: whole.count - 1)
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
    side = model.decoder != nil && initial == nil && shape[2] != shape[3] ? short : nil
  }

  /// What of the sample is not to change.
  private struct Known {
    /// `[1, C, h, w]`
    let latent: Tensor
    /// 1 where it may change, 0 where it stays, `[1, 1, h, w]`.
    let open: Tensor
  }

  var total: Int { inverted + levels.count - 1 }
  var isDone: Bool { done >= total }

  /// The level at which the sample is.
  private var index: Int { done - inverted }
  /// The step of the whole way.
  private var place: Int { max(0, index) + skipped }

  // MARK: Sampling

  func step(_ control: StepControl) throws -> Double? {
    guard index >= 0 else {
      try invert()
      return nil
    }
    if options.symmetry.isDue(index, of: levels.count - 1) {
      x.assign(noGrad { options.symmetry.applied(to: x) })
    }
    let denoiser = self.denoiser
    let scale = options.guidance.value(at: place)
    var loss: Double?
    let guided = denoiser.guided(scale, through: path) { x, level, found in
      let (grad, number) = try self.grad(at: x, level, found, scale: scale)
      loss = number
      return grad
    }
    let steered = classified(guided)
    var next = try sampler.step(
      x, index, of: levels,
      denoise: { x, level in
        let found =
          try scale > 0 ? steered(x, at: level) : unguided(denoiser, x, at: level)
        // What the network itself found is shown, as Disco Diffusion has it.
        x0 = found.guidance?.x0 ?? found.x0
        return found
      },
      noise: { RandomStream(seed: seed, "noise \(done)").normal(x.shape).to(x.device) })
    // What stays is noised anew to where the sample is now, so that the network sees it around what it
    // paints (Lugmayr and others, "RePaint", 2022, without its way back).
    for (part, known) in known.enumerated() {
      let noise = RandomStream(seed: seed, "known \(part) \(done)").normal(x.shape).to(x.device)
      let there = levels[index + 1].noised(known.latent, with: noise)
      next = next * known.open + there * (1 - known.open)
    }
    x.assign(next)
    done += 1
    return loss
  }

  /// The network, told what the scene's prompts want, under the filters.
  private var denoiser: any Denoiser {
    guidance.filtered(side.map { ComposedDenoiser(base: told, side: $0) } ?? told, step: place)
  }

  private var told: any Denoiser {
    let scene = scenes.isEmpty ? nil : scenes[(place / sceneLength) % scenes.count]
    let told = model.network.denoiser(scene, step: place)
    return options.clips && model.decoder == nil ? told.thresholded(.static(1)) : told
  }

  /// What the gradient of guidance goes through.
  private var path: GuidancePath {
    guard let secondary = options.secondary else { return .network }
    return .secondary(NetworkDenoiser(.v) { secondary($0, time: $1) })
  }

  /// A denoiser that is also steered towards the class that is wanted.
  private func classified(_ denoiser: any Denoiser) -> any Denoiser {
    guard let classifier = options.classifier else { return denoiser }
    return denoiser.guided(classifier.scale, through: .direct) { x, level, _ in
      let b = x.size(0)
      return classifier.network.gradient(
        x, timesteps: Tensor.full([b], level.t, device: x.device),
        classes: Tensor(Array(repeating: classifier.wanted, count: b), [b]).to(x.device))
    }
  }

  /// What a denoiser finds where no objective steers it.
  private func unguided(
    _ denoiser: any Denoiser, _ x: Tensor, at level: NoiseLevel
  ) throws -> Denoised {
    guard options.classifier == nil else {
      let steered = classified(denoiser)
      return try steered(x, at: level)
    }
    return try noGrad { try denoiser(x, at: level) }
  }

  /// A step from the picture back towards the noise that gives it, told nothing.
  private func invert() throws {
    let plain = model.network.denoiser(nil, step: 0)
    let next = try noGrad {
      try sampler.step(
        x, done, of: levels.reversed(), denoise: { try plain($0, at: $1) },
        noise: { Tensor.zeros(x.shape, device: x.device) })
    }
    x.assign(next)
    done += 1
    if index == 0 { sampler = options.sampler }
  }

  /// The gradient of the objectives at `x`, downwards, and their loss; where they are no numbers, none.
  private func grad(
    at x: Tensor, _ level: NoiseLevel, _ found: Denoised, scale: Double
  ) throws -> (grad: Tensor, loss: Double?) {
    x0 = found.x0.detached()
    let shown = options.steering.shown(found, of: x, at: level)
    guard
      let sum = try? guidance.gradient(
        at: x, of: model.picture(shown), step: place, way: level.way),
      sum.gradients[0].isFinite().to(DType.float32).amin().item() > 0
    else { return (Tensor.zeros(x.shape, device: x.device), nil) }
    let wanted = known.reduce(sum.gradients[0]) { $0 * $1.open }
    return (-options.steering.limited(wanted, scale: scale), sum.loss)
  }

  // MARK: Looking

  func current() -> Tensor {
    noGrad {
      if x0 == nil, !isDone, index >= 0 { x0 = try? denoiser(x, at: levels[index]).x0 }
      return guidance.shown(model.picture(isDone ? x : x0 ?? x))
    }
  }

  func finished() throws -> [FinishedPicture] {
    var exact = request
    exact.iterations = max(1, index + skipped)
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
      + "--guidance, steered by its gradient (CLIP-guided diffusion, v-diffusion; Crowson, 2021), with an "
      + "installed network of OpenAI's guided-diffusion, too (Dhariwal & Nichol, 2021)",
    aliases: ["guided-diffusion"],
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
        "How the steps are spread over the way from noise to picture; networks of guided-diffusion go by "
          + "respacing instead"),
      .text(
        "respacing",
        "Which of its thousand timesteps a network of guided-diffusion stops at, as in ddim50, 250 or "
          + "10,10,3,2,2, instead of iterations that lie evenly apart"),
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
      .integer(
        "skipSteps", 0...100_000, default: 0,
        "Steps at the beginning that are left out: the picture to begin from, or grey, is noised to where "
          + "they end (Disco Diffusion); 0 leaves that to start"),
      .flag(
        "inversion", default: false,
        "Look for the noise that gives the picture to begin from and begin with it, so that another prompt "
          + "changes the picture (v-diffusion's cfg_modify_image)"),
      .flag(
        "clipDenoised", default: false,
        "Keep what the network finds to its range of colours in each step"),
      .text(
        "secondary",
        "An installed secondary model of Disco Diffusion, through which the gradient goes instead of the "
          + "network: faster, and less exact"),
      .integer(
        "class", 0...999_999,
        "What a network that knows classes draws; another one in each step if left out"),
      .text(
        "classifier",
        "An installed classifier of guided-diffusion that steers towards the class"),
      .number("classifierScale", 0...1000, default: 1, "How strongly the classifier steers"),
    ],
    defaults: ["iterations": .integer(50), "cutouts": .integer(8)],
    components: [
      .init(
        "generator", VDiffusion.architecture.id, title: "diffusion model",
        alternatives: [GuidedDiffusion.architecture.id])
    ],
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
      try checkWay(request)
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
    if arguments.flag("inversion"), context.initial == nil {
      throw RequestError.badValue(
        field: "inversion", reason: "needs a picture to begin from: --init-image PICTURE")
    }
    let model = try model(context, arguments)
    let continuous = model.network as? ContinuousNetwork
    let drawing =
      model.decoder != nil || continuous == nil
      ? nil : try networks.provider.library.drawing(VDiffusion.architecture, of: request.model)
    var options = CLIPGuidedDiffusionPipeline.Options(
      sampler: sampler(arguments.choice("sampler"), eta: arguments.number("eta")),
      steps: request.iterations ?? 50, guidance: arguments.schedule("guidance"),
      start: arguments.number("start"), skip: arguments.integer("skipSteps"),
      inverts: arguments.flag("inversion"), clips: arguments.flag("clipDenoised"))
    options.steering = .init(
      look: arguments.choice("look"), clamp: arguments.numberIfGiven("clampGradient"))
    options.symmetry = .init(
      kind: arguments.choice("symmetry"), shares: arguments.numbers("symmetryAt"))
    options.secondary = try secondary(model, context, arguments)
    options.classifier = try classifier(model, context, arguments)
    return try CLIPGuidedDiffusionPipeline(
      context, model, options,
      scenes: continuous.map { continuous in
        try conditioning(
          continuous.network.config, model, context, scale: arguments.number("conditionScale"),
          knowsNothing: drawing.map(knowsNothing) ?? true)
      } ?? [])
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
}
