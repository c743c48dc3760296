import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

@Suite struct CutoutModeTests {
  private let picture = RandomStream(seed: 1, "picture").uniform([1, 3, 64, 96])
  private static let everything = Augmentation.allCases

  @Test(
    "views of every mode have CLIP's size, are numbers, and pull at the picture",
    arguments: CutoutMode.allCases)
  func shapes(_ mode: CutoutMode) {
    for (height, width) in [(64, 96), (96, 64), (32, 32), (20, 50), (70, 70)] {
      let leaf = RandomStream(seed: 1, "p").uniform([1, 3, height, width]).variable()
      for augmentations in [nil, Self.everything] {
        let cutouts = Cutouts(
          size: 32, count: 7, mode: mode, augmentations: augmentations, seed: 3)
        let views = cutouts(leaf, iteration: 1, progress: 0.5)
        #expect(views.shape == [7, 3, 32, 32])
        let slope = gradient(of: views.square().mean(), at: [leaf])[0]
        #expect(slope.floats().allSatisfy { $0.isFinite })
        #expect(slope.abs().sum().item() > 0)
      }
    }
  }

  @Test("the gradient passes every augmentation", arguments: Augmentation.Kind.allCases)
  func gradients(_ kind: Augmentation.Kind) {
    for mode in [CutoutMode.balanced, .latest] {
      let leaf = picture.variable()
      let cutouts = Cutouts(
        size: 32, count: 8, mode: mode, augmentations: [Augmentation(kind)], seed: 1)
      let slope = gradient(of: cutouts(leaf, iteration: 0).square().mean(), at: [leaf])[0]
      #expect(slope.floats().allSatisfy { $0.isFinite })
      #expect(slope.abs().sum().item() > 0)
    }
  }

  @Test(
    "more views leave the first ones as they are",
    arguments: CutoutMode.allCases.filter { ![.pixray, .dango].contains($0) })
  func prefix(_ mode: CutoutMode) {
    func views(_ count: Int, _ augmentations: [Augmentation]?) -> Tensor {
      Cutouts(size: 32, count: count, mode: mode, augmentations: augmentations, seed: 3)(
        picture, iteration: 5)
    }
    // Of four balanced views, two show the whole picture; of eight, four.
    let same = mode == .balanced ? 2 : 4
    for augmentations in mode == .balanced ? [[.affine, .perspective]] : [nil, Self.everything] {
      let (few, many) = (views(4, augmentations), views(8, augmentations))
      #expect(few[0..<same].floats() == many[0..<same].floats())
    }
    #expect(views(4, nil).floats() == views(4, nil).floats())
  }

  @Test("iterations and seeds give other views", arguments: CutoutMode.allCases)
  func varied(_ mode: CutoutMode) {
    func views(_ seed: UInt64, _ iteration: Int) -> [Float] {
      let cutouts = Cutouts(
        size: 32, count: 8, mode: mode, augmentations: [.affine], seed: seed)
      return cutouts(picture, iteration: iteration).floats()
    }
    #expect(views(1, 0) != views(1, 1))
    #expect(views(1, 0) != views(2, 0))
  }

  @Test("the same views can be taken of another picture", arguments: CutoutMode.allCases)
  func read(_ mode: CutoutMode) {
    let geometric = [Augmentation.affine, .perspective, Augmentation(.elastic)]
    let quiet = Cutouts(size: 32, count: 6, mode: mode, augmentations: geometric, seed: 3)
    let loud = Cutouts(
      size: 32, count: 6, mode: mode,
      augmentations: [.affine, .jitter, .perspective, Augmentation(.elastic), .erasing, .noise],
      seed: 3)
    let set = loud.views(iteration: 2)
    let expected = quiet.views(iteration: 2).read(picture)
    if mode == .balanced {
      // Perspective and jitter share numbers of one table, but not those that say where.
      expectClose(set.read(picture), expected, atol: 0)
    } else {
      #expect(set.read(picture).floats() == expected.floats())
    }
    #expect(set(picture).floats() != set.read(picture).floats())
    #expect(set(picture).floats() == set(picture).floats(), "noise is drawn once")
    #expect(set.read(picture.narrowed(1, 0, 1)).shape == [6, 1, 32, 32], "a mask has one channel")
  }

  @Test("a strength of 0 does nothing")
  func still() {
    let kinds: [Augmentation.Kind] = [
      .affine, .perspective, .jitter, .noise, .rotation, .flip, .grayscale, .gaussianNoise,
    ]
    let still = Cutouts(
      size: 32, count: 6, mode: .latest,
      augmentations: kinds.map { Augmentation($0, strength: 0) }, seed: 3)
    let plain = Cutouts(size: 32, count: 6, mode: .latest, augmentations: [], seed: 3)
    // Perspective enlarges by 1/31 where nothing moves, as kornia's does.
    let views = still(Tensor.full([1, 3, 64, 64], 0.3), iteration: 0)
    let inner = views.narrowed(2, 2, 28).narrowed(3, 2, 28)
    expectClose(inner, Tensor.full([6, 3, 28, 28], 0.3), atol: 1e-5)
    #expect(plain(picture, iteration: 0).floats() == plain(picture, iteration: 1).floats())
  }

  // MARK: Squares

  @Test("random squares lie in the picture; a power above 1 makes them smaller")
  func classic() {
    func sides(_ power: Double) -> [Int] {
      let cutouts = Cutouts(size: 32, count: 200, mode: .original, power: power, seed: 1)
      return cutouts.table("squares", 0, 3).map { u in
        let square = cutouts.randomSquare(u, 100, 160)
        #expect((32...100).contains(square.side))
        #expect(square.x >= 0 && square.x + square.side <= 160)
        #expect(square.y >= 0 && square.y + square.side <= 100)
        return square.side
      }
    }
    let (small, even, large) = (sides(3), sides(1), sides(0.3))
    #expect(small.reduce(0, +) < even.reduce(0, +) && even.reduce(0, +) < large.reduce(0, +))
    // 68 possible sides, evenly: their mean is 66 with a deviation of 1.4.
    #expect(abs(Double(even.reduce(0, +)) / 200 - 66) < 5)
    let tiny = Cutouts(size: 32, count: 1, mode: .original, seed: 1).randomSquare(
      [0.5, 0, 0.9], 20, 40)
    #expect(tiny == Square(side: 20, x: 0, y: 0))
  }

  private func shares(
    _ mode: CutoutMode, progress: Double = 0, _ change: (inout SquareOptions) -> Void = { _ in }
  ) -> (sizes: [Double], places: [Double]) {
    var options = SquareOptions()
    change(&options)
    let cutouts = Cutouts(size: 32, count: 1000, mode: mode, squares: options, seed: 1)
    let squares = cutouts.table("squares", 0, 9).map {
      cutouts.sizedSquare($0, 1000, 1000, progress)
    }
    #expect(squares.allSatisfy { $0.x >= 0 && $0.y >= 0 })
    #expect(squares.allSatisfy { $0.x + $0.side <= 1000 && $0.y + $0.side <= 1000 })
    let places = squares.filter { $0.side < 1000 }.map { Double($0.x) / Double(1000 - $0.side) }
    return (squares.map { Double($0.side) / 1000 }, places)
  }

  private func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
  private func deviation(_ x: [Double]) -> Double {
    let m = mean(x)
    return mean(x.map { ($0 - m) * ($0 - m) }).squareRoot()
  }

  @Test("big-sleep's squares are half to nearly all of the picture")
  func bigSleep() {
    let (sizes, places) = shares(.bigSleep)
    #expect(sizes.allSatisfy { (0.499...0.95).contains($0) })
    // P(z > 0.5) = 0.309 are cut at 0.95, P(z < -1) = 0.159 at 0.5.
    #expect(abs(mean(sizes.map { $0 >= 0.949 ? 1 : 0 }) - 0.309) < 0.05)
    #expect(abs(mean(sizes.map { $0 <= 0.501 ? 1 : 0 }) - 0.159) < 0.04)
    #expect(abs(deviation(places) - 0.289) < 0.02, "even places")
    let centered = shares(.bigSleep) { $0.isCentered = true }.places
    // A quarter of the room as deviation, but what lies outside is drawn evenly.
    #expect(abs(mean(centered) - 0.5) < 0.03 && deviation(centered) < 0.25)
  }

  @Test("deep-daze's squares keep their bounds, even or Gaussian, and grow when they are to")
  func deepDaze() {
    let even = shares(.deepDaze).sizes
    #expect(even.allSatisfy { (0.099...1).contains($0) })
    #expect(abs(mean(even) - 0.55) < 0.03 && abs(deviation(even) - 0.26) < 0.02)
    let gaussian = shares(.deepDaze) { $0.isGaussian = true }.sizes
    #expect(gaussian.allSatisfy { (0.099...1).contains($0) })
    #expect(abs(mean(gaussian) - 0.6) < 0.03 && abs(deviation(gaussian) - 0.2) < 0.02)
    let late = shares(.deepDaze, progress: 1) { $0.lowerAtEnd = 0.75 }.sizes
    #expect(late.allSatisfy { $0 >= 0.749 })
    let half = shares(.deepDaze, progress: 0.5) { $0.lowerAtEnd = 0.75 }.sizes
    #expect(half.allSatisfy { $0 >= 0.424 } && half.contains { $0 < 0.6 })
    let focused = shares(.deepDaze) {
      $0.isCentered = true
      $0.focus = 10
    }.places
    #expect(abs(mean(focused) - 0.5) < 0.01 && abs(deviation(focused) - 0.05) < 0.01)
  }

  // MARK: Against the originals, by `Oracle/cutouts.py`

  /// The fixture, and nine uniform numbers for each view.
  private func originals() throws -> (file: SafeTensors, numbers: [[Double]]) {
    let file = try SafeTensors(
      contentsOf: Bundle.module.bundleURL.appending(path: "Fixtures/cutouts.safetensors"))
    let uniform = try file.tensor("uniform")
    return (file, (0..<uniform.size(0)).map { uniform[$0].floats().map(Double.init) })
  }

  @Test("nerdyrodent's squares are those of the same numbers", arguments: [1.0, 0.5])
  func sameSquares(power: Double) throws {
    let (file, numbers) = try originals()
    let picture = try file.tensor("wide")
    let cutouts = Cutouts(size: 12, count: numbers.count, mode: .nrupdated, power: power, seed: 1)
    let views = numbers.map { u in
      Lanczos.resampled(
        cutouts.randomSquare(u, picture.size(2), picture.size(3)).cut(picture), 12, 12)
    }
    let found = concatenated(views, over: 0)
    // `updated` and `nrupdated` differ in their augmentations alone.
    expectClose(found, try file.tensor("updated.\(power)"), atol: 1e-5)
    // The first mode keeps to 0…1, where the others let the filter overshoot.
    expectClose(found.clamped(0, 1), try file.tensor("original.\(power)"), atol: 1e-5)
  }

  @Test("nerdyrodent's pooled views are the same", arguments: [CutoutMode.latest, .updatedpooling])
  func samePooled(mode: CutoutMode) throws {
    let (file, _) = try originals()
    let cutouts = Cutouts(size: 12, count: 3, mode: mode, augmentations: [], seed: 1)
    let views = cutouts(try file.tensor("wide"), iteration: 0)
    expectClose(views, try file.tensor("pooled").expanded([3, 3, 12, 12]), atol: 1e-6)
  }

  @Test(
    "Deep Daze's views are those of the same numbers",
    arguments: ["", ".saturated", ".gaussian", ".centered"])
  func sameDaze(_ kind: String) throws {
    let (file, numbers) = try originals()
    let picture = try file.tensor("square")
    var options = SquareOptions()
    if kind == ".saturated" { options.lowerAtEnd = 0.75 }
    // The original's Gaussian sizes are even ones: `(s > upper) | (s < upper)` takes all for outside. The
    // oracle mends that.
    if kind == ".gaussian" { options.isGaussian = true }
    if kind == ".centered" { (options.isCentered, options.focus, options.upper) = (true, 1, 0.6) }
    let cutouts = Cutouts(
      size: 12, count: numbers.count, mode: .deepDaze, squares: options, seed: 1)
    let views = numbers.map { u in
      cutouts.sizedSquare(u, 40, 40, 0.5).cut(picture).resampled(12, 12, .bilinear)
    }
    expectClose(
      concatenated(views, over: 0), try file.tensor("deep-daze" + kind), atol: 1e-5, kind)
  }

  @Test("Big Sleep's squares are those of the same numbers", arguments: [false, true])
  func sameSleep(isCentered: Bool) throws {
    let (file, numbers) = try originals()
    var options = SquareOptions()
    options.isCentered = isCentered
    let cutouts = Cutouts(
      size: 12, count: numbers.count, mode: .bigSleep, squares: options, seed: 1)
    // The original then takes the nearest pixel for each of CLIP's, which flickers as squares move; here
    // they are filtered.
    let squares = numbers.flatMap { u in
      let square = cutouts.sizedSquare(u, 40, 40, 0)
      return [square.side, square.x, square.y]
    }
    let expected = try file.tensor(isCentered ? "big-sleep.centered" : "big-sleep").ints()
    #expect(squares == expected)
  }

  // MARK: pixray

  @Test(
    "pixray's wide views show the whole picture, its zoomed ones a part",
    arguments: [(64, 64), (128, 64), (64, 150)])
  func pixray(_ width: Int, _ height: Int) {
    let cutouts = Cutouts(size: 64, count: 100, mode: .pixray, seed: 2)
    for u in cutouts.table("pixray", 0, 31) {
      let back = cutouts.wide(u, width, height).inverse
      for (x, y) in [(-1.0, -1.0), (1, -1), (1, 1), (-1, 1)] {
        let corner = back(x, y)
        #expect(abs(corner.x) < 1.02 && abs(corner.y) < 1.02)
      }
      // Without perspective the part lies within the picture.
      let zoom = cutouts.zoom([1] + u.dropFirst(), width, height)
      let (a, b) = (zoom(-1, -1), zoom(1, 1))
      let area = (b.x - a.x) * (b.y - a.y) / 4
      #expect(min(a.x, a.y) > -1.02 && max(b.x, b.y) < 1.02)
      #expect((0.24...0.99).contains(area) || area > 0.5, "\(area)")
    }
  }

  @Test("around pixray's wide views lies one grey, and the first three fifths fill their frame")
  func grey() {
    let cutouts = Cutouts(size: 32, count: 10, mode: .pixray, augmentations: [], seed: 2)
    let white = Tensor.full([1, 3, 64, 160], 1)
    let views = cutouts(white, iteration: 0)
    expectClose(views[0..<6], Tensor.ones([6, 3, 32, 32]), atol: 1e-5)
    let corners = views[6..<10].narrowed(2, 0, 1).narrowed(3, 0, 1).floats()
    let gray = corners[0]
    #expect(gray < 0.999 && corners.allSatisfy { abs($0 - gray) < 1e-5 })
    let brightest = views[6..<10].amax(over: [1, 2, 3])
    expectClose(brightest, Tensor.ones([4]), atol: 1e-4, "the picture between them")
  }
}
