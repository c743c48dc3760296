import CTorch

// Reductions, and the functions that work along one dimension.

extension Tensor {
  private typealias ReduceCall = (
    ct_tensor?, UnsafePointer<Int64>?, Int32, Bool, UnsafeMutablePointer<ct_tensor?>?
  ) -> Int32

  private func reduce(
    _ name: StaticString, _ dims: [Int]?, _ keep: Bool, _ call: ReduceCall
  ) -> Tensor {
    let dims = (dims ?? Array(0..<rank)).map(Int64.init)
    return make(name, [self]) { call(handle, dims, Int32(dims.count), keep, $0) }
  }

  /// Sum over the given dimensions, or over all.
  public func sum(over dims: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    reduce("sum", dims, keepDims, ct_sum)
  }
  /// Mean over the given dimensions, or over all.
  public func mean(over dims: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    reduce("mean", dims, keepDims, ct_mean)
  }
  /// Largest value over the given dimensions, or over all.
  public func amax(over dims: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    reduce("amax", dims, keepDims, ct_amax)
  }
  /// Smallest value over the given dimensions, or over all.
  public func amin(over dims: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    reduce("amin", dims, keepDims, ct_amin)
  }

  /// Index of the largest value along `dim`; the first of equals.
  public func argmax(over dim: Int, keepDims: Bool = false) -> Tensor {
    make("argmax", [self]) { ct_argmax(handle, Int32(dim), keepDims, $0) }
  }
  /// Index of the smallest value along `dim`; the first of equals.
  public func argmin(over dim: Int, keepDims: Bool = false) -> Tensor {
    make("argmin", [self]) { ct_argmin(handle, Int32(dim), keepDims, $0) }
  }
  /// Positive values along `dim` that sum to one.
  public func softmax(over dim: Int) -> Tensor {
    make("softmax", [self]) { ct_softmax(handle, Int32(dim), $0) }
  }
  /// Logarithm of the softmax along `dim`.
  public func logSoftmax(over dim: Int) -> Tensor {
    make("log_softmax", [self]) { ct_log_softmax(handle, Int32(dim), $0) }
  }
  /// Euclidean length along `dim`.
  public func norm(over dim: Int, keepDims: Bool = false) -> Tensor {
    make("norm", [self]) { ct_norm(handle, Int32(dim), keepDims, $0) }
  }
  /// Scaled to length one along `dim`; lengths below `eps` count as `eps`.
  public func normalized(over dim: Int = -1, eps: Double = 1e-12) -> Tensor {
    self / norm(over: dim, keepDims: true).clamped(eps, .infinity)
  }
  /// Running sum along `dim`.
  public func cumulativeSum(over dim: Int) -> Tensor {
    make("cumsum", [self]) { ct_cumsum(handle, Int32(dim), $0) }
  }
  /// The `k` largest values along `dim` in falling order, and where they stand.
  public func topK(_ k: Int, over dim: Int = -1) -> (values: Tensor, indices: Tensor) {
    pair("topk") { ct_topk(handle, Int64(k), Int32(dim), $0, $1) }
  }
  /// All values along `dim` in order (equal ones keep theirs), and where they stood.
  public func sorted(over dim: Int = -1, descending: Bool = false) -> (
    values: Tensor, indices: Tensor
  ) {
    pair("sort") { ct_sort(handle, Int32(dim), descending, $0, $1) }
  }

  private func pair(
    _ name: StaticString,
    _ call: (UnsafeMutablePointer<ct_tensor?>, UnsafeMutablePointer<ct_tensor?>) -> Int32
  ) -> (Tensor, Tensor) {
    var second: ct_tensor?
    let first = make(name, [self]) { call($0, &second) }
    guard let second else { preconditionFailure("\(name) gave one tensor instead of two") }
    return (first, Tensor(handle: second))
  }

  /// Whether none of its elements is NaN or infinite. The largest and the smallest tell: where there is a
  /// NaN, it is both.
  public var hasOnlyNumbers: Bool {
    guard dtype.isFloat, count > 0 else { return true }
    return [amax(), amin()].allSatisfy { $0.to(.float32).item().isFinite }
  }
}
