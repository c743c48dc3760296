import Diffusion
import Torch

/// A filter that changes what a diffusion network finds, too, so that the picture has it from within and not
/// only to those who look at it.
protocol SampleFilter: Filter {
  /// The denoiser under this filter.
  /// - Parameter step: that chance derives from.
  func filtered(_ denoiser: any Denoiser, step: Int) -> any Denoiser
}

/// A denoiser that is shown what it denoises moved, what leaves at one end entering at the other: what lies
/// at the borders is then as much in the middle as the rest, and the picture becomes a tile.
struct MovedDenoiser: Denoiser {
  let base: any Denoiser
  /// By how much of the side along each dimension.
  let shares: [(dim: Int, share: Double)]

  init(base: any Denoiser, dims: [Int], _ stream: RandomStream) {
    self.base = base
    shares =
      dims.isEmpty
      ? []
      : Array(
        zip(dims, stream.uniform([dims.count]).floats().map(Double.init)).map { ($0, $1) })
  }

  func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
    func moved(_ x: Tensor, _ sign: Int) -> Tensor {
      shares.reduce(x) { x, move in
        x.rolled(sign * Int(move.share * Double(x.size(move.dim))), over: move.dim)
      }
    }
    var found = try base(moved(x, 1), at: level)
    (found.x0, found.eps) = (moved(found.x0, -1), moved(found.eps, -1))
    (found.v, found.variance) = (
      found.v.map { moved($0, -1) }, found.variance.map { moved($0, -1) }
    )
    return found
  }
}

/// A denoiser of which the picture that it finds is changed, and the noise with it.
struct ChangedDenoiser: Denoiser {
  let base: any Denoiser
  /// `[B, C, H, W]` to the same shape.
  let change: (Tensor) -> Tensor

  func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
    var found = try base(x, at: level)
    guard level.sigma > 0 else { return found }
    found.x0 = change(found.x0)
    found.eps = (x - found.x0 * level.alpha) / level.sigma
    if found.v != nil { found.v = found.eps * level.alpha - found.x0 * level.sigma }
    return found
  }
}

extension TilerFilter: SampleFilter {
  func filtered(_ denoiser: any Denoiser, step: Int) -> any Denoiser {
    MovedDenoiser(
      base: denoiser, dims: [2, 3], RandomStream(seed: seed, "tiler sample \(step)"))
  }
}

extension WallpaperFilter: SampleFilter {
  func filtered(_ denoiser: any Denoiser, step: Int) -> any Denoiser {
    let dims =
      switch repetition {
      case .both: [2, 3]
      case .horizontal: [3]
      case .vertical: [2]
      case .shift: [Int]()
      }
    let moved = MovedDenoiser(
      base: denoiser, dims: dims, RandomStream(seed: seed, "wallpaper sample \(step)"))
    let group = group
    return ChangedDenoiser(base: moved) { x in
      // Hexagons are read between the places, of which a latent has few; so are odd sides.
      guard group.lattice != .hexagonal else { return x }
      let symmetric = group.symmetrized(x)
      return symmetric.shape == x.shape ? symmetric : x
    }
  }
}
