import Testing

@testable import Training

@Suite("Captions of the corpus")
struct CorpusCaptionTests {
  @Test(
    "names take the article their sound and number ask for",
    arguments: [
      ("whale", "a whale"), ("owl", "an owl"), ("unicorn", "a unicorn"), ("ufo", "a ufo"),
      ("umbrella", "an umbrella"), ("suv", "an suv"), ("grapes", "grapes"), ("bread", "bread"),
      ("bus", "a bus"), ("cactus", "a cactus"), ("glass of milk", "a glass of milk"),
      ("octopus", "an octopus"), ("wine glass", "a wine glass"), ("ewe", "a ewe"),
      ("face with tears of joy", "a face with tears of joy"), ("french fries", "french fries"),
      ("stack of books", "a stack of books"), ("slice of pizza", "a slice of pizza"),
      ("statue of liberty", "the statue of liberty"), ("bow and arrow", "a bow and arrow"),
      ("apple", "an apple"), ("t-rex", "a t-rex"), ("eggplant", "an eggplant"),
      ("woman's boot", "a woman's boot"), ("rhinoceros", "a rhinoceros"),
    ])
  func articles(name: String, expected: String) {
    #expect(CaptionGrammar.withArticle(name) == expected)
  }

  @Test("templates are filled with articles before names and colours")
  func templates() {
    let filled = CaptionGrammar.fill(
      "{ax} to the left of {ay} on {ac} background, {c}", object: "owl", second: "whale",
      color: "orange")
    #expect(filled == "an owl to the left of a whale on an orange background, orange")
  }

  @Test("there are twelve templates and more, three or more held out, none in both")
  func counts() {
    typealias G = CaptionGrammar
    let known = G.colored(.known) + G.plain(.known)
    let heldOut = G.colored(.heldOut) + G.plain(.heldOut)
    #expect(known.count >= 12)
    #expect(G.colored(.heldOut).count >= 3)
    #expect(Set(known).isDisjoint(with: heldOut))
    #expect(Set(known + heldOut).count == known.count + heldOut.count)
  }

  @Test("held-out phrasings use no word that training does not show")
  func words() {
    typealias G = CaptionGrammar
    func words(_ templates: [String]) -> Set<Substring> {
      Set(templates.flatMap { $0.split { " ,".contains($0) } })
    }
    let known = words(G.colored(.known) + G.plain(.known) + G.pair(.known, colored: true))
    let heldOut = words(G.colored(.heldOut) + G.plain(.heldOut) + G.pair(.heldOut, colored: true))
    #expect(heldOut.isSubset(of: known), "\(heldOut.subtracting(known))")
  }

  @Test("no caption has 'a' before a vowel it should not, stray braces or double spaces")
  func grammar() throws {
    let corpus = try CorpusTests.shared.get()
    for index in 0..<3000 {
      let caption = corpus.label(index).caption
      let tokens = caption.split(separator: " ", omittingEmptySubsequences: false)
      #expect(!caption.contains("{") && !tokens.contains(""), "\(caption)")
      for (article, next) in zip(tokens, tokens.dropFirst()) {
        guard article == "a" || article == "an" else { continue }
        #expect(article == CaptionGrammar.indefiniteArticle(before: String(next)), "\(caption)")
      }
    }
  }
}
