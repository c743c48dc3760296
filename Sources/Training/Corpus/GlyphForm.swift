/// One of the five skin tones of Unicode (UTS #51, 2.4: Fitzpatrick types 1-2 to 6).
public enum SkinTone: Int, Sendable, Codable, CaseIterable {
  case light, mediumLight, medium, mediumDark, dark

  /// How captions say it: "medium-dark".
  public var name: String {
    switch self {
    case .light: "light"
    case .mediumLight: "medium-light"
    case .medium: "medium"
    case .mediumDark: "medium-dark"
    case .dark: "dark"
    }
  }

  /// The modifier that follows the character of a person.
  var modifier: Unicode.Scalar {
    let modifiers: [Unicode.Scalar] = [
      "\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}",
    ]
    return modifiers[rawValue]
  }
}

/// A glyph that shows a concept.
public struct GlyphForm: Sendable, Hashable {
  /// Whom a glyph of a person shows where the font has one for each.
  public enum Gender: String, Sendable, Codable, CaseIterable {
    /// Neither a man nor a woman in particular.
    case person
    /// A man.
    case man
    /// A woman.
    case woman
  }

  /// The code points, without U+FE0F.
  public let sequence: String
  /// Whom it shows; nil for things, and for people of one form.
  public let gender: Gender?
  /// The skin tone; nil for things and for people without one.
  public let skinTone: SkinTone?

  /// All forms of a concept, by gender and then by tone.
  static func all(of character: Character) -> [GlyphForm] {
    genders(of: character).flatMap { gender, sequence -> [GlyphForm] in
      guard
        let person = sequence.first, person.properties.isEmojiModifierBase,
        !Drawable.toneless.contains(character)
      else {
        return [GlyphForm(sequence: text(sequence), gender: gender, skinTone: nil)]
      }
      return SkinTone.allCases.map { tone in
        let toned = [person, tone.modifier] + sequence.dropFirst()
        return GlyphForm(sequence: text(toned), gender: gender, skinTone: tone)
      }
    }
  }

  private static func genders(of character: Character) -> [(Gender?, [Unicode.Scalar])] {
    let scalars = Array(character.unicodeScalars)
    let joiner: Unicode.Scalar = "\u{200d}"
    if Drawable.gendered.contains(character) {
      return [
        (.person, scalars), (.man, scalars + [joiner, "\u{2642}"]),
        (.woman, scalars + [joiner, "\u{2640}"]),
      ]
    }
    // A person joined with a sign, such as an astronaut.
    if scalars.count == 3, scalars[0] == "\u{1f9d1}", scalars[1] == joiner {
      return [
        (.person, scalars), (.man, ["\u{1f468}"] + scalars.dropFirst()),
        (.woman, ["\u{1f469}"] + scalars.dropFirst()),
      ]
    }
    return [(nil, scalars)]
  }

  private static func text(_ scalars: [Unicode.Scalar]) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }
}
