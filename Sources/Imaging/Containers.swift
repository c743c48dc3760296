import Foundation

/// The segments of a JPEG file before its pixels.
///
/// ITU-T T.81, annex B.
enum JPEGSegments {
  /// The body, without `prefix`, of the first segment of a kind that begins with it.
  static func first(
    of bytes: UnsafeBufferPointer<UInt8>, marker wanted: UInt8, prefix: [UInt8]
  ) -> UnsafeBufferPointer<UInt8>.SubSequence? {
    var offset = 2
    while offset + 4 <= bytes.count, bytes[offset] == 0xff {
      let marker = bytes[offset + 1]
      if marker == 0xff {
        offset += 1
        continue
      }
      if marker == 0x01 || (0xd0...0xd7).contains(marker) {
        offset += 2
        continue
      }
      if marker == 0xda || marker == 0xd9 { break }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      guard length >= 2, offset + 2 + length <= bytes.count else { break }
      let body = bytes[(offset + 4)..<(offset + 2 + length)]
      if marker == wanted, body.starts(with: prefix) { return body.dropFirst(prefix.count) }
      offset += 2 + length
    }
    return nil
  }

  /// A file that our encoder made, with texts in an APP1 segment behind its JFIF segment.
  ///
  /// Throws `ImagingError.notEncodable` for bad texts, and when they are too long for a segment.
  static func adding(_ texts: [PictureText], to file: Data) throws -> Data {
    guard !texts.isEmpty else { return file }
    let body = try Data(EXIF.prefix) + EXIF.block(of: texts, kind: "JPEG")
    let length = body.count + 2
    guard length <= 0xffff else {
      throw ImagingError.notEncodable(
        kind: "JPEG", reason: "its texts need \(length) bytes and it has room for 65535")
    }
    var place = 2
    if file.count > 6, file[2] == 0xff, file[3] == 0xe0 {
      place += 2 + (Int(file[4]) << 8 | Int(file[5]))
    }
    let head: [UInt8] = [0xff, 0xe1, UInt8(length >> 8), UInt8(length & 0xff)]
    return file.prefix(place) + head + body + file.dropFirst(place)
  }
}

/// The chunks of a WebP file.
///
/// Google, "WebP Container Specification"; RFC 9649.
enum WebPContainer {
  struct Chunk {
    var name: String
    var payload: UnsafeBufferPointer<UInt8>.SubSequence
  }

  private static let hasAlpha: UInt8 = 0x10
  private static let hasEXIF: UInt8 = 0x08

  /// The chunks of a file, as far as they are whole.
  static func chunks(of bytes: UnsafeBufferPointer<UInt8>) -> [Chunk] {
    var (chunks, offset): ([Chunk], Int) = ([], 12)
    while bytes.count - offset >= 8 {
      let count = bytes[(offset + 4)..<(offset + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
      guard count <= bytes.count - offset - 8 else { break }
      let name = String(decoding: bytes[offset..<(offset + 4)], as: UTF8.self)
      chunks.append(Chunk(name: name, payload: bytes[(offset + 8)..<(offset + 8 + count)]))
      offset += 8 + count + count % 2
    }
    return chunks
  }

  /// A file with texts in an EXIF chunk at its end, which needs the extended format.
  ///
  /// Throws `ImagingError.notEncodable` for bad texts.
  static func adding(_ texts: [PictureText], to file: Data) throws -> Data {
    guard !texts.isEmpty else { return file }
    let block = try EXIF.block(of: texts, kind: "WebP")
    return try file.withUnsafeBytes { raw in
      let chunks = chunks(of: raw.bindMemory(to: UInt8.self))
      guard var head = chunks.first.flatMap(extended) else {
        throw ImagingError.notEncodable(kind: "WebP", reason: "its first chunk is unknown")
      }
      head[0] |= hasEXIF
      let rest = chunks.filter { $0.name != "VP8X" && $0.name != "EXIF" }
      var body = Data("WEBP".utf8) + chunk("VP8X", head)
      for part in rest { body += chunk(part.name, Data(part.payload)) }
      body += chunk("EXIF", block)
      return Data("RIFF".utf8) + little(body.count, 4) + body
    }
  }

  /// The payload of the VP8X chunk that goes with a first chunk of any of the three kinds.
  private static func extended(_ chunk: Chunk) -> Data? {
    let payload = Data(chunk.payload)
    switch chunk.name {
    case "VP8X" where payload.count == 10: return payload
    case "VP8 " where payload.count >= 10:
      let sides = [6, 8].map { (Int(payload[$0]) | Int(payload[$0 + 1]) << 8) & 0x3fff }
      return Data([0, 0, 0, 0]) + little(sides[0] - 1, 3) + little(sides[1] - 1, 3)
    case "VP8L" where payload.count >= 5:
      let bits = (1...4).reversed().reduce(0) { $0 << 8 | Int(payload[$1]) }
      let flags = bits >> 28 & 1 == 1 ? hasAlpha : 0
      return Data([flags, 0, 0, 0]) + little(bits & 0x3fff, 3) + little(bits >> 14 & 0x3fff, 3)
    default: return nil
    }
  }

  private static func chunk(_ name: String, _ payload: Data) -> Data {
    Data(name.utf8) + little(payload.count, 4) + payload + Data(count: payload.count % 2)
  }

  private static func little(_ value: Int, _ count: Int) -> Data {
    Data((0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
  }
}
