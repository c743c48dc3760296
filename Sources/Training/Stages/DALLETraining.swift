import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

/// Trains the text-to-token transformer on captions and the codes of their pictures.
public final class DALLETrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The network.
    public var network: DALLEBart.Config
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Part of the captions replaced by the empty one, so that condition scales work.
    public var emptyCaptions: Double
    /// Part of the examples that show a scene and nothing in it.
    public var bareScenes: Double
    /// Part of the captions with words that nothing in the picture answers to.
    public var chatter: Double
    /// Largest part of the codes before a position that are another picture's while training. A
    /// handful of codes gives away which of so few pictures is being written; only when they may lie
    /// must the network read the text.
    public var falseCodes: Double
    /// The same at the end of the schedule's cooldown, towards which it falls: what is painted from are
    /// codes that mostly fit together, and the last steps learn to continue those.
    public var falseCodesAtEnd: Double
    /// How the sample sheet is drawn.
    public var conditionScale: Double
    /// How the sample sheet is drawn.
    public var temperature: Double
    /// How the sample sheet is drawn.
    public var topK: Int

    /// What is wrong with it for pictures of a size as codes of a VQGAN; nil when nothing is.
    func problem(size: Int, vqgan: VQGAN.Config) -> String? {
      if let problem = network.problem { return problem }
      if ![bareScenes, chatter].allSatisfy((0...0.5).contains) {
        return "'bareScenes' and 'chatter' must be from 0 to 0.5"
      }
      let side = size / vqgan.factor
      guard size % vqgan.factor == 0, network.image_token_count == side * side,
        network.levels == vqgan.levels, network.image_vocab_count == vqgan.n_embed
      else {
        return
          "pictures of \(size) pixels are \(side * side) positions of \(vqgan.levels) codes of "
          + "\(vqgan.n_embed) for the VQGAN; give 'image_token_count', 'levels' and "
          + "'image_vocab_count' so, or another --size"
      }
      return nil
    }
  }

  /// The network.
  public let model: DALLEBart
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let heldOut: (any CaptionedDataset)?
  private let tokenizer: CLIPTokenizer
  private let vqgan: VQGAN
  private let prompts: [String]
  private let device: Device
  private let group: ProcessGroup

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - set: what to learn.
  ///   - heldOut: what to measure on, if anything.
  ///   - prompts: what the sample sheet shows.
  ///   - group: the processes that share its batches.
  init(
    _ config: Config, file: SafeTensors? = nil, set: any CaptionedDataset,
    heldOut: (any CaptionedDataset)?, tokenizer: CLIPTokenizer, vqgan: VQGAN, prompts: [String],
    device: Device, group: ProcessGroup = ProcessGroup()
  ) throws {
    self.config = config
    self.tokenizer = tokenizer
    self.vqgan = vqgan
    self.prompts = prompts
    self.device = device
    self.group = group
    let (length, padding) = (config.network.text_token_count, config.network.pad_token)
    batches = PictureBatches([set], device: device) {
      tokenizer.padded($0, length: length, padding: padding).ids
    }
    self.heldOut = heldOut
    (model, parameters) = try StartingPoint.build(
      seed: config.schedule.seed, device: device, file: file
    ) {
      DALLEBart($0, config.network)
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let count = config.schedule.batch
    let batch = batches(step: step, count: count)
    let codes = codes(batch.pictures)
    let isEmpty = RandomStream(seed: config.schedule.seed, "empty captions \(step)")
      .uniform([count, 1]).less(than: config.emptyCaptions).to(device)
    let captions = isEmpty.choose(tokens([""]), batch.tokens)
    let seen = falsified(codes, step: step)
    let losses = entropies(group.own(captions), group.own(codes), seen: group.own(seen))
    let total = losses.dropFirst().reduce(losses[0], +)
    return (total, losses.enumerated().map { ("level\($0)", $1) })
  }

  /// The codes of pictures, `[B, positions, levels]` int64.
  private func codes(_ pictures: Tensor) -> Tensor {
    let codes = noGrad { vqgan.quantize(vqgan.encode(pictures)).codes }  // [B, h, w, levels]
    return codes.reshaped(codes.size(0), -1, codes.size(3))
  }

  /// Codes with some replaced by those of other pictures of the batch in the same place; how many
  /// differs from picture to picture.
  private func falsified(_ codes: Tensor, step: Int) -> Tensor {
    let (count, positions) = (codes.size(0), codes.size(1))
    let stream = RandomStream(seed: config.schedule.seed, "false codes \(step)")
    let others = codes.indexSelect(0, stream.permutation(count).to(device))
    let fading = config.schedule.remainder(at: step)
    let most = config.falseCodesAtEnd + (config.falseCodes - config.falseCodesAtEnd) * fading
    let rates = stream.uniform([count, 1, 1]) * most
    let lies = stream.uniform([count, positions, 1]).less(than: rates).to(device)
    return lies.choose(others, codes)
  }

  /// Mean cross-entropy of each level's codes, in nats.
  /// - Parameters:
  ///   - captions: their tokens, `[B, T]`.
  ///   - seen: the codes that the network is shown before each position.
  private func entropies(_ captions: Tensor, _ codes: Tensor, seen: Tensor) -> [Tensor] {
    let logits = model.logits(model.encode(captions), codes, seen: seen)
    return logits.enumerated().map { level, logits in
      logits.reshaped(-1, config.network.image_vocab_count).to(.float32)
        .crossEntropy(codes.select(2, level).reshaped(-1))
    }
  }

  private func tokens(_ captions: [String]) -> Tensor {
    tokenizer(captions, length: config.network.text_token_count, padding: config.network.pad_token)
      .to(device)
  }

  /// Cross-entropy on held-out pictures, and a sheet of one sample for each prompt.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    var figures: [(name: String, value: Double)] = []
    if let heldOut {
      let batch = PictureBatches.tensor(heldOut, Array(0..<128))
      let codes = codes(batch.pictures.to(device))
      let losses = entropies(tokens(batch.labels.map(\.caption)), codes, seen: codes)
      figures = losses.enumerated().map { ("heldOut\($0)", $1.item()) }
    }
    let sampling = DALLEBart.Sampling(
      conditionScale: config.conditionScale, temperature: config.temperature, topK: config.topK)
    guard !prompts.isEmpty else { return (figures, nil) }
    let stream = RandomStream(seed: config.schedule.seed, "samples")
    let all = try model.sample(
      tokens(prompts), empty: tokens([""]), count: 1, sampling, stream)  // [P, positions, levels]
    let side = Int(Double(all.size(1)).squareRoot())
    let z = vqgan.lookUp(all.reshaped(all.size(0), side, side, -1))
    return (figures, try Sheet.grid(((vqgan.decode(z) + 1) / 2).clamped(0, 1)))
  }
}

extension PackTraining {
  func trainDALLE(_ configuration: URL) throws {
    let config = try Configuration.read(DALLETrainee.Config.self, from: configuration)
    try check(config.schedule, config.network.problem)
    let vqgan = try vqgan()
    try check(
      config.schedule, config.problem(size: context.data.size, vqgan: vqgan.config))
    try check(tokenizer(), known: config.network.text_vocab_count)
    let run = try open(.dalle, config, configuration)
    let sets = try sets(seed: config.schedule.seed, jitter: false)
    let set = try mixed([sets.train[0]]) {
      $0.bareSceneFraction = config.bareScenes
      $0.chatterFraction = config.chatter
    }
    let trainee = try DALLETrainee(
      config, file: start("dalle.safetensors"), set: set[0], heldOut: sets.heldOut,
      tokenizer: tokenizer(), vqgan: vqgan, prompts: sets.prompts, device: context.device,
      group: context.group)
    try finish(trainee, config.schedule, run, "dalle.safetensors")
  }
}
