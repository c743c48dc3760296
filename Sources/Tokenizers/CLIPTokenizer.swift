import Foundation
import Torch

/// CLIP's byte-level byte-pair encoding (Sennrich et al. 2016, Radford et al. 2019 and 2021).
///
/// Follows openai/CLIP `clip/simple_tokenizer.py`; the cleaning before it is in `CLIPTextCleaning`.
/// The vocabulary is: 256 byte symbols, the same as ends of words (`</w>`), one symbol for each
/// merge, `<|startoftext|>` and `<|endoftext|>`. Encoding takes time in proportion to n log n.
///
/// ```swift
/// let tokenizer = try CLIPTokenizer(contentsOf: url)
/// tokenizer.encode("a photo of a cat!!!")  // 320 1125 539 320 2368 995
/// let tokens = tokenizer(["a cat", "a dog"], length: 77)  // [2, 77]
/// ```
public struct CLIPTokenizer: Sendable {
  /// The merges in the order in which they were learned, in the byte alphabet of GPT-2.
  public let merges: [Pair]
  /// Number of token ids.
  public var vocabularySize: Int { symbols.count }
  /// Id of `<|startoftext|>`.
  public let start: Int
  /// Id of `<|endoftext|>`, the largest, by which the text tower finds the end.
  public let end: Int

  /// Two symbols that follow each other.
  public struct Pair: Sendable, Hashable {
    /// The symbol on the left.
    public let left: String
    /// The symbol on the right.
    public let right: String

    /// A pair.
    public init(_ left: String, _ right: String) {
      self.left = left
      self.right = right
    }
  }

  /// Names of the two special tokens.
  public static let specials = ["<|startoftext|>", "<|endoftext|>"]

  private let symbols: [String]
  private let byteIDs: [Int]
  private let lastByteIDs: [Int]
  private let rules: [UInt64: (rank: Int, id: Int)]

  /// A tokenizer from its merges, ids in the standard order.
  ///
  /// - Throws: `TokenizerError.merge` when a merge joins symbols that no earlier line made.
  public init(merges: [Pair]) throws {
    let alphabet = ByteAlphabet.characters.map(String.init)
    try self.init(
      merges: merges,
      symbols: alphabet + alphabet.map { $0 + "</w>" } + merges.map { $0.left + $0.right }
        + Self.specials)
  }

  /// A tokenizer from its merges and the symbol of each id.
  init(merges: [Pair], symbols: [String]) throws {
    let ids = Dictionary(zip(symbols, 0...), uniquingKeysWith: { $1 })
    func id(_ symbol: String) throws -> Int {
      guard let id = ids[symbol] else { throw TokenizerError.symbol(symbol) }
      return id
    }
    self.merges = merges
    self.symbols = symbols
    start = try id(Self.specials[0])
    end = try id(Self.specials[1])
    byteIDs = try ByteAlphabet.ofByte.map { try id(String($0)) }
    lastByteIDs = try ByteAlphabet.ofByte.map { try id(String($0) + "</w>") }
    var rules: [UInt64: (rank: Int, id: Int)] = [:]
    rules.reserveCapacity(merges.count)
    for (rank, pair) in merges.enumerated() {
      guard let left = ids[pair.left], let right = ids[pair.right],
        let joined = ids[pair.left + pair.right]
      else { throw TokenizerError.merge(line: rank + 1, left: pair.left, right: pair.right) }
      rules[Self.key(left, right)] = (rank, joined)
    }
    self.rules = rules
  }

  private static func key(_ left: Int, _ right: Int) -> UInt64 {
    UInt64(UInt32(truncatingIfNeeded: left)) << 32 | UInt64(UInt32(truncatingIfNeeded: right))
  }

  // MARK: Text to ids

  /// The ids of a text, without start, end and padding.
  public func encode(_ text: String) -> [Int] {
    var ids: [Int] = []
    for piece in CLIPTextPieces(CLIPTextCleaning.clean(text)) {
      switch piece {
      case .start: ids.append(start)
      case .end: ids.append(end)
      case .bytes(let bytes): merge(bytes, into: &ids)
      }
    }
    return ids
  }

  /// Start, the ids of a text, end, then `padding` up to `length`; what is too long is cut and ends
  /// with the end token.
  ///
  /// - Parameter padding: 0 for OpenAI's towers and open_clip, 49407 for Stable Diffusion's.
  public func tokens(_ text: String, length: Int = 77, padding: Int = 0) -> [Int] {
    precondition(length >= 2, "a context of \(length) tokens cannot hold start and end")
    let ids = [start] + encode(text).prefix(length - 2) + [end]
    return ids + Array(repeating: padding, count: length - ids.count)
  }

  /// Tokens of several texts, `[B, T]` int64.
  public func callAsFunction(_ texts: [String], length: Int = 77, padding: Int = 0) -> Tensor {
    Tensor(texts.flatMap { tokens($0, length: length, padding: padding) }, [texts.count, length])
  }

  /// The text of ids: cleaned, words separated by blanks, special tokens by name; ids outside the
  /// vocabulary are left out.
  public func decode(_ ids: [Int]) -> String {
    var bytes: [UInt8] = []
    for id in ids where symbols.indices.contains(id) {
      if id == start || id == end {
        bytes.append(contentsOf: symbols[id].utf8)
        continue
      }
      var symbol = symbols[id]
      let isLast = symbol.hasSuffix("</w>") && symbol.count > 4
      if isLast { symbol.removeLast(4) }
      bytes.append(contentsOf: symbol.unicodeScalars.compactMap { ByteAlphabet.byte[$0] })
      if isLast { bytes.append(UInt8(ascii: " ")) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: Merging

  /// Joins pairs in the order of their rank, all occurrences of one pair from left to right before
  /// the next, and appends the ids that remain.
  ///
  /// The original scans the word again for each merge, which is quadratic. Here candidates wait in
  /// a heap by rank and place, and a linked list joins neighbours.
  private func merge(_ bytes: [UInt8], into ids: inout [Int]) {
    guard let last = bytes.last else { return }
    var symbol = bytes.dropLast().map { byteIDs[Int($0)] } + [lastByteIDs[Int(last)]]
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
