import Painting

extension Corpus {
  /// What the corpus shows, in the words of its captions.
  public var phrases: PhraseBook {
    let colors = NamedColor.all.map { color in
      "on \(CaptionGrammar.indefiniteArticle(before: color.name)) \(color.name) background"
    }
    return PhraseBook(
      things: catalogue.concepts.map { CaptionGrammar.withArticle($0.name) },
      places: Scene.all.map { $0.phrases[0] } + colors, styles: Style.all.map { $0.works[0] })
  }
}
