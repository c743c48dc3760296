import Foundation

// Texts in the EXIF block of JPEG and WebP files. All of them, in their order, are the maker note,
// which EXIF leaves to whoever writes the file: "Reverie", then keyword and text, each ended by a
// zero. The text `parameters` is the user comment as well, where AUTOMATIC1111's web UI puts it and
// galleries look for it.

extension EXIF {
  private static let maker = Array("Reverie\u{0}".utf8)
  private static let unicode = Array("UNICODE\u{0}".utf8)
  private static let ascii = Array("ASCII\u{0}\u{0}\u{0}".utf8)
  private static let parameters = "parameters"

  /// A block that holds these texts.
  ///
  /// Throws `ImagingError.notEncodable` for a keyword or text against the rules of `PictureText`.
  static func block(of texts: [PictureText], kind: String) throws -> Data {
    var note = Data(maker)
    for text in texts {
      try text.check(for: kind)
      note += Data(text.keyword.utf8) + [0] + Data(text.text.utf8) + [0]
    }
    var fields: [(tag: Int, bytes: Data)] = [(0x927c, note)]
    if let text = texts.first(where: { $0.keyword == parameters })?.text {
      let units = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
      fields.append((0x9286, Data(unicode + units)))
    }
    func number(_ value: Int, _ count: Int) -> Data {
      Data((0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
    }
    let directory = 26
    var offset = directory + 2 + 12 * (fields.count + 1) + 4
    // The head, and a first directory with nothing but the way to the EXIF directory.
    var block = Data("MM".utf8) + number(42, 2) + number(8, 4)
    block += number(1, 2) + number(0x8769, 2) + number(4, 2) + number(1, 4) + number(directory, 4)
    block += number(0, 4)
    block += number(fields.count + 1, 2)
    block += number(0x9000, 2) + number(7, 2) + number(4, 4) + Data("0232".utf8)
    for (tag, bytes) in fields {
      block += number(tag, 2) + number(7, 2) + number(bytes.count, 4) + number(offset, 4)
      offset += bytes.count
    }
    block += number(0, 4)
    return fields.reduce(block) { $0 + $1.bytes }
  }

  /// The texts of the block; empty where there are none.
  func texts() -> [PictureText] {
    guard
      let pointer = entries(at: number(4, 4)).first(where: { $0.tag == 0x8769 }),
      let directory = number(pointer.offset + 8, 4)
    else { return [] }
    let entries = entries(at: directory)
    if let entry = entries.first(where: { $0.tag == 0x927c }), let note = content(of: entry),
      note.starts(with: Self.maker)
    {
      let parts = note.dropFirst(Self.maker.count).split(
        separator: 0, omittingEmptySubsequences: false)
      return stride(from: 0, to: parts.count - 2, by: 2).map {
        PictureText(
          keyword: String(decoding: parts[$0], as: UTF8.self),
          text: String(decoding: parts[$0 + 1], as: UTF8.self))
      }
    }
    guard
      let entry = entries.first(where: { $0.tag == 0x9286 }), let comment = content(of: entry),
      let text = text(of: comment)
    else { return [] }
    return [PictureText(keyword: Self.parameters, text: text)]
  }

  private func text(of comment: UnsafeBufferPointer<UInt8>.SubSequence) -> String? {
    let body = Array(comment.dropFirst(8))
    if comment.starts(with: Self.ascii) {
      return String(decoding: body.prefix { $0 != 0 }, as: UTF8.self)
    }
    guard comment.starts(with: Self.unicode) else { return nil }
    let units = stride(from: 0, to: body.count - 1, by: 2).map { index in
      let (first, second) = (UInt16(body[index]), UInt16(body[index + 1]))
      return isLittle ? second << 8 | first : first << 8 | second
    }
    return String(decoding: units, as: UTF16.self)
  }
}

/// The texts that travel in picture files of all kinds.
public enum PictureMetadata {
  /// The texts of a PNG, JPEG or WebP file, in their order, read without decoding pixels; empty
  /// where there are none.
  ///
  /// A JPEG or WebP file of another program gives its EXIF user comment, if any, as `parameters`.
  ///
  /// Throws `ImagingError` when the file cannot be read, is of another kind, or is a damaged PNG.
  public static func read(
    from path: String, limits: ReadingLimits = .init()
  ) throws -> [PictureText] {
    try read(from: FileInput.read(path, limit: limits.bytes), name: path)
  }

  /// The texts of the contents of a file.
  ///
  /// - Parameter name: What errors call the data.
  public static func read(
    from data: Data, name: String = "The picture"
  ) throws -> [PictureText] {
    try data.withUnsafeBytes { raw in
      let bytes = raw.bindMemory(to: UInt8.self)
      switch PictureKind(startOf: bytes) {
      case .png: return try PNGMetadata.read(from: data, name: name)
      case .some(let kind): return EXIF(of: bytes, kind)?.texts() ?? []
      case nil: throw ImagingError.unknownKind(name: name)
      }
    }
  }
}
