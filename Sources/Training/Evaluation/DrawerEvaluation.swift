import Foundation
import Imaging
import Painting
import Torch

/// Measures what the drawers under CLIP's guidance achieve on fixed prompts, by judges that guide
/// nothing.
public struct DrawerEvaluation {
  /// A drawer, and how it is used.
  public struct Way: Sendable, Hashable {
    /// What the table calls it.
    public let name: String
    /// The method.
    public let method: Method
    /// Arguments of its drawer.
    public var arguments: [String: JSONValue] = [:]
    /// Whether it begins with the picture that `dalle` paints of the same prompt.
    public var beginsWithDALLE = false

    /// The name as that of a file.
    public var fileName: String {
      name.lowercased().split { !$0.isLetter }.joined(separator: "-")
    }
  }

  /// What became of a prompt.
  public struct Drawn: Sendable {
    /// What the painting began with; nil where it began with nothing.
    public let start: Picture?
    /// The finished picture and what the classifier saw in it; its seconds are those of one core.
    public let painted: PaintedPrompt
  }

  /// Objects whose held-out grounds make the fixed prompts: of every subject, of every colour.
  public static let objects = [
    "fox", "spouting whale", "owl", "ladybug", "octopus", "tulip", "cactus", "maple leaf", "pizza",
    "strawberry", "hamburger", "sailboat", "rocket", "automobile", "crescent moon", "rainbow",
    "castle", "guitar", "umbrella", "red heart",
  ]

  private let evaluation: PackEvaluation
  private let engine: Engine
  private let judge: Judge

  /// - Parameters:
  ///   - evaluation: of the pack that paints.
  ///   - engine: paints with that pack.
  ///   - judge: names what pictures show.
  public init(_ evaluation: PackEvaluation, engine: Engine, judge: Judge) {
    self.evaluation = evaluation
    self.engine = engine
    self.judge = judge
  }

  /// `dalle`, for comparison, and all drawers that need nothing beside the pack, each in every way.
  public static func ways(of pack: Pack) -> [Way] {
    let methods = Method.guided.filter {
      $0.drawer?.needs == .nothing || $0.drawer?.needs == .vqgan && pack.manifest.vqgan != nil
        || $0.drawer?.needs == .diffusion && pack.manifest.diffusion != nil
        || $0.drawer?.needs == .biggan && pack.manifest.biggan != nil
    }
    let drawers = methods.flatMap { method -> [Way] in
      let plain = Way(name: method.rawValue, method: method)
      guard method == .vqganCLIP else { return [plain] }
      let logits = Way(
        name: "vqgan-clip, logits", method: method, arguments: ["latent": .string("logits")])
      let after = Way(name: "vqgan-clip, from dalle's", method: method, beginsWithDALLE: true)
      return [plain, logits] + (pack.manifest.dalle != nil ? [after] : [])
    }
    return (pack.manifest.dalle != nil ? [Way(name: "dalle", method: .dalle)] : []) + drawers
  }

  /// Paints the prompts, each once with a seed of its own, nothing picked.
  /// - Parameters:
  ///   - folder: where pictures are kept; those that it has of the same requests are not painted again.
  ///   - change: what else is asked for.
  ///   - report: called after each picture.
  public func draw(
    _ way: Way, _ prompts: [EvaluationPrompt], seed: Int, in folder: URL,
    change: (inout Request) throws -> Void = { _ in }, report: (Drawn) -> Void = { _ in }
  ) async throws -> [Drawn] {
    let kept = try KeptPictures(folder: folder.appending(path: way.fileName))
    var results: [Drawn] = []
    for (index, prompt) in prompts.enumerated() {
      var request = Request(prompt.text)
      request.method = way.method
      request.arguments = way.arguments
      request.seed = seed + index
      var files = Attachments()
      if way.beginsWithDALLE {
        var first = Request(prompt.text)
        first.method = .dalle
        first.seed = seed + index
        _ = try await kept.picture(first, files, as: "\(index) dalle", with: engine)
        request.initImage = try files.add(
          folder.appending(path: "\(way.fileName)/\(index) dalle.png"))
      }
      try change(&request)
      let start =
        way.method.drawer?.samples != false
        ? nil
        : try await kept.picture(
          Self.beginning(request), files, as: "\(index) start", with: engine
        ).picture
      let (picture, seconds) = try await kept.picture(
        request, files, as: "\(index)", with: engine)
      let drawn = Drawn(
        start: start,
        painted: .init(prompt, picture, judge: judge, seconds: seconds))
      results.append(drawn)
      report(drawn)
    }
    return results
  }

  /// The request whose picture is what `request` begins with: a painting keeps the picture that its
  /// first step saw, and where it keeps its parameters instead, the step is too short to matter.
  static func beginning(_ request: Request) -> Request {
    var first = request
    first.iterations = 1
    first.learningRate = 1e-6
    return first
  }

  /// A picture of nothing: every pixel a colour by chance.
  public static func noise(size: Int, seed: Int) throws -> Picture {
    let stream = RandomStream(seed: UInt64(seed), "a picture by chance")
    return try Picture(stream.uniform([3, size, size]))
  }

  /// How well pictures drawn fit their prompts, as `judge` finds.
  public static func figures(_ drawn: [Drawn], by judge: CLIPJudge) -> DrawerFigures {
    let texts = drawn.map(\.painted.prompt.text)
    let starts = drawn.compactMap(\.start)
    return DrawerFigures(
      start: starts.count == drawn.count ? judge.cosines(starts, texts) : nil,
      final: judge.cosines(drawn.map(\.painted.picture), texts))
  }

  /// Beginnings and finished pictures side by side, prompt by prompt.
  public func sheet(_ drawn: [Drawn], cellSize: Int) throws -> Picture {
    let cells = drawn.flatMap { item -> [ContactSheet.Cell] in
      let prompt = item.painted.prompt
      let object = evaluation.concepts[prompt.conceptID]
      let ground = prompt.colorID.map { "on \(NamedColor.all[$0].name)" } ?? ""
      let final = item.painted.picture
      guard let start = item.start else { return [.init(final, caption: "\(object) \(ground)")] }
      return [.init(start, caption: object), .init(final, caption: ground)]
    }
    return try ContactSheet(cells, columns: 10, cellSize: cellSize, gap: 4, captionSize: 9).render()
  }
}
