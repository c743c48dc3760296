/// Pictures with captions in a grid, for looking at many results at once; with labels on top and at
/// the left it shows what two parameters do.
public struct ContactSheet: Sendable {
  /// One picture and what stands below it.
  public struct Cell: Sendable {
    /// The picture, of any size.
    public var picture: Picture
    /// One or two lines; longer captions are cut.
    public var caption: String

    /// Makes a cell.
    public init(_ picture: Picture, caption: String = "") {
      self.picture = picture
      self.caption = caption
    }
  }

  /// The cells, row by row.
  public var cells: [Cell]
  /// Cells in a row.
  public var columns: Int
  /// What stands above the columns, from the left; empty for no such line.
  public var columnLabels: [String]
  /// What stands at the left of the rows, from the top; empty for no such column.
  public var rowLabels: [String]
  /// Width and height of a picture on the sheet, in pixels.
  public var cellSize: Int
  /// Pixels between cells and around the sheet.
  public var gap: Int
  /// Font size of captions in pixels per em.
  public var captionSize: Int
  /// Colour of the sheet.
  public var ground: Color
  /// Colour of captions.
  public var ink: Color

  /// Makes a sheet; without `columns` it becomes about as wide as high.
  public init(
    _ cells: [Cell], columns: Int? = nil, columnLabels: [String] = [], rowLabels: [String] = [],
    cellSize: Int = 128, gap: Int = 8, captionSize: Int = 11, ground: Color = .white,
    ink: Color = .black
  ) {
    self.cells = cells
    self.columns = columns ?? max(1, Int(Double(cells.count).squareRoot().rounded(.up)))
    self.columnLabels = columnLabels
    self.rowLabels = rowLabels
    self.cellSize = cellSize
    self.gap = gap
    self.captionSize = captionSize
    self.ground = ground
    self.ink = ink
  }

  /// Draws the sheet. Small pictures are enlarged by whole pixels, large ones shrunk with Lanczos.
  ///
  /// - Parameter font: The font of captions and labels; without one there are none.
  ///
  /// Throws `ImagingError.badSize` when there are no cells or the sizes are not positive.
  public func render(font: Font? = Font.label()) throws -> Picture {
    guard !cells.isEmpty, columns > 0, cellSize > 0, cellSize <= 4096, (0...1024).contains(gap)
    else {
      throw ImagingError.badSize(
        "a sheet of \(cells.count) cells of \(cellSize) pixels in \(columns) columns")
    }
    let columns = min(columns, cells.count)
    let captions = cells.map { cell in
      font.map { lines(of: cell.caption, font: $0) } ?? []
    }
    let lineHeight = font?.lineHeight(size: captionSize) ?? 0
    let rows = (cells.count + columns - 1) / columns
    let captionHeights = (0..<rows).map { row in
      let part = captions[(row * columns)..<min((row + 1) * columns, cells.count)]
      return (part.map(\.count).max() ?? 0) * lineHeight
    }
    let header = columnLabels.prefix(columns).map { label in
      font.map { lines(of: label, font: $0) } ?? []
    }
    // There is room for a word at the left of small cells.
    let labels = rowLabels.prefix(rows).map { label in
      font.map { lines(of: label, font: $0, width: max(cellSize, 10 * captionSize)) } ?? []
    }
    let (top, left) = (
      (header.map(\.count).max() ?? 0) * lineHeight,
      labels.joined().compactMap { font?.width(of: $0, size: captionSize) }.max().map { $0 + gap }
        ?? 0
    )
    var sheet = try Picture(
      width: left + columns * (cellSize + gap) + gap,
      height: top + rows * (cellSize + gap) + gap + captionHeights.reduce(0, +), color: ground)
    func write(_ lines: [String], x: Int, y: Int) {
      for (line, text) in lines.enumerated() {
        font?.draw(
          text, size: captionSize, color: ink, onto: &sheet, x: x, y: y + line * lineHeight)
      }
    }
    for (column, lines) in header.enumerated() {
      write(
        lines, x: left + gap + column * (cellSize + gap),
        y: gap / 2 + top - lines.count * lineHeight)
    }
    var y = top + gap
    for row in 0..<rows {
      if row < labels.count {
        write(labels[row], x: gap, y: y + (cellSize - labels[row].count * lineHeight) / 2)
      }
      for column in 0..<columns {
        let index = row * columns + column
        guard index < cells.count else { break }
        let x = left + gap + column * (cellSize + gap)
        let picture = try scaled(cells[index].picture)
        sheet.draw(
          picture, x: x + (cellSize - picture.width) / 2, y: y + (cellSize - picture.height) / 2)
        write(captions[index], x: x, y: y + cellSize)
      }
      y += cellSize + gap + captionHeights[row]
    }
    return sheet
  }

  private func scaled(_ picture: Picture) throws -> Picture {
    let longest = max(picture.width, picture.height)
    guard longest > cellSize else {
      let factor = cellSize / longest
      return try picture.resized(
        width: picture.width * factor, height: picture.height * factor, filter: .nearest)
    }
    return try picture.resized(
      width: max(1, picture.width * cellSize / longest),
      height: max(1, picture.height * cellSize / longest))
  }

  /// A caption or label broken at spaces into at most two lines of a width, which is the cell's if left
  /// out.
  private func lines(of caption: String, font: Font, width: Int? = nil) -> [String] {
    let width = width ?? cellSize
    var lines: [String] = []
    for word in caption.prefix(400).split(whereSeparator: \.isWhitespace) {
      if let last = lines.last, font.width(of: "\(last) \(word)", size: captionSize) <= width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else if lines.count < 2 {
        lines.append(String(word))
      } else {
        lines[1] += " \(word)"
        break
      }
    }
    return lines.map { line in
      guard font.width(of: line, size: captionSize) > width else { return line }
      var short = line
      while !short.isEmpty, font.width(of: short + "…", size: captionSize) > width {
        short.removeLast()
      }
      return short + "…"
    }
  }
}
