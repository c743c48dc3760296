import Diffusion
import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

/// Trains a diffusion model on the latents of pictures (Rombach and others, "High-Resolution Image
/// Synthesis with Latent Diffusion Models", 2022), told what they show by CLIP's embedding of the caption
/// as cc12m_1 of v-diffusion is, with the velocity for a target (Salimans & Ho 2022).
///
/// Latents and embeddings are made once for each example of the pool and kept: a step that makes them
/// anew takes several times as long.
public final class DiffusionTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The network, on latents of the pack's VQGAN.
    public var network: VDiffusion.Config
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Part of the captions left out, so that condition scales work.
    public var emptyCaptions: Double
    /// Examples in all; each is met many times, under another noise.
    public var pool: Int
    /// Part of the pool that shows two objects.
    public var pairs: Double
    /// Part of the pool that shows several of one object.
    public var counts: Double
    /// Part of the pool that shows a scene and nothing in it.
    public var bareScenes: Double
    /// Part of the pool that stands in a scene.
    public var scenes: Double
    /// Part of the pool that is in a style.
    public var styles: Double
    /// Part of the captions with words that nothing in the picture answers to.
    public var chatter: Double
    /// Part of the examples that are told by CLIP's embedding of the picture instead of the caption's, so that
    /// the network also paints what a prior or another picture tells (unCLIP's decoder); none if left out.
    var pictures: Double?
    /// How the sample sheet is drawn.
    public var conditionScale: Double

    /// What is wrong with it for these networks; nil when nothing is.
    func problem(vqgan: VQGAN.Config, clip: CLIP.Config) -> String? {
      if let problem = network.problem { return problem }
      guard network.channels == vqgan.embed_dim else {
        return "latents have \(vqgan.embed_dim) channels; give 'channels' so"
      }
      guard network.condition?.embedding == clip.embedDim else {
        return "CLIP's embeddings have \(clip.embedDim) numbers; give 'embedding' so"
      }
      guard (0..<1).contains(emptyCaptions), (1...10_000_000).contains(pool) else {
        return "'emptyCaptions' must be from 0 to below 1, and 'pool' above 0"
      }
      guard
        [pairs, counts, bareScenes, scenes, styles, chatter, pictures ?? 0]
          .allSatisfy((0...1).contains)
      else {
        return
          "'pairs', 'counts', 'bareScenes', 'scenes', 'styles', 'chatter' and 'pictures' must be "
          + "from 0 to 1"
      }
      return pairs + counts + bareScenes <= 1
        ? nil : "'pairs', 'counts' and 'bareScenes' sum to more than 1"
    }
  }

  /// The network.
  public let model: VDiffusion
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let vqgan: VQGAN
  private let clip: CLIP
  private let tokenizer: CLIPTokenizer
  private let prompts: [String]
  private let device: Device
  private let group: ProcessGroup
  /// Latents and embeddings of the examples met so far, batch by batch.
  private var kept: [Int: Example] = [:]

  /// Latents `[B, C, h, w]`, embeddings `[B, E]` of the captions and, where they are told, of the pictures.
  private typealias Example = (latents: Tensor, captions: Tensor, pictures: Tensor?)

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - set: what to learn.
  ///   - prompts: what the sample sheet shows.
  ///   - group: the processes that share its batches.
  init(
    _ config: Config, file: SafeTensors?, set: any CaptionedDataset, vqgan: VQGAN, clip: CLIP,
    tokenizer: CLIPTokenizer, prompts: [String], device: Device,
    group: ProcessGroup = ProcessGroup()
  ) throws {
    self.config = config
    self.vqgan = vqgan
    self.clip = clip
    self.tokenizer = tokenizer
    self.prompts = prompts
    self.device = device
    self.group = group
    let length = clip.config.text.contextLength
    batches = PictureBatches([set], device: device) { tokenizer.padded($0, length: length).ids }
    (model, parameters) = try StartingPoint.build(
      seed: config.schedule.seed, device: device, file: file
    ) {
      VDiffusion($0, config.network)
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let count = config.schedule.batch
    let (z, captions, pictures) = examples(step)
    let stream = RandomStream(seed: config.schedule.seed, "noise \(step)", on: device)
    let known =
      pictures.map { pictures in
        let shown = RandomStream(seed: config.schedule.seed, "told \(step)", on: device)
          .uniform([count, 1]).less(than: config.pictures ?? 0).to(.float32)
        return captions + (pictures - captions) * group.own(shown)
      } ?? captions
    // Times spread evenly over the batch: the loss depends on them more than on anything else.
    let places = Tensor.arange(0..<count, .float32, device: device)
    let times = group.own((places + stream.uniform([count])) / Double(count))
    let told = group.own(stream.uniform([count, 1]).atLeast(config.emptyCaptions).to(.float32))
    let angle = times.reshaped(-1, 1, 1, 1) * (.pi / 2)
    let (signal, noise) = (angle.cos(), angle.sin())
    let e = group.own(stream.normal([count] + z.shape.dropFirst()))
    let v = model(z * signal + e * noise, time: times, embeddings: known * told)
    return ((v - (e * signal - z * noise)).square().mean(), [])
  }

  private func examples(_ step: Int) -> Example {
    let count = config.schedule.batch
    let number = step % max(1, config.pool / count)
    if let known = kept[number] {
      return (
        known.latents.to(.float32), known.captions.to(.float32), known.pictures?.to(.float32)
      )
    }
    let batch = batches(step: number, count: count, rows: group.rows(of: count))
    let made = noGrad {
      (
        latents: vqgan.encode(batch.pictures),
        captions: clip.encodeText(batch.tokens).to(.float32).normalized(),
        pictures: (config.pictures ?? 0) > 0 ? clip.embed(shown: batch.pictures) : nil
      )
    }
    kept[number] = (
      made.latents.to(.float16), made.captions.to(.float16), made.pictures?.to(.float16)
    )
    return made
  }

  /// A sheet of one sample for each prompt.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    guard !prompts.isEmpty else { return ([], nil) }
    let tokens = tokenizer(prompts, length: clip.config.text.contextLength).to(device)
    let embeddings = clip.encodeText(tokens).to(.float32).normalized()
    let side = config.network.size
    let stream = RandomStream(seed: config.schedule.seed, "samples")
    let noise = stream.normal([prompts.count, config.network.channels, side, side]).to(device)
    let denoiser = NetworkDenoiser(
      .v, conds: [(cond: embeddings, weight: config.conditionScale)], null: embeddings * 0
    ) { [model] in model($0, time: $1, embeddings: concatenated($2, over: 0)) }
    var sampler = DDIM()
    let x = try sampler.sample(noise, ContinuousSchedule.spliced.levels(25), with: denoiser) { _ in
      noise
    }
    return ([], try Sheet.grid(((vqgan.decode(x) + 1) / 2).clamped(0, 1)))
  }
}

extension PackTraining {
  func trainDiffusion(_ configuration: URL) throws {
    let config = try Configuration.read(DiffusionTrainee.Config.self, from: configuration)
    let (vqgan, clip) = (try vqgan(.decoder), try clip())
    try check(config.schedule, config.problem(vqgan: vqgan.config, clip: clip.config))
    let data = context.data.resized(config.network.size * vqgan.config.factor)
    let run = try open(.diffusion, config, configuration, data: data)
    let sets = try sets(of: data, seed: config.schedule.seed, jitter: false)
    let set = try mixed([sets.train[0]]) {
      $0.pairFraction = config.pairs
      $0.countFraction = config.counts
      $0.bareSceneFraction = config.bareScenes
      $0.sceneFraction = config.scenes
      $0.styleFraction = config.styles
      $0.chatterFraction = config.chatter
    }
    let trainee = try DiffusionTrainee(
      config, file: start("diffusion.safetensors"), set: set[0], vqgan: vqgan,
      clip: clip, tokenizer: tokenizer(), prompts: sets.prompts, device: context.device,
      group: context.group)
    try finish(trainee, config.schedule, run, "diffusion.safetensors")
  }
}
