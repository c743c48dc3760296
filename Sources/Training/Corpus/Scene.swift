/// A place drawn by code, with the words that put an object there.
public struct Scene: Sendable, Hashable {
  /// The place in `Scene.all`.
  public let id: Int
  /// The name: "beach".
  public let name: String
  /// What captions say after an object: "on the beach".
  public let phrases: [String]
  /// Whether objects stand on something, or float.
  public let hasGround: Bool

  /// How many pictures there are of each scene.
  public static let variantCount = 4

  /// The scenes of the corpus.
  public static let all: [Scene] = {
    let table: [(String, Bool, [String])] = [
      ("sky", false, ["in the sky", "in a blue sky", "among the clouds"]),
      ("sunset", true, ["at sunset", "in front of a sunset", "under a sunset sky"]),
      ("night", true, ["at night", "under the stars", "under a starry sky"]),
      ("sea", true, ["at sea", "on the sea", "on the ocean"]),
      ("beach", true, ["on the beach", "on a beach", "at the beach"]),
      ("meadow", true, ["in a meadow", "on the grass", "in a green field"]),
      ("forest", true, ["in the forest", "in a forest", "in the woods"]),
      ("desert", true, ["in the desert", "in a desert", "on a sand dune"]),
      ("snow", true, ["in the snow", "on the snow", "in a snowy landscape"]),
      ("city", true, ["in the city", "in a city", "in front of a city skyline"]),
      ("room", true, ["in a room", "in the living room", "indoors"]),
      ("space", false, ["in space", "in outer space", "floating in space"]),
      ("mountains", true, ["in the mountains", "in front of mountains", "near the mountains"]),
      ("underwater", false, ["underwater", "under the sea", "under water"]),
      (
        "forest at night", true,
        ["in a forest at night", "in the woods at night", "in a dark forest"]
      ),
      ("city at night", true, ["in the city at night", "in a city at night", "in a dark city"]),
    ]
    return table.enumerated().map { Scene(id: $0, name: $1.0, phrases: $1.2, hasGround: $1.1) }
  }()

  /// The scene with a name; nil when there is none.
  public static func named(_ name: String) -> Scene? {
    all.first { $0.name == name.lowercased() }
  }
}
