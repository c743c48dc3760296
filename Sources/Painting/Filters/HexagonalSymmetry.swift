import Torch

/// The wallpaper groups with three-fold axes. The picture is the rectangle of 1 to √3 (or √3 to 1) that
/// holds two periods; it is read into one period in lattice coordinates, where all motions are matrices
/// of whole numbers and take points of the grid to points exactly, and read back.
struct HexagonalSymmetry {
  /// Long side by short side.
  static let aspect = 3.0.squareRoot()

  /// A motion in lattice coordinates (u, v), along unit vectors at 60°, and how many of its powers count.
  private struct Motion {
    /// `(u, v)` to `(m[0] u + m[1] v, m[2] u + m[3] v)`.
    let m: [Int]
    let order: Int
  }

  private let motions: [Motion]

  /// Nil for groups without three-fold axes.
  init?(_ group: WallpaperGroup) {
    let third = Motion(m: [-1, -1, 1, 0], order: 3)
    let sixth = Motion(m: [0, -1, 1, 1], order: 6)
    // All three-fold axes lie on such mirrors; on those of p31m one of three does.
    let long = Motion(m: [0, 1, 1, 0], order: 2)
    let short = Motion(m: [1, 1, 0, -1], order: 2)
    switch group {
    case .p3: motions = [third]
    case .p3m1: motions = [third, long]
    case .p31m: motions = [third, short]
    case .p6: motions = [sixth]
    case .p6m: motions = [sixth, long]
    default: return nil
    }
  }

  /// - Parameter picture: `[1, C, H, W]`
  func callAsFunction(_ picture: Tensor) -> Tensor {
    guard picture.size(2) >= picture.size(3) else { return self(picture.transposed()).transposed() }
    let (height, width) = (picture.size(2), picture.size(3))
    let n = width
    let cell = averaged(period(of: picture, n))
    // Shares of the rectangle's sides at the pixels' centres.
    let s = centres(width).reshaped(1, width).expanded([height, width])
    let t = centres(height).reshaped(height, 1).expanded([height, width])
    return sampled(cell, x: (s - t) * Double(n), y: t * Double(2 * n))
  }

  /// The mean of both periods in the rectangle, in lattice coordinates, `[1, C, n, n]`.
  private func period(of picture: Tensor, _ n: Int) -> Tensor {
    let line = Tensor.arange(0..<n, .float32) / Double(n)
    let u = line.reshaped(1, n).expanded([n, n])
    let v = line.reshaped(n, 1).expanded([n, n])
    let (height, width) = (Double(picture.size(2)), Double(picture.size(3)))
    func read(_ shift: Double) -> Tensor {
      sampled(
        picture, x: (u + v / 2 + shift) * width - 0.5, y: (v / 2 + shift) * height - 0.5)
    }
    return (read(0) + read(0.5)) / 2
  }

  /// The mean over the group, of one period in lattice coordinates: columns are u, rows v.
  /// - Parameter cell: `[1, C, n, n]`
  func averaged(_ cell: Tensor) -> Tensor {
    let n = cell.size(3)
    var x = cell.reshaped(1, cell.size(1), n * n)
    for motion in motions {
      let source = Self.source(motion.m, n).to(cell.device)
      var powers = [x]
      for _ in 1..<motion.order { powers.append(powers[powers.count - 1].indexSelect(2, source)) }
      x = stacked(powers).mean(over: [0])
    }
    return x.reshaped(cell.shape)
  }

  /// Where each point of the grid goes, `[n n]`.
  private static func source(_ m: [Int], _ n: Int) -> Tensor {
    func wrapped(_ value: Int) -> Int { ((value % n) + n) % n }
    let indices = (0..<n * n).map { index in
      let (u, v) = (index % n, index / n)
      return wrapped(m[2] * u + m[3] * v) * n + wrapped(m[0] * u + m[1] * v)
    }
    return Tensor(indices, [n * n])
  }

  private func centres(_ count: Int) -> Tensor {
    (Tensor.arange(0..<count, .float32) + 0.5) / Double(count)
  }

  /// Reads a picture that goes on periodically, bilinearly, at pixel coordinates `[h, w]`.
  private func sampled(_ picture: Tensor, x: Tensor, y: Tensor) -> Tensor {
    let (height, width) = (picture.size(2), picture.size(3))
    func wrapped(_ position: Tensor, _ size: Int) -> Tensor {
      let shares = position / Double(size)
      return (shares - shares.floor()) * 2 - 1
    }
    let grid = stacked([wrapped(x, width), wrapped(y, height)], over: 2).unsqueezed(0)
    // One more column and row, so that the last are followed by the first.
    let wide = concatenated([picture, picture.narrowed(3, 0, 1)], over: 3)
    let whole = concatenated([wide, wide.narrowed(2, 0, 1)], over: 2)
    return whole.gridSampled(grid.to(picture.device), outside: .border, alignCorners: true)
  }
}
