import Foundation
import Torch

/// A projective map of the plane, by its 3 x 3 matrix in rows.
struct Homography: Equatable {
  var m: [Double]

  static let identity = Homography(m: [1, 0, 0, 0, 1, 0, 0, 0, 1])

  /// Scales by (`sx`, `sy`), then shifts by (`tx`, `ty`).
  static func scaling(_ sx: Double, _ sy: Double, shift tx: Double = 0, _ ty: Double = 0) -> Self {
    Homography(m: [sx, 0, tx, 0, sy, ty, 0, 0, 1])
  }

  /// Turns by `angle` and shears x by `shear` (radians), then shifts.
  static func turning(_ angle: Double, shear: Double, shift tx: Double, _ ty: Double) -> Self {
    let (c, s, k) = (cos(angle), sin(angle), tan(shear))
    return Homography(m: [c, c * k - s, tx, s, s * k + c, ty, 0, 0, 1])
  }

  /// The map that takes the corners (-1, -1), (1, -1), (1, 1), (-1, 1) to `corners` in this order
  /// (Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3).
  static func square(to corners: [(x: Double, y: Double)]) -> Self {
    let (p0, p1, p2, p3) = (corners[0], corners[1], corners[2], corners[3])
    let (dx1, dx2, sx) = (p1.x - p2.x, p3.x - p2.x, p0.x - p1.x + p2.x - p3.x)
    let (dy1, dy2, sy) = (p1.y - p2.y, p3.y - p2.y, p0.y - p1.y + p2.y - p3.y)
    let det = dx1 * dy2 - dx2 * dy1
    let g = (sx * dy2 - dx2 * sy) / det
    let h = (dx1 * sy - sx * dy1) / det
    let unit = Homography(m: [
      p1.x - p0.x + g * p1.x, p3.x - p0.x + h * p3.x, p0.x,
      p1.y - p0.y + g * p1.y, p3.y - p0.y + h * p3.y, p0.y,
      g, h, 1,
    ])
    return unit * .scaling(0.5, 0.5, shift: 0.5, 0.5)  // -1…1 to 0…1 first
  }

  /// `a * b` applies `b` first.
  static func * (a: Self, b: Self) -> Self {
    var product = [Double](repeating: 0, count: 9)
    for row in 0..<3 {
      for column in 0..<3 {
        product[3 * row + column] = (0..<3).reduce(0) {
          $0 + a.m[3 * row + $1] * b.m[3 * $1 + column]
        }
      }
    }
    return Homography(m: product)
  }

  /// The map back; up to a factor, which a projective map does not feel.
  var inverse: Self {
    func minor(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Double { m[a] * m[d] - m[b] * m[c] }
    return Homography(m: [
      minor(4, 5, 7, 8), -minor(1, 2, 7, 8), minor(1, 2, 4, 5),
      -minor(3, 5, 6, 8), minor(0, 2, 6, 8), -minor(0, 2, 3, 5),
      minor(3, 4, 6, 7), -minor(0, 1, 6, 7), minor(0, 1, 3, 4),
    ]).normalized
  }

  /// Scaled so that the last element is 1, which keeps the homogeneous coordinate positive in front.
  private var normalized: Self {
    let last = m[8]
    return abs(last) > 1e-12 ? Homography(m: m.map { $0 / last }) : self
  }

  /// Where a point goes.
  func callAsFunction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    let w = m[6] * x + m[7] * y + m[8]
    return ((m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w)
  }
}

// MARK: - The maps of augmentations

extension Homography {
  /// From a view's coordinates to those of the view that kornia's `RandomAffine` turns and shifts.
  ///
  /// kornia lays -1 and 1 on the middles of the outermost pixels when it makes the map and on their
  /// edges when it applies it, so that shifts come out longer by `side / (side - 1)`.
  /// - Parameters:
  ///   - degrees: the angle, clockwise on the screen.
  ///   - shear: of x, in degrees.
  ///   - shift: in pixels.
  ///   - scale: of both sides.
  ///   - width: of the picture in pixels; `height` likewise.
  static func affine(
    degrees: Double, shear: Double = 0, shift: (x: Double, y: Double), scale: Double = 1,
    width: Int, height: Int
  ) -> Self {
    let turn = turning(
      degrees * .pi / 180, shear: -shear * .pi / 180, shift: 2 * shift.x / Double(width - 1),
      2 * shift.y / Double(height - 1))
    return (turn * .scaling(scale, scale)).inverse
  }

  /// The same for kornia's `RandomPerspective`, which brings the corners inwards; it reads with
  /// pixels laid from corner to corner, that is from a frame larger by `side / (side - 1)`.
  /// - Parameter inwards: how far each corner goes, x and y, in pixels, clockwise from the upper left.
  static func perspective(inwards: [(x: Double, y: Double)], width: Int, height: Int) -> Self {
    let signs = [(x: 1.0, y: 1.0), (x: -1, y: 1), (x: -1, y: -1), (x: 1, y: -1)]
    let (w, h) = (Double(width), Double(height))
    let corners = zip(signs, inwards).map { sign, move in
      (x: sign.x * (2 * move.x / (w - 1) - 1), y: sign.y * (2 * move.y / (h - 1) - 1))
    }
    return square(to: corners).inverse * .scaling(w / (w - 1), h / (h - 1))
  }

  /// Where a box of whole pixels is read from corner to corner, kornia's `RandomResizedCrop`.
  /// - Parameter size: height and width of what is read, in pixels.
  static func crop(_ box: Box, of width: Int, _ height: Int, to size: Int) -> Self {
    let stretch = Double(size) / Double(size - 1)
    return .scaling(
      Double(box.width - 1) / Double(width) * stretch,
      Double(box.height - 1) / Double(height) * stretch,
      shift: Double(2 * box.x + box.width) / Double(width) - 1,
      Double(2 * box.y + box.height) / Double(height) - 1)
  }

  /// Pixels of a picture.
  struct Box: Equatable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int

    /// A random part of a picture as kornia's `RandomResizedCrop` finds it: the first of ten tries
    /// that fits, else as much as the proportions allow.
    /// - Parameters:
    ///   - area: its share of the picture.
    ///   - ratio: height by width.
    ///   - u: 22 uniform numbers: ten areas, ten proportions, the place.
    static func random(
      of width: Int, _ height: Int, area: ClosedRange<Double>, ratio: ClosedRange<Double>,
      _ u: [Double]
    ) -> Box {
      func between(_ range: ClosedRange<Double>, _ u: Double) -> Double {
        range.lowerBound + u * (range.upperBound - range.lowerBound)
      }
      let logs = Foundation.log(ratio.lowerBound)...Foundation.log(ratio.upperBound)
      var (w, h) = (0, 0)
      for attempt in 0..<10 {
        let pixels = between(area, u[attempt]) * Double(width * height)
        let proportion = exp(between(logs, u[10 + attempt]))
        h = Int((pixels * proportion).squareRoot().rounded(.toNearestOrEven))
        w = Int((pixels / proportion).squareRoot().rounded(.toNearestOrEven))
        if 0 < h, h < height, 0 < w, w < width { break }
        (w, h) = (0, 0)
      }
      if w == 0 {
        let least = ratio.lowerBound
        if Double(height) / Double(width) < least {
          (h, w) = (height, min(width, Int((Double(height) / least).rounded())))
        } else {
          (w, h) = (width, min(height, Int((Double(width) * least).rounded())))
        }
      }
      return Box(
        x: Int(u[20] * Double(width - w + 1)), y: Int(u[21] * Double(height - h + 1)), width: w,
        height: h)
    }
  }
}

// MARK: - Reading

extension Homography {
  /// Where every pixel of every view reads: `[B, size, size, 2]`.
  static func grid(_ maps: [Homography], _ size: Int) -> Tensor {
    noGrad {
      let n = size
      let centres = (Tensor.arange(0..<n, .float32) * 2 + 1) / Double(n) - 1
      let x = centres.reshaped(1, n, 1).expanded([n, n, 1])
      let y = centres.reshaped(n, 1, 1).expanded([n, n, 1])
      let points = concatenated([x, y, Tensor.ones([n, n, 1])], over: 2).reshaped(1, n * n, 3)
      let matrices = Tensor(maps.flatMap { $0.m.map(Float.init) }, [maps.count, 3, 3])
      let mapped = points.matmul(matrices.transposed())  // [B, n², 3]
      // Points behind the horizon lie far outside.
      let depth = mapped.narrowed(2, 2, 1).clamped(1e-3, .infinity)
      return (mapped.narrowed(2, 0, 2) / depth).clamped(-8, 8).reshaped(maps.count, n, n, 2)
    }
  }
}
