import Foundation
import Torch

/// Weights kept in half of half precision: whole numbers from -127 to 127, and a scale for each row.
///
/// A matrix or kernel `X` of `[out, …]` is kept as int8 under its own name, beside its scales `[out]`
/// under `X.scale`; the file's metadata says so. Read back, weights differ from what was written by at
/// most half a 127th of the largest of their row. It is Reverie's own form, for its packs.
public enum EightBits {
  static let mark = (key: "eight_bits", value: "rows")
  static let suffix = ".scale"
  /// Elements from which a matrix or kernel is large.
  static let least = 4096

  /// Tensors as they are to be written: large ones in eight bits, the rest in half precision.
  /// - Returns: the tensors and the metadata that the file needs.
  public static func packed(_ tensors: [String: Tensor]) -> (
    tensors: [String: Tensor], metadata: [String: String]
  ) {
    var packed: [String: Tensor] = [:]
    for (name, tensor) in tensors {
      guard tensor.rank > 1, tensor.count >= least else {
        packed[name] = tensor.to(.float16)
        continue
      }
      let rows = rows(tensor.reshaped(tensor.size(0), -1), fewDigits: true)
      packed[name] = rows.values.reshaped(tensor.shape)
      packed[name + suffix] = rows.scales
    }
    return (packed, [mark.key: mark.value])
  }

  /// A matrix `[out, in]` in eight bits.
  /// - Parameter fewDigits: of scales: 127 of them then are the row's largest exactly, and weights that were
  ///   packed once are packed the same again. Rows must be below 2,000 for it.
  static func rows(_ matrix: Tensor, fewDigits: Bool = false) -> EightBitRows {
    let (height, width) = (matrix.size(0), matrix.size(1))
    let (values, scales) = (Tensor.empty([height, width], .int8), Tensor.empty([height]))
    // In parts that are small beside what is kept, so that the memory between them is used again.
    let step = max(1, (1 << 20) / max(1, width))
    for start in stride(from: 0, to: height, by: step) {
      let count = min(step, height - start)
      let rows = matrix.narrowed(0, start, count).to(.float32)  // [count, in]
      let exact = rows.abs().amax(over: [1], keepDims: true) / 127
      let rounded = fewDigits ? (exact * 4096).to(.float16).to(.float32) / 4096 : exact
      // A row of zeros may have any scale but zero.
      let scale = rounded.clamped(1e-9, .infinity)  // [count, 1]
      values.narrowed(0, start, count).assign((rows / scale).round().clamped(-127, 127))
      scales.narrowed(0, start, count).assign(scale.reshaped(count))
    }
    return EightBitRows(values: values, scales: scales)
  }
}

extension TensorFile {
  /// Whether some of its tensors are kept in eight bits.
  private var hasEightBits: Bool { metadata[EightBits.mark.key] == EightBits.mark.value }

  /// The type of a tensor of whole numbers that stand for themselves; nil for all others.
  func wholeNumbers(_ name: String) -> DType? {
    guard let dtype = entries[name]?.dtype, !dtype.isFloat, !(hasEightBits && dtype == .int8) else {
      return nil
    }
    return dtype
  }

  /// Whether a tensor only tells the scales of another that is kept in eight bits.
  func isScale(_ name: String) -> Bool {
    guard hasEightBits, name.hasSuffix(EightBits.suffix) else { return false }
    return entries[String(name.dropLast(EightBits.suffix.count))]?.dtype == .int8
  }

  /// The tensor called `name`; one that is kept in eight bits as float32.
  /// - Throws: `WeightsError.missing` when there is none, or no scales to it; `WeightsError.tensor` when
  ///   there are not as many as rows.
  public func weight(_ name: String) throws -> Tensor {
    guard let rows = try rows(name) else { return try tensor(name) }
    let each = Array(repeating: 1, count: rows.values.rank - 1)
    return rows.values.to(.float32) * rows.scales.reshaped([rows.scales.count] + each)
  }

  /// The part of ``weight(_:)`` at an index of its first dimension.
  func weight(_ name: String, at index: Int) throws -> Tensor {
    guard try rows(name) == nil else { return try weight(name).select(0, index) }
    return try tensor(name, at: index)
  }

  /// The tensor called `name` as it is kept, its scales float32; nil when it is not kept in eight bits.
  /// - Throws: as ``weight(_:)``.
  func rows(_ name: String) throws -> EightBitRows? {
    guard hasEightBits, entries[name]?.dtype == .int8 else { return nil }
    let values = try tensor(name)
    let scales = try tensor(name + EightBits.suffix)
    guard values.rank > 0, scales.shape == [values.size(0)], scales.dtype.isFloat else {
      throw WeightsError.tensor(
        path: url.path, name: name + EightBits.suffix, reason: "is not one scale for each row")
    }
    return EightBitRows(values: values, scales: scales.to(.float32))
  }
}
