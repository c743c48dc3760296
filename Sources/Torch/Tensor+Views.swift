import CTorch

extension Tensor {
  /// Changes of brightness, contrast, saturation and hue, as kornia 0.5.4 makes them, in one pass.
  /// - Parameters:
  ///   - factors: of each of the four for each picture; neutral at 1, the hue's, a share of the circle, at 0.
  ///   - chosen: which pictures are changed.
  ///   - order: a permutation of 0..<4.
  /// - Precondition: this is `[B, 3, H, W]` in 0…1, in float32 on the CPU.
  public func colorJittered(_ factors: [[Double]], chosen: [Bool], order: [Int]) -> Tensor {
    let (numbers, kinds) = (factors.flatMap { $0.map(Float.init) }, order.map(Int32.init))
    precondition(numbers.count == 4 * size(0) && chosen.count == size(0) && order.count == 4)
    return make("color_jitter", [self]) { ct_color_jitter(handle, numbers, chosen, kinds, $0) }
  }
}
