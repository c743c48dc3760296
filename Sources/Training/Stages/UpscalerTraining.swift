import Foundation
import Imaging
import Models
import Painting
import Torch
import Weights

/// Trains a network that enlarges pictures (the generator of ESRGAN, Wang et al. 2018) on pictures of
/// twice the pack's size and the same ones made small.
///
/// A part of the small ones is shown as the VQGAN gives them back, so that the network learns to mend
/// what codes spoil, since pictures made of codes are what it will mostly enlarge.
public final class UpscalerTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The network.
    public var network: RRDBNet.Config
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Side in pixels of the part of each small picture that a step sees.
    public var crop: Int
    /// Weight of the error of the pictures' differences between neighbours, for crisp edges.
    public var edges: Double
    /// Weight of the discriminator's opinion, as a part of the gradient of all the rest.
    public var adversarial: Double
    /// Channels of the discriminator's first layer.
    public var discriminator: Int
    /// Part of the pictures shown as the VQGAN gives them back. 0 needs no VQGAN.
    public var reconstructed: Double

    /// What is wrong with it for small pictures of a size; nil when nothing is.
    func problem(size: Int) -> String? {
      if let problem = network.problem { return problem }
      guard network.scale == 2 else { return "'scale' must be 2" }
      guard crop >= 32, crop <= size, crop % network.folding == 0 else {
        return "'crop' must be an even number from 32 to \(size)"
      }
      guard (0...1).contains(reconstructed) else { return "'reconstructed' must be from 0 to 1" }
      return discriminator > 0 && discriminator % 8 == 0
        ? nil : "'discriminator' must be a multiple of 8"
    }
  }

  /// The network.
  public let model: RRDBNet
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]

  private let config: Config
  private let batches: PictureBatches
  private let vqgan: VQGAN?
  private let adversary: Adversary?
  private let examples: Tensor
  private let device: Device

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: pictures of twice the size at which the network will be given them.
  ///   - vqgan: what gives pictures back, where the configuration wants that.
  ///   - examples: held-out pictures to measure and show, `[B, 3, 2 size, 2 size]` in -1…1.
  init(
    _ config: Config, file: SafeTensors?, sets: [any CaptionedDataset], vqgan: VQGAN?,
    examples: Tensor, device: Device
  ) throws {
    self.config = config
    self.vqgan = vqgan
    self.device = device
    self.examples = examples.to(device)
    batches = PictureBatches(sets, device: device)
    let built = try StartingPoint.build(seed: config.schedule.seed, device: device, file: file) {
      RRDBNet($0, config.network)
    }
    model = built.model
    adversary =
      config.adversarial > 0
      ? try Adversary(width: config.discriminator, seed: config.schedule.seed, device: device)
      : nil
    parameters = built.parameters + (adversary?.parameters ?? [])
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    var random = KeyedRandom(
      seed: config.schedule.seed, stream: KeyedRandom.hash("crops"), index: UInt64(step))
    let drawn = batches(step: step, count: config.schedule.batch).pictures
    // Objects of the corpus stand on a grid; those to be enlarged need not.
    let large = [2, 3].reduce(drawn) { $0.rolled(random.integer(below: 8), over: $1) }
    let small = givenBack(Self.halved(large))
    let (top, left) = (offset(small.size(2), &random), offset(small.size(3), &random))
    func part(_ x: Tensor, scale: Int) -> Tensor {
      x.narrowed(2, top * scale, config.crop * scale)
        .narrowed(3, left * scale, config.crop * scale)
    }
    let x = part(large, scale: 2)
    let y = model((part(small, scale: 1) + 1) / 2) * 2 - 1  // [B, 3, 2 crop, 2 crop]
    let error = (y - x).abs().mean()
    let edges = ImageQuality.differences(y - x)
    var loss = error + edges * config.edges
    var figures = [("l1", error), ("edges", edges)]
    if let adversary, let last = parameters.first(where: { $0.key == "conv_last.weight" }) {
      let opinion = adversary.opinion(of: y, beside: loss, at: last.tensor) * config.adversarial
      let lesson = adversary.lesson(real: x, painted: y.detached())
      loss = loss + opinion + lesson
      figures += [("opinion", opinion), ("lesson", lesson)]
    }
    return (loss, figures)
  }

  private func offset(_ side: Int, _ random: inout KeyedRandom) -> Int {
    random.integer(below: side - config.crop + 1)
  }

  /// Half the size, each pixel the mean of four.
  static func halved(_ x: Tensor) -> Tensor {
    x.adaptiveAveragePooled(x.size(2) / 2, x.size(3) / 2)
  }

  /// The pictures, the first of them as the VQGAN gives them back.
  private func givenBack(_ x: Tensor) -> Tensor {
    let count = Int((Double(x.size(0)) * config.reconstructed).rounded())
    guard let vqgan, count > 0 else { return x }
    return noGrad {
      let back = vqgan.decode(vqgan.quantize(vqgan.encode(x[0..<count])).quantized)
      return concatenated([back.clamped(-1, 1), x[count..<x.size(0)]], over: 0)
    }
  }

  /// Measures what it makes of held-out pictures, some of them given back by the VQGAN, beside bicubic
  /// enlargement; the sheet has bicubic above its own.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    let x = (examples + 1) / 2
    let small = (givenBack(Self.halved(examples)) + 1) / 2
    let y = model(small).clamped(0, 1)
    let plain = small.resampled(x.size(2), x.size(3), .bicubic).clamped(0, 1)
    let figures = [
      ("psnr", ImageQuality.psnr(x, y)), ("bicubic", ImageQuality.psnr(x, plain)),
      ("ssim", ImageQuality.ssim(x, y)), ("bicubic ssim", ImageQuality.ssim(x, plain)),
    ]
    return (figures, try Sheet.pairs(plain, y, columns: 6))
  }
}

extension PackTraining {
  func trainUpscaler(_ configuration: URL) throws {
    let config = try Configuration.read(UpscalerTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem(size: context.data.size))
    let vqgan = config.reconstructed > 0 ? try vqgan(.decoder) : nil
    if let factor = vqgan?.config.factor, context.data.size % factor != 0 {
      try check(
        config.schedule,
        "pictures of \(context.data.size) pixels do not divide into codes of \(factor)")
    }
    let run = try open(.upscaler, config, configuration)
    let sets = try largeSets(seed: config.schedule.seed)
    let trainee = try UpscalerTrainee(
      config, file: start("upscaler.safetensors"), sets: sets.train,
      vqgan: vqgan,
      examples: PictureBatches.tensor(sets.heldOut, Array(0..<18)).pictures,
      device: context.device)
    try finish(trainee, config.schedule, run, "upscaler.safetensors")
  }
}
