/// A place drawn by code, with the words that put an object there.
public struct Scene: Sendable, Hashable {
  /// The place in `Scene.all`.
  public let id: Int
  /// The name: "beach".
  public let name: String
  /// What captions say after an object: "on the beach".
  public let phrases: [String]
  /// What captions call it where nothing stands in it: "a sandy beach".
  public let views: [String]
  /// Whether objects stand on something, or float.
  public let hasGround: Bool

  /// How many pictures there are of each scene.
  public static let variantCount = 4

  /// The scenes of the corpus.
  public static let all: [Scene] = {
    let table: [(String, Bool, [String], [String])] = [
      (
        "sky", false, ["in the sky", "in a blue sky", "among the clouds"],
        ["the sky", "a blue sky", "clouds in the sky", "a cloudy sky"]
      ),
      (
        "sunset", true, ["at sunset", "in front of a sunset", "under a sunset sky"],
        ["a sunset", "a sunset over mountains", "a sunset sky", "an evening sky"]
      ),
      (
        "night", true, ["at night", "under the stars", "under a starry sky"],
        ["a starry night", "the night sky", "a starry sky", "stars at night"]
      ),
      (
        "sea", true, ["at sea", "on the sea", "on the ocean"],
        ["the sea", "the ocean", "the open sea", "waves on the ocean"]
      ),
      (
        "beach", true, ["on the beach", "on a beach", "at the beach"],
        ["a beach", "the beach", "a sandy beach", "a beach by the sea"]
      ),
      (
        "meadow", true, ["in a meadow", "on the grass", "in a green field"],
        ["a meadow", "a green field", "a green meadow", "grass under a blue sky"]
      ),
      (
        "forest", true, ["in the forest", "in a forest", "in the woods"],
        ["a forest", "the forest", "the woods", "a forest landscape"]
      ),
      (
        "desert", true, ["in the desert", "in a desert", "on a sand dune"],
        ["a desert", "the desert", "sand dunes", "a desert landscape"]
      ),
      (
        "snow", true, ["in the snow", "on the snow", "in a snowy landscape"],
        ["a snowy landscape", "a winter landscape", "a snowy field", "winter"]
      ),
      (
        "city", true, ["in the city", "in a city", "in front of a city skyline"],
        ["a city", "the city", "a city skyline", "a skyline"]
      ),
      (
        "room", true, ["in a room", "in the living room", "indoors"],
        ["a room", "a living room", "an empty room", "the inside of a house"]
      ),
      (
        "space", false, ["in space", "in outer space", "floating in space"],
        ["space", "outer space", "stars in space", "the universe"]
      ),
      (
        "mountains", true, ["in the mountains", "in front of mountains", "near the mountains"],
        ["mountains", "the mountains", "a mountain landscape", "a mountain range"]
      ),
      (
        "underwater", false, ["underwater", "under the sea", "under water"],
        ["an underwater scene", "an underwater landscape", "the sea floor", "the deep sea"]
      ),
      (
        "forest at night", true,
        ["in a forest at night", "in the woods at night", "in a dark forest"],
        ["a forest at night", "the woods at night", "a dark forest", "a forest under the stars"]
      ),
      (
        "city at night", true, ["in the city at night", "in a city at night", "in a dark city"],
        ["a city at night", "the city at night", "a dark city", "a skyline at night"]
      ),
    ]
    return table.enumerated().map {
      Scene(id: $0, name: $1.0, phrases: $1.2, views: $1.3, hasGround: $1.1)
    }
  }()

  /// The scene with a name; nil when there is none.
  public static func named(_ name: String) -> Scene? {
    all.first { $0.name == name.lowercased() }
  }
}
