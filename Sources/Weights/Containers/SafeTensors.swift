import Foundation
import Torch

/// A safetensors file, mapped into memory.
///
/// The format is a 64-bit little-endian header length, a JSON header and the tensors' bytes without
/// gaps (https://github.com/huggingface/safetensors, format 0.x). Opening checks the whole header and
/// reads no tensor; a tensor refers to the mapped bytes until it is cast or written over.
///
/// ```swift
/// let file = try SafeTensors(contentsOf: url)
/// let weight = try file.tensor("visual.proj").to(.float32)
/// ```
public final class SafeTensors: TensorFile {
  /// Where the file lies.
  public let url: URL
  /// Always `.safetensors`.
  public let container = Container.safetensors
  /// The free-form strings under `__metadata__`.
  public let metadata: [String: String]
  /// All tensors by name.
  public let entries: [String: TensorEntry]
  /// The tensors' names in the order of their bytes.
  public let names: [String]
  /// See `TensorFile`.
  public let unread: [String: String]

  /// Where each tensor's bytes lie in the file.
  let ranges: [String: Range<Int>]
  private let file: MappedFile

  /// The longest header that is read. The format's own library has the same bound.
  public static let longestHeader = 100_000_000

  /// Opens a file and checks its header.
  ///
  /// - Throws: `WeightsError`, naming the file and the tensor, when the file cannot be read, is
  ///   truncated, or its header is not what the format allows.
  public convenience init(contentsOf url: URL) throws {
    try self.init(MappedFile(url), url)
  }

  init(_ file: MappedFile, _ url: URL) throws {
    let header = try Header(file.bytes, path: url.path)
    self.url = url
    self.file = file
    metadata = header.metadata
    entries = header.tensors.compactMapValues(\.entry)
    ranges = header.tensors.mapValues(\.range)
    names = header.names.filter { header.tensors[$0]?.entry != nil }
    unread = header.unread
  }

  /// The tensor called `name`, on the mapped bytes: no copy is made unless the bytes lie askew.
  /// The result must not be written to; it keeps the mapping alive.
  ///
  /// - Throws: `WeightsError.missing` when there is none.
  public func tensor(_ name: String) throws -> Tensor {
    guard let entry = entries[name], let range = ranges[name] else {
      throw WeightsError.missing(path: url.path, name: name)
    }
    return try TensorView(file, storage: range, dtype: entry.dtype, shape: entry.shape).tensor()
  }

  /// See `TensorFile`.
  public func forget(_ name: String) {
    if let range = ranges[name] { file.forget(range) }
  }
}

extension DType {
  /// The type's name in a safetensors header.
  var safeTensorsName: String {
    switch self {
    case .float32: "F32"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .float64: "F64"
    case .int64: "I64"
    case .int32: "I32"
    case .int16: "I16"
    case .int8: "I8"
    case .uint8: "U8"
    case .bool: "BOOL"
    }
  }

  init?(safeTensorsName name: String) {
    guard let dtype = DType.allCases.first(where: { $0.safeTensorsName == name }) else {
      return nil
    }
    self = dtype
  }
}

/// The checked header of a safetensors file.
private struct Header {
  var metadata: [String: String] = [:]
  /// What the header says about each tensor; ranges count from the start of the file.
  /// Those of types that are not ours have no entry.
  var tensors: [String: (entry: TensorEntry?, range: Range<Int>)] = [:]
  /// The names of those types, by tensor.
  var unread: [String: String] = [:]
  var names: [String] = []

  init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    guard bytes.count >= 8 else {
      throw WeightsError.truncated(path: path, needed: 8, found: bytes.count)
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(SafeTensors.longestHeader) else {
      throw WeightsError.header(
        path: path,
        reason: "it claims a header of \(length) bytes, more than \(SafeTensors.longestHeader)")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= bytes.count else {
      throw WeightsError.truncated(path: path, needed: dataStart, found: bytes.count)
    }
    let json: StrictJSON
    do {
      json = try StrictJSON(parsing: UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]))
    } catch {
      throw WeightsError.header(path: path, reason: error.reason)
    }
    guard case .object(let pairs) = json else {
      throw WeightsError.header(path: path, reason: "the header is not a JSON object")
    }
    let available = bytes.count - dataStart
    for (name, value) in pairs {
      if name == "__metadata__" {
        metadata = try Self.metadata(value, path: path)
      } else {
        tensors[name] = try entry(name, value, dataStart: dataStart, path: path)
      }
    }
    try lineUp(dataStart: dataStart, available: available, path: path)
  }

  private static func metadata(_ value: StrictJSON, path: String) throws -> [String: String] {
    guard case .object(let pairs) = value else {
      throw WeightsError.header(path: path, reason: "__metadata__ is not a JSON object")
    }
    var metadata: [String: String] = [:]
    for (key, value) in pairs {
      guard case .string(let text) = value else {
        throw WeightsError.header(path: path, reason: "__metadata__ '\(key)' is not a string")
      }
      metadata[key] = text
    }
    return metadata
  }

  private mutating func entry(
    _ name: String, _ value: StrictJSON, dataStart: Int, path: String
  ) throws -> (entry: TensorEntry?, range: Range<Int>) {
    func wrong(_ reason: String) -> WeightsError { .tensor(path: path, name: name, reason: reason) }
    guard case .object(let pairs) = value else { throw wrong("is not a JSON object") }
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    for (key, value) in pairs {
      switch (key, value) {
      case ("dtype", .string(let text)):
        type = text
      case ("shape", .array(let items)):
        shape = try items.map { try Self.size($0, wrong("has a bad shape")) }
      case ("data_offsets", .array(let items)):
        offsets = try items.map { try Self.size($0, wrong("has bad data_offsets")) }
      default: throw wrong("has a bad field '\(key)'")
      }
    }
    guard let type else { throw wrong("has no dtype") }
    guard let shape, shape.count <= 32 else { throw wrong("has no shape, or too many dimensions") }
    guard let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw wrong("has no data_offsets of the form [begin, end]")
    }
    // Bounded so that the sums below cannot overflow; the file's size is checked by `lineUp`.
    guard offsets[1] <= Int.max / 2 else { throw wrong("has data_offsets beyond any file") }
    let range = dataStart + offsets[0]..<dataStart + offsets[1]
    guard let dtype = DType(safeTensorsName: type) else {
      unread[name] = type
      return (nil, range)
    }
    guard let count = TensorEntry.elements(shape) else {
      throw wrong("has a shape \(shape) too large for any file")
    }
    let expected = count * dtype.size
    guard offsets[1] - offsets[0] == expected else {
      throw wrong(
        "needs \(expected) bytes for shape \(shape) of \(dtype), its data_offsets give "
          + "\(offsets[1] - offsets[0])")
    }
    return (TensorEntry(dtype: dtype, shape: shape), range)
  }

  private static func size(_ value: StrictJSON, _ error: WeightsError) throws -> Int {
    guard case .integer(let size) = value, size >= 0 else { throw error }
    return size
  }

  /// Orders the names and checks that the tensors cover the data without gap or overlap.
  private mutating func lineUp(dataStart: Int, available: Int, path: String) throws {
    let ordered = tensors.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    names = ordered.map(\.key)
    if let last = ordered.last?.value.range.upperBound, last > dataStart + available {
      throw WeightsError.truncated(path: path, needed: last, found: dataStart + available)
    }
    var end = dataStart
    for (name, entry) in ordered {
      guard entry.range.lowerBound == end else {
        let what =
          entry.range.lowerBound < end ? "overlaps the one before" : "leaves a gap before it"
        throw WeightsError.tensor(path: path, name: name, reason: what)
      }
      end = entry.range.upperBound
    }
    guard end == dataStart + available else {
      throw WeightsError.header(
        path: path, reason: "\(dataStart + available - end) bytes at its end belong to no tensor")
    }
  }
}
