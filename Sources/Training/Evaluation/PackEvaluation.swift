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
  /// Held-out renders on the token grid, and anywhere.
  private let grid: Corpus
  private let anywhere: Corpus
  /// Renders of every pair of object and ground, in places that training never drew.
  private let unseen: Corpus

  /// - Throws: `CorpusError` when the font or the names are missing, naming the package to install.
  public init(pack: Pack) throws {
    self.pack = pack
    var configuration = CorpusConfiguration()
    configuration.seed = 4242
    configuration.size = pack.manifest.pictureSize
    configuration.objectSize = pack.manifest.pictureSize * 7 / 8
    grid = try Corpus(configuration: configuration, split: .heldOut)
    anywhere = try grid.with {
      $0.placement = .jitter
      $0.unnamedGroundFraction = 0
    }
    unseen = try anywhere.with(split: .train)
  }

  /// The names of the concepts, by their numbers.
  public var concepts: [String] { grid.catalogue.concepts.map(\.name) }

  /// A judge's own accuracy on held-out renders.
  public func accuracy(of judge: Judge) -> (grid: Proportion, anywhere: Proportion) {
    (judge.accuracy(on: grid, count: 1000), judge.accuracy(on: anywhere, count: 1000))
  }

  /// How well the VQGAN gives held-out renders back.
  /// - Returns: PSNR in decibels, SSIM, and a sheet with originals above reconstructions.
  public func reconstruction(count: Int = 256) throws -> (
    psnr: Double, ssim: Double, sheet: Picture
  ) {
    guard let config = pack.vqgan else { throw TrainingError.missing("The pack has no VQGAN.") }
    let model = try Checkpoint(contentsOf: pack.folder.appending(path: "vqgan.safetensors"))
      .build { VQGAN($0, config) }
    return try noGrad {
      let x = PictureBatches.tensor(grid, Array(0..<count)).pictures
      let y = model.decode(model.quantize(model.encode(x)).quantized)
      let (a, b) = ((x + 1) / 2, ((y + 1) / 2).clamped(0, 1))
      let shown = min(count, 36)
      return (
        ImageQuality.psnr(a, b), ImageQuality.ssim(a, b),
        try Sheet.pairs(a[0..<shown], b[0..<shown])
      )
    }
  }

  /// How often CLIP finds a picture's own caption among so many. All pairs of object and ground are
  /// different; those that training never joined come first, and the rest are renders it never saw.
  public func retrieval(count: Int = 1000) throws -> Proportion {
    guard let config = pack.clip else { throw TrainingError.missing("The pack has no CLIP.") }
    let model = try Checkpoint(contentsOf: pack.folder.appending(path: "clip.safetensors"))
      .build { CLIP($0, config) }
    let tokenizer = try BPETokenizer(contentsOf: pack.folder.appending(path: "tokenizer.json"))
    return noGrad {
      CLIPTrainee.recall(count: count, sets: [anywhere, unseen]) {
        model.embed(($0 + 1) / 2).normalized()
      } _: {
        model.encodeText(tokenizer($0, length: config.text.contextLength)).normalized()
      }
    }
  }

  /// How often a judge finds a picture's own caption among the same.
  public func retrieval(by judge: CLIPJudge, count: Int = 1000) -> Proportion {
    noGrad {
      CLIPTrainee.recall(count: count, sets: [anywhere, unseen]) {
        judge.embed(($0 + 1) / 2)
      } _: {
        judge.embed($0)
      }
    }
  }

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

  /// Renders of what prompts ask for: the best pictures of them that there are.
  public func renders(of prompts: [EvaluationPrompt]) throws -> [Picture] {
    try prompts.map { prompt in
      let bytes = grid.pixels(showing: [
        (concepts: [prompt.conceptID], color: prompt.colorID ?? NamedColor.whiteID)
      ])
      let x = PictureBatches.tensor(bytes, [1, 3, grid.size, grid.size])
      return try Picture(((x + 1) / 2)[0])
    }
  }

  /// One painted prompt and what the judge saw in it.
  public struct Painted: Sendable {
    /// The prompt and what it asks for.
    public let prompt: EvaluationPrompt
    /// The picture.
    public let picture: Picture
    /// What the judge named, likeliest first.
    public let seen: [Int]
    /// Seconds from request to picture.
    public let seconds: Double

    /// Whether the judge's first guess is right.
    public var isFirst: Bool { seen.first == prompt.conceptID }
    /// Whether one of the judge's five guesses is right.
    public var isAmongFive: Bool { seen.prefix(5).contains(prompt.conceptID) }
    /// Whether the picture's corners have the colour that was asked for: nearer to it than to any other
    /// named ground.
    public var hasGround: Bool {
      let corners = [
        (0, 0), (picture.width - 1, 0), (0, picture.height - 1),
        (picture.width - 1, picture.height - 1),
      ].map { picture[$0.0, $0.1] }
      func distance(_ ground: NamedColor) -> Int {
        corners.reduce(0) { sum, corner in
          let r = Int(corner.red) - Int(ground.color.red)
          let g = Int(corner.green) - Int(ground.color.green)
          let b = Int(corner.blue) - Int(ground.color.blue)
          return sum + r * r + g * g + b * b
        }
      }
      return NamedColor.all.min { distance($0) < distance($1) }?.id == prompt.colorID
    }
  }

  /// Paints held-out prompts, one fixed seed each, nothing picked, and shows each to the judge.
  /// - Parameter report: called after each picture.
  public func paint(
    with engine: Engine, judge: Judge, request: Request, count: Int, seed: Int,
    report: (Painted, Int) -> Void
  ) async throws -> [Painted] {
    let prompts = grid.heldOutPrompts(count: count, seed: UInt64(seed))
    var results: [Painted] = []
    for (index, prompt) in prompts.enumerated() {
      var request = request
      request.prompt = prompt.text
      request.seed = seed + index
      let began = ContinuousClock.now
      for try await event in engine.generate(request) {
        guard case .image(let output) = event else { continue }
        let painted = Painted(
          prompt: prompt, picture: output.picture,
          seen: try judge(output.picture).map(\.concept),
          seconds: (ContinuousClock.now - began) / .seconds(1))
        results.append(painted)
        report(painted, prompts.count)
      }
    }
    return results
  }
}
