import Diffusion
import Foundation
import Imaging
import Models
import Torch

/// What is wanted of a picture, as a gradient at it: filters change it, perceptors look at views of it, and
/// objectives make a loss of what they see.
///
/// ```
/// picture → filters → views → perceptors → objectives → loss
/// ```
///
/// Whoever draws the picture asks for the gradient, an optimiser as well as a sampler of diffusion.
final class Guidance {
  /// An objective and how much it counts.
  struct Weighted {
    let objective: any Objective
    let weight: Double
  }

  private let filters: [any Filter]
  private let perceptors: [PerceptorViews]
  private let scenes: [[Weighted]]
  private let objectives: [Weighted]
  /// Steps of a scene before the next one begins.
  private let sceneLength: Int
  /// Steps in all.
  private let total: Int
  /// Sets of views whose gradients are averaged for one step.
  let batches: Int
  /// Whether the colours that are looked at are limited to 0…1, with the gradient of `clampedGradient`.
  var limitsColors = true

  /// The guidance that a request asks for.
  /// - Parameter own: what the drawer itself wants.
  init(_ context: PipelineContext, total: Int, own: [any Objective] = []) throws {
    let maker = GuidanceMaker(context: context)
    let request = context.request
    filters = try maker.filters()
    perceptors = try maker.perceptors()
    scenes = try maker.scenes(perceptors)
    sceneLength = request.sceneLength(of: scenes.count)
    objectives = try maker.objectives() + own.map { Weighted(objective: $0, weight: 1) }
    batches = request.accumulate ?? 1
    records = context.traces
    self.total = total
  }

  /// Whether the views and the gradient of the newest step are kept, to be shown.
  private let records: Bool
  /// The views of the first perceptor, `[N, 3, S, S]`.
  private var newestViews: Tensor?
  /// The gradient at the picture, `[1, 3, H, W]`.
  private var newestGradient: Tensor?

  /// Guidance by objectives at hand, without perceptors and filters.
  init(_ objectives: [Weighted], total: Int, batches: Int = 1) {
    (filters, perceptors, scenes, sceneLength) = ([], [], [[]], total)
    (self.objectives, self.total, self.batches) = (objectives, total, batches)
    records = false
  }

  /// Whether another scene begins at this step.
  func changesScene(at step: Int) -> Bool {
    step > 0 && scenes.count > 1 && step % sceneLength == 0
  }

  /// A gradient of all losses.
  struct Gradient {
    /// The losses of one set of views, their sum.
    let loss: Double
    /// At each parameter.
    let gradients: [Tensor]
    /// The picture at which it was taken, `[1, 3, H, W]`, without history.
    let picture: Tensor
  }

  /// The gradient of all losses at the parameters of a picture.
  ///
  /// It is taken at the picture first, passes the clamp there, and goes further back from there;
  /// regularisers of the latent have theirs at the parameters.
  /// - Parameters:
  ///   - step: counted from 0.
  ///   - batch: which set of views.
  ///   - draw: the picture `[1, 3, H, W]` with history to the parameters, and the latent, for a number that
  ///     chance derives from.
  /// - Throws: `PaintingError.diverged`.
  func gradient(
    at parameters: [Tensor], step: Int, batch: Int, latent: Tensor?, draw: (Int) throws -> Tensor
  ) throws -> Gradient {
    let picture = try draw(step * batches + batch)
    let values = picture.detached()
    let sum = try gradients(
      at: values, and: parameters, step: step, batch: batch, latent: latent, way: nil)
    let pulled = pullback(of: picture, along: sum.atPicture, at: parameters)
    let both = zip(pulled, sum.direct).map { ($0 + $1) / Double(batches) }
    return Gradient(loss: sum.loss, gradients: both, picture: values)
  }

  /// The mean gradient of all sets of views of one picture, which goes back from the picture once.
  /// - Parameters:
  ///   - x: where it is wanted.
  ///   - picture: `[1, 3, H, W]` with history to `x`.
  ///   - step: counted from 0.
  ///   - way: how much of the way from noise to picture is done.
  /// - Throws: `PaintingError.diverged`.
  func gradient(at x: Tensor, of picture: Tensor, step: Int, way: Double) throws -> Gradient {
    let values = picture.detached()
    let first = try gradients(at: values, and: [], step: step, batch: 0, latent: nil, way: way)
    var (atPicture, loss) = (first.atPicture, first.loss)
    for batch in 1..<max(1, batches) {
      let more = try gradients(
        at: values, and: [], step: step, batch: batch, latent: nil, way: way)
      (atPicture, loss) = (atPicture + more.atPicture, loss + more.loss)
    }
    let pulled = pullback(of: picture, along: atPicture, at: [x])[0] / Double(batches)
    return Gradient(loss: loss / Double(batches), gradients: [pulled], picture: values)
  }

  /// The gradients of all losses of one set of views: at the picture, and straight at the parameters.
  private func gradients(
    at values: Tensor, and parameters: [Tensor], step: Int, batch: Int, latent: Tensor?,
    way: Double?
  ) throws -> (atPicture: Tensor, direct: [Tensor], loss: Double) {
    let seen = (limitsColors ? values.clamped(0, 1) : values).variable()
    let drawn = values.variable()
    let sum = loss(
      at: seen, drawn, latent: latent, step: step, chance: step * batches + batch, way: way)
    let number = sum.item()
    guard number.isFinite else { throw PaintingError.diverged(iteration: step) }
    let found = Torch.gradient(of: sum, at: [seen, drawn] + parameters)
    let wanted = limitsColors ? clampedGradient(found[0], at: values, 0, 1) : found[0]
    if records { newestGradient = wanted }
    return (wanted + found[1], Array(found.dropFirst(2)), number)
  }

  /// The sum of all losses that have something to say, `[]`.
  private func loss(
    at seen: Tensor, _ drawn: Tensor, latent: Tensor?, step: Int, chance: Int, way: Double?
  ) -> Tensor {
    var picture = covered(seen)
    var losses: [Tensor] = []
    for filter in filters {
      let (changed, loss) = filter(picture, iteration: chance)
      picture = changed
      if let loss { losses.append(loss) }
    }
    let observation = Observation(
      picture: picture, drawn: drawn, latent: latent, latentOf: latentOf,
      views: perceptors.map {
        $0.views(
          of: picture, chance, step: step, progress: Double(step) / Double(total), way: way)
      }, iteration: step, total: total)
    if records { newestViews = observation.views.first?.cutouts.detached() }
    let scene = scenes[(step / sceneLength) % scenes.count]
    for wanted in scene + objectives {
      if let loss = wanted.objective.loss(observation) { losses.append(loss * wanted.weight) }
    }
    guard let first = losses.first else { return seen.sum() * 0 }
    return losses.dropFirst().reduce(first, +)
  }

  // MARK: What stays

  /// Pictures of which objectives let only a part change.
  var kept: [Kept] { objectives.compactMap { ($0.objective as? any Keeping)?.kept } }

  /// As `kept`, and those of filters, which lay theirs over what is drawn themselves.
  var allKept: [Kept] { kept + filters.compactMap { ($0 as? any Keeping)?.kept } }

  /// Whether what stays is laid over what is drawn: for drawers whose parameters have no places, so that no
  /// gradient can be left out.
  var coversKept = false

  private func covered(_ picture: Tensor) -> Tensor {
    coversKept ? kept.reduce(picture) { $1.laid(over: $0) } : picture
  }

  /// The latent that the drawer would have for another picture; nil where it has none.
  var latentOf: ((Tensor) -> Tensor?)?

  /// A denoiser that works under the filters.
  func filtered(_ denoiser: any Denoiser, step: Int) -> any Denoiser {
    filters.reduce(denoiser) { ($1 as? any SampleFilter)?.filtered($0, step: step) ?? $0 }
  }

  // MARK: Looking

  /// A picture as the filters show it, `[1, 3, H, W]` in 0…1, without history.
  func shown(_ picture: Tensor) -> Tensor {
    noGrad {
      filters.reduce(covered(picture.detached().clamped(0, 1))) { $1($0, iteration: nil).picture }
    }
  }

  /// What was seen of the picture in the newest step, and where that pulls it.
  func panels() throws -> [Trace.Panel] {
    guard let views = newestViews, let gradient = newestGradient else { return [] }
    let shown = min(views.size(0), 16)
    let pull = gradient * -1
    let grey = pull / (pull.square().mean().sqrt() * 6 + 1e-12) + 0.5
    return [
      .init(
        title: "What CLIP saw",
        text:
          "Views of the picture in the last step, \(shown) of \(views.size(0)): parts of it, turned and "
          + "changed, so that only what is right in all of them counts.",
        looks: try (0..<shown).map { try .init(views[$0..<$0 + 1], "") }),
      .init(
        title: "Where it was pulled",
        text:
          "The gradient of the last step at the picture, strongly enlarged: grey stays, lighter places are "
          + "to become lighter, darker ones darker, in each color.",
        looks: [try .init(grey, "")]),
    ]
  }

  /// Whether filters change the picture.
  var filtersPictures: Bool { !filters.isEmpty }

  /// A picture once it has the size that was asked for, with the filters' last words.
  func finish(_ picture: Picture) throws -> Picture {
    try filters.reduce(picture) { try ($1 as? any FinishingFilter)?.finish($0) ?? $0 }
  }

  /// The parts that remember something from step to step.
  var remembering: [any Remembering] {
    (scenes.flatMap { $0 } + objectives).compactMap { $0.objective as? any Remembering }
      + filters.compactMap { $0 as? any Remembering }
  }
}

extension [any Remembering] {
  /// The names of what each remembers, as a checkpoint notes them.
  var names: [[String]] { map { $0.memory.keys.sorted() } }

  /// All that they remember, under names of their own.
  var tensors: [String: Tensor] {
    enumerated().reduce(into: [:]) { tensors, part in
      for (name, tensor) in part.element.memory {
        tensors["memory.\(part.offset).\(name)"] = tensor
      }
    }
  }

  /// Gives each its memory back.
  func restore(_ names: [[String]], _ device: Device, _ tensor: (String) throws -> Tensor?) throws {
    guard names.count == count else {
      throw PaintingError.badCheckpoint(reason: "it is of another request")
    }
    for (index, part) in enumerated() {
      part.memory = try names[index].reduce(into: [:]) { memory, name in
        memory[name] = try tensor("memory.\(index).\(name)")?.to(device)
      }
    }
  }
}
