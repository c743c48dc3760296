import CTorch

/// An n-dimensional array of libtorch, with its history when gradients are wanted.
///
/// Operations trap on shapes that do not fit, naming the operation and the shapes: such a failure is
/// a mistake of the program. Shapes that come from a user's file or request are checked before they
/// reach an operation, or go through a throwing initialiser.
///
/// A tensor is not `Sendable`: it stays with the actor or thread that owns the model.
///
/// Letters used for shapes throughout: `B` batch, `C` channels, `H W` height and width, `T` tokens,
/// `D` width, `N` heads, `K` codebook entries.
public final class Tensor {
  let handle: ct_tensor

  init(handle: ct_tensor) { self.handle = handle }

  deinit { ct_free(handle) }

  /// Number of dimensions.
  public var rank: Int { Int(ct_rank(handle)) }

  /// Size of each dimension.
  public var shape: [Int] {
    [Int](unsafeUninitializedCapacity: rank) { buffer, count in
      count = Int(ct_rank(handle))
      buffer.withMemoryRebound(to: Int64.self) { sizes in
        if let base = sizes.baseAddress { ct_sizes(handle, base) }
      }
    }
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Element type.
  public var dtype: DType { DType(rawValue: ct_dtype(handle)) ?? .float32 }

  /// Where the elements are.
  public var device: Device { Device(number: ct_device(handle)) }

  /// Size of dimension `dim`; negative counts from the end.
  public func size(_ dim: Int) -> Int {
    let sizes = shape
    return sizes[dim < 0 ? sizes.count + dim : dim]
  }
}

extension Tensor: CustomStringConvertible {
  /// Shape, type and device; the values of small tensors.
  public var description: String {
    let head = "Tensor(\(shape), \(dtype), \(device))"
    guard count <= 16 else { return head }
    return dtype.isFloat ? "\(head): \(floats())" : "\(head): \(ints())"
  }
}

// MARK: - Creation

extension Tensor {
  /// A float32 tensor with these values in row-major order.
  public convenience init(_ values: [Float], _ shape: [Int]) {
    self.init(copying: values, shape, .float32)
  }

  /// An int64 tensor with these values in row-major order.
  public convenience init(_ values: [Int], _ shape: [Int]) {
    self.init(copying: values.map(Int64.init), shape, .int64)
  }

  /// A one-dimensional float32 tensor.
  public convenience init(_ values: [Float]) { self.init(values, [values.count]) }

  /// A float32 tensor without dimensions.
  public convenience init(_ value: Double) { self.init([Float(value)], []) }

  private convenience init<Value>(copying values: [Value], _ shape: [Int], _ dtype: DType) {
    let handle = values.withUnsafeBytes { bytes in
      do {
        return try Tensor.copyHandle(bytes, shape, dtype)
      } catch {
        preconditionFailure("\(error)")
      }
    }
    self.init(handle: handle)
  }

  /// A tensor with a copy of these bytes, in row-major order and this machine's byte order.
  /// - Throws: `TorchError` when the number of bytes does not fit the shape.
  public convenience init(copying bytes: UnsafeRawBufferPointer, _ shape: [Int], _ dtype: DType)
    throws(TorchError)
  {
    self.init(handle: try Tensor.copyHandle(bytes, shape, dtype))
  }

  private static func copyHandle(
    _ bytes: UnsafeRawBufferPointer, _ shape: [Int], _ dtype: DType
  ) throws(TorchError) -> ct_tensor {
    var handle: ct_tensor?
    try attempt("copy") {
      ct_copy_of(
        bytes.baseAddress, bytes.count, shape.map(Int64.init), Int32(shape.count), dtype.rawValue,
        &handle)
    }
    guard let handle else {
      throw TorchError(operation: "copy", operands: [], reason: "no tensor came back")
    }
    return handle
  }

  /// A tensor on memory that `owner` keeps valid: no copy is made, and `owner` is kept alive as long
  /// as any tensor refers to the memory. The memory must not be written to through the tensor.
  /// - Parameter strides: elements from one index to the next of each dimension; nil when the elements
  ///   lie in row-major order without gaps. The memory must reach to the last element.
  /// - Throws: `TorchError` when libtorch refuses the shape.
  public convenience init(
    borrowing pointer: UnsafeRawPointer, _ shape: [Int], strides: [Int]? = nil, _ dtype: DType,
    owner: AnyObject
  ) throws(TorchError) {
    let context = Unmanaged.passRetained(owner)
    var handle: ct_tensor?
    do {
      try attempt("borrow") {
        ct_borrow(
          UnsafeMutableRawPointer(mutating: pointer), shape.map(Int64.init),
          strides?.map(Int64.init), Int32(shape.count), dtype.rawValue,
          { context in context.map { Unmanaged<AnyObject>.fromOpaque($0).release() } },
          context.toOpaque(), &handle)
      }
    } catch {
      context.release()
      throw error
    }
    guard let handle else {
      throw TorchError(operation: "borrow", operands: [], reason: "no tensor came back")
    }
    self.init(handle: handle)
  }

  /// Uninitialised memory.
  public static func empty(_ shape: [Int], _ dtype: DType = .float32, device: Device = .cpu)
    -> Tensor
  {
    make("empty") {
      ct_empty(shape.map(Int64.init), Int32(shape.count), dtype.rawValue, device.number, $0)
    }
  }

  /// Every element is `value`.
  public static func full(
    _ shape: [Int], _ value: Double, _ dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    make("full") {
      ct_full(shape.map(Int64.init), Int32(shape.count), value, dtype.rawValue, device.number, $0)
    }
  }

  /// Every element is zero.
  public static func zeros(_ shape: [Int], _ dtype: DType = .float32, device: Device = .cpu)
    -> Tensor
  {
    full(shape, 0, dtype, device: device)
  }

  /// Every element is one.
  public static func ones(_ shape: [Int], _ dtype: DType = .float32, device: Device = .cpu)
    -> Tensor
  {
    full(shape, 1, dtype, device: device)
  }

  /// The whole numbers of a range, int64 unless asked otherwise.
  public static func arange(
    _ range: Range<Int>, _ dtype: DType = .int64, device: Device = .cpu
  ) -> Tensor {
    make("arange") {
      ct_arange(
        Int64(range.lowerBound), Int64(range.upperBound), dtype.rawValue, device.number, $0)
    }
  }
}

// MARK: - Reading and moving

extension Tensor {
  /// The same values in another type.
  public func to(_ dtype: DType) -> Tensor {
    self.dtype == dtype ? self : make("to", [self]) { ct_to_dtype(handle, dtype.rawValue, $0) }
  }

  /// The same values on another device.
  public func to(_ device: Device) -> Tensor {
    self.device == device ? self : make("to", [self]) { ct_to_device(handle, device.number, $0) }
  }

  /// Row-major memory without gaps; `channelsLast` lays `[B, C, H, W]` out as B, H, W, C.
  public func contiguous(channelsLast: Bool = false) -> Tensor {
    make("contiguous", [self]) { ct_contiguous(handle, channelsLast, $0) }
  }

  /// A copy with memory of its own.
  public func cloned() -> Tensor { make("clone", [self]) { ct_clone(handle, $0) } }

  /// Writes another tensor's values into this one's memory, without history.
  public func assign(_ values: Tensor) {
    must("copy_", [self, values]) { ct_copy_(handle, values.handle) }
  }

  /// Calls `body` with the elements' bytes in row-major order.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
    -> Result
  {
    let dense = detached().to(.cpu).contiguous()
    let bytes = UnsafeRawBufferPointer(
      start: ct_data(dense.handle), count: dense.count * dense.dtype.size)
    return try withExtendedLifetime(dense) { try body(bytes) }
  }

  /// All elements in row-major order, as `Float`.
  public func floats() -> [Float] {
    to(.float32).withBytes { Array($0.bindMemory(to: Float.self)) }
  }

  /// All elements in row-major order, as `Int`.
  public func ints() -> [Int] {
    to(.int64).withBytes { $0.bindMemory(to: Int64.self).map(Int.init) }
  }

  /// The value of a tensor with one element.
  public func item() -> Double {
    precondition(count == 1, "item() of a tensor of shape \(shape)")
    return to(.float64).withBytes { $0.bindMemory(to: Double.self)[0] }
  }
}
