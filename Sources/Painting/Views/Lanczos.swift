import Foundation
import Torch

/// Crowson's resampling of cutouts: where the picture shrinks, a Lanczos filter takes away what the
/// smaller one cannot show; then cubic interpolation from corner to corner.
enum Lanczos {
  /// The filter along one axis, with sum 1; one tap where nothing shrinks.
  static func taps(from source: Int, to target: Int, lobes: Double = 2) -> [Double] {
    guard target < source else { return [1] }
    let ratio = Double(target) / Double(source)
    let reach = Int((lobes / ratio + 1).rounded(.up)) - 2
    func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
    let values = (-reach...reach).map { index in
      let x = Double(index) * ratio
      return abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0
    }
    let sum = values.reduce(0, +)
    return values.map { $0 / sum }
  }

  /// `[B, C, H, W]` to `[B, C, height, width]`: filter and interpolation of an axis are one matrix,
  /// several times faster on the CPU than convolutions with so few channels.
  static func resampled(_ x: Tensor, _ height: Int, _ width: Int) -> Tensor {
    if x.size(2) == height, x.size(3) == width { return x }
    let rows = Tensor(matrix(from: x.size(2), to: height), [height, x.size(2)]).to(x.device)
    let columns = Tensor(matrix(from: x.size(3), to: width), [width, x.size(3)]).to(x.device)
    return rows.matmul(x.matmul(columns.transposed()))
  }

  /// What each pixel of the target takes from each of the source, in rows.
  static func matrix(from source: Int, to target: Int) -> [Float] {
    let taps = taps(from: source, to: target)
    let reach = taps.count / 2
    var matrix = [Float](repeating: 0, count: source * target)
    for row in 0..<target {
      let place = target > 1 ? Double(row * (source - 1)) / Double(target - 1) : 0
      let first = Int(place) - 1
      for (index, part) in cubic(place - place.rounded(.down)).enumerated() {
        let middle = min(source - 1, max(0, first + index))
        for (offset, tap) in taps.enumerated() {
          let column = reflected(middle + offset - reach, source)
          matrix[row * source + column] += Float(part * tap)
        }
      }
    }
    return matrix
  }

  /// Weights of the four pixels around a place that lies `t` behind the second (Keys 1981, with
  /// PyTorch's slope of -0.75).
  private static func cubic(_ t: Double) -> [Double] {
    let slope = -0.75
    func near(_ x: Double) -> Double { ((slope + 2) * x - (slope + 3)) * x * x + 1 }
    func far(_ x: Double) -> Double { ((slope * x - 5 * slope) * x + 8 * slope) * x - 4 * slope }
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
  }

  /// The pixel that stands at `index` when the line is mirrored at its outermost pixels.
  private static func reflected(_ index: Int, _ count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let place = ((index % period) + period) % period
    return min(place, period - place)
  }
}
