import Foundation
import Imaging
import Library
import Models
import Synchronization
import Tokenizers
import Torch

/// The way of DALL·E mini (Dayma et al. 2021): a transformer writes pictures as codes of a VQGAN. Which of
/// several is the best is for `Ranked` to say.
///
/// Candidates are sampled in groups; a step is a round of them. Of a small network as many groups are
/// sampled at once as there are threads. A large one is bound by reading its weights, which is shared among
/// the threads: there it is one group after the other.
final class DALLEMiniPipeline: Pipeline {
  let request: Request
  let unit = "token"
  private let decoder: CodeDecoder
  private let sampler: CandidateSampler
  private let groups: [CandidateGroup]
  private let atOnce: Int
  private let config: DALLEBart.Config
  private let device: Device
  private let isSeamless: Bool
  /// The codes of each group that is done, `[size, positions, levels]`.
  private var codes: [Tensor] = []
  /// The candidates, `[1, 3, H, W]` each.
  private var pictures: [Tensor] = []
  /// Candidates before the last step.
  private var before = 0
  private var isStopped = false

  init(_ context: PipelineContext) throws {
    request = context.request
    device = context.device
    let arguments = try context.arguments()
    let networks = context.networks
    let dalle = try networks.network(
      DALLEBart.self, in: context.method.components[0], of: request.model,
      eightBits: request.precision == .int8)
    decoder = try networks.codeDecoder(of: request.model, dalle.config)
    config = dalle.config
    var texts = try request.wantedAndUnwanted()
    let tokenizer: any Tokenizer
    let length = config.text_token_count
    if let model = request.model {
      tokenizer = try DALLEText(of: model, config, in: networks.provider.library)
    } else {
      let own = try networks.tokenizer()
      texts.wanted = TowerText(texts.wanted, own, length: length).text
      tokenizer = own
    }
    let tokens = tokenizer(
      [texts.wanted, texts.unwanted], length: length, padding: config.pad_token
    ).to(device)
    sampler = CandidateSampler(
      dalle: dalle, text: tokens[0..<1], empty: tokens[1..<2],
      sampling: .init(
        conditionScale: arguments.number("conditionScale"),
        temperature: arguments.number("temperature"), topK: arguments.integer("topK"),
        topP: arguments.number("topP")),
      seed: context.seed, threads: config.isLarge ? Libtorch.threads : 1)
    isSeamless = arguments.flag("seamless")
    groups = CandidateGroup.all(of: request.candidates ?? 1)
    atOnce = device == .cpu && !config.isLarge ? Libtorch.threads : 1
  }

  var total: Int { (request.candidates ?? 1) * config.image_token_count }
  var done: Int { pictures.count * config.image_token_count }
  var isDone: Bool { codes.count == groups.count || isStopped }

  func step(_ control: StepControl) throws -> Double? {
    let round = Array(groups[codes.count..<min(codes.count + atOnce, groups.count)])
    let start = done
    let drawn = try sampler(round, isStopped: control.isStopped) { group, codes in
      guard let every = control.codesEvery, codes.count % every == 0 else { return }
      let pictures = self.unfinished(codes)
      for index in 0..<group.size {
        control.show(
          .init(
            picture: try Picture(pictures[index]), step: group.start + index + 1, score: nil,
            codes: codes.count))
      }
    } progress: { tokens in
      control.report(.init(step: start + tokens, total: self.total, unit: self.unit))
    }
    isStopped = drawn.count < round.count
    before = pictures.count
    drawn.forEach(add)
    return nil
  }

  /// Codes along each axis of a picture.
  private var side: Int { Int(Double(config.image_token_count).squareRoot()) }

  private func add(_ drawn: Tensor) {
    codes.append(drawn)
    let decoded = noGrad {
      decoder(drawn.reshaped(drawn.size(0), side, side, config.levels))  // [size, 3, H, W]
    }
    pictures += (0..<decoded.size(0)).map { decoded[$0..<$0 + 1] }
  }

  /// Pictures `[size, 3, H, W]` of candidates that are being written, of which there are the codes
  /// `[size, 1, levels]` of their first positions. The rest have the last code, as in min-dalle.
  private func unfinished(_ codes: [Tensor]) -> Tensor {
    let size = codes[0].size(0)
    let rest = Tensor.full(
      [size, config.image_token_count - codes.count, config.levels],
      Double(config.startToken - 1), codes[0].dtype, device: device)
    let all = concatenated(codes + [rest], over: 1)  // [size, positions, levels]
    return noGrad { decoder(all.reshaped(size, side, side, config.levels)) }
  }

  func previews(every: Int) throws -> [Event.Preview] {
    try (before..<pictures.count).filter { ($0 + 1) % every == 0 }.map {
      .init(picture: try Picture(pictures[$0][0]), step: $0 + 1, score: nil)
    }
  }

  func current() throws -> Tensor {
    guard let last = pictures.last else { throw PaintingError.stoppedEarly }
    return last
  }

  /// The candidates in the order in which they were sampled.
  func finished() throws -> [FinishedPicture] {
    guard !pictures.isEmpty else { throw PaintingError.stoppedEarly }
    return (isSeamless ? [mosaic()] : pictures).map { FinishedPicture($0, request) }
  }

  /// The largest square of candidates, drawn at once, so that they run into each other: what min-dalle calls
  /// seamless. `[1, 3, n H, n W]`
  private func mosaic() -> Tensor {
    let n = Int(Double(pictures.count).squareRoot())
    let grid = concatenated(codes, over: 0)[0..<n * n]  // [n n, positions, levels]
      .reshaped(n, n, side, side, config.levels).permuted(0, 2, 1, 3, 4)
    return noGrad { decoder(grid.reshaped(1, n * side, n * side, config.levels)) }
  }

  // MARK: Leaving and taking up again

  private struct Notes: Codable {
    let groups: Int
  }

  /// The codes of all groups so far: pictures follow from them.
  var state: PipelineState {
    get throws {
      let named = codes.enumerated().map { ("codes.\($0)", $1) }
      return try PipelineState(
        notes: Notes(groups: codes.count), tensors: Dictionary(uniqueKeysWithValues: named))
    }
  }

  func restore(_ notes: Data, _ tensor: (String) throws -> Tensor?) throws {
    guard let notes = try? JSONDecoder().decode(Notes.self, from: notes),
      (0...groups.count).contains(notes.groups)
    else { throw PaintingError.badCheckpoint(reason: "it is of another request") }
    (codes, pictures) = ([], [])
    for index in 0..<notes.groups {
      let shape = [groups[index].size, config.image_token_count, config.levels]
      guard let kept = try tensor("codes.\(index)"), kept.count == shape.reduce(1, *) else {
        throw PaintingError.badCheckpoint(reason: "its 'codes.\(index)' does not fit")
      }
      add(kept.to(device))
    }
    before = pictures.count
  }
}

// MARK: - Codes and texts

/// What draws the pictures that codes stand for.
struct CodeDecoder {
  private let draw: (Tensor) -> Tensor

  init(_ vqgan: VQGAN) {
    draw = { (vqgan.decode(vqgan.lookUp($0)) + 1) / 2 }
  }

  init(_ detokenizer: VQGANDetokenizer) {
    draw = { detokenizer($0.select(3, 0)) }
  }

  /// From codes `[B, h, w, levels]` to pictures `[B, 3, H, W]`, about 0…1.
  func callAsFunction(_ codes: Tensor) -> Tensor { draw(codes) }
}

extension DALLEBart.Config {
  /// Pixels of a picture along each axis: a code of the VQGANs that it is trained on stands for 16.
  fileprivate var pictureSize: Int { Int(Double(image_token_count).squareRoot()) * 16 }
  /// Whether sampling is bound by reading the weights: from DALL·E mini on.
  fileprivate var isLarge: Bool { embed_count >= 1024 }
}

extension Networks {
  /// What draws the codes of a transformer: the pack's VQGAN, or that of an installed model.
  /// - Throws: `StoreError` when there is none; `WeightsError`.
  fileprivate func codeDecoder(of model: String?, _ config: DALLEBart.Config) throws -> CodeDecoder
  {
    guard let model else { return CodeDecoder(try provider.own(VQGAN.self, dtype)) }
    let (holder, architecture) = try provider.library.codeDecoder(
      of: model, codes: config.startToken)
    return architecture == VQGAN.architecture.id
      ? CodeDecoder(try provider.installed(VQGAN.self, of: holder, dtype))
      : CodeDecoder(try provider.installed(VQGANDetokenizer.self, of: holder, dtype))
  }
}

extension Request {
  /// The text that is to be painted, and the one to keep away from, empty where there is none.
  fileprivate func wantedAndUnwanted() throws -> (wanted: String, unwanted: String) {
    let prompts = try scenes().first ?? []
    return (
      prompts.first { $0.weight > 0 }?.text ?? "", prompts.first { $0.weight < 0 }?.text ?? ""
    )
  }

  /// Why the prompts are none that a transformer paints; nil where they are. Its pack's was not trained to
  /// keep away from a text.
  fileprivate var dalleObjection: String? {
    guard let scenes = try? scenes() else { return nil }
    let prompts = scenes.first ?? []
    let away = prompts.count { $0.weight <= 0 }
    guard model != nil else {
      if negativePrompt != nil {
        return
          "a pack's was not trained to keep away from a negative text; name an installed one with --model, "
          + "or paint with diffusion"
      }
      return scenes.count == 1 && prompts.count == 1 && away == 0
        ? nil : "it takes one text, without negative weight; diffusion takes more"
    }
    return scenes.count == 1 && prompts.count == 1 + away && away <= 1
      && prompts.allSatisfy { $0.text != nil && $0.weight != 0 }
      ? nil : "it takes one text, and one of negative weight to keep away from"
  }
}

// MARK: - Candidates side by side

/// Candidates that are sampled together.
///
/// Groups depend on nothing but the number of candidates before them, so that the first candidates are
/// the same however many follow. The first is small, so that there is something to see soon.
struct CandidateGroup {
  /// Candidates before this group.
  let start: Int
  /// Candidates in this group.
  let size: Int

  static func all(of count: Int) -> [CandidateGroup] {
    let starts = count > 2 ? [0] + Array(stride(from: 2, to: count, by: 4)) : [0]
    return zip(starts, starts.dropFirst() + [count]).map {
      CandidateGroup(start: $0, size: $1 - $0)
    }
  }
}

/// Samples groups of candidates side by side.
///
/// A step through a small network that reads one position of a few pictures is too short to be shared among
/// threads: on two cores, two groups at once take half the time of one after the other, and one group
/// on two threads takes longer than on one.
struct CandidateSampler: @unchecked Sendable {
  let dalle: DALLEBart
  /// Tokens of the text and of the empty text, `[1, T]` each.
  let text: Tensor
  let empty: Tensor
  let sampling: DALLEBart.Sampling
  let seed: UInt64
  /// Threads of each group.
  var threads = 1

  /// - Parameters:
  ///   - isStopped: asked by every group after each of its tokens.
  ///   - written: given the codes `[size, 1, levels]` of a group's positions so far after each but the last,
  ///     on any thread.
  ///   - progress: told how many tokens of all groups are drawn, one call at a time, on any thread.
  /// - Returns: the codes of each group, `[size, positions, levels]`; fewer groups when stopped.
  func callAsFunction(
    _ groups: [CandidateGroup], isStopped: @Sendable () -> Bool,
    written: (CandidateGroup, [Tensor]) throws -> Void, progress: (Int) -> Void
  ) throws -> [Tensor] {
    let before = Libtorch.threads
    defer { Libtorch.threads = before }
    let results = Mutex(Results(codes: groups.map { _ in nil }))
    // `concurrentPerform` returns when all are done, so this may be used on other threads.
    nonisolated(unsafe) let (progress, written) = (progress, written)
    DispatchQueue.concurrentPerform(iterations: groups.count) { index in
      Libtorch.threads = threads  // a setting of the calling thread
      do {
        let codes = try sample(groups[index]) { codes in
          if codes.count < dalle.config.image_token_count {
            Libtorch.threads = threads
            try written(groups[index], codes)
            Libtorch.threads = 1
          }
          results.withLock { results in
            results.tokens += groups[index].size
            progress(results.tokens)
          }
          return isStopped()
        }
        nonisolated(unsafe) let found = codes
        results.withLock { $0.codes[index] = found }
      } catch {
        results.withLock { $0.error = error }
      }
    }
    return try results.withLock { results in
      if let error = results.error { throw error }
      return Array(results.codes.prefix { $0 != nil }).compactMap(\.self)
    }
  }

  private struct Results: @unchecked Sendable {
    var codes: [Tensor?]
    var tokens = 0
    var error: (any Error)?
  }

  private struct Stop: Error {}

  /// The codes of one group; nil when `drew`, which is given those of the positions so far, says to stop.
  private func sample(_ group: CandidateGroup, drew: ([Tensor]) throws -> Bool) throws -> Tensor? {
    let stream = RandomStream(seed: seed, "candidates from \(group.start)")
    do {
      return try dalle.sample(
        text, empty: empty, count: group.size, sampling, stream, threads: threads
      ) { codes in
        if try drew(codes), codes.count < dalle.config.image_token_count { throw Stop() }
      }
    } catch is Stop {
      return nil
    }
  }
}

extension Method {
  /// A transformer that writes pictures as tokens.
  static let dalleMini = Method(
    "dalle", title: "DALL·E",
    "A transformer writes pictures as tokens, and CLIP picks the best (DALL·E mini, Dayma and others, "
      + "2021)",
    arguments: [
      .number("conditionScale", 0...100, default: 2, "How strongly the text is followed"),
      .number("temperature", 0.01...10, default: 0.7, "How freely tokens are chosen"),
      .integer("topK", 1...65_536, default: 50, "Number of likeliest tokens to choose among"),
      .number(
        "topP", 0.01...1, default: 1,
        "Of these, only the likeliest that together have this probability"),
      .flag(
        "seamless", default: false,
        "Whether the candidates are drawn as one picture, a square in which they run into each other"
      ),
    ],
    components: [
      .init(
        "transformer", DALLEBart.architecture.id, title: "DALL·E transformer", isNamed: true),
      .init("decoder", VQGAN.architecture.id, title: "VQGAN", isNamed: true),
    ],
    takes: [.candidates, .codes, .model, .negativePrompt, .eightBits],
    // As dalle-mini's own notebook samples; `topK` leaves out none.
    ofNetwork: { network in
      let side = (network.config as? DALLEBart.Config)?.pictureSize ?? 256
      return [
        "width": .integer(side), "height": .integer(side), "conditionScale": .number(10),
        "temperature": .number(1), "topK": .integer(65_536),
      ]
    },
    preference: .init(0, "it paints the best pictures, in seconds"),
    size: { canvas in
      if let side = (canvas.installed as? DALLEBart.Config)?.pictureSize {
        return .init(width: side, height: side)
      }
      let side = canvas.pack.manifest.pictureSize
      return .init(width: side, height: side)
    },
    check: { request throws(RequestError) in
      if let objection = request.dalleObjection {
        throw .impossible(method: "dalle", reason: objection)
      }
      if (request.width ?? 256) != (request.height ?? 256) {
        throw .impossible(
          method: "dalle", reason: "its pictures are square; choose one --size, or diffusion")
      }
    },
    remarks: { request in
      guard let prompt = try? request.scenes()[0].first(where: { $0.weight > 0 }),
        prompt.weight != 1
      else { return [] }
      return [
        Remark(
          "prompt",
          "dalle takes one text as it is: its weight, \(shown(prompt.weight)), has no effect.")
      ]
    },
    packProblem: { pack in
      guard let dalle = pack.config(of: DALLEBart.self) else { return nil }
      guard let vqgan = pack.config(of: VQGAN.self) else {
        return "it has a DALL·E transformer without a VQGAN"
      }
      let side = Int(Double(dalle.image_token_count).squareRoot())
      guard
        dalle.image_vocab_count == vqgan.n_embed, dalle.levels == vqgan.levels,
        side * side == dalle.image_token_count, side * vqgan.factor == pack.manifest.pictureSize
      else { return "the codes of its DALL·E transformer are not those of its VQGAN" }
      return nil
    }
  ) { context in
    let pipeline = try DALLEMiniPipeline(context)
    return try context.arguments().flag("seamless") ? pipeline : Ranked(pipeline, context)
  }
}
