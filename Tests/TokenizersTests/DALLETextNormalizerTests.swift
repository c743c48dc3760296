import Foundation
import Testing

@testable import Tokenizers

/// Against dalle-mini's `TextNormalizer`, by `Oracle/dalle_text.py`.
@Suite("DALLETextNormalizer")
struct DALLETextNormalizerTests {
  private struct Lines: Decodable {
    let words: [String]
    let emoji: [String: String]
    let texts: [[String]]
  }

  private func lines() throws -> Lines {
    try Fixtures.decode(Lines.self, Fixtures.url("dalle_text.json"))
  }

  private func name(_ character: Character, _ emoji: [String: String]) -> String? {
    let signs: [Unicode.Scalar: String] = [
      "\u{a9}": "copyright", "\u{ae}": "registered", "\u{2122}": "trade mark",
    ]
    if let sign = character.unicodeScalars.first.flatMap({ signs[$0] }) { return sign }
    return emoji[String(character)]
  }

  @Test("Emoji, hashtags, addresses, accents and marks become what they do in dalle-mini")
  func texts() throws {
    let lines = try lines()
    let normalize = DALLETextNormalizer(words: lines.words) { self.name($0, lines.emoji) }
    for line in lines.texts {
      #expect(normalize(line[0]) == line[1], "\(line[0].debugDescription)")
    }
    #expect(lines.texts.count >= 400)
  }

  @Test(
    "Without words by frequency a hashtag stays one word; scripts that are not known are left out")
  func without() {
    let normalize = DALLETextNormalizer(words: nil) { _ in nil }
    #expect(normalize("#catsofnewyork at night") == " catsofnewyork at night")
    #expect(normalize("東京 tower") == " tower")
    #expect(normalize("") == " ")
  }
}
