import Foundation
import Testing

@testable import Tokenizers

/// Against GLIDE's `Encoder` and transformers' `BartTokenizer`, by `Oracle/byte_tokens.py`.
@Suite("ByteBPETokenizer")
struct ByteBPETokenizerTests {
  struct Line: Decodable {
    struct Padded: Decodable {
      let ids: [Int]
      let mask: [Bool]
    }
    let text: String
    let glide, gpt2, bart, minDALLE: [Int]
    /// At twelve tokens; of the first lines.
    let glide12, bart12: Padded?
  }

  static func lines() throws -> [Line] {
    try Fixtures.decode([Line].self, Fixtures.url("byte_tokens.json"))
  }

  @Test("Nasty lines get the ids, padding and mask that GLIDE gives them")
  func glide() throws {
    let tokenizer = try ByteBPETokenizer(contentsOf: Fixtures.url("gpt2"), .glide)
    for line in try Self.lines() {
      #expect(tokenizer.encode(line.text) == line.glide, "\(line.text.debugDescription)")
      guard let expected = line.glide12 else { continue }
      let (ids, mask) = tokenizer.padded(line.text, length: 12)
      #expect(ids == expected.ids)
      #expect(mask == expected.mask)
    }
  }

  @Test("Nasty lines get the ids, padding and mask that BART's tokenizer gives them")
  func bart() throws {
    let tokenizer = try ByteBPETokenizer(contentsOf: Fixtures.url("bart"), .bart)
    for line in try Self.lines() {
      #expect(tokenizer.encode(line.text) == line.bart, "\(line.text.debugDescription)")
      #expect(Array(tokenizer.decode(line.bart).unicodeScalars) == Array(line.text.unicodeScalars))
      guard let expected = line.bart12 else { continue }
      let (ids, mask) = tokenizer.padded(line.text, length: 12)
      #expect(ids == expected.ids)
      #expect(mask == expected.mask)
    }
  }

  @Test(
    "10,000 lines get the ids that BART's tokenizer gives them",
    .enabled(
      if: Fixtures.exists(Fixtures.oracle.appendingPathComponent("bart_lines.json")),
      "needs .oracle/bart_lines.json: run Tests/TokenizersTests/Oracle/bart_lines.py"))
  func many() throws {
    struct Row: Decodable {
      let text: String
      let ids: [Int]
    }
    let rows = try Fixtures.decode(
      [Row].self, Fixtures.oracle.appendingPathComponent("bart_lines.json"))
    let tokenizer = try ByteBPETokenizer(contentsOf: Fixtures.url("bart"), .bart)
    #expect(rows.count == 10_000)
    for row in rows {
      #expect(tokenizer.encode(row.text) == row.ids, "\(row.text.debugDescription)")
    }
  }

  @Test("Nasty lines get the ids that min-dalle gives them, emoji aside")
  func minDALLE() throws {
    let tokenizer = try ByteBPETokenizer(contentsOf: Fixtures.url("bart"), .minDALLE)
    for line in try Self.lines() {
      // What names emoji is elsewhere; control characters are no symbols of min-dalle's.
      guard
        line.text.unicodeScalars.allSatisfy({
          $0.value < 0x2000 && $0.properties.generalCategory != .control
        })
      else { continue }
      #expect(
        [0] + tokenizer.encode(line.text) + [2] == line.minDALLE, "\(line.text.debugDescription)")
    }
  }

  @Test(
    "Nasty lines get OpenAI's ids under the whole vocabulary of GPT-2",
    .enabled(
      if: Fixtures.exists(Fixtures.oracle.appendingPathComponent("encoder.json.gz")),
      "needs .oracle/encoder.json.gz: run Tests/TokenizersTests/Oracle/byte_tokens.py"))
  func whole() throws {
    let url = Fixtures.oracle.appendingPathComponent("encoder.json.gz")
    let tokenizer = try ByteBPETokenizer(contentsOf: url, .glide)
    #expect(tokenizer.vocabularySize == 50257)
    #expect(tokenizer.framing == Framing(padding: 50256))
    for line in try Self.lines() {
      #expect(tokenizer.encode(line.text) == line.gpt2, "\(line.text.debugDescription)")
    }
  }

  @Test("A single file of Hugging Face's gives the same tokenizer as the pair")
  func singleFile() throws {
    let pair = try ByteBPETokenizer(contentsOf: Fixtures.url("bart"), .bart)
    let single = try ByteBPETokenizer(contentsOf: Fixtures.url("bart/tokenizer.json"), .bart)
    #expect(single.framing == Framing(start: 0, end: 2, padding: 1))
    #expect(single.framing == pair.framing)
    for line in try Self.lines() { #expect(single.encode(line.text) == pair.encode(line.text)) }
  }

  @Test("A vocabulary of another model is refused for what it lacks")
  func anotherModel() throws {
    let bart = try Fixtures.url("bart")
    #expect(
      throws: TokenizerError.vocabulary(
        bart.appendingPathComponent("vocab.json").path,
        reason: "it lacks the symbol '<|endoftext|>'")
    ) {
      try ByteBPETokenizer(contentsOf: bart, .glide)
    }
    #expect(throws: TokenizerError.self) { try CLIPTokenizer(contentsOf: bart) }
    #expect(throws: TokenizerError.self) {
      try ByteBPETokenizer(contentsOf: Fixtures.url("gpt2"), .bart)
    }
  }

  @Test("Bytes that the vocabulary lacks become the unknown token")
  func unknownBytes() throws {
    let ids = ["<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "Ġ": 4, "a": 5, "Ġa": 6]
    let files = [
      "vocab.json": try JSONEncoder().encode(ids), "merges.txt": Data("#version: 0.2\nĠ a\n".utf8),
    ]
    try Fixtures.withFolder(files) { folder in
      let tokenizer = try ByteBPETokenizer(contentsOf: folder, .bart)
      #expect(tokenizer.encode("a ab é") == [5, 6, 3, 4, 3, 3])
    }
  }
}
