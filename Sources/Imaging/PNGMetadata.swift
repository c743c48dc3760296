import CImage
import Foundation

/// The texts of a PNG file, read without decoding pixels.
///
/// W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 11.3.3: tEXt, zTXt, iTXt.
public enum PNGMetadata {
  /// Most bytes of all texts of a file together, after inflating.
  public static let textLimit = 16 << 20

  /// The texts of a file, in their order.
  ///
  /// Of a file that is cut off, those that are whole; texts that are damaged are left out.
  ///
  /// Throws `ImagingError` when the file cannot be read, is no PNG, or holds more than `textLimit` bytes of
  /// text.
  public static func read(from path: String, limits: ReadingLimits = .init()) throws
    -> [PictureText]
  {
    try read(from: FileInput.read(path, limit: limits.bytes), name: path)
  }

  /// The texts of the contents of a PNG file, in their order.
  ///
  /// - Parameter name: What errors call the data.
  public static func read(from data: Data, name: String = "The picture") throws -> [PictureText] {
    try data.withUnsafeBytes { raw in
      let bytes = raw.bindMemory(to: UInt8.self)
      guard PictureKind(startOf: bytes) == .png else {
        throw ImagingError.unsupported(
          name: name, kind: "non-PNG", reason: "only PNG files hold texts")
      }
      var reader = TextReader(name: name)
      try reader.readChunks(of: bytes)
      return reader.texts
    }
  }
}

private struct TextReader {
  let name: String
  var texts: [PictureText] = []
  var room = PNGMetadata.textLimit

  func corrupt(_ reason: String) -> ImagingError {
    .corrupt(name: name, kind: "PNG", reason: reason)
  }

  mutating func readChunks(of bytes: UnsafeBufferPointer<UInt8>) throws {
    func number(_ offset: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[offset + $1]) }
    }
    var offset = 8
    while true {
      guard bytes.count - offset >= 12 else { return }
      let count = Int(number(offset))
      guard count <= bytes.count - offset - 12 else { return }
      let typed = UnsafeBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 8 + count)])
      let kind = String(decoding: typed.prefix(4), as: UTF8.self)
      if kind == "IEND" { return }
      if ["tEXt", "zTXt", "iTXt"].contains(kind),
        cimage_crc32(0, typed.baseAddress, typed.count) == number(offset + 8 + count)
      {
        do {
          try readText(kind, typed.dropFirst(4))
        } catch ImagingError.corrupt {
          // The picture and its other texts are none the worse for it.
        }
      }
      offset += 12 + count
    }
  }

  private mutating func readText(
    _ kind: String, _ chunk: UnsafeBufferPointer<UInt8>.SubSequence
  ) throws {
    var rest = chunk
    let keyword = latin1(try upToZero(&rest, kind))
    switch kind {
    case "tEXt": try append(keyword, plain(rest), size: rest.count)
    case "zTXt":
      guard rest.popFirst() == 0 else { throw corrupt("a zTXt chunk of unknown compression") }
      let inflated = try inflate(rest)
      try append(keyword, plain(inflated), size: inflated.count)
    default:
      guard let compressed = rest.popFirst(), let method = rest.popFirst() else {
        throw corrupt("an iTXt chunk ends early")
      }
      _ = try upToZero(&rest, kind)  // language
      _ = try upToZero(&rest, kind)  // translated keyword
      guard compressed == 0 || (compressed == 1 && method == 0) else {
        throw corrupt("an iTXt chunk of unknown compression")
      }
      let text = compressed == 1 ? try inflate(rest) : Array(rest)
      try append(keyword, String(decoding: text, as: UTF8.self), size: text.count)
    }
  }

  private func upToZero(
    _ rest: inout UnsafeBufferPointer<UInt8>.SubSequence, _ kind: String
  ) throws -> UnsafeBufferPointer<UInt8>.SubSequence {
    guard let zero = rest.firstIndex(of: 0) else { throw corrupt("a \(kind) chunk ends early") }
    defer { rest = rest[(zero + 1)...] }
    return rest[..<zero]
  }

  /// Latin-1 by the standard; but many write UTF-8, and hardly any Latin-1 is that by chance.
  private func plain(_ bytes: some Sequence<UInt8>) -> String {
    String(validating: Array(bytes), as: UTF8.self) ?? latin1(bytes)
  }

  private func latin1(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
  }

  private mutating func append(_ keyword: String, _ text: String, size: Int) throws {
    guard size <= room else { throw tooLarge }
    room -= size
    texts.append(PictureText(keyword: keyword, text: text))
  }

  private var tooLarge: ImagingError {
    .tooLarge(name: name, reason: "its texts hold more than \(PNGMetadata.textLimit) bytes")
  }

  private func inflate(_ bytes: UnsafeBufferPointer<UInt8>.SubSequence) throws -> [UInt8] {
    let compressed = UnsafeBufferPointer(rebasing: bytes)
    var buffer = cimage_buffer()
    var message = [CChar](repeating: 0, count: Int(CIMAGE_MESSAGE))
    let status = cimage_inflate(
      compressed.baseAddress, compressed.count, room, &buffer, &message)
    switch status {
    case CIMAGE_OK: break
    case CIMAGE_TOO_LARGE, CIMAGE_MEMORY: throw tooLarge
    default: throw corrupt("a compressed text: \(Picture.text(of: message))")
    }
    defer { cimage_free(buffer.bytes) }
    return Array(UnsafeBufferPointer(start: buffer.bytes, count: buffer.count))
  }
}
