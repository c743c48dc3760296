import Foundation
import Imaging

/// A small picture with premultiplied alpha, ready to be laid over a ground.
struct Sprite: Sendable {
  let width: Int
  let height: Int
  /// RGBA, `height * width * 4` values.
  let pixels: [UInt8]
}

/// The pictures of a catalogue's concepts, cut to their visible part: the font's, and those of other hands
/// where a folder has them.
///
/// A glyph is rendered when it is first drawn, and scaled once for each size on the token grid; other
/// sizes are scaled for each example. One art serves any number of corpora and threads.
public final class GlyphArt: @unchecked Sendable {
  /// Where Debian's fonts-noto-color-emoji puts the font.
  public static let defaultFontPath = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"

  private let font: Font
  private let folder: ArtFolder?
  private let sequences: [String]
  /// The hands that drew each concept, in all its forms.
  private let hands: [[ArtSet]]
  /// The number of each concept's first form in `sequences`.
  private let firstForms: [Int]
  private let lock = NSLock()
  /// By size, then by hand and form; guarded by `lock`.
  private var kept: [Int: [Sprite?]] = [:]
  /// By concept and hand; guarded by `lock`.
  private var tintable: [Int: Bool] = [:]

  /// Opens a colour font and checks that it draws every form of a catalogue's concepts.
  ///
  /// Throws `CorpusError.missing` without the font file, `.undrawn` when the font lacks a concept,
  /// and `ImagingError` when the file is no font.
  /// - Parameter folder: other hands' drawings, if any.
  public init(
    catalogue: EmojiCatalogue, fontPath: String = GlyphArt.defaultFontPath,
    folder: ArtFolder? = nil
  ) throws {
    guard FileManager.default.isReadableFile(atPath: fontPath) else {
      throw CorpusError.missing(
        what: "The Noto Color Emoji font", path: fontPath, package: "fonts-noto-color-emoji")
    }
    font = try Font(path: fontPath)
    var sequences: [String] = []
    var firstForms: [Int] = []
    var undrawn = ""
    for concept in catalogue.concepts {
      firstForms.append(sequences.count)
      for form in concept.forms {
        // U+FE0F asks for the colour form; some fonts reach a glyph only without it.
        let known = [form.sequence + "\u{fe0f}", form.sequence].first(where: font.hasGlyph)
        if known == nil { undrawn += form.sequence + " " }
        sequences.append(known ?? form.sequence)
      }
    }
    guard undrawn.isEmpty else { throw CorpusError.undrawn(characters: undrawn, path: fontPath) }
    self.sequences = sequences
    self.firstForms = firstForms
    self.folder = folder
    hands = catalogue.concepts.map { concept in
      [.noto]
        + (folder?.sets ?? []).filter { set in
          concept.forms.allSatisfy { folder?.file(set, Self.toneless($0.sequence)) != nil }
        }
    }
  }

  /// Whether there are drawings of a hand.
  func has(_ hand: ArtSet) -> Bool { hand == .noto || folder?.sets.contains(hand) == true }

  /// The hands that drew a concept in all its forms.
  func hands(of concept: Int) -> [ArtSet] { hands[concept] }

  /// A concept's form with the longer side at exactly `size` pixels; kept for the next time.
  /// - Parameter hand: whose drawing; the font's where there is none.
  func sprite(concept: Int, form: Int, size: Int, hand: ArtSet = .noto) -> Sprite {
    let form = firstForms[concept] + form
    let index = hand.id * sequences.count + form
    if let known = lock.withLock({ kept[size]?[index] }) { return known }
    // A whole font has a bitmap for each glyph; of a damaged one nothing shows.
    let made =
      (drawing(form, hand) ?? font.colorGlyph(for: sequences[form])).flatMap(Self.trimmed).map {
        Self.scaled($0, size: size)
      } ?? Sprite(width: 1, height: 1, pixels: [0, 0, 0, 0])
    let count = ArtSet.allCases.count * sequences.count
    lock.withLock { kept[size, default: Array(repeating: nil, count: count)][index] = made }
    return made
  }

  /// A concept's form at any size, made anew from one that is kept and at least as large.
  func looseSprite(concept: Int, form: Int, size: Int, hand: ArtSet = .noto) -> Sprite {
    var base = 128
    while base / 2 >= max(size, 16) { base /= 2 }
    let sprite = sprite(concept: concept, form: form, size: base, hand: hand)
    return size == base ? sprite : sprite.resampled(longerSide: size)
  }

  /// Whether most of a hand's drawing has one colour, which another may take the place of.
  func isTintable(_ concept: Int, _ hand: ArtSet) -> Bool {
    let key = hand.id * hands.count + concept
    if let known = lock.withLock({ tintable[key] }) { return known }
    let answer = Tint(sprite(concept: concept, form: 0, size: 32, hand: hand)).coverage > 0.45
    lock.withLock { tintable[key] = answer }
    return answer
  }

  /// Another hand's drawing of a form; nil where there is none.
  private func drawing(_ form: Int, _ hand: ArtSet) -> Picture? {
    guard hand != .noto, let file = folder?.file(hand, Self.toneless(sequences[form])) else {
      return nil
    }
    return try? Picture.read(from: file)
  }

  /// Other hands draw people without skin tones.
  private static func toneless(_ sequence: String) -> String {
    let tones = Set(SkinTone.allCases.map(\.modifier))
    return String(String.UnicodeScalarView(sequence.unicodeScalars.filter { !tones.contains($0) }))
  }

  /// The visible part of a picture; nil when nothing is visible.
  private static func trimmed(_ picture: Picture) -> Picture? {
    let bytes = picture.addingAlpha().bytes
    var columns: ClosedRange<Int>?
    var rows: ClosedRange<Int>?
    for y in 0..<picture.height {
      for x in 0..<picture.width where bytes[(y * picture.width + x) * 4 + 3] > 8 {
        columns = min(columns?.lowerBound ?? x, x)...max(columns?.upperBound ?? x, x)
        rows = (rows?.lowerBound ?? y)...y
      }
    }
    guard let columns, let rows else { return nil }
    return try? picture.cropped(
      x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
  }

  private static func scaled(_ picture: Picture, size: Int) -> Sprite {
    let longer = max(picture.width, picture.height)
    let width = max((picture.width * size + longer / 2) / longer, 1)
    let height = max((picture.height * size + longer / 2) / longer, 1)
    let small = (try? picture.resized(width: width, height: height, filter: .lanczos3)) ?? picture
    var pixels = small.addingAlpha().bytes
    for pixel in stride(from: 0, to: pixels.count, by: 4) {
      let alpha = Int(pixels[pixel + 3])
      for i in pixel..<(pixel + 3) { pixels[i] = UInt8((Int(pixels[i]) * alpha + 127) / 255) }
    }
    return Sprite(width: small.width, height: small.height, pixels: pixels)
  }
}

extension Sprite {
  /// Scaled to another size, bilinearly; good down to half.
  func resampled(longerSide: Int) -> Sprite {
    let longer = max(width, height)
    let (w, h) = (max(width * longerSide / longer, 1), max(height * longerSide / longer, 1))
    // 8 bits of fraction; sample centres coincide.
    func taps(_ count: Int, from source: Int) -> [(at: Int, next: Int, part: Int)] {
      (0..<count).map { i in
        let position = max((2 * i + 1) * source * 128 / count - 128, 0)
        let at = min(position >> 8, source - 1)
        return (at, min(at + 1, source - 1), position & 255)
      }
    }
    let (columns, rows) = (taps(w, from: width), taps(h, from: height))
    let made = [UInt8](unsafeUninitializedCapacity: w * h * 4) { out, count in
      pixels.withUnsafeBufferPointer { source in
        var to = 0
        for row in rows {
          let (top, bottom) = (row.at * width * 4, row.next * width * 4)
          for column in columns {
            let (left, right) = (column.at * 4, column.next * 4)
            for c in 0..<4 {
              let above =
                Int(source[top + left + c]) * (256 - column.part)
                + Int(source[top + right + c]) * column.part
              let below =
                Int(source[bottom + left + c]) * (256 - column.part)
                + Int(source[bottom + right + c]) * column.part
              out[to + c] = UInt8((above * (256 - row.part) + below * row.part + 32768) >> 16)
            }
            to += 4
          }
        }
      }
      count = w * h * 4
    }
    return Sprite(width: w, height: h, pixels: made)
  }
}
