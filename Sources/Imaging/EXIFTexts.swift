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
    let first = entries(at: number(4, 4))
    let pointer = first.first { $0.tag == 0x8769 }.flatMap { number($0.offset + 8, 4) }
    let entries = entries(at: pointer)
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
    // Some write the comment into the first directory.
    let comment = (entries + first).lazy.filter { $0.tag == 0x9286 }.compactMap { content(of: $0) }
      .compactMap { text(of: $0) }.first { !$0.isEmpty }
    return comment.map { [PictureText(keyword: Self.parameters, text: $0)] } ?? comfyTexts(first)
  }

  /// ComfyUI's `prompt:{…}` and `workflow:{…}`, which stand where cameras write their makers.
  private func comfyTexts(_ entries: [Entry]) -> [PictureText] {
    entries.filter { (0x010e...0x0110).contains($0.tag) }.compactMap { content(of: $0) }
      .compactMap { bytes in
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let keyword = text[..<colon].lowercased()
        guard ["prompt", "workflow"].contains(keyword) else { return nil }
        return PictureText(keyword: keyword, text: String(text[text.index(after: colon)...]))
      }
  }

  /// A comment behind the eight bytes that tell its encoding. Where these tell nothing, it is UTF-8; where
  /// they are left out, too.
  private func text(of comment: UnsafeBufferPointer<UInt8>.SubSequence) -> String? {
    let body = Array(comment.dropFirst(8))
    if comment.starts(with: Self.unicode) { return utf16(body) }
    let isTold = comment.starts(with: Self.ascii) || comment.prefix(8).allSatisfy { $0 == 0 }
    let bytes = (isTold ? body : Array(comment)).prefix { $0 != 0 }
    return String(validating: Array(bytes), as: UTF8.self)
  }

  /// UTF-16 in the order of the block; in the other one where that is what it evidently is.
  private func utf16(_ bytes: [UInt8]) -> String {
    func units(isLittle: Bool) -> [UInt16] {
      stride(from: 0, to: bytes.count - 1, by: 2).map { index in
        let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
        return isLittle ? second << 8 | first : first << 8 | second
      }
    }
    func plain(_ units: [UInt16]) -> Int {
      units.count { (0x20..<0x7f).contains($0) || $0 == 0x0a }
    }
    let (told, other) = (units(isLittle: isLittle), units(isLittle: !isLittle))
    let best = plain(other) > plain(told) ? other : told
    return String(decoding: best.filter { $0 != 0xfeff && $0 != 0 }, as: UTF16.self)
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
