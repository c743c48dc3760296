/// The people of the second edition: who they are and which glyphs show them.
///
/// A concept such as "astronaut" has one form for a person, a man and a woman where the font draws
/// all three, and each of those in the five skin tones of Unicode where the glyph takes a modifier.
/// Examples draw one form at random, every form equally likely. Families and couples are left out.
extension Drawable {
  /// Concepts with the signs of man and woman (U+2642, U+2640) as forms.
  static let gendered =
    "🙍🙎🙅🙆💁🙋🧏🙇🤦🤷👱👮🕵💂👷👳🤵👰🦸🦹🧙🧚🧛🧝🧞🧟💆💇🚶🧍🧎🏃🧖🧗🏌🏄🚣🏊⛹🏋🚴🚵🤸🤽🤾🤹🧘"

  /// What joins a person, a man and a woman with U+200D: professions, hair and aids.
  static let joined = "⚕🎓🏫⚖🌾🍳🔧🏭💼🔬💻🎤🎨✈🚀🚒🦯🦼🦽🍼🦰🦱🦳🦲"

  /// Concepts with one glyph each.
  static let ungendered = "👶🧒👦👧🧑👨👩🧔👴👵🥷🤴👸🧕🤰👼🎅🤶🧜‍♀🧜‍♂💃🕺🕴👯🤺🏇⛷🏂🛀🛌🤼🫂🗣"

  /// Hands and other parts of the body.
  static let body = "👋✋🖖👌🤌🤏✌🤞🤘🤙👈👉👆👇👍👎✊👏🙌🤲🤝🙏✍💅🤳💪🦾🦿🦵🦶👂👃🫀🫁👀👁👅👄🫶🫵👣"

  /// Glyphs that Unicode lets take a skin tone, but whose people would all take the same.
  static let toneless: Set<Character> = ["🤝", "🤼", "👯", "🤺", "🧑‍🤝‍🧑"]

  /// All people in order: the character of each concept.
  static var people: [Character] {
    gendered.map { $0 } + joined.map { Character("🧑\u{200d}\($0)") } + ungendered.map { $0 }
  }

  /// Names of people, where CLDR's own are not what one would say.
  static let peopleNames: [Character: String] = [
    "🙅": "person gesturing no", "🙆": "person gesturing ok", "👱": "person with blond hair",
    "💇": "person getting a haircut", "💆": "person getting a massage",
    "🧑‍🦰": "person with red hair", "🧑‍🦱": "person with curly hair",
    "🧑‍🦳": "person with white hair", "🧑‍🦲": "bald person", "🧔": "person with a beard",
    "🧑‍⚕": "doctor", "🧑‍🎤": "rock singer", "🧑‍🎨": "painter", "🧑‍🍼": "person feeding a baby",
    "🧑‍💻": "programmer", "🧙": "wizard", "🧑‍🦯": "person with a white cane",
    "🧑‍🦼": "person in a motorized wheelchair", "🧑‍🦽": "person in a wheelchair",
    "👳": "person wearing a turban", "🤵": "person in a tuxedo", "👰": "person with a veil",
    "🧖": "person in a steamy room", "🚣": "person rowing a boat",
    "🏋": "person lifting a barbell",
    "⛹": "person bouncing a ball", "🧕": "woman with a headscarf",
    "🎅": "santa claus", "🤶": "mrs claus", "🏇": "jockey",
    "🛀": "person taking a bath", "🤺": "fencer", "🤼": "wrestlers",
    "🧘": "person in lotus position", "🕴": "person levitating in a suit",
    "👋": "waving hand", "🤲": "cupped hands", "🙌": "raised hands", "👈": "hand pointing left",
    "👉": "hand pointing right", "👆": "hand pointing up", "👇": "hand pointing down",
    "💅": "nail polish", "🤳": "hand taking a selfie", "👁": "single eye",
    "🫵": "hand pointing at the viewer", "🫀": "human heart",
  ]

  /// What people say; see `aliases`.
  static let peopleAliases: [Character: [String]] = [
    "🧑‍⚕": ["health worker"], "🧑‍🎓": ["graduate"], "🧑‍🍳": ["chef"], "🧑‍💻": ["coder"],
    "👮": ["cop"], "🕵": ["spy"],
    "👷": ["builder"], "👰": ["bride"], "🧙": ["mage", "sorcerer"], "🧑‍🎨": ["artist"],
    "🧑‍🎤": ["singer", "rock star"], "🦹": ["villain"], "💂": ["royal guard"],
    "🤵": ["groom"], "🏃": ["runner"], "🚶": ["walker"], "🏊": ["swimmer"], "🏄": ["surfer"],
    "🚴": ["cyclist"], "🚵": ["mountain biker"], "🧗": ["climber"], "🏌": ["golfer"],
    "🏋": ["weightlifter"], "🤹": ["juggler"], "🚣": ["rower"], "⛹": ["basketball player"],
    "🤾": ["handball player"], "🤽": ["water polo player"], "🧘": ["person meditating"],
    "🤸": ["gymnast"], "👴": ["grandfather", "grandpa"], "👵": ["grandmother", "grandma"],
    "👼": ["cherub"], "🎅": ["father christmas"], "💃": ["dancer", "dancing woman"],
    "🕺": ["dancing man"], "👯": ["dancers"], "🛌": ["sleeping person"],
    "🧔": ["bearded person"], "👶": ["infant"], "🧒": ["kid"], "🧑‍🏫": ["school teacher"],
    "💪": ["muscle", "strong arm"], "✊": ["fist"], "✋": ["hand"], "👄": ["lips"],
    "👏": ["applause"], "🙏": ["praying hands"], "✌": ["peace sign"], "🫀": ["anatomical heart"],
    "👁": ["eye"], "👣": ["foot prints"], "🤰": ["expectant mother"],
    "🥷": ["shinobi"], "🧚": ["pixie"], "🧞": ["djinn"], "🫂": ["hug"],
  ]
}
