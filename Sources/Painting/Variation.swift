import Foundation
import Torch

// A picture a little different: the first noise of a second seed, mixed into that of the first.

/// A point on the way from one noise to another along a great circle, so that what comes has the same
/// statistics (Shoemake, "Animating Rotation with Quaternion Curves", 1985; AUTOMATIC1111's variations, which
/// measure the angle column by column).
/// - Parameter share: 0 is `a`, 1 is `b`.
func spherical(_ a: Tensor, _ b: Tensor, _ share: Double) -> Tensor {
  noGrad {
    let cosine = (a.reshaped(-1).normalized() * b.reshaped(-1).normalized()).sum().item()
    // Nearly the same direction: there is no circle to speak of.
    guard abs(cosine) < 0.9995 else { return a * (1 - share) + b * share }
    let angle = acos(cosine)
    return a * (sin((1 - share) * angle) / sin(angle)) + b * (sin(share * angle) / sin(angle))
  }
}

/// What lies between several on the sphere, by their shares: each in turn is gone to from those before it.
func spherical(_ points: [(point: Tensor, share: Double)]) -> Tensor {
  var (found, sum) = points[0]
  for (point, share) in points.dropFirst() {
    sum += share
    found = spherical(found, point, share / sum)
  }
  return found
}

extension PipelineContext {
  /// Where the same is painted from the second seed, and how much of that is wanted; nil where none is.
  var varied: (context: PipelineContext, share: Double)? {
    let share = request.variationStrength ?? 0.1
    guard let seed = request.variationSeed, share > 0 else { return nil }
    var request = request
    request.seed = seed
    return (with(request), share)
  }

  /// Standard normal noise of a name: that of the seed, or what lies between it and the second seed's.
  func noise(_ name: String, _ shape: [Int]) -> Tensor {
    let noise = RandomStream(seed: seed, name).normal(shape)
    guard let (other, share) = varied else { return noise }
    return spherical(noise, RandomStream(seed: other.seed, name).normal(shape), share)
  }

  private func with(_ request: Request) -> PipelineContext {
    PipelineContext(
      request: request, method: method, registry: registry, networks: networks, size: size,
      initial: initial, files: files, preparing: preparing)
  }
}

extension Drawer {
  /// Moves its beginning on the way to that of another.
  func mix(_ other: any Drawer, share: Double) {
    noGrad {
      for (own, other) in zip(parameters, other.parameters) {
        own.assign(spherical(own, other, share))
      }
    }
    project()
  }
}
