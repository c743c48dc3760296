import Diffusion
import Foundation
import Torch

/// What of a sample the critics are shown, and how far they may steer it.
struct Steering {
  /// What the critics are shown.
  enum Look: String, CaseIterable {
    /// The picture that the network finds, its colours limited.
    case found
    /// This, blended with the sample by how little noise there is, its colours as they are: Disco Diffusion's
    /// `x_in`.
    case blended
  }

  var look = Look.found
  /// The root mean square above which a gradient is made smaller (`clamp_max`); nil lets it be.
  var clamp: Double?

  /// What is shown, of the shape of the sample.
  func shown(_ found: Denoised, of x: Tensor, at level: NoiseLevel) -> Tensor {
    switch look {
    case .found: found.x0
    case .blended: found.x0 * level.sigma + x * (1 - level.sigma)
    }
  }

  /// The gradient, which will be multiplied by `scale`, made smaller where it is too large.
  func limited(_ grad: Tensor, scale: Double) -> Tensor {
    guard let clamp else { return grad }
    let size = grad.square().mean().sqrt().item() * scale
    return size > clamp ? grad * (clamp / size) : grad
  }
}

extension NoiseLevel {
  /// How much of the way from noise to picture is done, 0…1, on which a thousand steps of DDPM lie evenly
  /// (Ho and others, 2020, in continuous time as in v-diffusion).
  var way: Double {
    let place = max(0, (-2 * log(max(alpha, 1e-6)) - 1e-4) / 10).squareRoot()
    return 1 - min(1, place)
  }
}

/// A sample made its own mirror image at some steps (Disco Diffusion's `symmetry_transformation_fn`).
struct SampleSymmetry {
  /// Which halves are alike.
  enum Kind: String, CaseIterable {
    case none, horizontal, vertical, both
  }

  var kind = Kind.none
  /// After which shares of the steps.
  var shares: [Double] = []

  /// Whether it is time for that.
  func isDue(_ step: Int, of total: Int) -> Bool {
    kind != .none && shares.contains { total - 1 - step == Int(Double(total) * (1 - $0)) }
  }

  /// The left half on the right, the upper below; what lies between stays.
  func applied(to x: Tensor) -> Tensor {
    func mirrored(_ x: Tensor, _ dim: Int) -> Tensor {
      let half = x.size(dim) / 2
      let first = x.narrowed(dim, 0, half)
      let middle = x.narrowed(dim, half, x.size(dim) - 2 * half)
      return concatenated([first, middle, first.flipped(dim)], over: dim)
    }
    switch kind {
    case .none: return x
    case .horizontal: return mirrored(x, 3)
    case .vertical: return mirrored(x, 2)
    case .both: return mirrored(mirrored(x, 3), 2)
    }
  }
}
