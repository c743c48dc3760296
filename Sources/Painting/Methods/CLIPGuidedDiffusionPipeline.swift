import Diffusion
import Foundation
import Imaging
import Library
import Models
import Torch

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
  /// Standard normal noise of a name and a shape.
  private let drawn: (String, [Int]) -> Tensor
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
    drawn = { context.noise($0, $1).to(context.device) }
    sceneLength = request.sceneLength(of: max(1, scenes.count))
    let scale = model.decoder?.config.factor ?? 1
    let shape = [
      1, model.network.channels, context.size.height / scale, context.size.width / scale,
    ]
    let noise = context.noise("first noise", shape).to(context.device)
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
      noise: { drawn("noise \(done)", x.shape) })
    // What stays is noised anew to where the sample is now, so that the network sees it around what it
    // paints (Lugmayr and others, "RePaint", 2022, without its way back).
    for (part, known) in known.enumerated() {
      let noise = drawn("known \(part) \(done)", x.shape)
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
    return clipped(model.network.denoiser(scene, step: place))
  }

  /// A denoiser whose pictures keep to their colours, where that is asked for.
  private func clipped(_ denoiser: any Denoiser) -> any Denoiser {
    options.clips && model.decoder == nil ? denoiser.thresholded(.static(1)) : denoiser
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
    // Told the class, where it is told one, that it will be told on the same step of the way back.
    let plain = clipped(model.network.denoiser(nil, step: skipped + inverted - 1 - done))
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
    let shown = options.steering.shown(found, of: x, at: level)
    let none = (Tensor.zeros(x.shape, device: x.device), Double?.none)
    do {
      let sum = try guidance.gradient(
        at: x, of: model.picture(shown), step: place, way: level.way)
      guard sum.gradients[0].hasOnlyNumbers else { return none }
      let wanted = known.reduce(sum.gradients[0]) { $0 * $1.open }
      return (-options.steering.limited(wanted, scale: scale), sum.loss)
    } catch PaintingError.diverged where found.x0.hasOnlyNumbers {
      // Who looks may be at a loss in one step; a network that gives no numbers will not find back.
      return none
    }
  }

  // MARK: Looking

  func previews(every: Int) throws -> [Event.Preview] {
    // On the way back to noise there is nothing to see.
    guard index > 0, done % every == 0, !isDone else { return [] }
    return [.init(picture: try Picture(current()[0]), step: done, score: nil)]
  }

  func panels() throws -> [Trace.Panel] { try guidance.panels() }

  func current() throws -> Tensor {
    // On the way back to noise the sample itself is all that there is.
    guard index >= 0 else { return noGrad { guidance.shown(model.picture(x)) } }
    return noGrad {
      if x0 == nil, !isDone { x0 = try? denoiser(x, at: levels[index]).x0 }
      return guidance.shown(model.picture(isDone ? x : x0 ?? x))
    }
  }

  func finished() throws -> [FinishedPicture] {
    guard index >= 0 else { throw PaintingError.stoppedEarly }
    var exact = request
    exact.iterations = max(1, index + skipped)
    var finished = FinishedPicture(try current(), exact)
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
