import Foundation

/// The short English names of emoji in the Unicode CLDR (`script/emoji-names` writes the table).
enum EmojiNames {
  private static let names: [String: String] = {
    guard let url = Bundle.module.url(forResource: "emoji", withExtension: "tsv"),
      let text = try? String(contentsOf: url, encoding: .utf8)
    else { return [:] }
    return text.split(separator: "\n").reduce(into: [:]) { names, line in
      let parts = line.split(separator: "\t")
      if parts.count == 2 { names[String(parts[0])] = String(parts[1]) }
    }
  }()

  /// Whether a character is shown as a picture.
  static func isEmoji(_ character: Character) -> Bool {
    let scalars = character.unicodeScalars
    return scalars.contains("\u{20e3}")
      || scalars.first.map { $0.value > 0x20ff && $0.properties.isEmoji } == true
  }

  /// The name of an emoji; nil for other characters.
  static func name(of character: Character) -> String? {
    guard isEmoji(character) else { return nil }
    let scalars = Array(character.unicodeScalars).filter { $0 != "\u{fe0f}" }
    if let name = names[text(scalars)] { return name }
    // A tone of skin is not said in so many words.
    let plain = scalars.filter { !$0.properties.isEmojiModifier }
    if let name = names[text(plain)] { return name }
    if plain.count == 2, plain[1] == "\u{20e3}" { return text([plain[0]]) }
    let letters = plain.compactMap(regionLetter)
    if letters.count == 2 {
      let code = String(letters)
      return "flag of " + (Locale(identifier: "en").localizedString(forRegionCode: code) ?? code)
    }
    let parts = plain.split(separator: "\u{200d}").compactMap { part in
      names[text(Array(part))] ?? part.first?.properties.name?.lowercased()
    }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }

  /// A text with names in the place of emoji, and which ones these were.
  /// - Parameter isKnown: says of an emoji that it stays.
  static func named(_ text: String, except isKnown: (Character) -> Bool) -> (
    text: String, names: [(emoji: Character, name: String)]
  ) {
    var names: [(emoji: Character, name: String)] = []
    var words = ""
    var isBehindName = false
    for character in text {
      guard let name = name(of: character), !isKnown(character) else {
        if isBehindName, !character.isWhitespace, !character.isPunctuation { words += " " }
        words.append(character)
        isBehindName = false
        continue
      }
      if let last = words.last, !last.isWhitespace { words += " " }
      words += name
      isBehindName = true
      if !names.contains(where: { $0.emoji == character }) { names.append((character, name)) }
    }
    return (words, names)
  }

  private static func text(_ scalars: [Unicode.Scalar]) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// The letter that a regional indicator stands for.
  private static func regionLetter(_ scalar: Unicode.Scalar) -> Character? {
    guard (0x1f1e6...0x1f1ff).contains(scalar.value) else { return nil }
    return Unicode.Scalar(scalar.value - 0x1f1e6 + 0x41).map(Character.init)
  }
}
