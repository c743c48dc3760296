import Foundation
import Torch

/// A file written by flax's `serialization.to_bytes`: one MessagePack map of maps, whose leaves are
/// arrays (flax/serialization.py, `_msgpack_ext_pack`).
///
/// Kernels keep flax's order of dimensions: `[in, out]` for dense layers, `[H, W, in, out]` for
/// convolutions.
public final class FlaxFile: TensorFile {
  /// Where the file lies.
  public let url: URL
  /// Always `.flax`.
  public let container = Container.flax
  /// See `TensorFile`.
  public let entries: [String: TensorEntry]
  /// See `TensorFile`.
  public let names: [String]
  /// See `TensorFile`.
  public let metadata: [String: String]
  /// See `TensorFile`.
  public let unread: [String: String]

  private let arrays: [String: FlaxReader.Array]

  /// Opens a file and reads its maps.
  ///
  /// - Throws: `WeightsError`, naming the file, when it cannot be read or is not of this kind.
  public convenience init(contentsOf url: URL) throws {
    try self.init(MappedFile(url), url)
  }

  init(_ file: MappedFile, _ url: URL) throws {
    do {
      var reader = FlaxReader(file)
      try reader.read()
      self.url = url
      names = reader.arrays.map(\.name)
      var arrays: [String: FlaxReader.Array] = [:]
      for (name, array) in reader.arrays {
        guard arrays.updateValue(array, forKey: name) == nil, reader.unread[name] == nil else {
          throw FormatError("it has two arrays called '\(name.prefix(120))'")
        }
      }
      self.arrays = arrays
      entries = arrays.mapValues(\.entry)
      metadata = reader.metadata
      unread = reader.unread
    } catch let error as FormatError {
      throw WeightsError.format(path: url.path, container: "flax file", reason: error.reason)
    }
  }

  /// See `TensorFile`.
  public func forget(_ name: String) { arrays[name]?.pieces.forEach { $0.forget() } }

  /// See `TensorFile`.
  public func tensor(_ name: String) throws -> Tensor {
    guard let array = arrays[name] else { throw WeightsError.missing(path: url.path, name: name) }
    guard array.pieces.count != 1 else { return try array.pieces[0].tensor() }
    let pieces = try array.pieces.map { try $0.tensor().reshaped(-1) }
    return concatenated(pieces, over: 0).reshaped(array.entry.shape)
  }

  /// See `TensorFile`. Only the part is copied where the whole lies askew.
  public func tensor(_ name: String, at index: Int) throws -> Tensor {
    guard let array = arrays[name], array.pieces.count == 1, let part = array.pieces[0].part(index)
    else { return try tensor(name).select(0, index) }
    return try part.tensor()
  }
}

/// Reads MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) as far as flax writes it.
private struct FlaxReader {
  /// One array; large ones come in pieces that follow each other.
  struct Array: Sendable {
    let entry: TensorEntry
    let pieces: [TensorView]
  }

  private(set) var arrays: [(name: String, array: Array)] = []
  private(set) var metadata: [String: String] = [:]
  /// What is no array of a type of ours, with the name of its type.
  private(set) var unread: [String: String] = [:]

  private let file: MappedFile
  private var reader: ByteReader
  private var path: [String] = []
  private var nameBytes = 0

  private static let deepest = 64
  private static let mostArrays = 100_000
  private static let mostNameBytes = 16 << 20

  init(_ file: MappedFile) {
    self.file = file
    reader = ByteReader(file.bytes)
  }

  /// Reads the whole file.
  mutating func read() throws(FormatError) {
    let count = try map(reader.byte())
    guard let count else { throw FormatError("it does not begin with a map") }
    try entries(count)
    guard reader.remaining == 0 else {
      throw FormatError("\(reader.remaining) bytes follow its end")
    }
  }

  private mutating func entries(_ count: Int) throws(FormatError) {
    guard path.count < Self.deepest else { throw FormatError("its maps are nested too deep") }
    let first = arrays.count
    var chunkedShape: [Int]?
    for _ in 0..<count {
      path.append(try key())
      switch path.last {
      case Self.chunkMark?:
        _ = try scalar(reader.byte())
        chunkedShape = []
      case "shape"? where chunkedShape != nil: chunkedShape = try sizes()
      default: try value()
      }
      path.removeLast()
    }
    if let chunkedShape { try join(arrays[first...], chunkedShape) }
  }

  private mutating func value() throws(FormatError) {
    let type = try reader.byte()
    if let count = try map(type) { return try entries(count) }
    if let length = try extension_(type) {
      let kind = try reader.byte()
      let start = reader.position
      let bytes = try reader.bytes(length)
      guard kind == 1 || kind == 3 else { return try pass("extension \(kind)") }
      return try array(bytes, at: start)
    }
    if let length = try binary(type) {
      _ = try reader.bytes(length)
      return try pass("bytes")
    }
    if let count = try sequence(type) {
      guard path.count < Self.deepest else { throw FormatError("its lists are nested too deep") }
      for index in 0..<count {
        path.append(String(index))
        try value()
        path.removeLast()
      }
      return
    }
    if let text = try scalar(type) {
      if path.count <= 2, metadata.count < 200, text.utf8.count <= 200 {
        metadata[path.joined(separator: ".")] = text
      }
      return
    }
    throw bad("is of a type that is not supported")
  }

  // MARK: Arrays

  /// `(shape, type's name, bytes)`
  private mutating func array(_ bytes: UnsafeRawBufferPointer, at start: Int) throws(FormatError) {
    var payload = FlaxReader(file)
    payload.reader = ByteReader(bytes)
    payload.path = path
    guard try payload.sequence(payload.reader.byte()) == 3,
      let rank = try payload.sequence(payload.reader.byte()), rank <= 32
    else { throw bad("is no array") }
    var shape: [Int] = []
    for _ in 0..<rank { shape.append(try payload.integer()) }
    let name = try payload.key()
    guard let dtype = Self.dtypes[name] else { return try pass(String(name.prefix(40))) }
    guard let length = try payload.binary(payload.reader.byte()) else { throw bad("is no array") }
    let begin = start + payload.reader.position
    _ = try payload.reader.bytes(length)
    let view: TensorView
    do {
      view = try TensorView(file, storage: begin..<begin + length, dtype: dtype, shape: shape)
    } catch {
      throw bad(error.reason)
    }
    guard view.entry.byteCount == length, payload.reader.remaining == 0 else {
      throw bad("has \(length) bytes, which do not fit its shape \(shape)")
    }
    try add(Array(entry: view.entry, pieces: [view]))
  }

  private mutating func pass(_ type: String) throws(FormatError) { unread[try name()] = type }

  private mutating func add(_ array: Array) throws(FormatError) {
    arrays.append((try name(), array))
  }

  /// The name of what is at the present place.
  private mutating func name() throws(FormatError) -> String {
    let name = path.joined(separator: ".")
    nameBytes += name.utf8.count
    guard arrays.count + unread.count < Self.mostArrays, nameBytes <= Self.mostNameBytes else {
      throw FormatError("it holds more arrays than any model")
    }
    return name
  }

  /// A map of "0", "1", … to the sizes of dimensions.
  private mutating func sizes() throws(FormatError) -> [Int] {
    guard let rank = try map(reader.byte()), rank <= 32 else { throw bad("is no shape") }
    var sizes: [Int] = []
    for index in 0..<rank {
      guard try key() == String(index) else { throw bad("is no shape") }
      sizes.append(try integer())
    }
    return sizes
  }

  /// An array of more than 2^30 bytes is a map of its shape and of flat chunks; what were read as
  /// arrays become one.
  private mutating func join(_ pieces: ArraySlice<(name: String, array: Array)>, _ shape: [Int])
    throws(FormatError)
  {
    let prefix = (path + ["chunks"]).joined(separator: ".")
    guard let dtype = pieces.first?.array.entry.dtype,
      pieces.enumerated().allSatisfy({ index, piece in
        piece.name == "\(prefix).\(index)" && piece.array.entry.dtype == dtype
          && piece.array.entry.shape.count == 1
      })
    else { throw bad("comes in chunks that do not fit each other") }
    let total = pieces.reduce(0) { $0 + $1.array.entry.count }
    let count = shape.reduce(1 as Int?) { count, size in
      guard let count, size >= 0 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      return overflow ? nil : product
    }
    guard count == total else { throw bad("comes in chunks that do not fit its shape \(shape)") }
    let joined = Array(
      entry: .init(dtype: dtype, shape: shape), pieces: pieces.flatMap(\.array.pieces))
    arrays.removeSubrange(pieces.indices)
    try add(joined)
  }

  private static let chunkMark = "__msgpack_chunked_array__"

  private static let dtypes: [String: DType] = [
    "float32": .float32, "float64": .float64, "float16": .float16, "bfloat16": .bfloat16,
    "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8,
    "bool": .bool,
  ]

  private func bad(_ reason: String) -> FormatError {
    FormatError("'\(path.joined(separator: ".").prefix(120))' \(reason)")
  }

  // MARK: MessagePack

  private mutating func map(_ type: UInt8) throws(FormatError) -> Int? {
    switch type {
    case 0x80...0x8F: Int(type & 0x0F)
    case 0xDE: try reader.bigEndian(2)
    case 0xDF: try reader.bigEndian(4)
    default: nil
    }
  }

  private mutating func sequence(_ type: UInt8) throws(FormatError) -> Int? {
    switch type {
    case 0x90...0x9F: Int(type & 0x0F)
    case 0xDC: try reader.bigEndian(2)
    case 0xDD: try reader.bigEndian(4)
    default: nil
    }
  }

  private mutating func extension_(_ type: UInt8) throws(FormatError) -> Int? {
    switch type {
    case 0xD4...0xD8: 1 << Int(type - 0xD4)
    case 0xC7: Int(try reader.byte())
    case 0xC8: try reader.bigEndian(2)
    case 0xC9: try reader.bigEndian(4)
    default: nil
    }
  }

  private mutating func binary(_ type: UInt8) throws(FormatError) -> Int? {
    switch type {
    case 0xC4: Int(try reader.byte())
    case 0xC5: try reader.bigEndian(2)
    case 0xC6: try reader.bigEndian(4)
    default: nil
    }
  }

  private mutating func text(_ type: UInt8) throws(FormatError) -> String? {
    let length: Int
    switch type {
    case 0xA0...0xBF: length = Int(type & 0x1F)
    case 0xD9: length = Int(try reader.byte())
    case 0xDA: length = try reader.bigEndian(2)
    case 0xDB: length = try reader.bigEndian(4)
    default: return nil
    }
    return try reader.text(length)
  }

  private mutating func key() throws(FormatError) -> String {
    guard let text = try text(reader.byte()) else { throw bad("has a key that is not text") }
    guard text.utf8.count <= 1024 else { throw bad("has a key of \(text.utf8.count) bytes") }
    return text
  }

  private mutating func integer() throws(FormatError) -> Int {
    guard let number = try number(reader.byte()) else { throw bad("has a size that is no number") }
    return number
  }

  private mutating func number(_ type: UInt8) throws(FormatError) -> Int? {
    switch type {
    case 0x00...0x7F: Int(type)
    case 0xE0...0xFF: Int(Int8(bitPattern: type))
    case 0xCC: Int(try reader.byte())
    case 0xCD: try reader.bigEndian(2)
    case 0xCE: try reader.bigEndian(4)
    case 0xCF: try reader.bigEndian(8)
    case 0xD0: Int(Int8(bitPattern: try reader.byte()))
    case 0xD1: Int(Int16(truncatingIfNeeded: try reader.bigEndian(2)))
    case 0xD2: Int(Int32(truncatingIfNeeded: try reader.bigEndian(4)))
    case 0xD3: Int(truncatingIfNeeded: try reader.bigEndianInt64())
    default: nil
    }
  }

  /// A value without parts, as text.
  private mutating func scalar(_ type: UInt8) throws(FormatError) -> String? {
    switch type {
    case 0xC0: return "None"
    case 0xC2: return "False"
    case 0xC3: return "True"
    case 0xCA: return String(Float(bitPattern: UInt32(try reader.bigEndian(4))))
    case 0xCB: return String(try reader.bigEndianDouble())
    default: break
    }
    if type == 0xCF { return String(UInt64(bitPattern: try reader.bigEndianInt64())) }
    if let number = try number(type) { return String(number) }
    return try text(type)
  }
}
