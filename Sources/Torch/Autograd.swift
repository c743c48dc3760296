import CTorch

/// Runs `body` without recording history.
public func noGrad<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure)
  -> Result
{
  let before = ct_grad_enabled()
  ct_set_grad_enabled(false)
  defer { ct_set_grad_enabled(before) }
  return try body()
}

/// The gradient of a scalar at each of `tensors`; zeros where it does not depend on one.
/// - Parameter keepingHistory: whether what led to the scalar will be gone through again.
public func gradient(of loss: Tensor, at tensors: [Tensor], keepingHistory: Bool = false)
  -> [Tensor]
{
  pullback(of: loss, along: nil, at: tensors, keepingHistory: keepingHistory)
}

/// The vector-Jacobian product of `output` with `direction`, a tensor of the same shape.
public func pullback(
  of output: Tensor, along direction: Tensor?, at tensors: [Tensor], keepingHistory: Bool = false
) -> [Tensor] {
  var handles = [ct_tensor?](repeating: nil, count: tensors.count)
  must("gradient", [output]) {
    ct_grad(
      output.handle, direction?.handle, tensors.map { $0.handle }, Int32(tensors.count),
      keepingHistory, &handles)
  }
  return handles.compactMap { $0.map(Tensor.init(handle:)) }
}

extension Tensor {
  /// Whether gradients are wanted here.
  public var requiresGrad: Bool { ct_requires_grad(handle) }

  /// A leaf on the same memory at which gradients are wanted.
  public func variable() -> Tensor {
    let leaf = detached()
    must("requires_grad_", [leaf]) { ct_requires_grad_(leaf.handle, true) }
    return leaf
  }

  /// The same memory without history.
  public func detached() -> Tensor { make("detach", [self]) { ct_detach(handle, $0) } }

  /// These values, with gradients flowing to `source` instead (straight-through estimator, Bengio et
  /// al. 2013).
  public func straightThrough(to source: Tensor) -> Tensor { source + (self - source).detached() }
}

/// Runs `body` with matrix products and convolutions in `dtype` and all else as the operations need
/// it: libtorch's autocast. float32 means without, also within another autocast.
public func autocast<Result>(_ dtype: DType, on device: Device, _ body: () throws -> Result)
  rethrows -> Result
{
  let before = ct_autocast(device.number, dtype.rawValue)
  defer {
    _ = ct_autocast(device.number, before)
    if before == DType.float32.rawValue { ct_autocast_clear() }
  }
  return try body()
}
