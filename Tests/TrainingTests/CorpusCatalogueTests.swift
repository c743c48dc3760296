import Foundation
import Testing

@testable import Training

@Suite("Catalogue of the emoji corpus")
struct CorpusCatalogueTests {
  static let shared = Result { try EmojiCatalogue() }

  @Test("it holds between 400 and 480 concepts, numbered in order")
  func count() throws {
    let concepts = try Self.shared.get().concepts
    #expect((400...480).contains(concepts.count))
    #expect(concepts.map(\.id) == Array(concepts.indices))
    #expect(Set(concepts.map(\.character)).count == concepts.count)
  }

  @Test("every name and synonym belongs to one concept alone")
  func unique() throws {
    let catalogue = try Self.shared.get()
    let all = catalogue.concepts.flatMap(\.allNames)
    let twice = Dictionary(grouping: all) { $0 }.filter { $0.value.count > 1 }.keys
    #expect(twice.isEmpty, "\(twice.sorted())")
    for concept in catalogue.concepts {
      #expect(concept.synonyms.count <= 2)
      for name in concept.allNames {
        #expect(catalogue.concept(named: name)?.id == concept.id)
        #expect(name == name.lowercased() && !name.isEmpty)
      }
    }
  }

  @Test("no alias in the table is lost to another concept's name")
  func aliases() throws {
    for concept in try Self.shared.get().concepts {
      let wanted = concept.character.first.flatMap { Drawable.aliases[$0] } ?? []
      #expect(Set(wanted.prefix(2)).isSubset(of: concept.synonyms), "\(concept.name): \(wanted)")
    }
  }

  @Test("every entry of the tables names a drawable concept")
  func tables() {
    let drawable = Set(Drawable.groups.flatMap(\.emoji))
    #expect(Set(Drawable.aliases.keys).isSubset(of: drawable))
    #expect(Set(Drawable.names.keys).isSubset(of: drawable))
  }

  @Test(
    "everyday words are known",
    arguments: [
      ("sailboat", "⛵"), ("whale", "🐋"), ("spouting whale", "🐳"), ("fox", "🦊"),
      ("pizza", "🍕"), ("car", "🚗"), ("Apple", "🍎"), ("face with tears of joy", "😂"),
      ("tree", "🌳"), ("moon", "🌕"), ("boat", "⛵"), ("heart", "❤"), ("house", "🏠"), ("hat", "🎩"),
      ("tongue", nil), ("fruit", nil),
    ])
  func everyday(word: String, character: String?) throws {
    #expect(try Self.shared.get().concept(named: word)?.character == character)
  }

  @Test("a missing CLDR file names Debian's package")
  func missing() {
    #expect {
      try EmojiCatalogue(annotationPaths: ["/nowhere/en.xml"])
    } throws: { "\($0)".contains("apt-get install unicode-cldr-core") }
  }

  @Test("a missing font names Debian's package")
  func missingFont() throws {
    let catalogue = try Self.shared.get()
    #expect {
      try GlyphArt(catalogue: catalogue, fontPath: "/nowhere/font.ttf")
    } throws: { "\($0)".contains("apt-get install fonts-noto-color-emoji") }
  }

  @Test(
    "malformed or foreign XML is an error",
    arguments: [
      "", "nonsense", "<ldml><annotations><annotation cp=\"🦊\" type=\"tts\">fox", "<ldml/>",
      "<ldml><annotation cp='🦊' type='tts'>fox</annotations></ldml>", "\u{0}\u{1}\u{2}",
    ])
  func malformed(xml: String) {
    var annotations = Annotations()
    #expect(throws: CorpusError.self) { try annotations.add(Data(xml.utf8), path: "en.xml") }
  }

  @Test("names and keywords are read, selectors dropped, the first name kept")
  func reading() throws {
    let xml = """
      <?xml version="1.0"?><ldml><annotations>
      <annotation cp="☀\u{fe0f}">bright | rays &amp; light | sun</annotation>
      <annotation cp="☀" type="tts">sun</annotation>
      <annotation cp="☀" type="tts">second</annotation>
      <annotation>nothing</annotation>
      </annotations></ldml>
      """
    var annotations = Annotations()
    try annotations.add(Data(xml.utf8), path: "en.xml")
    #expect(annotations.names == ["☀": "sun"])
    #expect(annotations.keywords == ["☀": ["bright", "rays & light", "sun"]])
  }

  @Test("annotations that lack a concept are an error which shows it")
  func unnamed() throws {
    var annotations = Annotations()
    let xml = "<ldml><annotation cp=\"🐁\" type=\"tts\">mouse</annotation></ldml>"
    try annotations.add(Data(xml.utf8), path: "en.xml")
    #expect {
      try EmojiCatalogue(annotations: annotations, path: "en.xml")
    } throws: { "\($0)".contains("🦊") }
  }
}
