import Foundation
import Imaging
import Models
import Painting
import Torch
import Weights

/// Trains the VQGAN's autoencoder on continuous latents; the codebooks are fitted afterwards
/// (`CodebookFitting`) and the decoder is then tuned to them.
///
/// Noise on the latents while training makes room between neighbours, so that quantising them later
/// costs little.
public final class VQGANTrainee: Trainee {
  /// What to train, and on what terms.
  public struct Config: Codable, Sendable {
    /// The networks.
    public var network: VQGAN.Config
    /// Length and rates.
    public var schedule: TrainingSchedule
    /// Deviation of the noise on latents, whose own root mean square is one.
    public var noise: Double
    /// Weight of the error of the pictures' differences between neighbours, for crisp edges.
    public var edges: Double
    /// Weight of the distance between CLIP's features of picture and reconstruction; 0 needs no CLIP.
    public var perceptual: Double
    /// Weight of the distance between the textures of picture and reconstruction.
    public var texture: Double
    /// Weight of the discriminator's opinion, as a part of the gradient of all the rest.
    public var adversarial: Double
    /// Channels of the discriminator's first layer.
    public var discriminator: Int
    /// Part of the corpus's examples that are in a style; their textures are the hardest to give back.
    public var styles: Double
    /// Part of the coloured grounds that are white. Texture is hardest to give back there, and it is
    /// where a picture stands whose ground nobody named.
    public var white: Double

    /// What is wrong with it for pictures of a size; nil when nothing is.
    func problem(size: Int) -> String? {
      if let problem = network.problem { return problem }
      if size % network.factor != 0 {
        return "pictures of \(size) pixels do not divide into codes of \(network.factor)"
      }
      if ![styles, white].allSatisfy((0...1).contains) {
        return "'styles' and 'white' must be from 0 to 1"
      }
      return discriminator > 0 && discriminator % 8 == 0
        ? nil : "'discriminator' must be a multiple of 8"
    }
  }

  /// What is trained.
  public enum Phase: Sendable {
    /// Encoder and decoder, on continuous latents.
    case continuous
    /// The decoder alone, on quantised latents.
    case quantized
  }

  /// The networks.
  public let model: VQGAN
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]
  /// The VQGAN's parameters, trained or not.
  let everything: [(key: String, tensor: Tensor)]

  private let config: Config
  private let phase: Phase
  private let batches: PictureBatches
  private let likeness: PictureLikeness?
  private let adversary: Adversary?
  private let examples: Tensor
  private let device: Device

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: where training pictures come from.
  ///   - clip: what compares pictures, where the configuration wants that.
  ///   - examples: held-out pictures to measure and show, `[B, 3, size, size]` in -1…1.
  init(
    _ config: Config, phase: Phase, file: SafeTensors?, sets: [any CaptionedDataset], clip: CLIP?,
    examples: Tensor, device: Device
  ) throws {
    self.config = config
    self.phase = phase
    self.device = device
    self.examples = examples.to(device)
    batches = PictureBatches(sets, device: device)
    let built = try StartingPoint.build(seed: config.schedule.seed, device: device, file: file) {
      VQGAN($0, config.network)
    }
    model = built.model
    everything = built.parameters
    likeness = clip.map { PictureLikeness($0) }
    adversary =
      config.adversarial > 0
      ? try Adversary(width: config.discriminator, seed: config.schedule.seed, device: device)
      : nil
    let trained = built.parameters.filter { key, _ in
      switch phase {
      case .continuous: !key.hasPrefix("quantize.")
      case .quantized: key.hasPrefix("decoder.") || key.hasPrefix("post_quant_conv.")
      }
    }
    parameters = trained + (adversary?.parameters ?? [])
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let x = batches(step: step, count: config.schedule.batch).pictures
    let y = model.decode(latent(x, step: step))
    let error = (y - x).abs().mean()
    let edges = ImageQuality.differences(y - x)
    var loss = error + edges * config.edges
    var figures = [("l1", error), ("edges", edges)]
    if let likeness {
      let stream = RandomStream(seed: config.schedule.seed, "views \(step)")
      let distance = likeness.distance(x, y, stream)
      loss = loss + distance * config.perceptual
      figures.append(("features", distance))
    }
    if config.texture > 0 {
      let distance = TextureLikeness.distance(x, y)
      loss = loss + distance * config.texture
      figures.append(("texture", distance))
    }
    if let adversary, let last = parameters.first(where: { $0.key == "decoder.conv_out.weight" }) {
      let opinion = adversary.opinion(of: y, beside: loss, at: last.tensor) * config.adversarial
      let lesson = adversary.lesson(real: x, painted: y.detached())
      loss = loss + opinion + lesson
      figures += [("opinion", opinion), ("lesson", lesson)]
    }
    return (loss, figures)
  }

  private func latent(_ x: Tensor, step: Int) -> Tensor {
    switch phase {
    case .continuous:
      let z = model.encode(x)
      let noise = RandomStream(seed: config.schedule.seed, "latent noise \(step)", on: device)
        .normal(z.shape)
      return z + noise * config.noise
    case .quantized:
      return noGrad { model.quantize(model.encode(x)).quantized }
    }
  }

  /// Measures reconstructions of the held-out pictures; the sheet has each above its reconstruction.
  public func examine(step: Int) throws -> (
    figures: [(name: String, value: Double)], sheet: Picture?
  ) {
    var z = model.encode(examples)
    if phase == .quantized { z = model.quantize(z).quantized }
    let x = (examples + 1) / 2
    let y = ((model.decode(z) + 1) / 2).clamped(0, 1)
    let figures = [("psnr", ImageQuality.psnr(x, y)), ("ssim", ImageQuality.ssim(x, y))]
    return (figures, try Sheet.pairs(x, y))
  }
}

extension PackTraining {
  func trainVQGAN(_ configuration: URL, phase: VQGANTrainee.Phase) throws {
    let config = try Configuration.read(VQGANTrainee.Config.self, from: configuration)
    try check(config.schedule, config.problem(size: context.data.size))
    let run = try open(phase == .continuous ? .vqgan : .decoder, config, configuration)
    let sets = try sets(seed: config.schedule.seed, jitter: true)
    let start =
      phase == .quantized
      ? try SafeTensors(contentsOf: product(.vqgan, "vqgan.safetensors"))
      : try start("vqgan.safetensors")
    let styled = try mixed(sets.train) {
      $0.styleFraction = config.styles
      $0.whiteFraction = config.white
    }
    let trainee = try VQGANTrainee(
      config, phase: phase, file: start, sets: styled,
      clip: config.perceptual > 0 ? clip() : nil,
      examples: PictureBatches.tensor(sets.heldOut, Array(0..<36)).pictures,
      device: context.device)
    let trainer = try train(trainee, config.schedule, run)

    var weights = Dictionary(
      uniqueKeysWithValues: trainee.everything.map { ($0.key, $0.tensor.detached()) })
    for (key, tensor) in trainer.weights where weights[key] != nil { weights[key] = tensor }
    if phase == .continuous {
      for (parameter, average) in zip(trainee.parameters, trainer.weights) {
        parameter.tensor.assign(average.tensor)
      }
      let codebooks = fitCodebooks(trainee.model, config, styled)
      weights["quantize.embedding.weight"] = codebooks[0]
      for (i, codebook) in codebooks.dropFirst().enumerated() {
        weights["quantize.residual.\(i).weight"] = codebook
      }
    }
    try SafeTensors.write(weights, to: run.folder.appending(path: "vqgan.safetensors"))
  }

  private func fitCodebooks(
    _ model: VQGAN, _ config: VQGANTrainee.Config, _ sets: [any CaptionedDataset]
  ) -> [Tensor] {
    let width = config.network.embed_dim
    let batches = PictureBatches(sets, device: context.device)
    let side = batches.size / config.network.factor
    // About a quarter of a million latents.
    let count = max(1, (1 << 18) / (64 * side * side))
    let latents = noGrad {
      (0..<count).map { i in
        // Indices far from those of training: the fit should not know its examples by heart.
        let x = batches(step: 1_000_000 + i, count: 64).pictures
        return autocast(context.precision, on: context.device) { model.encode(x) }
          .permuted(0, 2, 3, 1).reshaped(-1, width)
      }
    }
    return CodebookFitting.fit(
      concatenated(latents, over: 0), entries: config.network.n_embed,
      levels: config.network.levels, rounds: 12, seed: config.schedule.seed
    ) { level, round, error in
      context.say("codebook \(level + 1), round \(round + 1): mean squared error \(error)")
    }
  }
}
