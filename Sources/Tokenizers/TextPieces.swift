// How a text is split into pieces that are encoded one by one.

/// What the expressions tell apart: `\p{L}`, `\p{N}`, `\s` and the rest.
enum ScalarKind {
  case letter, number, space, other

  init(_ c: Unicode.Scalar) {
    if c.value < 0x80 {
      switch c {
      case "a"..."z", "A"..."Z": self = .letter
      case "0"..."9": self = .number
      case " ", "\t"..."\r": self = .space
      default: self = .other
      }
      return
    }
    switch c.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .number
    default: self = c.properties.isWhitespace ? .space : .other
    }
  }
}

/// The endings of English words that the expressions take first.
private let endings = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

extension Collection<Unicode.Scalar> {
  /// The scalars as text.
  var string: String { String(String.UnicodeScalarView(self)) }
}

/// The pieces of a cleaned text for CLIP: special tokens, English endings of words, runs of
/// letters, single digits, runs of anything else.
///
/// Equals the matches of `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|`
/// `[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`, ignoring case.
struct CLIPTextPieces: Sequence, IteratorProtocol {
  enum Piece: Equatable {
    case start, end
    case bytes([UInt8])
  }

  private var text: ArraySlice<Unicode.Scalar>

  init(_ text: [Unicode.Scalar]) { self.text = text[...] }

  mutating func next() -> Piece? {
    text = text.drop { Self.kind($0) == .space }
    guard let first = text.first else { return nil }
    if first == "<" {
      if take(Self.startName) { return .start }
      if take(Self.endName) { return .end }
    }
    let whole = text
    if first != "'" || !Self.endings.contains(where: { take($0) }) {
      let kind = Self.kind(first)
      text = kind == .number ? text.dropFirst() : text.drop { Self.kind($0) == kind }
    }
    return .bytes(Array(whole[..<text.startIndex].string.utf8))
  }

  private mutating func take(_ word: [Unicode.Scalar]) -> Bool {
    guard text.starts(with: word) else { return false }
    text = text.dropFirst(word.count)
    return true
  }

  private static let startName = Array(CLIPTokenizer.specials[0].unicodeScalars)
  private static let endName = Array(CLIPTokenizer.specials[1].unicodeScalars)
  // The long s folds to s, and folding is what "ignoring case" means.
  private static let endings = Tokenizers.endings + [["'", "\u{17F}"]]

  private static func kind(_ c: Unicode.Scalar) -> ScalarKind {
    // The iota below belongs to no class of the expression: it is no letter, and ignoring case it is
    // one. The expression's matches pass it over like a space.
    c == "\u{345}" ? .space : ScalarKind(c)
  }
}

/// The pieces of a text for GPT-2 and BART, which together are the text: English endings of words;
/// runs of letters, of digits, of anything else, each with the blank before it; white space.
///
/// Equals the matches of `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
struct GPT2TextPieces: Sequence, IteratorProtocol {
  private var text: ArraySlice<Unicode.Scalar>

  init(_ text: [Unicode.Scalar]) { self.text = text[...] }

  mutating func next() -> [UInt8]? {
    guard let first = text.first else { return nil }
    let end = self.end(first)
    defer { text = text[end...] }
    return Array(text[..<end].string.utf8)
  }

  /// Where the first piece ends.
  private func end(_ first: Unicode.Scalar) -> Int {
    let at = text.startIndex
    if first == "'", let ending = endings.first(where: { text.starts(with: $0) }) {
      return at + ending.count
    }
    let hasBlank = first == " " && text.count > 1 && ScalarKind(text[at + 1]) != .space
    let word = text[(hasBlank ? at + 1 : at)...]
    let kind = ScalarKind(word[word.startIndex])
    let end = word.firstIndex { ScalarKind($0) != kind } ?? text.endIndex
    // Of several spaces the last is left to the word that follows.
    return kind == .space && end < text.endIndex && end - at > 1 ? end - 1 : end
  }
}
