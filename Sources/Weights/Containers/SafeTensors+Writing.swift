import Foundation
import Torch

extension SafeTensors {
  /// Writes tensors to a file, atomically: a reader sees the old file or the whole new one.
  ///
  /// Tensors are laid out by falling element size, then by name, so that each is aligned to its
  /// element size, the data starts at a multiple of 8 and equal contents give equal bytes.
  ///
  /// - Parameters:
  ///   - tensors: the tensors by name, of any type and device; each keeps its type.
  ///   - metadata: free-form strings, kept under `__metadata__`.
  ///   - url: the file to make or replace; its folder must exist.
  /// - Throws: `WeightsError.file` when it cannot be written; nothing is left behind then.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL
  ) throws {
    let ordered = tensors.sorted {
      (-$0.value.dtype.size, $0.key) < (-$1.value.dtype.size, $1.key)
    }
    guard tensors["__metadata__"] == nil else {
      throw WeightsError.tensor(
        path: url.path, name: "__metadata__", reason: "has a name that the format reserves")
    }
    try AtomicFile.make(at: url) { file in
      try file.append(header(ordered, metadata: metadata))
      for (_, tensor) in ordered {
        try tensor.withBytes { try file.append($0) }
      }
    }
  }

  private static func header(
    _ ordered: [(key: String, value: Tensor)], metadata: [String: String]
  ) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map {
        "\(quoted($0.key)):\(quoted($0.value))"
      }
      fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for (name, tensor) in ordered {
      let end = offset + tensor.count * tensor.dtype.size
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(quoted(name)):{\"dtype\":\"\(tensor.dtype.safeTensorsName)\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var json = Array("{\(fields.joined(separator: ","))}".utf8)
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }

  /// A JSON string literal.
  private static func quoted(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": literal += "\\\""
      case "\\": literal += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }
}

/// A file that appears under its name only when it is complete.
struct AtomicFile: ~Copyable {
  private let descriptor: Int32
  private let path: String

  /// Calls `body` to fill a temporary file beside `url`, then renames it to `url`.
  static func make(at url: URL, _ body: (borrowing AtomicFile) throws -> Void) throws {
    let target = url.path
    func failure() -> WeightsError {
      .file(path: target, reason: "cannot write the file (\(String(cString: strerror(errno))))")
    }
    let folder = url.deletingLastPathComponent()
    let name = ".\(url.lastPathComponent).\(UUID().uuidString.prefix(8)).part"
    let temporary = folder.appendingPathComponent(name).path
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure() }
    do {
      defer { close(descriptor) }
      try body(AtomicFile(descriptor: descriptor, path: target))
      guard fsync(descriptor) == 0 else { throw failure() }
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, target) == 0 else {
      let error = failure()
      unlink(temporary)
      throw error
    }
  }

  /// Appends bytes.
  func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

  /// Appends bytes.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      // One write takes at most about 2 GiB on Linux; smaller pieces also keep ^C responsive.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 26))
      let count = write(descriptor, piece.baseAddress, piece.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw WeightsError.file(
          path: path, reason: "cannot write the file (\(String(cString: strerror(errno))))")
      }
      rest = rest.dropFirst(count)
    }
  }
}
