import Foundation
import Imaging
import Torch

/// One picture under CLIP's guidance (Crowson et al., "VQGAN-CLIP: Open Domain Image Generation and
/// Editing with Natural Language Guidance", 2022): what a drawer draws is optimised until CLIP finds
/// that views of the picture fit the text.
///
/// ```
/// parameters → drawer → picture → guidance → gradient → optimiser → parameters
/// ```
final class GuidedPipeline: BetweenPictures {
  /// What is painted, resolved.
  let request: Request
  let total: Int
  let unit = "iteration"
  private(set) var done = 0
  let drawer: any Drawer
  private let guidance: Guidance
  private let optimizers: [any Optimizer]
  private let average: ParameterAverage?
  private let overlay: Overlay?
  private let sketch: Sketch?
  private var schedule: RateSchedule
  private var best = BestPicture()

  /// A painting of a drawer's.
  /// - Throws: `RequestError.impossible` when the drawer cannot begin from the picture that is given.
  init(_ context: PipelineContext, _ drawer: any Drawer) throws {
    let request = context.request
    self.request = request
    total = request.iterations ?? 1
    self.drawer = drawer
    if let initial = context.initial, !drawer.begin(from: initial) {
      throw RequestError.impossible(
        method: context.method.id, reason: "its drawer cannot begin from a picture")
    }
    let optimizer = request.optimizer ?? .adam
    optimizers = drawer.parameters.map { optimizer.make([$0], decay: request.weightDecay) }
    average =
      (request.ema ?? 0) > 0
      ? ParameterAverage(drawer.parameters, decay: request.ema ?? 0) : nil
    let led: [any Objective] = (request.distillation ?? 0) > 0 ? [try Distillation(context)] : []
    guidance = try Guidance(context, total: total, own: drawer.objectives + led)
    guidance.coversKept = guidance.kept.contains { kept in
      drawer.confined(drawer.parameters, to: kept.open) == nil
    }
    guidance.latentOf = { picture in noGrad { drawer.latent(of: picture) } }
    overlay = try Overlay(context)
    sketch = request.sketch.flatMap { $0 > 0 ? Sketch(context, iterations: $0) : nil }
    if let sketch, !drawer.begin(from: noGrad { sketch.render() }) {
      throw RequestError.impossible(
        method: context.method.id, reason: "its drawer cannot begin from a sketch")
    }
    schedule = RateSchedule(
      percentages: request.learningRateDrops ?? [], iterations: total, patience: request.patience)
  }

  var isDone: Bool { done >= total || schedule.isExhausted }

  // MARK: Painting

  /// Lays the overlay over the picture when it is time for that (pixray's `overlay_image`).
  private func layOver() throws {
    guard let overlay, done % (request.overlayEvery ?? 10) == 0,
      done < request.overlayUntil ?? Int.max
    else { return }
    guard drawer.begin(from: overlay.laid(over: current())) else {
      throw RequestError.impossible(
        method: request.method ?? .auto, reason: "its drawer cannot take an overlay on")
    }
  }

  /// One iteration.
  func step(_ control: StepControl) throws -> Double? {
    if isSketching, let sketch { return try step(sketch) }
    try layOver()
    if guidance.changesScene(at: done) { best = BestPicture() }
    var gradients: [Tensor] = []
    var loss = 0.0
    for batch in 0..<guidance.batches {
      let found = try guidance.gradient(
        at: drawer.parameters, step: done, batch: batch, latent: drawer.latent
      ) { drawer.render($0) }
      loss += found.loss / Double(guidance.batches)
      gradients =
        gradients.isEmpty ? found.gradients : zip(gradients, found.gradients).map { $0 + $1 }
      if batch == 0 {
        let shapes = drawer is any VectorDrawer ? drawer.parameters : []
        best.note(found.loss, iteration: done, shapes: shapes) { guidance.shown(found.picture) }
      }
    }
    for kept in guidance.kept {
      gradients = drawer.confined(gradients, to: kept.open) ?? gradients
    }
    let rate = (request.learningRate ?? 0.1).value(at: done) * schedule.factor(at: done)
    for (index, optimizer) in optimizers.enumerated() {
      optimizer.step([gradients[index]], rate: rate * drawer.rates[index])
    }
    drawer.project()
    average?.update(drawer.parameters)
    schedule.note(best.numbers.mean)
    done += 1
    return loss
  }

  /// Whether the drawer has not begun yet.
  private var isSketching: Bool { sketch.map { done < $0.iterations } == true }

  /// An iteration of the sketch; the drawer begins from it when it is done.
  private func step(_ sketch: Sketch) throws -> Double? {
    var (sum, loss) = (Tensor?.none, 0.0)
    for batch in 0..<guidance.batches {
      let found = try guidance.gradient(
        at: [sketch.pixels], step: done, batch: batch, latent: nil
      ) { _ in sketch.render() }
      loss += found.loss / Double(guidance.batches)
      sum = sum.map { $0 + found.gradients[0] } ?? found.gradients[0]
    }
    if let sum { sketch.step(sum) }
    done += 1
    if done == sketch.iterations {
      _ = drawer.begin(from: noGrad { sketch.render() })
      // What was remembered is of the sketch; the drawer's beginning is now.
      for part in guidance.remembering { part.memory = [:] }
    }
    return loss
  }

  // MARK: Looking

  func current() -> Tensor {
    noGrad {
      if isSketching, let sketch { return guidance.shown(sketch.render()) }
      return average?.with(drawer.parameters) { guidance.shown(drawer.render(nil)) }
        ?? guidance.shown(drawer.render(nil))
    }
  }

  func panels() throws -> [Trace.Panel] { try guidance.panels() }

  /// The picture to keep: the best so far; where parameters are averaged or drawn by chance, the one
  /// that they stand for now.
  func picture() throws -> Tensor {
    let isSketch = sketch.map { done <= $0.iterations } == true
    if average != nil || drawer.drawsByChance || isSketch { return current() }
    guard let kept = best.picture else { throw PaintingError.stoppedEarly }
    return kept
  }

  func finished() throws -> [FinishedPicture] {
    var exact = request
    exact.iterations = done
    var finished = FinishedPicture(try transparentPicture() ?? picture(), exact)
    finished.svg =
      isSketching ? nil : (drawer as? any VectorDrawer).map { drawer in withKept { drawer.svg() } }
    finished.finish = guidance.finish
    return [finished]
  }

  /// The picture to keep with its transparency, `[1, 4, H, W]`; nil where it has none. Filters know
  /// opaque pictures only.
  private func transparentPicture() -> Tensor? {
    guard !isSketching, !guidance.filtersPictures, let drawer = drawer as? any VectorDrawer
    else { return nil }
    return withKept { drawer.transparentPicture() }
  }

  /// What `look` finds while the shapes are those of the picture to keep.
  private func withKept<Found>(_ look: () -> Found) -> Found {
    if let average { return average.with(drawer.parameters, look) }
    return with(best.shapes, look)
  }

  private func with<Found>(_ parameters: [Tensor], _ look: () -> Found) -> Found {
    noGrad {
      let kept = drawer.parameters.map { $0.detached().cloned() }
      for (own, other) in zip(drawer.parameters, parameters) { own.assign(other) }
      defer { for (own, old) in zip(drawer.parameters, kept) { own.assign(old) } }
      return look()
    }
  }

  /// The parameters that stand for the picture now, copied: their averages where these are kept.
  func parameters() -> [Tensor] {
    let copy = { self.drawer.parameters.map { $0.detached().cloned() } }
    return average?.with(drawer.parameters, copy) ?? copy()
  }

  /// The picture of parameters on the straight way from some to others; the drawer's own stay as they are.
  func picture(between from: [Tensor], _ to: [Tensor], share: Double) -> Tensor {
    with(zip(from, to).map { $0 * (1 - share) + $1 * share }) { guidance.shown(drawer.render(nil)) }
  }

  // MARK: Changing what is drawn

  /// Goes on from another picture `[1, 3, H, W]` of 0…1, as films do between frames.
  /// - Parameter forgetting: whether the optimiser's moments begin anew.
  /// - Throws: `RequestError.impossible` when the drawer cannot begin from a picture.
  func goOn(from picture: Tensor, forgetting: Bool) throws {
    guard drawer.begin(from: picture) else {
      throw RequestError.impossible(
        method: request.method ?? .auto, reason: "its drawer cannot go on from a picture")
    }
    best = BestPicture()
    guard forgetting else { return }
    for optimizer in optimizers {
      for (_, tensor) in optimizer.state { noGrad { tensor.assign(tensor * 0) } }
    }
  }

  // MARK: Leaving and taking up again

  /// What is no tensor in the state.
  private struct Notes: Codable {
    var iteration: Int
    var best: BestPicture.Numbers
    var schedule: RateSchedule
    var memories: [[String]]
  }

  private var remembering: [any Remembering] {
    [drawer].compactMap { $0 as? any Remembering } + guidance.remembering
  }

  /// Tensors of the state that are always there, in place.
  private var slots: [(key: String, tensor: Tensor)] {
    drawer.parameters.enumerated().map { ("parameter.\($0)", $1) }
      + optimizers.enumerated().flatMap { index, optimizer in
        optimizer.state.map { ("optimizer.\(index).\($0.key)", $0.tensor) }
      } + (average?.state ?? []).map { ("average.\($0.key)", $0.tensor) }
      + (sketch.map {
        [("sketch", $0.pixels)] + $0.optimizer.state.map { ("sketch.\($0.key)", $0.tensor) }
      } ?? [])
  }

  var state: PipelineState {
    get throws {
      var tensors = Dictionary(uniqueKeysWithValues: slots.map { ($0.key, $0.tensor) })
      tensors["best"] = best.picture
      for (index, tensor) in best.shapes.enumerated() { tensors["shapes.\(index)"] = tensor }
      return try PipelineState(
        notes: Notes(
          iteration: done, best: best.numbers, schedule: schedule, memories: remembering.names),
        tensors: tensors.merging(remembering.tensors) { $1 })
    }
  }

  func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws {
    guard let notes = try? JSONDecoder().decode(Notes.self, from: notes),
      (0...total).contains(notes.iteration)
    else { throw PaintingError.badCheckpoint(reason: "it is of another request") }
    for (key, slot) in slots {
      guard let stored = try tensor(key), stored.shape == slot.shape else {
        throw PaintingError.badCheckpoint(reason: "its '\(key)' does not fit")
      }
      noGrad { slot.assign(stored) }
    }
    let device = drawer.parameters[0].device
    try remembering.restore(notes.memories, device, tensor)
    best.numbers = notes.best
    best.picture = try tensor("best")?.to(device)
    best.shapes = try drawer.parameters.indices.compactMap {
      try tensor("shapes.\($0)")?.to(drawer.parameters[$0].device)
    }
    schedule = notes.schedule
    done = notes.iteration
  }
}
