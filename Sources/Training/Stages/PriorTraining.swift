import Diffusion
import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

/// Trains unCLIP's prior (Ramesh et al. 2022, section 2.2): told a caption, it finds CLIP's embedding of the
/// picture under noise; the error is that of the embedding itself.
///
/// Embeddings are those that the diffusion model is told, of length one, shifted and scaled to mean zero and
/// deviation one, as Karlo has them.
public final class PriorTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The network.
    public var network: UnCLIPPrior.Config
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Part of the captions left out, so that condition scales work.
    public var emptyCaptions: Double
    /// Examples in all; each is met many times, under another noise.
    public var pool: Int
    /// Part of the captions with words that nothing in the picture answers to.
    public var chatter: Double

    /// What is wrong with it for this CLIP; nil when nothing is.
    func problem(clip: CLIP.Config) -> String? {
      if let problem = network.problem { return problem }
      guard network.clip_dim == clip.embedDim, network.text_dim == clip.text.width,
        network.text_ctx == clip.text.contextLength
      else {
        return
          "CLIP's embeddings have \(clip.embedDim) numbers, its text tower is \(clip.text.width) "
          + "wide and reads \(clip.text.contextLength) tokens; give 'clip_dim', 'text_dim' and "
          + "'text_ctx' so"
      }
      guard network.hasStatistics else { return "'hasStatistics' must be true" }
      guard (0..<1).contains(emptyCaptions), (0...1).contains(chatter),
        (2...10_000_000).contains(pool)
      else {
        return "'emptyCaptions' must be from 0 to below 1, 'chatter' from 0 to 1 and 'pool' above 1"
      }
      return nil
    }
  }

  /// The network.
  public let model: UnCLIPPrior
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]
  /// Mean and deviation of the embeddings, `[1, E]`.
  let statistics: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let heldOut: any CaptionedDataset
  private let clip: CLIP
  private let tokenizer: CLIPTokenizer
  private let levels: [NoiseLevel]
  private let empty: Tensor
  private let device: Device
  private let group: ProcessGroup
  /// Embeddings `[B, E]` and tokens `[B, T]` of the examples met so far, batch by batch.
  private var kept: [Int: (pictures: Tensor, tokens: Tensor)] = [:]

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: what to learn.
  ///   - heldOut: what to measure on.
  ///   - group: the processes that share its batches.
  init(
    _ config: Config, file: SafeTensors?, sets: [any CaptionedDataset],
    heldOut: any CaptionedDataset, clip: CLIP, tokenizer: CLIPTokenizer, device: Device,
    group: ProcessGroup = ProcessGroup()
  ) throws {
    self.config = config
    self.heldOut = heldOut
    self.clip = clip
    self.tokenizer = tokenizer
    self.device = device
    self.group = group
    let length = config.network.text_ctx
    batches = PictureBatches(sets, device: device) { tokenizer.padded($0, length: length).ids }
    empty = tokenizer([""], length: length).to(device)
    levels = DiscreteSchedule.squaredCosine().levels()
    let built = try StartingPoint.build(seed: config.schedule.seed, device: device, file: file) {
      UnCLIPPrior($0, config.network)
    }
    model = built.model
    let measured = ["clip_mean", "clip_std"]
    parameters = built.parameters.filter { !measured.contains($0.key) }
    statistics = built.parameters.filter { measured.contains($0.key) }
    // Of two thousand pictures, always the same ones, unless the weights to start from know them.
    if file?.entries["clip_mean"] == nil {
      let count = min(2048, max(64, config.pool))
      let found = noGrad {
        concatenated(
          (0..<max(1, count / 64)).map { clip.embed(shown: batches(step: $0, count: 64).pictures) },
          over: 0)
      }
      noGrad {
        let mean = found.mean(over: [0], keepDims: true)
        let deviation = (found - mean).square().mean(over: [0], keepDims: true).sqrt()
        for (key, tensor) in statistics { tensor.assign(key == "clip_mean" ? mean : deviation) }
      }
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let count = config.schedule.batch
    let (pictures, tokens) = examples(step)
    let stream = RandomStream(seed: config.schedule.seed, "noise \(step)", on: device)
    // Spread evenly over the batch, as for the diffusion model.
    let places = Tensor.arange(0..<count, .float32, device: device)
    let times = group.own(
      ((places + stream.uniform([count])) * (1000 / Double(count))).floor())
    let index = times.to(.int64)
    // Levels go from noise to picture, and the last one is clean.
    func part(_ value: (NoiseLevel) -> Double) -> Tensor {
      let values = levels.dropLast().reversed().map { Float(value($0)) }
      return Tensor(values, [1000, 1]).to(device).embedding(index)  // [B, 1]
    }
    let x0 = standardized(pictures)
    let x =
      x0 * part(\.alpha) + group.own(stream.normal([count] + x0.shape.dropFirst())) * part(\.sigma)
    let told = group.own(stream.uniform([count, 1]).atLeast(config.emptyCaptions))
    let text = noGrad { PriorText(clip, told.choose(tokens, empty)) }
    let found = model(x, timesteps: times, text: text)
    return ((found - x0).square().mean(), [])
  }

  private func standardized(_ embeddings: Tensor) -> Tensor {
    guard let statistics = model.statistics else { return embeddings }
    return (embeddings - statistics.clip_mean) / statistics.clip_std
  }

  private func examples(_ step: Int) -> (pictures: Tensor, tokens: Tensor) {
    let count = config.schedule.batch
    let number = step % max(1, config.pool / count)
    if let known = kept[number] { return (known.pictures.to(.float32), known.tokens) }
    let batch = batches(step: number, count: count, rows: group.rows(of: count))
    let pictures = noGrad { clip.embed(shown: batch.pictures) }
    kept[number] = (pictures.to(.float16), batch.tokens)
    return (pictures, batch.tokens)
  }

  /// How near what it finds for held-out captions is to the picture's embedding, beside how near the caption's
  /// own embedding is; and how often, of a hundred pictures, the nearest is the right one.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    let batch = PictureBatches.tensor(heldOut, Array(0..<100))
    let pictures = clip.embed(shown: batch.pictures.to(device))
    let tokens = tokenizer(batch.labels.map(\.caption), length: config.network.text_ctx).to(device)
    let text = PriorText(clip, tokens)
    let found = try model.sample(
      text, null: PriorText(clip, empty), scale: 2,
      stream: RandomStream(seed: config.schedule.seed, "samples")
    ).normalized()
    func nearness(_ y: Tensor) -> (cosine: Double, right: Double) {
      let scores = y.matmul(pictures.transposed())  // [100, 100]
      let own = Tensor.arange(0..<100, device: device)
      return (
        (y * pictures).sum(over: [1]).mean().item(),
        scores.argmax(over: 1).equals(own).to(.float32).mean().item()
      )
    }
    let (mine, texts) = (nearness(found), nearness(text.embedding.normalized()))
    return (
      [
        ("cosine", mine.cosine), ("right", mine.right), ("text cosine", texts.cosine),
        ("text right", texts.right),
      ], nil
    )
  }
}

extension PackTraining {
  func trainPrior(_ configuration: URL) throws {
    let config = try Configuration.read(PriorTrainee.Config.self, from: configuration)
    let clip = try clip()
    try check(config.schedule, config.problem(clip: clip.config))
    let run = try open(.prior, config, configuration)
    let sets = try sets(seed: config.schedule.seed, jitter: false)
    let train = try mixed(sets.train) { $0.chatterFraction = config.chatter }
    let trainee = try PriorTrainee(
      config, file: start("prior.safetensors"), sets: train, heldOut: sets.heldOut, clip: clip,
      tokenizer: tokenizer(), device: context.device, group: context.group)
    try finish(trainee, config.schedule, run, "prior.safetensors", besides: trainee.statistics)
  }
}
