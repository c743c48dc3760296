import TestSupport
import Testing
import Torch

@testable import Painting

@Suite struct PixelDrawerTests {
  private func grid(_ shape: CellShape, _ width: Int = 96, _ height: Int = 96) -> CellGrid {
    CellGrid(shape, width: width, height: height)
  }

  @Test(
    "the standard grids",
    arguments: [
      (CellShape.rect, 400, 400, 40, 40), (.rect, 400, 500, 40, 50), (.rect, 800, 450, 80, 45),
      (.triangle, 400, 400, 57, 40), (.hex, 400, 400, 41, 57), (.diamond, 400, 400, 41, 81),
      (.rectShift, 400, 400, 41, 41), (.knit, 400, 400, 40, 40), (.rect, 32, 32, 32, 32),
      (.hex, 32, 32, 31, 31),
    ])
  func standards(shape: CellShape, width: Int, height: Int, columns: Int, rows: Int) {
    let grid = grid(shape, width, height)
    #expect([grid.columns, grid.rows] == [columns, rows])
  }

  @Test("sizes that were asked for are kept, and scaled")
  func asked() {
    func size(_ columns: Int?, _ rows: Int?, _ scale: Double = 1) -> [Int] {
      let grid = CellGrid(
        .rect, columns: columns, rows: rows, scale: scale, width: 320, height: 180)
      return [grid.columns, grid.rows]
    }
    #expect(size(16, 9) == [16, 9])
    #expect(size(16, nil) == [16, 9])
    #expect(size(nil, 9) == [16, 9])
    #expect(size(16, 12, 2) == [8, 6])
    #expect(size(1000, 1000) == [320, 180])
    #expect(size(nil, nil, 20) == [4, 2])
  }

  @Test("outlines are those of pixray's cells")
  func outlines() {
    typealias P = CellShape.Point
    let box = CellShape.Box(x1: 10, y1: 20, x2: 16, y2: 32)
    func corners(_ shape: CellShape, row: Int = 0) -> [P] {
      shape.outline(box, row: row, column: 0)
    }
    #expect(corners(.diamond) == [P(13, 14), P(16, 26), P(13, 38), P(10, 26)])
    #expect(corners(.triangle) == [P(13, 20), P(7, 32), P(19, 32)])
    #expect(corners(.triangle, row: 1) == [P(13, 32), P(7, 20), P(19, 20)])
    #expect(
      corners(.hex) == [P(13, 34), P(10, 30), P(10, 22), P(13, 18), P(16, 22), P(16, 30)])
    let knit = corners(.knit).flatMap { [$0.x, $0.y] }
    let expected = [
      13, 35.6, 16, 26.6, 16, 14.6, 15.4, 14.6, 13, 23.6, 10.6, 14.6, 10, 14.6, 10, 26.6,
    ]
    #expect(zip(knit, expected).allSatisfy { abs($0 - $1) < 1e-9 } && knit.count == 16)
  }

  @Test(
    "every sample belongs to a cell, and each inner cell of a tiling has an equal share",
    arguments: CellShape.allCases)
  func tiling(shape: CellShape) {
    let grid = CellGrid(shape, columns: 9, rows: 9, width: 180, height: 180)
    let map = grid.map(filled: true).ints()
    var shares = [Int](repeating: 0, count: grid.cells.count)
    for cell in map { shares[cell] += 1 }
    let middle = 25.0...155.0
    let inner = grid.cells.indices.filter { i in
      grid.cells[i].outline.allSatisfy { middle.contains($0.x) && middle.contains($0.y) }
    }
    #expect(inner.count > 10)
    let expected = 4 * 180 * 180 / Double(grid.columns * grid.rows)
    for i in inner {
      #expect(abs(Double(shares[i]) - expected) < 0.03 * expected, "cell \(i) has \(shares[i])")
    }
  }

  @Test("what no outline covers is clear where cells may be, else the nearest cell of the row")
  func uncovered() {
    let grid = CellGrid(.rectShift, columns: 3, rows: 3, width: 12, height: 12)
    // Rows of 2, 3 and 2 cells; the first row's begin half a cell in.
    #expect(grid.cells.count == 7)
    #expect(grid.map(filled: true).ints()[0] == 0)
    #expect(grid.map(filled: false).ints()[0] == 7)
    #expect(grid.map(filled: false).ints()[12 * 4] == 2)
  }

  @Test("squares that divide the picture are an enlargement")
  func squares() throws {
    let drawer = PixelDrawer(
      Method.pixel.context(["columns": .integer(4), "rows": .integer(3)], width: 16, height: 12))
    let small = RandomStream(seed: 1, "small").uniform([1, 3, 3, 4])
    let large = small.resampled(12, 16, .nearest)
    #expect(drawer.begin(from: large))
    expectClose(drawer.render(nil), large, atol: 1e-6)
  }

  @Test("the gradient of a colour is its cell's share of the pixels")
  func gradients() throws {
    for shape in CellShape.allCases {
      let drawer = PixelDrawer(
        Method.pixel.context(
          ["shape": .string(shape.rawValue), "columns": .integer(5), "rows": .integer(5)],
          width: 31, height: 29))
      let weights = RandomStream(seed: 2, "weights").normal([1, 3, 29, 31])
      let colors = drawer.parameters[0]
      let slope = gradient(of: (drawer.render(nil) * weights).sum(), at: [colors])[0]
      let direction = RandomStream(seed: 3, "direction").normal(colors.shape)
      // Drawing is linear: a whole step is as good as a small one.
      let before = drawer.render(nil).detached()
      noGrad { colors.assign(colors + direction) }
      let expected = ((drawer.render(nil).detached() - before) * weights).sum().item()
      let found = (slope * direction).sum().item()
      #expect(abs(found - expected) < 1e-4 * abs(expected) + 1e-3, "\(shape)")
    }
  }

  @Test("cells of every shape learn to paint a red disc", arguments: CellShape.allCases)
  func disc(shape: CellShape) throws {
    let drawer = PixelDrawer(Method.pixel.context(["shape": .string(shape.rawValue)]))
    let (first, last) = fitting(drawer, to: redDisc(64), steps: 100, rate: 0.03)
    #expect(last < 0.2 * first, "from \(first) to \(last)")
  }

  @Test(
    "transparent cells lie over another grey each time, over white when looked at, or over none")
  func transparent() throws {
    let drawer = PixelDrawer(
      Method.pixel.context(
        ["shape": .string("diamond"), "transparent": .bool(true)], width: 32, height: 32))
    let count = drawer.colors.size(0)
    drawer.colors.assign(Tensor([1, 0, 0, 0.5]).expanded([count, 4]))
    func center(_ x: Tensor) -> [Float] { x.narrowed(2, 16, 1).narrowed(3, 16, 1).floats() }
    func close(_ a: [Float], _ b: [Float]) -> Bool {
      a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 }
    }
    #expect(close(center(drawer.render(nil)), [1, 0.5, 0.5]))
    let greys = (0..<3).map { center(drawer.render($0)) }
    #expect(greys[0] == center(drawer.render(0)))
    #expect(Set(greys).count == 3)
    for grey in greys { #expect(abs(grey[0] - 0.5 - grey[1]) < 1e-6 && grey[1] == grey[2]) }
    let clear = try #require(drawer.transparentPicture())
    #expect(close(center(clear), [1, 0, 0, 0.5]))
    #expect(PixelDrawer(Method.pixel.context()).transparentPicture() == nil)
  }

  @Test("SVG holds the cells, over a ground where their outlines leave some out")
  func vectors() throws {
    func svg(_ shape: String) throws -> [Substring] {
      let drawer = PixelDrawer(
        Method.pixel.context(
          ["shape": .string(shape), "columns": .integer(3), "rows": .integer(3)], width: 24,
          height: 24))
      drawer.colors.assign(.zeros(drawer.colors.shape))
      return drawer.svg().split(separator: "\n")
    }
    let squares = try svg("rect")
    #expect(squares.count == 13)
    #expect(squares[2] == "<polygon points=\"0,0 8,0 8,8 0,8\" fill=\"#000000\"/>")
    #expect(try svg("rect-shift").count == 4 + 14)
  }
}
