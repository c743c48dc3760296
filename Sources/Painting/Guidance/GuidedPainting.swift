import Foundation
import Imaging
import Models
import Torch

/// One picture under CLIP's guidance (Crowson et al., "VQGAN-CLIP: Open Domain Image Generation and
/// Editing with Natural Language Guidance", 2022): what a drawer draws is optimised until CLIP finds
/// that views of the picture fit the text.
///
/// ```
/// parameters → drawer → picture → filters → views → perceptors → objectives → loss
/// ```
///
/// All chance derives from the seed and the number of the iteration, and `state` holds all the rest:
/// a painting may be left after any iteration and taken up again to the bit.
final class GuidedPainting {
  /// What is painted, resolved.
  let request: Request
  /// Iterations in all.
  let total: Int
  /// Iterations done.
  private(set) var iteration = 0
  let drawer: any Drawer
  private let optimizers: [any Optimizer]
  private let average: ParameterAverage?
  private let filters: [any Filter]
  private let critics: [Critic]
  private let scenes: [[Weighted]]
  private let sceneLength: Int
  private let wishes: [Weighted]
  private let overlay: Overlay?
  private var schedule: RateSchedule
  private var best = Best()

  /// An objective and how much it counts.
  struct Weighted {
    let objective: any Objective
    let weight: Double
  }

  /// - Parameters:
  ///   - request: resolved.
  ///   - initial: `[1, 3, H, W]` in 0…1 at the size to paint; nil begins in the drawer's own way.
  ///   - files: what the request names.
  ///   - preparing: told how far work is that comes before the first iteration.
  init(
    _ request: Request, networks: Networks, width: Int, height: Int, initial: Tensor?,
    files: Attachments, preparing: @escaping (Event.Progress) -> Void = { _ in }
  ) throws {
    self.request = request
    total = request.iterations ?? 1
    let workshop = Workshop(
      request: request, networks: networks, width: width, height: height,
      initial: initial?.to(networks.device), files: files, preparing: preparing)
    drawer = try workshop.drawer()
    let optimizer = request.optimizer ?? .adam
    optimizers =
      drawer is any SamplingDrawer
      ? [] : drawer.parameters.map { optimizer.make([$0], decay: request.weightDecay) }
    average =
      (request.ema ?? 0) > 0
      ? ParameterAverage(drawer.parameters, decay: request.ema ?? 0) : nil
    filters = try workshop.filters()
    critics = try workshop.critics()
    scenes = try workshop.scenes(critics)
    sceneLength = request.sceneLength(of: scenes.count)
    wishes = try workshop.objectives() + drawer.wishes.map { Weighted(objective: $0, weight: 1) }
    overlay = try workshop.overlay()
    schedule = RateSchedule(
      percentages: request.learningRateDrops ?? [], iterations: total, patience: request.patience)
  }

  /// Whether there is nothing more to do.
  var isDone: Bool { iteration >= total || schedule.isExhausted }

  // MARK: Painting

  /// Lays the overlay over the picture when it is time for that (pixray's `overlay_image`).
  private func layOver() throws {
    guard let overlay, iteration % (request.overlayEvery ?? 10) == 0,
      iteration < request.overlayUntil ?? Int.max
    else { return }
    let picture = current()
    guard drawer.begin(from: picture * (1 - overlay.alpha) + overlay.color * overlay.alpha) else {
      throw RequestError.impossible(
        method: request.method ?? .auto, reason: "its drawer cannot take an overlay on")
    }
  }

  /// One iteration.
  /// - Returns: its loss; nil when nobody looked at the picture.
  /// - Throws: `PaintingError.diverged`.
  func step() throws -> Double? {
    if let sampler = drawer as? any SamplingDrawer, !sampler.isSteered {
      sampler.advance(along: nil)
      iteration += 1
      return nil
    }
    try layOver()
    let batches = request.accumulate ?? 1
    let scene = scenes[(iteration / sceneLength) % scenes.count]
    if iteration > 0, scenes.count > 1, iteration % sceneLength == 0 { best = Best() }
    var slopes: [Tensor] = []
    var loss = 0.0
    for batch in 0..<batches {
      let moment = iteration * batches + batch
      let picture = drawer.render(moment)
      let values = picture.detached()
      let seen = values.clamped(0, 1).variable()
      let sum = total(of: scene + wishes, seen, moment)
      let number = sum.item()
      guard number.isFinite else { throw PaintingError.diverged(iteration: iteration) }
      loss += number / Double(batches)
      // The gradient at the picture passes the clamp before it goes further back; regularisers of the
      // latent have theirs at the parameters.
      let found = gradient(of: sum, at: [seen] + drawer.parameters)
      let wanted = clampedGradient(found[0], at: values, 0, 1)
      let pulled = pullback(of: picture, along: wanted, at: drawer.parameters)
      let both = zip(pulled, found.dropFirst()).map { ($0 + $1) / Double(batches) }
      slopes = slopes.isEmpty ? both : zip(slopes, both).map { $0 + $1 }
      if batch == 0 {
        let shapes = drawer is any VectorDrawer ? drawer.parameters : []
        best.note(number, iteration: iteration, shapes: shapes) { shown(values) }
      }
    }
    restrict(&slopes)
    (drawer as? any SamplingDrawer)?.advance(along: slopes[0])
    let rate = (request.learningRate ?? 0.1) * schedule.factor(at: iteration)
    for (index, optimizer) in optimizers.enumerated() {
      optimizer.step([slopes[index]], rate: rate * drawer.rates[index])
    }
    drawer.project()
    average?.update(drawer.parameters)
    schedule.note(best.numbers.mean)
    iteration += 1
    return loss
  }

  /// Lets only the regions change that objectives name, where a parameter has places at all.
  private func restrict(_ slopes: inout [Tensor]) {
    for case let region? in wishes.compactMap({ ($0.objective as? any Restricting)?.region }) {
      slopes = slopes.map { slope in
        guard slope.rank == 4 else { return slope }
        // As large as the latent, or channels last where it holds logits.
        let (h, w) = (slope.size(2), slope.size(3))
        return slope * region.resampled(h, w, .bilinear, antialias: true)
      }
    }
  }

  /// The sum of all losses that have something to say, `[]`.
  private func total(of objectives: [Weighted], _ seen: Tensor, _ moment: Int) -> Tensor {
    var picture = seen
    var losses: [Tensor] = []
    for filter in filters {
      let (changed, loss) = filter(picture, iteration: moment)
      picture = changed
      if let loss { losses.append(loss) }
    }
    let sight = Sight(
      picture: picture, latent: drawer.latent,
      views: critics.map {
        $0.views(of: picture, moment, progress: Double(iteration) / Double(total))
      }, iteration: iteration, total: total)
    for wish in objectives {
      if let loss = wish.objective.loss(sight) { losses.append(loss * wish.weight) }
    }
    guard let first = losses.first else { return seen.sum() * 0 }
    return losses.dropFirst().reduce(first, +)
  }

  // MARK: Looking

  /// The picture as it is now, `[1, 3, H, W]`.
  func current() -> Tensor {
    noGrad {
      average?.with(drawer.parameters) { shown(drawer.render(nil)) } ?? shown(drawer.render(nil))
    }
  }

  /// The picture to keep: the best so far; where parameters are averaged or drawn by chance, the one
  /// that they stand for now.
  func picture() throws -> Tensor {
    if average != nil || drawer.drawsByChance { return current() }
    guard let kept = best.picture else { throw PaintingError.stoppedEarly }
    return kept
  }

  /// The picture to keep once it has the size that was asked for, with the filters' last words.
  func finished(_ picture: Picture) throws -> Picture {
    try filters.reduce(picture) { try ($1 as? any FinishingFilter)?.finish($0) ?? $0 }
  }

  /// The picture to keep as SVG, before filters; nil where no shapes are drawn.
  func svg() -> String? {
    (drawer as? any VectorDrawer).map { drawer in withKept { drawer.svg() } }
  }

  /// The picture to keep with its transparency, `[1, 4, H, W]`; nil where it has none. Filters know
  /// opaque pictures only.
  func transparentPicture() -> Tensor? {
    guard filters.isEmpty, let drawer = drawer as? any VectorDrawer else { return nil }
    return withKept { drawer.transparentPicture() }
  }

  /// What `look` finds while the shapes are those of the picture to keep.
  private func withKept<Found>(_ look: () -> Found) -> Found {
    if let average { return average.with(drawer.parameters, look) }
    let now = drawer.parameters.map { $0.detached().cloned() }
    func set(_ values: [Tensor]) {
      noGrad {
        for (parameter, value) in zip(drawer.parameters, values) { parameter.assign(value) }
      }
    }
    set(best.shapes)
    defer { set(now) }
    return look()
  }

  private func shown(_ picture: Tensor) -> Tensor {
    noGrad {
      filters.reduce(picture.detached().clamped(0, 1)) { $1($0, iteration: nil).picture }
    }
  }

  /// The parameters that stand for the picture now, copied: their averages where these are kept.
  func parameters() -> [Tensor] {
    let copy = { self.drawer.parameters.map { $0.detached().cloned() } }
    return average?.with(drawer.parameters, copy) ?? copy()
  }

  /// The picture of other parameters, `[1, 3, H, W]`; the drawer's own stay as they are.
  func picture(of parameters: [Tensor]) -> Tensor {
    noGrad {
      let kept = drawer.parameters.map { $0.detached().cloned() }
      for (own, other) in zip(drawer.parameters, parameters) { own.assign(other) }
      defer { for (own, old) in zip(drawer.parameters, kept) { own.assign(old) } }
      return shown(drawer.render(nil))
    }
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
    best = Best()
    guard forgetting else { return }
    for optimizer in optimizers {
      for (_, tensor) in optimizer.state { noGrad { tensor.assign(tensor * 0) } }
    }
  }

  // MARK: Leaving and taking up again

  /// What is no tensor in the state.
  struct Notes: Codable {
    var iteration: Int
    var best: Best.Numbers
    var schedule: RateSchedule
    var memories: [[String]]
  }

  var notes: Notes {
    Notes(
      iteration: iteration, best: best.numbers, schedule: schedule,
      memories: remembering.map { $0.memory.keys.sorted() })
  }

  private var remembering: [any Remembering] {
    [drawer].compactMap { $0 as? any Remembering }
      + (scenes.flatMap { $0 } + wishes).compactMap { $0.objective as? any Remembering }
      + filters.compactMap { $0 as? any Remembering }
  }

  /// Tensors of the state that are always there, in place.
  private var slots: [(key: String, tensor: Tensor)] {
    drawer.parameters.enumerated().map { ("parameter.\($0)", $1) }
      + optimizers.enumerated().flatMap { index, optimizer in
        optimizer.state.map { ("optimizer.\(index).\($0.key)", $0.tensor) }
      } + (average?.state ?? []).map { ("average.\($0.key)", $0.tensor) }
  }

  /// All the tensors that there are to keep, beside `notes`.
  var state: [String: Tensor] {
    var tensors = Dictionary(uniqueKeysWithValues: slots.map { ($0.key, $0.tensor) })
    tensors["best"] = best.picture
    for (index, tensor) in best.shapes.enumerated() { tensors["shapes.\(index)"] = tensor }
    for (index, part) in remembering.enumerated() {
      for (name, tensor) in part.memory { tensors["memory.\(index).\(name)"] = tensor }
    }
    return tensors
  }

  /// Goes to where `notes` and `state` were taken.
  /// - Parameter tensor: gives a tensor of the state; nil when there is none of that name.
  /// - Throws: `PaintingError.badCheckpoint` when they are of another painting.
  func restore(_ notes: Notes, _ tensor: (String) throws -> Tensor?) throws {
    for (key, slot) in slots {
      guard let stored = try tensor(key), stored.shape == slot.shape else {
        throw PaintingError.badCheckpoint(reason: "its '\(key)' does not fit")
      }
      noGrad { slot.assign(stored) }
    }
    guard notes.memories.count == remembering.count, (0...total).contains(notes.iteration) else {
      throw PaintingError.badCheckpoint(reason: "it is of another request")
    }
    for (index, part) in remembering.enumerated() {
      part.memory = try notes.memories[index].reduce(into: [:]) { memory, name in
        memory[name] = try tensor("memory.\(index).\(name)")?.to(drawer.parameters[0].device)
      }
    }
    best.numbers = notes.best
    best.picture = try tensor("best")?.to(drawer.parameters[0].device)
    best.shapes = try drawer.parameters.enumerated().compactMap { index, parameter in
      try tensor("shapes.\(index)")?.to(parameter.device)
    }
    schedule = notes.schedule
    iteration = notes.iteration
  }
}
