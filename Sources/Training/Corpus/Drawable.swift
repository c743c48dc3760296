/// Which emoji are drawable, and how people call them.
///
/// The list is written out, not derived from blocks, so that a concept's number never depends on the
/// releases of the font and of CLDR. New concepts go to the end of the last group, for the same
/// reason. Left out are people, skin tones, gender variants, flags, keycaps, clocks, buttons, and
/// near-doubles that nobody could tell apart at 64 pixels.
enum Drawable {
  /// Subjects in order; each character of `emoji` is one scalar and one concept.
  static let groups: [(name: String, emoji: String)] = [
    (
      "animals",
      "🐁🐂🐄🐅🐆🐇🐈🐉🐊🐋🐌🐍🐎🐏🐐🐑🐒🐓🐔🐕🐖🐗🐘🐙🐚🐛🐜🐝🐞🐟🐠🐡🐢🐣🐤🐦🐧🐨🐪🐬🐭🐮🐯🐰🐱🐳"
        + "🐴🐵🐶🐷🐸🐹🐺🐻🐼🐿🕊🕷🕸🦀🦁🦂🦃🦄🦅🦆🦇🦈🦉🦊🦋🦌🦍🦎🦏🦐🦑🦒🦓🦔🦕🦖🦗🦘🦙🦚🦛🦜🦝🦞🦢🦣"
        + "🦥🦦🦧🦨🦩🦫🦭🪲🪸"
    ),
    ("plants", "🌱🌲🌳🌴🌵🌷🌸🌹🌺🌻🌼🌾🍀🍁🍂🍄🎃🎄💐🪴🪵🪷"),
    (
      "food",
      "🌭🌮🌯🌰🌶🌽🍅🍆🍇🍈🍉🍊🍋🍌🍍🍎🍏🍐🍑🍒🍓🍔🍕🍗🍙🍜🍝🍞🍟🍣🍤🍦🍨🍩🍪🍫🍬🍭🍯🍰🍲🍳🍵"
        + "🍷🍸🍹🍺🍼🍿🎂☕🥐🥑🥒🥓🥕🥖🥗🥚🥛🥜🥝🥞🥤🥥🥦🥧🥨🥩🥪🥬🥭🥯🧀🧁🧂🧄🧅🧇"
        + "🧊🧋🫐🫑🫒🫖"
    ),
    (
      "vehicles",
      "⛵⛴✈🏍🏎🚀🚁🚂🚅🚆🚌🚑🚒🚓🚕🚗🚙🚚🚛🚜🚢🚤🚲🛩🛰🛴🛵🛶🛷🛸🛹🛻🛼"
    ),
    ("sky", "☀☁☃☄⚡⛅⛈❄⭐🌈🌊🌎🌕🌙🌞🌟🌧🌨🌪🔥💧🪐"),
    ("places", "⛪⛰⛲⛺⛩🌋🎡🎪🏔🏛🏝🏠🏢🏥🏫🏭🏯🏰🕌🗼🗽🗿"),
    (
      "faces",
      "😀😂😇😈😉😋😍😎😐😘😛😡😢😭😱😴😷😺🙂🙃🙄🙈🙉🙊🤐🤓🤔🤖🤠🤡🤢🤩🤯🥰🥳🥵🥶🧐🫠"
        + "👻👽👾💀💩"
    ),
    (
      "objects",
      "☂☎⚓⚽⚾✂✉✏❤🎀🎁🎈🎉🎒🎓🎤🎥🎧🎨🎩🎮🎯🎲🎷🎸🎹🎺🎻🎾🏀🏆🏈🏐🏹👑👒👓👔👕👖👗👜👟👠👢💄💉💊"
        + "💍💎💔💙💚💛💜🖤💡💣💰💻💼💾📕📖📚📦📣📱📷📺📻🔋🔍🔑🔒🔔🔦🔧🔨🔪🔬🔭🔮🕯🕶🚪🚦🛁🛏🛑🛒🛡"
        + "🥁🥄🥊🦴🦷🧠🧢🧣🧤🧦🧩🧭🧱🧲🧶🧸🧹🧺🪁🪂🪄🪑🪓🪕🪗🪙🪜🪞🪣🪨🪶"
    ),
  ]

  /// Captions' names where CLDR's own name would not be used for the thing drawn.
  static let names: [Character: String] = [
    "🌎": "globe", "🔒": "padlock", "🍳": "fried egg", "⚡": "lightning bolt", "🎾": "tennis racket",
    "🎃": "pumpkin", "🥬": "lettuce", "🎯": "bullseye",
    "🤩": "star-struck face", "🤯": "exploding head", "☕": "cup of coffee", "🍲": "pot of food",
    "🔍": "magnifying glass", "🕯": "candle", "👒": "hat with a bow",
    "👢": "boot", "🐑": "sheep", "🌾": "sheaf of rice", "🎮": "game controller", "💀": "skull",
    "🍎": "red apple", "🍵": "cup of tea", "🎈": "balloon", "🎧": "headphones",
    "🏔": "snow-capped mountain", "🪓": "axe", "🍇": "grapes",
  ]

  /// What people say; none of these is another concept's name. At most two are used for each.
  static let aliases: [Character: [String]] = [
    "🐞": ["ladybug", "ladybird"], "🐝": ["bee"], "🦖": ["dinosaur", "tyrannosaurus"],
    "🦕": ["brontosaurus"], "🐂": ["bull"], "🐚": ["seashell", "shell"], "🐿": ["squirrel"],
    "🐡": ["pufferfish"], "🐛": ["caterpillar"], "🐇": ["bunny"], "🐤": ["chick"],
    "🐎": ["running horse"], "🐢": ["tortoise"], "🐪": ["dromedary"], "🐊": ["alligator"],
    "🦛": ["hippo"], "🦏": ["rhino"], "🐓": ["cockerel"], "🦗": ["grasshopper"],
    "🦙": ["alpaca"], "🐑": ["ewe", "lamb"], "🐖": ["hog"], "🐗": ["wild boar"],
    "🐼": ["panda bear"], "🐨": ["koala bear"], "🐻": ["bear face"], "🦊": ["fox face"],
    "🕸": ["cobweb", "web"], "🦁": ["lion face"],
    "🐈": ["kitty"], "🐱": ["kitten"], "🐕": ["hound"], "🐶": ["puppy"], "🐍": ["serpent"],
    "🦜": ["macaw"], "🦇": ["flying bat"],
    "🌳": ["tree", "oak"], "🌲": ["fir", "pine tree"], "🌴": ["palm"], "🌼": ["flower", "daisy"],
    "🌱": ["sprout"], "🍀": ["clover", "shamrock"], "🍄": ["toadstool"],
    "🎃": ["jack-o-lantern"], "🎄": ["xmas tree"], "💐": ["bunch of flowers"], "🪵": ["log"],
    "🪴": ["plant", "houseplant"], "🌾": ["wheat"], "🌸": ["sakura"],
    "🌶": ["chili", "chili pepper"], "🌽": ["corn", "maize"], "🍆": ["aubergine"],
    "🍊": ["orange", "mandarin"], "🍎": ["apple"], "🍒": ["cherry"], "🍔": ["burger"],
    "🍕": ["pizza slice", "slice of pizza"], "🍗": ["drumstick", "chicken leg"],
    "🍝": ["pasta"], "🍟": ["fries"], "🍤": ["prawn", "tempura"],
    "🍩": ["donut"], "🍫": ["chocolate"], "🍬": ["sweet"], "🍭": ["lolly"],
    "🍯": ["honey"], "🍰": ["slice of cake", "piece of cake"],
    "🎂": ["cake"], "🍲": ["stew"], "🍳": ["frying pan"], "🍵": ["tea"],
    "☕": ["coffee", "hot beverage"], "🍷": ["wine", "glass of wine"],
    "🍸": ["cocktail", "martini"], "🍺": ["beer", "mug of beer"],
    "🥖": ["baguette"], "🥗": ["salad"], "🥛": ["milk"],
    "🥝": ["kiwi"], "🥞": ["pancake"], "🥤": ["soda", "soft drink"], "🥩": ["steak"],
    "🥬": ["leafy green", "cabbage"], "🧀": ["cheese"], "🧂": ["salt shaker"],
    "🧊": ["ice cube"], "🫐": ["blueberry"], "🫑": ["green pepper"],
    "🍜": ["ramen", "noodles"],
    "🍦": ["ice cream cone", "soft serve"], "🍞": ["loaf of bread", "loaf"],
    "🍇": ["bunch of grapes"], "🌭": ["hotdog"], "🥚": ["white egg"],
    "⛵": ["sailing boat", "boat"], "✈": ["plane", "aeroplane"], "🏍": ["motorbike"],
    "🏎": ["race car", "formula one car"], "🚀": ["spaceship"], "🚁": ["chopper"],
    "🚂": ["steam train", "steam engine"], "🚒": ["fire truck"], "🚕": ["cab", "taxicab"],
    "🚗": ["car", "red car"], "🚙": ["suv", "blue car"], "🚚": ["truck", "van"],
    "🚛": ["lorry", "semi truck"], "🚢": ["cruise ship"],
    "🚤": ["motorboat"], "🚲": ["bike"], "🛩": ["propeller plane"], "🛴": ["scooter"],
    "🛵": ["moped"], "🛶": ["kayak"], "🛷": ["sleigh"], "🛸": ["ufo"],
    "🛻": ["pickup"], "🚅": ["high-speed train"],
    "🛼": ["roller skates"], "⛴": ["ferry boat"],
    "☀": ["sunshine"], "⚡": ["lightning", "bolt of lightning"], "⛈": ["thunderstorm", "storm"],
    "🌊": ["wave", "ocean wave"], "🌎": ["earth", "planet earth"], "🌕": ["moon"],
    "🌙": ["half moon"], "🌞": ["smiling sun", "sun face"], "🌟": ["shining star"],
    "🌧": ["rain", "rain cloud"],
    "🌨": ["snow", "snow cloud"], "🌪": ["whirlwind"],
    "🔥": ["flame", "flames"], "💧": ["drop of water", "water drop"], "🪐": ["saturn", "planet"],
    "⭐": ["yellow star"],
    "⛅": ["partly cloudy sky"], "⛺": ["camping tent"], "🎪": ["circus", "big top"],
    "🎡": ["big wheel"], "🏔": ["snowy mountain"],
    "🏛": ["museum", "greek temple"], "🏝": ["island", "tropical island"], "🏠": ["home"],
    "🏢": ["skyscraper", "office"], "🕌": ["minaret"],
    "🗼": ["red tower"], "🗿": ["easter island statue", "stone head"],
    "⛩": ["torii gate", "shrine"],
    "😀": ["happy face"], "😂": ["laughing face"], "😇": ["angel face", "angel"],
    "😈": ["devil"], "😎": ["cool face"], "😍": ["heart-eyes", "face with heart-eyes"],
    "😢": ["sad face"], "😭": ["sobbing face"], "😱": ["screaming face"], "😡": ["red angry face"],
    "🤢": ["sick face"], "😷": ["face mask"], "🤠": ["cowboy"], "🤡": ["clown"],
    "🤓": ["nerd"], "🥳": ["party face"], "🥵": ["sweating face"], "🥶": ["freezing face"],
    "🙂": ["smiley", "smiley face"], "💩": ["poop", "poo"], "👽": ["extraterrestrial"],
    "👾": ["space invader"],
    "💀": ["skeleton"], "😺": ["happy cat"],
    "🧐": ["monocle"], "🤔": ["thinker"],
    "🤩": ["star-struck"], "😴": ["snoring face"], "😘": ["kissing face"],
    "⚽": ["football", "soccer"], "☎": ["phone", "red telephone"], "✉": ["letter", "mail"],
    "❤": ["heart", "love"], "🎁": ["gift", "present"], "🎀": ["bow", "pink ribbon"],
    "🎒": ["rucksack", "school bag"], "🎓": ["mortarboard"], "🎤": ["mic"],
    "🎥": ["film camera"], "🎧": ["headphone"], "🎨": ["palette", "paint palette"],
    "🎮": ["gamepad", "video game"], "🎯": ["target", "dartboard"], "🎲": ["dice", "die"],
    "🎹": ["piano", "keyboard"], "🎷": ["sax"], "🎾": ["tennis", "tennis ball"], "🏈": ["rugby ball"],
    "🏆": ["cup", "gold cup"], "👓": ["eyeglasses", "spectacles"], "👔": ["tie", "shirt and tie"],
    "👕": ["shirt", "tee shirt"], "👖": ["trousers", "pants"], "👜": ["bag"],
    "👟": ["sneaker", "shoe"], "👠": ["high heel", "heels"], "👢": ["woman's boot"],
    "👒": ["straw hat", "sun hat"], "💊": ["capsule"], "💎": ["diamond", "gem"],
    "💍": ["diamond ring"], "💡": ["lightbulb", "bulb"], "💰": ["bag of money", "sack of money"],
    "💻": ["computer", "notebook computer"], "💼": ["suitcase"], "💾": ["disk", "diskette"],
    "📕": ["book", "red book"], "📚": ["stack of books", "pile of books"],
    "📦": ["parcel", "cardboard box"], "📱": ["smartphone", "cell phone"], "📺": ["tv"],
    "🔍": ["magnifier"], "🔒": ["lock"], "🔦": ["torch"], "🔧": ["spanner"],
    "🔪": ["knife"], "🛏": ["double bed"],
    "🛒": ["trolley"], "🛑": ["red stop sign"], "🚦": ["traffic light", "traffic lights"],
    "🧢": ["cap", "baseball cap"], "🧩": ["jigsaw piece", "puzzle"],
    "🧶": ["ball of yarn", "ball of wool"], "🧸": ["teddy"], "🧺": ["wicker basket"],
    "🪄": ["wand"], "🪨": ["stone", "boulder"],
    "🪣": ["pail"], "🪓": ["hatchet"], "🪙": ["gold coin"],
    "🧱": ["bricks"], "🧤": ["glove"], "🧦": ["sock"],
    "🎉": ["confetti"], "🏹": ["archery bow"], "💉": ["injection"],
    "☂": ["open umbrella"], "🕶": ["shades"],
    "📣": ["bullhorn"], "🪑": ["wooden chair"], "🔮": ["fortune teller's ball"],
    "💔": ["heartbreak"], "🎈": ["red balloon"], "🪶": ["quill"], "🥁": ["snare drum"],
    "🧲": ["horseshoe magnet"],
  ]

  /// Names and aliases that take no indefinite article although they do not look like plurals.
  static let uncountable: Set<String> = [
    "bread", "corn", "maize", "rice", "spaghetti", "pasta",
    "sushi", "bacon", "broccoli", "garlic", "salt", "ice", "cheese", "chocolate", "honey",
    "popcorn", "milk", "tea", "bubble tea", "coffee", "wine", "beer", "soda", "stew", "ramen",
    "coral", "wood", "lettuce", "fire", "rain",
    "snow", "lightning", "sunshine", "mail", "love", "confetti", "yarn", "saturn", "earth",
    "planet earth", "tennis", "soccer", "wheat", "food", "tempura", "green salad", "ice cream",
    "soft ice cream", "soft serve", "star-struck",
    "sakura", "heartbreak", "hot beverage", "heels", "baguette bread", "leafy green",
  ]

  /// Singular words that end in s.
  static let singularInS: Set<String> = [
    "bus", "trolleybus", "minibus", "cactus", "octopus", "hibiscus", "lotus", "glass", "dress",
    "compass", "circus", "walrus", "platypus", "tyrannosaurus", "brontosaurus", "cypress",
    "rhinoceros", "hippopotamus", "biceps", "lens", "abacus",
    "fleur-de-lis",
  ]

  /// Things of which there is one, named with "the".
  static let definite: Set<String> = ["statue of liberty", "tokyo tower", "milky way", "kaaba"]

  /// Last words that would name something else when standing alone.
  static let misleadingLastWords: Set<String> = [
    "cream", "face", "bar", "sign", "head", "burger", "bread", "ice", "light", "box", "object",
    "pot", "fruit", "engine", "wheel", "skate", "popper", "monster",
  ]
}
