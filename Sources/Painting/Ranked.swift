import Foundation
import Imaging
import Models
import Torch

/// The pictures of another pipeline, ranked by CLIP: the one that fits the text best comes first. Where there is
/// no text, they stay in their order.
final class Ranked: Pipeline {
  let base: any Pipeline
  private let judges: [(perceptor: Perceptor, text: Tensor)]

  /// - Parameter base: gives its pictures in any order.
  init(_ base: any Pipeline, _ context: PipelineContext) throws {
    self.base = base
    let text = try context.request.scenes()[0].lazy.filter { $0.weight > 0 }.compactMap(\.text)
      .first
    judges =
      try text.map { text in
        try context.networks.perceptors(context.request).map { ($0, $0.embedding(of: text)) }
      } ?? []
  }

  var total: Int { base.total }
  var done: Int { base.done }
  var unit: String { base.unit }
  var isDone: Bool { base.isDone }
  func step(_ control: StepControl) throws -> Double? { try base.step(control) }
  func current() throws -> Tensor { try base.current() }

  /// The base's, and its candidates in their order.
  func panels() throws -> [Trace.Panel] {
    let pictures = try finished()
    guard pictures.count > 1 else { return try base.panels() }
    let looks = try pictures.prefix(Self.most).enumerated().map { rank, picture in
      let score = picture.score.map { " · " + String(format: "%.3f", $0) } ?? ""
      return try Trace.Look(Picture(painted: picture.picture[0]), "\(rank + 1)\(score)")
    }
    return try [
      .init(
        title: "Candidates",
        text: judges.isEmpty
          ? "All that were drawn, in the order in which they came."
          : "All that were drawn, and how well CLIP finds that each fits the text: the best comes first.",
        looks: looks)
    ] + base.panels()
  }

  /// Candidates that a trace shows at most.
  private static let most = 36

  /// Cosine similarities of pictures `[B, 3, H, W]` to the text.
  private func scores(_ pictures: Tensor) -> [Double] {
    let sum = judges.reduce(0) { $0 + $1.perceptor.weight }
    let scores = judges.map {
      $0.perceptor.similarity(pictures, to: $0.text) * ($0.perceptor.weight / sum)
    }
    return scores.dropFirst().reduce(scores[0], +).floats().map(Double.init)
  }

  func previews(every: Int) throws -> [Event.Preview] {
    let previews = try base.previews(every: every)
    guard !judges.isEmpty else { return previews }
    return previews.map {
      let picture = $0.picture.tensor().to(judges[0].text.device)
      return .init(picture: $0.picture, step: $0.step, score: scores(picture)[0])
    }
  }

  func finished() throws -> [FinishedPicture] {
    var pictures = try base.finished()
    for start in stride(from: 0, to: pictures.count, by: 8) where !judges.isEmpty {
      let range = start..<min(start + 8, pictures.count)
      let found = scores(concatenated(pictures[range].map(\.picture), over: 0))
      for (index, score) in zip(range, found) { pictures[index].score = score }
    }
    let ranked = pictures.enumerated().sorted {
      ($1.element.score ?? 0, $0.offset) < ($0.element.score ?? 0, $1.offset)
    }.map(\.element)
    return ranked.enumerated().map { rank, picture in
      var picture = picture
      picture.request.rank = rank + 1
      picture.request.candidates = ranked.count
      return picture
    }
  }

  var state: PipelineState { get throws { try base.state } }
  func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws {
    try base.restore(notes, tensor)
  }
}
