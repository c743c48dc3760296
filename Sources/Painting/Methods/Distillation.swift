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
  private let weight: Double
  /// The size at which the network looks, in pixels.
  private let size: Metadata.Size
  /// The side of the square in which the picture is composed; nil where the network composes the whole.
  private let side: Int?
  /// Standard normal noise `[1, C, h, w]`.
  private let noise: Tensor
  /// The first level and the last, in v-diffusion's time.
  private let first, last: Double

  /// How strongly the text is followed.
  private static let conditionScale = 2.0

  /// Whether a pack has what it takes: a diffusion model of its VQGAN's latents.
  static func isPossible(with pack: Pack) -> Bool {
    pack.config(of: VDiffusion.self) != nil && pack.config(of: VQGAN.self) != nil
  }

  /// With the pack's networks, as strongly as the request says.
  /// - Throws: `RequestError` where the pack has no diffusion model.
  init(_ context: PipelineContext) throws {
    let (networks, request) = (context.networks, context.request)
    guard Self.isPossible(with: networks.pack) else {
      throw RequestError.badValue(
        field: "distillation",
        reason: "needs a diffusion model, and the pack \(networks.pack.manifest.id) has none; "
          + "set it to 0, or choose another --pack")
    }
    let own = try DiffusionModel.ofPack(networks)
    model = own.model
    scenes = try Method.conditioning(
      own.config, model, context, scale: Self.conditionScale, knowsNothing: true)
    sceneLength = request.sceneLength(of: max(1, scenes.count))
    weight = request.distillation ?? 0
    size = try Method.clipGuidedDiffusion.size(
      Canvas(asked: context.size, pack: networks.pack, installed: nil))
    let factor = model.decoder?.config.factor ?? 1
    let (h, w) = (size.height / factor, size.width / factor)
    side = h == w ? nil : min(h, w)
    noise = context.noise("distillation", [1, own.config.channels, h, w]).to(context.device)
    // Of a picture that is given something is to stay.
    (first, last) = (context.initial == nil ? 0.95 : 0.6, 0.2)
  }

  func loss(_ observation: Observation) -> Tensor? {
    let picture = observation.picture.resampled(
      size.height, size.width, .bilinear, antialias: true)
    let wanted = noGrad { found(in: picture.detached(), observation.iteration, observation.total) }
    return (picture - wanted).square().mean() * weight
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
      // Denoisers hand on what their network throws, and this one's has nothing to throw: that the pack's networks
      // fit each other and the embeddings was checked when it was opened.
      preconditionFailure("a network that never throws: \(error)")
    }
  }
}
