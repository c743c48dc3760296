import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Tokenizers

/// Against clip-anytorch's `SimpleTokenizer`, by `Oracle/clip_tokens.py`.
@Suite("CLIPTokenizer")
struct CLIPTokenizerTests {
  struct Line: Decodable {
    let text: String
    let ids: [Int]
    let reduced: [Int]
  }

  private func lines() throws -> [Line] {
    try Fixtures.decode([Line].self, Fixtures.url("clip_tokens.json"))
  }

  private func reduced() throws -> CLIPTokenizer {
    try CLIPTokenizer(contentsOf: Fixtures.url("bpe_reduced.txt"))
  }

  static let vocabulary = Fixtures.oracle.appendingPathComponent("bpe_simple_vocab_16e6.txt.gz")

  @Test("Lines in many scripts get OpenAI's ids, under a reduced vocabulary")
  func reducedVocabulary() throws {
    let tokenizer = try reduced()
    #expect(tokenizer.vocabularySize == 512 + 1500 + 2)
    for line in try lines() {
      #expect(tokenizer.encode(line.text) == line.reduced, "\(line.text.debugDescription)")
    }
  }

  @Test(
    "Lines in many scripts get OpenAI's ids, under its own vocabulary",
    .enabled(
      if: Fixtures.exists(vocabulary),
      "needs .oracle/bpe_simple_vocab_16e6.txt.gz: run script/test --full"))
  func wholeVocabulary() throws {
    let tokenizer = try CLIPTokenizer(contentsOf: Self.vocabulary)
    #expect(tokenizer.vocabularySize == 49408)
    #expect(tokenizer.start == 49406)
    #expect(tokenizer.end == 49407)
    for line in try lines() {
      #expect(tokenizer.encode(line.text) == line.ids, "\(line.text.debugDescription)")
    }
    #expect(
      tokenizer.padded("a photo of a cat!!!", length: 10).ids
        == [49406, 320, 1125, 539, 320, 2368, 995, 49407, 0, 0])
  }

  @Test(
    "12,000 lines of everything people and programs type get OpenAI's ids",
    .enabled(
      if: ProcessInfo.processInfo.environment["REVERIE_FULL"] != nil,
      "needs .oracle/full/tokens.json: run script/test --full"))
  func corpus() throws {
    let tokenizer = try CLIPTokenizer(contentsOf: Self.vocabulary)
    let url = Fixtures.oracle.appendingPathComponent("full/tokens.json")
    struct Row: Decodable {
      let text: String
      let ids: [Int]
    }
    let rows = try Fixtures.decode([Row].self, url)
    #expect(rows.count >= 10_000)
    let different = rows.filter { tokenizer.encode($0.text) != $0.ids }
    #expect(different.isEmpty, "\(different.count) differ")
    for row in different.prefix(20) {
      Issue.record("\(row.text.debugDescription): \(tokenizer.encode(row.text)) for \(row.ids)")
    }
  }

  @Test("Tokens are framed, padded with zeros, and cut so that the end token stays")
  func framing() throws {
    let tokenizer = try reduced()
    let (start, end, ids) = (tokenizer.start, tokenizer.end, tokenizer.encode("a cat"))
    let padded = tokenizer.padded("a cat", length: 10)
    let rest = 8 - ids.count
    #expect(padded.ids == [start] + ids + [end] + Array(repeating: 0, count: rest))
    #expect(padded.mask == (0..<10).map { $0 < 10 - rest })
    #expect(
      tokenizer.padded("a cat", length: 10, padding: end).ids.suffix(rest).allSatisfy { $0 == end })
    let long = tokenizer.padded(String(repeating: "a cat ", count: 50), length: 8)
    #expect(long.ids == [start] + Array((ids + ids + ids + ids).prefix(6)) + [end])
    #expect(!long.mask.contains(false))
    #expect(tokenizer.padded("", length: 3).ids == [start, end, 0])
    #expect(tokenizer.padded("a cat", length: 1).ids == [end])
    #expect(tokenizer.padded("a cat", length: -1).ids == [])
    let batch = tokenizer(["a cat", "a dog"], length: 6)
    #expect(batch.shape == [2, 6])
    #expect(batch[0].ints() == tokenizer.padded("a cat", length: 6).ids)
  }

  @Test(
    "7,685 lines of strangers get OpenAI's ids",
    .enabled(if: Conformance.isThere, Conformance.absent),
    .enabled(
      if: Fixtures.exists(vocabulary), "needs .oracle as script/test --full makes it"))
  func linesOfStrangers() throws {
    let rows = try Conformance.decode([Row].self, "tokens.json")
    let tokenizer = try CLIPTokenizer(contentsOf: Self.vocabulary)
    #expect(rows.count == 7685)
    for row in rows {
      #expect(tokenizer.encode(row.text) == row.ids, "\(row.text.debugDescription)")
    }
  }

  /// A line and its ids.
  private struct Row: Decodable {
    let text: String
    let ids: [Int]

    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      text = try row.decode(String.self)
      ids = try row.decode([Int].self)
    }
  }

  @Test("Texts that were decoded by a wrong encoding are repaired as ftfy repairs them")
  func brokenEncodings() throws {
    let rows = try Fixtures.decode([[String]].self, Fixtures.url("broken_encodings.json"))
    #expect(rows.count == 600)
    for row in rows {
      let repaired = CLIPTextCleaning.repaired(row[0]).string
      #expect(
        repaired.unicodeScalars.elementsEqual(row[1].unicodeScalars),
        "\(row[0].debugDescription): \(repaired.debugDescription)")
    }
  }

  @Test("Decoding gives the words back, and leaves unknown ids out")
  func decoding() throws {
    let tokenizer = try reduced()
    let text = "two whales , naïve 東京 😀 "
    #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    #expect(tokenizer.decode([-1, 1 << 40]) == "")
  }

  @Test(
    "Merging equals the original's repeated scan",
    arguments: [
      "aaaaaaaaaaaaaaa", "abababababab", "banana", "mississippi", "thethethethe", "eeeing",
    ])
  func merging(word: String) throws {
    let tokenizer = try reduced()
    // The original: all occurrences of the pair of lowest rank, again and again.
    let ranks = Dictionary(
      zip(tokenizer.merges, 0...), uniquingKeysWith: { $1 })
    var symbols = word.map(String.init)
    symbols[symbols.count - 1] += "</w>"
    while true {
      let pairs = zip(symbols, symbols.dropFirst()).map { Merge($0, $1) }
      guard let best = pairs.min(by: { ranks[$0, default: .max] < ranks[$1, default: .max] }),
        ranks[best] != nil
      else { break }
      var joined: [String] = []
      var index = 0
      while index < symbols.count {
        if index + 1 < symbols.count, symbols[index] == best.left, symbols[index + 1] == best.right
        {
          joined.append(best.left + best.right)
          index += 2
        } else {
          joined.append(symbols[index])
          index += 1
        }
      }
      symbols = joined
    }
    let expected = symbols.map { $0.hasSuffix("</w>") ? $0.dropLast(4) + " " : $0 }.joined()
    #expect(tokenizer.encode(word).count == symbols.count)
    #expect(tokenizer.encode(word).map { tokenizer.decode([$0]) }.joined() == expected)
  }

  @Test(
    "A prompt of 100,000 characters is encoded whole",
    arguments: [
      "a", "ab ", "!", "&amp;", "é", "&", "Σ", "\u{301}", "'s", "1", "&amp;amp;amp;", "Ã", "â€",
      "Ã©", "Ã ", "ÃƒÂ©",
      "\u{FFFD}",
    ])
  func longPrompt(unit: String) throws {
    let tokenizer = try reduced()
    let text = String(repeating: unit, count: 100_000 / unit.unicodeScalars.count)
    let ids = tokenizer.encode(text)
    #expect(!ids.isEmpty)
    #expect(ids.allSatisfy { (0..<tokenizer.vocabularySize).contains($0) })
  }

  @Test("Hugging Face's pair of files gives the same tokenizer")
  func huggingFace() throws {
    let tokenizer = try reduced()
    let symbols = Vocabulary(clip: tokenizer.merges, name: "").symbols
    let ids = Dictionary(uniqueKeysWithValues: zip(symbols, 0...))
    let merges = tokenizer.merges.map { "\($0.left) \($0.right)" }.joined(separator: "\n")
    let files = [
      "vocab.json": try JSONEncoder().encode(ids),
      "merges.txt": Data("#version: 0.2\n\(merges)\n".utf8),
    ]
    try Fixtures.withFolder(files) { folder in
      let url = folder.appendingPathComponent("vocab.json")
      for place in [url, folder] {
        let other = try CLIPTokenizer(contentsOf: place)
        #expect(other.merges == tokenizer.merges)
        #expect(other.encode("A quick brown fox") == tokenizer.encode("A quick brown fox"))
      }
      try JSONEncoder().encode(ids.mapValues { $0 * 2 }).write(to: url)
      #expect(throws: TokenizerError.self) { try CLIPTokenizer(contentsOf: url) }
    }
  }

  @Test("Training is deterministic, whatever the order, and its file reads back")
  func training() throws {
    let captions = (0..<200).map { index in
      "a \(["red", "green", "blue"][index % 3]) \(["whale", "pizza", "sailboat", "fox"][index % 4])"
        + " on a \(["white", "yellow"][index % 2]) background"
    }
    let tokenizer = try BPETrainer.train(captions, vocabularySize: 550)
    #expect(tokenizer.vocabularySize == 550)
    #expect(
      try BPETrainer.train(captions.reversed(), vocabularySize: 550).merges == tokenizer.merges)
    let again = try Fixtures.withFolder(["tokenizer.json": tokenizer.encoded()]) {
      try CLIPTokenizer(contentsOf: $0)
    }
    #expect(again.merges == tokenizer.merges)
    #expect(try again.encoded() == tokenizer.encoded())
    // The word in every caption has become one token; unseen words still encode.
    #expect(tokenizer.encode("background").count == 1)
    #expect(tokenizer.decode(tokenizer.encode("zebra 東京")) == "zebra 東京 ")
    // With nothing left that occurs twice, the vocabulary stays smaller than asked.
    let few = try BPETrainer.train(["ab ab", "cd"], vocabularySize: 1024)
    #expect(few.vocabularySize == 515)
    #expect(throws: TokenizerError.size(513)) {
      try BPETrainer.train(captions, vocabularySize: 513)
    }
  }
}
