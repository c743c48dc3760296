import Foundation
import Torch

/// The sizes and places of squares as big-sleep and deep-daze choose them. Only `isCentered` and
/// `focus` concern big-sleep, whose sizes are fixed.
public struct SquareOptions: Sendable, Hashable {
  /// The smallest square, as a share of the picture's shorter side.
  public var lower = 0.1
  /// The largest square.
  public var upper = 1.0
  /// What `lower` rises to in the course of the painting; nil leaves it.
  public var lowerAtEnd: Double?
  /// Whether sizes gather around `mean`; those beyond a bound are drawn again, evenly.
  public var isGaussian = false
  /// Of Gaussian sizes.
  public var mean = 0.6
  /// Of Gaussian sizes.
  public var deviation = 0.2
  /// Whether squares gather around the middle of the picture.
  public var isCentered = false
  /// How closely.
  public var focus = 2.0

  /// The values of deep-daze.
  public init() {}
}

/// A square of a picture, in pixels.
struct Square: Equatable {
  var side: Int
  var x: Int
  var y: Int

  func cut(_ picture: Tensor) -> Tensor {
    picture.narrowed(2, y, side).narrowed(3, x, side)
  }
}

extension Cutouts {
  /// Crowson's cutouts: squares between CLIP's size and the whole, filtered when they shrink.
  func randomSquares(_ iteration: Int) -> (Tensor) -> Tensor {
    let draws = table("squares", iteration, 3)
    return { picture in
      let views = draws.map { u in
        Lanczos.resampled(
          randomSquare(u, picture.size(2), picture.size(3)).cut(picture), size, size)
      }
      return concatenated(views, over: 0)
    }
  }

  func randomSquare(_ u: [Double], _ height: Int, _ width: Int) -> Square {
    let largest = min(height, width)
    let smallest = min(largest, size)
    let side = Int(pow(u[0], power) * Double(largest - smallest)) + smallest
    return Square(
      side: side, x: Int(u[1] * Double(width - side + 1)), y: Int(u[2] * Double(height - side + 1)))
  }

  /// The squares of big-sleep and deep-daze, interpolated linearly.
  func sizedSquares(_ iteration: Int, _ progress: Double) -> (Tensor) -> Tensor {
    let draws = table("squares", iteration, 9)
    return { picture in
      let views = draws.map { u in
        sizedSquare(u, picture.size(2), picture.size(3), progress).cut(picture)
          .resampled(size, size, .bilinear, antialias: mode == .bigSleep)
      }
      return concatenated(views, over: 0)
    }
  }

  func sizedSquare(_ u: [Double], _ height: Int, _ width: Int, _ progress: Double) -> Square {
    let largest = min(height, width)
    var share: Double
    if mode == .bigSleep {
      share = min(0.95, max(0.5, 0.8 + 0.3 * Self.normal(u[0], u[1])))
    } else {
      let upper = max(squares.upper, squares.lower)
      let rise = max(0, (squares.lowerAtEnd ?? 0) - squares.lower)
      let lower = min(upper, squares.lower + progress * rise)
      share = squares.mean + squares.deviation * Self.normal(u[0], u[1])
      if !squares.isGaussian || !(lower...upper).contains(share) {
        share = lower + u[2] * (upper - lower)
      }
    }
    let side = min(largest, max(1, Int(share * Double(largest))))
    func place(_ free: Int, _ u: ArraySlice<Double>) -> Int {
      let u = Array(u)
      if squares.isCentered {
        let middle = Double(free) / 2
        let place = middle + middle / squares.focus * Self.normal(u[0], u[1])
        if (0...Double(free)).contains(place) { return Int(place) }
      }
      return Int(u[2] * Double(free + 1))
    }
    return Square(side: side, x: place(width - side, u[3..<6]), y: place(height - side, u[6..<9]))
  }

  /// A standard normal number from two uniform ones (Box & Muller 1958).
  static func normal(_ u: Double, _ v: Double) -> Double {
    (-2 * log(1 - u)).squareRoot() * cos(2 * .pi * v)
  }
}
