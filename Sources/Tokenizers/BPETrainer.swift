import Foundation

/// Learns a vocabulary for ``CLIPTokenizer`` from texts (Sennrich, Haddow & Birch 2016).
public enum BPETrainer {
  /// Joins the most frequent pair of neighbouring symbols, again and again.
  ///
  /// Deterministic: of equally frequent pairs the one with the smaller ids is taken, so the order of
  /// the texts does not matter.
  ///
  /// - Parameters:
  ///   - texts: captions; cleaned and split as for encoding.
  ///   - vocabularySize: number of tokens wanted, with 512 byte symbols and 2 specials.
  ///   - minimumCount: pairs rarer than this are not joined; the vocabulary is then smaller than
  ///     wanted.
  /// - Throws: `TokenizerError.size` for less than 514 tokens.
  public static func train(
    _ texts: some Sequence<String>, vocabularySize: Int, minimumCount: Int = 2
  ) throws -> CLIPTokenizer {
    guard vocabularySize >= 514 else { throw TokenizerError.size(vocabularySize) }
    var words = Words(texts)
    var merges: [Merge] = []
    while merges.count < vocabularySize - 514, let pair = words.mostFrequent(atLeast: minimumCount)
    {
      merges.append(words.join(pair))
    }
    return try CLIPTokenizer(merges: merges)
  }
}

/// The distinct words of a corpus as rows of symbols, with counts of their pairs.
private struct Words {
  struct Pair: Hashable {
    let left: Int
    let right: Int
  }

  private var symbols: [String]
  private var rows: [[Int]] = []
  private var counts: [Int] = []
  private var pairs: [Pair: (count: Int, rows: Set<Int>)] = [:]

  init(_ texts: some Sequence<String>) {
    let alphabet = ByteAlphabet.characters.map(String.init)
    symbols = alphabet + alphabet.map { $0 + "</w>" }
    let ids = Dictionary(uniqueKeysWithValues: zip(symbols, 0...))
    let ofByte = ByteAlphabet.ofByte.map { ids[String($0)] ?? 0 }
    var frequency: [[UInt8]: Int] = [:]
    for text in texts {
      for case .bytes(let bytes) in CLIPTextPieces(CLIPTextCleaning.clean(text)) {
        frequency[bytes, default: 0] += 1
      }
    }
    for (bytes, count) in frequency {
      var row = bytes.map { ofByte[Int($0)] }
      row[row.count - 1] += 256  // the end of a word
      rows.append(row)
      counts.append(count)
    }
    for index in rows.indices { add(index, counts[index]) }
  }

  /// Adds `count` for each pair of a row; negative takes the row out.
  private mutating func add(_ index: Int, _ count: Int) {
    for (left, right) in zip(rows[index], rows[index].dropFirst()) {
      let pair = Pair(left: left, right: right)
      pairs[pair, default: (0, [])].count += count
      if count > 0 { pairs[pair]?.rows.insert(index) } else { pairs[pair]?.rows.remove(index) }
      if pairs[pair]?.count == 0 { pairs[pair] = nil }
    }
  }

  func mostFrequent(atLeast minimum: Int) -> Pair? {
    let best = pairs.max {
      ($0.value.count, -$0.key.left, -$0.key.right) < ($1.value.count, -$1.key.left, -$1.key.right)
    }
    guard let best, best.value.count >= minimum else { return nil }
    return best.key
  }

  mutating func join(_ pair: Pair) -> Merge {
    let id = symbols.count
    symbols.append(symbols[pair.left] + symbols[pair.right])
    for index in pairs[pair]?.rows ?? [] {
      add(index, -counts[index])
      var joined: [Int] = []
      for symbol in rows[index] {
        // The left half of an overlapping run is joined first, as in encoding.
        if symbol == pair.right, joined.last == pair.left {
          joined[joined.count - 1] = id
        } else {
          joined.append(symbol)
        }
      }
      rows[index] = joined
      add(index, counts[index])
    }
    return Merge(symbols[pair.left], symbols[pair.right])
  }
}
