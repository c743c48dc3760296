/// Two symbols that become one where they follow each other.
public struct Merge: Sendable, Hashable {
  /// The symbol on the left.
  public let left: String
  /// The symbol on the right.
  public let right: String

  /// A merge.
  public init(_ left: String, _ right: String) {
    self.left = left
    self.right = right
  }

  /// The symbol that both become.
  var joined: String { left + right }
}

/// Byte-pair encoding (Sennrich, Haddow & Birch 2016) of the bytes of a word, as GPT-2 does it
/// (Radford et al. 2019).
struct BytePairs: Sendable {
  let vocabulary: Vocabulary
  private let suffix: String
  private let ofByte: [Int]
  private let ofLastByte: [Int]
  private let rules: [UInt64: (rank: Int, id: Int)]

  /// - Parameters:
  ///   - suffix: what marks the symbols that end a word; CLIP's have `</w>`.
  ///   - unknown: the symbol of bytes that the vocabulary lacks; nil where it must not lack any.
  /// - Throws: `TokenizerError` when a symbol is missing.
  init(_ vocabulary: Vocabulary, suffix: String = "", unknown: String? = nil) throws {
    let ids = Dictionary(zip(vocabulary.symbols, 0...), uniquingKeysWith: { $1 })
    func id(_ symbol: String) throws -> Int {
      guard let id = ids[symbol] ?? unknown.flatMap({ ids[$0] }) else {
        throw vocabulary.lacks(symbol)
      }
      return id
    }
    self.vocabulary = vocabulary
    self.suffix = suffix
    ofByte = try ByteAlphabet.ofByte.map { try id(String($0)) }
    ofLastByte = try ByteAlphabet.ofByte.map { try id(String($0) + suffix) }
    var rules: [UInt64: (rank: Int, id: Int)] = [:]
    rules.reserveCapacity(vocabulary.merges.count)
    for (rank, merge) in vocabulary.merges.enumerated() {
      guard let left = ids[merge.left], let right = ids[merge.right], let joined = ids[merge.joined]
      else {
        throw TokenizerError.vocabulary(
          vocabulary.name,
          reason: "merge \(rank + 1) joins '\(merge.left)' and '\(merge.right)', which it lacks")
      }
      rules[Self.key(left, right)] = (rank, joined)
    }
    self.rules = rules
  }

  private static func key(_ left: Int, _ right: Int) -> UInt64 {
    UInt64(UInt32(truncatingIfNeeded: left)) << 32 | UInt64(UInt32(truncatingIfNeeded: right))
  }

  /// Joins pairs in the order of their rank, all occurrences of one pair from left to right before
  /// the next, and appends the ids that remain.
  ///
  /// The original scans the word again for each merge, which is quadratic. Here candidates wait in
  /// a heap by rank and place, and a linked list joins neighbours: n log n.
  func encode(_ word: [UInt8], into ids: inout [Int]) {
    guard let last = word.last else { return }
    var symbol = word.dropLast().map { ofByte[Int($0)] } + [ofLastByte[Int(last)]]
    let count = symbol.count
    var next = Array(1...count)  // `count` ends the list
    var previous = Array(-1..<count - 1)
    var heap = MinHeap()
    func rule(_ place: Int) -> (rank: Int, id: Int)? {
      guard symbol[place] >= 0, next[place] < count else { return nil }
      return rules[Self.key(symbol[place], symbol[next[place]])]
    }
    for place in 0..<count - 1 {
      if let rule = rule(place) { heap.push(rule.rank, place) }
    }
    var fresh: [Int] = []
    while let (rank, first) = heap.pop() {
      fresh.removeAll(keepingCapacity: true)
      var place = first
      while true {
        if let rule = rule(place), rule.rank == rank {
          let gone = next[place]
          symbol[place] = rule.id
          symbol[gone] = -1
          next[place] = next[gone]
          if next[gone] < count { previous[next[gone]] = place }
          fresh.append(place)
          if previous[place] >= 0 { fresh.append(previous[place]) }
        }
        guard let another = heap.pop(ifRank: rank) else { break }
        place = another
      }
      for place in fresh {
        if let rule = rule(place) { heap.push(rule.rank, place) }
      }
    }
    ids.append(contentsOf: symbol.lazy.filter { $0 >= 0 })
  }

  /// The bytes of ids as text, a blank after what ends a word; ids outside the vocabulary are left
  /// out.
  func decode(_ ids: [Int]) -> String {
    var bytes: [UInt8] = []
    for id in ids where vocabulary.symbols.indices.contains(id) {
      var symbol = vocabulary.symbols[id][...]
      let isLast = !suffix.isEmpty && symbol.count > suffix.count && symbol.hasSuffix(suffix)
      if isLast { symbol.removeLast(suffix.count) }
      bytes.append(contentsOf: symbol.unicodeScalars.compactMap { ByteAlphabet.byte[$0] })
      if isLast { bytes.append(UInt8(ascii: " ")) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Places ordered by rank, then from left to right.
private struct MinHeap {
  private var items: [UInt64] = []

  mutating func push(_ rank: Int, _ place: Int) {
    items.append(UInt64(rank) << 32 | UInt64(UInt32(truncatingIfNeeded: place)))
    var child = items.count - 1
    while child > 0, items[child] < items[(child - 1) / 2] {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (rank: Int, place: Int)? {
    guard let first = items.first, let last = items.popLast() else { return nil }
    if !items.isEmpty {
      items[0] = last
      var parent = 0
      while true {
        let children = (2 * parent + 1..<2 * parent + 3).clamped(to: 0..<items.count)
        guard let least = children.min(by: { items[$0] < items[$1] }),
          items[least] < items[parent]
        else { break }
        items.swapAt(least, parent)
        parent = least
      }
    }
    return (Int(first >> 32), Int(first & 0xFFFF_FFFF))
  }

  mutating func pop(ifRank rank: Int) -> Int? {
    guard let first = items.first, Int(first >> 32) == rank else { return nil }
    return pop()?.place
  }
}

/// The reversible table from bytes to printable characters that GPT-2 introduced.
enum ByteAlphabet {
  /// The 256 characters in the order of their ids: printable bytes stand for themselves, the rest
  /// follow from U+0100 on.
  static let characters: [Character] = table.map { Character($0.scalar) }

  /// The character of each byte value.
  static let ofByte: [Character] = table.sorted { $0.byte < $1.byte }.map { Character($0.scalar) }

  /// The byte of each character.
  static let byte = Dictionary(uniqueKeysWithValues: table.map { ($0.scalar, $0.byte) })

  private static let table: [(byte: UInt8, scalar: Unicode.Scalar)] = {
    let printable: [UInt8] = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
    let others = (UInt8.min...UInt8.max).filter { !printable.contains($0) }
    return printable.map { ($0, Unicode.Scalar($0)) }
      + zip(others, UInt32(0x100)...).compactMap { byte, code in
        Unicode.Scalar(code).map { (byte, $0) }
      }
  }()
}
