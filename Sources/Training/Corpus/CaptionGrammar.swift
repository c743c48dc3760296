/// Phrasings of captions: single words to short sentences, in lower case.
///
/// A template names its parts in braces: `{x}` the bare name, `{ax}` the name with its article, `{c}`
/// the ground's colour, `{ac}` the colour with its article; `{y}` and `{ay}` a second object.
public enum CaptionGrammar {
  /// Which templates to draw from.
  public enum Phrasing: String, Sendable, Codable, CaseIterable {
    /// The templates of training.
    case known
    /// Templates that training never shows, made of words it does show.
    case heldOut = "held-out"
  }

  /// One object on a named ground.
  public static func colored(_ phrasing: Phrasing) -> [String] {
    switch phrasing {
    case .known:
      [
        "{ax} on {ac} background", "{x} on {ac} background", "{ax} on {c}", "{x} on {c}",
        "a picture of {ax} on {c}", "a picture of {ax} on {ac} background",
        "{ac} background with {ax}", "{ax}, {c} background", "{x}, {c} background",
        "{ax} in front of {ac} background", "an image of {ax} on {c}",
        "there is {ax} on {ac} background", "{c} background, {x}",
        "a drawing of {ax} on {ac} background", "{ax} with {ac} background",
      ]
    case .heldOut:
      [
        "an image of {ax} in front of {ac} background", "there is {ax} on {c}",
        "a drawing of {ax}, {c} background",
      ]
    }
  }

  /// One object, no ground named.
  public static func plain(_ phrasing: Phrasing) -> [String] {
    switch phrasing {
    case .known:
      [
        "{x}", "{ax}", "a picture of {ax}", "an image of {ax}", "a drawing of {ax}",
        "there is {ax}", "{x}, drawing",
      ]
    case .heldOut: ["{x}, picture", "there is a picture of {ax}"]
    }
  }

  /// Two objects, the first on the left; `{y}` is the second.
  public static func pair(_ phrasing: Phrasing, colored: Bool) -> [String] {
    let plain =
      switch phrasing {
      case .known:
        [
          "{ax} and {ay}", "{x} and {y}", "{ax} to the left of {ay}", "{ay} to the right of {ax}",
          "a picture of {ax} and {ay}", "{ax} next to {ay}",
        ]
      case .heldOut: ["a picture of {ax} next to {ay}", "there is {ax} to the left of {ay}"]
      }
    return colored ? plain.flatMap { ["\($0) on {ac} background", "\($0) on {c}"] } : plain
  }

  /// Fills a template.
  static func fill(
    _ template: String, object: String, second: String = "", color: String = ""
  ) -> String {
    var caption = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      caption += rest[..<open]
      switch rest[rest.index(after: open)..<close] {
      case "x": caption += object
      case "ax": caption += withArticle(object)
      case "y": caption += second
      case "ay": caption += withArticle(second)
      case "c": caption += color
      case "ac": caption += indefiniteArticle(before: color) + " " + color
      default: break
      }
      rest = rest[rest.index(after: close)...]
    }
    return caption + rest
  }

  /// A name with the article it takes: "a whale", "an owl", "grapes", "the statue of liberty".
  public static func withArticle(_ name: String) -> String {
    if Drawable.definite.contains(name) { return "the " + name }
    if isUncountable(name) || isPlural(name) { return name }
    return indefiniteArticle(before: name) + " " + name
  }

  /// Whether a name takes no article and no number although it looks singular: "bread".
  static func isUncountable(_ name: String) -> Bool {
    Drawable.uncountable.contains(name) || Drawable.moreUncountable.contains(name)
  }

  /// "a" or "an", by the sound the text begins with.
  public static func indefiniteArticle(before text: String) -> String {
    let word = text.lowercased()
    if ["suv", "x-ray", "hour", "honest"].contains(where: word.hasPrefix) { return "an" }
    let asIfYouOrOne = ["uni", "use", "uk", "ufo", "eu", "ewe", "one"]
    if asIfYouOrOne.contains(where: word.hasPrefix) { return "a" }
    return word.first.map("aeiou".contains) == true ? "an" : "a"
  }

  /// Words after which a name goes on about something else than its thing.
  static let connectors: Set<Substring> = [
    "with", "of", "on", "in", "and", "behind", "without", "blowing", "a",
  ]

  /// Whether the noun that leads a name is a plural: "grapes", "paws", "face with heart-eyes" not.
  static func isPlural(_ name: String) -> Bool {
    let words = name.split(separator: " ")
    guard let head = words.prefix(while: { !connectors.contains($0) }).last else { return false }
    if Drawable.singularInS.contains(String(head)) { return false }
    if ["leaves", "lips", "dice", "teeth", "people", "men", "women"].contains(head) { return true }
    return head.hasSuffix("s") && !head.hasSuffix("ss") && !head.hasSuffix("'s")
  }

  /// The numbers of the words of a name that change in the plural: of "glass of milk" the first, of
  /// "woman police officer" the first and the last, of "woman running" the first alone.
  static func heads(of words: [String]) -> [Int] {
    let people: Set<String> = ["person", "man", "woman"]
    let end =
      words.firstIndex { connectors.contains(Substring($0)) || afterNoun.contains($0) }
      ?? words.count
    guard end > 0 else { return [] }
    // "Person running": what is done is not counted.
    if people.union(["face"]).contains(words[0]), words.contains(where: { $0.hasSuffix("ing") }) {
      return [0]
    }
    let head = end - 1
    // "Man" and "woman" before a noun, but not "old" or "bald" before "man".
    return head > 0 && people.contains(words[0]) ? [0, head] : [head]
  }

  /// Words other than connectors after which a name's noun is over.
  private static let afterNoun: Set<String> = [
    "pointing", "taking", "for", "from", "at", "up", "behind", "off", "landing", "showing",
    "without", "over", "pouring", "to", "levitating", "meditating",
  ]
}
