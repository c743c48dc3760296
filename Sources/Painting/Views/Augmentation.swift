import Foundation

/// What may be done to the views of a picture before CLIP sees them, so that it judges the picture
/// and not one exact arrangement of pixels.
public enum Augmentation: String, Sendable, Hashable, CaseIterable, Codable {
  /// Turned, shifted and sheared a little.
  case affine
  /// Seen from the side.
  case perspective
  /// Brightness, contrast, saturation and hue changed.
  case jitter
  /// A rectangle blacked out.
  case erasing
  /// Noise added.
  case noise
}

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

extension Augmentation {
  /// Every augmentation's name.
  public static var words: [String] { allCases.map(\.rawValue) }
}
