import Testing

@testable import Training

@Suite("Captions and prompts of the rich corpus")
struct RichCaptionTests {
  @Test(
    "plurals follow the leading noun",
    arguments: [
      ("apple", "apples"), ("fox", "foxes"), ("mouse", "mice"), ("wolf", "wolves"),
      ("butterfly", "butterflies"), ("monkey", "monkeys"), ("fish", "fish"), ("sheep", "sheep"),
      ("glass of milk", "glasses of milk"), ("person running", "people running"),
      ("woman police officer", "women police officers"), ("man astronaut", "men astronauts"),
      ("bald woman", "bald women"), ("person with red hair", "people with red hair"),
      ("snowman", "snowmen"), ("mermaid", "mermaids"), ("leaf in the wind", "leaves in the wind"),
      ("child", "children"), ("potato", "potatoes"), ("piano", "pianos"), ("church", "churches"),
      ("person mountain biking", "people mountain biking"), ("cactus", "cacti"),
      ("hand pointing left", "hands pointing left"), ("bus", "buses"), ("tooth", "teeth"),
    ])
  func plurals(name: String, expected: String) {
    #expect(Plural.of(name) == expected)
  }

  @Test(
    "what cannot be counted has no plural",
    arguments: ["bread", "grapes", "bow and arrow", "statue of liberty", "santa claus", "skis"])
  func uncounted(name: String) {
    #expect(Plural.of(name) == nil)
  }

  @Test("chatter says nothing that the corpus shows, and what is held out of it is never heard")
  func chatter() throws {
    let corpus = try RichCorpusTests.shared.get()
    var shown = corpus.catalogue.concepts.flatMap { [$0.name] + $0.synonyms }
    shown += NamedColor.all.flatMap { [$0.name] + $0.synonyms }
    shown += Scene.all.flatMap { $0.phrases + $0.views }
    for manner in Style.all.map(\.manner) + ArtSet.allCases.map(\.manner) {
      shown += manner.works + [manner.name, manner.adjective ?? ""]
    }
    shown += [ObjectScale.small, .big].flatMap(CaptionGrammar.words)
    let (known, heldOut) = (Chatter.Words.known, Chatter.Words.heldOut)
    for phrase in known.all + heldOut.all {
      #expect(!shown.contains { Self.says($0, phrase) }, "\(phrase)")
    }
    #expect(!heldOut.all.contains { one in known.all.contains { Self.says($0, one) } })
  }

  /// Whether a text has the words of another in a row.
  private static func says(_ text: String, _ words: String) -> Bool {
    func padded(_ text: String) -> String { " \(text.replacing(",", with: "")) " }
    return padded(text).contains(padded(words))
  }

  @Test("no caption has a wrong article, stray braces, double spaces or a wrong number")
  func grammar() throws {
    let corpus = try RichCorpusTests.shared.get()
    let sorts = CaptionGrammar.Phrasing.allCases.flatMap { [($0, 0.0), ($0, 0.8)] }
    for (phrasing, part) in sorts {
      let set = try corpus.with {
        $0.phrasing = phrasing
        ($0.bareSceneFraction, $0.chatterFraction) = (part / 4, part)
      }
      for index in 0..<5000 {
        let caption = set.label(index).caption
        let tokens = caption.split(separator: " ", omittingEmptySubsequences: false)
        #expect(!caption.contains("{") && !tokens.contains(""), "\(caption)")
        #expect(!caption.contains(" ,") && !caption.hasSuffix(","), "\(caption)")
        for (article, next) in zip(tokens, tokens.dropFirst()) {
          if article == "a" || article == "an" {
            #expect(
              article == CaptionGrammar.indefiniteArticle(before: String(next)), "\(caption)")
            #expect(!["the", "a", "an", "two", "three"].contains(next), "\(caption)")
          }
        }
      }
    }
  }

  @Test("captions say what labels say: number, size, style and scene")
  func content() throws {
    let corpus = try RichCorpusTests.shared.get()
    for index in 0..<5000 {
      let label = corpus.label(index)
      let caption = label.caption
      if label.count > 1 {
        let number = try #require(Plural.numbers[label.count])
        #expect(caption.contains(number) || caption.contains("\(label.count) "), "\(caption)")
      }
      if let scale = label.scale {
        #expect(CaptionGrammar.words(for: scale).contains(where: caption.contains), "\(caption)")
      }
      if let scene = label.sceneID {
        #expect(Scene.all[scene].phrases.contains(where: caption.contains), "\(caption)")
      }
      if let style = label.styleID.map({ Style.all[$0] }) {
        let words = style.works + [style.name] + (style.adjective.map { [$0] } ?? [])
        #expect(words.contains(where: caption.contains), "\(caption)")
        #expect(style.keepsColor || label.colorID == nil, "\(caption)")
      }
    }
  }

  @Test("captions run from a word to a sentence, few of them twice")
  func variety() throws {
    let corpus = try RichCorpusTests.shared.get()
    let captions = (0..<4000).map { corpus.label($0).caption }
    let lengths = captions.map { $0.split(separator: " ").count }
    #expect(lengths.contains(1) && lengths.contains { $0 >= 10 })
    #expect(Set(captions).count > 3800)
  }

  @Test("held-out phrasings are none of training's and use no other words")
  func phrasings() {
    typealias G = CaptionGrammar
    func all(_ phrasing: G.Phrasing) -> [String] {
      [true, false].flatMap { G.placed(phrasing, named: $0) + G.styled(phrasing, adjective: $0) }
        + G.colored(phrasing) + G.plain(phrasing)
    }
    func words(_ templates: [String]) -> Set<Substring> {
      Set(templates.flatMap { $0.split { " ,".contains($0) } })
    }
    #expect(Set(all(.known)).isDisjoint(with: all(.heldOut)))
    #expect(words(all(.heldOut)).isSubset(of: words(all(.known))))
  }

  @Test(
    "prompts are fixed, of their list's kind, and held out or seen as asked",
    arguments: PromptList.allCases, [true, false])
  func prompts(list: PromptList, seen: Bool) throws {
    let corpus = try RichCorpusTests.shared.get()
    // Those are written down, not made.
    guard list != .natural else { return }
    let prompts = corpus.prompts(list, seen: seen, count: 300, seed: 5)
    #expect(prompts.count == 300)
    #expect(prompts == corpus.prompts(list, seen: seen, count: 300, seed: 5))
    #expect(prompts != corpus.prompts(list, seen: seen, count: 300, seed: 6))
    let isMixed = [.relations, .views, .chatter].contains(list)
    for prompt in prompts {
      #expect(corpus.isHeldOut(prompt.label) == !seen || isMixed, "\(prompt.text)")
      #expect(!prompt.text.isEmpty)
    }
    switch list {
    case .singles: #expect(prompts.allSatisfy { $0.colorID != nil && $0.conceptIDs.count == 1 })
    case .relations:
      let pairs = HeldOutPairs(catalogue: corpus.catalogue)
      #expect(Set(prompts.map(\.relation)) == Set(Relation.placed.map { $0 }))
      #expect(
        prompts.allSatisfy {
          pairs.contains(pair: $0.conceptIDs[0], $0.conceptIDs[1]) == !seen
        })
    case .scenes: #expect(prompts.allSatisfy { $0.sceneID != nil && $0.styleID == nil })
    case .styles: #expect(prompts.allSatisfy { $0.styleID != nil && $0.sceneID == nil })
    case .counts: #expect(Set(prompts.map(\.count)) == [2, 3, 4])
    case .natural: break
    case .attributes:
      #expect(prompts.allSatisfy { $0.text.contains("\($0.label.tint(0)?.name ?? "–") ") })
    case .worn: #expect(prompts.allSatisfy { $0.relation == .wearing && $0.conceptIDs.count == 2 })
    case .renders:
      let words = ArtSet.fluent3D.manner.works + ["3d"]
      #expect(prompts.allSatisfy { prompt in words.contains(where: prompt.text.contains) })
      #expect(prompts.allSatisfy { $0.sceneID != nil && $0.label.art == .fluent3D })
    case .views:
      #expect(Set(prompts.map(\.sceneID)) == Set(Scene.all.map(\.id)))
      #expect(prompts.allSatisfy { $0.conceptIDs.isEmpty && $0.label.slots.isEmpty })
    case .chatter:
      #expect(prompts.filter { corpus.isHeldOut($0.label) }.count == (seen ? 0 : 200))
      let words = Chatter.Words.of(seen ? .known : .heldOut).all
      let others = Chatter.Words.of(seen ? .heldOut : .known).all
      let told = prompts.filter { prompt in words.contains { Self.says(prompt.text, $0) } }
      #expect(told.count > 200)
      for prompt in prompts {
        #expect(!others.contains { Self.says(prompt.text, $0) }, "\(prompt.text)")
      }
    }
    let other = corpus.prompts(list, seen: seen, count: 50, seed: 5, phrasing: .heldOut)
    #expect(zip(other, prompts).allSatisfy { $0.conceptIDs == $1.conceptIDs })
    #expect(zip(other, prompts).contains { $0.text != $1.text })
  }

  @Test("a list of prompts goes through all concepts before any comes twice")
  func spread() throws {
    let corpus = try RichCorpusTests.shared.get()
    let count = corpus.catalogue.concepts.count
    let prompts = corpus.prompts(.singles, count: count, seed: 1)
    #expect(Set(prompts.map(\.conceptID)).count == count)
  }
}
