/// Repair of texts that were decoded by the wrong encoding: UTF-8 read as Latin-1 and its like, also more than
/// once, in parts of a text, and with blanks or lost characters in place of bytes.
///
/// After `fix_encoding` of ftfy 6.3 (Robyn Speer, Apache License 2.0): what gave the text is tried encoding
/// by encoding where it holds signs that people do not write (``BrokenEncoding/Signs``).
enum BrokenEncoding {
  typealias Scalars = [Unicode.Scalar]

  /// Encodings that texts are taken for by mistake, in the order in which they are tried.
  private static let encodings: [SingleByteEncoding] =
    [.latin1, .windows1252, .windows1251, .windows1250, .windows1253, .windows1254, .windows1257]
    + [.iso8859part2, .macRoman, .codePage437]

  /// The repaired text. Every round undoes one wrong decoding; each of them doubled the text at least.
  static func repaired(_ text: Scalars) -> Scalars {
    var text = text
    for _ in 0..<8 {
      guard let repaired = repairedOnce(text), repaired != text else { break }
      text = repaired
    }
    return text
  }

  /// The text after one step; nil where it is left as it is.
  private static func repairedOnce(_ text: Scalars) -> Scalars? {
    guard text.contains(where: { !$0.isASCII }), Signs.areIn(text) else { return nil }
    for encoding in encodings {
      guard var bytes = encoding.encoded(text) else { continue }
      if encoding.mayLoseA0 { bytes = withNoBreakSpaces(bytes) }
      if encoding.isOpen { bytes = withLostSequences(bytes) }
      if let decoded = decoded(bytes) { return decoded }
    }
    if let parts = repairedParts(text), parts != text { return parts }
    guard text.contains(where: isC1) else { return nil }
    // C1 controls are what Windows-1252 looks like when it is read as Latin-1.
    return text.map { isC1($0) ? SingleByteEncoding.windows1252.upper[Int($0.value) - 0x80] : $0 }
  }

  private static func isC1(_ c: Unicode.Scalar) -> Bool { (0x80...0x9F).contains(c.value) }

  // MARK: Bytes

  /// UTF-8, where also a pair of surrogates stands for one character (CESU-8) and C0 80 for U+0000 (Java);
  /// nil where it is none.
  private static func decoded(_ bytes: [UInt8]) -> Scalars? {
    var plain: [UInt8] = []
    plain.reserveCapacity(bytes.count)
    var i = 0
    while i < bytes.count {
      if let size = match(bytes, i, [0xC0...0xC0, 0x80...0x80]) {
        plain.append(0)
        i += size
      } else if let size = match(
        bytes, i,
        [0xED...0xED, 0xA0...0xAF, 0x80...0xBF, 0xED...0xED, 0xB0...0xBF, 0x80...0xBF])
      {
        let high = UInt32(bytes[i + 1] & 0xF) << 16 | UInt32(bytes[i + 2] & 0x3F) << 10
        let low = UInt32(bytes[i + 4] & 0xF) << 6 | UInt32(bytes[i + 5] & 0x3F)
        guard let c = Unicode.Scalar(0x10000 + (high | low)) else { return nil }
        plain.append(contentsOf: UTF8.encode(c) ?? .init())
        i += size
      } else {
        plain.append(bytes[i])
        i += 1
      }
    }
    return String(validating: plain, as: UTF8.self).map { Scalars($0.unicodeScalars) }
  }

  /// The count of ranges, if the bytes from `start` on are within them.
  private static func match(_ bytes: [UInt8], _ start: Int, _ ranges: [ClosedRange<UInt8>]) -> Int?
  {
    guard start + ranges.count <= bytes.count,
      zip(bytes[start...], ranges).allSatisfy({ $1.contains($0) })
    else { return nil }
    return ranges.count
  }

  private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

  /// Blanks within what would be UTF-8 become A0 again, which somebody took for a blank.
  private static func withNoBreakSpaces(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var i = 0
    while i < bytes.count {
      // "Ã la" was "à la", but "Ã s " the Portuguese "às".
      if bytes[i] == 0xC3, i + 1 < bytes.count, bytes[i + 1] == 0x20 {
        let rest = bytes[(i + 2)...].prefix(5)
        let isOneWord = [" ", "quele", "quela", "quilo", "s "].contains {
          rest.starts(with: $0.utf8)
        }
        result += isOneWord ? [0xC3, 0xA0] : [0xC3, 0xA0, 0x20]
        i += 2
        continue
      }
      let size = lengthWithBlank(bytes[i...])
      result += bytes[i..<(i + size)].map { $0 == 0x20 && size > 1 ? 0xA0 : $0 }
      i += size
    }
    return result
  }

  /// How many bytes are a character of UTF-8 but for one blank; 1 where they are none.
  private static func lengthWithBlank(_ bytes: ArraySlice<UInt8>) -> Int {
    let lead = bytes.first ?? 0
    let count =
      switch lead {
      case 0xC2, 0xC5, 0xCE, 0xD0, 0xD9: 2
      case 0xE0...0xE3: 3
      case 0xF0: 4
      default: 1
      }
    let rest = bytes.dropFirst().prefix(count - 1)
    guard rest.count == count - 1, rest.count(where: { $0 == 0x20 }) == 1,
      rest.allSatisfy({ $0 == 0x20 || isContinuation($0) })
    else { return 1 }
    guard count == 3 else { return count }
    // Blanks that would make Samaritan or Mongolian, or stand beside 85 or A0, are blanks.
    if rest.first == 0x20, lead < 0xE2 { return 1 }
    return rest.contains { $0 == 0x85 || $0 == 0xA0 } ? 1 : count
  }

  /// What would be UTF-8 but for lost characters (1A), or one question mark in place of one, becomes U+FFFD.
  private static func withLostSequences(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(0x1A) || bytes.contains(UInt8(ascii: "?")) else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var i = 0
    while i < bytes.count {
      let size = lengthOfLost(bytes[i...])
      result += size > 0 ? [0xEF, 0xBF, 0xBD] : [bytes[i]]
      i += max(1, size)
    }
    return result
  }

  private static func lengthOfLost(_ bytes: ArraySlice<UInt8>) -> Int {
    guard let lead = bytes.first else { return 0 }
    let question = UInt8(ascii: "?")
    func isRest(_ byte: UInt8) -> Bool { byte == 0x1A || byte == question || isContinuation(byte) }
    let six = Array(bytes.prefix(6))
    if lead == 0xED, six.count == 6, (0xA0...0xAF).contains(six[1]), six[3] == 0xED,
      (0xB0...0xBF).contains(six[4]), isRest(six[2]), isRest(six[5]),
      !isContinuation(six[2]) || !isContinuation(six[5])
    {
      return 6
    }
    let count =
      switch lead {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 1
      }
    let rest = bytes.dropFirst().prefix(count - 1)
    let questions = rest.count { $0 == question }
    if count > 1, rest.count == count - 1, rest.allSatisfy(isRest),
      !rest.allSatisfy(isContinuation),
      questions == 0 || questions == 1 && (count > 2 || lead < 0xC4)
    {
      return count
    }
    return lead == 0x1A ? 1 : 0
  }

  // MARK: Parts

  /// What a byte of UTF-8 may look like in encodings that are like Latin-1.
  private static func looks(_ bytes: ClosedRange<Int>) -> Set<Unicode.Scalar> {
    encodings.prefix(7).reduce(into: []) { looks, encoding in
      looks.formUnion(bytes.map { encoding.upper[$0 - 0x80] })
    }
  }

  private static let leads: [Set<Unicode.Scalar>] = [
    looks(0xC2...0xDF), looks(0xE0...0xEF), looks(0xF0...0xF0).union(looks(0xF3...0xF3)),
  ]
  private static let continuations = looks(0x80...0xBF).union([" "])
  /// Without those that stand beside broken text on their own: dashes, quotes, bullets, the ellipsis.
  private static let certainContinuations = continuations.subtracting(
    " –—―‘’‚“”„•…".unicodeScalars)

  /// The text with each part repaired by itself that looks like UTF-8 and shows signs; nil where none does.
  private static func repairedParts(_ text: Scalars) -> Scalars? {
    var result: Scalars = []
    var isFound = false
    var i = 0
    while i < text.count {
      var end = i
      if i == 0 || !certainContinuations.contains(text[i - 1]) {
        while let next = endOfCharacter(text, end) { end = next }
      }
      guard end > i else {
        result.append(text[i])
        i += 1
        continue
      }
      let part = Scalars(text[i..<end])
      let isBroken = part.count < text.count && Signs.areIn(part)
      result += isBroken ? repaired(part) : part
      isFound = isFound || isBroken
      i = end
    }
    return isFound ? result : nil
  }

  /// Where what looks like one character of UTF-8 ends.
  private static func endOfCharacter(_ text: Scalars, _ start: Int) -> Int? {
    guard start < text.count, let kind = leads.firstIndex(where: { $0.contains(text[start]) }),
      case let end = start + kind + 2, end <= text.count,
      text[(start + 1)..<end].allSatisfy(continuations.contains)
    else { return nil }
    return end
  }
}
