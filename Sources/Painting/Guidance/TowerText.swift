import Tokenizers

extension Request {
  /// How a text is read that is longer than what CLIP reads at once.
  public enum LongTexts: String, Sendable, Hashable, CaseIterable, Codable {
    /// In parts, whose embeddings are averaged.
    case average
    /// Cut off, as the originals do.
    case cut
  }
}

/// A text as a network reads it that takes so many tokens at once.
struct TowerText {
  /// The text, with the names of emoji that the vocabulary does not know.
  let text: String
  /// These emoji.
  let named: [(emoji: Character, name: String)]
  /// Parts of about equal length, each of which is read whole; the text itself where it is.
  let parts: [String]
  /// Words that are lost where it is cut off.
  let lost: [Substring]
  /// Whether some of the words are only pieces of one.
  private let isPieced: Bool

  /// - Parameter length: tokens that the network reads, its start and end included.
  init(_ given: String, _ tokenizer: any Tokenizer, length: Int) {
    (text, named) = EmojiNames.named(given) { tokenizer.encode(String($0)).count == 1 }
    let room = max(1, length - 2)
    // A token has at least a byte.
    let count = text.utf8.count <= room ? 0 : tokenizer.encode(text).count
    guard count > room else {
      (parts, lost, isPieced) = ([text], [], false)
      return
    }
    let whole = text.split(whereSeparator: \.isWhitespace)
    let words = whole.flatMap { Self.pieces($0, tokenizer, room) }
    isPieced = words.count > whole.count
    let counts = words.map { tokenizer.encode(String($0)).count }
    var read = 0
    let fitting = counts.prefix { count in
      read += count
      return read <= room
    }.count
    lost = Array(words[fitting...])
    let even = (count + (count + room - 1) / room - 1) / ((count + room - 1) / room)
    var parts: [String] = []
    var (part, length) = ([Substring](), 0)
    for (word, count) in zip(words, counts) {
      if !part.isEmpty, length + count > room || length >= even {
        parts.append(part.joined(separator: " "))
        (part, length) = ([], 0)
      }
      part.append(word)
      length += count
    }
    self.parts = parts + [part.joined(separator: " ")]
  }

  /// A word in pieces that the network can read; itself mostly. Some languages write without blanks.
  private static func pieces(_ word: Substring, _ tokenizer: any Tokenizer, _ room: Int)
    -> [Substring]
  {
    guard word.utf8.count > room, tokenizer.encode(String(word)).count > room else { return [word] }
    var pieces: [Substring] = []
    var rest = word
    while !rest.isEmpty {
      // A token has at least a byte: so many letters fit, and mostly some more.
      var piece = rest.prefix(1)
      while piece.endIndex < rest.endIndex {
        let longer = rest[rest.startIndex...piece.endIndex]
        guard tokenizer.encode(String(longer)).count <= room else { break }
        piece = longer
      }
      pieces.append(piece)
      rest = rest[piece.endIndex...]
    }
    return pieces
  }
}

extension TowerText {
  /// What is to be told of it.
  /// - Parameters:
  ///   - reader: who reads it, for the sentence.
  ///   - length: tokens that it reads at once.
  func remarks(_ field: String, reader: String, length: Int, _ long: Request.LongTexts) -> [Remark]
  {
    var remarks = named.map {
      Remark(field, "\($0.emoji) is read as '\($0.name)': \(reader) does not know it.")
    }
    guard !lost.isEmpty else { return remarks }
    let isAveraged = long == .average && parts.count > 1
    let words =
      isPieced
      ? "the end is" : lost.count == 1 ? "the last word is" : "the last \(lost.count) words are"
    remarks.append(
      Remark(
        field,
        isAveraged
          ? "'\(text.prefix(40))…' is longer than what \(reader) reads at once (\(length) tokens): it is "
            + "read in \(parts.count) parts, which are averaged."
          : "'\(text.prefix(40))…' is longer than what \(reader) reads (\(length) tokens): "
            + "\(words) not read, from '\(lost[0].prefix(40))' on."))
    return remarks
  }
}
