/// Words of a prompt that nothing in the picture answers to: "a cute fox, highly detailed".
///
/// People write them whether or not a model knows them; one that has never met any takes them for things.
struct Chatter: Sendable, Hashable {
  /// Before the thing: "cute".
  var adjective: String?
  /// After the thing: "playing around".
  var doing: String?
  /// Before everything: "a photo of".
  var opening: String?
  /// After everything: "highly detailed".
  var closing: String?

  /// Some of it, at random; now and then nothing.
  init(_ phrasing: CaptionGrammar.Phrasing, _ random: inout KeyedRandom) {
    let words = Words.of(phrasing)
    func choose(_ list: [String], _ odds: Double) -> String? {
      // Drawn in any case, so that one part does not depend on another's odds.
      let word = list[random.integer(below: list.count)]
      return random.uniform() < odds ? word : nil
    }
    let invented = Self.invented(phrasing, &random)
    adjective = choose(words.adjectives, 0.5).map { random.uniform() < 0.15 ? invented : $0 }
    doing = choose(words.doings, 0.25)
    opening = choose(words.openings, 0.35)
    closing = choose(words.closings, 0.4)
  }

  /// A word that there is not: whoever has met some of these does not take the next one for a thing.
  private static func invented(
    _ phrasing: CaptionGrammar.Phrasing, _ random: inout KeyedRandom
  ) -> String {
    let (heads, tails) =
      switch phrasing {
      case .known:
        (
          ["blor", "zin", "quib", "fra", "mup", "trell", "vok", "snor"],
          ["py", "dle", "bish", "gly", "mic", "tious"]
        )
      case .heldOut: (["glim", "wuz", "pral", "jorf"], ["nish", "zy", "vable", "dent"])
      }
    return heads[random.integer(below: heads.count)] + tails[random.integer(below: tails.count)]
  }

  /// A name with the adjective before it.
  func adorned(_ name: String) -> String { adjective.map { "\($0) \(name)" } ?? name }

  /// A phrase with what the thing does after it.
  func busy(_ phrase: String) -> String { doing.map { "\(phrase) \($0)" } ?? phrase }

  /// A caption with what closes it.
  func closed(_ caption: String) -> String { closing.map { "\(caption), \($0)" } ?? caption }

  /// What there is to draw from. None of it says anything that the corpus shows.
  struct Words: Sendable {
    let adjectives: [String], doings: [String], openings: [String], closings: [String]

    var all: [String] { adjectives + doings + openings + closings }

    static func of(_ phrasing: CaptionGrammar.Phrasing) -> Words {
      switch phrasing {
      case .known: known
      case .heldOut: heldOut
      }
    }

    static let known = Words(
      adjectives: [
        "cute", "beautiful", "funny", "lovely", "pretty", "nice", "brave", "friendly", "fluffy",
        "shiny", "magical", "tasty", "fancy", "adorable", "amazing", "strange", "gentle", "proud",
        "lonely", "famous", "ancient", "modern", "elegant", "cozy", "colorful", "epic", "fantastic",
        "charming", "very cute", "really nice", "marvelous", "elaborate", "mysterious",
        "playful",
      ],
      doings: [
        "playing around", "standing there", "sitting", "resting", "waiting", "having fun",
        "at work",
        "being happy", "enjoying the day", "doing nothing", "looking at you",
      ],
      openings: [
        "a photo of", "a photograph of", "an illustration of", "digital art of", "a view of",
        "a close-up of", "art of", "i want", "please paint", "show me", "paint me", "a vision of",
        "concept art of", "a scene with", "the concept of", "a portrait of",
      ],
      closings: [
        "highly detailed", "high quality", "4k", "8k", "digital art", "concept art",
        "trending on artstation", "masterpiece", "sharp focus", "beautiful", "colorful", "cute",
        "nice design", "vector art", "minimalist", "award winning", "cinematic", "illustration",
        "photorealistic", "isolated", "simple", "soft colors",
      ])

    static let heldOut = Words(
      adjectives: ["gorgeous", "cheerful", "splendid", "curious", "delightful", "humble"],
      doings: ["strolling along", "relaxing", "in a good mood", "thinking about life"],
      openings: ["a snapshot of", "artwork of", "an animation of", "could you draw"],
      closings: ["very detailed", "unreal engine", "stunning", "hd", "by an unknown artist"])
  }
}
