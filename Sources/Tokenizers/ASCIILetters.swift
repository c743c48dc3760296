import Foundation

/// Spells texts in small letters of ASCII: those of the Latin alphabet lose their marks, those of the Greek and
/// the Cyrillic are spelled, and signs are written as people type them without their keys. The spellings are
/// those that Python's unidecode gives; other scripts, which it spells too, are not known here.
enum ASCIILetters {
  /// The text in ASCII; characters that are neither listed nor decompose into letters are left out.
  static func spelled(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for scalar in CLIPTextCleaning.lowercased(Array(text.unicodeScalars)) {
      if scalar.isASCII {
        result.append(UInt8(scalar.value))
      } else if let known = spellings[scalar] {
        result += known.utf8
      } else {
        // What is composed of others is spelled by its parts, and marks have no letters.
        for part in String(scalar).decomposedStringWithCompatibilityMapping.unicodeScalars {
          if part.isASCII {
            result.append(UInt8(part.value))
          } else if let known = spellings[part] {
            result += known.utf8
          }
        }
      }
    }
    return result
  }

  private static let spellings: [Unicode.Scalar: String] = {
    var table: [Unicode.Scalar: String] = [:]
    let lines = """
      ' ‘ ’ ‛ ′ ʼ ʹ ´
      " “ ” ‟ ˝ ¨
      '' ″
      , ‚ ¸
      ,_ 、
      ,, „
      . ․
      ._ 。
      < ‹
      > ›
      <= ≤ ≦
      >= ≥ ≧
      << « 《
      >> »
      [ 「
      ]_ 」
      - ‐ ‑ ‒ – − ¯
      -- — ―
      ... …
      * • ∗ · ※
      + †
      ++ ‡
      ~ ∼
      ! ¡ ¬
      !? ‽
      ? ¿
      / ⁄ ∕
      x ×
      / ÷
      (c) ©
      (r) ®
      (tm) ™
      c/ ¢
      ps £
      $? ¤
      y= ¥
      eur €
      w ₩
      ns ₪
      r ₽
      rs ₹
      btc ₿
      | ¦
      ss § ß
      p ¶
      no._ №
      deg °
      +- ±
      u µ
      _1/4 ¼
      _1/2 ½
      _3/4 ¾
      _1/3_ ⅓
      _2/3_ ⅔
      _1/8_ ⅛
      _3/8_ ⅜
      _5/8_ ⅝
      _7/8_ ⅞
      ae æ
      d ð đ ɖ ɗ δ д
      o ø ɔ
      th þ θ
      h ħ
      i ı ι и й і
      l ł λ л
      t ŧ τ т
      oe œ
      ng ŋ
      k ĸ ƙ κ к
      f ƒ ф
      b ɓ β б
      @ ə
      e ɛ ε η е э
      a α а
      g γ г ґ
      z ζ з
      m μ м
      n ν н
      x ξ
      o ο ω о
      p π п
      r ρ р
      s σ ς с
      u υ у ў
      ph φ
      kh χ х
      ps ψ
      v в
      zh ж
      ts ц
      ch ч
      sh ш
      shch щ
      ' ъ ь
      y ы
      iu ю
      ia я
      io ё
      ie є
      yi ї
      dj ђ
      gj ѓ
      dz ѕ
      j ј
      lj љ
      nj њ
      tsh ћ
      kj ќ
      dzh џ
      """
    for line in lines.split(separator: "\n") {
      let words = line.split(separator: " ")
      let spelling = String(words[0]).replacing("_", with: " ")
      for scalar in words.dropFirst().joined().unicodeScalars { table[scalar] = spelling }
    }
    return table
  }()
}
