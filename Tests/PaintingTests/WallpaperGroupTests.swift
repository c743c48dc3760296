import Foundation
import TestSupport
import Testing
import Torch

@testable import Painting

@Suite struct WallpaperGroupTests {
  private typealias Place = (Double, Double) -> (Double, Double)

  /// General positions beside (x, y), from the International Tables for Crystallography, volume A.
  private static var positions: [(WallpaperGroup, [Place])] {
    [
      (.p1, []),
      (.p2, [{ (-$0, -$1) }]),
      (.pm, [{ (-$0, $1) }]),
      (.pg, [{ (-$0, $1 + 0.5) }]),
      (.cm, [{ (-$0, $1) }, { ($0 + 0.5, $1 + 0.5) }, { (0.5 - $0, $1 + 0.5) }]),
      (.pmm, [{ (-$0, -$1) }, { (-$0, $1) }, { ($0, -$1) }]),
      (.pmg, [{ (-$0, -$1) }, { (0.5 - $0, $1) }, { ($0 + 0.5, -$1) }]),
      (.pgg, [{ (-$0, -$1) }, { (0.5 - $0, $1 + 0.5) }, { ($0 + 0.5, 0.5 - $1) }]),
      (
        .cmm,
        [
          { (-$0, -$1) }, { (-$0, $1) }, { ($0, -$1) }, { ($0 + 0.5, $1 + 0.5) },
          { (0.5 - $0, 0.5 - $1) }, { (0.5 - $0, $1 + 0.5) }, { ($0 + 0.5, 0.5 - $1) },
        ]
      ),
      (.p4, [{ (-$0, -$1) }, { (-$1, $0) }, { ($1, -$0) }]),
      (
        .p4m,
        [
          { (-$0, -$1) }, { (-$1, $0) }, { ($1, -$0) }, { (-$0, $1) }, { ($0, -$1) }, { ($1, $0) },
          { (-$1, -$0) },
        ]
      ),
      (
        .p4g,
        [
          { (-$0, -$1) }, { (-$1, $0) }, { ($1, -$0) }, { (0.5 - $0, $1 + 0.5) },
          { ($0 + 0.5, 0.5 - $1) }, { ($1 + 0.5, $0 + 0.5) }, { (0.5 - $1, 0.5 - $0) },
        ]
      ),
    ]
  }

  @Test("pictures are the mean over the positions that the International Tables list")
  func positions() {
    for (group, positions) in Self.positions {
      let (height, width) = group.lattice == .square ? (12, 12) : (8, 12)
      let x = RandomStream(seed: 1, "x").uniform([1, 1, height, width])
      let found = group.symmetrized(x).floats()
      let values = x.floats()
      for row in 0..<height {
        for column in 0..<width {
          let here = ((Double(column) + 0.5) / Double(width), (Double(row) + 0.5) / Double(height))
          let places = [here] + positions.map { $0(here.0, here.1) }
          let pixels = places.map { place -> Int in
            let (x, y) = (place.0 - place.0.rounded(.down), place.1 - place.1.rounded(.down))
            return Int(y * Double(height)) * width + Int(x * Double(width))
          }
          let mean = pixels.map { values[$0] }.reduce(0, +) / Float(pixels.count)
          #expect(abs(found[row * width + column] - mean) < 1e-6, "\(group) at \(row), \(column)")
        }
      }
      // Symmetrical already: nothing changes.
      let again = group.symmetrized(group.symmetrized(x))
      expectClose(again, group.symmetrized(x), atol: 1e-6, "\(group)")
    }
  }

  @Test("sizes that are no period of a group are cut, or refused with one that is")
  func sizes() {
    #expect(WallpaperGroup.pgg.symmetrized(Tensor.ones([1, 3, 7, 9])).shape == [1, 3, 6, 8])
    #expect(WallpaperGroup.pm.symmetrized(Tensor.ones([1, 3, 7, 9])).shape == [1, 3, 7, 9])
    #expect(WallpaperGroup.p4g.symmetrized(Tensor.ones([1, 3, 7, 9])).shape == [1, 3, 6, 6])
    #expect(WallpaperGroup.p4g.symmetrized(Tensor.ones([1, 3, 1, 1])).shape == [1, 3, 1, 1])
    #expect(throws: Never.self) { try WallpaperGroup.p4.check(width: 8, height: 8) }
    #expect(throws: Never.self) { try WallpaperGroup.p6m.check(width: 256, height: 443) }
    #expect(throws: Never.self) { try WallpaperGroup.p6m.check(width: 448, height: 256) }
    for group in [WallpaperGroup.p4, .p3] {
      do {
        try group.check(width: 256, height: 200)
        Issue.record("\(group) was accepted")
      } catch {
        #expect("\(error)".contains(group == .p4 ? "256x256" : "200x346"))
      }
    }
  }

  /// The orders of the groups' point groups.
  private static let hexagonal: [(WallpaperGroup, Int)] = [
    (.p3, 3), (.p3m1, 6), (.p31m, 6), (.p6, 6), (.p6m, 12),
  ]

  @Test("a single point of a hexagonal period becomes as many as the group has motions, exactly")
  func orders() throws {
    for (group, order) in Self.hexagonal {
      var values = [Float](repeating: 0, count: 31 * 31)
      values[31 * 4 + 11] = 1
      let symmetry = try #require(HexagonalSymmetry(group))
      let cell = symmetry.averaged(Tensor(values, [1, 1, 31, 31]))
      let points = cell.floats().filter { $0 > 0 }
      #expect(points.count == order && points.allSatisfy { abs($0 * Float(order) - 1) < 1e-5 })
      expectClose(symmetry.averaged(cell), cell, atol: 1e-6)
    }
  }

  @Test("hexagonal patterns look the same after their turns and mirrors, and only after theirs")
  func plane() {
    // Soft noise that goes on periodically; sides of √3 to 1 but for the rounding.
    let (height, width) = (312, 180)
    let noise = RandomStream(seed: 4, "noise").uniform([1, 1, 6, 4])
    let row = concatenated([noise, noise, noise], over: 3)
    let x = concatenated([row, row, row], over: 2)
      .resampled(3 * height, 3 * width, .bicubic)
      .narrowed(2, height, height).narrowed(3, width, width)
    for (group, _) in Self.hexagonal {
      let values = group.symmetrized(x).floats()
      /// The pattern at a point of the plane, the short side being one.
      func pattern(_ x: Double, _ y: Double) -> Double {
        let (s, t) = (x, y / 3.0.squareRoot())
        let column = (s - s.rounded(.down)) * Double(width) - 0.5
        let row = (t - t.rounded(.down)) * Double(height) - 0.5
        func at(_ r: Double, _ c: Double) -> Double {
          let (r, c) = ((Int(r) + height) % height, (Int(c) + width) % width)
          return Double(values[r * width + c])
        }
        let (r, c) = (row.rounded(.down), column.rounded(.down))
        let (a, b) = (row - r, column - c)
        return (1 - a) * ((1 - b) * at(r, c) + b * at(r, c + 1))
          + a * ((1 - b) * at(r + 1, c) + b * at(r + 1, c + 1))
      }
      let points = RandomStream(seed: 5, "points").uniform([200, 2]).floats().map(Double.init)
      func change(_ motion: (Double, Double) -> (Double, Double)) -> Double {
        (0..<200).map { i -> Double in
          let (px, py) = (points[2 * i], points[2 * i + 1])
          let moved = motion(px, py)
          return abs(pattern(px, py) - pattern(moved.0, moved.1))
        }.max() ?? 0
      }
      func turn(_ degrees: Double) -> (Double, Double) -> (Double, Double) {
        let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
        return { (c * $0 - s * $1, s * $0 + c * $1) }
      }
      let spread = Double((values.max() ?? 0) - (values.min() ?? 0))
      // Reading between pixels twice leaves 0.0003; what is not symmetrical changes by 0.09 and more.
      let small = 0.002 * spread
      let root = 3.0.squareRoot() / 2
      // The lattice's second vector, turns, and mirrors along the lattice's vectors and between them.
      #expect(change { ($0 + 0.5, $1 + root) } < small, "\(group)")
      #expect(change(turn(120)) < small, "\(group)")
      #expect((change(turn(60)) < small) == [.p6, .p6m].contains(group), "\(group)")
      #expect((change { ($0, -$1) } < small) == [.p31m, .p6m].contains(group), "\(group)")
      #expect((change { (-$0, $1) } < small) == [.p3m1, .p6m].contains(group), "\(group)")
    }
  }

  @Test("gradients come back through the symmetry")
  func gradients() {
    for group in [WallpaperGroup.p4g, .p6m] {
      let shape = group == .p4g ? [1, 1, 8, 8] : [1, 1, 14, 8]
      let x = RandomStream(seed: 1, "x").uniform(shape)
      let weights = RandomStream(seed: 2, "weights").normal(shape)
      let leaf = x.variable()
      let slope = gradient(of: (group.symmetrized(leaf) * weights).sum(), at: [leaf])[0]
      // Linear, so that one step says all.
      let direction = RandomStream(seed: 3, "direction").normal(shape)
      let expected = (group.symmetrized(direction) * weights).sum().item()
      #expect(abs((slope * direction).sum().item() - expected) < 1e-4)
      #expect(slope.abs().amin().item() > 0, "\(group): every pixel counts")
    }
  }
}
