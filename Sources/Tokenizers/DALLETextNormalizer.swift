import Foundation

/// Simplifies texts as dalle-mini does those of models whose `config.json` says `normalize_text`.
///
/// Follows borisdayma/dalle-mini `src/dalle_mini/model/text.py` at f0be4de. Differences: `<person>` is always
/// "a person", there at random "someone" or "somebody" as well; letters that `ASCIILetters` does not know are left out,
/// where `unidecode` spells many scripts; mojibake stays (see `CLIPTextCleaning`).
public struct DALLETextNormalizer: Sendable {
  private typealias Bytes = [UInt8]

  private let hashtags: HashtagWords?
  private let emoji: @Sendable (Character) -> String?

  /// - Parameters:
  ///   - words: the words of the file `enwiki-words-frequency.txt`, the most frequent first, by which hashtags
  ///     are taken apart; without it they stay whole.
  ///   - emoji: the name of a character that is one, "red apple"; nil for others.
  public init(words: [String]?, emoji: @escaping @Sendable (Character) -> String?) {
    hashtags = words.map(HashtagWords.init)
    self.emoji = emoji
  }

  /// The text as dalle-mini's tokenizer gets it, in ASCII, a blank first.
  public func callAsFunction(_ text: String) -> String {
    var repaired = String.UnicodeScalarView()
    repaired.append(contentsOf: CLIPTextCleaning.repaired(text))
    let named = String(repaired).map { character in
      emoji(character).map { ":\($0.replacing(" ", with: "_")):" } ?? String(character)
    }.joined()
    var t = ASCIILetters.spelled(named)
    t = t.replacing("<person>", with: " a person ")
    t = Self.withoutWikiReferences(t)
    t = Self.withoutTags(t)
    t = Self.withoutAddresses(t)
    for _ in 0..<2 { t = Self.withoutCommasInNumbers(t) }
    t = Self.joining(t, ".", Self.isWord, with: Self.dot)
    t = Self.markingContractions(t)
    t = Self.joining(t, "/", Self.isDigit, with: Self.slash)
    t = Self.joining(t, "-", Self.isWord, with: Bytes(" ".utf8))
    t = t.flatMap { Bytes("%&/$*".utf8).contains($0) ? [0x20, $0, 0x20] : [$0] }
    t = withoutHashtags(t)
    t = t.map { Bytes("_#\\".utf8).contains($0) ? 0x20 : $0 }
    t = t.flatMap { Bytes("'\"`".utf8).contains($0) ? Bytes(" \" ".utf8) : [$0] }
    t = t.map { Bytes("()[].,|:;?!=+~-/{}".utf8).contains($0) ? UInt8(ascii: ",") : $0 }
    t = t.replacing(Self.dot, with: Bytes(".".utf8))
    t = t.replacing(Self.quote, with: Bytes("'".utf8))
    t = t.replacing(Self.slash, with: Bytes("/".utf8))
    t = Self.withoutRepetitions(t)
    t = Self.merging(t, around: UInt8(ascii: "\""), as: " \" ")
    t = Self.merging(t, around: UInt8(ascii: ","), as: ", ")
    t = Self.merging(t, around: nil, as: " ")
    var rest = Self.stripped(t[...])
    if rest.last == UInt8(ascii: ",") { rest.removeLast() }
    if rest.first == UInt8(ascii: ",") { rest.removeFirst() }
    return " " + String(decoding: Self.stripped(rest), as: UTF8.self)
  }

  // What stands for marks that stay while others become commas. These are letters, as in the original.
  private static let dot = Bytes("xtokxdotxtokx".utf8)
  private static let quote = Bytes("xtokxquotextokx".utf8)
  private static let slash = Bytes("xtokxslashxtokx".utf8)

  // MARK: Classes of characters

  private static func isDigit(_ c: UInt8) -> Bool { (0x30...0x39).contains(c) }
  private static func isWord(_ c: UInt8) -> Bool {
    isDigit(c) || (0x61...0x7A).contains(c) || (0x41...0x5A).contains(c) || c == 0x5F
  }
  private static func isSpace(_ c: UInt8) -> Bool {
    (0x09...0x0D).contains(c) || (0x1C...0x20).contains(c)
  }

  // MARK: Steps

  /// Numbers in brackets at both ends, as captions of Wikipedia have them.
  private static func withoutWikiReferences(_ t: Bytes) -> Bytes {
    func length(_ t: Bytes.SubSequence) -> Int? {
      guard t.first == UInt8(ascii: "[") else { return nil }
      let digits = t.dropFirst().prefix(while: isDigit).count
      guard digits > 0, t.dropFirst(1 + digits).first == UInt8(ascii: "]") else { return nil }
      return digits + 2
    }
    var t = t[...]
    let body = t.drop(while: isSpace)
    if let length = length(body) { t = body.dropFirst(length) }
    let end = t.count - t.reversed().prefix(while: isSpace).count
    if let start = t.prefix(end).lastIndex(of: UInt8(ascii: "[")),
      let length = length(t[start...]), start + length == t.startIndex + end
    {
      t = t[..<start]
    }
    return Bytes(t)
  }

  /// `<[^<]+?>` becomes a blank.
  private static func withoutTags(_ t: Bytes) -> Bytes {
    var result = Bytes()
    var i = 0
    while i < t.count {
      if t[i] == UInt8(ascii: "<"), i + 1 < t.count, t[i + 1] != UInt8(ascii: "<") {
        let inner = t[(i + 2)...].prefix { $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
        if inner.endIndex < t.count, t[inner.endIndex] == UInt8(ascii: ">") {
          result.append(0x20)
          i = inner.endIndex + 1
          continue
        }
      }
      result.append(t[i])
      i += 1
    }
    return result
  }

  private static func withoutAddresses(_ t: Bytes) -> Bytes {
    var result = Bytes()
    var i = 0
    while i < t.count {
      if t[i...].starts(with: "http".utf8), i + 4 < t.count, !isSpace(t[i + 4]) {
        i = t[i...].firstIndex(where: isSpace) ?? t.count
        continue
      }
      result.append(t[i])
      i += 1
    }
    return result
  }

  /// 1,000 is 1000.
  private static func withoutCommasInNumbers(_ t: Bytes) -> Bytes {
    var result = Bytes()
    var i = 0
    while i < t.count {
      let next = t[i...].prefix(5)
      if next.count == 5, isDigit(t[i]), t[i + 1] == UInt8(ascii: ","),
        next.dropFirst(2).allSatisfy(isDigit)
      {
        result += [t[i]] + next.dropFirst(2)
        i += 5
        continue
      }
      result.append(t[i])
      i += 1
    }
    return result
  }

  /// A mark between two of a class becomes another; a character stands beside one of them only.
  private static func joining(
    _ t: Bytes, _ mark: Unicode.Scalar, _ isOne: (UInt8) -> Bool, with other: Bytes
  ) -> Bytes {
    var result = Bytes()
    var i = 0
    while i < t.count {
      if i + 2 < t.count, isOne(t[i]), t[i + 1] == UInt8(ascii: mark), isOne(t[i + 2]) {
        result += [t[i]] + other + [t[i + 2]]
        i += 3
        continue
      }
      result.append(t[i])
      i += 1
    }
    return result
  }

  /// The apostrophe stays in 's, 't, 'd, 'm, 'll, 're and 've.
  private static func markingContractions(_ t: Bytes) -> Bytes {
    var result = Bytes()
    for (i, c) in t.enumerated() {
      let word = t[(i + 1)...].prefix(3).prefix(while: isWord)
      let isShort = ["s", "t", "d", "m", "ll", "re", "ve"].contains { word.elementsEqual($0.utf8) }
      result += c == UInt8(ascii: "'") && isShort ? quote : [c]
    }
    return result
  }

  private func withoutHashtags(_ t: Bytes) -> Bytes {
    var result = Bytes()
    var i = 0
    while i < t.count {
      let word = t[(i + 1)...].prefix(while: Self.isWord)
      if t[i] == UInt8(ascii: "#"), !word.isEmpty {
        result += hashtags?(word) ?? Bytes(word)
        i = word.endIndex
        continue
      }
      result.append(t[i])
      i += 1
    }
    return result
  }

  /// What stands four times or more in a row stands once; digits are left alone.
  private static func withoutRepetitions(_ t: Bytes) -> Bytes {
    var result = Bytes()
    var rest = t[...]
    while let first = rest.first {
      let run = rest.prefix { $0 == first }
      result += run.count > 3 && !isDigit(first) ? run.prefix(1) : run
      rest = rest[run.endIndex...]
    }
    return result
  }

  /// A run of a mark and white space becomes one; of white space alone where there is no mark.
  private static func merging(_ t: Bytes, around mark: UInt8?, as merged: String) -> Bytes {
    var result = Bytes()
    var rest = t[...]
    while let first = rest.first {
      let run = rest.prefix { isSpace($0) || $0 == mark }
      if run.isEmpty {
        result.append(first)
        rest.removeFirst()
        continue
      }
      result += mark.map(run.contains) ?? true ? Bytes(merged.utf8) : Bytes(run)
      rest = rest[run.endIndex...]
    }
    return result
  }

  private static func stripped(_ t: Bytes.SubSequence) -> Bytes.SubSequence {
    let t = t.drop(while: isSpace)
    return t.dropLast(t.reversed().prefix(while: isSpace).count)
  }
}

extension [UInt8] {
  fileprivate func replacing(_ text: String, with other: String) -> [UInt8] {
    replacing(Array(text.utf8), with: Array(other.utf8))
  }
}

/// Takes words written together apart by how frequent words are (wordninja's way).
private struct HashtagWords: Sendable {
  private let cost: [[UInt8]: Double]
  private let longest: Int

  init(_ words: [String]) {
    var cost: [[UInt8]: Double] = [:]
    for (index, word) in words.enumerated() { cost[Array(word.utf8)] = log(Double(index + 1)) }
    self.cost = cost
    longest = words.lazy.map(\.unicodeScalars.count).max() ?? 0
  }

  func callAsFunction(_ tag: [UInt8].SubSequence) -> [UInt8] {
    let words = tag.split { $0 == UInt8(ascii: "_") }.flatMap { parts(Array($0)) }
    return Array(words.joined(separator: [0x20]))
  }

  /// The cheapest parts, by dynamic programming; of equal ones the shortest last part.
  private func parts(_ s: [UInt8]) -> [[UInt8]] {
    var best: [(cost: Double, length: Int)] = [(0, 0)]
    for end in 1...max(1, s.count) where end <= s.count {
      var choice = (cost: Double.infinity, length: 1)
      for length in 1...max(1, min(longest, end)) {
        guard let word = cost[Array(s[(end - length)..<end])] else { continue }
        let total = best[end - length].cost + word
        if total < choice.cost { choice = (total, length) }
      }
      best.append(choice)
    }
    func isDigit(_ c: UInt8?) -> Bool { c.map { (0x30...0x39).contains($0) } ?? false }
    var out: [[UInt8]] = []
    var end = s.count
    while end > 0 {
      let start = end - best[end].length
      let part = Array(s[start..<end])
      if let last = out.last, isDigit(part.last), isDigit(last.first) {
        out[out.count - 1] = part + last
      } else {
        out.append(part)
      }
      end = start
    }
    return out.reversed()
  }
}
