import Foundation
import Imaging
import Models
import Torch

/// Makes the parts of `Guidance` from a request.
struct GuidanceMaker {
  let context: PipelineContext

  private var request: Request { context.request }
  private var files: Attachments { context.files }
  private var size: Metadata.Size { context.size }

  func filters() throws -> [any Filter] {
    try (request.filters ?? []).map { spec in
      guard let kind = context.registry.filters.last(where: { $0.name == spec.name }) else {
        throw RequestError.badValue(field: "filters", reason: "has no '\(spec.name)'")
      }
      return try kind.make(context.part(spec.name, kind.arguments, spec.arguments))
    }
  }

  func objectives() throws -> [Guidance.Weighted] {
    try (request.objectives ?? []).map { spec in
      guard let kind = context.registry.objectives.last(where: { $0.name == spec.name }) else {
        throw RequestError.badValue(field: "objectives", reason: "has no '\(spec.name)'")
      }
      return .init(
        objective: try kind.make(context.part(spec.name, kind.arguments, spec.arguments)),
        weight: spec.weight ?? 1)
    }
  }

  /// The perceptors with their views.
  func perceptors() throws -> [PerceptorViews] {
    let regions = Set(try request.scenes().flatMap { $0.map(\.region) }).subtracting([.everywhere])
    let spot = regions.isEmpty ? nil : try spot()
    return try context.networks.perceptors(request).map { perceptor in
      PerceptorViews(
        perceptor: perceptor, cutouts: try cutouts(size: perceptor.size), spot: spot,
        regions: regions, power: request.cutPower, whole: request.cutWhole)
    }
  }

  private func cutouts(size: Int) throws -> Cutouts {
    var cutouts = Cutouts(
      size: size, count: request.cutouts ?? 1, mode: request.cutMode ?? .balanced,
      power: request.cutPower?.value(at: 0) ?? 1, augmentations: request.augmentations,
      squares: try request.squares(), seed: context.seed)
    cutouts.dango = try request.dango()
    return cutouts
  }

  /// What the prompts want, scene by scene.
  func scenes(_ perceptors: [PerceptorViews]) throws -> [[Guidance.Weighted]] {
    try request.scenes().map { prompts in
      var objectives: [Guidance.Weighted] = []
      for prompt in prompts where prompt.weight != 0 {
        let wished = try perceptors.indices.compactMap { try objective(prompt, perceptors, $0) }
        guard !wished.isEmpty else {
          throw RequestError.badValue(
            field: "prompts",
            reason: "has an embedding that is of none of the perceptors; name the CLIP that it was "
              + "made with by --clip")
        }
        objectives += wished.map { .init(objective: $0, weight: 1) }
      }
      return objectives
    }
  }

  /// What a prompt wants of the views that a perceptor sees; nil where its file has nothing for this one.
  private func objective(_ prompt: Prompt, _ perceptors: [PerceptorViews], _ index: Int) throws
    -> (any Objective)?
  {
    let views = perceptors[index]
    let weight = prompt.weight * views.perceptor.weight
    let averaging = request.averagingWeight ?? 0
    let kind = request.pictureViews ?? .once
    if kind != .once, case .image(let file) = prompt.target {
      let picture = try wanted(files.url(file), kind).to(context.device)
      // Iterations below zero: chance that no view of the painted picture has.
      let other = { views.perceptor.clip.embed(views.cutouts(picture, iteration: -2 - $0)) }
      return PictureObjective(
        picture: picture, embeddings: kind == .other ? other : nil, perceptor: index,
        prompt: (prompt.region, weight, prompt.stop, averaging))
    }
    return try views.perceptor.embeddings(
      of: prompt.target, cutouts: views.cutouts, files: files, size: (size.width, size.height),
      device: context.device
    ).map {
      PromptObjective(
        fuzzy($0, prompt.target), perceptor: index, region: prompt.region, weight: weight,
        stop: prompt.stop,
        averaging: averaging)
    }
  }

  /// Noisy copies of a text's embedding `[1, E]`, `[25, E]`. Disco Diffusion also limits them to 0…1, by which
  /// it loses half of each.
  private func fuzzy(_ embeddings: Tensor, _ target: Prompt.Target) -> Tensor {
    guard let fuzziness = request.fuzziness, fuzziness > 0, case .text(let text) = target else {
      return embeddings
    }
    let noise = RandomStream(seed: context.seed, "fuzzy \(text)")
      .normal([25, embeddings.size(-1)])
    return embeddings + noise.to(embeddings.device) * fuzziness
  }

  /// A picture that is wanted: for views at the same places with the proportions of the painted one.
  private func wanted(_ url: URL, _ views: PictureViews) throws -> Tensor {
    guard views == .same else { return try Perceptor.picture(url, (size.width, size.height)) }
    return try Picture.read(from: url.path).filled(width: size.width, height: size.height).tensor()
  }

  /// 1 where prompts of the inside look, `[1, 1, H, W]`: the black of the mask, or a disc in the middle
  /// as pixray's masks have it.
  private func spot() throws -> Tensor {
    let (width, height) = (size.width, size.height)
    if let mask = request.mask {
      let picture = try Picture.read(from: files.url(mask).path)
        .resized(width: width, height: height, filter: .nearest).tensor()
      return picture.mean(over: [1], keepDims: true).less(than: 0.5).to(.float32)
        .to(context.device)
    }
    let radius = width == height ? 0.235 * Double(height) : 0.3 * Double(min(width, height))
    let x = Tensor.arange(0..<width, .float32) - (Double(width) - 1) / 2
    let y = Tensor.arange(0..<height, .float32) - (Double(height) - 1) / 2
    let distance = x.square().reshaped(1, 1, 1, width) + y.square().reshaped(1, 1, height, 1)
    return distance.less(than: radius * radius).to(.float32).to(context.device)
  }
}
