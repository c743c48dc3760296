import Torch

/// How what is seen in one picture has moved to the next: each place of the next one, and how far from there it
/// was found before.
///
/// Lucas and Kanade's method, least squares over a window of what the gradient explains, from coarse pictures to
/// fine ones (Bouguet 2001). Even areas, where nothing is to be seen, move as their surroundings do.
struct OpticalFlow {
  /// Pixels from each place of the next picture to where it was, to the right and down, `[1, 2, H, W]`.
  let shifts: Tensor
  /// Where that explains the next picture, 1, and where something new is seen, 0, `[1, 1, H, W]`.
  let known: Tensor

  /// - Parameters:
  ///   - before: a picture, `[1, 3, H, W]` in 0…1.
  ///   - after: the next one, as large.
  init(from before: Tensor, to after: Tensor) {
    var levels = [(Self.gray(before), Self.gray(after))]
    while let (a, b) = levels.last, min(a.size(2), a.size(3)) >= 2 * Self.smallest {
      levels.append((a.averagePooled(2), b.averagePooled(2)))
    }
    var shifts = Tensor.zeros([1, 2, 1, 1], device: before.device)
    for (a, b) in levels.reversed() {
      let (height, width) = (a.size(2), a.size(3))
      let scale = Tensor(
        [Float(width) / Float(shifts.size(3)), Float(height) / Float(shifts.size(2))], [1, 2, 1, 1])
      shifts = shifts.resampled(height, width, .bilinear) * scale.to(before.device)
      for _ in 0..<Self.rounds { shifts = Self.improved(shifts, a, b) }
    }
    self.shifts = shifts
    let error = (Self.moved(before, by: shifts) - after).abs().mean(over: [1], keepDims: true)
    known = error.averagePooled(3, stride: 1, padding: 1).less(than: 0.1).to(.float32)
  }

  /// A picture before as it would look after, `[1, C, H, W]`.
  func callAsFunction(_ picture: Tensor) -> Tensor { Self.moved(picture, by: shifts) }

  /// Sides of the coarsest pictures, at least.
  private static let smallest = 16
  /// Steps at each size.
  private static let rounds = 6
  /// Half the sides of the windows.
  private static let reach = 3

  private static func gray(_ x: Tensor) -> Tensor { x.mean(over: [1], keepDims: true) }

  /// Shifts that explain `b` by `a` better, both `[1, 1, H, W]`.
  private static func improved(_ shifts: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    let seen = moved(a, by: shifts)
    let (dx, dy) = gradient((seen + b) / 2)
    let missing = b - seen
    func window(_ x: Tensor) -> Tensor {
      x.averagePooled(2 * reach + 1, stride: 1, padding: reach)
    }
    let (xx, xy, yy) = (window(dx * dx), window(dx * dy), window(dy * dy))
    let (xt, yt) = (window(dx * missing), window(dy * missing))
    // A little of the identity keeps even areas where they are.
    let noise = 1e-5
    let determinant = (xx + noise) * (yy + noise) - xy * xy
    let step =
      concatenated([(yy + noise) * xt - xy * yt, (xx + noise) * yt - xy * xt], over: 1)
      / determinant
    // Nothing is known beyond a pixel: that is what the coarser pictures are for.
    let found = shifts + step.clamped(-1, 1)
    let trust = determinant / (xx + yy + 2 * noise) + noise / 10
    return window(found * trust) / window(trust)
  }

  /// Differences of neighbors on both sides, to the right and down.
  private static func gradient(_ x: Tensor) -> (Tensor, Tensor) {
    let (height, width) = (x.size(2), x.size(3))
    let wide = x.padded([1, 1, 1, 1], .replicate)
    func at(_ row: Int, _ column: Int) -> Tensor {
      wide.narrowed(2, row, height).narrowed(3, column, width)
    }
    return ((at(1, 2) - at(1, 0)) / 2, (at(2, 1) - at(0, 1)) / 2)
  }

  private static func moved(_ x: Tensor, by shifts: Tensor) -> Tensor {
    let (height, width) = (x.size(2), x.size(3))
    let columns = Tensor.arange(0..<width, .float32).reshaped(1, 1, width).to(x.device)
    let rows = Tensor.arange(0..<height, .float32).reshaped(1, height, 1).to(x.device)
    func places(_ axis: Int, _ own: Tensor, _ count: Int) -> Tensor {
      ((shifts.narrowed(1, axis, 1).squeezed(1) + own) * 2 + 1) / Double(count) - 1  // [1, H, W]
    }
    let grid = stacked([places(0, columns, width), places(1, rows, height)], over: 3)
    return x.gridSampled(grid, .bilinear, outside: .border)
  }
}
