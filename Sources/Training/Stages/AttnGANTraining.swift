import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch
import Weights

/// Trains AttnGAN's generator (Xu et al. 2018) against a discriminator for each of its sizes, and towards
/// pictures whose regions the words of their captions find.
///
/// Follows `condGANTrainer` of `code/trainer.py` and `generator_loss`, `discriminator_loss` and `KL_loss` of
/// `code/miscc/losses.py` of taoxugit/AttnGAN at 0d000e6, with hinge losses (Lim & Ye 2017) in place of
/// cross-entropies. Both sides learn in one step, as `Adversary` explains.
///
/// What a caption of the corpus shows is nearly known, so the generator may be taught first, by the error of
/// its pictures, as the pack's BigGAN is.
public final class AttnGANTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The generator.
    public var network: AttnGAN.Config
    /// Channels of the discriminators' first layers.
    public var discriminator: Int
    /// Weight of how badly words and texts find their pictures.
    public var matching: Double
    /// Weight of how far conditions are from a normal distribution.
    public var divergence: Double
    /// Weight of how far its pictures and their edges are from those that the captions are of.
    public var teaching: Double
    /// The step from which the larger pictures are learned as well, for the smallest are cheap.
    public var growing: Int
    /// The step from which the discriminators take part, and the matching of words and pictures.
    public var playing: Int
    /// Part of the pictures that show two things.
    public var pairs: Double
    /// Part of the pictures in scenes.
    public var scenes: Double
    /// Part of the pictures in styles.
    public var styles: Double
    /// Length and rates.
    public var schedule: TrainingSchedule

    /// What is wrong with it; nil when nothing is.
    var problem: String? {
      if let problem = network.problem { return problem }
      if network.dcgan { return "'dcgan' is not trained; set it to false" }
      guard (8...512).contains(discriminator), discriminator % 8 == 0 else {
        return "'discriminator' must be a multiple of 8 up to 512"
      }
      guard [matching, divergence, teaching].allSatisfy({ (0...1000).contains($0) }) else {
        return "'matching', 'divergence' and 'teaching' must be from 0 to 1000"
      }
      guard [pairs, scenes, styles].allSatisfy({ (0...1).contains($0) }) else {
        return "'pairs', 'scenes' and 'styles' must be from 0 to 1"
      }
      // The norms' statistics are kept with the weights, and must not be pulled to zero.
      return schedule.decay == 0 ? nil : "'schedule.decay' must be 0"
    }
  }

  /// The generator.
  public let model: AttnGAN
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let own: [String: Tensor]
  private let critics: [AttnGANCritic]
  private let still: [AttnGANCritic]
  private let matcher: Matcher
  private let batches: PictureBatches
  private let prompts: [String]
  private let device: Device

  init(
    _ config: Config, file: SafeTensors?, sets: [any CaptionedDataset], matcher: Matcher,
    prompts: [String], device: Device
  ) throws {
    (self.config, self.matcher, self.prompts, self.device) = (config, matcher, prompts, device)
    batches = PictureBatches(sets, device: device, tokens: matcher.captions.padded)
    let seed = config.schedule.seed
    let built = try StartingPoint.build(seed: seed, device: device, file: file) {
      AttnGAN($0, config.network)
    }
    func critics(_ p: Parameters) -> [AttnGANCritic] {
      (0..<config.network.branch_num).map { stage in
        AttnGANCritic(
          p / "discriminator" / stage, width: config.discriminator, size: 64 << stage,
          embedding: config.network.embedding_dim)
      }
    }
    let opponents = try StartingPoint.build(seed: seed, device: device, critics)
    (model, self.critics) = (built.model, opponents.model)
    parameters = built.parameters + opponents.parameters
    own = Dictionary(uniqueKeysWithValues: built.parameters.map { ($0.key, $0.tensor) })
    still = critics(
      Parameters(
        SharedMemory(
          Dictionary(uniqueKeysWithValues: opponents.parameters.map { ($0.key, $0.tensor) }))))
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let count = config.schedule.batch
    let batch = batches(step: step, count: count)
    let stream = RandomStream(seed: config.schedule.seed, "noise \(step)", on: device)
    let tokens = CaptionReader.trimmed(batch.tokens)
    let reading = noGrad { matcher.read(tokens) }
    let condition = model.condition(reading.sentence)
    let drawing = model(
      stream.normal([count, config.network.z_dim]),
      condition(stream.normal([count, config.network.condition_dim])), reading.words,
      mask: reading.mask, stages: step < config.growing ? 1 : nil)
    var (adversarial, lesson, errors) = ([Tensor](), [Tensor](), [Tensor]())
    for (stage, picture) in drawing.pictures.enumerated() {
      let real = Self.reduced(batch.pictures, to: 64 << stage)
      let error = picture - real
      errors.append(error.abs().mean() + ImageQuality.differences(error) / 2)
      guard step >= config.playing else { continue }
      let seen = still[stage].features(picture)
      adversarial.append(
        -still[stage].realness(seen).mean() - still[stage].fitness(seen, reading.sentence).mean())
      lesson.append(teach(critics[stage], real, picture.detached(), reading.sentence))
    }
    let matching =
      step < config.playing ? Tensor(0) : self.matching(drawing, reading, tokens, batch.labels)
    let (mean, log) = (condition.mean, condition.logVariance)
    let divergence = (mean.square() + log.exp() - log - 1).mean() * 0.5
    func sum(_ x: [Tensor]) -> Tensor { x.reduce(Tensor(0), +) }
    let painter =
      sum(adversarial) + sum(errors) * config.teaching + matching * config.matching
      + divergence * config.divergence
    return (
      painter + sum(lesson),
      [
        ("painter", sum(adversarial)), ("critic", sum(lesson)), ("error", sum(errors)),
        ("matching", matching), ("divergence", divergence),
      ]
    )
  }

  /// How badly words and texts of a batch find the pictures that were drawn for them.
  private func matching(
    _ drawing: AttnGAN.Drawing, _ reading: AttnGANText.Reading, _ tokens: Tensor,
    _ labels: [ExampleLabel]
  ) -> Tensor {
    let scores = matcher.scores(
      drawing.pictures[drawing.pictures.count - 1], reading,
      lengths: CaptionReader.lengths(tokens))
    let same = Matcher.same(labels).to(device)
    return matcher.likeness.loss(scores.words, same: same)
      + matcher.likeness.loss(scores.wholes, same: same)
  }

  /// The loss of a discriminator: real pictures with their captions are right, painted ones and those with
  /// another's caption wrong.
  private func teach(
    _ critic: AttnGANCritic, _ real: Tensor, _ painted: Tensor, _ sentence: Tensor
  ) -> Tensor {
    let (seen, found) = (critic.features(real), critic.features(painted))
    func wants(_ x: Tensor) -> Tensor { (1 - x).relu().mean() }
    func refuses(_ x: Tensor) -> Tensor { (x + 1).relu().mean() }
    let right = wants(critic.realness(seen)) + wants(critic.fitness(seen, sentence))
    let wrong =
      refuses(critic.realness(found)) + refuses(critic.fitness(found, sentence))
      + refuses(critic.fitness(seen, sentence.rolled(1, over: 0)))
    return right / 2 + wrong / 3
  }

  /// Pictures at a smaller size, `[B, 3, S, S]`.
  private static func reduced(_ x: Tensor, to side: Int) -> Tensor {
    x.size(2) == side ? x : x.averagePooled(x.size(2) / side)
  }

  /// How many of the drawings of held-out prompts are found by their prompt among all, and a sheet of them.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    guard !prompts.isEmpty else { return ([], nil) }
    // As it will be painted with: by the statistics that its norms keep.
    let painter = AttnGAN(Parameters(SharedMemory(own)), config.network)
    let tokens = matcher.captions(prompts).to(device)
    let reading = matcher.read(tokens)
    let stream = RandomStream(seed: config.schedule.seed, "samples", on: device)
    let noise = stream.normal([prompts.count, config.network.z_dim])
    let drawing = painter(
      noise, painter.condition(reading.sentence).mean, reading.words, mask: reading.mask)
    let largest = drawing.pictures[drawing.pictures.count - 1]
    let scores = matcher.scores(largest, reading, lengths: CaptionReader.lengths(tokens))
    let best = (scores.words + scores.wholes).argmax(over: 1).ints()
    let found = Double(best.indices.filter { best[$0] == $0 }.count) / Double(best.count)
    return ([("found", found)], try Sheet.grid(((largest + 1) / 2).clamped(0, 1)))
  }
}

extension PackTraining {
  func trainAttnGAN(_ configuration: URL) throws {
    let config = try Configuration.read(AttnGANTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem)
    let matcher = try matcher()
    guard matcher.text.config.width == config.network.embedding_dim else {
      throw TrainingError.configuration(
        "The text encoder reads \(matcher.text.config.width) numbers; give 'embedding_dim' so.")
    }
    let data = context.data.resized(config.network.size)
    let run = try open(.attngan, config, configuration, data: data)
    let sets = try sets(of: data, seed: config.schedule.seed, jitter: false)
    let train = try mixed(sets.train) {
      ($0.pairFraction, $0.sceneFraction, $0.styleFraction) = (
        config.pairs, config.scenes, config.styles
      )
    }
    let trainee = try AttnGANTrainee(
      config, file: start("attngan.safetensors"), sets: train, matcher: matcher,
      prompts: sets.prompts, device: context.device)
    try finish(trainee, config.schedule, run, "attngan.safetensors")
  }
}
