/// The combinations that training never shows.
///
/// Each concept holds back one ground other than white (one in ten of them a second: a tenth of all
/// such pairs), one scene, one style and one colour of its own; of the pairs of concepts one in ten is held
/// back; and Fluent's drawings of one concept in ten are never shown in a scene. The choice hangs on names
/// alone, so it is the same for every seed.
struct HeldOutPairs: Sendable {
  /// The grounds held back, by concept.
  let colors: [[Int]]
  /// The grounds that training may show, white left out, by concept.
  let trainColors: [[Int]]
  /// The scene held back, by concept.
  let scenes: [Int]
  /// The style held back, by concept.
  let styles: [Int]
  /// The colour that the thing itself is never given, by concept.
  let tints: [Int]
  /// Whether Fluent's drawing is never shown in a scene, by concept.
  let isFluentGrounded: [Bool]

  private let hashes: [UInt64]

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
    func choice(_ what: String, of count: Int) -> [Int] {
      catalogue.concepts.map {
        Int(KeyedRandom.hash("held out \(what)/\($0.character)") % UInt64(count))
      }
    }
    scenes = choice("scene", of: Scene.all.count)
    styles = choice("style", of: Style.all.count)
    tints = choice("tint", of: Tint.colors.count).map { Tint.colors[$0] }
    isFluentGrounded = choice("drawing", of: 10).map { $0 == 0 }
    hashes = catalogue.concepts.map { KeyedRandom.hash("held out pair/\($0.character)") }
  }

  func contains(concept: Int, color: Int) -> Bool {
    colors[concept].contains(color)
  }

  /// Whether two concepts, in either order, are never shown together.
  func contains(pair first: Int, _ second: Int) -> Bool {
    var random = KeyedRandom(
      seed: hashes[first] &+ hashes[second], stream: "held-out pairs of concepts")
    return random.integer(below: 10) == 0
  }

  /// Whether a picture joins anything that training never joins.
  func contains(_ label: ExampleLabel) -> Bool {
    let alone = label.conceptIDs.contains { concept in
      label.colorID.map { contains(concept: concept, color: $0) } == true
        || label.sceneID == scenes[concept] || label.styleID == styles[concept]
        || label.sceneID != nil && label.art.isFluent && isFluentGrounded[concept]
    }
    let isTinted = label.conceptIDs.enumerated().contains { place, concept in
      label.tint(place)?.id == tints[concept]
    }
    let ids = label.conceptIDs
    return alone || isTinted || ids.count == 2 && contains(pair: ids[0], ids[1])
  }
}
