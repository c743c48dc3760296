import Foundation
import Torch

extension ObjectiveKind {
  static let smoothness = ObjectiveKind(
    "smoothness", "soft transitions",
    arguments: [
      .choice(
        "type", SmoothnessObjective.Response.allCases.map(\.rawValue), default: "default",
        "how a slope counts: as it is, up to 0.5, or by its logarithm"),
      .integer(
        "kernel", 0...31, default: 0, "side of a Gaussian blur before, in pixels; 0 is none"),
      .number("std", 0.1...10, default: 1, "standard deviation of that blur, in pixels"),
      .number(
        "spacing", 0.1...10, default: 1, "distance between pixels, which slopes are divided by"),
      .integer("edgeOrder", 1...2, default: 1, "how exact slopes at the borders are"),
    ]
  ) { context in
    SmoothnessObjective(
      response: context.choice("type"),
      kernel: context.integer("kernel"), deviation: context.number("std"),
      spacing: context.number("spacing"), edgeOrder: context.integer("edgeOrder"))
  }
}

/// Soft transitions: the mean over the cutouts' pixels of the slope's length over both directions and
/// all channels (pixray's `smoothness`).
///
/// Slopes are those of each cutout. pixray takes them of all cutouts stacked, so that seams count, and
/// its blur is √2 times as wide as its option says.
struct SmoothnessObjective: Objective {
  /// How a slope counts.
  enum Response: String, CaseIterable {
    case `default`, clipped, log
  }

  var response = Response.default
  /// Side of a Gaussian blur before, in pixels; 0 is none.
  var kernel = 0
  /// Standard deviation of that blur, in pixels.
  var deviation = 1.0
  /// Distance between pixels.
  var spacing = 1.0
  /// How exact slopes at the borders are: 1 or 2.
  var edgeOrder = 1

  func loss(_ observation: Observation) -> Tensor? { total(observation.cutoutSets.map(loss)) }

  /// Of cutouts `[B, 3, S, S]`.
  func loss(_ cutouts: Tensor) -> Tensor {
    let x = blurred(cutouts)
    let down = slope(x, over: 2, spacing: spacing, edgeOrder: edgeOrder)
    let right = slope(x, over: 3, spacing: spacing, edgeOrder: edgeOrder)
    // The root's slope at 0, in a flat picture, is infinite.
    let steepness = ((down.square() + right.square()).sum(over: [1]) + 1e-12).sqrt()  // [B, S, S]
    switch response {
    case .default: return steepness.mean()
    case .clipped: return steepness.clamped(0, 0.5).mean()
    case .log: return (steepness + 1).log().mean()
    }
  }

  /// Without padding, so that borders are not darkened.
  private func blurred(_ x: Tensor) -> Tensor {
    let side = min(kernel, min(x.size(2), x.size(3)) - edgeOrder)
    guard side > 1 else { return x }
    let taps = (0..<side).map { exp(-pow((Double($0) - Double(side - 1) / 2) / deviation, 2) / 2) }
    let sum = taps.reduce(0, +)
    let line = Tensor(taps.map { Float($0 / sum) }, [side, 1]).to(x.device)
    let weight = line.matmul(line.transposed()).expanded([x.size(1), 1, side, side])
    return x.conv2d(weight.contiguous(), groups: x.size(1))
  }
}

/// The slope along a dimension as numpy's `gradient` takes it: central differences inside, and
/// one-sided ones of the given order at both ends.
func slope(_ x: Tensor, over dim: Int, spacing: Double = 1, edgeOrder: Int = 1) -> Tensor {
  let n = x.size(dim)
  guard n > edgeOrder else { return x * 0 }
  func at(_ index: Int) -> Tensor { x.narrowed(dim, index, 1) }
  var parts: [Tensor]
  if edgeOrder == 1 {
    parts = [(at(1) - at(0)) / spacing, (at(n - 1) - at(n - 2)) / spacing]
  } else {
    parts = [
      (at(1) * 2 - at(0) * 1.5 - at(2) * 0.5) / spacing,
      (at(n - 1) * 1.5 - at(n - 2) * 2 + at(n - 3) * 0.5) / spacing,
    ]
  }
  if n > 2 {
    let inner = (x.narrowed(dim, 2, n - 2) - x.narrowed(dim, 0, n - 2)) / (2 * spacing)
    parts.insert(inner, at: 1)
  }
  return concatenated(parts, over: dim)
}
