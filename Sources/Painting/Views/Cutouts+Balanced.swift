import Foundation
import Torch

// Our own views: some show the whole picture, others random squares of it.

extension Cutouts {
  /// One view: where it reads, and which of the shrunken pictures it reads from.
  struct View: Equatable {
    /// From the view's coordinates to the picture's, both -1…1.
    var map: Homography
    /// 0 is the pooled whole; 1 the picture, 2 the picture at half size, and so on.
    var source: Int
  }

  /// The square of a view and all its projective maps are one, and all views are read by one grid
  /// sampling for each source.
  func balanced(_ iteration: Int) -> ViewSet {
    let stream = RandomStream(seed: seed, "cutouts \(iteration)")
    let columns = 24
    let flat = stream.uniform([count, columns]).floats()
    let draws = (0..<count).map { Array(flat[($0 * columns)..<(($0 + 1) * columns)]) }
    let kinds = Set(augmentations.map(\.kind))
    let order = kinds.contains(.jitter) ? stream.permutation(4).ints() : []
    let erased = kinds.contains(.erasing) ? stream.uniform([6]).floats().map(Double.init) : []
    let noise = kinds.contains(.noise) ? stream.normal([count, 3, size, size]) : nil

    let others = self.maps(iteration)
    let steps = augmentations.compactMap { augmentation -> ViewStep? in
      let strength = augmentation.strength
      switch augmentation.kind {
      case .jitter:
        let jitter = mode.amounts.jitter.scaled(strength)
        return .color { jitter($0, draws: draws.map { Array($0[14..<19]) }, order: order) }
      case .erasing:
        let share = mode.amounts.erasingShare
        let hole = Distortion.hole(size, share: share, strength: strength, erased)
        return hole.map { hole in .color { $0 * hole.to($0.device) } }
      case .noise:
        let factors = draws.map { $0[19] * Float(mode.amounts.noise * strength) }
        let scaled = noise.map { $0 * Tensor(factors, [count, 1, 1, 1]) }
        return scaled.map { noise in .color { $0 + noise.to($0.device) } }
      default: return step(augmentation, "\(augmentation.kind.rawValue)", iteration)
      }
    }
    return ViewSet(
      look: { picture in
        let (height, width) = (picture.size(2), picture.size(3))
        return read(views(draws, others, height: height, width: width), from: picture)
      }, steps: steps)
  }

  /// The maps of the augmentations that are one and not drawn from the table of `balanced`.
  private func maps(_ iteration: Int) -> [Augmentation: [Homography]] {
    var maps: [Augmentation: [Homography]] = [:]
    for augmentation in augmentations where ![.affine, .perspective].contains(augmentation.kind) {
      maps[augmentation] = self.maps(augmentation, augmentation.kind.rawValue, iteration)
    }
    return maps
  }

  // MARK: Where views read

  /// Views of the whole picture first, then squares from large to small.
  func views(
    _ draws: [[Float]], _ others: [Augmentation: [Homography]] = [:], height: Int, width: Int
  ) -> [View] {
    let whole = max(1, Int((Double(count) * wholeShare).rounded()))
    var views = draws.enumerated().map { index, draw in
      let d = draw.map(Double.init)
      let bend = augmentations.reduce(Homography.identity) { bend, augmentation in
        let other = others[augmentation]?[index]
        return (warp(augmentation, d) ?? other).map { bend * $0 } ?? bend
      }
      guard index >= whole else { return View(map: bend, source: 0) }
      // Classic squares are never smaller than CLIP's picture; where the whole picture is hardly
      // larger, they would all be the whole, so half the picture is allowed.
      let largest = Double(min(height, width))
      let smallest = min(largest, Double(size), max(1, largest / 2))
      let part = power == 1 ? d[0] : pow(d[0], power)
      let side = (part * (largest - smallest) + smallest).rounded(.down)
      let (sx, sy) = (side / Double(width), side / Double(height))
      let (tx, ty) = ((2 * d[1] - 1) * (1 - sx), (2 * d[2] - 1) * (1 - sy))
      let level = max(0, Int(log2(side / Double(size)).rounded(.down)))
      return View(map: .scaling(sx, sy, shift: tx, ty) * bend, source: 1 + level)
    }
    views.sort { $0.source < $1.source }  // stable: equal sources keep their order
    return views
  }

  /// Affine map or perspective of one view, from the view's coordinates back to the unbent ones; nil
  /// where there is none.
  private func warp(_ augmentation: Augmentation, _ d: [Double]) -> Homography? {
    let (amounts, strength) = (mode.amounts, augmentation.strength)
    switch augmentation.kind {
    case .affine where d[3] < amounts.affineShare:
      return Homography.turning(
        spread(d[4], amounts.degrees * strength) * .pi / 180,
        shear: spread(d[5], amounts.shear * strength) * .pi / 180,
        shift: spread(d[6], 2 * amounts.shift * strength),
        spread(d[7], 2 * amounts.shift * strength)
      ).inverse
    case .perspective where d[8] < amounts.perspectiveShare:
      // Each corner moves inwards by up to half the distortion times the side.
      let reach = min(1, amounts.distortion * strength)
      let corners = [
        (x: -1 + d[9] * reach, y: -1 + d[10] * reach),
        (x: 1 - d[11] * reach, y: -1 + d[12] * reach),
        (x: 1 - d[13] * reach, y: 1 - d[20] * reach), (x: -1 + d[21] * reach, y: 1 - d[22] * reach),
      ]
      return Homography.square(to: corners).inverse
    default: return nil
    }
  }

  // MARK: Reading

  private func read(_ views: [View], from picture: Tensor) -> Tensor {
    var parts: [Tensor] = []
    var start = 0
    while start < views.count {
      let source = views[start].source
      let end = views[start...].firstIndex { $0.source != source } ?? views.count
      let image = sourceImage(source, picture)
      let grid = Homography.grid(views[start..<end].map(\.map), size).to(picture.device)
      let repeated = image.expanded([end - start, image.size(1), image.size(2), image.size(3)])
      parts.append(repeated.gridSampled(grid, outside: .border))
      start = end
    }
    return parts.count == 1 ? parts[0] : concatenated(parts, over: 0)
  }

  private func sourceImage(_ source: Int, _ picture: Tensor) -> Tensor {
    switch source {
    case 0: pooled(picture, size, size)
    case 1: picture
    default: picture.averagePooled(1 << (source - 1))
    }
  }
}
