/// How examples of the emoji corpus are made.
public struct CorpusConfiguration: Sendable, Hashable, Codable {
  /// Where objects are put.
  public enum Placement: String, Sendable, Codable {
    /// Few sizes on fixed places, as `Layout` says: codes of a token grid then repeat from picture to
    /// picture.
    case grid
    /// Single objects anywhere, at 60 to 100 % of the picture; all others at 80 to 100 % of their size
    /// on the grid and moved a little.
    case jitter
  }

  /// The key of all randomness. The choice of what is held out does not depend on it.
  public var seed: UInt64 = 1
  /// The side of a picture in pixels.
  public var size = 64
  /// The longer side in pixels, under `.grid`, of a single object on a coloured ground.
  public var objectSize = 56
  /// Where objects are put.
  public var placement = Placement.grid
  /// Which concepts the catalogue has.
  public var edition = EmojiCatalogue.Edition.first
  /// The part of examples that show two objects, 0 to 1.
  public var pairFraction = 0.0
  /// The part that show two to four objects of one concept, 0 to 1.
  public var countFraction = 0.0
  /// The part that show an object called small or big, 0 to 1.
  public var sizedFraction = 0.0
  /// The part that show a scene and nothing in it, 0 to 1. The parts of pairs, counts, sized objects, bare
  /// scenes and worn things sum to 1 at most; the rest shows single objects.
  public var bareSceneFraction = 0.0
  /// The part that show an object that wears or holds another, 0 to 1.
  public var wornFraction = 0.0
  /// The hands whose drawings are shown, each as often where it drew a concept.
  public var arts: [ArtSet] = [.noto]
  /// The part of captions without a style that name the hand, 0 to 1.
  public var artNamedFraction = 0.0
  /// The part of objects that are given another colour, of those on which it looks right, 0 to 1.
  public var tintFraction = 0.0
  /// The part of all examples that stand in a scene, 0 to 1.
  public var sceneFraction = 0.0
  /// The part of all examples that are painted in a style, 0 to 1.
  public var styleFraction = 0.0
  /// The relations of pairs, each equally often.
  public var relations: [Relation] = [.nextTo, .leftOf]
  /// The part of coloured grounds in training that are white, 0 to 1; nil weighs all alike.
  public var whiteFraction: Double? = nil
  /// The part of captions that do not name the ground, 0 to 1: on white under `.grid`, on any ground
  /// under `.jitter`. Scenes are always named.
  public var unnamedGroundFraction = 0.5
  /// The part of captions with a person that tell the skin tone, 0 to 1.
  public var toneFraction = 0.1
  /// The part of captions with words that nothing in the picture answers to, 0 to 1: "cute", "4k".
  public var chatterFraction = 0.0
  /// The phrasings of captions.
  public var phrasing = CaptionGrammar.Phrasing.known
  /// The concepts to draw from, by number; nil for all.
  public var conceptIDs: [Int]? = nil

  /// The defaults: 64 x 64, one thing of 56 pixels in the middle, all grounds alike.
  public init() {}

  /// The mixture for training: all concepts, and of all examples a fifth pairs, a twelfth counts, a
  /// twentieth sized objects, a quarter in scenes and a fifth in styles, combined freely.
  ///
  /// - Parameter size: the side in pixels; a multiple of 32 keeps all objects on whole pixels.
  public static func rich(size: Int = 128) -> CorpusConfiguration {
    var rich = CorpusConfiguration()
    rich.size = size
    rich.objectSize = size * 7 / 8
    rich.edition = .second
    rich.pairFraction = 0.2
    rich.countFraction = 0.08
    rich.sizedFraction = 0.05
    rich.sceneFraction = 0.25
    rich.styleFraction = 0.2
    rich.relations = Relation.placed
    rich.whiteFraction = 0.15
    return rich
  }

  /// The mixture of the pack's second world: `rich`, things in other colours, worn and held things, and
  /// drawings of several hands.
  /// - Parameters:
  ///   - size: the side in pixels; see `rich`.
  ///   - arts: the hands.
  public static func world(size: Int = 128, arts: [ArtSet] = ArtSet.allCases)
    -> CorpusConfiguration
  {
    var world = rich(size: size)
    world.arts = arts
    world.artNamedFraction = arts.count > 1 ? 0.25 : 0
    world.tintFraction = 0.3
    world.wornFraction = 0.08
    return world
  }

  /// Reads what is given and leaves the rest at its default, so that files may set single options.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
      value = try values.decodeIfPresent(Value.self, forKey: key) ?? value
    }
    try read(.size, &size)
    objectSize = size * 7 / 8
    try read(.seed, &seed)
    try read(.objectSize, &objectSize)
    try read(.placement, &placement)
    try read(.edition, &edition)
    try read(.pairFraction, &pairFraction)
    try read(.countFraction, &countFraction)
    try read(.sizedFraction, &sizedFraction)
    try read(.bareSceneFraction, &bareSceneFraction)
    try read(.wornFraction, &wornFraction)
    try read(.arts, &arts)
    try read(.artNamedFraction, &artNamedFraction)
    try read(.tintFraction, &tintFraction)
    try read(.sceneFraction, &sceneFraction)
    try read(.styleFraction, &styleFraction)
    try read(.relations, &relations)
    whiteFraction = try values.decodeIfPresent(Double.self, forKey: .whiteFraction)
    try read(.unnamedGroundFraction, &unnamedGroundFraction)
    try read(.toneFraction, &toneFraction)
    try read(.chatterFraction, &chatterFraction)
    try read(.phrasing, &phrasing)
    conceptIDs = try values.decodeIfPresent([Int].self, forKey: .conceptIDs)
  }

  /// Throws `CorpusError.badConfiguration` for values out of range.
  func validate(conceptCount: Int) throws {
    func check(_ condition: Bool, _ reason: String) throws {
      if !condition { throw CorpusError.badConfiguration(reason) }
    }
    try check((8...1024).contains(size), "size \(size) is outside 8 to 1024")
    try check(
      (4...size).contains(objectSize), "objectSize \(objectSize) is outside 4 to size, \(size)")
    let fractions = [
      ("pairFraction", pairFraction), ("countFraction", countFraction),
      ("sizedFraction", sizedFraction), ("bareSceneFraction", bareSceneFraction),
      ("sceneFraction", sceneFraction), ("styleFraction", styleFraction),
      ("whiteFraction", whiteFraction ?? 0), ("unnamedGroundFraction", unnamedGroundFraction),
      ("toneFraction", toneFraction), ("chatterFraction", chatterFraction),
      ("wornFraction", wornFraction), ("artNamedFraction", artNamedFraction),
      ("tintFraction", tintFraction),
    ]
    for (name, value) in fractions {
      try check((0...1).contains(value), "\(name) \(value) is outside 0 to 1")
    }
    let kinds = pairFraction + countFraction + sizedFraction + bareSceneFraction + wornFraction
    try check(
      kinds <= 1 + 1e-9,
      "pairFraction, countFraction, sizedFraction, bareSceneFraction and wornFraction sum to "
        + "\(kinds), more than 1")
    try check(!arts.isEmpty, "arts is empty")
    try check(!relations.isEmpty, "relations is empty")
    if let conceptIDs {
      try check(!conceptIDs.isEmpty, "conceptIDs is empty")
      for id in conceptIDs {
        try check(
          (0..<conceptCount).contains(id),
          "there is no concept \(id), only 0 to \(conceptCount - 1)")
      }
    }
  }
}
