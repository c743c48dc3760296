import Foundation
import Imaging
import Testing
import Torch

@testable import Painting

/// How far each pixel's centre lies from that of the picture, in row-major order.
private func distances(_ size: Int) -> [Double] {
  let middle = Double(size) / 2
  return (0..<(size * size)).map { i in
    let x = Double(i % size) + 0.5 - middle
    let y = Double(i / size) + 0.5 - middle
    return (x * x + y * y).squareRoot()
  }
}

/// A red disc on white, `[1, 3, size, size]`, with a soft edge.
func redDisc(_ size: Int) -> Tensor {
  let radius = Double(size) * 0.3
  let cover = distances(size).map { Float(min(max(radius - $0 + 0.5, 0), 1)) }
  let plane = Tensor(cover, [1, 1, size, size])
  return concatenated([1 - plane * 0.1, 1 - plane * 0.9, 1 - plane * 0.9], over: 1)
}

/// What Adam brings the mean square error to, from first to last.
func fitting(
  _ drawer: any Drawer, to target: Tensor, steps: Int, rate: Double
) -> (first: Double, last: Double) {
  let optimisers = drawer.parameters.map { AdamW([$0]) }
  var losses: [Double] = []
  for step in 0...steps {
    let loss = (drawer.render(step) - target).square().mean()
    losses.append(loss.item())
    let slopes = gradient(of: loss, at: drawer.parameters)
    for (i, optimiser) in optimisers.enumerated() {
      optimiser.step([slopes[i]], rate: rate * drawer.rates[i])
    }
    drawer.project()
  }
  return (losses[0], losses[steps])
}

@Suite struct StrokeDrawerTests {
  @Test("a straight Bézier curve is a line, and its vertices are even")
  func straight() {
    let points = Tensor([0.0, 0, 1, 2, 2, 4, 3, 6], [1, 4, 2])
    let vertices = BezierPaths(segments: [1]).vertices(points).floats()
    #expect(vertices.count == 26)
    for i in 0...12 { #expect(abs(vertices[2 * i] - Float(i) / 4) < 1e-6) }
  }

  @Test("short and long paths go through the points of their own, closed ones back to the first")
  func paths() {
    let points = RandomStream(seed: 1, "points").uniform([2, 7, 2])
    let open = BezierPaths(segments: [1, 2])
    #expect(open.pointCount == 7)
    let vertices = open.vertices(points)
    #expect(vertices.shape == [2, 25, 2])
    func at(_ x: Tensor, _ i: Int, _ j: Int) -> [Float] { x.select(0, i).select(0, j).floats() }
    func close(_ a: [Float], _ b: [Float]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 } }
    #expect(close(at(vertices, 0, 24), at(points, 0, 3)))
    #expect(close(at(vertices, 1, 12), at(points, 1, 3)))
    #expect(close(at(vertices, 1, 24), at(points, 1, 6)))

    let closed = BezierPaths(segments: [2], closed: true)
    #expect(closed.pointCount == 6)
    let ring = closed.vertices(points.narrowed(0, 0, 1).narrowed(1, 0, 6))
    #expect(ring.shape == [1, 24, 2])
    #expect(close(at(ring, 0, 0), at(points, 0, 0)) && close(at(ring, 0, 12), at(points, 0, 3)))
    // Half way through the second curve: (p₃ + 3 p₄ + 3 p₅ + p₀) / 8.
    let p = (0..<6).map { at(points, 0, $0) }
    let middle = (0..<2).map { i -> Float in
      let ends = p[3][i] + p[0][i]
      let handles = p[4][i] + p[5][i]
      return (ends + 3 * handles) / 8
    }
    #expect(close(at(ring, 0, 18), middle))
  }

  @Test(
    "painted strokes and filled shapes learn to paint a red disc",
    arguments: [false, true])
  func disc(closed: Bool) throws {
    let drawer = try ClipDrawDrawer(
      Method.clipDraw.context(["strokes": .integer(96), "closed": .bool(closed)]))
    let (first, last) = fitting(drawer, to: redDisc(64), steps: 100, rate: 1)
    #expect(last < 0.2 * first, "from \(first) to \(last)")
  }

  @Test("lines learn to draw a ring")
  func ring() throws {
    let drawer = try LineDrawer(Method.line.context(["paper": .string("white")]))
    let size = 64
    let ink = distances(size).map { Float(min(max(abs($0 - 20) - 1, 0), 1)) }
    let target = Tensor(ink, [1, 1, size, size]).expanded([1, 3, size, size])
    let (first, last) = fitting(drawer, to: target, steps: 100, rate: 1)
    #expect(last < 0.4 * first, "from \(first) to \(last)")
  }

  @Test("strokes that begin from a picture resemble it more than others do")
  func begins() throws {
    let target = redDisc(64)
    func error(_ initial: Tensor?) throws -> Double {
      let drawer = try ClipDrawDrawer(Method.clipDraw.context(initial: initial))
      return (drawer.render(nil).detached() - target).square().mean().item()
    }
    let (without, with) = (try error(nil), try error(target))
    #expect(with < 0.4 * without, "\(with), without \(without)")
    // One stroke leaves nothing for the detail.
    _ = try ClipDrawDrawer(Method.clipDraw.context(["strokes": .integer(1)], initial: target))
  }

  @Test("widths stay between their limits and colours in their range")
  func limits() throws {
    let drawer = try ClipDrawDrawer(
      Method.clipDraw.context(
        ["strokes": .integer(7), "maxWidth": .number(5)], width: 80, height: 200))
    drawer.strokes.widths.assign(.full([7], 99))
    drawer.strokes.colors.assign(.full([7, 4], -1))
    drawer.project()
    #expect(drawer.strokes.widths.floats().allSatisfy { $0 == 10 })
    #expect(drawer.strokes.colors.floats().allSatisfy { $0 == 0 })
    let line = try LineDrawer(Method.line.context())
    line.strokes.widths.assign(.zeros([24]))
    line.project()
    #expect(line.strokes.widths.floats().allSatisfy { $0 == 1 })
  }

  @Test("the same seed gives the same strokes, another one others; every parameter has a rate")
  func seeds() throws {
    func drawers(_ seed: UInt64) throws -> [any Drawer] {
      [
        try ClipDrawDrawer(Method.clipDraw.context(seed: seed)),
        try LineDrawer(Method.line.context(seed: seed)),
      ]
    }
    let (once, again, other) = (try drawers(1), try drawers(1), try drawers(2))
    for index in once.indices {
      let picture = once[index].render(nil).floats()
      #expect(picture == again[index].render(nil).floats())
      #expect(picture != other[index].render(nil).floats())
      #expect(once[index].rates.count == once[index].parameters.count)
    }
  }

  @Test("ink and paper change where they may, and ink stays opaque")
  func inkAndPaper() throws {
    for (paper, ink) in [(false, false), (true, false), (false, true), (true, true)] {
      let drawer = try LineDrawer(
        Method.line.context([
          "paperChanges": .bool(paper), "inkChanges": .bool(ink), "paper": .string("white"),
        ]))
      let count = 2 + [paper, ink].count { $0 }
      #expect(drawer.parameters.count == count && drawer.rates.count == count)
      _ = fitting(drawer, to: redDisc(64), steps: 5, rate: 1)
      #expect((drawer.strokes.paper.floats() != [1, 1, 1]) == paper)
      let colors = drawer.strokes.colors
      #expect((colors.narrowed(1, 0, 3).amax().item() > 0) == ink)
      #expect(colors.narrowed(1, 3, 1).floats().allSatisfy { $0 == 1 })
      #expect(drawer.begin(from: redDisc(64)))
      #expect((colors.narrowed(1, 0, 1).amax().item() > 0.5) == ink)
    }
  }

  @Test("limits in the wrong order and unknown colours are named")
  func refusals() {
    #expect(throws: RequestError.self) {
      try ClipDrawDrawer(Method.clipDraw.context(["minWidth": .number(16)]))
    }
    #expect(throws: RequestError.self) {
      try LineDrawer(Method.line.context(["paper": .string("plaid")]))
    }
  }

  @Test("SVG holds the same strokes")
  func vectors() throws {
    let drawer = try ClipDrawDrawer(
      Method.clipDraw.context(
        ["strokes": .integer(1), "segments": .integer(1), "paper": .string("#102030")], width: 30,
        height: 20))
    drawer.strokes.points.assign(Tensor([1, 2, 3.5, 4, -5, 6.25, 7, 8], [1, 4, 2]))
    drawer.strokes.widths.assign(.full([1], 1))
    drawer.strokes.colors.assign(Tensor([1, 0, 0.5, 0.5], [1, 4]))
    let expected = """
      <svg xmlns="http://www.w3.org/2000/svg" width="30" height="20" viewBox="0 0 30 20">
      <rect width="100%" height="100%" fill="#102030"/>
      <path d="M1 2C3.5 4 -5 6.25 7 8" fill="none" stroke-linecap="round" stroke-linejoin="round" \
      stroke-width="1" stroke="#ff0080" stroke-opacity="0.5"/>
      </svg>

      """
    #expect(drawer.svg() == expected)
  }

  @Test(
    "numbers of SVG have two decimals at most",
    arguments: [
      (Float(1.005), "1"), (0.05, "0.05"), (-0.5, "-0.5"), (-0.001, "0"), (12.25, "12.25"),
      (.nan, "0"), (.infinity, "0"),
    ])
  func numbers(value: Float, text: String) { #expect(SVG.number(value) == text) }
}
