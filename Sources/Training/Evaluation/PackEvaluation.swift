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
  private let grid: Corpus
  private let anywhere: Corpus
  /// Renders like those of training, whose combinations training never shows, and of those it does.
  private let rich: Corpus
  private let unseen: Corpus

  /// - Throws: `CorpusError` when the font or the names are missing, naming the package to install.
  public init(pack: Pack) throws {
    self.pack = pack
    var configuration = CorpusConfiguration.rich(size: pack.manifest.pictureSize)
    configuration.seed = 4242
    configuration.unnamedGroundFraction = 0
    rich = try Corpus(configuration: configuration, split: .heldOut)
    grid = try rich.with {
      ($0.pairFraction, $0.countFraction, $0.sizedFraction) = (0, 0, 0)
      ($0.sceneFraction, $0.styleFraction) = (0, 0)
    }
    anywhere = try grid.with { $0.placement = .jitter }
    unseen = try anywhere.with(split: .train)
  }

  /// The names of the concepts, by their numbers.
  public var concepts: [String] { grid.catalogue.concepts.map(\.name) }

  // MARK: Networks

  /// A judge's own accuracy on held-out renders of one object.
  public func accuracy(of judge: Judge) -> (grid: Proportion, anywhere: Proportion) {
    (judge.accuracy(on: grid, count: 1000), judge.accuracy(on: anywhere, count: 1000))
  }

  /// How well the VQGAN gives held-out renders of every kind back.
  /// - Returns: PSNR in decibels, SSIM, and a sheet with originals above reconstructions.
  public func reconstruction(count: Int = 256) throws -> (
    psnr: Double, ssim: Double, sheet: Picture
  ) {
    guard let config = pack.vqgan else { throw TrainingError.missing("The pack has no VQGAN.") }
    let model = try Checkpoint(contentsOf: pack.folder.appending(path: "vqgan.safetensors"))
      .build { VQGAN($0, config) }
    return try noGrad {
      var (originals, copies): ([Tensor], [Tensor]) = ([], [])
      for start in stride(from: 0, to: count, by: 32) {
        let x = PictureBatches.tensor(rich, Array(start..<min(start + 32, count))).pictures
        let y = model.decode(model.quantize(model.encode(x)).quantized)
        originals.append((x + 1) / 2)
        copies.append(((y + 1) / 2).clamped(0, 1))
      }
      let (a, b) = (concatenated(originals, over: 0), concatenated(copies, over: 0))
      let shown = min(count, 36)
      return (
        ImageQuality.psnr(a, b), ImageQuality.ssim(a, b),
        try Sheet.pairs(a[0..<shown], b[0..<shown])
      )
    }
  }

  /// How near an enlarged picture is to the one that was made small.
  public struct Enlargement: Sendable {
    /// Peak signal-to-noise ratio in decibels, and SSIM, of the network.
    public let network: (psnr: Double, ssim: Double)
    /// The same of bicubic resampling.
    public let bicubic: (psnr: Double, ssim: Double)
  }

  /// How well the upscaler doubles held-out renders of small things, as they are and as the VQGAN gives
  /// them back.
  /// - Returns: both, and a sheet of the latter with bicubic above the network.
  public func enlargement(count: Int = 64) throws -> (
    plain: Enlargement, coded: Enlargement, sheet: Picture
  ) {
    guard let config = pack.upscaler, let codes = pack.vqgan else {
      throw TrainingError.missing("The pack has no upscaler, or no VQGAN.")
    }
    func load<Model>(_ name: String, _ make: (Parameters) -> Model) throws -> Model {
      try Checkpoint(contentsOf: pack.folder.appending(path: name)).build { make($0) }
    }
    let upscaler = try load("upscaler.safetensors") { RRDBNet($0, config) }
    let vqgan = try load("vqgan.safetensors") { VQGAN($0, codes) }
    let large = try rich.with {
      $0.size *= 2
      $0.objectSize *= 2
      ($0.pairFraction, $0.countFraction, $0.sizedFraction) = (0.6, 0.4, 0)
    }
    return try noGrad {
      let batch = PictureBatches.tensor(large, Array(0..<count)).pictures
      let small = UpscalerTrainee.halved(batch)
      let x = (batch + 1) / 2
      func measure(_ small: Tensor) -> (Enlargement, Tensor, Tensor) {
        let seen = ((small + 1) / 2).clamped(0, 1)
        let y = concatenated((0..<count).map { upscaler(seen[$0..<$0 + 1]) }, over: 0)
          .clamped(0, 1)
        let plain = seen.resampled(x.size(2), x.size(3), .bicubic).clamped(0, 1)
        func figures(_ z: Tensor) -> (psnr: Double, ssim: Double) {
          (ImageQuality.psnr(x, z), ImageQuality.ssim(x, z))
        }
        return (Enlargement(network: figures(y), bicubic: figures(plain)), y, plain)
      }
      let (plain, _, _) = measure(small)
      let back = vqgan.decode(vqgan.quantize(vqgan.encode(small)).quantized)
      let (coded, y, bicubic) = measure(back)
      let shown = min(count, 18)
      return (plain, coded, try Sheet.pairs(bicubic[0..<shown], y[0..<shown], columns: 6))
    }
  }

  /// How often CLIP finds a picture's own caption among so many. All pairs of object and ground are
  /// different; those that training never joined come first, and the rest are renders it never saw.
  public func retrieval(count: Int = 1000) throws -> Proportion {
    guard let config = pack.clip else { throw TrainingError.missing("The pack has no CLIP.") }
    let model = try Checkpoint(contentsOf: pack.folder.appending(path: "clip.safetensors"))
      .build { CLIP($0, config) }
    let tokenizer = try BPETokenizer(contentsOf: pack.folder.appending(path: "tokenizer.json"))
    let side = config.vision.imageSize
    return noGrad {
      CLIPTrainee.recall(count: count, sets: [anywhere, unseen]) { x in
        let seen = x.size(2) == side ? x : x.resampled(side, side, antialias: true)
        return model.embed((seen + 1) / 2).normalized()
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
  public func prompts(_ list: PromptList, seen: Bool, count: Int, seed: Int) -> [EvaluationPrompt] {
    rich.prompts(list, seen: seen, count: count, seed: UInt64(seed))
  }

  /// Renders of what prompts ask for: the best pictures of them that there are.
  public func renders(of prompts: [EvaluationPrompt]) throws -> [Picture] {
    try prompts.map { prompt in
      let bytes = rich.pixels(showing: [prompt.label])
      let x = PictureBatches.tensor(bytes, [1, 3, rich.size, rich.size])
      return try Picture(((x + 1) / 2)[0])
    }
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
          seconds: (ContinuousClock.now - began) / .seconds(1))
        results.append(painted)
        report(painted)
      }
    }
    return results
  }
}
