/// What the second edition of the catalogue adds to the first, besides people.
///
/// Left out, as in the first: flags, keycaps, clock faces, buttons, signs with letters, arrows, and
/// near-doubles that nobody could tell apart at 128 pixels.
extension Drawable {
  /// The groups that the second edition adds, people first.
  static var secondEdition: [(name: String, characters: [Character])] {
    [("people", people), ("body", Array(body))] + moreGroups.map { ($0.name, Array($0.emoji)) }
  }

  /// The name written for a character in any of the tables.
  static func captionName(of character: Character) -> String? {
    names[character] ?? peopleNames[character] ?? moreNames[character]
  }

  /// What else people call a character's thing.
  static func otherNames(of character: Character) -> [String] {
    aliases[character] ?? peopleAliases[character] ?? moreAliases[character] ?? []
  }

  /// Subjects in order; each character is one concept. New ones go to the end.
  static let moreGroups: [(name: String, emoji: String)] = [
    (
      "faces",
      "🥹🫡🫣🫥😁😆😅🤣😊😜🤪😝🤑🤗🤭🤫🤨😑😶😶‍🌫😏😒😬😮‍💨🤥😌😪🤤🤒🤕🤮🤧🥴😵😵‍💫🥸😕☹"
        + "😲😳🥺😨😰😖😫🥱😤😠🤬👿☠👹👺🧌😸😹😻😼🙀😿😾🌚🌛🌝"
    ),
    ("hearts", "💋💌💘💝💖💗💕❣❤‍🔥❤‍🩹🧡🤎🤍"),
    ("animals", "🐩🐈‍⬛🦮🐕‍🦺🦬🐽🐫🐀🐻‍❄🦡🐾🦤🐲🪳🦟🪰🪱🦠🪹🪺"),
    ("plants", "🏵🥀🌿☘🍃🎋🎍"),
    (
      "food",
      "🥔🫓🍖🫔🥙🧆🥘🫕🥣🧈🥫🍱🍘🍚🍛🍠🍢🍥🥮🍡🥟🥠🥡🦪🍧🍮🍶🍾🍻🥂🥃🧃🧉🥢🍽🍴🏺🫗🫘🫙"
    ),
    (
      "places",
      "🗻🏕🏖🏜🏞🏟🏗🛖🏘🏚🏡🏦🏨🏪🏬💒🛕🕍🕋🌁🌃🏙🌄🌅🌇🌉♨🎠🎢💈🗺🗾🌐🛝"
    ),
    ("vehicles", "🚃🚇🚉🚊🚝🚍🚎🚐🚔🚖🚘🦽🦼🛺🚏🛣🛤🛢⛽🚨🚥🚧🛳🛥🛫💺🚠🚡🛞🛟"),
    ("sky", "🌑🌓🌠🌌🌤🌦🌩🌫🌬🌀🌂☔⛄🎆🎇✨💥💫💦💨"),
    (
      "sports",
      "🏅🎖🥎🏉🥏🎳🏏🏑🏒🥍🏓🏸🥋🥅⛳⛸🎣🤿🎽🎿🥌🪀🎱🕹🎰🪅🪆♠♦♣♟🃏🀄🎴🎭🖼"
    ),
    (
      "clothes",
      "🧵🪡🪢🥽🥼🦺🧥👘🥻🩱🩲🩳👙👚👛👝🛍🩴👞🥾👡🩰🪖⛑📿🎗"
    ),
    (
      "objects",
      "🧨🎊🎎🎏🎐🎑🧧🎫🧿🔇🔊📯🎼🎵🎙🎚🎛🪘📞📟📠🔌🖥🖨⌨🖱💿🧮🎞📽🎬📹📼🏮🪔"
        + "📗📘📙📓📃📜📰📑🔖🏷💵💶💸💳🧾📥📫📮🗳✒🖋🖊🖌🖍📝📁🗂📅🗒📇📈📉📊📋📌📍📎📏📐"
        + "🗃🗄🗑🔓🔐🗝⛏🛠🗡⚔🔫🪃🪚🪛🔩⚙🗜⚖🦯🔗⛓🪝🧰⚗🧪🧫🧬📡🩸🩹🩺🪟🛋🚽🪠🚿🪤🪒🧴🧷🧻🧼🪥🧽🧯🚬⚰🪦⚱🪧"
        + "⌛⌚⏰⏱🕰🌡🩻🩼🪩🪪🪬🫧🕳💬💭💢"
    ),
    ("signs", "⚠⛔🚫☢☣♻⚜🔱"),
    ("shapes", "🔴🟠🟡🟢🔵🟣🟤🟥🟧🟨🟩🟦🟪🟫🔶🔷🔺💠"),
  ]

  /// Captions' names where CLDR's own name would not be used for the thing drawn.
  static let moreNames: [Character: String] = [
    "🐾": "paw prints", "🏵": "rosette", "🍃": "fluttering leaf",
    "☘": "three-leaf clover", "🍚": "bowl of rice", "🍛": "plate of curry", "🍶": "bottle of sake",
    "🥫": "can of food", "🥘": "pan of paella", "🏕": "campsite", "🏗": "construction site",
    "🏜": "desert with a cactus", "🏘": "row of houses", "🌁": "foggy bridge",
    "💒": "wedding chapel", "🌇": "sunset over buildings", "🌅": "sunrise over the sea",
    "🚇": "metro train", "🚧": "construction barrier", "🛥": "yacht", "🚉": "railway station",
    "🛫": "airplane taking off", "🌩": "cloud with lightning",
    "💫": "dizzy star", "💨": "puff of smoke", "💥": "explosion", "🎳": "bowling ball and pins",
    "🏏": "cricket bat", "🏑": "field hockey stick", "🏒": "ice hockey stick",
    "🥍": "lacrosse stick", "🏓": "ping pong paddle", "🏸": "badminton racket",
    "⛳": "golf flag", "🎭": "theatre masks", "🀄": "mahjong tile", "🎴": "flower card",
    "♠": "black spade", "♦": "red diamond", "♣": "black club", "🧵": "spool of thread",
    "👚": "blouse", "🔊": "loud speaker", "🔇": "muted speaker",
    "💿": "compact disc", "🎞": "film strip", "📃": "sheet of paper", "🧬": "dna strand",
    "🧻": "roll of toilet paper", "🧼": "bar of soap", "⚠": "warning sign",
    "⛔": "no entry sign", "🚫": "prohibition sign", "☢": "radioactive sign",
    "☣": "biohazard sign", "🔱": "trident", "🔺": "red triangle", "🔶": "orange diamond shape",
    "🔷": "blue diamond shape", "💠": "diamond with a dot", "⌛": "hourglass",
    "🌡": "thermometer", "🖼": "framed picture", "🔓": "open padlock",
    "🔐": "padlock with a key", "🔗": "chain link", "🔌": "electric plug", "🎱": "billiard ball",
    "🔫": "water pistol", "🛋": "couch and lamp", "🗺": "world map", "🌐": "wire globe",
    "🌛": "crescent moon with a face", "🌝": "full moon with a face",
    "🌚": "new moon with a face", "🌓": "first quarter moon", "💦": "sweat droplets",
    "👿": "purple face with horns", "😠": "angry yellow face", "🎽": "running shirt",
    "🥹": "tearful smiling face", "🪅": "pinata",
    "🍖": "meat on the bone", "📈": "rising chart", "📉": "falling chart", "🧮": "abacus",
    "🖱": "computer mouse", "⌨": "computer keyboard", "🫗": "glass pouring water",
    "🧉": "cup of mate", "🦯": "white cane",
    "🎑": "moon viewing scene", "🎊": "confetti ball", "🪆": "nesting dolls",
    "📫": "closed mailbox",
    "🐽": "pig's nose", "👡": "sandal", "👞": "brown shoe",
    "🧷": "safety pin", "🌦": "sun behind a rain cloud", "🌤": "sun behind a small cloud",
    "☔": "umbrella in the rain",
    "⛄": "snowman with a hat", "🤬": "swearing face", "😮‍💨": "exhaling face",
    "🤮": "vomiting face", "🤣": "face rolling with laughter", "☹": "frowning face",
    "😶‍🌫": "face in clouds", "🩻": "x-ray picture", "🕳": "black hole", "🤑": "money-mouth face",
    "💢": "anger mark", "🪬": "hamsa hand", "🪪": "id card",
    "🧿": "blue evil-eye amulet", "🥋": "karate uniform", "🗜": "vice clamp",
    "❣": "heart exclamation mark",
  ]

  /// What people say; see `aliases`.
  static let moreAliases: [Character: [String]] = [
    "🤣": ["laughing hard"], "😅": ["nervous laughing face"], "👹": ["red demon"],
    "🤫": ["quiet face"], "🥱": ["tired yawning face"], "☠": ["crossbones"],
    "😻": ["loving cat"], "🐻‍❄": ["white bear"], "🐫": ["camel with two humps"],
    "🐲": ["dragon's head"], "🐾": ["pawprints"], "🌿": ["green herb"], "🥀": ["wilted rose"],
    "🍃": ["leaf in the wind"], "🥟": ["gyoza"], "🥡": ["takeaway box"],
    "🍾": ["champagne bottle", "champagne"],
    "🥂": ["champagne glasses"], "🥃": ["whisky", "glass of whisky"],
    "🧃": ["juice box"], "🏺": ["vase", "jar of clay"], "🍽": ["dinner plate"],
    "🥣": ["bowl of cereal"], "🍮": ["pudding", "flan"], "🧈": ["stick of butter"],
    "🍧": ["snow cone"], "🏕": ["camp"], "🏖": ["sunshade on a beach"], "🏟": ["arena"],
    "🛖": ["straw hut"], "🏨": ["inn"], "🏦": ["savings bank"], "🏪": ["shop", "store"],
    "🎠": ["merry-go-round"], "🎢": ["rollercoaster"], "🏙": ["skyline"],
    "🚐": ["minivan"], "🚔": ["police car from the front"], "🛺": ["tuk-tuk"],
    "⛽": ["petrol pump", "gas pump"], "🚨": ["siren"], "🛞": ["tyre"],
    "🛟": ["lifebuoy", "life ring"],
    "🛳": ["ocean liner"], "🌠": ["falling star"], "🌌": ["galaxy"], "🌀": ["spiral"],
    "⛄": ["snowman in a hat"], "💥": ["bang"], "🏅": ["gold medal", "medal"],
    "⛸": ["skate"], "🎣": ["fishing rod"], "🤿": ["snorkel"], "🎱": ["eight ball"],
    "♟": ["pawn", "chess piece"], "🃏": ["joker card"], "🎭": ["masks"], "🖼": ["painting"],
    "🎰": ["fruit machine"], "🕹": ["arcade stick"], "🧥": ["jacket"], "🩱": ["swimsuit"],
    "👛": ["handbag"], "🛍": ["shopping bag"], "👞": ["leather shoe"], "🩴": ["flip-flop"],
    "🪖": ["soldier's helmet"], "🎵": ["music note", "note"],
    "🎙": ["podcast microphone"], "📞": ["telephone handset"], "🖥": ["monitor", "desktop"],
    "💿": ["cd"], "🎬": ["clapperboard"], "🏮": ["paper lantern", "lantern"], "🪔": ["oil lamp"],
    "📜": ["parchment"], "💵": ["dollar bill", "dollars"], "💳": ["bank card"],
    "📮": ["letterbox"], "🖊": ["ballpoint pen"], "📈": ["rising graph"], "📉": ["falling graph"],
    "📌": ["drawing pin", "thumbtack"], "🗑": ["trash can", "bin"], "🗝": ["antique key"],
    "⛏": ["pickaxe"], "🗡": ["sword", "knife with a hilt"], "⚔": ["swords"], "🪚": ["saw"],
    "⚙": ["cogwheel", "cog"], "⚖": ["scales"], "🧬": ["double helix", "dna"],
    "📡": ["satellite dish"], "🩹": ["plaster", "band-aid"], "🛋": ["sofa"],
    "🧴": ["sunscreen"], "🧻": ["toilet paper"], "🧼": ["soap"], "⌛": ["sandglass"],
    "⌚": ["wristwatch"], "🪩": ["disco ball"], "💬": ["speech bubble"], "💭": ["thought bubble"],
    "🔱": ["pitchfork"], "♻": ["recycling sign"], "🪦": ["gravestone", "tombstone"],
    "🕳": ["hole in the ground"], "🧽": ["yellow sponge"], "🐀": ["grey rat"],
    "📅": ["calendar page"], "🏡": ["cottage"], "🦠": ["germ"], "🐈‍⬛": ["black kitty"],
    "🦮": ["labrador"], "🌫": ["mist"], "🎆": ["firework"], "💘": ["cupid's heart"],
    "🧯": ["extinguisher"], "🖌": ["brush", "paint brush"], "🖍": ["wax crayon"],
  ]

  /// Names of the second edition that take no indefinite article although they look singular.
  static let moreUncountable: Set<String> = [
    "santa claus", "father christmas", "mrs claus", "people hugging", "applause", "nail polish",
    "butter", "oden", "falafel", "dango", "shaved ice", "fog", "mist", "money with wings",
    "champagne", "whisky", "toilet paper", "soap", "music", "dna", "sunscreen", "laughing hard",
    "custard", "fondue", "meat on the bone", "pudding", "flan", "swords", "mount fuji",
  ]

  /// Last words of the second edition's names that would name something else; see
  /// `misleadingLastWords`.
  static let moreMisleadingLastWords: Set<String> = [
    "landing", "stop", "night", "fuji", "index", "link", "score", "bubble", "coaster", "springs",
    "trap",
    "polish", "tabs", "scale", "horn", "receiver", "flag", "net", "barrier",
  ]
}
