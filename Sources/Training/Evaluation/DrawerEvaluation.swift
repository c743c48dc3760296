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
    /// Arguments of the method.
    public var arguments: [String: JSONValue] = [:]
    /// The method whose picture of the same prompt it begins with; nil for its own way.
    public var first: Method?

    /// Two ways of one name are the same.
    public static func == (a: Way, b: Way) -> Bool { a.name == b.name }
    /// The name tells.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

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

  /// All methods that need nothing beside the pack, each in every way: as it comes, with each choice among
  /// latents, and going on from the picture of the best that begins with none.
  public static func ways(of resolver: Resolver) -> [Way] {
    let methods = resolver.registry.methods.filter { method in
      resolver.lacking(method) == nil
        && method.components.allSatisfy {
          $0.takesPacks && resolver.pack.manifest.networks[$0.architecture] != nil
        }
    }
    let first = methods.first { $0.makesCandidates }
    return methods.sorted { $0.makesCandidates && !$1.makesCandidates }.flatMap { method -> [Way] in
      let name = method.id.rawValue
      var ways = [Way(name: name, method: method)]
      if let latent = method.argument("latent"), case .choice(let words) = latent.kind {
        for word in words where .string(word) != latent.default {
          ways.append(
            Way(name: "\(name), \(word)", method: method, arguments: ["latent": .string(word)]))
        }
        if let first {
          ways.append(Way(name: "\(name), from \(first.id)'s", method: method, first: first))
        }
      }
      return ways
    }
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
      request.method = way.method.id
      request.arguments = way.arguments
      request.seed = seed + index
      var files = Attachments()
      if let method = way.first {
        var first = Request(prompt.text)
        first.method = method.id
        first.seed = seed + index
        let name = "\(index) \(method.id)"
        _ = try await kept.picture(first, files, as: name, with: engine)
        request.initImage = try files.add(
          folder.appending(path: "\(way.fileName)/\(name).png"))
      }
      try change(&request)
      let start =
        !way.method.isOptimised
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
