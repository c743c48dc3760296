/// An sRGB colour with straight alpha, 8 bits a channel.
public struct Color: Sendable, Hashable, CustomStringConvertible {
  /// Red, 0 to 255.
  public var red: UInt8
  /// Green, 0 to 255.
  public var green: UInt8
  /// Blue, 0 to 255.
  public var blue: UInt8
  /// Alpha, 0 (clear) to 255 (opaque).
  public var alpha: UInt8

  /// Makes a colour; opaque unless told otherwise.
  public init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
    self.red = red
    self.green = green
    self.blue = blue
    self.alpha = alpha
  }

  /// Makes an opaque colour of `0xRRGGBB`.
  public init(_ value: UInt32) {
    self.init(
      red: UInt8(truncatingIfNeeded: value >> 16), green: UInt8(truncatingIfNeeded: value >> 8),
      blue: UInt8(truncatingIfNeeded: value))
  }

  /// Makes a colour of a name in `named` (any case) or of `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa`,
  /// with or without `#`.
  ///
  /// Throws `ImagingError.badColor` for anything else.
  public init(parsing text: String) throws {
    let key = text.lowercased()
    if let value = Self.values[key] {
      self.init(value)
      return
    }
    var digits: [UInt8] = []
    for character in key.utf8.drop(while: { $0 == UInt8(ascii: "#") }).prefix(9) {
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(character - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(character - UInt8(ascii: "a") + 10)
      default: throw ImagingError.badColor(text)
      }
    }
    switch digits.count {
    case 3, 4: digits = digits.flatMap { [$0, $0] }
    case 6, 8: break
    default: throw ImagingError.badColor(text)
    }
    let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] * 16 + digits[$0 + 1] }
    self.init(
      red: bytes[0], green: bytes[1], blue: bytes[2], alpha: bytes.count == 4 ? bytes[3] : 255)
  }

  /// `#rrggbb`, or `#rrggbbaa` when not opaque.
  public var description: String {
    let bytes = alpha == 255 ? [red, green, blue] : [red, green, blue, alpha]
    return "#"
      + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// White, `#ffffff`.
  public static let white = Color(0xffffff)
  /// Black, `#000000`.
  public static let black = Color(0x000000)
  /// No colour at all: black with alpha 0.
  public static let clear = Color(red: 0, green: 0, blue: 0, alpha: 0)

  /// The named colours: values of the CSS Color Module Level 4, sorted by name.
  public static let named: [(name: String, color: Color)] =
    values.sorted { $0.key < $1.key }.map { ($0.key, Color($0.value)) }

  private static let values: [String: UInt32] = [
    "aqua": 0x00ffff, "beige": 0xf5f5dc, "black": 0x000000, "blue": 0x0000ff, "brown": 0xa52a2a,
    "chocolate": 0xd2691e, "coral": 0xff7f50, "crimson": 0xdc143c, "cyan": 0x00ffff,
    "darkblue": 0x00008b, "darkgreen": 0x006400, "darkred": 0x8b0000, "fuchsia": 0xff00ff,
    "gold": 0xffd700, "gray": 0x808080, "green": 0x008000, "grey": 0x808080, "indigo": 0x4b0082,
    "ivory": 0xfffff0, "khaki": 0xf0e68c, "lavender": 0xe6e6fa, "lightblue": 0xadd8e6,
    "lightgray": 0xd3d3d3, "lightgreen": 0x90ee90, "lightgrey": 0xd3d3d3, "lime": 0x00ff00,
    "magenta": 0xff00ff, "maroon": 0x800000, "navy": 0x000080, "olive": 0x808000,
    "orange": 0xffa500, "orchid": 0xda70d6, "pink": 0xffc0cb, "plum": 0xdda0dd,
    "purple": 0x800080, "red": 0xff0000, "salmon": 0xfa8072, "silver": 0xc0c0c0,
    "skyblue": 0x87ceeb, "tan": 0xd2b48c, "teal": 0x008080, "tomato": 0xff6347,
    "turquoise": 0x40e0d0, "violet": 0xee82ee, "wheat": 0xf5deb3, "white": 0xffffff,
    "yellow": 0xffff00,
  ]
}
