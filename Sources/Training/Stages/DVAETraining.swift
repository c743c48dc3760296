import Foundation
import Imaging
import Models
import Torch
import Weights

/// Trains DALL·E's discrete VAE (Ramesh et al. 2021, section 2.1): a code is drawn at each place by the Gumbel
/// softmax, whose temperature falls until a drawing is nearly one code; the picture's error is the negative
/// log-likelihood of Laplace distributions over logits; what keeps all codes in use is their distance from even
/// use.
///
/// Encoder and decoder are files of their own with the same keys, as in the original.
public final class DVAETrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The networks.
    public var network: DVAE.Config
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Temperature of the Gumbel softmax at the end; it begins with 1.
    public var temperature: Double
    /// Steps until that.
    public var annealing: Int
    /// Weight of the codes' distance from even use, in nats of a place by the values of a picture.
    public var evenness: Double

    /// What is wrong with it for pictures of a size; nil when nothing is.
    func problem(size: Int) -> String? {
      if let problem = network.problem { return problem }
      guard (0.01...1).contains(temperature), (0...10_000_000).contains(annealing) else {
        return "'temperature' must be from 0.01 to 1 and 'annealing' from 0 to 10000000"
      }
      guard (0...100).contains(evenness) else { return "'evenness' must be from 0 to 100" }
      return size % network.factor == 0
        ? nil : "pictures of \(size) pixels do not divide into codes of \(network.factor)"
    }

    /// The temperature at a step, falling by the same factor at each.
    func temperature(at step: Int) -> Double {
      annealing > 0 ? pow(temperature, min(1, Double(step) / Double(annealing))) : temperature
    }
  }

  /// Pictures to logits.
  public let encoder: DVAEEncoder
  /// Codes to pictures.
  public let decoder: DVAEDecoder
  /// See `Trainee`: the halves' keys after `encoder.` and `decoder.`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let examples: Tensor
  private let device: Device
  private let group: ProcessGroup

  /// - Parameters:
  ///   - files: weights of encoder and decoder to start from, if any.
  ///   - examples: held-out pictures to measure and show, `[B, 3, size, size]` in -1…1.
  ///   - group: the processes that share its batches.
  init(
    _ config: Config, files: (encoder: SafeTensors?, decoder: SafeTensors?),
    sets: [any CaptionedDataset], examples: Tensor, device: Device,
    group: ProcessGroup = ProcessGroup()
  ) throws {
    self.config = config
    self.device = device
    self.group = group
    self.examples = examples.to(device)
    batches = PictureBatches(sets, device: device)
    let first = try StartingPoint.build(
      seed: config.schedule.seed, device: device, file: files.encoder
    ) { DVAEEncoder($0, config.network) }
    let second = try StartingPoint.build(
      seed: config.schedule.seed &+ 1, device: device, file: files.decoder
    ) { DVAEDecoder($0, config.network) }
    (encoder, decoder) = (first.model, second.model)
    parameters =
      first.parameters.map { ("encoder." + $0.key, $0.tensor) }
      + second.parameters.map { ("decoder." + $0.key, $0.tensor) }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let count = config.schedule.batch
    let x = (batches(step: step, count: count, rows: group.rows(of: count)).pictures + 1) / 2
    let logits = encoder(x)  // [B, K, h, w]
    let stream = RandomStream(seed: config.schedule.seed, "codes \(step)", on: device)
    let uniform = group.own(stream.uniform([count] + logits.shape.dropFirst()))
    let chance = -(-uniform.clamped(1e-7, 1 - 1e-7).log()).log()
    let codes = ((logits + chance) / config.temperature(at: step)).softmax(over: 1)
    let error = Self.unlikelihood(of: x, decoder.statistics(codes))
    let use = logits.logSoftmax(over: 1)
    // Nats that a place tells beyond what even use of all codes would.
    let told = (use.exp() * (use + log(Double(config.network.vocab_size)))).sum(over: [1]).mean()
    let values = Double(3 * config.network.factor * config.network.factor)
    let loss = error + told * (config.evenness / values)
    return (loss, [("error", error), ("told", told)])
  }

  /// The mean negative log-likelihood of pictures in 0…1 under the logit-Laplace distributions that the decoder
  /// gives.
  /// - Parameter statistics: middles and logarithms of spreads, `[B, 6, H, W]`.
  static func unlikelihood(of x: Tensor, _ statistics: Tensor) -> Tensor {
    let y = DVAE.mapped(x)
    // Even areas could be told to any precision; no more is asked than eyes see.
    let spread = statistics.narrowed(1, 3, 3).clamped(-3.5, 3)
    let place = (y / (1 - y)).log()
    let away = (place - statistics.narrowed(1, 0, 3)).abs()
    return (away * (-spread).exp() + spread + (2 * y * (1 - y)).log()).mean()
  }

  /// Measures what comes back of held-out pictures by the likeliest codes; the sheet has each above that.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    let x = (examples + 1) / 2
    let codes = encoder(x).argmax(over: 1)  // [B, h, w]
    let all = Tensor.arange(0..<config.network.vocab_size, device: device).reshaped(1, -1, 1, 1)
    let y = decoder(all.equals(codes.unsqueezed(1)).to(.float32))
    let figures = [
      ("psnr", ImageQuality.psnr(x, y)), ("ssim", ImageQuality.ssim(x, y)),
      ("codes", Double(Set(codes.reshaped(-1).ints()).count)),
    ]
    return (figures, try Sheet.pairs(x, y))
  }
}

extension PackTraining {
  func trainDVAE(_ configuration: URL) throws {
    let config = try Configuration.read(DVAETrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem(size: context.data.size))
    let run = try open(.dvae, config, configuration)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let names = (Stage.file(of: DVAEEncoder.self), Stage.file(of: DVAEDecoder.self))
    let trainee = try DVAETrainee(
      config, files: (start(names.0), start(names.1)), sets: sets.train,
      examples: PictureBatches.tensor(sets.heldOut, Array(0..<36)).pictures,
      device: context.device, group: context.group)
    let trainer = try train(trainee, config.schedule, run)
    guard context.group.isFirst else { return }
    for (name, prefix) in [(names.0, "encoder."), (names.1, "decoder.")] {
      let half = trainer.weights.filter { $0.key.hasPrefix(prefix) }
        .map { (String($0.key.dropFirst(prefix.count)), $0.tensor) }
      try SafeTensors.write(
        Dictionary(uniqueKeysWithValues: half), to: run.folder.appending(path: name))
    }
  }
}
