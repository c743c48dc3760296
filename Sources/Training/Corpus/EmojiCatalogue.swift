/// A thing the corpus can draw.
public struct Concept: Sendable, Hashable {
  /// The place in `EmojiCatalogue.concepts`: the judge's class number.
  public let id: Int
  /// The character the font draws, without U+FE0F.
  public let character: String
  /// The subject: animals, plants, food, vehicles, sky, places, faces or objects.
  public let group: String
  /// The name in captions, in lower case: "spouting whale".
  public let name: String
  /// Up to two other names, each belonging to this concept alone: "car" for "automobile".
  public let synonyms: [String]
  /// CLDR's keywords, which several concepts may share.
  public let keywords: [String]

  /// The name and its synonyms.
  public var allNames: [String] { [name] + synonyms }
}

/// The concepts of the emoji corpus: about 450 drawable things with their names.
public struct EmojiCatalogue: Sendable {
  /// Where Debian's unicode-cldr-core puts the English annotations.
  public static let defaultAnnotationPaths = [
    "/usr/share/unicode/cldr/common/annotations/en.xml",
    "/usr/share/unicode/cldr/common/annotationsDerived/en.xml",
  ]

  /// All concepts, in an order that releases of font and CLDR do not change.
  public let concepts: [Concept]

  private let idByName: [String: Int]

  /// The drawable concepts, named by CLDR's annotation files.
  ///
  /// Throws `CorpusError.missing` (with the package to install), `.badAnnotations` or `.unnamed`.
  public init(annotationPaths: [String] = Self.defaultAnnotationPaths) throws {
    try self.init(
      annotations: Annotations(paths: annotationPaths),
      path: annotationPaths.joined(separator: ", "))
  }

  /// The drawable concepts, named by annotations read before; `path` serves error messages.
  ///
  /// Throws `CorpusError.unnamed` when annotations lack one of them.
  public init(annotations: Annotations, path: String) throws {
    typealias Entry = (character: Character, group: String, name: String, keywords: [String])
    var entries: [Entry] = []
    var unnamed = ""
    for group in Drawable.groups {
      for character in group.emoji {
        let key = String(character)
        guard let name = Drawable.names[character] ?? annotations.names[key] else {
          unnamed.append(character)
          continue
        }
        let keywords = (annotations.keywords[key] ?? []).map(Self.cleaned)
        entries.append((character, group.name, Self.cleaned(name), keywords))
      }
    }
    guard unnamed.isEmpty else { throw CorpusError.unnamed(characters: unnamed, path: path) }

    var taken = Set(entries.map(\.name))
    var synonyms = entries.map { entry in
      (Drawable.aliases[entry.character] ?? []).filter { taken.insert($0).inserted }
    }
    // The last word of a name stands for the thing ("bell" for "bellhop bell") where CLDR lists it
    // as a keyword and no other name ends in it; not in "face with tongue", where it is a part.
    let lastWords = entries.map { entry -> String? in
      let words = entry.name.split(separator: " ")
      guard
        words.count > 1, !words.contains(where: CaptionGrammar.connectors.contains),
        let last = words.last.map(String.init)
      else { return nil }
      return last
    }
    let uses = Dictionary(lastWords.compactMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
    for (index, entry) in entries.enumerated() where synonyms[index].count < 2 {
      guard
        let word = lastWords[index], uses[word] == 1, entry.keywords.contains(word),
        !Drawable.misleadingLastWords.contains(word), taken.insert(word).inserted
      else { continue }
      synonyms[index].append(word)
    }

    concepts = entries.enumerated().map { index, entry in
      Concept(
        id: index, character: String(entry.character), group: entry.group, name: entry.name,
        synonyms: Array(synonyms[index].prefix(2)), keywords: entry.keywords)
    }
    idByName = Dictionary(
      concepts.flatMap { concept in concept.allNames.map { ($0, concept.id) } },
      uniquingKeysWith: { first, _ in first })
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
