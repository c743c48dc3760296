import Foundation
import Torch

/// What a file says about one tensor before its elements are read.
public struct TensorEntry: Sendable, Hashable {
  /// Element type.
  public let dtype: DType
  /// Size of each dimension.
  public let shape: [Int]

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The number of elements of a shape; nil where no file can hold them. Of an empty tensor the other dimensions
  /// count as much: what is computed of shapes must not overflow.
  static func elements(_ shape: [Int]) -> Int? {
    var room = 1
    for size in shape {
      let (product, overflow) = room.multipliedReportingOverflow(by: max(1, size))
      guard !overflow, product <= 1 << 48 else { return nil }
      room = product
    }
    return shape.contains(0) ? 0 : room
  }

  /// Bytes that the elements take.
  public var byteCount: Int { count * dtype.size }
}

/// Where the elements of a tensor lie.
public struct TensorPlace: Hashable, Sendable {
  let source: ObjectIdentifier
  let range: Range<Int>
  let entry: TensorEntry
  let strides: [Int]?
}

/// How tensors are kept in a file. Which one it is follows from the first bytes, never from the name.
public enum Container: String, Sendable, CaseIterable {
  /// Hugging Face's safetensors.
  case safetensors
  /// Several safetensors or PyTorch files with an index.
  case sharded = "sharded index"
  /// What `torch.save` writes since PyTorch 1.6.
  case torch = "torch zip"
  /// What `torch.save` wrote before.
  case legacyTorch = "legacy torch pickle"
  /// What `torch.jit.save` writes.
  case torchScript = "TorchScript"
  /// What flax's `serialization.to_bytes` writes.
  case flax = "flax msgpack"
  /// The description and the weights of a network for Tencent's ncnn.
  case ncnn = "ncnn param and bin"
}

/// Tensors by name, in a file of any kind. Opening reads the index only; a tensor stays on the mapped
/// file until it is cast or written over.
///
/// ```swift
/// let file = try openTensors(at: url)
/// for name in file.names { print(name, file.entries[name]!.shape) }
/// ```
public protocol TensorFile: AnyObject, Sendable {
  /// Where the file lies.
  var url: URL { get }
  /// How the tensors are kept.
  var container: Container { get }
  /// All tensors by name. Those of nested dictionaries and modules have the names of their way there,
  /// joined by points: `state_dict.encoder.conv_in.weight`.
  var entries: [String: TensorEntry] { get }
  /// The tensors' names in the file's order.
  var names: [String] { get }
  /// Short values that stand beside the tensors, by name: `epoch`, `format`.
  var metadata: [String: String] { get }
  /// Python names in the file that mean nothing here and were passed over, as `module.name`.
  var foreign: [String] { get }
  /// Tensors of types that no network here computes in, by name with the type's name; `entries` and `names`
  /// are without them.
  var unread: [String: String] { get }
  /// The other files that belong to it: the parts of an index.
  var parts: [URL] { get }

  /// Where the tensor called `name` lies, by which two names of one tensor are known; nil where nothing
  /// tells.
  func place(_ name: String) -> TensorPlace?
  /// The tensor called `name`. It must not be written to; it keeps the mapping alive.
  /// - Throws: `WeightsError.missing` when there is none.
  func tensor(_ name: String) throws -> Tensor
  /// The part of a tensor at an index of its first dimension, which is below its size.
  /// - Throws: as ``tensor(_:)``.
  func tensor(_ name: String, at index: Int) throws -> Tensor
  /// Gives back the memory that reading a tensor took from the mapped file, once it has been copied.
  func forget(_ name: String)
}

extension TensorFile {
  /// Nothing was passed over.
  public var foreign: [String] { [] }
  /// Nothing tells.
  public func place(_ name: String) -> TensorPlace? { nil }
  /// All types are known.
  public var unread: [String: String] { [:] }
  /// It is one file.
  public var parts: [URL] { [] }
  /// Keeps the memory.
  public func forget(_ name: String) {}
  /// The whole is read for it.
  public func tensor(_ name: String, at index: Int) throws -> Tensor {
    try tensor(name).select(0, index)
  }
}

/// A tensor in a mapped file: elements at regular distances within a range of bytes.
struct TensorView: Sendable {
  let entry: TensorEntry
  /// Elements from one index to the next of each dimension; nil for row-major order.
  private let strides: [Int]?
  private let source: any ByteSource
  /// From the first element to the end of the last.
  private let range: Range<Int>

  /// - Parameters:
  ///   - storage: the bytes of the file that the tensor may lie in.
  ///   - offset: elements before the first one.
  ///   - strides: nil for row-major order.
  init(
    _ source: any ByteSource, storage: Range<Int>, dtype: DType, shape: [Int], offset: Int = 0,
    strides: [Int]? = nil
  ) throws(FormatError) {
    guard shape.count <= 32, shape.allSatisfy({ $0 >= 0 }), offset >= 0 else {
      throw FormatError("has an impossible shape")
    }
    if let strides {
      guard strides.count == shape.count, strides.allSatisfy({ $0 >= 0 }) else {
        throw FormatError("has impossible strides")
      }
    }
    let extent = try Self.extent(shape, strides)
    let available = storage.count / dtype.size
    guard offset <= available, extent <= available - offset else {
      throw FormatError("reaches beyond its storage")
    }
    entry = TensorEntry(dtype: dtype, shape: shape)
    self.source = source
    self.strides = strides == Self.dense(shape) ? nil : strides
    let start = storage.lowerBound + offset * dtype.size
    range = start..<start + extent * dtype.size
  }

  /// Elements from the first to the last, both included.
  private static func extent(_ shape: [Int], _ strides: [Int]?) throws(FormatError) -> Int {
    // They must be a number even where strides of zero make them few in the file.
    guard let count = TensorEntry.elements(shape) else {
      throw FormatError("is too large for any file")
    }
    guard count > 0, let strides else { return count }
    var last = 0
    for (size, stride) in zip(shape, strides) {
      let (reach, overflow) = stride.multipliedReportingOverflow(by: size - 1)
      let (sum, over) = last.addingReportingOverflow(reach)
      guard !overflow, !over, sum <= 1 << 48 else { throw FormatError("is too large for any file") }
      last = sum
    }
    return last + 1
  }

  private static func dense(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
    return strides
  }

  /// The part at an index of the first dimension, which is below its size; nil where the elements are in another
  /// order than row-major.
  func part(_ index: Int) -> TensorView? {
    guard strides == nil, let count = entry.shape.first, (0..<count).contains(index) else {
      return nil
    }
    let length = range.count / count
    let start = range.lowerBound + index * length
    return TensorView(
      entry: TensorEntry(dtype: entry.dtype, shape: Array(entry.shape.dropFirst())), strides: nil,
      source: source, range: start..<start + length)
  }

  private init(
    entry: TensorEntry, strides: [Int]?, source: any ByteSource, range: Range<Int>
  ) {
    (self.entry, self.strides, self.source, self.range) = (entry, strides, source, range)
  }

  /// See `TensorFile.place`.
  var place: TensorPlace {
    TensorPlace(source: ObjectIdentifier(source), range: range, entry: entry, strides: strides)
  }

  /// See `TensorFile.forget`.
  func forget() { source.forget(range) }

  /// The tensor on the mapped bytes, or on a copy where these lie askew.
  func tensor() throws -> Tensor {
    let (shape, dtype) = (entry.shape, entry.dtype)
    let file = try source.mapped()
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[range])
    guard let base = bytes.baseAddress, !bytes.isEmpty, entry.count > 0 else {
      return Tensor.empty(shape, dtype)
    }
    if UInt(bitPattern: base) % UInt(dtype.size) == 0 {
      return try Tensor(borrowing: base, shape, strides: strides, dtype, owner: file)
    }
    let copy = AlignedCopy(bytes)
    return try Tensor(borrowing: copy.base, shape, strides: strides, dtype, owner: copy)
  }
}

/// Bytes copied to where elements of any type may lie.
private final class AlignedCopy {
  let base: UnsafeMutableRawPointer

  init(_ bytes: UnsafeRawBufferPointer) {
    base = .allocate(byteCount: bytes.count, alignment: 64)
    UnsafeMutableRawBufferPointer(start: base, count: bytes.count).copyMemory(from: bytes)
  }

  deinit { base.deallocate() }
}
