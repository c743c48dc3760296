/// English plurals of the catalogue's names.
enum Plural {
  /// The plural of a name, by its leading noun: "slices of pizza", "women police officers"; nil where
  /// a name cannot be counted: "bread", "grapes", "the milky way", "bow and arrow".
  static func of(_ name: String) -> String? {
    guard
      !CaptionGrammar.isUncountable(name), !Drawable.definite.contains(name),
      !CaptionGrammar.isPlural(name), !uncounted.contains(name)
    else { return nil }
    var words = name.split(separator: " ").map(String.init)
    guard !words.contains("and"), !words.contains("pair"), !words.isEmpty else { return nil }
    let heads = CaptionGrammar.heads(of: words)
    guard !heads.isEmpty else { return nil }
    for index in heads { words[index] = word(words[index]) }
    return words.joined(separator: " ")
  }

  /// Words for numbers of objects.
  static let numbers = [2: "two", 3: "three", 4: "four"]

  /// Names that are singular in form but read badly in the plural.
  private static let uncounted: Set<String> = [
    "t-shirt and jeans", "bald", "thumbs up", "thumbs down", "fireworks", "sunset", "hot pepper",
    "monocle", "partly cloudy sky", "star-struck", "lightning", "world map", "swimming",
  ]

  private static let irregular = [
    "mouse": "mice", "goose": "geese", "ox": "oxen", "sheep": "sheep", "fish": "fish",
    "deer": "deer", "bison": "bison", "squid": "squid", "shrimp": "shrimp", "person": "people",
    "man": "men", "woman": "women", "child": "children", "foot": "feet", "tooth": "teeth",
    "leaf": "leaves", "loaf": "loaves", "knife": "knives", "wolf": "wolves", "elf": "elves",
    "scarf": "scarves", "die": "dice", "cactus": "cacti", "sheaf": "sheaves", "half": "halves",
    "blowfish": "blowfish", "pufferfish": "pufferfish", "aircraft": "aircraft", "swine": "swine",
    "potato": "potatoes", "tomato": "tomatoes", "mango": "mangoes", "tornado": "tornadoes",
    "mosquito": "mosquitoes", "superhero": "superheroes", "volcano": "volcanoes", "hero": "heroes",
    "bus": "buses", "octopus": "octopuses", "biceps": "biceps", "salmon": "salmon",
    "spacecraft": "spacecraft", "sushi": "sushi", "headphone": "headphones", "quiz": "quizzes",
    "piano": "pianos", "burrito": "burritos", "canoe": "canoes", "oncoming": "oncoming",
  ]

  /// The plural of one noun.
  static func word(_ word: String) -> String {
    if let known = irregular[word] { return known }
    if word.hasSuffix("man"), !["human", "caiman", "talisman", "german"].contains(word) {
      return word.dropLast(3) + "men"
    }
    if ["s", "x", "z", "ch", "sh"].contains(where: word.hasSuffix) {
      return word.hasSuffix("stomach") ? word + "s" : word + "es"
    }
    if word.hasSuffix("y"), let before = word.dropLast().last, !"aeiou".contains(before) {
      return word.dropLast() + "ies"
    }
    if word.hasSuffix("fish") { return word }
    return word + "s"
  }
}
