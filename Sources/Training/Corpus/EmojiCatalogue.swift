/// A thing the corpus can draw.
public struct Concept: Sendable, Hashable {
  /// The place in `EmojiCatalogue.concepts`: the judge's class number.
  public let id: Int
  /// The character the font draws, without U+FE0F.
  public let character: String
  /// The subject: animals, plants, food, vehicles, sky, places, faces, objects, people and so on.
  public let group: String
  /// The name in captions, in lower case: "spouting whale".
  public let name: String
  /// Up to two other names, each belonging to this concept alone: "car" for "automobile".
  public let synonyms: [String]
  /// CLDR's keywords, which several concepts may share.
  public let keywords: [String]
  /// The glyphs that show it: one, or for people one for each gender and skin tone. Examples draw
  /// each equally often.
  public let forms: [GlyphForm]

  /// The name and its synonyms.
  public var allNames: [String] { [name] + synonyms }
}

/// The concepts of the emoji corpus: drawable things and people with their names.
public struct EmojiCatalogue: Sendable {
  /// Which concepts there are.
  public enum Edition: String, Sendable, Codable, CaseIterable {
    /// The 452 things that are not people, of the first pack.
    case first
    /// Those, with the same numbers, and after them people and all other usable concepts.
    case second
  }

  /// Where Debian's unicode-cldr-core puts the English annotations.
  public static let defaultAnnotationPaths = [
    "/usr/share/unicode/cldr/common/annotations/en.xml",
    "/usr/share/unicode/cldr/common/annotationsDerived/en.xml",
  ]

  /// All concepts, in an order that releases of font and CLDR do not change.
  public let concepts: [Concept]
  /// Which concepts there are.
  public let edition: Edition

  private let idByName: [String: Int]

  /// The drawable concepts, named by CLDR's annotation files.
  ///
  /// Throws `CorpusError.missing` (with the package to install), `.badAnnotations` or `.unnamed`.
  public init(
    annotationPaths: [String] = Self.defaultAnnotationPaths, edition: Edition = .first
  ) throws {
    try self.init(
      annotations: Annotations(paths: annotationPaths),
      path: annotationPaths.joined(separator: ", "), edition: edition)
  }

  /// The drawable concepts, named by annotations read before; `path` serves error messages.
  ///
  /// Throws `CorpusError.unnamed` when annotations lack one of them.
  public init(annotations: Annotations, path: String, edition: Edition = .first) throws {
    self.edition = edition
    var unnamed = ""
    func entries(_ groups: [(name: String, characters: [Character])]) -> [Entry] {
      groups.flatMap { group in
        group.characters.compactMap { character in
          let key = String(character)
          guard let name = Drawable.captionName(of: character) ?? annotations.names[key] else {
            unnamed.append(character)
            return nil
          }
          let keywords = (annotations.keywords[key] ?? []).map(Self.cleaned)
          return Entry(
            character: character, group: group.name, name: Self.cleaned(name), keywords: keywords)
        }
      }
    }
    // The first edition is named by itself, so that the second cannot change a word of it.
    let editions = [
      entries(Drawable.groups.map { ($0.name, Array($0.emoji)) }),
      edition == .first ? [] : entries(Drawable.secondEdition),
    ]
    guard unnamed.isEmpty else { throw CorpusError.unnamed(characters: unnamed, path: path) }

    var taken: Set<String> = []
    var misleading = Drawable.misleadingLastWords
    var concepts: [Concept] = []
    for entries in editions {
      taken.formUnion(entries.map(\.name))
      let synonyms = Self.synonyms(of: entries, misleading, &taken)
      misleading.formUnion(Drawable.moreMisleadingLastWords)
      for (entry, synonyms) in zip(entries, synonyms) {
        concepts.append(
          Concept(
            id: concepts.count, character: String(entry.character), group: entry.group,
            name: entry.name, synonyms: synonyms, keywords: entry.keywords,
            forms: GlyphForm.all(of: entry.character)))
      }
    }
    self.concepts = concepts
    idByName = Dictionary(
      concepts.flatMap { concept in concept.allNames.map { ($0, concept.id) } },
      uniquingKeysWith: { first, _ in first })
  }

  private struct Entry {
    let character: Character
    let group: String
    let name: String
    let keywords: [String]
  }

  /// At most two other names for each entry, none of them taken.
  private static func synonyms(
    of entries: [Entry], _ misleading: Set<String>, _ taken: inout Set<String>
  ) -> [[String]] {
    var synonyms = entries.map { entry in
      Drawable.otherNames(of: entry.character).filter { taken.insert($0).inserted }
    }
    // The last word of a name stands for the thing ("bell" for "bellhop bell") where CLDR lists it
    // as a keyword and no other name ends in it; not in "face with tongue", where it is a part.
    let lastWords = entries.map { entry -> String? in
      let words = entry.name.split(separator: " ")
      guard
        words.count > 1, !["people", "body"].contains(entry.group),
        !words.contains(where: CaptionGrammar.connectors.contains),
        let last = words.last.map(String.init)
      else { return nil }
      return last
    }
    let uses = Dictionary(lastWords.compactMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
    for (index, entry) in entries.enumerated() where synonyms[index].count < 2 {
      guard
        let word = lastWords[index], uses[word] == 1, entry.keywords.contains(word),
        !misleading.contains(word), taken.insert(word).inserted
      else { continue }
      synonyms[index].append(word)
    }
    return synonyms.map { Array($0.prefix(2)) }
  }

  /// The concept with a name or synonym, in any case; nil when there is none.
  public func concept(named name: String) -> Concept? {
    idByName[name.lowercased()].map { concepts[$0] }
  }

  /// Lower case, plain apostrophes and quotes, single spaces.
  static func cleaned(_ name: String) -> String {
    name.lowercased()
      .replacing("\u{2019}", with: "'").replacing("\u{201c}", with: "").replacing(
        "\u{201d}", with: ""
      )
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
