import Diffusion
import Foundation
import Imaging
import Models
import Torch

/// A stage of a cascade: a network of its own goes from noise to what the next stage is told, or to the picture.
protocol CascadeStage: AnyObject {
  /// What it is, "prior" for instance; its noise derives from it.
  var name: String { get }
  /// From noise to clean.
  var levels: [NoiseLevel] { get }
  /// Of what it goes from and to for one candidate.
  var shape: [Int] { get }
  /// Of what it has made of one candidate.
  var madeShape: [Int] { get }
  /// What the first noise is multiplied by.
  var temperature: Double { get }
  /// At the beginning of its way.
  var sampler: any Sampler { get }

  /// Its network, loaded when it is first asked for, told what is wanted.
  /// - Parameter earlier: what the stage before has made of the candidate.
  func denoiser(after earlier: Tensor?) throws -> any Denoiser
  /// What the next stage is told, or the pictures' values: what the clean sample stands for.
  /// - Parameter earlier: what the stage before has made of the candidate.
  func made(_ x: Tensor, after earlier: Tensor?) throws -> Tensor
  /// The picture `[1, 3, H, W]` in 0…1 that is seen in a sample; nil where that is none.
  func picture(_ x: Tensor) -> Tensor?
  /// Lets its network go: all candidates have passed.
  func release()
}

extension CascadeStage {
  var madeShape: [Int] { shape }
  var temperature: Double { 1 }
  func made(_ x: Tensor, after earlier: Tensor?) throws -> Tensor { x }
  func picture(_ x: Tensor) -> Tensor? { (x + 1) / 2 }
}

/// A stage's network, loaded when it is asked for and let go when all candidates have passed.
struct StageNetwork<N> {
  /// It, loaded at the first call.
  let open: () throws -> N
  let release: () -> Void

  /// The network of a pack or an installed model.
  /// - Parameter model: nil is the pack.
  init(_ type: N.Type, of model: String?, _ networks: Networks) where N: Network {
    open = { try networks.network(type, of: model, packs: model == nil) }
    release = { networks.release(type, of: model) }
  }

  init(open: @escaping () throws -> N, release: @escaping () -> Void = {}) {
    (self.open, self.release) = (open, release)
  }

  /// A part of it.
  func map<Part>(_ part: @escaping (N) -> Part) -> StageNetwork<Part> {
    let open = open
    return .init(open: { part(try open()) }, release: release)
  }
}

/// Stages of diffusion one after another, each with a network that is let go before the next one is loaded: memory
/// is that of the largest.
///
/// All candidates pass a stage before the first of them enters the next. Which of several is the best is for
/// `Ranked` to say.
final class DiffusionCascade: Pipeline {
  let request: Request
  let unit = "iteration"
  private(set) var done = 0
  private let context: PipelineContext
  private let stages: [any CascadeStage]
  private let candidates: Int
  private let finish: (Picture) throws -> Picture
  /// What the stage before has made of each candidate; nil where there is none before.
  private var earlier: [Tensor?]
  /// What this stage has made so far.
  private var made: [Tensor] = []
  /// Where the candidate is that is under way.
  private var under: Way?

  private struct Way {
    var x: Tensor
    var sampler: any Sampler
    let denoiser: any Denoiser
    /// What the network found last.
    var x0: Tensor?
  }

  /// Where a number of steps leads.
  private struct Place {
    let stage: Int
    let candidate: Int
    let index: Int
  }

  /// - Parameters:
  ///   - start: what the first stage is told; nil for nothing.
  ///   - finish: what is done to a picture once it has the size that was asked for.
  init(
    _ context: PipelineContext, _ stages: [any CascadeStage], start: Tensor? = nil,
    finish: @escaping (Picture) throws -> Picture = { $0 }
  ) {
    request = context.request
    self.finish = finish
    self.context = context
    self.stages = stages
    candidates = request.candidates ?? 1
    earlier = Array(repeating: start, count: candidates)
  }

  var total: Int { stages.reduce(0) { $0 + steps($1) } }
  var isDone: Bool { done >= total }

  /// Steps of all candidates through a stage.
  private func steps(_ stage: any CascadeStage) -> Int { candidates * (stage.levels.count - 1) }

  private var place: Place {
    var rest = done
    for (number, stage) in stages.enumerated() where !isDone {
      let steps = steps(stage)
      if rest < steps {
        let (candidate, index) = rest.quotientAndRemainder(dividingBy: stage.levels.count - 1)
        return Place(stage: number, candidate: candidate, index: index)
      }
      rest -= steps
    }
    return Place(stage: stages.count, candidate: 0, index: 0)
  }

  func step(_ control: StepControl) throws -> Double? {
    let place = place
    let stage = stages[place.stage]
    let name = "\(stage.name) of candidate \(place.candidate)"
    var way = try under ?? begin(place)
    let (denoiser, x) = (way.denoiser, way.x)
    var x0: Tensor?
    let next = try way.sampler.step(
      x, place.index, of: stage.levels,
      denoise: { x, level in
        let found = try denoiser(x, at: level)
        x0 = found.guidance?.x0 ?? found.x0
        return found
      },
      noise: {
        context.noise("\(name) \(place.index)", stage.shape).to(context.device)
      })
    way.x0 = x0
    way.x = next
    under = way
    done += 1
    guard place.index == stage.levels.count - 2 else { return nil }
    made.append(
      try noGrad { try stage.made(next, after: earlier[place.candidate]) })
    under = nil
    if made.count == candidates {
      // Of the last stage the pictures stay.
      if place.stage < stages.count - 1 { (earlier, made) = (made, []) }
      stage.release()
    }
    return nil
  }

  /// A candidate enters a stage.
  private func begin(_ place: Place) throws -> Way {
    let stage = stages[place.stage]
    let noise = context.noise("\(stage.name) of candidate \(place.candidate)", stage.shape)
    return Way(
      x: noise.to(context.device) * stage.temperature, sampler: stage.sampler,
      denoiser: try noGrad { try stage.denoiser(after: earlier[place.candidate]) })
  }

  // MARK: Looking

  func previews(every: Int) throws -> [Event.Preview] {
    guard done % every == 0, !isDone, let picture = newest() else { return [] }
    return [.init(picture: try Picture(picture[0]), step: done, score: nil)]
  }

  /// The newest picture that there is: of the candidate under way, else of the one before, else what the stage
  /// before has made of them.
  private func newest() -> Tensor? {
    let number = min(place.stage, stages.count - 1)
    let seen = under?.x0.flatMap { shown($0, stages[number]) }
    let before = number > 0 ? stages[number - 1] : nil
    return seen ?? made.last.flatMap { shown($0, stages[number]) }
      ?? before.flatMap { stage in earlier.last?.flatMap { shown($0, stage) } }
  }

  /// A stage's picture at the painting's size.
  private func shown(_ x: Tensor, _ stage: any CascadeStage) -> Tensor? {
    noGrad {
      stage.picture(x).map { picture in
        let (width, height) = (context.size.width, context.size.height)
        return picture.size(2) == height && picture.size(3) == width
          ? picture : picture.resampled(height, width, .bicubic, antialias: true)
      }
    }
  }

  func current() throws -> Tensor {
    guard let picture = newest() else { throw PaintingError.stoppedEarly }
    return picture
  }

  /// The candidates in the order in which they were drawn; of a painting that was stopped, those that are done,
  /// else the newest that can be seen.
  func finished() throws -> [FinishedPicture] {
    let last = stages[stages.count - 1]
    let whole = place.stage >= stages.count - 1 ? made.compactMap { shown($0, last) } : []
    return (whole.isEmpty ? [try current()] : whole).map { picture in
      var finished = FinishedPicture(picture, request)
      finished.finish = finish
      return finished
    }
  }

  // MARK: Leaving and taking up again

  private struct Notes: Codable {
    let steps: Int
    /// What the sampler remembers of the candidate under way, by name; nil where none is.
    let remembered: [String]?
  }

  /// What the stage before and this one have made, and where the candidate under way is.
  var state: PipelineState {
    get throws {
      var tensors: [String: Tensor] = [:]
      for (index, tensor) in earlier.enumerated() { tensors["earlier.\(index)"] = tensor }
      for (index, tensor) in made.enumerated() { tensors["made.\(index)"] = tensor }
      if let under {
        tensors["x"] = under.x
        for (name, tensor) in under.sampler.state { tensors["sampler.\(name)"] = tensor }
      }
      return try PipelineState(
        notes: Notes(
          steps: done, remembered: under.map { $0.sampler.state.keys.sorted() }),
        tensors: tensors)
    }
  }

  func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws {
    guard let notes = try? JSONDecoder().decode(Notes.self, from: notes),
      (0...total).contains(notes.steps)
    else { throw PaintingError.badCheckpoint(reason: "it is of another request") }
    func kept(_ name: String, _ shape: [Int]? = nil) throws -> Tensor {
      guard let tensor = try tensor(name), tensor.shape == shape ?? tensor.shape else {
        throw PaintingError.badCheckpoint(reason: "its '\(name)' does not fit")
      }
      return tensor.to(context.device)
    }
    done = notes.steps
    let place = place
    let stage = stages[min(place.stage, stages.count - 1)]
    made = try (0..<(isDone ? candidates : place.candidate)).map {
      try kept("made.\($0)", stage.madeShape)
    }
    // Of a painting that is done nothing is asked any more.
    if place.stage > 0, !isDone {
      let shape = stages[place.stage - 1].madeShape
      for index in earlier.indices { earlier[index] = try kept("earlier.\(index)", shape) }
    }
    under = nil
    guard let remembered = notes.remembered, !isDone else { return }
    var way = try begin(place)
    way.x = try kept("x", stage.shape)
    way.sampler.state = try remembered.reduce(into: [:]) { $0[$1] = try kept("sampler.\($1)") }
    under = way
  }
}
