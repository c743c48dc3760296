import Models
import Torch

/// A drawer that finds its own way in so many steps: losses steer it by their gradient at its only
/// parameter, and no optimiser moves it.
protocol SamplingDrawer: Drawer {
  /// Whether losses steer it at all; when not, nobody need look at the picture.
  var isSteered: Bool { get }
  /// Takes a step from where the parameter stands.
  /// - Parameter slope: the gradient of all losses there; nil when nobody looked.
  func advance(along slope: Tensor?)
}

/// A diffusion model, and what makes pictures of what it draws.
struct DiffusionModel {
  let network: VDiffusion
  /// Of the latents that it draws; nil when it draws pictures.
  let codes: VQGAN?

  /// Pixels of a picture along each axis for the network's coarsest position.
  var factor: Int { network.config.factor * (codes?.config.factor ?? 1) }

  /// A picture `[1, 3, H, W]`, 0…1 or a little outside.
  func picture(_ x: Tensor) -> Tensor { ((codes?.decode(x) ?? x) + 1) / 2 }

  /// What the network would have drawn for a picture of 0…1.
  func taken(_ picture: Tensor) -> Tensor {
    let x = picture * 2 - 1
    return codes?.encode(x) ?? x
  }
}

/// Draws with a diffusion model of the v-diffusion kind, from noise to a picture: told what is wanted by
/// CLIP's embeddings (`cfg_sample.py` of v-diffusion), steered by the gradient of the losses
/// (`clip_sample.py`; Crowson's CLIP-guided diffusion, 2021), or both.
///
/// ```
/// v = v₀ + Σ scaleᵢ (vᵢ - v₀) + guidance ∂loss/∂x noise / signal
/// ```
final class DiffusionDrawer: SamplingDrawer, Remembering {
  /// How a picture is drawn, beside its model and its prompts.
  struct Manner {
    var kind = DiffusionSampler.Kind.ddim
    var schedule = NoiseSchedule.spliced
    var steps = 50
    var eta = 0.0
    /// How much the losses' gradient counts; 0 leaves it out.
    var guidance = 0.0
    /// The time at which a given picture, noised, is taken up.
    var start = 0.9
  }

  /// What the model is told in a scene: embeddings `[N, E]`, and how strongly each is followed.
  struct Told {
    let embeddings: Tensor
    let scales: [Double]
  }

  /// Where it stands, `[1, C, h, w]`.
  let x: Tensor
  private let model: DiffusionModel
  private let manner: Manner
  private let scenes: [Told]
  /// Steps of a scene.
  private let sceneLength: Int
  private let seed: UInt64
  private var sampler: DiffusionSampler
  private var step = 0
  /// The velocity that the model found at this step.
  private var velocity: Tensor?
  /// What the newest velocity pointed to: the picture to show on the way.
  private var aim: Tensor?

  /// Begins with noise.
  /// - Parameters:
  ///   - width: of the picture in pixels, a multiple of the model's factor.
  ///   - height: likewise.
  ///   - scenes: what the model is told, scene by scene; empty for a model that is told nothing.
  init(
    _ model: DiffusionModel, _ manner: Manner, width: Int, height: Int, scenes: [Told],
    sceneLength: Int, seed: UInt64, device: Device
  ) {
    self.model = model
    self.manner = manner
    self.scenes = scenes
    self.sceneLength = sceneLength
    self.seed = seed
    let scale = model.codes?.config.factor ?? 1
    let shape = [1, model.network.config.channels, height / scale, width / scale]
    x = RandomStream(seed: seed, "first noise").normal(shape).to(device).variable()
    sampler = DiffusionSampler(
      manner.kind, times: manner.schedule.times(manner.steps), eta: manner.eta)
  }

  var parameters: [Tensor] { [x] }
  /// Every step's picture is of the time it was found at: only the last is meant.
  var drawsByChance: Bool { true }
  var isSteered: Bool { manner.guidance > 0 }

  func render(_ iteration: Int?) -> Tensor {
    if step >= sampler.count { return model.picture(x) }
    if iteration == nil, let aim { return model.picture(aim) }
    return model.picture(look())
  }

  /// What the model finds where the sampler stands: the picture that it points to.
  private func look() -> Tensor {
    let velocity = ask()
    let picture = sampler.picture(x, velocity, step: step)
    (self.velocity, aim) = (velocity.detached(), picture.detached())
    return picture
  }

  /// The velocity, of all that it is told.
  private func ask() -> Tensor {
    var rows = [(embedding: Tensor?.none, scale: 1.0)]
    if !scenes.isEmpty {
      let told = scenes[(step / sceneLength) % scenes.count]
      let others = told.scales.enumerated().map { index, scale in
        (embedding: Tensor?.some(told.embeddings[index..<index + 1]), scale: scale)
      }
      rows = [(nil, 1 - told.scales.reduce(0, +))] + others
      // A row that does not count need not be asked for.
      rows = rows.filter { abs($0.scale) > 1e-9 }
    }
    let width = model.network.config.condition?.embedding ?? 0
    let embeddings = rows.map { $0.embedding ?? Tensor.zeros([1, width], device: x.device) }
    let time = Tensor.full([rows.count], sampler.time(step), device: x.device)
    let all = model.network(
      concatenated(rows.map { _ in x }, over: 0), time: time,
      embeddings: width > 0 ? concatenated(embeddings, over: 0) : nil)
    let parts = rows.enumerated().map { index, row in all[index..<index + 1] * row.scale }
    return parts.dropFirst().reduce(parts[0], +)
  }

  func advance(along slope: Tensor?) {
    guard step < sampler.count else { return }
    noGrad {
      if velocity == nil { _ = look() }
      guard var velocity else { return }
      let (signal, noise) = NoiseSchedule.parts(at: sampler.time(step))
      // In pure noise no picture can be steered yet.
      if let slope, signal > 1e-3 {
        velocity = velocity + slope * (manner.guidance * noise / signal)
      }
      let next = sampler.advance(x, velocity, step: step) {
        RandomStream(seed: seed, "noise \(step)").normal(x.shape).to(x.device)
      }
      self.velocity = nil
      x.assign(next)
      step += 1
    }
  }

  /// Takes the picture up, noised to the time of `Manner.start`, once, before the first step.
  func begin(from picture: Tensor) -> Bool {
    guard step == 0 else { return false }
    sampler = DiffusionSampler(
      manner.kind, times: manner.schedule.times(manner.steps, from: manner.start), eta: manner.eta)
    let (signal, noise) = NoiseSchedule.parts(at: sampler.time(0))
    noGrad { x.assign(model.taken(picture) * signal + x * noise) }
    return true
  }

  /// The step, and what a multistep sampler needs of earlier ones.
  var memory: [String: Tensor] {
    get {
      let earlier = sampler.earlier.enumerated().map { ("earlier.\($0)", $1) }
      return Dictionary(uniqueKeysWithValues: earlier)
        .merging(["step": Tensor([step], [1])]) { $1 }
    }
    set {
      step = min(sampler.count, max(0, newValue["step"]?.ints().first ?? 0))
      sampler.earlier = (0..<3).compactMap { newValue["earlier.\($0)"] }
      (velocity, aim) = (nil, nil)
    }
  }
}

extension DrawerKind {
  /// A diffusion model, told by CLIP's embeddings and steered by its gradient.
  static let diffusion = DrawerKind(
    "diffusion", title: "diffusion",
    "A diffusion model goes from noise to a picture, told what is wanted by CLIP's embedding and, with "
      + "--guidance, steered by its gradient (CLIP-guided diffusion, v-diffusion; Crowson, 2021)",
    needs: .diffusion,
    arguments: [
      .number(
        "guidance", 0...1_000_000, standard: 0,
        "How strongly CLIP's gradient and the objectives steer; at 0 the model is only told"),
      .choice(
        "sampler", DiffusionSampler.Kind.allCases.map(\.rawValue), standard: "ddim",
        "How steps are taken: ddim, or the multistep iplms, which needs fewer of them"),
      .number(
        "eta", 0...1, standard: 0,
        "Part of the noise that ddim draws anew in each step; at 1 it is DDPM"),
      .choice(
        "schedule", NoiseSchedule.allCases.map(\.rawValue), standard: "spliced",
        "How the steps are spread over the way from noise to picture"),
      .number(
        "start", 0.01...1, standard: 0.9,
        "How much of a picture to begin from is noise at first: at 1 nothing of it is left"),
    ],
    standards: ["iterations": .integer(50), "cutouts": .integer(8)], samples: true
  ) { setting in
    guard let networks = setting.networks, let request = setting.request else {
      throw RequestError.badValue(field: "method", reason: "needs the networks of an engine")
    }
    var manner = DiffusionDrawer.Manner(
      steps: request.iterations ?? 50, eta: setting.number("eta"),
      guidance: setting.number("guidance"), start: setting.number("start"))
    manner.kind = setting.text("sampler").flatMap { .init(rawValue: $0) } ?? manner.kind
    manner.schedule = setting.text("schedule").flatMap { .init(rawValue: $0) } ?? manner.schedule
    let model = try networks.diffusion(setting.model)
    let scenes = try setting.told(model, request, networks)
    return DiffusionDrawer(
      model, manner, width: setting.width, height: setting.height, scenes: scenes,
      sceneLength: request.sceneLength(of: max(1, scenes.count)), seed: setting.seed,
      device: setting.device)
  }
}

extension Setting {
  /// What a diffusion model is told of the prompts, scene by scene; nothing where it is told nothing.
  fileprivate func told(
    _ model: DiffusionModel, _ request: Request, _ networks: Networks
  ) throws -> [DiffusionDrawer.Told] {
    guard let condition = model.network.config.condition else { return [] }
    let own = model.codes != nil
    let perceptors = own ? [try networks.ownPerceptor()] : try networks.perceptors(request)
    guard let perceptor = perceptors.first(where: { $0.width == condition.embedding }) else {
      throw RequestError.badValue(
        field: "clip",
        reason: "must name a CLIP with embeddings of \(condition.embedding) numbers, which "
          + "'\(model.network.config.title)' was trained with (ViT-B/16 for cc12m_1)")
    }
    let cutouts = Cutouts(
      size: perceptor.size, count: request.cutouts ?? 1, mode: request.cutMode ?? .balanced,
      power: request.cutPower ?? 1, augmentations: request.augmentations, seed: seed)
    let files = Attachments(files)
    return try request.scenes().map { prompts in
      var (rows, scales): ([Tensor], [Double]) = ([], [])
      for prompt in prompts where prompt.weight != 0 && prompt.region == .everywhere {
        guard
          let found = try perceptor.embeddings(
            of: prompt.target, cutouts: cutouts, files: files, size: (width, height),
            device: device)
        else { continue }
        rows.append(found.to(.float32).normalized().mean(over: [0], keepDims: true))
        scales.append(prompt.weight * (request.conditionScale ?? 1))
      }
      let none = Tensor.zeros([1, condition.embedding], device: device)
      return rows.isEmpty
        ? .init(embeddings: none, scales: [0])
        : .init(embeddings: concatenated(rows, over: 0), scales: scales)
    }
  }
}
