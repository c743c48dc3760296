import Foundation
import Torch

/// Changes of views that are no projective map, with kornia's meanings (0.5.4).
enum Distortion {
  /// Between a blurred view and itself: a factor of 0 blurs fully, 1 changes nothing, more sharpens.
  /// The outermost pixels stay.
  /// - Parameters:
  ///   - x: `[B, C, H, W]`.
  ///   - factors: one for each view.
  static func sharpened(_ x: Tensor, _ factors: [Double]) -> Tensor {
    let (channels, height, width) = (x.size(1), x.size(2), x.size(3))
    guard height > 2, width > 2 else { return x }
    let kernel = Tensor([1, 1, 1, 1, 5, 1, 1, 1, 1] as [Float], [1, 1, 3, 3]) / 13
    let blurred = x.conv2d(
      kernel.expanded([channels, 1, 3, 3]).contiguous().to(x.device), groups: channels
    ).clamped(0, 1)
    let inside = Tensor.ones([1, 1, height - 2, width - 2]).padded([1, 1, 1, 1])
    let soft = inside.to(x.device).atLeast(0.5).choose(blurred.padded([1, 1, 1, 1]), x)
    let factor = Tensor(factors.map(Float.init), [factors.count, 1, 1, 1]).to(x.device)
    let mixed = soft + (x - soft) * factor
    return factors.map { $0 > 1 }.mask(on: x.device).choose(mixed.clamped(0, 1), mixed)
  }

  /// Read at places that a smooth random field moves (Simard et al. 2003).
  /// - Parameters:
  ///   - x: `[B, C, n, n]`.
  ///   - field: `[B, 2, n, n]` in -1…1, x first; a Gaussian of 32 pixels over 63 makes it smooth.
  ///   - strength: multiplies the field, whose unit is half the side.
  static func elastic(_ x: Tensor, _ field: Tensor, strength: Double = 1) -> Tensor {
    let (reach, sigma) = (31, 32.0)
    let gauss = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = gauss.reduce(0, +)
    let weight = Tensor(gauss.map { Float($0 / sum) })
    let n = x.size(-1)
    let grid = noGrad {
      let move = field.reshaped(-1, 1, n, n).padded([reach, reach, reach, reach])
        .conv2d(weight.reshaped(1, 1, 1, -1)).conv2d(weight.reshaped(1, 1, -1, 1))
        .reshaped(-1, 2, n, n).permuted(0, 2, 3, 1)  // [B, n, n, 2]
      return (corners(n) + move * strength).clamped(-1, 1)
    }
    return x.gridSampled(grid.to(x.device))
  }

  /// Read where a thin plate lies that passes through given points (Bookstein 1989).
  /// - Parameters:
  ///   - x: `[B, C, n, n]`.
  ///   - from: the points of each view, -1…1.
  ///   - to: where each of them reads; the same number.
  static func thinPlate(_ x: Tensor, from: [[Point]], to: [[Point]]) -> Tensor {
    let n = x.size(-1)
    let grid = noGrad {
      var weights: [Float] = []
      for (from, to) in zip(from, to) { weights += plate(from, to).map(Float.init) }
      let count = to.first?.count ?? 0
      let solved = Tensor(weights, [to.count, count + 3, 2])  // [B, K + 3, 2]
      let points = corners(n).reshaped(1, n * n, 2)
      let centres = Tensor(to.flatMap { $0.flatMap { [Float($0.x), Float($0.y)] } })
        .reshaped(to.count, 1, count, 2)
      let squared = (points.unsqueezed(2) - centres).square().sum(over: [3])  // [B, n², K]
      let affine = concatenated([Tensor.ones([1, n * n, 1]), points], over: 2)
        .expanded([to.count, n * n, 3])
      let basis = concatenated([squared * (squared + 1e-8).log() * 0.5, affine], over: 2)
      return basis.matmul(solved).reshaped(to.count, n, n, 2)
    }
    return x.gridSampled(grid.to(x.device))
  }

  /// A point of a view, -1…1.
  struct Point: Equatable {
    var x: Double
    var y: Double
  }

  /// The thin plate's weights at the centres `to`, then its affine part, as rows of x and y. As in
  /// kornia, the kernel stands at the points read, and the side condition holds at the others.
  private static func plate(_ from: [Point], _ to: [Point]) -> [Double] {
    let k = from.count
    var rows = [[Double]](repeating: [Double](repeating: 0, count: k + 5), count: k + 3)
    for (i, p) in from.enumerated() {
      for (j, q) in to.enumerated() {
        let squared = (p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y)
        rows[i][j] = 0.5 * squared * log(squared + 1e-8)
      }
      for (j, value) in [1, p.x, p.y].enumerated() {
        rows[i][k + j] = value
        rows[k + j][i] = value
      }
      (rows[i][k + 3], rows[i][k + 4]) = (to[i].x, to[i].y)
    }
    // Points on one line bend nothing.
    let flat = [Double](repeating: 0, count: 2 * k) + [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    return solved(&rows) ?? flat
  }

  /// Gauss's elimination with pivots; the last two columns are the right sides.
  private static func solved(_ rows: inout [[Double]]) -> [Double]? {
    let n = rows.count
    for column in 0..<n {
      let pivot = (column..<n).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
      guard abs(rows[pivot][column]) > 1e-9 else { return nil }
      rows.swapAt(column, pivot)
      for row in 0..<n where row != column {
        let factor = rows[row][column] / rows[column][column]
        for index in column..<(n + 2) { rows[row][index] -= factor * rows[column][index] }
      }
    }
    var solution: [Double] = []
    for (index, row) in rows.enumerated() {
      solution += [row[n] / row[index], row[n + 1] / row[index]]
    }
    return solution
  }

  /// Coordinates from -1 to 1 at the middles of the outermost pixels: `[1, n, n, 2]`.
  private static func corners(_ n: Int) -> Tensor {
    let line = Tensor.arange(0..<n, .float32) * (2 / Double(max(1, n - 1))) - 1
    let x = line.reshaped(1, n, 1).expanded([n, n, 1])
    return concatenated([x, x.transposed(0, 1)], over: 2).unsqueezed(0)
  }

  /// A mask `[1, 1, size, size]` with one rectangle of zeros, kornia's `RandomErasing` with scale
  /// (0.1, 0.4) and ratio (0.3, 3.3), or nil.
  /// - Parameters:
  ///   - share: how often there is one.
  ///   - strength: multiplies the area.
  ///   - u: six uniform numbers.
  static func hole(_ size: Int, share: Double, strength: Double = 1, _ u: [Double]) -> Tensor? {
    guard u[0] < share else { return nil }
    let area = min(1, (0.1 + 0.3 * u[1]) * strength) * Double(size * size)
    let aspect = u[2] < 0.5 ? 0.3 + 0.7 * u[3] : 1 + (1 / 0.3 - 1) * u[3]
    let height = min(size, max(1, Int((area * aspect).squareRoot().rounded())))
    let width = min(size, max(1, Int((area / aspect).squareRoot().rounded())))
    let top = Int(u[4] * Double(size - height + 1))
    let left = Int(u[5] * Double(size - width + 1))
    return Tensor.zeros([1, 1, height, width]).padded(
      [left, size - left - width, top, size - top - height], .constant, value: 1)
  }

  /// The brightness in all channels: `[B, 3, H, W]` to the same (Rec. 601 weights).
  static func gray(_ x: Tensor) -> Tensor {
    let weights = Tensor([0.299, 0.587, 0.114] as [Float], [1, 3, 1, 1]).to(x.device)
    return (x * weights).sum(over: [1], keepDims: true).expanded(x.shape)
  }
}
