import Foundation
import Imaging
import Models
import Torch

/// The way of AttnGAN (Xu et al. 2018): a text and noise become a picture in one pass. Which of several is the
/// best is for `Ranked` to say.
///
/// A step is a candidate.
final class AttnGANPipeline: BetweenPictures {
  let request: Request
  let unit = "picture"
  private let context: PipelineContext
  private let model: AttnGANModel
  private let text: AttnGANReading
  private let truncation: Double
  private let showsAttention: Bool
  private var candidates: [Candidate] = []
  private var isStopped = false

  private struct Candidate {
    /// `[1, 3, S, S]` in 0…1.
    let picture: Tensor
    /// `[T, s, s]`; nil where there is no stage that looks at words.
    let attention: Tensor?
  }

  init(_ context: PipelineContext) throws {
    (request, self.context) = (context.request, context)
    let arguments = try context.arguments()
    truncation = arguments.number("truncation")
    showsAttention = arguments.flag("attention")
    model = try AttnGANModel(context)
    guard let text = request.attnGANText else {
      throw RequestError.impossible(
        method: context.method.id, reason: "a picture has one scene; films go from scene to scene")
    }
    self.text = try model.read(text)
  }

  var total: Int { request.candidates ?? 1 }
  var done: Int { candidates.count }
  var isDone: Bool { candidates.count >= total || isStopped }

  func step(_ control: StepControl) throws -> Double? {
    add()
    isStopped = control.isStopped()
    return nil
  }

  private func add() {
    let (noise, condition) = inputs(of: candidates.count)
    let drawing = draw(noise, condition, text.reading.words, mask: text.reading.mask)
    candidates.append(drawing)
  }

  /// Noise `[1, Z]` and condition `[1, C]` of a candidate.
  private func inputs(of candidate: Int) -> (noise: Tensor, condition: Tensor) {
    let config = model.generator.config
    func noise(_ name: String, _ width: Int) -> Tensor {
      (context.noise("\(name) of candidate \(candidate)", [1, width]) * truncation)
        .to(context.device)
    }
    let condition = noGrad {
      model.generator.condition(text.reading.sentence)(noise("condition", config.condition_dim))
    }
    return (noise("noise", config.z_dim), condition)
  }

  private func draw(_ noise: Tensor, _ condition: Tensor, _ words: Tensor, mask: Tensor)
    -> Candidate
  {
    noGrad {
      let drawing = model.generator(noise, condition, words, mask: mask)
      return Candidate(
        picture: ((drawing.picture(for: context.size.width) + 1) / 2)
          .middle(width: context.size.width, height: context.size.height),
        attention: drawing.attention.last?[0])
    }
  }

  func current() throws -> Tensor {
    guard let last = candidates.last else { throw PaintingError.stoppedEarly }
    return last.picture
  }

  func previews(every: Int) throws -> [Event.Preview] {
    guard done % every == 0 else { return [] }
    return [.init(picture: try Picture(current()[0]), step: done, score: nil)]
  }

  /// The candidates in the order in which they were drawn.
  func finished() throws -> [FinishedPicture] {
    guard !candidates.isEmpty else { throw PaintingError.stoppedEarly }
    return try candidates.map { candidate in
      var finished = FinishedPicture(candidate.picture, request)
      let words = text.words
      let sheet = {
        try candidate.attention.map {
          try AttentionSheet(picture: candidate.picture, maps: $0, words: words).render()
        }
      }
      if showsAttention { finished.attention = try sheet() }
      finished.panels = {
        try sheet().map { sheet in
          [
            Trace.Panel(
              title: "Attention", text: "Where each word was looked at, lit.",
              looks: [try .init(sheet, "", side: 640)])
          ]
        } ?? []
      }
      return finished
    }
  }

  // MARK: Between pictures

  /// Noise, condition, and what was read of the words, `[1, E, T]`.
  func parameters() -> [Tensor] {
    let (noise, condition) = inputs(of: 0)
    return [noise, condition, text.reading.words]
  }

  /// Positions look at the words of both texts, at those of each as much as its share is.
  func picture(between from: [Tensor], _ to: [Tensor], share: Double) -> Tensor {
    func weights(_ words: Tensor, _ share: Double) -> Tensor {
      Tensor.full([1, 1, words.size(2)], log(share), device: words.device)
    }
    let mask = concatenated([weights(from[2], 1 - share), weights(to[2], share)], over: 2)
    return draw(
      spherical(from[0], to[0], share), from[1] * (1 - share) + to[1] * share,
      concatenated([from[2], to[2]], over: 2), mask: mask
    ).picture
  }

  // MARK: Leaving and taking up again

  private struct Notes: Codable {
    let candidates: Int
  }

  /// How many there are: they are drawn again in less time than they are read.
  var state: PipelineState {
    get throws { try PipelineState(notes: Notes(candidates: done), tensors: [:]) }
  }

  func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws {
    guard let notes = try? JSONDecoder().decode(Notes.self, from: notes),
      (0...total).contains(notes.candidates)
    else { throw PaintingError.badCheckpoint(reason: "it is of another request") }
    candidates = []
    for _ in 0..<notes.candidates { add() }
  }
}

extension AttnGAN.Drawing {
  /// The smallest picture that has so many pixels, else the largest.
  func picture(for side: Int) -> Tensor {
    pictures.first { $0.size(3) >= side } ?? pictures[pictures.count - 1]
  }
}

extension AttnGAN.Config {
  /// The smallest picture that has so many pixels, else the largest.
  func side(for pixels: Int) -> Int {
    dcgan ? size : [64, 128].first { $0 >= pixels && $0 <= size } ?? size
  }
}

extension Canvas {
  /// The sizes of the AttnGAN that draws.
  fileprivate var attnGAN: AttnGAN.Config? {
    installed as? AttnGAN.Config ?? pack.config(of: AttnGAN.self)
  }
}

extension Method {
  private static let attnGANParts: [ComponentSlot] = [
    .init("generator", AttnGAN.architecture.id, title: "AttnGAN"),
    .init("text encoder", AttnGANText.architecture.id, title: "text encoder of AttnGAN"),
  ]

  @Sendable private static func sizes(of network: DrawingNetwork) -> [String: JSONValue] {
    guard let side = (network.config as? AttnGAN.Config)?.size else { return [:] }
    return ["width": .integer(side), "height": .integer(side)]
  }

  /// AttnGAN by itself.
  static let attnGAN = Method(
    "attngan", title: "AttnGAN",
    "Three networks in a row draw at 64, 128 and 256 pixels, looking at the words (AttnGAN, Xu and others, "
      + "2018)",
    arguments: [
      .number(
        "truncation", 0...2, default: 1,
        "How far noise goes from its middle: less is more alike, more is stranger"),
      .flag(
        "attention", default: false,
        "Whether a sheet beside the picture shows which word painted where"),
    ],
    components: attnGANParts, takes: [.candidates, .model, .firstNoise], films: [.morph],
    ofNetwork: sizes, preference: .init(8, "it draws in one pass what its pictures showed"),
    size: { canvas in
      let longest = max(canvas.asked.width, canvas.asked.height)
      let side = canvas.attnGAN?.side(for: longest) ?? longest
      return .init(width: side, height: side)
    },
    check: { request throws(RequestError) in
      let scenes = (try? request.scenes()) ?? []
      guard scenes.allSatisfy({ $0.count == 1 && $0[0].text != nil && $0[0].weight > 0 }) else {
        throw .impossible(
          method: "attngan", reason: "it takes one text, without negative weight")
      }
      if (request.width ?? 256) != (request.height ?? 256) {
        throw .impossible(method: "attngan", reason: "its pictures are square; choose one --size")
      }
    },
    remarks: { request in
      guard let prompt = try? request.scenes().first?.first, prompt.weight != 1 else { return [] }
      return [
        Remark(
          "prompt",
          "attngan takes one text as it is: its weight, \(shown(prompt.weight)), has no effect.")
      ]
    },
    packProblem: { pack in
      let (generator, text) = (pack.config(of: AttnGAN.self), pack.config(of: AttnGANText.self))
      guard generator != nil || text != nil else { return nil }
      return generator?.embedding_dim == text?.width
        ? nil : "its AttnGAN and the text encoder of it do not go together"
    }
  ) { context in
    try Ranked(AttnGANPipeline(context), context)
  }

  /// AttnGAN under CLIP's guidance.
  static let attnGANCLIP = guided(
    "attngan-clip", title: "AttnGAN+CLIP",
    "Draws with AttnGAN, whose noise and condition are moved until CLIP is pleased",
    by: attnGANParts,
    defaults: [
      "width": .integer(256), "height": .integer(256), "iterations": .integer(200),
      "learningRate": .number(0.05),
    ], limitsColors: true, ofNetwork: sizes,
    size: { canvas in
      let (width, height) = (canvas.asked.width, canvas.asked.height)
      guard let side = canvas.attnGAN?.side(for: max(width, height)) else {
        return canvas.limited()
      }
      func part(_ pixels: Int) -> Int {
        max(1, Int((Double(side * pixels) / Double(max(width, height))).rounded()))
      }
      return .init(width: part(width), height: part(height))
    }
  ) { context in
    let painting = try context.ofPainting()
    let model = try AttnGANModel(painting)
    guard let text = try painting.request.scenes()[0].lazy.compactMap(\.text).first else {
      throw RequestError.impossible(
        method: "attngan-clip", reason: "AttnGAN begins with a text; give one")
    }
    return try AttnGANDrawer(
      model.generator, model.read(text).reading, width: context.width, height: context.height,
      seed: context.seed, device: context.device)
  }
}

/// Draws with AttnGAN: noise and condition are the parameters. The words stay those of the text.
struct AttnGANDrawer: Drawer {
  /// `[1, Z]`
  let noise: Tensor
  /// `[1, C]`
  let condition: Tensor
  private let generator: AttnGAN
  private let reading: AttnGANText.Reading
  private let width: Int
  private let height: Int

  init(
    _ generator: AttnGAN, _ reading: AttnGANText.Reading, width: Int, height: Int, seed: UInt64,
    device: Device
  ) {
    (self.generator, self.reading, self.width, self.height) = (generator, reading, width, height)
    let config = generator.config
    noise = RandomStream(seed: seed, "noise of candidate 0").normal([1, config.z_dim]).to(device)
      .variable()
    let spread = RandomStream(seed: seed, "condition of candidate 0")
      .normal([1, config.condition_dim]).to(device)
    condition = noGrad { generator.condition(reading.sentence)(spread) }.variable()
  }

  var parameters: [Tensor] { [noise, condition] }

  var latent: Tensor? { noise }

  func render(_ iteration: Int?) -> Tensor {
    let drawing = generator(noise, condition, reading.words, mask: reading.mask)
    return ((drawing.picture(for: max(width, height)) + 1) / 2).middle(width: width, height: height)
  }
}
