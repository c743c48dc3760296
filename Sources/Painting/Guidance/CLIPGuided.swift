import Imaging
import Models
import Torch
import Weights

/// Painting under CLIP's guidance (Crowson et al., "VQGAN-CLIP: Open Domain Image Generation and Editing
/// with Natural Language Guidance", 2022): what a drawer draws is optimised until CLIP finds that views
/// of the picture fit the text.
struct CLIPGuided {
  let networks: Networks
  let easel: Easel

  /// Paints one picture.
  /// - Parameters:
  ///   - request: resolved.
  ///   - initial: `[1, 3, H, W]` in 0…1 at the size to paint; nil begins from random codes.
  /// - Returns: the picture whose loss, smoothed over some ten iterations, was the lowest,
  ///   `[1, 3, H, W]`, and the number of iterations done.
  func paint(_ request: Request, width: Int, height: Int, initial: Tensor?) throws -> (Tensor, Int)
  {
    let seed = UInt64(request.seed ?? 0)
    let prompts = try Prompt.parse(request.prompt)
    let critics = try networks.perceptors(request).map { perceptor in
      Critic(
        perceptor: perceptor, objectives: perceptor.objectives(prompts),
        cutouts: Cutouts(
          size: perceptor.size, count: request.cutouts ?? 1,
          augmentations: request.augmentations ?? [], seed: seed))
    }
    let drawer = try drawer(request, width: width, height: height, initial: initial)
    let optimiser = (request.optimizer ?? .adam).make(drawer.parameters)
    let total = request.iterations ?? 1
    var best = Best()
    for iteration in 0..<total {
      if easel.isStopped, iteration > 0 { return (try best.picture(), iteration) }
      let picture = drawer.render(iteration)
      let values = picture.detached()
      let seen = values.clamped(0, 1).variable()
      let losses = critics.flatMap { $0.losses(seen, iteration: iteration) }
      let loss = losses.dropFirst().reduce(losses[0], +)
      let number = loss.item()
      guard number.isFinite else { throw PaintingError.diverged(iteration: iteration) }
      best.note(values, loss: number)
      let wanted = clampedGradient(gradient(of: loss, at: [seen])[0], at: values, 0, 1)
      let slopes = pullback(of: picture, along: wanted, at: drawer.parameters)
      optimiser.step(slopes, rate: request.learningRate ?? 0.1)
      drawer.project()
      easel.emit(
        .step(.init(step: iteration + 1, total: total, unit: "iteration", loss: number)))
      if easel.wantsPreview(iteration + 1), iteration + 1 < total {
        easel.emit(
          .preview(.init(picture: try Picture(values[0]), step: iteration + 1, score: nil)))
      }
    }
    return (try best.picture(), total)
  }

  /// A perceptor with the wishes that it measures and the views that it is shown.
  private struct Critic {
    let perceptor: Perceptor
    let objectives: [any Objective]
    let cutouts: Cutouts

    func losses(_ picture: Tensor, iteration: Int) -> [Tensor] {
      let embeddings = perceptor.clip.embed(cutouts(picture, iteration: iteration))
      let sight = Sight(picture: picture, views: [.init(cutouts: picture, embeddings: embeddings)])
      return objectives.compactMap { $0.loss(sight) }
    }
  }

  private func drawer(_ request: Request, width: Int, height: Int, initial: Tensor?) throws
    -> any Drawer
  {
    let stream = RandomStream(seed: UInt64(request.seed ?? 0), "first codes")
    let device = networks.device
    switch (request.method, initial?.to(device)) {
    case (.fft, let picture?): return FourierDrawer(picture: picture)
    case (.fft, nil):
      return FourierDrawer(width: width, height: height, stream: stream, device: device)
    case (.pixels, let picture?): return PixelsDrawer(picture: picture)
    case (.pixels, nil):
      return PixelsDrawer(width: width, height: height, stream: stream, device: device)
    default: break
    }
    switch (try networks.drawing(request), initial) {
    case (.vqgan(let vqgan), let picture?): return VQGANDrawer(vqgan, picture: picture.to(device))
    case (.vqgan(let vqgan), nil):
      return VQGANDrawer(vqgan, width: width, height: height, stream: stream, device: device)
    case (.dvae(let decoder, let encoder?, _), let picture?):
      return DVAEDrawer(decoder, picture: picture.to(device), by: encoder)
    case (.dvae(_, nil, _), .some):
      throw StoreError.nothing(
        path: request.model ?? "", reason: "it has no encoder, which an initial picture needs")
    case (.dvae(let decoder, _, let config), nil):
      return DVAEDrawer(
        decoder, config, width: width, height: height, stream: stream, device: device)
    }
  }

  /// The picture with the lowest smoothed loss: views are drawn at random, and a single loss says
  /// little.
  private struct Best {
    private var smoothed = 0.0
    private var weight = 0.0
    private var lowest = Double.infinity
    private var kept: Tensor?

    mutating func note(_ picture: Tensor, loss: Double) {
      smoothed = 0.9 * smoothed + 0.1 * loss
      weight = 0.9 * weight + 0.1
      guard smoothed / weight < lowest || kept == nil else { return }
      lowest = smoothed / weight
      kept = picture
    }

    func picture() throws -> Tensor {
      guard let kept else { throw PaintingError.stoppedEarly }
      return kept
    }
  }
}
