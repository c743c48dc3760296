import Foundation
import Torch

// What augmentations do in one iteration.

extension Cutouts {
  /// One step for each augmentation, in order, with random numbers from a stream of its own.
  func steps(_ iteration: Int) -> [ViewStep] {
    var seen: [Augmentation.Kind: Int] = [:]
    return augmentations.compactMap { augmentation in
      let occurrence = seen[augmentation.kind, default: 0]
      seen[augmentation.kind] = occurrence + 1
      let name = "\(augmentation.kind.rawValue) \(occurrence)"
      if mode == .dango, let shared = SharedAugmentation(augmentation, size: size) {
        return shared.step(views: count) { stream("\(name) \($0)", iteration) }
      }
      if let maps = maps(augmentation, name, iteration) {
        let isAffine = augmentation.kind == .affine
        return .warp(maps, outside: isAffine ? mode.amounts.outside : .zeros)
      }
      return step(augmentation, name, iteration)
    }
  }

  /// The map of every view for an augmentation that is one; nil for another.
  func maps(_ augmentation: Augmentation, _ name: String, _ iteration: Int) -> [Homography]? {
    let (amounts, strength) = (mode.amounts, augmentation.strength)
    func each(_ columns: Int, _ share: Double, _ map: ([Double]) -> Homography) -> [Homography] {
      table(name, iteration, 1 + columns).map { u in
        u[0] < share ? map(Array(u.dropFirst())) : .identity
      }
    }
    switch augmentation.kind {
    case .affine:
      return each(3, amounts.affineShare) { u in
        // kornia makes a range of up and down of the one number for both shifts.
        .affine(
          degrees: spread(u[0], amounts.degrees * strength),
          shear: spread(u[1], amounts.shear * strength),
          shift: (0, spread(u[2], amounts.shift * strength * Double(size))), width: size,
          height: size)
      }
    case .perspective:
      return each(8, amounts.perspectiveShare) { u in
        perspective(u, min(1, amounts.distortion * strength), size, size)
      }
    case .rotation:
      return each(1, amounts.rotationShare) { u in
        Homography.turning(
          -spread(u[0], amounts.rotation * strength) * .pi / 180, shear: 0, shift: 0, 0
        ).inverse
      }
    case .resizedCrop:
      // It comes for all or for none.
      let isChosen =
        stream(name + " chance", iteration).uniform([1]).item() < amounts.resizedShare
      let least = max(0.01, 1 - (1 - amounts.resizedArea) * strength)
      return each(22, isChosen ? 1 : 0) { u in
        let box = Homography.Box.random(of: size, size, area: least...1, ratio: 0.75...(4 / 3), u)
        return .crop(box, of: size, size, to: size)
      }
    case .flip: return each(0, amounts.flipShare * strength) { _ in .scaling(-1, 1) }
    default: return nil
    }
  }

  /// kornia's `RandomPerspective` with eight uniform numbers.
  func perspective(_ u: [Double], _ distortion: Double, _ width: Int, _ height: Int) -> Homography {
    let (x, y) = (distortion * Double(width) / 2, distortion * Double(height) / 2)
    return .perspective(
      inwards: (0..<4).map { (x: u[2 * $0] * x, y: u[2 * $0 + 1] * y) }, width: width,
      height: height)
  }

  func spread(_ u: Double, _ range: Double) -> Double { (2 * u - 1) * range }

  /// The step of an augmentation that is no projective map; nil where nothing happens.
  func step(_ augmentation: Augmentation, _ name: String, _ iteration: Int) -> ViewStep? {
    let (amounts, strength) = (mode.amounts, augmentation.strength)
    func values(_ columns: Int) -> [[Double]] { table(name, iteration, columns) }
    /// Done to the share of views that chance picks.
    func some(
      _ share: Double, _ picked: [[Double]], isGeometric: Bool = false,
      _ change: @escaping (Tensor) -> Tensor
    ) -> ViewStep? {
      let chosen = picked.map { $0[0] < share }
      guard chosen.contains(true) else { return nil }
      return ViewStep(isGeometric: isGeometric) { views in
        chosen.mask(on: views.device).choose(change(views), views)
      }
    }
    switch augmentation.kind {
    case .jitter:
      let jitter = amounts.jitter.scaled(strength)
      let order = stream(name + " order", iteration).permutation(4).ints()
      let draws = values(5).map { $0.map(Float.init) }
      return .color { jitter($0, draws: draws, order: order) }
    case .sharpness:
      let draws = values(2)
      let factors = draws.map { $0[1] * amounts.sharpness * strength }
      return some(amounts.sharpnessShare, draws) { Distortion.sharpened($0, factors) }
    case .gaussianNoise:
      let noise = normal(name, iteration)
      return some(amounts.gaussianShare, values(1)) { $0 + (noise * strength).to($0.device) }
    case .noise:
      let factors = values(1).map { Float($0[0] * amounts.noise * strength) }
      let noise = normal(name, iteration) * Tensor(factors, [count, 1, 1, 1])
      return .color { $0 + noise.to($0.device) }
    case .elastic:
      let field =
        stream(name + " field", iteration).uniform([count, 2, size, size]) * 2 - 1
      return some(amounts.elasticShare, values(1), isGeometric: true) {
        Distortion.elastic($0, field, strength: strength)
      }
    case .thinPlate:
      // The four corners and the middle; one chance for all views.
      let still = [(-1, -1), (-1, 1), (1, -1), (1, 1), (0, 0)].map {
        Distortion.Point(x: Double($0.0), y: Double($0.1))
      }
      let moved = values(10).map { u in
        still.enumerated().map { index, point in
          Distortion.Point(
            x: point.x + spread(u[2 * index], amounts.plate * strength),
            y: point.y + spread(u[2 * index + 1], amounts.plate * strength))
        }
      }
      guard stream(name + " chance", iteration).uniform([1]).item() < amounts.plateShare else {
        return nil
      }
      return ViewStep(isGeometric: true) { views in
        Distortion.thinPlate(views, from: moved, to: moved.map { _ in still })
      }
    case .erasing:
      let u = stream(name, iteration).uniform([6]).floats().map(Double.init)
      let hole = Distortion.hole(size, share: amounts.erasingShare, strength: strength, u)
      return hole.map { hole in .color { $0 * hole.to($0.device) } }
    case .grayscale: return some(amounts.grayShare * strength, values(1), Distortion.gray)
    case .crop, .affine, .perspective, .rotation, .resizedCrop, .flip: return nil
    }
  }

  private func normal(_ name: String, _ iteration: Int) -> Tensor {
    stream(name + " values", iteration).normal([count, 3, size, size])
  }
}
