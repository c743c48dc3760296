import Foundation
import Imaging

/// A small picture with premultiplied alpha, ready to be laid over a ground.
struct Sprite: Sendable {
  let width: Int
  let height: Int
  /// RGBA, `height * width * 4` values.
  let pixels: [UInt8]
}

/// The pictures of a catalogue's concepts, cut to their visible part and scaled on demand.
///
/// Scaled pictures are kept, one set for each size; one art serves any number of corpora and threads.
public final class GlyphArt: @unchecked Sendable {
  /// Where Debian's fonts-noto-color-emoji puts the font.
  public static let defaultFontPath = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"

  private let originals: [Picture]
  private let lock = NSLock()
  /// Guarded by `lock`.
  private var scaled: [Int: [Sprite]] = [:]

  /// Renders every concept of a catalogue with a colour font.
  ///
  /// Throws `CorpusError.missing` without the font file, `.undrawn` when the font lacks a concept,
  /// and `ImagingError` when the file is no font.
  public init(catalogue: EmojiCatalogue, fontPath: String = GlyphArt.defaultFontPath) throws {
    guard FileManager.default.isReadableFile(atPath: fontPath) else {
      throw CorpusError.missing(
        what: "The Noto Color Emoji font", path: fontPath, package: "fonts-noto-color-emoji")
    }
    let font = try Font(path: fontPath)
    var pictures: [Picture] = []
    var undrawn = ""
    for concept in catalogue.concepts {
      // U+FE0F asks for the colour form; some fonts reach a glyph only without it.
      let glyph =
        font.colorGlyph(for: concept.character + "\u{fe0f}")
        ?? font.colorGlyph(for: concept.character)
      if let picture = glyph.flatMap(Self.trimmed) {
        pictures.append(picture)
      } else {
        undrawn += concept.character
      }
    }
    guard undrawn.isEmpty else { throw CorpusError.undrawn(characters: undrawn, path: fontPath) }
    originals = pictures
  }

  /// All concepts' pictures with the longer side at exactly `size` pixels, in the catalogue's order.
  func sprites(size: Int) throws -> [Sprite] {
    try lock.withLock {
      if let known = scaled[size] { return known }
      let made = try originals.map { try Self.scaled($0, size: size) }
      scaled[size] = made
      return made
    }
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

  private static func scaled(_ picture: Picture, size: Int) throws -> Sprite {
    let longer = max(picture.width, picture.height)
    let small = try picture.resized(
      width: max((picture.width * size + longer / 2) / longer, 1),
      height: max((picture.height * size + longer / 2) / longer, 1), filter: .lanczos3)
    var pixels = small.addingAlpha().bytes
    for pixel in stride(from: 0, to: pixels.count, by: 4) {
      let alpha = Int(pixels[pixel + 3])
      for i in pixel..<(pixel + 3) { pixels[i] = UInt8((Int(pixels[i]) * alpha + 127) / 255) }
    }
    return Sprite(width: small.width, height: small.height, pixels: pixels)
  }
}
