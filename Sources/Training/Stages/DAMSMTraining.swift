import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

/// Trains AttnGAN's text encoder together with an encoder of pictures, so that words find their regions and
/// texts their pictures (DAMSM, Xu et al. 2018).
public final class DAMSMTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The text encoder, which ships.
    public var network: AttnGANText.Config
    /// The encoder of pictures, which the stage `attngan` needs.
    public var pictures: RegionEncoder.Config
    /// Words that are read of a caption at most.
    public var length: Int
    /// Part of the numbers of a word's embedding that are left out of a step.
    public var dropout: Double
    /// How sharply regions are chosen, words are weighed and texts are told apart.
    public var gammas: [Double]
    /// Part of the captions with words that nothing in the picture answers to.
    public var chatter: Double
    /// Length and rates.
    public var schedule: TrainingSchedule

    /// What is wrong with it; nil when nothing is.
    var problem: String? {
      if let problem = network.problem ?? pictures.problem { return problem }
      guard (1...256).contains(length) else { return "'length' must be from 1 to 256" }
      guard (0..<1).contains(dropout) else { return "'dropout' must be from 0 to below 1" }
      guard (0...0.5).contains(chatter) else { return "'chatter' must be from 0 to 0.5" }
      guard gammas.count == 3, gammas.allSatisfy({ $0 > 0 && $0 <= 100 }) else {
        return "'gammas' must be three numbers above 0 up to 100"
      }
      return nil
    }

    var likeness: DAMSMLikeness {
      DAMSMLikeness(gamma1: gammas[0], gamma2: gammas[1], gamma3: gammas[2])
    }
  }

  /// The networks.
  let matcher: Matcher
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let heldOut: any CaptionedDataset
  private let device: Device

  /// - Parameter file: a text encoder to start from, if any.
  init(
    _ config: Config, file: SafeTensors?, sets: [any CaptionedDataset],
    heldOut: any CaptionedDataset, tokenizer: CLIPTokenizer, device: Device
  ) throws {
    (self.config, self.heldOut, self.device) = (config, heldOut, device)
    let captions = CaptionReader(tokenizer, length: config.length)
    batches = PictureBatches(sets, device: device, tokens: captions.padded)
    let seed = config.schedule.seed
    let text = try StartingPoint.build(seed: seed, device: device, file: file) {
      AttnGANText($0, config.network)
    }
    let pictures = try StartingPoint.build(seed: seed, device: device) {
      RegionEncoder($0 / Self.picturesPrefix, config.pictures, embedding: config.network.width)
    }
    parameters = text.parameters + pictures.parameters
    matcher = Matcher(
      text: text.model, pictures: pictures.model, likeness: config.likeness, captions: captions)
  }

  static let picturesPrefix = "pictures"

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let batch = batches(step: step, count: config.schedule.batch)
    let stream = RandomStream(seed: config.schedule.seed, "augmentation \(step)", on: device)
    let tokens = CaptionReader.trimmed(batch.tokens)
    let (pictures, lengths) = (
      Augmentation()(batch.pictures, stream), CaptionReader.lengths(tokens)
    )
    let shape = tokens.shape + [config.network.inputs]
    let kept =
      stream.uniform(shape).atLeast(config.dropout).to(.float32) * (1 / (1 - config.dropout))
    let reading = matcher.text(
      CaptionReader.known(tokens), lengths: lengths, dropped: kept)
    let scores = matcher.scores(pictures, reading, lengths: lengths)
    let same = Matcher.same(batch.labels).to(device)
    let (words, wholes) = (
      config.likeness.loss(scores.words, same: same),
      config.likeness.loss(scores.wholes, same: same)
    )
    return (words + wholes, [("words", words), ("wholes", wholes)])
  }

  /// How many of held-out pictures find their caption among all, by words and by wholes together.
  public func examine(step: Int) -> (figures: [(name: String, value: Double)], sheet: Picture?) {
    ([("recall1", matcher.recall(heldOut, count: 200, device: device))], nil)
  }
}

/// Reads captions for an AttnGAN that has the pack's vocabulary.
struct CaptionReader: Sendable {
  private let tokenizer: CLIPTokenizer
  private let length: Int

  /// - Parameter length: tokens that are read at most.
  init(_ tokenizer: CLIPTokenizer, length: Int) {
    (self.tokenizer, self.length) = (tokenizer, length)
  }

  /// Stands behind a text's end.
  private static let behind = -1

  /// The tokens of a caption, filled up; one at least.
  @Sendable func padded(_ caption: String) -> [Int] {
    let ids = tokenizer.encode(caption).prefix(length)
    let filled = ids.isEmpty ? [tokenizer.end] : Array(ids)
    return filled + Array(repeating: Self.behind, count: length - filled.count)
  }

  /// Tokens of captions, `[B, T]`.
  func callAsFunction(_ captions: [String]) -> Tensor {
    Tensor(captions.flatMap(padded), [captions.count, length])
  }

  /// Tokens with any known one behind each end, where it is not read.
  static func known(_ tokens: Tensor) -> Tensor {
    tokens.filled(where: tokens.less(than: 0), with: 0)
  }

  /// Tokens without what stands behind the longest caption's end: what words and regions are compared by grows
  /// with them.
  static func trimmed(_ tokens: Tensor) -> Tensor {
    tokens.narrowed(1, 0, lengths(tokens).max() ?? tokens.size(1))
  }

  /// How many tokens of each row of `[B, T]` are its caption's.
  static func lengths(_ tokens: Tensor) -> [Int] {
    tokens.atLeast(0).to(.int64).sum(over: [1]).ints()
  }
}

/// Says how well captions and pictures go together.
struct Matcher {
  let text: AttnGANText
  let pictures: RegionEncoder
  let likeness: DAMSMLikeness
  let captions: CaptionReader

  init(
    text: AttnGANText, pictures: RegionEncoder, likeness: DAMSMLikeness, captions: CaptionReader
  ) {
    (self.text, self.pictures) = (text, pictures)
    (self.likeness, self.captions) = (likeness, captions)
  }

  /// Texts of tokens that stand behind an end as `CaptionReader` has them.
  func read(_ tokens: Tensor) -> AttnGANText.Reading {
    text(CaptionReader.known(tokens), lengths: CaptionReader.lengths(tokens))
  }

  /// Of pictures `[B, 3, H, W]` in -1…1 and as many texts, `[B, B]` each.
  func scores(_ x: Tensor, _ reading: AttnGANText.Reading, lengths: [Int]) -> (
    words: Tensor, wholes: Tensor
  ) {
    let (regions, whole) = pictures(x)
    return (
      likeness.words(regions, reading.words, lengths: lengths).scores,
      likeness.wholes(whole, reading.sentence)
    )
  }

  /// Which other pairs of a batch show the same as each, `[B, B]`: they are not to be told apart.
  static func same(_ labels: [ExampleLabel]) -> Tensor {
    let shown = labels.map(CLIPTrainee.what)
    let values = shown.indices.flatMap { i in
      shown.indices.map { i != $0 && shown[i] == shown[$0] ? 1 : 0 }
    }
    return Tensor(values, [labels.count, labels.count]).to(.bool)
  }

  /// The part of held-out pictures whose best caption among all is their own; no two show the same.
  func recall(_ set: any CaptionedDataset, count: Int, device: Device) -> Double {
    var seen: Set<String> = []
    var indices: [Int] = []
    for index in 0..<(set.count ?? 20 * count) where indices.count < count {
      if seen.insert(CLIPTrainee.what(set.label(index))).inserted { indices.append(index) }
    }
    let batch = PictureBatches.tensor(set, indices)
    let tokens = captions(batch.labels.map(\.caption)).to(device)
    let (reading, lengths) = (read(tokens), CaptionReader.lengths(tokens))
    let rows = stride(from: 0, to: batch.labels.count, by: 20).map { start in
      let part = batch.pictures[start..<min(start + 20, batch.labels.count)].to(device)
      let scores = scores(part, reading, lengths: lengths)
      return scores.words + scores.wholes
    }
    let best = concatenated(rows, over: 0).argmax(over: 1).ints()
    return Double(best.indices.filter { best[$0] == $0 }.count) / Double(max(1, best.count))
  }
}

extension PackTraining {
  func trainDAMSM(_ configuration: URL) throws {
    let config = try Configuration.read(DAMSMTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    let tokenizer = try tokenizer()
    try check(tokenizer, known: config.network.words)
    let data = context.data.resized(config.pictures.size)
    let run = try open(.damsm, config, configuration, data: data)
    let sets = try sets(of: data, seed: config.schedule.seed, jitter: true)
    let train = try mixed(sets.train) { $0.chatterFraction = config.chatter }
    let trainee = try DAMSMTrainee(
      config, file: start("attngan-text.safetensors"), sets: train, heldOut: sets.heldOut,
      tokenizer: tokenizer, device: context.device)
    let trainer = try self.train(trainee, config.schedule, run)
    let prefix = DAMSMTrainee.picturesPrefix + "."
    func write(_ name: String, _ isWanted: (String) -> Bool) throws {
      let weights = trainer.weights.filter { isWanted($0.key) }.map { ($0.key, $0.tensor) }
      try SafeTensors.write(
        Dictionary(uniqueKeysWithValues: weights), to: run.folder.appending(path: name))
    }
    try write("attngan-text.safetensors") { !$0.hasPrefix(prefix) }
    try write("damsm.safetensors") { $0.hasPrefix(prefix) }
  }

  /// The encoders as the `damsm` stage left them.
  func matcher() throws -> Matcher {
    let file = try product(.damsm, "damsm.safetensors")
    let config = try Configuration.read(
      DAMSMTrainee.Config.self,
      from: file.deletingLastPathComponent().appending(path: "config.yaml"))
    let text = try network(AttnGANText.self, of: .damsm)
    let pictures = try Checkpoint(
      SafeTensors(contentsOf: file), prefix: DAMSMTrainee.picturesPrefix + "."
    ).build(device: context.device) {
      RegionEncoder($0, config.pictures, embedding: config.network.width)
    }
    return Matcher(
      text: text, pictures: pictures, likeness: config.likeness,
      captions: CaptionReader(try tokenizer(), length: config.length))
  }
}
