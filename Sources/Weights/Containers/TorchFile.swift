import Foundation
import Torch

/// A file written by `torch.save` or `torch.jit.save`, read as data: nothing in it is imported, called
/// or executed.
///
/// Since PyTorch 1.6 it is a ZIP archive of a pickle, `data.pkl`, and one member for each storage;
/// before, a stream of five pickles and the storages behind them (torch/serialization.py). TorchScript's
/// archives have code beside that, which is left alone.
public final class TorchFile: TensorFile {
  /// Where the file lies.
  public let url: URL
  /// Which of the three it is.
  public let container: Container
  /// See `TensorFile`.
  public let entries: [String: TensorEntry]
  /// See `TensorFile`.
  public let names: [String]
  /// See `TensorFile`.
  public let metadata: [String: String]
  /// See `TensorFile`.
  public let foreign: [String]
  /// See `TensorFile`.
  public let unread: [String: String]

  private let views: [String: TensorView]

  /// Opens a file and reads its pickle.
  ///
  /// - Throws: `WeightsError`, naming the file, when it cannot be read or is not of this kind.
  public convenience init(contentsOf url: URL) throws {
    try self.init(MappedFile(url), url)
  }

  init(_ file: MappedFile, _ url: URL) throws {
    let isArchive = file.bytes.starts(with: [0x50, 0x4B])
    do {
      let found: TorchPickle
      if isArchive {
        (found, container) = try Self.readArchive(file)
      } else {
        found = try Self.readStream(file)
        container = .legacyTorch
      }
      var views: [String: TensorView] = [:]
      for (name, view) in found.tensors {
        guard views.updateValue(view, forKey: name) == nil, found.unread[name] == nil else {
          throw FormatError("it has two tensors called '\(name.prefix(120))'")
        }
      }
      self.url = url
      self.views = views
      names = found.tensors.map(\.name)
      entries = views.mapValues(\.entry)
      metadata = found.metadata
      foreign = found.foreign
      unread = found.unread
    } catch let error as FormatError {
      throw WeightsError.format(
        path: url.path, container: isArchive ? "PyTorch archive" : "PyTorch file",
        reason: error.reason)
    }
  }

  /// See `TensorFile`.
  public func tensor(_ name: String) throws -> Tensor {
    guard let view = views[name] else { throw WeightsError.missing(path: url.path, name: name) }
    do {
      return try view.tensor()
    } catch let error as FormatError {
      throw WeightsError.format(path: url.path, container: "PyTorch archive", reason: error.reason)
    }
  }

  /// See `TensorFile`.
  public func forget(_ name: String) { views[name]?.forget() }

  /// See `TensorFile`.
  public func place(_ name: String) -> TensorPlace? { views[name]?.place }

  // MARK: Archives

  /// Bytes of a compressed `data.pkl` at most; real ones have a hundred for each tensor.
  private static let longestPacked = 64 << 20

  private static func readArchive(_ file: MappedFile) throws(FormatError) -> (
    TorchPickle, Container
  ) {
    let archive = try ZipArchive(file.bytes)
    let pickles = archive.names.filter { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }
    guard let name = pickles.min(by: { ($0.count, $0) < ($1.count, $1) }),
      let pickle = archive.member(name)
    else {
      let some = archive.names.sorted().prefix(4).joined(separator: ", ")
      throw FormatError("it holds no data.pkl, but \(some.isEmpty ? "nothing" : some)")
    }
    let root = String(name.dropLast("data.pkl".count))
    if let order = archive.member(root + "byteorder"), order.size == 3,
      try order.unpacked(from: file.bytes).copy.elementsEqual("big".utf8)
    {
      throw FormatError("it was written by a big-endian machine, which is not supported")
    }
    guard !pickle.isPacked || pickle.size <= longestPacked else {
      throw FormatError("its data.pkl unpacks to \(pickle.size) bytes")
    }
    let text = pickle.isPacked ? try pickle.unpacked(from: file.bytes) : file
    let document = try withExtendedLifetime(text) { () throws(FormatError) in
      try Unpickler.read(
        pickle.isPacked ? text.bytes : UnsafeRawBufferPointer(rebasing: text.bytes[pickle.range]))
    }
    var packed: [String: PackedMember] = [:]
    let found = try TorchPickle(document) { storage throws(FormatError) in
      guard let member = archive.member("\(root)data/\(storage.key)") else {
        throw FormatError("storage '\(storage.key.prefix(40))' is missing")
      }
      guard member.isPacked else { return (file, member.range) }
      let source = packed[storage.key] ?? PackedMember(file, member)
      packed[storage.key] = source
      return (source, 0..<member.size)
    }
    let isScript = archive.names.contains { $0.hasPrefix(root + "code/") }
    return (found, isScript ? .torchScript : .torch)
  }

  // MARK: Streams

  /// The number at the start of a stream, 0x1950a86a20f9469cfc6c, as a pickle.
  static let magic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  private static func readStream(_ file: MappedFile) throws(FormatError) -> TorchPickle {
    guard file.bytes.starts(with: magic) else { throw FormatError("it does not begin as one") }
    var position = 0
    func next() throws(FormatError) -> PickleDocument {
      let document = try Unpickler.read(UnsafeRawBufferPointer(rebasing: file.bytes[position...]))
      position += document.length
      return document
    }
    _ = try next()
    let version = try next()
    guard version.root == .integer(1001) else {
      throw FormatError("it is of a protocol that is not known")
    }
    let system = try next()
    for (key, value) in system.pairs(system.root) ?? []
    where key == .string("little_endian") && value == .bool(false) {
      throw FormatError("it was written by a big-endian machine, which is not supported")
    }
    let document = try next()
    let keys = try next()

    var sizes: [String: Int] = [:]
    for storage in TorchPickle.storages(in: document) {
      sizes[storage.key] = storage.elementSize
    }
    var ranges: [String: Range<Int>] = [:]
    for key in keys.sequence(keys.root) ?? [] {
      let name: String? =
        switch key {
        case .string(let text): text
        case .integer(let number): String(number)
        default: nil
        }
      guard let name, let size = sizes[name] else {
        throw FormatError("it lists a storage of an unknown type")
      }
      var reader = ByteReader(file.bytes, at: position)
      let count = try reader.unsigned(8)
      let (length, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, length <= reader.remaining else {
        throw FormatError("storage '\(name.prefix(40))' reaches beyond the file: is it cut off?")
      }
      ranges[name] = reader.position..<reader.position + length
      position = reader.position + length
    }
    return try TorchPickle(document) { storage throws(FormatError) in
      guard let range = ranges[storage.key] else {
        throw FormatError("storage '\(storage.key.prefix(40))' is missing")
      }
      return (file, range)
    }
  }
}
