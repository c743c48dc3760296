import Imaging

/// A thing in another colour than its own: "a blue fox".
///
/// What has the thing's own colour takes the new one, light and dark where it was; eyes, outlines and parts of
/// other colours stay. Only operations that are the same on every machine are used.
struct Tint {
  /// The colours that things are given: numbers in `NamedColor.all`.
  static let colors = NamedColor.all.indices.filter { $0 != NamedColor.whiteID }

  /// How much of each pixel takes the colour, 0 to 1.
  private let mask: [Float]
  /// The mean light of those pixels, 0 to 1.
  private let light: Float
  /// The part of the visible picture that takes the colour, 0 to 1.
  let coverage: Float

  /// Finds what has the thing's own colour: one third of the circle of hues, or greys where most is grey.
  init(_ sprite: Sprite) {
    let count = sprite.width * sprite.height
    var (hues, chromas, lights, alphas) = (
      [Float](repeating: 0, count: count), [Float](repeating: 0, count: count),
      [Float](repeating: 0, count: count), [Float](repeating: 0, count: count)
    )
    var bins = [Float](repeating: 0, count: 24)
    var (visible, grey) = (Float(0), Float(0))
    for pixel in 0..<count {
      let alpha = Float(sprite.pixels[pixel * 4 + 3]) / 255
      guard alpha > 0.1 else { continue }
      let (r, g, b) = sprite.color(pixel)
      let (high, low) = (max(r, g, b), min(r, g, b))
      let chroma = high - low
      alphas[pixel] = alpha
      chromas[pixel] = chroma
      lights[pixel] = 0.299 * r + 0.587 * g + 0.114 * b
      visible += alpha
      if chroma < Self.leastChroma {
        if (0.2...0.95).contains(high) { grey += alpha }
        continue
      }
      hues[pixel] = Self.hue(r, g, b, high, chroma)
      bins[min(Int(hues[pixel] * 4), 23)] += alpha * chroma
    }
    func around(_ bin: Int) -> Float {
      (-2...2).reduce(0) { $0 + bins[(bin + $1 + 24) % 24] }
    }
    let best = bins.indices.max { around($0) < around($1) } ?? 0
    let center = (Float(best) + 0.5) / 4  // 0 to 6
    let isGrey = grey > 0.5 * visible
    var (mask, sum, light) = ([Float](repeating: 0, count: count), Float(0), Float(0))
    for pixel in 0..<count where alphas[pixel] > 0 {
      if isGrey {
        let isDark = Self.ramp(lights[pixel], 0.1, 0.3)
        mask[pixel] = isDark * (1 - Self.ramp(chromas[pixel], 0.15, 0.25))
      } else {
        let apart = abs(hues[pixel] - center)
        let near = 1 - Self.ramp(min(apart, 6 - apart), 0.7, 1.1)
        mask[pixel] = near * Self.ramp(chromas[pixel], 0.1, 0.22)
      }
      sum += mask[pixel] * alphas[pixel]
      light += mask[pixel] * alphas[pixel] * lights[pixel]
    }
    self.mask = mask
    self.light = sum > 0 ? light / sum : 0.5
    coverage = visible > 0 ? sum / visible : 0
  }

  private static let colorWords = Set(
    NamedColor.all.flatMap { [$0.name] + $0.synonyms } + ["gold", "golden"])

  /// Whether words can give a concept another colour: not where a name of it says one already, nor where it
  /// would read oddly.
  static func isColorable(_ concept: Concept) -> Bool {
    let words = concept.allNames.flatMap { $0.split(separator: " ").map(String.init) }
    return !["people", "body", "hearts", "shapes", "signs"].contains(concept.group)
      && !words.contains(where: colorWords.contains)
      && !concept.allNames.contains {
        CaptionGrammar.isUncountable($0) || Drawable.definite.contains($0)
      }
  }

  private static let leastChroma: Float = 0.15

  /// The sprite, of the same size, in a colour.
  func applied(to sprite: Sprite, _ color: Color) -> Sprite {
    let target = [Float(color.red), Float(color.green), Float(color.blue)].map { $0 / 255 }
    var pixels = sprite.pixels
    for pixel in mask.indices where mask[pixel] > 0 {
      let (r, g, b) = sprite.color(pixel)
      let own = 0.299 * r + 0.587 * g + 0.114 * b
      let alpha = Float(pixels[pixel * 4 + 3])
      for (channel, old) in [r, g, b].enumerated() {
        let shaded =
          own <= light
          ? target[channel] * own / light
          : target[channel] + (1 - target[channel]) * (own - light) / max(1 - light, 0.01)
        let new = old + (shaded - old) * mask[pixel]
        pixels[pixel * 4 + channel] = UInt8(min(max(new * alpha + 0.5, 0), alpha))
      }
    }
    return Sprite(width: sprite.width, height: sprite.height, pixels: pixels)
  }

  /// 0 up to `low`, 1 from `high`, straight between.
  private static func ramp(_ value: Float, _ low: Float, _ high: Float) -> Float {
    min(max((value - low) / (high - low), 0), 1)
  }

  /// 0 to 6: red at 0, yellow at 1, and on through green, cyan, blue and magenta.
  private static func hue(_ r: Float, _ g: Float, _ b: Float, _ high: Float, _ chroma: Float)
    -> Float
  {
    if high == r { return (g - b) / chroma + (g < b ? 6 : 0) }
    return high == g ? (b - r) / chroma + 2 : (r - g) / chroma + 4
  }
}

extension Sprite {
  /// A pixel's colour, 0 to 1, without its alpha.
  fileprivate func color(_ pixel: Int) -> (Float, Float, Float) {
    let alpha = max(Float(pixels[pixel * 4 + 3]), 1)
    func value(_ channel: Int) -> Float { min(Float(pixels[pixel * 4 + channel]) / alpha, 1) }
    return (value(0), value(1), value(2))
  }
}
