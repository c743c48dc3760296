/// The shapes of a pixel drawing's cells (as in pixray's `pixel` drawer).
enum CellShape: String, CaseIterable, Sendable {
  case rect
  case rectShift = "rect-shift"
  case hex, triangle, diamond, knit

  /// A corner of an outline, in pixels.
  struct Point: Equatable {
    var x: Double
    var y: Double

    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  /// The box of the grid in which a cell lies; its outline may reach out of it.
  struct Box: Equatable {
    var x1: Double
    var y1: Double
    var x2: Double
    var y2: Double

    /// Its own corners.
    var corners: [Point] { [Point(x1, y1), Point(x2, y1), Point(x2, y2), Point(x1, y2)] }
  }

  /// Whether the rows 0, 2, 4, … lie half a cell further right than the others and have one cell
  /// less.
  var isShifted: Bool { self == .rectShift || self == .hex || self == .diamond }

  /// How many more columns and rows than of squares make the cells as wide as high.
  var evenness: (columns: Double, rows: Double) {
    switch self {
    case .triangle: (1.414, 1)
    case .hex: (1, 1.414)
    case .diamond: (1, 2)
    case .rect, .rectShift, .knit: (1, 1)
    }
  }

  /// The outline of the cell of a box.
  func outline(_ box: Box, row: Int, column: Int) -> [Point] {
    let (x1, y1, x2, y2) = (box.x1, box.y1, box.x2, box.y2)
    let (w, h, xm, ym) = (x2 - x1, y2 - y1, (x1 + x2) / 2, (y1 + y2) / 2)
    switch self {
    case .rect, .rectShift:
      return box.corners
    case .diamond:
      return [Point(xm, y1 - h / 2), Point(x2, ym), Point(xm, y2 + h / 2), Point(x1, ym)]
    case .triangle:
      let (apex, base) = (row + column) % 2 == 0 ? (y1, y2) : (y2, y1)
      return [Point(xm, apex), Point(x1 - w / 2, base), Point(x2 + w / 2, base)]
    case .hex:
      return [
        Point(xm, y1 + 7 * h / 6), Point(x1, y1 + 5 * h / 6), Point(x1, y1 + h / 6),
        Point(xm, y1 - h / 6), Point(x2, y1 + h / 6), Point(x2, y1 + 5 * h / 6),
      ]
    case .knit:
      let (low, high, dent) = (y2 - 0.45 * h, y2 - 1.45 * h, 0.1 * w)
      return [
        Point(xm, y1 + 1.3 * h), Point(x2, low), Point(x2, high), Point(x2 - dent, high),
        Point(xm, y1 + 0.3 * h), Point(x1 + dent, high), Point(x1, high), Point(x1, low),
      ]
    }
  }
}
