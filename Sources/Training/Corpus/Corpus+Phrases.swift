import Painting

extension Corpus {
  /// What the corpus shows, in the words of its captions.
  public var phrases: PhraseBook {
    let colors = NamedColor.all.map { color in
      "on \(CaptionGrammar.indefiniteArticle(before: color.name)) \(color.name) background"
    }
    return PhraseBook(
      things: catalogue.concepts.map { CaptionGrammar.withArticle($0.name) },
      places: Scene.all.map { $0.phrases[0] } + colors, styles: Style.all.map { $0.works[0] },
      words: words)
  }

  /// Every word that captions use.
  private var words: [String] {
    var texts = catalogue.concepts.flatMap { concept in
      concept.allNames + concept.allNames.compactMap(Plural.of)
        + GlyphForm.Gender.allCases.map { CaptionGrammar.gendered(concept.name, $0) }
    }
    texts += NamedColor.all.flatMap { [$0.name] + $0.synonyms }
    texts += Scene.all.flatMap { $0.phrases + $0.views }
    texts += (Style.all.map(\.manner) + configuration.arts.map(\.manner)).flatMap {
      $0.works + [$0.name, $0.adjective ?? ""]
    }
    texts += [ObjectScale.small, .big].flatMap(CaptionGrammar.words) + Plural.numbers.values
    texts += SkinTone.allCases.map { "with \($0.name) skin" } + Chatter.Words.known.all
    let relations = configuration.wornFraction > 0 ? Relation.allCases : Relation.placed
    let templates =
      relations.flatMap(CaptionGrammar.related)
      + [true, false].flatMap {
        CaptionGrammar.placed(.known, named: $0) + CaptionGrammar.styled(.known, adjective: $0)
      }
      + CaptionGrammar.colored(.known) + CaptionGrammar.plain(.known)
    texts += templates.map { $0.replacing(/\{\w+\}/, with: " ") } + ["a", "an", "the", "in style"]
    return Set(texts.flatMap(PhraseBook.words)).sorted()
  }
}
