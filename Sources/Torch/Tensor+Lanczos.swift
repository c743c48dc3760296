import Foundation

extension Tensor {
  /// `[B, C, H, W]` resampled to another height and width, with gradient: sides that shrink are first
  /// smoothed by a windowed sinc, then all is read bicubically with the corners aligned.
  ///
  /// The resample of Katherine Crowson's VQGAN+CLIP notebook (2021), in which cutouts are sized.
  /// Where a picture is too small to be reflected by half the window, its edge is repeated.
  ///
  /// - Parameter lobes: the reach of the sinc on either side, in pixels of the result
  public func lanczosResampled(height: Int, width: Int, lobes: Int = 2) -> Tensor {
    let (b, c, h, w) = (size(0), size(1), size(2), size(3))
    var x = reshaped(b * c, 1, h, w)
    for (dim, from, to) in [(2, h, height), (3, w, width)] where to < from {
      let taps = Self.lanczosTaps(from: from, to: to, lobes: lobes)
      let margin = (taps.count - 1) / 2
      let kernel = Tensor(taps, dim == 2 ? [1, 1, taps.count, 1] : [1, 1, 1, taps.count])
      x = x.padded(
        dim == 2 ? [0, 0, margin, margin] : [margin, margin, 0, 0],
        margin < from ? .reflect : .replicate
      ).conv2d(kernel.to(device).to(dtype))
    }
    return x.reshaped(b, c, h, w).resampled(height, width, .bicubic, alignCorners: true)
  }

  /// The window for shrinking a side: `sinc(x) sinc(x / lobes)` at steps of `to / from`, sum 1.
  static func lanczosTaps(from: Int, to: Int, lobes: Int) -> [Float] {
    let (ratio, reach) = (Double(to) / Double(from), Double(lobes))
    func sinc(_ x: Double) -> Double { x == 0 ? 1 : Foundation.sin(.pi * x) / (.pi * x) }
    let last = Int((reach / ratio + 1).rounded(.up)) - 2
    let values = (-last...last).map { k -> Double in
      let x = Double(k) * ratio
      return x.magnitude < reach ? sinc(x) * sinc(x / reach) : 0
    }
    let sum = values.reduce(0, +)
    return values.map { Float($0 / sum) }
  }
}
