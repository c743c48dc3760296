/// An EXIF block: a small TIFF file inside a picture file, read without trusting it.
///
/// CIPA DC-008, "Exchangeable image file format". PNG holds it in an eXIf chunk, JPEG in an APP1
/// segment and WebP in an EXIF chunk.
struct EXIF {
  struct Entry {
    var tag, type, count: Int
    /// Where the twelve bytes of the entry begin.
    var offset: Int
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  /// Whether numbers begin with their lowest byte.
  let isLittle: Bool

  /// Takes a block; nil when its head is none.
  init?(_ block: UnsafeBufferPointer<UInt8>.SubSequence) {
    var block = block
    // The prefix of JPEG segments; some programs write it into the other kinds as well.
    if block.starts(with: Self.prefix) { block = block.dropFirst(Self.prefix.count) }
    bytes = UnsafeBufferPointer(rebasing: block)
    isLittle = bytes.starts(with: [0x49, 0x49])
    guard isLittle || bytes.starts(with: [0x4d, 0x4d]), number(2, 2) == 42 else { return nil }
  }

  static let prefix: [UInt8] = [0x45, 0x78, 0x69, 0x66, 0, 0]

  /// The number of `count` bytes at an offset; nil when that is outside.
  func number(_ offset: Int, _ count: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - count else { return nil }
    let part = bytes[offset..<(offset + count)]
    return isLittle
      ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
  }

  /// The entries of the directory at an offset, as far as they lie within the block.
  func entries(at offset: Int?) -> [Entry] {
    guard let offset, let count = number(offset, 2) else { return [] }
    return (0..<count).lazy.map { offset + 2 + 12 * $0 }.prefix { $0 + 12 <= bytes.count }
      .compactMap {
        guard let tag = number($0, 2), let type = number($0 + 2, 2), let count = number($0 + 4, 4)
        else { return nil }
        return Entry(tag: tag, type: type, count: count, offset: $0)
      }
  }

  /// The bytes of an entry of type BYTE (as some write), ASCII or UNDEFINED that holds more than four.
  func content(of entry: Entry) -> UnsafeBufferPointer<UInt8>.SubSequence? {
    guard
      [1, 2, 7].contains(entry.type), entry.count > 4, let start = number(entry.offset + 8, 4),
      start <= bytes.count - entry.count
    else { return nil }
    return bytes[start..<(start + entry.count)]
  }
}

extension EXIF {
  /// The block of the contents of a file; nil where there is none.
  init?(of file: UnsafeBufferPointer<UInt8>, _ kind: PictureKind) {
    let block =
      switch kind {
      case .png: Self.pngChunk(of: file)
      case .jpeg: JPEGSegments.first(of: file, marker: 0xe1, prefix: Self.prefix)
      case .webp: WebPContainer.chunks(of: file).first { $0.name == "EXIF" }?.payload
      }
    guard let block else { return nil }
    self.init(block)
  }

  private static func pngChunk(
    of bytes: UnsafeBufferPointer<UInt8>
  ) -> UnsafeBufferPointer<UInt8>.SubSequence? {
    var offset = 8
    while bytes.count - offset >= 12 {
      let count = bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
      guard count <= bytes.count - offset - 12 else { return nil }
      if bytes[(offset + 4)..<(offset + 8)].elementsEqual("eXIf".utf8) {
        return bytes[(offset + 8)..<(offset + 8 + count)]
      }
      offset += 12 + count
    }
    return nil
  }
}
