import Imaging
import Models
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
    public var schedule: Schedule
    /// Deviation of the noise on latents, whose own root mean square is one.
    public var noise: Double
    /// Weight of the error of the pictures' differences between neighbours, for crisp edges.
    public var edges: Double
  }

  /// What is trained.
  public enum Phase: Sendable {
    /// Encoder and decoder, on continuous latents.
    case continuous
    /// The decoder alone, on quantised latents, those of the first set being put together as the
    /// transformer sees them.
    case quantized
  }

  /// The networks.
  public let model: VQGAN
  /// See `Trainee`.
  public let parameters: [(key: String, tensor: Tensor)]
  /// All parameters, trained or not.
  let everything: [(key: String, tensor: Tensor)]

  private let config: Config
  private let phase: Phase
  private let batches: PictureBatches
  private let codes: CodeStore
  private let examples: Tensor
  private let device: Device

  /// - Parameters:
  ///   - file: weights to start from, if any.
  ///   - sets: where training pictures come from.
  ///   - examples: held-out pictures to measure and show, `[B, 3, size, size]` in -1…1.
  init(
    _ config: Config, phase: Phase, file: SafeTensors?, sets: [any CaptionedDataset],
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
    codes = CodeStore(sets[0], model, device: device)
    everything = built.parameters
    parameters = built.parameters.filter { key, _ in
      switch phase {
      case .continuous: !key.hasPrefix("quantize.")
      case .quantized: key.hasPrefix("decoder.") || key.hasPrefix("post_quant_conv.")
      }
    }
  }

  /// See `Trainee`.
  public func loss(step: Int) -> (loss: Tensor, figures: [(name: String, value: Tensor)]) {
    let x = batches(step: step, count: config.schedule.batch).pictures
    let y = model.decode(latent(x, step: step))
    let error = (y - x).abs().mean()
    let edges = Self.differences(y - x)
    return (error + edges * config.edges, [("l1", error), ("edges", edges)])
  }

  private func latent(_ x: Tensor, step: Int) -> Tensor {
    switch phase {
    case .continuous:
      let z = model.encode(x)
      let noise = RandomStream(seed: config.schedule.seed, "latent noise \(step)").normal(z.shape)
      return z + noise.to(device) * config.noise
    case .quantized:
      // The first set's pictures by the codes that the transformer will learn, the others by their own.
      return noGrad {
        let first = batches.share(of: x.size(0))
        let start = step * x.size(0)
        let codes = codes(Array(start..<start + first)).codes
        let side = x.size(2) / config.network.factor
        let composed = model.lookUp(codes.reshaped(first, side, side, -1))
        guard first < x.size(0) else { return composed }
        let own = model.quantize(model.encode(x[first..<x.size(0)])).quantized
        return concatenated([composed, own], over: 0)
      }
    }
  }

  /// Mean absolute difference between neighbours in both directions.
  private static func differences(_ x: Tensor) -> Tensor {
    let (h, w) = (x.size(2), x.size(3))
    let dx = x.narrowed(3, 1, w - 1) - x.narrowed(3, 0, w - 1)
    let dy = x.narrowed(2, 1, h - 1) - x.narrowed(2, 0, h - 1)
    return dx.abs().mean() + dy.abs().mean()
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
