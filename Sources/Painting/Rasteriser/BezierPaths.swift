import Torch

/// How the control points of many paths make up cubic Bézier curves, and these polylines.
///
/// A path of n segments has the points p₀ … p₃ₙ, of which every third lies on it; a closed one of n
/// segments comes back to p₀ and has p₀ … p₃ₙ₋₁. All paths have a row of the same length in a tensor
/// of points; what a short path leaves over does nothing.
struct BezierPaths {
  /// How many segments each path has.
  let segments: [Int]
  /// Whether the paths come back to where they begin.
  let closed: Bool
  /// What a vertex takes of each point, by the path's number of segments, `[most, M, P]`.
  private let weights: Tensor
  /// Which of these a path has, `[S]`.
  private let choice: Tensor

  /// Pieces in which the longest path's segment is drawn: a curve of 50 pixels that turns by a right
  /// angle is missed by a twentieth of a pixel.
  private static let pieces = 12

  /// Paths of so many segments each.
  init(segments: [Int], closed: Bool = false) {
    self.segments = segments
    self.closed = closed
    let most = segments.max() ?? 1
    let points = Self.points(most, closed)
    let vertices = Self.pieces * most + (closed ? 0 : 1)
    let rows = (1...most).flatMap { count in
      (0..<vertices).flatMap { vertex in
        let along = Double(vertex * count) / Double(Self.pieces * most)
        let segment = min(Int(along), count - 1)
        let t = along - Double(segment)
        let s = 1 - t
        var row = [Float](repeating: 0, count: points)
        for (i, weight) in [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t].enumerated() {
          row[(3 * segment + i) % Self.points(count, closed)] += Float(weight)
        }
        return row
      }
    }
    weights = Tensor(rows, [most, vertices, points])
    choice = Tensor(segments.map { $0 - 1 }, [segments.count])
  }

  /// Points in a row.
  var pointCount: Int { weights.size(2) }

  /// How many points a path of so many segments has.
  static func points(_ segments: Int, _ closed: Bool) -> Int { 3 * segments + (closed ? 0 : 1) }

  /// Polylines along the paths.
  /// - Parameter points: `[S, P, 2]`
  /// - Returns: `[S, M, 2]`, with history; M is the same for all.
  func vertices(_ points: Tensor) -> Tensor {
    weights.to(points.dtype).indexSelect(0, choice).matmul(points)
  }

  /// Each path as SVG's path data.
  func svg(_ points: Tensor) -> [String] {
    let values = points.floats()
    return segments.indices.map { path in
      let count = Self.points(segments[path], closed)
      func point(_ i: Int) -> String {
        let at = 2 * (path * pointCount + i % count)
        return "\(SVG.number(values[at])) \(SVG.number(values[at + 1]))"
      }
      let curves = (0..<segments[path]).map { segment in
        "C" + (1...3).map { point(3 * segment + $0) }.joined(separator: " ")
      }
      return "M" + point(0) + curves.joined() + (closed ? "Z" : "")
    }
  }
}
