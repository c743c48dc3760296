import Testing
import Tokenizers

/// Against AttnGAN's `gen_example`, by `Oracle/words.py`.
@Suite("WordTokenizer")
struct WordTokenizerTests {
  struct File: Decodable {
    struct Line: Decodable {
      let text: String
      let ids: [Int]
    }
    let words: [String]
    let lines: [Line]
  }

  private func tokenizer(_ words: [String]) throws -> WordTokenizer {
    try WordTokenizer(Dictionary(uniqueKeysWithValues: zip(words, 0...)))
  }

  @Test("Lines get the ids that AttnGAN gives them")
  func lines() throws {
    let file = try Fixtures.decode(File.self, Fixtures.url("words.json"))
    let tokenizer = try tokenizer(file.words)
    #expect(tokenizer.vocabularySize == file.words.count)
    for line in file.lines {
      #expect(tokenizer.encode(line.text) == line.ids, "\(line.text.debugDescription)")
    }
  }

  @Test("Words that the dictionary lacks are named, each once")
  func unknown() throws {
    let tokenizer = try tokenizer(["<end>", "a", "bird", "nave"])
    let text = "A purple bird, a PURPLE 東京 bird, naïve"
    #expect(tokenizer.unknownWords(in: text) == ["purple", "東京"])
    #expect(tokenizer.encode(text) == [1, 2, 1, 2, 3])
    let (ids, mask) = tokenizer.padded("a bird", length: 4)
    #expect(ids == [1, 2, 0, 0])
    #expect(mask == [true, true, false, false])
  }

  @Test("A dictionary with ids out of range or taken twice is refused")
  func damaged() {
    for ids in [["a": -1], ["a": 1 << 40], ["a": 1, "b": 1]] {
      #expect(throws: TokenizerError.self) { try WordTokenizer(ids) }
    }
    #expect(throws: Never.self) { try WordTokenizer([:]) }
  }
}
