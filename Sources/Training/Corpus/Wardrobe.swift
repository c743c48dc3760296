/// Who wears what, and where it sits: hats, glasses and headphones on heads that look at us.
enum Wardrobe {
  /// How a thing is worn.
  enum Fit {
    case hat, cap, bow, glasses, headphones
  }

  /// What can be worn.
  static let items: [(character: Character, fit: Fit)] = [
    ("🎩", .hat), ("👑", .hat), ("🎓", .hat), ("👒", .hat), ("🧢", .cap), ("⛑", .hat),
    ("🎀", .bow), ("🕶", .glasses), ("👓", .glasses), ("🥽", .glasses), ("🎧", .headphones),
  ]

  /// Heads seen from the front, which can wear everything.
  static let faces: Set<Character> = Set(
    "🐭🐮🐯🐰🐱🐵🐶🐷🐹🐻🐼🦁🐨🦊🐸🤖👽👻💀🎃🌝🌞👶🧒👦👧🧑👨👩👴👵😀😂😋😍😐😘😛😡😢😭😱🙂🙄🤔🥰🥺"
      + "😁😆😅😊😝😴🤣😌😏😬😮😲😳🥱")

  /// Others on which a hat looks right.
  static let tops: Set<Character> = Set(
    "🐧🐤🐔🦉🐙🐳🐢🐌🦄🐴🐺🦝🐘🦆⛄🧸🍎🍊🍐🍅🍋🍑🍩🍔🍕🥑🥕🥚🧁🍄🌵🎈🪨🥔🍓🍍☕🌎🗿⚽🏀🎁🥥🍪🐠🐡🦔🐞🐝")

  /// What nobody needs to hear of a face that wears something: "a cat in a hat" for "cat face".
  static func wearerName(_ name: String) -> String {
    name.hasSuffix(" face") ? String(name.dropLast(5)) : name
  }

  /// How a concept is worn; nil for what is not.
  static func fit(of character: String) -> Fit? {
    items.first { String($0.character) == character }?.fit
  }

  static func canWear(_ fit: Fit, _ character: String) -> Bool {
    guard let character = character.first else { return false }
    switch fit {
    case .hat, .cap, .bow: return faces.contains(character) || tops.contains(character)
    case .glasses, .headphones: return faces.contains(character)
    }
  }

  /// Where a worn thing lies on its wearer, in pixels from the wearer's left upper corner.
  /// - Parameters:
  ///   - aspect: the thing's height by its width.
  ///   - room: rows above the wearer that it may take.
  static func place(_ fit: Fit, aspect: Double, on wearer: Sprite, room: Int) -> (
    width: Int, x: Int, y: Int
  ) {
    let (w, h) = (Double(wearer.width), Double(wearer.height))
    let top = Double(headTop(wearer))
    func laid(width: Double, bottom: Double, shift: Double = 0) -> (width: Int, x: Int, y: Int) {
      // What would leave the picture at the top is made smaller.
      let width = min(width, (bottom + Double(room)) / aspect)
      return (Int(width), Int((w - width) / 2 + shift * w), Int(bottom - width * aspect))
    }
    switch fit {
    case .hat: return laid(width: 0.66 * w, bottom: top + 0.14 * h)
    case .cap: return laid(width: 0.74 * w, bottom: top + 0.2 * h, shift: 0.05)
    case .bow: return laid(width: 0.42 * w, bottom: top + 0.16 * h, shift: 0.2)
    case .glasses:
      let width = 0.78 * w
      return (Int(width), Int((w - width) / 2), Int(0.45 * h - width * aspect / 2))
    case .headphones:
      let width = min(1.12 * w, (0.72 * h + Double(room)) / aspect)
      return (Int(width), Int((w - width) / 2), Int(0.72 * h - width * aspect))
    }
  }

  /// The first row that shows anything in the middle fifth: between ears it is the head.
  private static func headTop(_ sprite: Sprite) -> Int {
    let columns = sprite.width * 2 / 5..<max(sprite.width * 3 / 5, sprite.width * 2 / 5 + 1)
    return (0..<sprite.height).first { row in
      columns.contains { sprite.pixels[(row * sprite.width + $0) * 4 + 3] > 128 }
    } ?? 0
  }
}
