import Foundation

/// The cleaning that CLIP's tokenizer does before it splits a text.
///
/// Follows `basic_clean` and `whitespace_clean` of openai/CLIP `clip/simple_tokenizer.py`:
/// `ftfy.fix_text`, HTML entities twice, white space, lower case. Of ftfy 6.3 these fixes are done:
/// entities of HTML 4.01 that end in a semicolon (unless the line holds a `<`), C1 controls read as
/// Windows-1252, Latin ligatures, full and half width forms, curled quotes, line breaks, terminal
/// escapes, control characters, composition (NFC). Not done: repair of mojibake (UTF-8 that was read
/// as Latin-1), and entities that only HTML 5 knows.
enum CLIPTextCleaning {
  typealias Scalars = [Unicode.Scalar]

  /// The text as the splitter wants it. Time is linear in its length.
  static func clean(_ text: String) -> Scalars {
    let fixed = fixText(Scalars(text.unicodeScalars))
    let plain = unescaped(unescaped(fixed, strict: false), strict: false)
    return lowercased(collapsed(plain))
  }

  // MARK: White space and case

  static func isSpace(_ c: Unicode.Scalar) -> Bool {
    if c.value < 0x80 { return c == " " || (0x09...0x0D).contains(c.value) }
    return c.properties.isWhitespace
  }

  /// One blank for each run of white space, none at the ends.
  private static func collapsed(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    result.reserveCapacity(text.count)
    for c in text {
      if !isSpace(c) {
        result.append(c)
      } else if let last = result.last, last != " " {
        result.append(" ")
      }
    }
    if result.last == " " { result.removeLast() }
    return result
  }

  /// Lower case with full mappings and the final sigma, as Python's `str.lower`.
  private static func lowercased(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    result.reserveCapacity(text.count)
    for (i, c) in text.enumerated() {
      if c.value < 0x80 {
        let upper = ("A"..."Z").contains(c)
        result.append(upper ? Unicode.Scalar(UInt8(c.value) + 32) : c)
      } else if c == "\u{3A3}" {
        result.append(isFinalSigma(text, i) ? "\u{3C2}" : "\u{3C3}")
      } else {
        result.append(contentsOf: c.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  /// Whether a cased letter stands before and none after, case-ignorable characters aside.
  private static func isFinalSigma(_ text: Scalars, _ i: Int) -> Bool {
    let before = text[..<i].last { !$0.properties.isCaseIgnorable }
    let after = text[(i + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }

  // MARK: ftfy

  private static func fixText(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    result.reserveCapacity(text.count)
    var unescape = true
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.contains("<") { unescape = false }
      var segment = Scalars(line)
      // ftfy repeats until nothing changes; eight rounds undo any nesting met in practice and keep
      // hostile nesting from costing quadratic time.
      for _ in 0..<8 {
        let before = segment
        if unescape { segment = unescaped(segment, strict: true) }
        segment = fixCharacters(segment)
        if segment == before { break }
      }
      if !result.isEmpty || line.startIndex > text.startIndex { result.append("\n") }
      result.append(contentsOf: segment)
    }
    return result
  }

  private static func fixCharacters(_ text: Scalars) -> Scalars {
    guard text.contains(where: { $0.value < 0x20 || $0.value >= 0x7F }) else { return text }
    var result: Scalars = []
    result.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      let c = text[i]
      i += 1
      switch c.value {
      case 0x80...0x9F: result.append(windows1252[Int(c.value) - 0x80])
      case 0x2BC, 0x2018...0x201B: result.append("'")
      case 0x201C...0x201F: result.append("\"")
      case 0x3000: result.append(" ")
      case 0xFF01...0xFFEF:
        let narrow = String(c).precomposedStringWithCompatibilityMapping
        result.append(contentsOf: narrow.unicodeScalars)
      case 0x0D, 0x2028, 0x2029: result.append("\n")
      case 0x1B where i < text.count && text[i] == "[":
        // A terminal escape: ESC [ digits and semicolons, one letter.
        var end = i + 1
        while end < text.count, text[end] == ";" || ("0"..."9").contains(text[end]) { end += 1 }
        if end < text.count, text[end].isASCII, text[end].properties.isAlphabetic { i = end + 1 }
      case 0...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: continue
      default:
        if let letters = ligatures[c] {
          result.append(contentsOf: letters.unicodeScalars)
        } else {
          result.append(c)
        }
      }
    }
    var composed = String.UnicodeScalarView()
    composed.append(contentsOf: result)
    return Scalars(String(composed).precomposedStringWithCanonicalMapping.unicodeScalars)
  }

  private static let ligatures: [Unicode.Scalar: String] = [
    "\u{132}": "IJ", "\u{133}": "ij", "\u{149}": "\u{2BC}n", "\u{1F1}": "DZ", "\u{1F2}": "Dz",
    "\u{1F3}": "dz", "\u{1C4}": "D\u{17D}", "\u{1C5}": "D\u{17E}", "\u{1C6}": "d\u{17E}",
    "\u{1C7}": "LJ", "\u{1C8}": "Lj", "\u{1C9}": "lj", "\u{1CA}": "NJ", "\u{1CB}": "Nj",
    "\u{1CC}": "nj", "\u{FB00}": "ff", "\u{FB01}": "fi", "\u{FB02}": "fl", "\u{FB03}": "ffi",
    "\u{FB04}": "ffl", "\u{FB05}": "\u{17F}t", "\u{FB06}": "st",
  ]

  /// U+0080 to U+009F as Windows-1252; unassigned positions stay.
  private static let windows1252 = Scalars(
    ("\u{20AC}\u{81}\u{201A}\u{192}\u{201E}\u{2026}\u{2020}\u{2021}\u{2C6}\u{2030}\u{160}\u{2039}"
      + "\u{152}\u{8D}\u{17D}\u{8F}\u{90}\u{2018}\u{2019}\u{201C}\u{201D}\u{2022}\u{2013}\u{2014}"
      + "\u{2DC}\u{2122}\u{161}\u{203A}\u{153}\u{9D}\u{17E}\u{178}").unicodeScalars)

  // MARK: HTML entities

  /// Replaces character references.
  ///
  /// - Parameter strict: true for ftfy's rule (only what ends in a semicolon), false for that of
  ///   Python's `html.unescape` (old names also without it, and as the beginning of a longer word).
  private static func unescaped(_ text: Scalars, strict: Bool) -> Scalars {
    guard text.contains("&") else { return text }
    var result: Scalars = []
    result.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      guard text[i] == "&", let (replacement, end) = reference(text, i + 1, strict: strict) else {
        result.append(text[i])
        i += 1
        continue
      }
      result.append(contentsOf: replacement)
      i = end
    }
    return result
  }

  /// The character reference whose text starts at `start` (after the ampersand), and where it ends.
  private static func reference(
    _ text: Scalars, _ start: Int, strict: Bool
  ) -> (replacement: Scalars, end: Int)? {
    if start < text.count, text[start] == "#" {
      let isHex = start + 1 < text.count && (text[start + 1] == "x" || text[start + 1] == "X")
      var end = start + (isHex ? 2 : 1)
      let digits = end
      var code = 0
      while end < text.count, text[end].isASCII, let digit = Character(text[end]).hexDigitValue,
        isHex || digit < 10
      {
        code = min(code * (isHex ? 16 : 10) + digit, 0x110000)
        end += 1
      }
      guard end > digits else { return nil }
      let closed = end < text.count && text[end] == ";"
      if strict && (!closed || code == 0x3B) { return nil }
      return (character(code), closed ? end + 1 : end)
    }
    var end = start
    while end < text.count, end - start < 32, !"\t\n\u{C} <&#;".unicodeScalars.contains(text[end]) {
      end += 1
    }
    func name(_ end: Int) -> String {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: text[start..<end])
      return String(view)
    }
    if end < text.count, text[end] == ";", let scalar = entities[name(end)] {
      return ([scalar], end + 1)
    }
    guard !strict, end - start >= 2 else { return nil }
    // Names of HTML 2 (Latin-1) count without a semicolon too; none is longer than six letters.
    for end in stride(from: min(end, start + 6), through: start + 2, by: -1) {
      let name = name(end)
      if let scalar = entities[name], scalar.value <= 0xFF, name != "apos" {
        return ([scalar], end)
      }
    }
    return nil
  }

  /// The character of a numeric reference, by the rules of HTML 5.
  private static func character(_ code: Int) -> Scalars {
    switch code {
    case 0, 0xD800...0xDFFF, 0x110000...: return ["\u{FFFD}"]
    case 0x0D: return ["\r"]
    case 0x80...0x9F: return [windows1252[code - 0x80]]
    case 1...8, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
    case _ where code & 0xFFFE == 0xFFFE: return []
    default: return Unicode.Scalar(UInt32(code)).map { [$0] } ?? []
    }
  }

  private static let entities: [String: Unicode.Scalar] = {
    var entities: [String: Unicode.Scalar] = [:]
    for word in entityTable.split(whereSeparator: \.isWhitespace) {
      let parts = word.split(separator: "=")
      if parts.count == 2, let code = UInt32(parts[1], radix: 16) {
        entities[String(parts[0])] = Unicode.Scalar(code)
      }
    }
    return entities
  }()

  /// Name and code point of the entities of HTML 4.01, with the capitals that browsers accept.
  private static let entityTable = """
    QUOT=22 quot=22 AMP=26 amp=26 apos=27 LT=3c lt=3c GT=3e gt=3e nbsp=a0 iexcl=a1 cent=a2
    pound=a3 curren=a4 yen=a5 brvbar=a6 sect=a7 uml=a8 COPY=a9 copy=a9 ordf=aa laquo=ab not=ac
    shy=ad REG=ae reg=ae macr=af deg=b0 plusmn=b1 sup2=b2 sup3=b3 acute=b4 micro=b5 para=b6
    middot=b7 cedil=b8 sup1=b9 ordm=ba raquo=bb frac14=bc frac12=bd frac34=be iquest=bf Agrave=c0
    Aacute=c1 Acirc=c2 Atilde=c3 Auml=c4 Aring=c5 AElig=c6 Ccedil=c7 Egrave=c8 Eacute=c9 Ecirc=ca
    Euml=cb Igrave=cc Iacute=cd Icirc=ce Iuml=cf ETH=d0 Ntilde=d1 Ograve=d2 Oacute=d3 Ocirc=d4
    Otilde=d5 Ouml=d6 times=d7 Oslash=d8 Ugrave=d9 Uacute=da Ucirc=db Uuml=dc Yacute=dd THORN=de
    szlig=df agrave=e0 aacute=e1 acirc=e2 atilde=e3 auml=e4 aring=e5 aelig=e6 ccedil=e7 egrave=e8
    eacute=e9 ecirc=ea euml=eb igrave=ec iacute=ed icirc=ee iuml=ef eth=f0 ntilde=f1 ograve=f2
    oacute=f3 ocirc=f4 otilde=f5 ouml=f6 divide=f7 oslash=f8 ugrave=f9 uacute=fa ucirc=fb uuml=fc
    yacute=fd thorn=fe yuml=ff OElig=152 oelig=153 Scaron=160 scaron=161 Yuml=178 fnof=192
    circ=2c6 tilde=2dc Alpha=391 Beta=392 Gamma=393 Delta=394 Epsilon=395 Zeta=396 Eta=397
    Theta=398 Iota=399 Kappa=39a Lambda=39b Mu=39c Nu=39d Xi=39e Omicron=39f Pi=3a0 Rho=3a1
    Sigma=3a3 Tau=3a4 Upsilon=3a5 Phi=3a6 Chi=3a7 Psi=3a8 Omega=3a9 alpha=3b1 beta=3b2 gamma=3b3
    delta=3b4 epsilon=3b5 zeta=3b6 eta=3b7 theta=3b8 iota=3b9 kappa=3ba lambda=3bb mu=3bc nu=3bd
    xi=3be omicron=3bf pi=3c0 rho=3c1 sigmaf=3c2 sigma=3c3 tau=3c4 upsilon=3c5 phi=3c6 chi=3c7
    psi=3c8 omega=3c9 thetasym=3d1 upsih=3d2 piv=3d6 ensp=2002 emsp=2003 thinsp=2009 zwnj=200c
    zwj=200d lrm=200e rlm=200f ndash=2013 mdash=2014 lsquo=2018 rsquo=2019 sbquo=201a ldquo=201c
    rdquo=201d bdquo=201e dagger=2020 Dagger=2021 bull=2022 hellip=2026 permil=2030 prime=2032
    Prime=2033 lsaquo=2039 rsaquo=203a oline=203e frasl=2044 euro=20ac image=2111 weierp=2118
    real=211c trade=2122 alefsym=2135 larr=2190 uarr=2191 rarr=2192 darr=2193 harr=2194 crarr=21b5
    lArr=21d0 uArr=21d1 rArr=21d2 dArr=21d3 hArr=21d4 forall=2200 part=2202 exist=2203 empty=2205
    nabla=2207 isin=2208 notin=2209 ni=220b prod=220f sum=2211 minus=2212 lowast=2217 radic=221a
    prop=221d infin=221e ang=2220 and=2227 or=2228 cap=2229 cup=222a int=222b there4=2234 sim=223c
    cong=2245 asymp=2248 ne=2260 equiv=2261 le=2264 ge=2265 sub=2282 sup=2283 nsub=2284 sube=2286
    supe=2287 oplus=2295 otimes=2297 perp=22a5 sdot=22c5 lceil=2308 rceil=2309 lfloor=230a
    rfloor=230b lang=27e8 rang=27e9 loz=25ca spades=2660 clubs=2663 hearts=2665 diams=2666
    """
}
