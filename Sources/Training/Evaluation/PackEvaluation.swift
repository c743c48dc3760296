import Foundation
import Imaging
import Models
import Painting
import Torch
import Weights

/// Measures a pack on the held-out part of the emoji corpus.
public struct PackEvaluation {
  /// The pack.
  public let pack: Pack
  /// Held-out renders of one object on the token grid, and anywhere.
  let grid: Corpus
  let anywhere: Corpus
  /// Renders like those of training, whose combinations training never shows, and of those it does.
  let rich: Corpus
  let unseen: Corpus

  /// - Throws: `CorpusError` when the font or the names are missing, naming the package to install.
  /// - Parameter art: drawings by other hands, shown beside the font's.
  public init(pack: Pack, art: ArtFolder? = nil) throws {
    self.pack = pack
    var configuration = CorpusConfiguration.rich(size: pack.manifest.pictureSize)
    configuration.arts += art?.sets ?? []
    configuration.seed = 4242
    configuration.unnamedGroundFraction = 0
    rich = try Corpus(configuration: configuration, split: .heldOut, folder: art)
    grid = try rich.with {
      ($0.pairFraction, $0.countFraction, $0.sizedFraction) = (0, 0, 0)
      ($0.sceneFraction, $0.styleFraction) = (0, 0)
    }
    anywhere = try grid.with { $0.placement = .jitter }
    unseen = try anywhere.with(split: .train)
  }

  /// The names of the concepts, by their numbers.
  public var concepts: [String] { grid.catalogue.concepts.map(\.name) }

  /// A judge's own accuracy on held-out renders of one object.
  public func accuracy(of judge: Judge) -> (grid: Proportion, anywhere: Proportion) {
    (judge.accuracy(on: grid, count: 1000), judge.accuracy(on: anywhere, count: 1000))
  }

  // MARK: Prompts

  /// Prompts of objects, each on the ground that training never shows it on.
  /// - Throws: `TrainingError.missing` naming the object that there is not.
  public func prompts(of objects: [String]) throws -> [EvaluationPrompt] {
    try objects.map { object in
      guard let prompt = grid.heldOutPrompt(of: object) else {
        throw TrainingError.missing("The emoji corpus has no '\(object)'.")
      }
      return prompt
    }
  }

  /// A fixed list of prompts for one ability; see `Corpus.prompts`.
  public func prompts(
    _ list: PromptList, seen: Bool, count: Int, seed: Int,
    phrasing: CaptionGrammar.Phrasing = .known
  ) -> [EvaluationPrompt] {
    rich.prompts(list, seen: seen, count: count, seed: UInt64(seed), phrasing: phrasing)
  }

  /// Renders of what prompts ask for: the best pictures of them that there are.
  public func renders(of prompts: [EvaluationPrompt]) throws -> [Picture] {
    try prompts.map { prompt in
      let bytes = rich.pixels(showing: [prompt.label])
      let x = PictureBatches.tensor(bytes, [1, 3, rich.size, rich.size])
      return try Picture(((x + 1) / 2)[0])
    }
  }

  /// What a judge sees in renders of what prompts ask for, and in what the VQGAN makes of these: no
  /// picture of the pack's can be told better.
  /// - Returns: both, prompt by prompt; the latter empty where the pack has no VQGAN.
  public func bounds(of prompts: [EvaluationPrompt], judge: Judge) throws -> (
    renders: [PaintedPrompt], coded: [PaintedPrompt]
  ) {
    let pictures = try renders(of: prompts)
    let coded = try vqgan().map { model in
      try pictures.map { picture in
        let y = noGrad { Self.reconstructed(picture.tensor() * 2 - 1, by: model) }
        return try Picture(((y + 1) / 2).clamped(0, 1)[0])
      }
    }
    func judged(_ pictures: [Picture]) -> [PaintedPrompt] {
      zip(prompts, pictures).map { PaintedPrompt($0, $1, judge: judge, seconds: 0) }
    }
    return (judged(pictures), judged(coded ?? []))
  }

  /// Paints prompts, one fixed seed each, nothing picked, and shows each picture to the judge.
  /// - Parameter report: called after each picture.
  public func paint(
    _ prompts: [EvaluationPrompt], with engine: Engine, judge: Judge, request: Request, seed: Int,
    report: (PaintedPrompt) -> Void
  ) async throws -> [PaintedPrompt] {
    var results: [PaintedPrompt] = []
    for (index, prompt) in prompts.enumerated() {
      var request = request
      request.prompt = prompt.text
      request.seed = seed + index
      let began = ContinuousClock.now
      for try await event in engine.generate(request) {
        guard case .image(let output) = event else { continue }
        let painted = PaintedPrompt(
          prompt, output.picture, judge: judge,
          seconds: (ContinuousClock.now - began).seconds)
        results.append(painted)
        report(painted)
      }
    }
    return results
  }
}
