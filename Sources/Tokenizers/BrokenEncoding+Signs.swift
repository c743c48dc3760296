extension BrokenEncoding {
  /// Characters side by side that people hardly ever write and wrong decodings make: a letter with an accent
  /// before a currency, a capital of them within a word. After ftfy 6.3's `badness`.
  enum Signs {
    /// What a character is in this respect; it may be several things.
    private struct Kind: OptionSet {
      let rawValue: UInt32
      init(rawValue: UInt32) { self.rawValue = rawValue }
      private init(bit: UInt32) { rawValue = 1 << bit }

      /// Often meant as they stand.
      static let common = Kind(bit: 0)
      static let c1 = Kind(bit: 1)
      /// Hardly ever meant as they stand.
      static let bad = Kind(bit: 2)
      static let law = Kind(bit: 3)
      static let currency = Kind(bit: 4)
      static let opening = Kind(bit: 5)
      static let closing = Kind(bit: 6)
      static let numeric = Kind(bit: 7)
      /// Letters that faces are made of.
      static let face = Kind(bit: 8)
      static let upperAccented = Kind(bit: 9)
      static let lowerAccented = Kind(bit: 10)
      /// Greek and Cyrillic.
      static let upperCommon = Kind(bit: 11)
      static let lowerCommon = Kind(bit: 12)
      static let box = Kind(bit: 13)
      /// a to z, and A to Z.
      static let small = Kind(bit: 14)
      static let capital = Kind(bit: 15)
      static let notLatin = Kind(bit: 16)
      static let space = Kind(bit: 17)
      /// Letters, numbers and the underscore.
      static let word = Kind(bit: 18)
      static let withinLine = Kind(bit: 19)

      static let latin: Kind = [.small, .capital]
      static let accented: Kind = [.upperAccented, .lowerAccented]
      static let punctuation: Kind = [.opening, .closing]
      static let telling: Kind = [.accented, .box, .punctuation, .currency, .numeric, .law]
    }

    /// The members of the kinds; a hyphen between two characters stands for all from one to the other.
    private static let members: [(Kind, String)] = [
      (.common, "\u{A0}\u{AD}·´–—―…’"),
      (.c1, "\u{80}-\u{9F}"),
      (.bad, "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\u{FFFD}ªº"),
      (.law, "¶§"),
      (.currency, "¢£¥₧€"),
      (.opening, "¡«¿©΄΅‘‚“„•‹\u{F8FF}"),
      (.closing, "®»˝”›™"),
      (.numeric, "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№"),
      (.face, "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°"),
      (.upperAccented, "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"),
      (.lowerAccented, "ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂ"),
      (.upperCommon, "ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я"),
      (.lowerCommon, "α-ωάέήίΰа-џ"),
      (.box, "│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓"),
      (.small, "a-z"), (.capital, "A-Z"),
    ]

    private static let kinds: [Unicode.Scalar: Kind] = members.reduce(into: [:]) { kinds, entry in
      let text = Array(entry.1.unicodeScalars)
      for (i, c) in text.enumerated() where c != "-" {
        let isRange = i >= 2 && text[i - 1] == "-"
        let first = isRange ? text[i - 2].value : c.value
        for c in (first...c.value).compactMap(Unicode.Scalar.init) {
          kinds[c, default: []].formUnion(entry.0)
        }
      }
    }

    private static func kind(_ c: Unicode.Scalar) -> Kind {
      var kind = kinds[c, default: []]
      if kind.isDisjoint(with: .latin) { kind.insert(.notLatin) }
      if c != "\n" { kind.insert(.withinLine) }
      switch ScalarKind(c) {
      case .letter, .number: kind.insert(.word)
      case .space: kind.insert(.space)
      case .other: if c == "_" { kind.insert(.word) }
      }
      return kind
    }

    /// One character of a sign: of these kinds, or one of those.
    private struct Place {
      let kinds: Kind
      let characters: [Unicode.Scalar]

      init(_ kinds: Kind, _ characters: String = "") {
        self.kinds = kinds
        self.characters = Array(characters.unicodeScalars)
      }
      init(_ characters: String) { self.init([], characters) }

      func holds(_ c: Unicode.Scalar, _ kind: Kind) -> Bool {
        !kinds.isDisjoint(with: kind) || characters.contains(c)
      }
    }

    private static let arabic = [
      Place("ØÙ"), Place([.common, .currency, .bad, .numeric, .opening], "ŸŠ®°µ»"),
    ]

    /// The signs, place by place.
    private static let signs: [[Place]] = [
      [Place(.c1)],
      [Place(.telling.union(.bad)), Place(.bad)],
      [Place(.latin), Place([.upperCommon, .lowerCommon]), Place(.bad)],
      [Place(.bad), Place(.telling)],
      [
        Place([.lowerAccented, .lowerCommon, .box, .closing, .currency, .numeric]),
        Place(.upperAccented),
      ],
      [Place([.box, .closing, .currency, .numeric]), Place(.lowerAccented)],
      [Place([.lowerAccented, .box, .closing]), Place(.currency)],
      [Place(.space), Place(.upperAccented), Place(.currency)],
      [Place([.upperAccented, .box]), Place([.numeric, .law])],
      [Place([.accented, .box, .currency, .closing]), Place(.opening), Place(.numeric)],
      [
        Place([.accented, .currency, .numeric, .box, .law]), Place(.closing), Place(.opening),
      ],
      [Place([.currency, .numeric, .box]), Place(.opening)],
      [Place(.small), Place(.upperAccented), Place([.opening, .currency])],
      [Place(.box), Place(.face)],
      [Place([.accented, .currency, .numeric, .punctuation, .law]), Place(.box)],
      [Place(.box), Place(.closing)],
      [Place(.accented), Place(.punctuation), Place(.word)],
      [Place("Œœ"), Place(.notLatin)],
      [Place(.upperAccented), Place("°")],
      // Windows-1252.
      [Place("ÂÃÎÐ"), Place(.punctuation, "€œŠš¢£Ÿž\u{A0}\u{AD}®©°·»–—´")],
      [Place("×"), Place("²³")],
      arabic + arabic,
      [Place("à"), Place("²µ¹¼½¾")],
      [Place("Ã"), Place("\u{A0}¡")],
      [Place(.small), Place("ÃÂ"), Place(" ")],
      [Place(.small), Place(.space), Place("ÃÂ"), Place(" ")],
      [Place([.small, .closing], ".,?!"), Place("Â"), Place(.punctuation, " ")],
      // Mac OS Roman.
      [Place("√"), Place("±∂†≠®™´≤≥¥µø")],
      [Place("≈"), Place("°¢")],
      [Place("‚"), Place("Ä"), Place("ìîïòôúùû†°¢π")],
      [Place("‚"), Place("âó"), Place("àä°ê")],
      // Windows-1251, 1253 and 1257.
      [Place("в"), Place("Ђ")],
      [
        Place("ВГРС"), Place([.c1, .bad, .punctuation, .currency], "°µ"), Place("ВГРС"),
      ],
      [
        Place("Г"), Place("ў"), Place("В"), Place("Ђ"), Place("В"), Place(.withinLine),
        Place(.latin, " "),
      ],
      [Place("β"), Place("€"), Place("™\u{A0}Ά\u{AD}®°")],
      [
        Place("ΒΓΞΟ"), Place([.c1, .bad, .punctuation, .currency], "°"), Place("ΒΓΞΟ"),
      ],
      [Place("ā"), Place("€")],
    ]

    /// Whether a text holds one.
    static func areIn(_ text: Scalars) -> Bool {
      if text.count > 1, text[0] == "Ã" || text[0] == "Â", text[1] == " " { return true }
      let found = text.map(kind)
      return text.indices.contains { start in
        signs.contains { sign in
          start + sign.count <= text.count
            && sign.indices.allSatisfy { sign[$0].holds(text[start + $0], found[start + $0]) }
        }
      }
    }
  }
}
