/// What a caption says: objects, ground and style, put into words at random.
///
/// Single objects on grounds without a style or chatter use the templates of `CaptionGrammar` directly; all
/// other captions are composed of a phrase for the objects or the bare scene, one for the ground, one for the
/// style, and chatter around them.
struct Caption {
  /// The ground as far as the caption names it.
  enum Ground {
    case unnamed
    case color(NamedColor)
    case scene(Scene)
  }

  /// What a name must allow.
  enum Name {
    case any, countable, sizable
  }

  let label: ExampleLabel
  let ground: Ground
  /// The style, or the hand where that is named.
  let manner: Manner?
  let phrasing: CaptionGrammar.Phrasing
  /// Words that nothing in the picture answers to, if any.
  var chatter: Chatter?

  /// The caption.
  /// - Parameter name: a name for the concept at a place of the label, without an article.
  func text(
    _ random: inout ExampleRandom, name: (Int, Name, inout ExampleRandom) -> String
  ) -> String {
    if label.kind == .single, manner == nil, chatter == nil {
      switch ground {
      case .unnamed: return plain(CaptionGrammar.plain(phrasing), nil, &random, name)
      case .color(let color):
        return plain(CaptionGrammar.colored(phrasing), color, &random, name)
      case .scene: break
      }
    }
    let objects = label.kind == .scene ? view(&random.extra) : objects(&random, name)
    let place = label.kind == .scene ? "" : place(&random.extra)
    let templates =
      manner == nil
      ? CaptionGrammar.placed(phrasing, named: !place.isEmpty)
      : CaptionGrammar.styled(
        phrasing, adjective: manner?.adjective != nil && label.kind == .single)
    var template = templates[random.extra.integer(below: templates.count)]
    if manner == nil, let opening = chatter?.opening { template = "\(opening) {s} {g}" }
    if label.count > 1 { template = template.replacing("there is {s}", with: "there are {s}") }
    let caption = CaptionGrammar.compose(
      template, objects: objects.with, bare: objects.bare, place: place,
      work: manner.map { $0.works[random.extra.integer(below: $0.works.count)] } ?? "",
      style: manner?.name ?? "", adjective: manner?.adjective ?? "")
    return chatter?.closed(caption) ?? caption
  }

  /// A scene that is all there is, with and without its article.
  private func view(_ random: inout KeyedRandom) -> (with: String, bare: String) {
    guard case .scene(let scene) = ground else { return ("", "") }
    let view = scene.views[random.integer(below: scene.views.count)]
    let article = ["a ", "an ", "the "].first(where: view.hasPrefix) ?? ""
    let bare = adorned(String(view.dropFirst(article.count)))
    switch article {
    case "": return (bare, bare)
    case "the ": return ("the \(bare)", bare)
    default: return ("\(CaptionGrammar.indefiniteArticle(before: bare)) \(bare)", bare)
    }
  }

  private func plain(
    _ templates: [String], _ color: NamedColor?, _ random: inout ExampleRandom,
    _ name: (Int, Name, inout ExampleRandom) -> String
  ) -> String {
    let template = templates[random.main.integer(below: templates.count)]
    let object = tinted(0, name(0, .any, &random))
    let spelling = random.main.uniform() < 0.25 ? color?.synonyms.last : nil
    return CaptionGrammar.fill(template, object: object, color: spelling ?? color?.name ?? "")
  }

  /// The objects with articles, and with fewer words.
  private func objects(
    _ random: inout ExampleRandom, _ name: (Int, Name, inout ExampleRandom) -> String
  ) -> (with: String, bare: String) {
    if let relation = label.relation {
      let templates = CaptionGrammar.related(relation)
      let template = templates[random.extra.integer(below: templates.count)]
      var first = tinted(0, name(0, .any, &random))
      let second = tinted(1, name(1, .any, &random))
      // "A cute bread": what takes no article alone would be given one.
      if CaptionGrammar.withArticle(first) != first { first = adorned(first) }
      func fill(_ template: String) -> String {
        CaptionGrammar.fill(template, object: first, second: second)
      }
      return (
        fill(template),
        fill(template.replacing("{ax}", with: "{x}").replacing("{ay}", with: "{y}"))
      )
    }
    if label.count > 1 {
      let name = name(0, .countable, &random)
      let plural = Plural.of(name) ?? name
      let number = Plural.numbers[label.count] ?? "\(label.count)"
      let digits = random.extra.uniform() < 0.25
      let text = busy("\(digits ? "\(label.count)" : number) \(adorned(tinted(0, plural)))")
      return (text, text)
    }
    if let scale = label.scale {
      let words = CaptionGrammar.words(for: scale)
      let word = words[random.extra.integer(below: words.count)]
      let name = "\(word) \(adorned(tinted(0, name(0, .sizable, &random))))"
      return (busy(CaptionGrammar.withArticle(name)), busy(name))
    }
    let name = tinted(0, name(0, .any, &random))
    return (busy(withArticle(name)), busy(adorned(name)))
  }

  /// A name with the colour that its thing was given.
  private func tinted(_ place: Int, _ name: String) -> String {
    label.tint(place).map { "\($0.name) \(name)" } ?? name
  }

  private func adorned(_ name: String) -> String { chatter?.adorned(name) ?? name }
  private func busy(_ phrase: String) -> String { chatter?.busy(phrase) ?? phrase }

  /// A name with an adjective, if any, and the article that the name takes.
  private func withArticle(_ name: String) -> String {
    let plain = CaptionGrammar.withArticle(name)
    guard let adjective = chatter?.adjective else { return plain }
    if plain == name { return adorned(name) }
    if plain == "the \(name)" { return "the \(adorned(name))" }
    return "\(CaptionGrammar.indefiniteArticle(before: adjective)) \(adorned(name))"
  }

  /// The ground, as it follows the objects: "on a red background", "in the forest".
  private func place(_ random: inout KeyedRandom) -> String {
    switch ground {
    case .unnamed: return ""
    case .scene(let scene): return scene.phrases[random.integer(below: scene.phrases.count)]
    case .color(let color):
      let name = random.uniform() < 0.25 ? color.synonyms.last ?? color.name : color.name
      return CaptionGrammar.fill(
        random.uniform() < 0.6 ? "on {ac} background" : "on {c}", object: "", color: name)
    }
  }
}

extension CaptionGrammar {
  /// Captions of objects `{s}` (bare: `{b}`) in a place `{g}`, without a style.
  static func placed(_ phrasing: Phrasing, named: Bool) -> [String] {
    switch (phrasing, named) {
    case (.known, true):
      [
        "{s} {g}", "{s} {g}", "{b} {g}", "a picture of {s} {g}", "an image of {s} {g}",
        "a drawing of {s} {g}", "there is {s} {g}", "{s}, {g}",
      ]
    case (.known, false):
      ["{s}", "{s}", "{b}", "a picture of {s}", "an image of {s}", "a drawing of {s}"]
    case (.heldOut, true): ["{g}, {s}", "there is a drawing of {s} {g}", "an image of {b} {g}"]
    case (.heldOut, false): ["there is an image of {s}", "a drawing of {b}"]
    }
  }

  /// Captions with a style: `{w}` is a work ("a watercolour"), `{n}` its name, `{j}` the adjective.
  static func styled(_ phrasing: Phrasing, adjective: Bool) -> [String] {
    switch phrasing {
    case .known:
      [
        "{w} of {s} {g}", "{w} of {s} {g}", "{w} of {b} {g}", "{s} {g}, {n}", "{b} {g}, {n}",
        "{s} {g} as {w}", "{s} {g} in {n} style", "{n} of {s} {g}",
      ] + (adjective ? ["{ajb} {g}", "{j} {b} {g}"] : [])
    case .heldOut: ["{n}, {s} {g}", "a picture of {s} {g} as {w}", "there is {w} of {s} {g}"]
    }
  }

  /// Phrases of two objects; see `Relation`.
  static func related(_ relation: Relation) -> [String] {
    switch relation {
    case .nextTo: ["{ax} and {ay}", "{ax} and {ay}", "{ax} next to {ay}", "{ax} beside {ay}"]
    case .leftOf:
      [
        "{ax} to the left of {ay}", "{ay} to the right of {ax}", "{ax} left of {ay}",
        "{ay} right of {ax}",
      ]
    case .above: ["{ax} above {ay}", "{ay} below {ax}", "{ay} under {ax}", "{ax} over {ay}"]
    case .onTopOf: ["{ax} on top of {ay}", "{ax} on {ay}", "{ay} with {ax} on top"]
    case .inFrontOf: ["{ax} in front of {ay}", "{ay} behind {ax}"]
    case .wearing: ["{ax} wearing {ay}", "{ax} wearing {ay}", "{ax} with {ay}", "{ax} in {ay}"]
    case .holding: ["{ax} holding {ay}", "{ax} holding {ay}", "{ax} with {ay}"]
    }
  }

  /// Adjectives of size.
  static func words(for scale: ObjectScale) -> [String] {
    switch scale {
    case .small: ["small", "small", "tiny", "little"]
    case .big: ["big", "big", "large", "huge"]
    }
  }

  /// A person's name with a gender: "woman astronaut", "man running", "bald woman".
  static func gendered(_ name: String, _ gender: GlyphForm.Gender) -> String {
    var words = name.split(separator: " ").map(String.init)
    if let person = words.firstIndex(of: "person") {
      words[person] = gender.rawValue
      return words.joined(separator: " ")
    }
    return "\(gender.rawValue) \(name)"
  }

  /// Fills a template of `placed` or `styled`.
  static func compose(
    _ template: String, objects: String, bare: String, place: String, work: String,
    style: String, adjective: String
  ) -> String {
    let parts = [
      "{s}": objects, "{b}": bare, "{g}": place, "{w}": work, "{n}": style, "{j}": adjective,
      "{ajb}": indefiniteArticle(before: adjective) + " \(adjective) \(bare)",
    ]
    // A plural or a name without an article takes none after an adjective either.
    let hasArticle = objects != bare
    var caption = ""
    for word in template.split(separator: " ") {
      let comma = word.hasSuffix(",")
      let key = String(comma ? word.dropLast() : word)
      var text = parts[key] ?? key
      if key == "{ajb}", !hasArticle { text = "\(adjective) \(bare)" }
      if !text.isEmpty { caption += (caption.isEmpty ? "" : " ") + text }
      if comma { caption += "," }
    }
    return caption
  }
}
