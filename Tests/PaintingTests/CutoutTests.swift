import Foundation
import Models
import TestSupport
import Testing
import Torch

@testable import Painting

@Suite struct CutoutTests {
  private let picture = RandomStream(seed: 1, "picture").uniform([1, 3, 64, 96])

  @Test("views depend on seed and iteration, and on nothing else")
  func deterministic() {
    let cutouts = Cutouts(size: 32, count: 6, seed: 5)
    let a = cutouts(picture, iteration: 3).floats()
    #expect(a == cutouts(picture, iteration: 3).floats())
    #expect(a != cutouts(picture, iteration: 4).floats())
    #expect(a != Cutouts(size: 32, count: 6, seed: 6)(picture, iteration: 3).floats())
    #expect(a.allSatisfy { $0.isFinite })
  }

  @Test("without augmentations the first views are the pooled picture")
  func pooled() {
    let cutouts = Cutouts(size: 32, count: 4, augmentations: [], seed: 5)
    let views = cutouts(picture, iteration: 0)
    #expect(views.shape == [4, 3, 32, 32])
    let expected =
      (picture.adaptiveAveragePooled(32, 32) + picture.adaptiveMaxPooled(32, 32)) / 2
    expectClose(views[0], expected[0], atol: 1e-5)
    expectClose(views[1], expected[0], atol: 1e-5)
  }

  @Test("squares lie inside the picture and read from a level near CLIP's size")
  func squares() {
    var cutouts = Cutouts(size: 32, count: 40, augmentations: [], seed: 5)
    cutouts.wholeShare = 0.25
    let flat = RandomStream(seed: 2, "draws").uniform([40, 24]).floats()
    let draws = (0..<40).map { Array(flat[($0 * 24)..<($0 * 24 + 24)]) }
    let views = cutouts.views(draws, height: 200, width: 300)
    #expect(views.count { $0.source == 0 } == 10)
    #expect(views == views.sorted { $0.source < $1.source })
    for view in views where view.source > 0 {
      for (x, y) in [(-1.0, -1.0), (1, 1)] {
        let point = view.map(x, y)
        #expect(abs(point.x) <= 1 + 1e-9 && abs(point.y) <= 1 + 1e-9)
      }
      let side = view.map.m[0] * 300
      #expect(abs(side - view.map.m[4] * 200) < 1e-9)
      #expect((31.9...200).contains(side))
      let ratio = side / Double(32 << (view.source - 1))
      #expect((0.99..<2).contains(ratio))
    }
  }

  @Test("the views of the default mode are those that the pack was measured with")
  func unchanged() {
    // Means of the views' values and squares, by the program before there were modes.
    let expected: [([Augmentation]?, [Double], [Double])] = [
      (
        nil, [0.7310791, 0.76977056, 0.6553606, 0.42509532, 0.49884608, 0.5007297],
        [0.5480132, 0.6085636, 0.4434704, 0.21195817, 0.29622018, 0.28680947]
      ),
      (
        [.affine, .noise],
        [0.6758236, 0.67389274, 0.6770578, 0.49307513, 0.49338064, 0.4962527],
        [0.4677819, 0.467245, 0.47193, 0.2802486, 0.2887126, 0.28260288]
      ),
    ]
    for (augmentations, means, squares) in expected {
      let views = Cutouts(size: 32, count: 6, augmentations: augmentations, seed: 5)(
        picture, iteration: 3)
      expectClose(views.mean(over: [1, 2, 3]), means, atol: 2e-6)
      expectClose(views.square().mean(over: [1, 2, 3]), squares, atol: 2e-6)
    }
  }

  @Test("gray pictures have a finite gradient through the colour jitter")
  func gray() {
    let leaf = Tensor.full([2, 3, 4, 4], 0.5).variable()
    let draws: [[Float]] = [[0, 0.3, 0.7, 0.9, 0.1], [0, 0.9, 0.2, 0.1, 0.8]]
    let y = ColorJitter(strength: 0.1, probability: 1)(leaf, draws: draws, order: [2, 0, 3, 1])
    #expect(gradient(of: y.sum(), at: [leaf])[0].floats().allSatisfy { $0.isFinite })
  }

  @Test("saturation and hue work as in HSV")
  func hsv() {
    let x = Tensor([0.8, 0.4, 0.2] as [Float], [1, 3, 1, 1])
    func one(_ value: Float) -> Tensor { Tensor([value], [1, 1, 1, 1]) }
    func check(_ saturation: Float, _ hue: Float, _ expected: [Float]) {
      let y = ColorJitter.shifted(x, saturation: one(saturation), hue: one(hue)).floats()
      #expect(zip(y, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(y), expected \(expected)")
    }
    // Expected values from Python's colorsys: rgb_to_hsv, change, hsv_to_rgb.
    check(1, 0, [0.8, 0.4, 0.2])
    check(0.5, 0, [0.8, 0.6, 0.5])
    check(2, 0, [0.8, 0.26666668, 0])
    check(1, 1.0 / 3, [0.2, 0.8, 0.4])
    check(1, -1.0 / 3, [0.4, 0.2, 0.8])
    check(1, 0.1, [0.8, 0.76, 0.2])
  }

  @Test("jitter leaves a picture alone that was not chosen")
  func unchosen() {
    let x = RandomStream(seed: 1, "x").uniform([2, 3, 4, 4])
    let draws: [[Float]] = [[0.9, 1, 1, 1, 1], [0.1, 1, 1, 1, 1]]
    let y = ColorJitter(strength: 0.2, probability: 0.5)(x, draws: draws, order: [0, 1, 2, 3])
    #expect((y[0] - x[0]).abs().amax().item() == 0)
    #expect((y[1] - x[1]).abs().amax().item() > 0.01)
  }

  @Test("a homography takes corners to corners, and its inverse back")
  func homography() {
    let corners = [(x: -0.9, y: -0.6), (x: 0.7, y: -1), (x: 1, y: 0.5), (x: -0.5, y: 0.8)]
    let map = Homography.square(to: corners)
    for (from, to) in zip([(-1.0, -1.0), (1, -1), (1, 1), (-1, 1)], corners) {
      let there = map(from.0, from.1)
      #expect(abs(there.x - to.x) < 1e-9 && abs(there.y - to.y) < 1e-9)
      let back = map.inverse(there.x, there.y)
      #expect(abs(back.x - from.0) < 1e-9 && abs(back.y - from.1) < 1e-9)
    }
  }

  @Test("the erased rectangle has the area and shape that were drawn")
  func erasing() throws {
    #expect(Distortion.hole(64, share: 0.7, [0.9, 0, 0, 0, 0, 0]) == nil)
    let mask = try #require(Distortion.hole(64, share: 0.7, [0.1, 0.5, 0.2, 1, 0.99, 0.99]))
    #expect(mask.shape == [1, 1, 64, 64])
    // Area 0.25, aspect 1: 32 x 32 in the lower right.
    #expect(mask.sum().item() == Double(64 * 64 - 32 * 32))
    #expect(mask.floats()[63 * 64 + 62] == 0)
  }
}
