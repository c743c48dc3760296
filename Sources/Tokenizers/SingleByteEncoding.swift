/// An encoding of one byte a character, as ftfy reads it: positions that the encoding leaves open are those of
/// Latin-1, and in the open encodings byte 1A stands for a character that was lost (U+FFFD).
struct SingleByteEncoding: Sendable {
  /// What the bytes 80 to FF mean.
  let upper: [Unicode.Scalar]
  /// Whether the encoding leaves positions open.
  let isOpen: Bool
  /// Whether a blank may be a byte A0 that somebody took for one; Mac OS Roman has an en dash where others
  /// have letters, and blanks stand after dashes.
  let mayLoseA0: Bool
  private let bytes: [Unicode.Scalar: UInt8]

  /// - Parameter table: the 128 characters from byte 80 on, a blank where Latin-1's stands.
  private init(_ table: String, isOpen: Bool, mayLoseA0: Bool = true) {
    upper = zip(table.unicodeScalars, UInt8(0x80)...0xFF).map { $0 == " " ? .init($1) : $0 }
    precondition(upper.count == 128, "a table has 128 characters")
    self.isOpen = isOpen
    self.mayLoseA0 = mayLoseA0
    bytes = Dictionary(uniqueKeysWithValues: zip(upper, UInt8(0x80)...0xFF))
  }

  /// The text in this encoding; nil where it cannot have come from it.
  func encoded(_ text: some Sequence<Unicode.Scalar>) -> [UInt8]? {
    var result: [UInt8] = []
    for c in text {
      switch c.value {
      case 0x1A where isOpen: return nil
      case 0..<0x80: result.append(UInt8(c.value))
      case 0xFFFD where isOpen: result.append(0x1A)
      default:
        guard let byte = bytes[c] else { return nil }
        result.append(byte)
      }
    }
    return result
  }

  static let latin1 = SingleByteEncoding(String(repeating: " ", count: 128), isOpen: false)
  static let windows1252 = SingleByteEncoding(
    "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ" + String(repeating: " ", count: 96), isOpen: true)
  static let windows1251 = SingleByteEncoding(
    "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–— ™љ›њќћџ ЎўЈ Ґ  Ё Є    Ї  Ііґ   ё№є јЅѕї"
      + "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя", isOpen: true)
  static let windows1250 = SingleByteEncoding(
    "€ ‚ „…†‡ ‰Š‹ŚŤŽŹ ‘’“”•–— ™š›śťžź ˇ˘Ł Ą    Ş    Ż  ˛ł     ąş Ľ˝ľż"
      + "Ŕ  Ă ĹĆ Č Ę Ě  ĎĐŃŇ  Ő  ŘŮ Ű  Ţ ŕ  ă ĺć č ę ě  ďđńň  ő  řů ű  ţ˙", isOpen: true)
  static let windows1253 = SingleByteEncoding(
    "€ ‚ƒ„…†‡ ‰ ‹     ‘’“”•–— ™ ›     ΅Ά            ―    ΄   ΈΉΊ Ό ΎΏ"
      + "ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ ΣΤΥΦΧΨΩΪΫάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ ", isOpen: true)
  static let windows1254 = SingleByteEncoding(
    "€ ‚ƒ„…†‡ˆ‰Š‹Œ    ‘’“”•–—˜™š›œ  Ÿ" + String(repeating: " ", count: 48)
      + "Ğ            İŞ                 ğ            ış ", isOpen: true)
  static let windows1257 = SingleByteEncoding(
    "€ ‚ „…†‡ ‰ ‹ ¨ˇ¸ ‘’“”•–— ™ › ¯˛         Ø Ŗ    Æ        ø ŗ    æ"
      + "ĄĮĀĆ  ĘĒČ ŹĖĢĶĪĻŠŃŅ Ō   ŲŁŚŪ ŻŽ ąįāć  ęēč źėģķīļšńņ ō   ųłśū żž˙", isOpen: true)
  static let iso8859part2 = SingleByteEncoding(
    String(repeating: " ", count: 33) + "Ą˘Ł ĽŚ  ŠŞŤŹ ŽŻ ą˛ł ľśˇ šşťź˝žż"
      + "Ŕ  Ă ĹĆ Č Ę Ě  ĎĐŃŇ  Ő  ŘŮ Ű  Ţ ŕ  ă ĺć č ę ě  ďđńň  ő  řů ű  ţ˙", isOpen: false)
  static let macRoman = SingleByteEncoding(
    "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°  §•¶ß® ™´¨≠ÆØ∞ ≤≥¥ ∂∑∏π∫ªºΩæø"
      + "¿¡¬√ƒ≈∆«»…\u{A0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{F8FF}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
    isOpen: false, mayLoseA0: false)
  static let codePage437 = SingleByteEncoding(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
      + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}",
    isOpen: false)
}
