import Diffusion
import Library
import Models
import Torch

/// A picture as the pack's diffusion model would have it: score distillation (Poole and others, "DreamFusion", 2022;
/// Jain and others, "VectorFusion", 2022, for strokes and cells), with the difference taken between pictures
/// (Zhu & Zhuang, "HiFA", 2023).
///
/// ```
/// x = alpha encode(picture) + sigma eps     network(x, t) → x0     loss = mean((picture - decode(x0))²)
/// ```
///
/// The noise stays the same, so that the network goes on from what it found before, and the level falls from step to
/// step: from where things stand to how they look. No gradient goes through the networks.
struct Distillation: Objective {
  private let model: DiffusionModel
  private let scenes: [Conditioning]
  private let sceneLength: Int
  /// Pixels of a place of the latent.
  private let factor: Int
  /// The side of the square in which the picture is composed; nil where the network composes the whole.
  private let side: Int?
  /// Standard normal noise `[1, C, h, w]`.
  private let noise: Tensor
  /// The first level and the last, in v-diffusion's time.
  private let first, last: Double

  /// How strongly the text is followed.
  private static let conditionScale = 2.0

  /// With the pack's networks.
  /// - Throws: `PaintingError.notInPack` where it has no diffusion model of latents.
  init(_ context: PipelineContext) throws {
    let networks = context.networks
    guard let config = networks.pack.config(of: VDiffusion.self),
      let factor = networks.pack.config(of: VQGAN.self)?.factor
    else {
      throw PaintingError.notInPack(pack: networks.pack.manifest.id, what: "diffusion model")
    }
    model = DiffusionModel(
      network: ContinuousNetwork(
        network: try networks.network(VDiffusion.self), schedule: .spliced),
      decoder: try networks.network(VQGAN.self))
    scenes = try Method.conditioning(
      config, model, context, scale: Self.conditionScale, knowsNothing: true)
    sceneLength = context.request.sceneLength(of: max(1, scenes.count))
    self.factor = factor
    // The shorter side is as long as the network's own.
    let size = (width: Double(context.size.width), height: Double(context.size.height))
    func places(_ pixels: Double) -> Int {
      let own = Double(config.size / config.factor) * pixels / min(size.width, size.height)
      return min(16, max(1, Int(own.rounded()))) * config.factor
    }
    let shape = [1, config.channels, places(size.height), places(size.width)]
    side = shape[2] == shape[3] ? nil : min(shape[2], shape[3])
    noise = context.noise("distillation", shape).to(context.device)
    // Of a picture that is given something is to stay.
    (first, last) = (context.initial == nil ? 0.95 : 0.6, 0.2)
  }

  func loss(_ observation: Observation) -> Tensor? {
    let picture = observation.picture.resampled(
      noise.size(2) * factor, noise.size(3) * factor, .bilinear, antialias: true)
    let wanted = noGrad { found(in: picture.detached(), observation.iteration, observation.total) }
    return (picture - wanted).square().mean()
  }

  /// What the network makes of a picture `[1, 3, h, w]` in 0…1.
  private func found(in picture: Tensor, _ step: Int, _ total: Int) -> Tensor {
    let length = min(sceneLength, total)
    let way = Double(step % length) / Double(max(1, length - 1))
    let level = NoiseLevel(t: first + (last - first) * way)
    let scene = scenes.isEmpty ? nil : scenes[(step / sceneLength) % scenes.count]
    let told = model.network.denoiser(scene, step: step)
    let denoiser: any Denoiser = side.map { ComposedDenoiser(base: told, side: $0) } ?? told
    let x = level.noised(model.encoded(picture).to(.float32), with: noise)
    do {
      return model.picture(try denoiser(x, at: level).x0).to(.float32).clamped(0, 1)
    } catch {
      preconditionFailure("the pack's diffusion model: \(error)")
    }
  }
}
