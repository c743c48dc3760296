import Imaging

/// What an example shows.
///
/// Under `.grid` placement a picture of the emoji corpus is a function of its label.
public struct ExampleLabel: Sendable, Hashable, Codable {
  /// What an example was made of.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// One object.
    case single
    /// One object of which the caption says that it is small or big.
    case sized
    /// Two different objects in a relation.
    case pair
    /// Two to four of one concept.
    case count
    /// One object that wears or holds another.
    case worn
    /// A scene and nothing in it.
    case scene
    /// A picture file.
    case file
  }

  /// The caption, in lower case for the emoji corpus and as written for files.
  public var caption: String
  /// The concepts as placed: from left to right, from top to bottom, from front to back. One for
  /// counts; none for files and bare scenes. Numbers of the catalogue.
  public var conceptIDs: [Int]
  /// Which form of each concept is drawn: numbers in `Concept.forms`.
  public var forms: [Int]
  /// Whose drawings they are.
  public var art: ArtSet
  /// The colours that the concepts were given: numbers in `NamedColor.all`, nil for their own; empty where none
  /// was given one.
  public var tints: [Int?]
  /// The ground's number in `NamedColor.all`; nil for files, scenes, and styles with a ground of their
  /// own.
  public var colorID: Int?
  /// The scene's number in `Scene.all`; nil for coloured grounds.
  public var sceneID: Int?
  /// Which of the scene's variants is drawn.
  public var sceneVariant: Int?
  /// The style's number in `Style.all`; nil for the font's own.
  public var styleID: Int?
  /// How the two objects of a pair stand; nil for all others.
  public var relation: Relation?
  /// The size that the caption names; nil where it names none.
  public var scale: ObjectScale?
  /// How many objects of the one concept there are, 1 to 4; for pairs 1, of each.
  public var count: Int
  /// The skin tone of the first person; nil without one.
  public var skinTone: SkinTone?
  /// What the example was made of.
  public var kind: Kind

  /// A label; most of it is nothing unless said.
  public init(
    caption: String, conceptIDs: [Int], forms: [Int]? = nil, art: ArtSet = .noto,
    tints: [Int?] = [], colorID: Int? = nil, sceneID: Int? = nil, sceneVariant: Int? = nil,
    styleID: Int? = nil, relation: Relation? = nil,
    scale: ObjectScale? = nil, count: Int = 1, skinTone: SkinTone? = nil, kind: Kind
  ) {
    self.caption = caption
    self.conceptIDs = conceptIDs
    self.forms = forms ?? conceptIDs.map { _ in 0 }
    self.art = art
    self.tints = tints
    self.colorID = colorID
    self.sceneID = sceneID
    self.sceneVariant = sceneVariant
    self.styleID = styleID
    self.relation = relation
    self.scale = scale
    self.count = count
    self.skinTone = skinTone
    self.kind = kind
  }

  /// The colour that the concept at a place was given; nil for its own.
  func tint(_ place: Int) -> NamedColor? {
    tints.indices.contains(place) ? tints[place].map { NamedColor.all[$0] } : nil
  }
}

/// One example: a square RGB picture and its label.
public struct CorpusExample: Sendable, Equatable {
  /// RGB, size x size.
  public let picture: Picture
  /// Caption, concepts and ground.
  public let label: ExampleLabel

  /// The label's caption.
  public var caption: String { label.caption }
  /// The label's concepts.
  public var conceptIDs: [Int] { label.conceptIDs }
  /// The label's ground.
  public var colorID: Int? { label.colorID }
  /// The label's kind.
  public var kind: ExampleLabel.Kind { label.kind }
}
