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

  /// `[B, C, H, W]` to `[B, C, height, width]`.
  static func resampled(_ x: Tensor, _ height: Int, _ width: Int) -> Tensor {
    if x.size(2) == height, x.size(3) == width { return x }
    var y = x.reshaped(-1, 1, x.size(2), x.size(3))  // [B C, 1, H, W]
    y = filtered(y, over: 2, taps(from: x.size(2), to: height))
    y = filtered(y, over: 3, taps(from: x.size(3), to: width))
    return y.resampled(height, width, .bicubic, alignCorners: true)
      .reshaped(x.size(0), x.size(1), height, width)
  }

  private static func filtered(_ x: Tensor, over dim: Int, _ taps: [Double]) -> Tensor {
    guard taps.count > 1 else { return x }
    let reach = taps.count / 2
    // A reflection needs more pixels than it adds.
    let padding: Tensor.Padding = reach < x.size(dim) ? .reflect : .replicate
    let widths = dim == 3 ? [reach, reach, 0, 0] : [0, 0, reach, reach]
    let shape = dim == 3 ? [1, 1, 1, taps.count] : [1, 1, taps.count, 1]
    let weight = Tensor(taps.map(Float.init), shape).to(x.device)
    return x.padded(widths, padding).conv2d(weight)
  }
}
