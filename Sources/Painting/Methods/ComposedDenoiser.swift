import Diffusion
import Torch

/// A denoiser for pictures that are wider or higher than what its network was trained on, which would squeeze
/// what it draws into them. The square in the middle is denoised by itself, as the network knows pictures.
/// What lies around it goes on as the square ends at its edges while there is much noise, and is what the
/// network finds in the whole once only detail is left.
struct ComposedDenoiser: Denoiser {
  let base: any Denoiser
  /// Of the square, in places of `x`.
  let side: Int

  /// The time below which only detail is left.
  static let detail = 0.15

  func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
    guard level.sigma > 0 else { return try base(x, at: level) }
    let dim = x.size(2) > x.size(3) ? 2 : 3
    let (long, start) = (x.size(dim), (x.size(dim) - side) / 2)
    var found = try base(x.narrowed(dim, start, side), at: level)
    let around: (before: Tensor, behind: Tensor)
    if level.t > Self.detail {
      func repeated(_ place: Int, _ count: Int) -> Tensor {
        let edge = found.x0.narrowed(dim, place, 1)
        return concatenated(Array(repeating: edge, count: count), over: dim)
      }
      around = (repeated(0, start), repeated(side - 1, long - start - side))
    } else {
      let whole = try base(x, at: level).x0
      around = (
        whole.narrowed(dim, 0, start), whole.narrowed(dim, start + side, long - start - side)
      )
    }
    let sides = [around.before, found.x0, around.behind].filter { $0.size(dim) > 0 }
    found.x0 = concatenated(sides, over: dim)
    found.eps = (x - found.x0 * level.alpha) / level.sigma
    if found.v != nil { found.v = found.eps * level.alpha - found.x0 * level.sigma }
    return found
  }
}
