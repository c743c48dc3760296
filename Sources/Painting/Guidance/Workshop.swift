import Foundation
import Imaging
import Models
import Torch

/// Makes the parts of a guided painting from a request.
struct Workshop {
  let request: Request
  let networks: Networks
  let width: Int
  let height: Int
  let initial: Tensor?
  let files: Attachments
  let preparing: (Event.Progress) -> Void

  private var seed: UInt64 { UInt64(request.seed ?? 0) }

  private func setting(_ arguments: [String: JSONValue]) throws -> Setting {
    for value in arguments.values {
      if let reference = FileReference(json: value) { _ = try files.url(reference) }
    }
    var setting = Setting(
      width: width, height: height, seed: seed, device: networks.device, initial: initial,
      arguments: arguments, files: files.files, model: request.model, networks: networks)
    setting.request = request
    setting.preparing = preparing
    return setting
  }

  func drawer() throws -> any Drawer {
    guard let kind = request.method?.drawer else {
      throw RequestError.impossible(
        method: request.method ?? .auto, reason: "it is not under CLIP's guidance")
    }
    let drawer = try kind.make(setting(kind.arguments.filled(request.arguments)))
    if let initial, !drawer.begin(from: initial) {
      throw RequestError.impossible(
        method: request.method ?? .auto, reason: "its drawer cannot begin from a picture")
    }
    return drawer
  }

  func filters() throws -> [any Filter] {
    try (request.filters ?? []).map { spec in
      guard let kind = Parts.filters.last(where: { $0.name == spec.name }) else {
        throw RequestError.badValue(field: "filters", reason: "has no '\(spec.name)'")
      }
      return try kind.make(setting(kind.arguments.filled(spec.arguments)))
    }
  }

  func objectives() throws -> [GuidedPainting.Weighted] {
    try (request.objectives ?? []).map { spec in
      guard let kind = Parts.objectives.last(where: { $0.name == spec.name }) else {
        throw RequestError.badValue(field: "objectives", reason: "has no '\(spec.name)'")
      }
      return .init(
        objective: try kind.make(setting(kind.arguments.filled(spec.arguments))),
        weight: spec.weight ?? 1)
    }
  }

  /// What is laid over the picture again and again.
  func overlay() throws -> Overlay? {
    guard let reference = request.overlay else { return nil }
    let picture = try Picture.read(from: files.url(reference).path)
    return try Overlay(
      picture, width: width, height: height, alpha: request.overlayAlpha ?? 1, networks.device)
  }

  /// The perceptors with their views.
  func critics() throws -> [Critic] {
    let regions = Set(try request.scenes().flatMap { $0.map(\.region) }).subtracting([.everywhere])
    let spot = regions.isEmpty ? nil : try spot()
    return try networks.perceptors(request).map { perceptor in
      Critic(
        perceptor: perceptor, cutouts: try cutouts(size: perceptor.size), spot: spot,
        regions: regions)
    }
  }

  private func cutouts(size: Int) throws -> Cutouts {
    Cutouts(
      size: size, count: request.cutouts ?? 1, mode: request.cutMode ?? .balanced,
      power: request.cutPower ?? 1, augmentations: request.augmentations,
      squares: try request.squares(), seed: seed)
  }

  /// What the prompts want, scene by scene.
  func scenes(_ critics: [Critic]) throws -> [[GuidedPainting.Weighted]] {
    try request.scenes().map { prompts in
      var wishes: [GuidedPainting.Weighted] = []
      for prompt in prompts where prompt.weight != 0 {
        for index in critics.indices {
          guard let objective = try wish(prompt, critics, index) else { continue }
          wishes.append(.init(objective: objective, weight: 1))
        }
      }
      guard !wishes.isEmpty else {
        throw RequestError.badValue(
          field: "prompts", reason: "has an embedding that is of none of the perceptors")
      }
      return wishes
    }
  }

  /// What a prompt wants of the views that a critic sees; nil where its file has nothing for this one.
  private func wish(_ prompt: Prompt, _ critics: [Critic], _ index: Int) throws
    -> (any Objective)?
  {
    let critic = critics[index]
    let weight = prompt.weight * critic.perceptor.weight
    let averaging = request.averagingWeight ?? 0
    let views = request.pictureViews ?? .once
    if views != .once, case .image(let file) = prompt.target {
      let picture = try wanted(files.url(file), views).to(networks.device)
      // Iterations below zero: chance that no view of the painted picture has.
      let other = { critic.perceptor.clip.embed(critic.cutouts(picture, iteration: -2 - $0)) }
      return PictureObjective(
        picture: picture, embeddings: views == .other ? other : nil, perceptor: index,
        prompt: (prompt.region, weight, prompt.stop, averaging))
    }
    return try critic.perceptor.embeddings(
      of: prompt.target, cutouts: critic.cutouts, files: files, size: (width, height),
      device: networks.device
    ).map {
      PromptObjective(
        $0, perceptor: index, region: prompt.region, weight: weight, stop: prompt.stop,
        averaging: averaging)
    }
  }

  /// A picture that is wanted: for views at the same places with the proportions of the painted one.
  private func wanted(_ url: URL, _ views: PictureViews) throws -> Tensor {
    guard views == .same else { return try Perceptor.picture(url, (width, height)) }
    return try Picture.read(from: url.path).filled(width: width, height: height).tensor()
  }

  /// 1 where prompts of the inside look, `[1, 1, H, W]`: the black of the mask, or a disc in the middle
  /// as pixray's masks have it.
  private func spot() throws -> Tensor {
    if let mask = request.mask {
      let picture = try Picture.read(from: files.url(mask).path)
        .resized(width: width, height: height, filter: .nearest).tensor()
      return picture.mean(over: [1], keepDims: true).less(than: 0.5).to(.float32)
        .to(networks.device)
    }
    let radius = width == height ? 0.235 * Double(height) : 0.3 * Double(min(width, height))
    let x = Tensor.arange(0..<width, .float32) - (Double(width) - 1) / 2
    let y = Tensor.arange(0..<height, .float32) - (Double(height) - 1) / 2
    let distance = x.square().reshaped(1, 1, 1, width) + y.square().reshaped(1, 1, height, 1)
    return distance.less(than: radius * radius).to(.float32).to(networks.device)
  }
}
