import CTorch

/// A matrix of weights `[out, in]` as it is held.
public enum Matrix {
  /// Floating-point numbers.
  case floats(Tensor)
  /// Whole numbers and a scale for each row.
  case eightBits(EightBitRows)

  /// In floating point; eight bits become float32, each time that they are asked for.
  public var floats: Tensor {
    switch self {
    case .floats(let weights): weights
    case .eightBits(let rows): rows.floats
    }
  }

  /// As it is kept in eight bits; nil where it is not.
  public var rows: EightBitRows? {
    if case .eightBits(let rows) = self { rows } else { nil }
  }
}

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

  /// What they stand for, float32 `[out, in]`.
  public var floats: Tensor { values.to(.float32) * scales.reshaped(scales.count, 1) }
}

extension Tensor {
  /// `x Wᵀ` over the last dimension, forward only: float32 `[…, in]` to `[…, out]`, on the CPU. As fast as memory for
  /// few rows of `x`; `linear` with floating-point weights is for many.
  public func linear(_ rows: EightBitRows) -> Tensor { linear([rows]) }

  /// As ``linear(_:)-(EightBitRows)`` with several matrices, side by side: to `[…, sum of their out]`.
  /// - Parameter threads: that may share a large one; the result is the same with any number.
  public func linear(_ rows: [EightBitRows], threads: Int = 1) -> Tensor {
    product(rows.map(\.values), scales: rows.map(\.scales), threads)
  }

  /// The same with matrices `[out, in]` that are all float32 or all bfloat16.
  public func linear(fewRowsBy weights: [Tensor], threads: Int = 1) -> Tensor {
    product(weights, scales: nil, threads)
  }

  private func product(_ weights: [Tensor], scales: [Tensor]?, _ threads: Int) -> Tensor {
    let flat = reshaped(-1, size(-1))
    let result = make("linear", [flat] + weights) {
      let values: [ct_tensor?] = weights.map { $0.handle }
      guard let scales else {
        return ct_linear_rows(flat.handle, values, nil, Int32(values.count), Int32(threads), $0)
      }
      return ct_linear_rows(
        flat.handle, values, scales.map { $0.handle }, Int32(values.count), Int32(threads), $0)
    }
    return result.reshaped(Array(shape.dropLast()) + [result.size(1)])
  }
}
