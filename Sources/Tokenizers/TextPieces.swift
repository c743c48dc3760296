import Foundation

/// The pieces of a cleaned text that are encoded one by one: special tokens, English endings of
/// words, runs of letters, single digits, runs of anything else.
///
/// Equals the matches of CLIP's expression `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|`
/// `[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`, ignoring case.
struct CLIPTextPieces: Sequence, IteratorProtocol {
  enum Piece: Equatable {
    case start, end
    case bytes([UInt8])
  }

  private let text: [Unicode.Scalar]
  private var at = 0

  init(_ text: [Unicode.Scalar]) { self.text = text }

  mutating func next() -> Piece? {
    while at < text.count, Kind(text[at]) == .space { at += 1 }
    guard at < text.count else { return nil }
    if text[at] == "<" {
      if take(Self.startName) { return .start }
      if take(Self.endName) { return .end }
    }
    let first = at
    if let length = ending() {
      at += length
    } else {
      let kind = Kind(text[at])
      at += 1
      if kind != .number {
        while at < text.count, Kind(text[at]) == kind { at += 1 }
      }
    }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text[first..<at])
    return .bytes(Array(String(view).utf8))
  }

  private static let startName = Array(CLIPTokenizer.specials[0].unicodeScalars)
  private static let endName = Array(CLIPTokenizer.specials[1].unicodeScalars)
  // The long s folds to s, and folding is what "ignoring case" means.
  private static let endings = ["'s", "'\u{17F}", "'t", "'re", "'ve", "'m", "'ll", "'d"]
    .map { Array($0.unicodeScalars) }

  private func begins(with word: [Unicode.Scalar]) -> Bool { text[at...].starts(with: word) }

  private mutating func take(_ word: [Unicode.Scalar]) -> Bool {
    guard begins(with: word) else { return false }
    at += word.count
    return true
  }

  private func ending() -> Int? {
    guard text[at] == "'" else { return nil }
    return Self.endings.first(where: begins)?.count
  }

  private enum Kind {
    case letter, number, space, other

    init(_ c: Unicode.Scalar) {
      if c.value < 0x80 {
        switch c {
        case "a"..."z", "A"..."Z": self = .letter
        case "0"..."9": self = .number
        case _ where CLIPTextCleaning.isSpace(c): self = .space
        default: self = .other
        }
        return
      }
      // The iota below belongs to no class of the expression: it is no letter, and ignoring case it is
      // one. The expression's matches pass it over like a space.
      if c == "\u{345}" {
        self = .space
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
}
