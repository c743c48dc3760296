import CTorch

/// A matrix kept as whole numbers and a scale for each row.
public struct EightBitRows {
  /// `[out, in]` int8.
  public let values: Tensor
  /// `[out]` float32
  public let scales: Tensor

  /// Values `[out, in]` int8 and the scales `[out]` of their rows.
  public init(values: Tensor, scales: Tensor) {
    self.values = values
    self.scales = scales
  }
}

extension Tensor {
  /// `x Wᵀ` over the last dimension, forward only: float32 `[…, in]` to `[…, out]`, on the CPU and by the calling
  /// thread alone. As fast as memory for few rows of `x`; `linear` with floating-point weights is for many.
  public func linear(_ rows: EightBitRows) -> Tensor {
    let flat = reshaped(-1, size(-1))
    let result = make("linear", [flat, rows.values]) {
      ct_linear_int8(flat.handle, rows.values.handle, rows.scales.handle, $0)
    }
    return result.reshaped(Array(shape.dropLast()) + [rows.values.size(0)])
  }
}
