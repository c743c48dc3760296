import CTorch

/// An operation that libtorch refused: its name, the shapes it was given and libtorch's reason.
public struct TorchError: Error, CustomStringConvertible, Equatable {
  /// The operation's name, `matmul` for instance.
  public let operation: String
  /// Shapes and types of the operands, `[2, 3] float32`.
  public let operands: [String]
  /// libtorch's own words, without its backtrace.
  public let reason: String

  /// Operation, operands and reason in one line.
  public var description: String {
    let given = operands.isEmpty ? "" : " of " + operands.joined(separator: ", ")
    return "\(operation)\(given) failed: \(reason)"
  }
}

/// Runs one call of the C family; turns a non-zero status into a `TorchError`.
@inline(__always)
func attempt(_ operation: StaticString, _ operands: [Tensor] = [], _ call: () -> Int32)
  throws(TorchError)
{
  guard call() != 0 else { return }
  throw TorchError(
    operation: "\(operation)", operands: operands.map { "\($0.shape) \($0.dtype)" },
    reason: String(cString: ct_last_error()))
}

/// As `attempt`, giving the tensor that the call makes.
@inline(__always)
func attemptTensor(
  _ operation: StaticString, _ operands: [Tensor] = [],
  _ call: (UnsafeMutablePointer<ct_tensor?>) -> Int32
) throws(TorchError) -> Tensor {
  var handle: ct_tensor?
  try attempt(operation, operands) { call(&handle) }
  guard let handle else {
    throw TorchError(operation: "\(operation)", operands: [], reason: "no tensor came back")
  }
  return Tensor(handle: handle)
}

/// An operation that can fail only by our own mistake: a failure stops the program with its name
/// and shapes.
@inline(__always)
func make(
  _ operation: StaticString, _ operands: [Tensor] = [],
  _ call: (UnsafeMutablePointer<ct_tensor?>) -> Int32
) -> Tensor {
  do {
    return try attemptTensor(operation, operands, call)
  } catch {
    preconditionFailure("\(error)")
  }
}

/// As `make`, for calls that give no tensor.
@inline(__always)
func must(_ operation: StaticString, _ operands: [Tensor] = [], _ call: () -> Int32) {
  do {
    try attempt(operation, operands, call)
  } catch {
    preconditionFailure("\(error)")
  }
}
