/// How examples of the emoji corpus are made.
public struct CorpusConfiguration: Sendable, Hashable, Codable {
  /// Where objects are put.
  public enum Placement: String, Sendable, Codable {
    /// A single object of exactly `objectSize` pixels in the middle; pairs side by side, each of half
    /// the picture. Codes of a token grid then repeat from picture to picture.
    case grid
    /// Any position and a size of 60 to 100 % of the picture (pairs: of their half).
    case jitter
  }

  /// The key of all randomness. The choice of held-out pairs does not depend on it.
  public var seed: UInt64 = 1
  /// The side of a picture in pixels.
  public var size = 64
  /// The longer side of a single object in pixels under `.grid`.
  public var objectSize = 56
  /// Where objects are put.
  public var placement = Placement.grid
  /// The part of examples that show two objects, 0 to 1.
  public var pairFraction = 0.0
  /// The part of training examples on white, 0 to 1; nil weighs all grounds alike.
  public var whiteFraction: Double? = nil
  /// The part of captions that do not name the ground, 0 to 1: on white under `.grid`, on any ground
  /// under `.jitter`.
  public var unnamedGroundFraction = 0.5
  /// The phrasings of captions.
  public var phrasing = CaptionGrammar.Phrasing.known
  /// The concepts to draw from, by number; nil for all.
  public var conceptIDs: [Int]? = nil

  /// The defaults: 64 x 64, one object of 56 pixels in the middle, all grounds alike.
  public init() {}

  /// Throws `CorpusError.badConfiguration` for values out of range.
  func validate(conceptCount: Int) throws {
    func check(_ condition: Bool, _ reason: String) throws {
      if !condition { throw CorpusError.badConfiguration(reason) }
    }
    try check((8...1024).contains(size), "size \(size) is outside 8 to 1024")
    try check(
      (4...size).contains(objectSize), "objectSize \(objectSize) is outside 4 to size, \(size)")
    let fractions = [
      ("pairFraction", pairFraction), ("whiteFraction", whiteFraction ?? 0),
      ("unnamedGroundFraction", unnamedGroundFraction),
    ]
    for (name, value) in fractions {
      try check((0...1).contains(value), "\(name) \(value) is outside 0 to 1")
    }
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
