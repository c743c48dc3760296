/// The pairs of concept and ground that training never shows.
///
/// Each concept holds back one ground other than white, and one in ten of them a second: a tenth of
/// all such pairs, every concept among them. The choice hangs on names alone, so it is the same for
/// every seed.
struct HeldOutPairs: Sendable {
  /// The grounds held back, by concept.
  let colors: [[Int]]
  /// The grounds that training may show, white left out, by concept.
  let trainColors: [[Int]]

  init(catalogue: EmojiCatalogue) {
    let grounds = NamedColor.all.filter { $0.id != NamedColor.whiteID }
    colors = catalogue.concepts.map { concept in
      let keyed = grounds.map {
        (KeyedRandom.hash("held out/\(concept.character)/\($0.name)"), $0.id)
      }
      let order = keyed.sorted { $0 < $1 }.map(\.1)
      let second = KeyedRandom.hash("held out twice/\(concept.character)") % 10 == 0
      return Array(order.prefix(second ? 2 : 1))
    }
    trainColors = colors.map { held in grounds.map(\.id).filter { !held.contains($0) } }
  }

  func contains(concept: Int, color: Int) -> Bool {
    colors[concept].contains(color)
  }
}

/// A prompt of the fixed evaluation list, with what its picture must show.
public struct EvaluationPrompt: Sendable, Hashable, Codable {
  /// What to paint.
  public let text: String
  /// The object's number in the catalogue.
  public let conceptID: Int
  /// The ground's number in `NamedColor.all`.
  public let colorID: Int
}
