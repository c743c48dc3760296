import Foundation

/// The cleaning that CLIP's tokenizer does before it splits a text.
///
/// Follows `basic_clean` and `whitespace_clean` of openai/CLIP `clip/simple_tokenizer.py`:
/// `ftfy.fix_text`, HTML entities twice, white space, lower case. Of ftfy 6.3 these fixes are done:
/// entities that end in a semicolon (unless the line holds a `<`), wrong decodings (``BrokenEncoding``), C1
/// controls read as Windows-1252, Latin ligatures, full and half width forms, curled quotes, line breaks,
/// terminal escapes, control characters, composition (NFC).
enum CLIPTextCleaning {
  typealias Scalars = [Unicode.Scalar]

  /// The text as the splitter wants it. Time is linear in its length.
  static func clean(_ text: String) -> Scalars { lowercased(collapsed(repaired(text))) }

  /// The text with the fixes of ftfy and without HTML entities.
  static func repaired(_ text: String) -> Scalars {
    let fixed = fixText(Scalars(text.unicodeScalars))
    return unescaped(unescaped(fixed, strict: false), strict: false)
  }

  // MARK: White space and case

  /// One blank for each run of white space, none at the ends.
  private static func collapsed(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    result.reserveCapacity(text.count)
    for c in text {
      if ScalarKind(c) != .space {
        result.append(c)
      } else if let last = result.last, last != " " {
        result.append(" ")
      }
    }
    if result.last == " " { result.removeLast() }
    return result
  }

  /// Lower case with full mappings and the final sigma, as Python's `str.lower`.
  static func lowercased(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    result.reserveCapacity(text.count)
    for (i, c) in text.enumerated() {
      if c.value < 0x80 {
        let upper = ("A"..."Z").contains(c)
        result.append(upper ? Unicode.Scalar(UInt8(c.value) + 32) : c)
      } else if c == "\u{3A3}" {
        result.append(isFinalSigma(text, i) ? "\u{3C2}" : "\u{3C3}")
      } else {
        result.append(contentsOf: c.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  /// Whether a cased letter stands before and none after, case-ignorable characters aside.
  private static func isFinalSigma(_ text: Scalars, _ i: Int) -> Bool {
    let before = text[..<i].last { !$0.properties.isCaseIgnorable }
    let after = text[(i + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }

  // MARK: ftfy

  private static func fixText(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    result.reserveCapacity(text.count)
    var unescape = true
    var start = 0
    while start < text.count {
      // A line ends behind its line break.
      let end = text[start...].firstIndex(of: "\n").map { $0 + 1 } ?? text.count
      if text[start..<end].contains("<") { unescape = false }
      var line = Scalars(text[start..<end])
      // ftfy repeats until nothing changes; eight rounds undo any nesting met in practice and keep
      // hostile nesting from costing quadratic time.
      for _ in 0..<8 {
        let before = line
        if unescape { line = unescaped(line, strict: true) }
        line = fixCharacters(BrokenEncoding.repaired(line))
        if line == before { break }
      }
      result.append(contentsOf: line)
      start = end
    }
    return result
  }

  private static func fixCharacters(_ text: Scalars) -> Scalars {
    guard text.contains(where: { $0.value < 0x20 || $0.value >= 0x7F }) else { return text }
    var result: Scalars = []
    result.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      var c = text[i]
      i += 1
      if (0x80...0x9F).contains(c.value) { c = windows1252[Int(c.value) - 0x80] }
      switch c.value {
      case 0x2BC, 0x2018...0x201B: result.append("'")
      case 0x201C...0x201F: result.append("\"")
      case 0x3000: result.append(" ")
      case 0xFF01...0xFFEF:
        let narrow = String(c).precomposedStringWithCompatibilityMapping
        result.append(contentsOf: narrow.unicodeScalars)
      case 0x0D where i < text.count && text[i] == "\n": continue
      case 0x0D, 0x2028, 0x2029: result.append("\n")
      case 0x1B where i < text.count && text[i] == "[":
        // A terminal escape: ESC [ digits and semicolons, one letter.
        var end = i + 1
        while end < text.count, text[end] == ";" || ("0"..."9").contains(text[end]) { end += 1 }
        if end < text.count, text[end].isASCII, text[end].properties.isAlphabetic { i = end + 1 }
      case 0...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: continue
      default:
        if let letters = ligatures[c] {
          result.append(contentsOf: letters.unicodeScalars)
        } else {
          result.append(c)
        }
      }
    }
    return composed(result)
  }

  /// Normalisation form C.
  ///
  /// Foundation on Linux takes U+20045 for U+0045 when a mark follows. Scripts of the first block beyond
  /// 16 bits and ideographs compose with nothing, so what stands between them is composed by itself.
  private static func composed(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    for part in text[...].split(omittingEmptySubsequences: false, whereSeparator: composesNever) {
      result.append(
        contentsOf: part.string.precomposedStringWithCanonicalMapping.unicodeScalars)
      if part.endIndex < text.endIndex { result.append(text[part.endIndex]) }
    }
    return result
  }

  private static func composesNever(_ c: Unicode.Scalar) -> Bool {
    switch c.value {
    case 0x10000...0x10FFF, 0x20000..<0x2F800, 0x2FA20...:
      c.properties.canonicalCombiningClass == .notReordered
    default: false
    }
  }

  private static let ligatures: [Unicode.Scalar: String] = [
    "\u{132}": "IJ", "\u{133}": "ij", "\u{149}": "'n", "\u{1F1}": "DZ", "\u{1F2}": "Dz",
    "\u{1F3}": "dz", "\u{1C4}": "D\u{17D}", "\u{1C5}": "D\u{17E}", "\u{1C6}": "d\u{17E}",
    "\u{1C7}": "LJ", "\u{1C8}": "Lj", "\u{1C9}": "lj", "\u{1CA}": "NJ", "\u{1CB}": "Nj",
    "\u{1CC}": "nj", "\u{FB00}": "ff", "\u{FB01}": "fi", "\u{FB02}": "fl", "\u{FB03}": "ffi",
    "\u{FB04}": "ffl", "\u{FB05}": "\u{17F}t", "\u{FB06}": "st",
  ]

  /// U+0080 to U+009F as Windows-1252; unassigned positions stay.
  private static let windows1252 = SingleByteEncoding.windows1252.upper

  // MARK: HTML entities

  /// Replaces character references.
  ///
  /// - Parameter strict: true for ftfy's rule (only what ends in a semicolon), false for that of
  ///   Python's `html.unescape` (old names also without it, and as the beginning of a longer word).
  private static func unescaped(_ text: Scalars, strict: Bool) -> Scalars {
    guard text.contains("&") else { return text }
    var result: Scalars = []
    result.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      guard text[i] == "&", let (replacement, end) = reference(text, i + 1, strict: strict) else {
        result.append(text[i])
        i += 1
        continue
      }
      result.append(contentsOf: replacement)
      i = end
    }
    return result
  }

  /// The character reference whose text starts at `start` (after the ampersand), and where it ends.
  private static func reference(
    _ text: Scalars, _ start: Int, strict: Bool
  ) -> (replacement: Scalars, end: Int)? {
    if start < text.count, text[start] == "#" {
      let isHex = start + 1 < text.count && (text[start + 1] == "x" || text[start + 1] == "X")
      var end = start + (isHex ? 2 : 1)
      let digits = end
      var code = 0
      while end < text.count, text[end].isASCII, let digit = Character(text[end]).hexDigitValue,
        isHex || digit < 10
      {
        code = min(code * (isHex ? 16 : 10) + digit, 0x110000)
        end += 1
      }
      guard end > digits else { return nil }
      let closed = end < text.count && text[end] == ";"
      if strict && (!closed || code == 0x3B) { return nil }
      return (character(code), closed ? end + 1 : end)
    }
    var end = start
    while end < text.count, end - start < 32, !"\t\n\u{C} <&#;".unicodeScalars.contains(text[end]) {
      end += 1
    }
    let name = text[start..<end]
    if end < text.count, text[end] == ";" {
      if let scalars = HTMLEntities.named[name.string] { return (scalars, end + 1) }
      if strict, let scalars = shouted(name) { return (scalars, end + 1) }
    }
    guard !strict else { return nil }
    guard let found = unclosed(name) else { return nil }
    return (HTMLEntities.named[found] ?? [], start + found.unicodeScalars.count)
  }

  /// The longest beginning of a name that counts without a semicolon; none is longer than six letters.
  private static func unclosed(_ name: ArraySlice<Unicode.Scalar>) -> String? {
    stride(from: min(name.count, 6), through: 2, by: -1).lazy.map { name.prefix($0).string }
      .first(where: HTMLEntities.unclosed.contains)
  }

  /// ftfy also takes a name of small letters in capitals, if HTML would leave it alone.
  private static func shouted(_ name: ArraySlice<Unicode.Scalar>) -> Scalars? {
    let small = name.string.lowercased()
    guard name.string == small.uppercased(), unclosed(name) == nil,
      let scalars = HTMLEntities.named[small]
    else { return nil }
    return scalars.flatMap { $0.properties.uppercaseMapping.unicodeScalars }
  }

  /// The character of a numeric reference, by the rules of HTML 5.
  private static func character(_ code: Int) -> Scalars {
    switch code {
    case 0, 0xD800...0xDFFF, 0x110000...: return ["\u{FFFD}"]
    case 0x0D: return ["\r"]
    case 0x80...0x9F: return [windows1252[code - 0x80]]
    case 1...8, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
    case _ where code & 0xFFFE == 0xFFFE: return []
    default: return Unicode.Scalar(UInt32(code)).map { [$0] } ?? []
    }
  }
}
