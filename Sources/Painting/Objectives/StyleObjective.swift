import Foundation
import Imaging
import Models
import Torch

/// The style of another picture, by the losses of STROTSS at several scales (pixray's `style`).
///
/// Each iteration compares features at positions drawn anew. pixray unrolls the optimisation that STROTSS
/// does from scale to scale, so that its learning rates become weights and all but the finest scale
/// count 0.002; and it takes the picture itself for content. Here all scales count alike, and content
/// is the picture to begin from, if there is one.
struct StyleObjective: Objective {
  /// Maps of a picture's features, `[1, C, h, w]` each, from a picture `[1, 3, H, W]` in 0…1.
  typealias Features = (Tensor) -> [Tensor]

  /// How much the content counts at the coarsest scale; it halves from scale to scale.
  var contentWeight = 32.0
  /// Iterations at the beginning without it.
  var skip = 100
  /// Of how many iterations one has it.
  var every = 1
  /// Positions that are compared.
  var positions = 1024
  let seed: UInt64

  private let features: Features
  /// A scale, what the picture's sides are divided by, with the features of style and content.
  private let scales: [Scale]

  private struct Scale {
    let divisor: Int
    let style: Tensor  // [M, D]
    let content: [Tensor]?
  }

  /// pixray adds up three drawings of positions.
  private static let gain = 3.0
  /// Positions of the style picture.
  private static let stylePositions = 5_000
  /// A scale's shorter side in pixels is at least this.
  private static let smallest = 33

  /// - Parameters:
  ///   - style: `[1, 3, H, W]` in 0…1.
  ///   - content: likewise, of the size that is painted; nil when nothing is to be kept.
  ///   - width: of the picture that is painted.
  ///   - height: of the picture that is painted.
  init(
    style: Tensor, content: Tensor?, width: Int, height: Int, seed: UInt64,
    features: @escaping Features
  ) {
    self.features = features
    self.seed = seed
    let side = min(width, height)
    let divisors = (0..<10).map { 1 << $0 }.filter { $0 == 1 || side / $0 >= Self.smallest }
    scales = noGrad {
      divisors.reversed().map { divisor in
        let maps = Self.maps(Self.shrunk(style, by: divisor), features)
        let stream = RandomStream(seed: seed, "style \(divisor)")
        let area = maps[0].size(2) * maps[0].size(3)
        let places = stream.uniform([min(Self.stylePositions, area), 2])
        return Scale(
          divisor: divisor, style: sampledFeatures(maps, at: places),
          content: content.map { Self.maps(Self.shrunk($0, by: divisor), features) })
      }
    }
  }

  func loss(_ observation: Observation) -> Tensor? {
    guard observation.iteration >= skip, observation.iteration % every == 0 else { return nil }
    let losses = scales.enumerated().map { index, scale in
      let maps = Self.maps(Self.shrunk(observation.picture, by: scale.divisor), features)
      let stream = RandomStream(seed: seed, "style \(scale.divisor) \(observation.iteration)")
      let area = maps[0].size(2) * maps[0].size(3)
      let places = stream.uniform([min(positions, area), 2])
      return styleLoss(
        sampledFeatures(maps, at: places),
        content: scale.content.map { sampledFeatures($0, at: places) }, style: scale.style,
        weight: contentWeight / Double(1 << index))
    }
    return total(losses).map { $0 * (Self.gain / Double(losses.count)) }
  }

  private static func shrunk(_ picture: Tensor, by divisor: Int) -> Tensor {
    guard divisor > 1 else { return picture }
    return picture.resampled(
      max(1, picture.size(2) / divisor), max(1, picture.size(3) / divisor), .bilinear,
      antialias: true)
  }

  /// The colours in -1…1, then the features.
  private static func maps(_ picture: Tensor, _ features: Features) -> [Tensor] {
    [picture * 2 - 1] + features(picture).map { $0.to(.float32) }
  }
}

/// The features of all maps at some places, read bilinearly, side by side.
/// - Parameters:
///   - maps: `[1, C, h, w]` each.
///   - places: `[N, 2]`, shares of width and height.
/// - Returns: `[N, ΣC]`
func sampledFeatures(_ maps: [Tensor], at places: Tensor) -> Tensor {
  let grid = (places * 2 - 1).reshaped(1, 1, -1, 2).to(maps[0].device)
  let columns = maps.map { map in
    map.gridSampled(grid, outside: .border).reshaped(map.size(1), -1)  // [C, N]
  }
  return concatenated(columns, over: 0).transposed()
}

extension ObjectiveKind {
  /// The style of another picture.
  static let style = ObjectiveKind(
    "style", "The style of another picture (STROTSS)",
    arguments: [
      .file("file", "The picture whose style is wanted"),
      .choice(
        "features", ["pack", "vgg"], default: "pack",
        "By what pictures are compared: the encoder of the pack's VQGAN, or an installed VGG-16"),
      .number(
        "contentWeight", 0...1_000, default: 32, "How much the picture to begin from counts"),
      .integer("skip", 0...100_000, default: 0, "Iterations at the beginning without it"),
      .integer("every", 1...1_000, default: 1, "Of how many iterations one has it"),
    ]
  ) { context in
    let networks = try context.ofPainting().networks
    guard let url = context.file("file") else {
      throw RequestError.badValue(field: "style", reason: "needs a picture: style,file=PICTURE")
    }
    let features: StyleObjective.Features
    if context.choice("features") == "vgg" {
      let vgg = try networks.network(VGG16.self)
      features = { vgg($0, layers: [1, 3, 6, 8, 11, 13, 15, 22, 29]) }
    } else {
      let vqgan = try networks.network(VQGAN.self)
      let factor = vqgan.config.factor
      features = { picture in
        // The encoder halves sizes again and again.
        func even(_ side: Int) -> Int { max(factor, (side + factor / 2) / factor * factor) }
        return vqgan.features(
          of: picture.resampled(even(picture.size(2)), even(picture.size(3)), .bilinear))
      }
    }
    let style = try Picture.read(from: url.path)
      .filled(width: context.width, height: context.height).tensor().to(context.device)
    var objective = StyleObjective(
      style: style, content: context.initial, width: context.width, height: context.height,
      seed: context.seed, features: features)
    objective.contentWeight = context.number("contentWeight")
    objective.skip = context.integer("skip")
    objective.every = context.integer("every")
    return objective
  }
}
