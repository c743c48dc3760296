import Imaging

/// The emoji corpus: pictures of objects on coloured grounds and in scenes, in several styles, with
/// captions, without end.
///
/// An example is a pure function of (seed, split, index): the same on every machine, thread and in
/// any order. What is not configured is not drawn: by default there is one thing on a coloured ground.
public struct Corpus: CaptionedDataset {
  /// Which combinations are shown.
  public enum Split: String, Sendable, Codable {
    /// All but what is held out.
    case train
    /// Held-out combinations alone: an object's held-out ground or scene, its held-out style where
    /// there is one, and pairs that are held out.
    case heldOut
  }

  /// The concepts; labels hold their numbers.
  public let catalogue: EmojiCatalogue
  /// How examples are made.
  public let configuration: CorpusConfiguration
  /// Which combinations are shown.
  public let split: Split

  let heldOut: HeldOutPairs
  /// The concepts in use; those of them that can be counted; those that can be called small; those that can
  /// wear something, and what they can wear.
  let concepts: (all: [Int], countable: [Int], sizable: [Int], wearers: [Int], wearables: [Int])
  /// Whether words can give a concept another colour.
  let isColorable: [Bool]
  let stream: UInt64
  let art: GlyphArt
  private let scenery: Scenery

  /// A corpus drawn with the glyphs of a font.
  ///
  /// Throws `CorpusError.badConfiguration` for values out of range.
  public init(
    catalogue: EmojiCatalogue, art: GlyphArt,
    configuration: CorpusConfiguration = CorpusConfiguration(), split: Split = .train
  ) throws {
    try self.init(
      catalogue: catalogue, art: art, scenery: Scenery(), heldOut: nil,
      configuration: configuration, split: split)
  }

  private init(
    catalogue: EmojiCatalogue, art: GlyphArt, scenery: Scenery, heldOut: HeldOutPairs?,
    configuration: CorpusConfiguration, split: Split
  ) throws {
    try configuration.validate(conceptCount: catalogue.concepts.count)
    guard configuration.edition == catalogue.edition else {
      throw CorpusError.badConfiguration(
        "edition \(configuration.edition) is not the catalogue's, \(catalogue.edition)")
    }
    self.catalogue = catalogue
    self.art = art
    self.scenery = scenery
    self.configuration = configuration
    self.split = split
    self.heldOut = heldOut ?? HeldOutPairs(catalogue: catalogue)
    for hand in configuration.arts where hand != .noto && !art.has(hand) {
      throw CorpusError.badConfiguration(
        "the drawings of \(hand.rawValue) are not there; name their folder with --art or "
          + ArtFolder.variable)
    }
    let all = configuration.conceptIDs ?? Array(catalogue.concepts.indices)
    let (names, characters) = (
      catalogue.concepts.map(\.name), catalogue.concepts.map(\.character)
    )
    concepts = (
      all, all.filter { Plural.of(names[$0]) != nil },
      all.filter { !CaptionGrammar.isUncountable(names[$0]) },
      all.filter { Wardrobe.canWear(.hat, characters[$0]) },
      all.filter { Wardrobe.fit(of: characters[$0]) != nil }
    )
    isColorable = catalogue.concepts.map(Tint.isColorable)
    stream = KeyedRandom.hash("corpus/\(split.rawValue)")
  }

  /// The corpus of Debian's font and names.
  ///
  /// Throws `CorpusError` (a missing file names the package to install) and `ImagingError`.
  public init(
    configuration: CorpusConfiguration = CorpusConfiguration(), split: Split = .train,
    fontPath: String = GlyphArt.defaultFontPath,
    annotationPaths: [String] = EmojiCatalogue.defaultAnnotationPaths,
    folder: ArtFolder? = nil
  ) throws {
    let catalogue = try EmojiCatalogue(
      annotationPaths: annotationPaths, edition: configuration.edition)
    let art = try GlyphArt(catalogue: catalogue, fontPath: fontPath, folder: folder)
    try self.init(catalogue: catalogue, art: art, configuration: configuration, split: split)
  }

  /// The same art with another split or configuration, without rendering anew.
  ///
  /// Throws `CorpusError.badConfiguration`, also for another edition of the catalogue.
  public func with(
    split: Split? = nil, _ change: (inout CorpusConfiguration) -> Void = { _ in }
  ) throws -> Corpus {
    var configuration = configuration
    change(&configuration)
    return try Corpus(
      catalogue: catalogue, art: art, scenery: scenery, heldOut: heldOut,
      configuration: configuration, split: split ?? self.split)
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

  /// Whether a picture joins anything that training never joins: an object and its ground, scene or
  /// style, or two objects. Phrasings do not count.
  public func isHeldOut(_ label: ExampleLabel) -> Bool {
    label.conceptIDs.allSatisfy(heldOut.colors.indices.contains) && heldOut.contains(label)
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
    var random = random(index)
    return sample(&random)
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
      var random = random(index)
      let label = sample(&random)
      let window = UnsafeMutableBufferPointer(rebasing: pixels[start..<(start + each)])
      let items =
        configuration.placement == .grid ? gridItems(label) : jitteredItems(label, &random.main)
      draw(label, items, Canvas(pixels: window, size: size, layout: layout))
      labels.append(label)
    }
    return labels
  }

  /// Pictures of what labels say, placed as `.grid` places them, whatever is configured; labels
  /// without concepts give the bare ground. Bytes in N, C, H, W order.
  public func pixels(showing labels: [ExampleLabel]) -> [UInt8] {
    let each = 3 * size * size
    return [UInt8](unsafeUninitializedCapacity: labels.count * each) { buffer, count in
      for (index, label) in labels.enumerated() {
        let window = UnsafeMutableBufferPointer(
          rebasing: buffer[(index * each)..<((index + 1) * each)])
        draw(
          label, gridItems(label), Canvas(pixels: window, size: size, layout: .channelsFirst))
      }
      count = labels.count * each
    }
  }

  /// Pictures of given objects on given grounds; see `pixels(showing:)` of labels.
  func pixels(showing scenes: [(concepts: [Int], color: Int)]) -> [UInt8] {
    pixels(
      showing: scenes.map { concepts, color in
        ExampleLabel(
          caption: "", conceptIDs: concepts, colorID: color,
          relation: concepts.count == 2 ? .leftOf : nil,
          kind: concepts.count == 2 ? .pair : .single)
      })
  }

  // MARK: Drawing

  typealias Item = (sprite: Sprite, x: Int, y: Int)

  /// The objects of a label in drawing order, on the grid.
  private func gridItems(_ label: ExampleLabel) -> [Item] {
    guard !label.conceptIDs.isEmpty else { return [] }
    let boxes = Layout.boxes(of: label)
    if label.relation == .wearing {
      let box = boxes[0]
      return wornItems(
        label, x: box.x * size / 32, y: box.y * size / 32, side: box.side * size / 32)
    }
    return Layout.drawingOrder(of: label).map { place in
      let box = boxes[place]
      var (x, y, side) = (box.x * size / 32, box.y * size / 32, box.side * size / 32)
      if label.kind == .single, label.sceneID == nil {
        side = configuration.objectSize
        (x, y) = ((size - side) / 2, (size - side) / 2)
      }
      let sprite = sprite(of: label, place, size: max(side, 1))
      return Self.item(sprite, x: x, y: y, side: side, box.stand)
    }
  }

  /// The same, away from the grid.
  private func jitteredItems(_ label: ExampleLabel, _ random: inout KeyedRandom) -> [Item] {
    guard !label.conceptIDs.isEmpty else { return [] }
    let boxes = Layout.boxes(of: label)
    let scale = Double(random.integer(in: 60...100)) / 100
    if label.relation == .wearing {
      let (box, shift) = (boxes[0], size / 16)
      let side = Int(Double(box.side * size / 32) * (0.5 + scale / 2))
      return wornItems(
        label, x: (size - side) / 2 + random.integer(in: -shift...shift),
        y: (box.y + box.side) * size / 32 - side - random.integer(in: 0...shift), side: side)
    }
    return Layout.drawingOrder(of: label).map { place in
      let box = boxes[place]
      func sprite(_ side: Double) -> Sprite {
        self.sprite(of: label, place, size: max(Int(side), 4), isLoose: true)
      }
      if label.kind == .single {
        // In a scene nothing is as large as the picture.
        let sprite = sprite(Double(size) * scale * (label.sceneID == nil ? 1 : 0.85))
        return (
          sprite, random.integer(in: 0...max(size - sprite.width, 0)),
          random.integer(in: 0...max(size - sprite.height, 0))
        )
      }
      let full = box.side * size / 32
      let side = full * random.integer(in: 80...100) / 100
      let shift = size / 32
      func move() -> Int { (full - side) / 2 + random.integer(in: -shift...shift) }
      let (x, y) = (box.x * size / 32 + move(), box.y * size / 32 + move())
      return Self.item(sprite(Double(side)), x: x, y: y, side: side, box.stand)
    }
  }

  /// A wearer within a square, standing on its lower edge, and what it wears.
  private func wornItems(_ label: ExampleLabel, x: Int, y: Int, side: Int) -> [Item] {
    let wearer = sprite(of: label, 0, size: max(side, 4), isLoose: true)
    let item = Self.item(wearer, x: x, y: y, side: side, .bottom)
    guard let fit = Wardrobe.fit(of: catalogue.concepts[label.conceptIDs[1]].character) else {
      return [item]
    }
    let whole = sprite(of: label, 1, size: 64)
    let aspect = Double(whole.height) / Double(max(whole.width, 1))
    let place = Wardrobe.place(fit, aspect: aspect, on: wearer, room: item.y)
    let longer = Int(Double(place.width) * max(aspect, 1))
    let worn = sprite(of: label, 1, size: max(longer, 4), isLoose: true)
    return [item, (worn, item.x + place.x, item.y + place.y)]
  }

  /// The drawing of the object at a place of the label, in the colour that it was given.
  private func sprite(of label: ExampleLabel, _ place: Int, size: Int, isLoose: Bool = false)
    -> Sprite
  {
    // Of counts there is one concept for all places.
    let place = place < label.conceptIDs.count ? place : 0
    let (concept, form) = (label.conceptIDs[place], label.forms[place])
    let sprite =
      isLoose
      ? art.looseSprite(concept: concept, form: form, size: size, hand: label.art)
      : art.sprite(concept: concept, form: form, size: size, hand: label.art)
    guard let color = label.tint(place) else { return sprite }
    return Tint(sprite).applied(to: sprite, color.color)
  }

  private static func item(
    _ sprite: Sprite, x: Int, y: Int, side: Int, _ stand: Layout.Stand
  ) -> Item {
    let free = side - sprite.height
    let down =
      switch stand {
      case .middle: free / 2
      case .bottom: free
      case .top: 0
      }
    return (sprite, x + (side - sprite.width) / 2, y + down)
  }

  private func draw(_ label: ExampleLabel, _ items: [Item], _ canvas: Canvas) {
    var canvas = canvas
    guard let style = label.styleID.map({ Style.all[$0] }) else {
      ground(label, &canvas)
      for item in items { canvas.draw(item.sprite, x: item.x, y: item.y) }
      return
    }
    var work = StyleWork(size: size)
    work.pixels.withUnsafeMutableBufferPointer { pixels in
      var plain = Canvas(pixels: pixels, size: size, layout: .channelsLast)
      ground(label, &plain)
      for item in items { plain.draw(item.sprite, x: item.x, y: item.y) }
    }
    for item in items { work.cover(item.sprite, x: item.x, y: item.y) }
    work.isScene = label.sceneID != nil
    work.apply(style.technique)
    canvas.copy(work.pixels)
  }

  private func ground(_ label: ExampleLabel, _ canvas: inout Canvas) {
    if let scene = label.sceneID {
      canvas.copy(scenery.picture(scene: scene, variant: label.sceneVariant ?? 0, size: size))
    } else {
      canvas.clear(NamedColor.all[label.colorID ?? NamedColor.whiteID].color)
    }
  }
}
