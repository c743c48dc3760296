/// Random numbers of one example. What single objects on grounds are made of has a generator of its
/// own, so that they stay what they are when other kinds are configured.
struct ExampleRandom {
  var main: KeyedRandom
  var extra: KeyedRandom
}

extension Corpus {
  func random(_ index: Int) -> ExampleRandom {
    let index = UInt64(bitPattern: Int64(index))
    return ExampleRandom(
      main: KeyedRandom(seed: configuration.seed, stream: stream, index: index),
      extra: KeyedRandom(seed: configuration.seed, stream: stream ^ 0x5ce4_e51e, index: index))
  }

  /// Everything random about an example but the places of jittered objects.
  func sample(_ random: inout ExampleRandom) -> ExampleLabel {
    let kind = kind(random.main.uniform())
    if kind == .scene { return bareScene(&random) }
    let choice =
      switch kind {
      case .count: concepts.countable
      case .sized: concepts.sizable
      case .worn: concepts.wearers
      default: concepts.all
      }
    guard !choice.isEmpty else { return single(&random) }
    let first = choice[random.main.integer(below: choice.count)]
    var label = ExampleLabel(caption: "", conceptIDs: [first], kind: kind)
    chooseGround(&label, &random)
    switch kind {
    case .pair:
      if let second = partner(of: label, &random.main) {
        // A held-out object must not always stand on the left.
        label.conceptIDs = random.main.uniform() < 0.5 ? [first, second] : [second, first]
        let relations = configuration.relations
        label.relation = relations[random.extra.integer(below: relations.count)]
      } else {
        label.kind = .single
      }
    case .count: label.count = random.extra.integer(in: 2...4)
    case .sized: label.scale = random.extra.uniform() < 0.5 ? .small : .big
    case .worn: dress(&label, &random.extra)
    case .single, .scene, .file: break
    }
    chooseForms(&label, &random.extra)
    choosePaint(&label, &random.extra)
    label.caption = caption(of: label, &random)
    return label
  }

  private func kind(_ draw: Double) -> ExampleLabel.Kind {
    var bound = configuration.pairFraction
    if draw < bound { return .pair }
    bound += configuration.countFraction
    if draw < bound { return .count }
    bound += configuration.sizedFraction
    if draw < bound { return .sized }
    bound += configuration.bareSceneFraction
    if draw < bound { return .scene }
    bound += configuration.wornFraction
    return draw < bound ? .worn : .single
  }

  /// A scene and nothing in it, in any style: nothing of it is held out.
  private func bareScene(_ random: inout ExampleRandom) -> ExampleLabel {
    var label = ExampleLabel(
      caption: "", conceptIDs: [], sceneID: random.extra.integer(below: Scene.all.count),
      sceneVariant: random.extra.integer(below: Scene.variantCount), kind: .scene)
    if random.extra.uniform() < configuration.styleFraction {
      label.styleID = random.extra.integer(below: Style.all.count)
    }
    label.caption = caption(of: label, &random)
    return label
  }

  /// A single object, where the concepts in use allow no other kind.
  private func single(_ random: inout ExampleRandom) -> ExampleLabel {
    let first = concepts.all[random.main.integer(below: concepts.all.count)]
    var label = ExampleLabel(caption: "", conceptIDs: [first], kind: .single)
    chooseGround(&label, &random)
    chooseForms(&label, &random.extra)
    choosePaint(&label, &random.extra)
    label.caption = caption(of: label, &random)
    return label
  }

  /// The style, and the scene or the colour.
  private func chooseGround(_ label: inout ExampleLabel, _ random: inout ExampleRandom) {
    let first = label.conceptIDs[0]
    let color = color(for: first, &random.main)
    func choose(_ count: Int, held: Int, _ random: inout KeyedRandom) -> Int {
      if split == .heldOut { return held }
      let choice = random.integer(below: count - 1)
      return choice < held ? choice : choice + 1
    }
    if random.extra.uniform() < configuration.styleFraction {
      label.styleID = choose(Style.all.count, held: heldOut.styles[first], &random.extra)
    }
    if random.extra.uniform() < configuration.sceneFraction {
      label.sceneID = choose(Scene.all.count, held: heldOut.scenes[first], &random.extra)
      label.sceneVariant = random.extra.integer(below: Scene.variantCount)
    } else if label.styleID.map({ Style.all[$0].keepsColor }) ?? true {
      label.colorID = color
    }
  }

  private func color(for concept: Int, _ random: inout KeyedRandom) -> Int {
    switch split {
    case .heldOut:
      let colors = heldOut.colors[concept]
      return colors[random.integer(below: colors.count)]
    case .train:
      let colors = heldOut.trainColors[concept]
      let white = configuration.whiteFraction ?? 1 / Double(colors.count + 1)
      if random.uniform() < white { return NamedColor.whiteID }
      return colors[random.integer(below: colors.count)]
    }
  }

  /// A second concept that the split may show with a label's first; nil when none is found.
  private func partner(of label: ExampleLabel, _ random: inout KeyedRandom) -> Int? {
    let first = label.conceptIDs[0]
    for _ in 0..<128 {
      let second = concepts.all[random.integer(below: concepts.all.count)]
      guard second != first else { continue }
      var both = label
      both.conceptIDs.append(second)
      if split == .train ? !heldOut.contains(both) : heldOut.contains(pair: first, second) {
        return second
      }
    }
    return nil
  }

  /// Something for the first object to wear or to hold; without any that the split may show, it is alone.
  private func dress(_ label: inout ExampleLabel, _ random: inout KeyedRandom) {
    let first = label.conceptIDs[0]
    let relation = random.uniform() < 0.65 ? Relation.wearing : .holding
    let things = relation == .wearing ? wearables(of: first) : concepts.sizable
    for _ in 0..<128 where !things.isEmpty {
      let second = things[random.integer(below: things.count)]
      guard second != first else { continue }
      var both = label
      both.conceptIDs.append(second)
      if split == .train ? !heldOut.contains(both) : heldOut.contains(pair: first, second) {
        (label.conceptIDs, label.relation) = (both.conceptIDs, relation)
        return
      }
    }
    label.kind = .single
  }

  /// What a concept can wear, of the concepts in use.
  func wearables(of concept: Int) -> [Int] {
    concepts.wearables.filter { item in
      item != concept
        && Wardrobe.fit(of: catalogue.concepts[item].character).map {
          Wardrobe.canWear($0, catalogue.concepts[concept].character)
        } == true
    }
  }

  /// The hand that draws, and colours that are not the things' own. Nothing is drawn at random where there is
  /// nothing to choose: other examples stay what they are.
  private func choosePaint(_ label: inout ExampleLabel, _ random: inout KeyedRandom) {
    if configuration.arts.count > 1 || configuration.arts != [.noto] {
      var arts = configuration.arts.filter { hand in
        label.conceptIDs.allSatisfy { art.hands(of: $0).contains(hand) }
      }
      if split == .train, label.sceneID != nil,
        label.conceptIDs.contains(where: { heldOut.isFluentGrounded[$0] })
      {
        arts.removeAll(where: \.isFluent)
      }
      if !arts.isEmpty { label.art = arts[random.integer(below: arts.count)] }
      // Only the font's people have skin tones.
      if label.art != .noto { label.skinTone = nil }
    }
    guard configuration.tintFraction > 0 else { return }
    let tints = label.conceptIDs.enumerated().map { place, concept -> Int? in
      let draw = random.uniform()
      let tint = tint(for: concept, &random)
      let isChosen = draw < configuration.tintFraction && !(label.kind == .worn && place > 0)
      return isChosen && canTint(concept, tint, in: label) ? tint : nil
    }
    if tints.contains(where: { $0 != nil }) { label.tints = tints }
  }

  private func tint(for concept: Int, _ random: inout KeyedRandom) -> Int {
    let held = heldOut.tints[concept]
    let others = Tint.colors.filter { $0 != held }
    let choice = others[random.integer(below: others.count)]
    return split == .heldOut ? held : choice
  }

  /// Whether a colour can be seen on a thing, looks right, and can be told in words.
  func canTint(_ concept: Int, _ color: Int, in label: ExampleLabel) -> Bool {
    // A black face has no features.
    let isHidden = catalogue.concepts[concept].group == "faces" && color == NamedColor.blackID
    return isColorable[concept] && !isHidden && label.colorID != color
      && art.isTintable(concept, label.art)
      && label.styleID.map { Style.all[$0].keepsColor } ?? true
  }

  /// The glyph of each concept: every gender and skin tone as often as any other.
  func chooseForms(_ label: inout ExampleLabel, _ random: inout KeyedRandom) {
    label.forms = label.conceptIDs.map {
      random.integer(below: catalogue.concepts[$0].forms.count)
    }
    label.skinTone =
      zip(label.conceptIDs, label.forms).lazy
      .compactMap { catalogue.concepts[$0].forms[$1].skinTone }.first
  }

  // MARK: Words

  private func caption(of label: ExampleLabel, _ random: inout ExampleRandom) -> String {
    let white = label.colorID == NamedColor.whiteID
    let mayLeaveOut = configuration.placement == .jitter || white
    let leavesOut = random.main.uniform() < configuration.unnamedGroundFraction && mayLeaveOut
    let ground: Caption.Ground =
      if let scene = label.sceneID {
        .scene(Scene.all[scene])
      } else if let color = label.colorID, !leavesOut {
        .color(NamedColor.all[color])
      } else {
        .unnamed
      }
    let named = configuration.artNamedFraction
    let isNamed = named > 0 && random.extra.uniform() < named
    let style = label.styleID.map { Style.all[$0].manner }
    let chats = configuration.chatterFraction
    let caption = Caption(
      label: label, ground: ground, manner: style ?? (isNamed ? label.art.manner : nil),
      phrasing: configuration.phrasing,
      // Nothing is drawn where there is none: other captions stay what they are.
      chatter: chats > 0 && random.extra.uniform() < chats
        ? Chatter(configuration.phrasing, &random.extra) : nil)
    return caption.text(&random) { place, needed, random in
      name(of: label, place, needed, &random)
    }
  }

  /// A name for one of a label's concepts: in two captions of five a synonym, for people now and then
  /// with gender or skin tone.
  private func name(
    of label: ExampleLabel, _ place: Int, _ needed: Caption.Name, _ random: inout ExampleRandom
  ) -> String {
    let concept = catalogue.concepts[label.conceptIDs[place]]
    let synonyms =
      switch needed {
      case .any: concept.synonyms
      case .countable: concept.synonyms.filter { Plural.of($0) != nil }
      case .sizable: concept.synonyms.filter { !CaptionGrammar.isUncountable($0) }
      }
    let draw = random.main.uniform()
    var name = concept.name
    let form = concept.forms[label.forms[place]]
    if !synonyms.isEmpty, draw < 0.4 {
      name = synonyms[Int(draw / 0.4 * Double(synonyms.count))]
    } else if let gender = form.gender, gender != .person, random.extra.uniform() < 0.5 {
      name = CaptionGrammar.gendered(name, gender)
    }
    if label.kind == .worn, place == 0, random.extra.uniform() < 0.7 {
      name = Wardrobe.wearerName(name)
    }
    if label.art == .noto, let tone = form.skinTone, needed != .countable,
      random.extra.uniform() < configuration.toneFraction, !name.contains(" with ")
    {
      name += " with \(tone.name) skin"
    }
    return name
  }
}
