import Torch

/// Cells of one shape in rows over a canvas, and which of them each part of a pixel shows.
struct CellGrid {
  /// A cell, in the order of painting: from left to right, then downwards.
  struct Cell {
    let box: CellShape.Box
    let outline: [CellShape.Point]
  }

  let shape: CellShape
  let columns: Int
  let rows: Int
  let width: Int
  let height: Int
  let cells: [Cell]
  /// Boxes under the cells, up to the canvas's edges, so that what no outline covers belongs to the
  /// nearest cell of its row.
  let grounds: [CellShape.Box]

  /// A grid.
  /// - Parameters:
  ///   - columns: at least 2; nil for as many as suit the canvas (40, on a wide one 80) or the rows.
  ///   - rows: likewise (40, on a high canvas 50, on a wide one 45).
  ///   - scale: how much larger the cells become than these numbers say.
  ///   - width: of the canvas in pixels.
  ///   - height: likewise.
  init(
    _ shape: CellShape, columns: Int? = nil, rows: Int? = nil, scale: Double = 1, width: Int,
    height: Int
  ) {
    let (across, down) = Self.standard(shape, width, height)
    let asked: (columns: Double, rows: Double) =
      switch (columns, rows) {
      case (nil, nil): (across, down)
      case (let columns?, nil): (Double(columns), Double(columns) * down / across)
      case (nil, let rows?): (Double(rows) * across / down, Double(rows))
      case (let columns?, let rows?): (Double(columns), Double(rows))
      }
    let (columnsOdd, rowsOdd): (Bool?, Bool?) =
      shape.isShifted ? (true, true) : shape == .triangle ? (true, false) : (nil, nil)
    self.init(
      shape, exactly: Self.count(asked.columns / scale, width, odd: columnsOdd),
      Self.count(asked.rows / scale, height, odd: rowsOdd), width, height)
  }

  private init(_ shape: CellShape, exactly columns: Int, _ rows: Int, _ width: Int, _ height: Int) {
    (self.shape, self.columns, self.rows) = (shape, columns, rows)
    (self.width, self.height) = (width, height)
    let (w, h) = (Double(width) / Double(columns), Double(height) / Double(rows))
    var cells: [Cell] = []
    var grounds: [CellShape.Box] = []
    for row in 0..<rows {
      let shifts = shape.isShifted && row % 2 == 0
      let (count, offset) = shifts ? (columns - 1, 0.5) : (columns, 0)
      for column in 0..<count {
        let box = CellShape.Box(
          x1: (Double(column) + offset) * w, y1: Double(row) * h,
          x2: (Double(column + 1) + offset) * w, y2: Double(row + 1) * h)
        cells.append(Cell(box: box, outline: shape.outline(box, row: row, column: column)))
        var ground = box
        if column == 0 { ground.x1 = 0 }
        if column == count - 1 { ground.x2 = Double(width) }
        grounds.append(ground)
      }
    }
    self.cells = cells
    self.grounds = grounds
  }

  /// Columns and rows by the canvas's proportions.
  private static func standard(_ shape: CellShape, _ width: Int, _ height: Int) -> (Double, Double)
  {
    let (columns, rows) = width == height ? (40.0, 40.0) : width < height ? (40, 50) : (80, 45)
    return (columns * shape.evenness.columns, rows * shape.evenness.rows)
  }

  /// A whole number of cells, at least two and each of at least a pixel. Odd or even where the shape
  /// needs it to look the same at opposite edges.
  private static func count(_ asked: Double, _ pixels: Int, odd: Bool?) -> Int {
    let count = min(max(Int(asked), 2), pixels)
    guard let odd, (count % 2 == 1) != odd else { return count }
    return count < pixels ? count + 1 : count - 1
  }

  /// Which cell each of a pixel's 2 x 2 samples shows, the last one painted, `[4, H * W]`.
  /// - Parameter filled: whether a sample outside all outlines shows the nearest cell of its row;
  ///   otherwise it gets the number of cells.
  func map(filled: Bool) -> Tensor {
    var map = [Int](repeating: cells.count, count: 4 * width * height)
    if filled { for (i, ground) in grounds.enumerated() { paint(ground.corners, i, on: &map) } }
    for (i, cell) in cells.enumerated() { paint(cell.outline, i, on: &map) }
    return Tensor(map, [4, width * height])
  }

  /// Fills an outline by the even-odd rule, row of samples by row.
  private func paint(_ outline: [CellShape.Point], _ value: Int, on map: inout [Int]) {
    func samples(_ from: Double, _ to: Double, _ pixels: Int) -> Range<Int> {
      // Sample i lies at (i + ½) / 2.
      let low = min(max(Int((2 * from - 0.5).rounded(.up)), 0), 2 * pixels)
      return low..<max(min(Int((2 * to - 0.5).rounded(.up)), 2 * pixels), low)
    }
    let ends = zip(outline, outline.dropFirst() + outline.prefix(1))
    let heights = outline.map(\.y)
    for row in samples(heights.min() ?? 0, heights.max() ?? 0, height) {
      let y = (Double(row) + 0.5) / 2
      let crossings = ends.compactMap { a, b in
        (a.y <= y) == (b.y <= y) ? nil : a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)
      }.sorted()
      for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
        for column in samples(crossings[pair], crossings[pair + 1], width) {
          let sample = row % 2 * 2 + column % 2
          map[(sample * height + row / 2) * width + column / 2] = value
        }
      }
    }
  }
}
