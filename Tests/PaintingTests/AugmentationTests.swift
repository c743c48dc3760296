import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// Against kornia 0.5.4 on the parameters that it drew: `Oracle/augmentations.py` writes the fixture.
@Suite struct AugmentationTests {
  private let file: SafeTensors
  private let views: Tensor
  private let side: Int
  private let count: Int

  /// float32 places on views of 18 pixels, read between pixels that differ by up to 1.
  private let tolerance = 2e-5

  init() throws {
    file = try SafeTensors(
      contentsOf: Bundle.module.bundleURL.appending(path: "Fixtures/augmentations.safetensors"))
    views = try file.tensor("views")
    side = views.size(-1)
    count = views.size(0)
  }

  /// A parameter of every view, `[count][n]`.
  private func values(_ key: String) throws -> [[Double]] {
    let flat = try file.tensor(key).floats().map(Double.init)
    let n = flat.count / count
    return (0..<count).map { Array(flat[($0 * n)..<($0 * n + n)]) }
  }

  private func check(
    _ name: String, _ maps: [Homography], _ outside: Tensor.Outside = .zeros,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    expectClose(
      ViewStep.warp(maps, outside: outside).apply(views), try file.tensor(name), atol: tolerance,
      name, sourceLocation: sourceLocation)
  }

  @Test("affine maps", arguments: [("zeros", Tensor.Outside.zeros), ("border", .border)])
  func affine(_ padding: String, _ outside: Tensor.Outside) throws {
    let name = "affine.\(padding)"
    let (angle, shift, shear) = (
      try values(name + ".angle"), try values(name + ".translations"), try values(name + ".sx")
    )
    #expect(shift.allSatisfy { $0[0] == 0 }, "one number for both shifts moves up and down only")
    let maps = (0..<count).map {
      Homography.affine(
        degrees: angle[$0][0], shear: shear[$0][0], shift: (shift[$0][0], shift[$0][1]),
        width: side, height: side)
    }
    try check(name, maps, outside)
  }

  @Test("affine maps that shift and shrink")
  func scaled() throws {
    let (shift, scale) = (
      try values("affine.scaled.translations"), try values("affine.scaled.scale")
    )
    let maps = (0..<count).map {
      Homography.affine(
        degrees: 0, shift: (shift[$0][0], shift[$0][1]), scale: scale[$0][0], width: side,
        height: side)
    }
    try check("affine.scaled", maps)
  }

  @Test("perspective")
  func perspective() throws {
    let last = Double(side - 1)
    let maps = try values("perspective.end_points").map { p in
      Homography.perspective(
        inwards: [
          (p[0], p[1]), (last - p[2], p[3]), (last - p[4], last - p[5]), (p[6], last - p[7]),
        ], width: side, height: side)
    }
    try check("perspective", maps)
  }

  @Test(
    "changes of colour in one pass are those by operators, in any order, as are their gradients")
  func jitterInOnePass() {
    let stream = RandomStream(seed: 8, "jitter")
    // Among them greys, black, white, and colours of which two channels are equal.
    let special = Tensor(
      [0, 1, 0.5, 1, 0.3, 0.2, 0, 1, 0.5, 1, 0.3, 0.7, 0, 1, 0.5, 0.25, 0.9, 0.7] as [Float],
      [1, 3, 1, 6])
    let colors = concatenated([stream.uniform([1, 3, 1, 29]), special], over: 3)
    let x = concatenated([colors, colors.flipped(3), colors], over: 0)  // [3, 3, 1, 35]
    let up = stream.normal(x.shape)
    let factors = [[1.3, 0.6, 1.7, 0.2], [0.8, 1.4, 0.4, -0.3], [1.2, 1.2, 1.2, 0.1]]
    for order in [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0], [1, 3, 2, 0], [2, 0, 3, 1]] {
      func run(_ body: (Tensor) -> Tensor) -> (y: Tensor, gradient: Tensor) {
        let x = x.variable()
        let y = body(x)
        return (y.detached(), pullback(of: y, along: up, at: [x])[0])
      }
      let found = run { $0.colorJittered(factors, chosen: [true, true, false], order: order) }
      let expected = run { ColorJitter.changed($0, factors, order: order) }
      expectClose(found.y[0..<2], expected.y[0..<2], atol: 1e-5)
      let scale = max(1, expected.gradient.abs().amax().item())
      expectClose(found.gradient[0..<2], expected.gradient[0..<2], atol: 1e-5 * scale)
      // What was not chosen stays as it is.
      #expect(found.y[2].floats() == x[2].floats())
      #expect(found.gradient[2].floats() == up[2].floats())
    }
  }

  @Test("rotation, resized crop and mirroring")
  func others() throws {
    try check(
      "rotation",
      try values("rotation.degrees").map {
        Homography.turning(-$0[0] * .pi / 180, shear: 0, shift: 0, 0).inverse
      })
    let boxes = try values("resized.src").map { p in
      Homography.Box(
        x: Int(p[0]), y: Int(p[1]), width: Int(p[2] - p[0]) + 1, height: Int(p[5] - p[1]) + 1)
    }
    try check("resized", boxes.map { .crop($0, of: side, side, to: side) })
    try check("flip", [Homography](repeating: .scaling(-1, 1), count: count))
  }

  @Test(
    "colour jitter", arguments: [("jitter", [2, 0, 3, 1]), ("jitter.reversed", [1, 3, 0, 2])])
  func jitter(_ name: String, _ order: [Int]) throws {
    let factors = try ["brightness", "contrast", "saturation", "hue"].map {
      try values("\(name).\($0)_factor")
    }
    let ofViews = (0..<count).map { view in factors.map { $0[view][0] } }
    for y in [
      ColorJitter.changed(views, ofViews, order: order),
      views.colorJittered(
        ofViews, chosen: [Bool](repeating: true, count: count), order: order),
    ] {
      expectClose(y, try file.tensor(name), atol: tolerance)
    }
  }

  @Test("sharpness, from blurred to sharpened")
  func sharpness() throws {
    let factors = try values("sharpness.sharpness_factor").map { $0[0] }
    #expect(factors.contains { $0 < 1 } && factors.contains { $0 > 1 })
    expectClose(
      Distortion.sharpened(views, factors), try file.tensor("sharpness"), atol: tolerance)
  }

  @Test("elastic distortion")
  func elastic() throws {
    expectClose(
      Distortion.elastic(views, try file.tensor("elastic.noise")), try file.tensor("elastic"),
      atol: tolerance)
  }

  // kornia holds one corner twice: its weights are large, and float32 places coarse. With the corner
  // that was meant, nothing is lost.
  @Test("a thin plate", arguments: [("plate", 5e-4), ("plate.meant", 2e-5)])
  func plate(_ name: String, _ tolerance: Double) throws {
    func points(_ key: String) throws -> [[Distortion.Point]] {
      try values("\(name).\(key)").map { p in
        (0..<5).map { Distortion.Point(x: p[2 * $0], y: p[2 * $0 + 1]) }
      }
    }
    let y = Distortion.thinPlate(views, from: try points("dst"), to: try points("src"))
    expectClose(y, try file.tensor(name), atol: tolerance)
  }

  @Test("an erased rectangle and a view without colour")
  func erasing() throws {
    expectClose(Distortion.gray(views), try file.tensor("grayscale"), atol: tolerance)
    let erased = try file.tensor("erasing")
    let (x, y, w, h) = (
      try values("erasing.xs"), try values("erasing.ys"), try values("erasing.widths"),
      try values("erasing.heights")
    )
    let n = Double(side)
    for view in 0..<count {
      let (w, h) = (w[view][0], h[view][0])
      // The numbers that lead to this rectangle: its area, its proportions, its place.
      let (area, aspect) = (w * h / (n * n), h / w)
      let u = [
        0, (area - 0.1) / 0.3, aspect < 1 ? 0 : 0.9,
        aspect < 1 ? (aspect - 0.3) / 0.7 : (aspect - 1) / (1 / 0.3 - 1),
        (y[view][0] + 0.5) / (n - h + 1), (x[view][0] + 0.5) / (n - w + 1),
      ]
      let hole = try #require(Distortion.hole(side, share: 1, u))
      expectClose((views * hole)[view], erased[view], atol: 0, "view \(view)")
    }
  }

  // MARK: As text

  @Test(
    "words, letters and strengths",
    arguments: [
      ("affine", Augmentation.affine, "affine"), ("Af", .affine, "affine"),
      ("affine:0.5", Augmentation(.affine, strength: 0.5), "affine:0.5"),
      ("ts:2", Augmentation(.thinPlate, strength: 2), "thin-plate:2.0"),
      ("gaussian-noise:1", Augmentation(.gaussianNoise), "gaussian-noise"),
      ("noise", .noise, "noise"),
    ])
  func text(_ text: String, _ expected: Augmentation, _ written: String) throws {
    #expect(Augmentation(rawValue: text) == expected)
    #expect(expected.rawValue == written)
    #expect(Augmentation(rawValue: written) == expected)
    let json = try JSONEncoder().encode([expected])
    #expect(String(bytes: json, encoding: .utf8) == "[\"\(written)\"]")
    #expect(try JSONDecoder().decode([Augmentation].self, from: json) == [expected])
  }

  @Test(
    "nonsense is refused",
    arguments: [
      "", "blur", "affine:", "affine:x", "affine:-1", "affine:nan", "affine:inf", "affine:1:2",
      ":1", "affine:11", "affine 1",
    ])
  func nonsense(_ text: String) { #expect(Augmentation(rawValue: text) == nil) }

  @Test("every kind has a word of its own, and letters are no other's")
  func words() {
    let kinds = Augmentation.Kind.allCases
    let names = kinds.map { $0.rawValue } + kinds.compactMap { $0.code?.lowercased() }
    #expect(Set(names).count == names.count)
    #expect(kinds.compactMap(\.code).count == 12)
    for kind in kinds { #expect(Augmentation(rawValue: kind.rawValue)?.kind == kind) }
  }
}
