import Imaging

/// The emoji corpus: pictures of objects on coloured grounds with captions, without end.
///
/// An example is a pure function of (seed, split, index): the same on every machine, thread and in
/// any order. Making one of 64 x 64 takes some hundredths of a millisecond.
public struct Corpus: CaptionedDataset {
  /// Which pairs of object and ground are shown.
  public enum Split: String, Sendable, Codable {
    /// All but the held-out pairs.
    case train
    /// The held-out pairs alone; in pictures of two objects at least one is held out.
    case heldOut
  }

  /// The concepts; labels hold their numbers.
  public let catalogue: EmojiCatalogue
  /// How examples are made.
  public let configuration: CorpusConfiguration
  /// Which pairs are shown.
  public let split: Split

  private let art: GlyphArt
  private let heldOut: HeldOutPairs
  private let concepts: [Int]
  private let stream: UInt64
  /// Sprites of all concepts at each size in use, smallest first.
  private let singles: [[Sprite]]
  private let halves: [[Sprite]]

  /// A corpus drawn with rendered art.
  ///
  /// Throws `CorpusError.badConfiguration` for values out of range.
  public init(
    catalogue: EmojiCatalogue, art: GlyphArt,
    configuration: CorpusConfiguration = CorpusConfiguration(), split: Split = .train
  ) throws {
    try configuration.validate(conceptCount: catalogue.concepts.count)
    self.catalogue = catalogue
    self.art = art
    self.configuration = configuration
    self.split = split
    heldOut = HeldOutPairs(catalogue: catalogue)
    concepts = configuration.conceptIDs ?? Array(catalogue.concepts.indices)
    stream = KeyedRandom.hash("corpus/\(split.rawValue)")

    let size = configuration.size
    func jittered(_ side: Int) -> [Int] {
      // Nine sizes are enough to look continuous, and few enough to keep.
      Array(Set((0...8).map { side * (60 + 5 * $0) / 100 })).sorted()
    }
    let grid = configuration.placement == .grid
    singles = try (grid ? [configuration.objectSize] : jittered(size)).map(art.sprites)
    let half = size / 2
    halves =
      configuration.pairFraction > 0 ? try (grid ? [half] : jittered(half)).map(art.sprites) : []
  }

  /// The corpus of Debian's font and names.
  ///
  /// Throws `CorpusError` (a missing file names the package to install) and `ImagingError`.
  public init(
    configuration: CorpusConfiguration = CorpusConfiguration(), split: Split = .train,
    fontPath: String = GlyphArt.defaultFontPath,
    annotationPaths: [String] = EmojiCatalogue.defaultAnnotationPaths
  ) throws {
    let catalogue = try EmojiCatalogue(annotationPaths: annotationPaths)
    let art = try GlyphArt(catalogue: catalogue, fontPath: fontPath)
    try self.init(catalogue: catalogue, art: art, configuration: configuration, split: split)
  }

  /// The same art with another split or configuration, without rendering anew.
  ///
  /// Throws `CorpusError.badConfiguration`.
  public func with(
    split: Split? = nil, _ change: (inout CorpusConfiguration) -> Void = { _ in }
  ) throws -> Corpus {
    var configuration = configuration
    change(&configuration)
    return try Corpus(
      catalogue: catalogue, art: art, configuration: configuration, split: split ?? self.split)
  }

  /// The side of every picture in pixels.
  public var size: Int { configuration.size }

  /// The corpus does not end.
  public var count: Int? { nil }

  /// Whether training never shows a concept on a ground.
  public func isHeldOut(conceptID: Int, colorID: Int) -> Bool {
    heldOut.colors.indices.contains(conceptID)
      && heldOut.contains(concept: conceptID, color: colorID)
  }

  /// One example.
  ///
  /// Throws nothing in practice: `ImagingError` if a square of `size` were no picture.
  public func example(_ index: Int) throws -> CorpusExample {
    let label = label(index)
    let pixels = batch([index], layout: .channelsLast).pixels
    let picture = try Picture(width: size, height: size, channels: 3, bytes: pixels)
    return CorpusExample(picture: picture, label: label)
  }

  /// The label of an example, without making its picture.
  public func label(_ index: Int) -> ExampleLabel {
    plan(index).label
  }

  /// Writes pictures into a caller's buffer; see `CaptionedDataset`.
  public func fill(
    _ indices: some Sequence<Int>, into pixels: UnsafeMutableBufferPointer<UInt8>,
    layout: PixelLayout
  ) -> [ExampleLabel] {
    let each = 3 * size * size
    var labels: [ExampleLabel] = []
    for index in indices {
      let start = labels.count * each
      guard start + each <= pixels.count else { break }
      let plan = plan(index)
      var canvas = Canvas(
        pixels: UnsafeMutableBufferPointer(rebasing: pixels[start..<(start + each)]), size: size,
        layout: layout)
      canvas.clear(NamedColor.all[plan.color].color)
      for item in plan.items { canvas.draw(item.sprite, x: item.x, y: item.y) }
      labels.append(plan.label)
    }
    return labels
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
      for concept in random.shuffled(concepts) where prompts.count < count {
        guard heldOut.colors[concept].indices.contains(round) else { continue }
        let color = heldOut.colors[concept][round]
        let templates = CaptionGrammar.colored(phrasing)
        let text = CaptionGrammar.fill(
          templates[random.integer(below: templates.count)],
          object: catalogue.concepts[concept].name, color: NamedColor.all[color].name)
        prompts.append(EvaluationPrompt(text: text, conceptID: concept, colorID: color))
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
    return EvaluationPrompt(text: text, conceptID: concept.id, colorID: color)
  }

  /// Pictures of given objects on given grounds, placed as `.grid` places them; no objects give the
  /// bare ground. Bytes in N, C, H, W order.
  func pixels(showing scenes: [(concepts: [Int], color: Int)]) -> [UInt8] {
    let each = 3 * size * size
    var random = KeyedRandom(seed: 0, stream: "placement on the grid is not random")
    return [UInt8](unsafeUninitializedCapacity: scenes.count * each) { buffer, count in
      for (index, scene) in scenes.enumerated() {
        var canvas = Canvas(
          pixels: UnsafeMutableBufferPointer(
            rebasing: buffer[(index * each)..<((index + 1) * each)]),
          size: size, layout: .channelsFirst)
        canvas.clear(NamedColor.all[scene.color].color)
        for item in scene.concepts.isEmpty ? [] : place(scene.concepts, &random) {
          canvas.draw(item.sprite, x: item.x, y: item.y)
        }
      }
      count = scenes.count * each
    }
  }

  // MARK: The plan of an example

  private struct Plan {
    var label: ExampleLabel
    var color: Int
    var items: [(sprite: Sprite, x: Int, y: Int)]
  }

  /// Everything random about an example.
  private func plan(_ index: Int) -> Plan {
    var random = KeyedRandom(
      seed: configuration.seed, stream: stream, index: UInt64(bitPattern: Int64(index)))
    let isPair = random.uniform() < configuration.pairFraction
    let first = concepts[random.integer(below: concepts.count)]
    let color = self.color(for: first, &random)
    var shown = [first]
    if isPair, let second = partner(of: first, color: color, &random) {
      // A held-out object must not always stand on the left.
      shown = random.uniform() < 0.5 ? [first, second] : [second, first]
    }
    let label = ExampleLabel(
      caption: caption(shown, color: color, &random), conceptIDs: shown, colorID: color,
      kind: shown.count == 2 ? .pair : .single)
    return Plan(label: label, color: color, items: place(shown, &random))
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

  private func partner(of first: Int, color: Int, _ random: inout KeyedRandom) -> Int? {
    for _ in 0..<64 {
      let second = concepts[random.integer(below: concepts.count)]
      let shown = split == .heldOut || !heldOut.contains(concept: second, color: color)
      if second != first, shown { return second }
    }
    return nil
  }

  private func place(
    _ shown: [Int], _ random: inout KeyedRandom
  ) -> [(sprite: Sprite, x: Int, y: Int)] {
    let sets = shown.count == 2 ? halves : singles
    let slot = size / shown.count
    return shown.enumerated().map { place, concept in
      let sprite = sets[random.integer(below: sets.count)][concept]
      let free = (x: slot - sprite.width, y: size - sprite.height)
      let isGrid = configuration.placement == .grid
      let x = isGrid ? free.x / 2 : random.integer(in: 0...max(free.x, 0))
      let y = isGrid ? free.y / 2 : random.integer(in: 0...max(free.y, 0))
      return (sprite, place * slot + x, y)
    }
  }

  private func caption(_ shown: [Int], color: Int, _ random: inout KeyedRandom) -> String {
    let mayLeaveOut = configuration.placement == .jitter || color == NamedColor.whiteID
    let leavesOut = random.uniform() < configuration.unnamedGroundFraction && mayLeaveOut
    let phrasing = configuration.phrasing
    let templates =
      if shown.count == 2 {
        CaptionGrammar.pair(phrasing, colored: !leavesOut)
      } else {
        leavesOut ? CaptionGrammar.plain(phrasing) : CaptionGrammar.colored(phrasing)
      }
    let template = templates[random.integer(below: templates.count)]
    let names = shown.map { name(of: catalogue.concepts[$0], &random) }
    let ground = NamedColor.all[color]
    let spelling = random.uniform() < 0.25 ? ground.synonyms.last : nil
    return CaptionGrammar.fill(
      template, object: names[0], second: names.count == 2 ? names[1] : "",
      color: spelling ?? ground.name)
  }

  /// The name, or in two captions of five a synonym.
  private func name(of concept: Concept, _ random: inout KeyedRandom) -> String {
    let draw = random.uniform()
    guard !concept.synonyms.isEmpty, draw < 0.4 else { return concept.name }
    return concept.synonyms[Int(draw / 0.4 * Double(concept.synonyms.count))]
  }
}
