/// A prompt of a fixed evaluation list, with what its picture must show.
public struct EvaluationPrompt: Sendable, Hashable, Codable {
  /// What the picture must show; its caption is the prompt.
  public let label: ExampleLabel
  /// Whether its things may stand anywhere in the picture.
  public var isAnywhere = false

  /// What to paint.
  public var text: String { label.caption }
  /// The first object's number in the catalogue.
  public var conceptID: Int { label.conceptIDs[0] }
  /// The objects' numbers, as placed; see `ExampleLabel.conceptIDs`.
  public var conceptIDs: [Int] { label.conceptIDs }
  /// The ground's number in `NamedColor.all`; nil where the prompt asks for a scene, or for none.
  public var colorID: Int? { label.colorID }
  /// The scene's number in `Scene.all`.
  public var sceneID: Int? { label.sceneID }
  /// The style's number in `Style.all`.
  public var styleID: Int? { label.styleID }
  /// How the two objects stand.
  public var relation: Relation? { label.relation }
  /// How many objects of the one concept.
  public var count: Int { label.count }
}

/// A fixed list of prompts for one ability.
public enum PromptList: String, Sendable, Codable, CaseIterable {
  /// One object on a named ground.
  case singles
  /// Two objects in a relation, on white.
  case relations
  /// One object in a scene.
  case scenes
  /// One object in a style, on white.
  case styles
  /// Two to four of one concept, on a named ground.
  case counts
  /// A scene and nothing in it, in every third prompt in a style.
  case views
  /// One object on white, on a named ground or in a scene, with words that nothing in the picture answers
  /// to.
  case chatter
  /// One object in another colour than its own, on white.
  case attributes
  /// One object that wears another, on white.
  case worn
  /// One object as a 3D render, in a scene.
  case renders
  /// What people would type first; a hundred of them, the same for every seed.
  case natural
}

extension Corpus {
  /// Prompts for one ability, spread over all concepts before any comes twice; the same list for the
  /// same seed.
  ///
  /// Held-out and seen lists of one seed are alike in all but the combination: an object's held-out
  /// ground, scene, style or partner against one that training shows. What is not the list's subject
  /// is as training shows it.
  ///
  /// - Parameter seen: whether combinations, and the words of chatter, are ones that training shows.
  public func prompts(
    _ list: PromptList, seen: Bool = false, count: Int, seed: UInt64,
    phrasing: CaptionGrammar.Phrasing = .known
  ) -> [EvaluationPrompt] {
    if list == .natural { return Array(NaturalPrompts.all(in: catalogue).prefix(count)) }
    var random = KeyedRandom(seed: seed, stream: "prompts/\(list.rawValue)")
    let all =
      switch list {
      case .counts: concepts.countable
      case .attributes:
        concepts.all.filter { first in
          let label = ExampleLabel(caption: "", conceptIDs: [first], kind: .single)
          return Tint.colors.allSatisfy { canTint(first, $0, in: label) }
        }
      case .worn:
        concepts.wearers.filter { first in
          wearables(of: first).contains { heldOut.contains(pair: first, $0) != seen }
        }
      case .renders: concepts.all.filter { heldOut.isFluentGrounded[$0] != seen }
      default: concepts.all
      }
    var prompts: [EvaluationPrompt] = []
    while prompts.count < min(count, 100_000), !all.isEmpty {
      for first in random.shuffled(all) where prompts.count < count {
        var choice = KeyedRandom(
          seed: seed, stream: "prompt/\(list.rawValue)", index: UInt64(prompts.count))
        guard var label = label(list, first, seen: seen, turn: prompts.count, &choice) else {
          continue
        }
        chooseForms(&label, &choice)
        let chatter = list == .chatter ? Chatter(seen ? .known : .heldOut, &choice) : nil
        label.caption = text(of: label, phrasing, chatter, choice)
        prompts.append(EvaluationPrompt(label: label))
      }
    }
    return prompts
  }

  private func label(
    _ list: PromptList, _ first: Int, seen: Bool, turn: Int, _ random: inout KeyedRandom
  ) -> ExampleLabel? {
    var label = ExampleLabel(caption: "", conceptIDs: [first], kind: .single)
    func inScene() {
      label.sceneID = other(than: heldOut.scenes[first], of: Scene.all.count)
      label.sceneVariant = random.integer(below: Scene.variantCount)
    }
    func other(than held: Int, of count: Int) -> Int {
      let choice = random.integer(below: count - 1)
      return seen ? (choice < held ? choice : choice + 1) : held
    }
    func color() -> Int {
      let colors = seen ? heldOut.trainColors[first] : heldOut.colors[first]
      return colors[random.integer(below: colors.count)]
    }
    switch list {
    case .natural: return nil
    case .singles: label.colorID = color()
    case .counts:
      label.colorID = color()
      label.kind = .count
      label.count = 2 + turn % 3
    case .scenes: inScene()
    case .chatter:
      switch turn % 3 {
      case 0: label.colorID = NamedColor.whiteID
      case 1: label.colorID = color()
      default: inScene()
      }
    case .views:
      label.kind = .scene
      label.conceptIDs = []
      label.sceneID = turn % Scene.all.count
      label.sceneVariant = random.integer(below: Scene.variantCount)
      if turn % 3 == 2 { label.styleID = random.integer(below: Style.all.count) }
    case .attributes:
      label.colorID = NamedColor.whiteID
      let others = Tint.colors.filter { $0 != heldOut.tints[first] }
      label.tints = [seen ? others[random.integer(below: others.count)] : heldOut.tints[first]]
    case .worn:
      label.kind = .worn
      label.colorID = NamedColor.whiteID
      label.relation = .wearing
      let things = wearables(of: first).filter { heldOut.contains(pair: first, $0) != seen }
      guard !things.isEmpty else { return nil }
      label.conceptIDs.append(things[random.integer(below: things.count)])
    case .renders:
      // A scene that training shows the thing in, drawn by other hands.
      let choice = random.integer(below: Scene.all.count - 1)
      label.sceneID = choice < heldOut.scenes[first] ? choice : choice + 1
      label.sceneVariant = random.integer(below: Scene.variantCount)
      label.art = .fluent3D
    case .styles:
      let style = other(than: heldOut.styles[first], of: Style.all.count)
      label.styleID = style
      label.colorID = Style.all[style].keepsColor ? NamedColor.whiteID : nil
    case .relations:
      label.kind = .pair
      label.colorID = NamedColor.whiteID
      label.relation = Relation.placed[turn % Relation.placed.count]
      for _ in 0..<1000 {
        let second = concepts.all[random.integer(below: concepts.all.count)]
        guard second != first, heldOut.contains(pair: first, second) != seen else { continue }
        label.conceptIDs = random.uniform() < 0.5 ? [first, second] : [second, first]
        return label
      }
      return nil
    }
    return label
  }

  private func text(
    of label: ExampleLabel, _ phrasing: CaptionGrammar.Phrasing, _ chatter: Chatter?,
    _ random: KeyedRandom
  ) -> String {
    let ground: Caption.Ground =
      if let scene = label.sceneID {
        .scene(Scene.all[scene])
      } else if let color = label.colorID, label.kind != .pair, label.kind != .worn,
        label.tints.isEmpty, label.styleID == nil, chatter == nil || color != NamedColor.whiteID
      {
        .color(NamedColor.all[color])
      } else {
        .unnamed
      }
    let caption = Caption(
      label: label, ground: ground,
      manner: label.styleID.map { Style.all[$0].manner }
        ?? (label.art == .noto ? nil : label.art.manner),
      phrasing: phrasing, chatter: chatter)
    var random = ExampleRandom(main: random, extra: random)
    return caption.text(&random) { place, _, _ in
      let name = catalogue.concepts[label.conceptIDs[place]].name
      return label.kind == .worn && place == 0 ? Wardrobe.wearerName(name) : name
    }
  }

  /// Prompts for a measure of held-out pairs, one object on a named ground each, spread over all
  /// concepts before any comes twice. The list is the same for the same seed; it ends when all
  /// held-out pairs are used.
  public func heldOutPrompts(
    count: Int, seed: UInt64, phrasing: CaptionGrammar.Phrasing = .known
  ) -> [EvaluationPrompt] {
    var random = KeyedRandom(seed: seed, stream: "held-out prompts")
    var prompts: [EvaluationPrompt] = []
    for round in 0..<NamedColor.all.count {
      for concept in random.shuffled(concepts.all) where prompts.count < count {
        guard heldOut.colors[concept].indices.contains(round) else { continue }
        let color = heldOut.colors[concept][round]
        let templates = CaptionGrammar.colored(phrasing)
        let text = CaptionGrammar.fill(
          templates[random.integer(below: templates.count)],
          object: catalogue.concepts[concept].name, color: NamedColor.all[color].name)
        prompts.append(prompt(text, concept, color))
      }
    }
    return prompts
  }

  /// The prompt of an object on the ground that training never shows it on; nil when there is no such
  /// object.
  public func heldOutPrompt(of object: String) -> EvaluationPrompt? {
    guard let concept = catalogue.concept(named: object),
      let color = heldOut.colors[concept.id].first
    else { return nil }
    let text = CaptionGrammar.fill(
      "{ax} on {ac} background", object: object, color: NamedColor.all[color].name)
    return prompt(text, concept.id, color)
  }

  private func prompt(_ text: String, _ concept: Int, _ color: Int) -> EvaluationPrompt {
    EvaluationPrompt(
      label: ExampleLabel(
        caption: text, conceptIDs: [concept], colorID: color, kind: .single))
  }
}
