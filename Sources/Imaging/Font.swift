import CFreeType
import CHarfBuzz
import Foundation

/// A font file: colour bitmap glyphs (emoji) and simple one-line labels.
///
/// HarfBuzz turns text into glyphs, so that ligatures such as emoji sequences joined by U+200D
/// resolve; FreeType renders them. One font may be used from several threads; calls take turns.
public final class Font: @unchecked Sendable {
  /// Where the font was read from.
  public let path: String

  private let lock = NSLock()
  private let library: FT_Library
  private let face: FT_Face
  private let shaper: OpaquePointer

  /// Opens the first face of a font file.
  ///
  /// Throws `ImagingError.badFont` when FreeType or HarfBuzz cannot use the file.
  public init(path: String) throws {
    self.path = path
    var library: FT_Library?
    guard FT_Init_FreeType(&library) == 0, let library else {
      throw ImagingError.badFont(path: path, reason: "FreeType does not start")
    }
    var face: FT_Face?
    guard FT_New_Face(library, path, 0, &face) == 0, let face else {
      FT_Done_FreeType(library)
      throw ImagingError.badFont(
        path: path,
        reason: FileManager.default.fileExists(atPath: path)
          ? "it is no font that FreeType reads" : "there is no such file")
    }
    guard let blob = hb_blob_create_from_file_or_fail(path) else {
      FT_Done_Face(face)
      FT_Done_FreeType(library)
      throw ImagingError.badFont(path: path, reason: "HarfBuzz cannot read it")
    }
    let shapes = hb_face_create(blob, 0)
    self.library = library
    self.face = face
    shaper = hb_font_create(shapes)
    hb_face_destroy(shapes)
    hb_blob_destroy(blob)
  }

  deinit {
    hb_font_destroy(shaper)
    FT_Done_Face(face)
    FT_Done_FreeType(library)
  }

  /// Renders a sequence of code points that the font draws as one colour bitmap.
  ///
  /// Noto Color Emoji holds bitmaps of 136 x 128 pixels; the largest stored size is used, unscaled.
  ///
  /// - Returns: RGBA with straight alpha; nil when the text does not become exactly one glyph of
  ///   the font, or that glyph is no colour bitmap.
  public func colorGlyph(for text: String) -> Picture? {
    lock.lock()
    defer { lock.unlock() }
    guard face.pointee.num_fixed_sizes > 0, let sizes = face.pointee.available_sizes else {
      return nil
    }
    let glyphs = shape(text)
    guard glyphs.count == 1, glyphs[0].index != 0 else { return nil }
    let largest = (0..<Int(face.pointee.num_fixed_sizes)).max {
      sizes[$0].y_ppem < sizes[$1].y_ppem
    }
    guard
      FT_Select_Size(face, FT_Int(largest ?? 0)) == 0,
      FT_Load_Glyph(face, glyphs[0].index, FT_Int32(FT_LOAD_COLOR)) == 0,
      let slot = face.pointee.glyph
    else { return nil }
    return Self.picture(of: slot.pointee.bitmap)
  }

  /// Whether a sequence of code points becomes exactly one glyph of the font; renders nothing.
  public func hasGlyph(for text: String) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    let glyphs = shape(text)
    return glyphs.count == 1 && glyphs[0].index != 0
  }

  /// Draws one line of text with its left upper corner at column `x` and row `y`; what falls
  /// outside is left out. Colour glyphs and glyphs that the font lacks are left out too.
  ///
  /// - Parameter size: The font size in pixels per em, 1 to 1000.
  /// - Returns: The width of the line in pixels.
  @discardableResult
  public func draw(
    _ text: String, size: Int, color: Color, onto picture: inout Picture, x: Int, y: Int
  ) -> Int {
    lock.lock()
    defer { lock.unlock() }
    guard setSize(size), let metrics = face.pointee.size?.pointee.metrics else { return 0 }
    let baseline = y + Self.ceiled(metrics.ascender)
    var pen = 0
    for glyph in shape(text) {
      defer { pen += glyph.advance }
      guard
        glyph.index != 0,
        FT_Load_Glyph(face, glyph.index, FT_Int32(FT_LOAD_RENDER | FT_LOAD_NO_HINTING)) == 0,
        let slot = face.pointee.glyph
      else { continue }
      let left = x + Self.rounded(pen + glyph.offsetX) + Int(slot.pointee.bitmap_left)
      let top = baseline - Self.rounded(glyph.offsetY) - Int(slot.pointee.bitmap_top)
      Self.draw(slot.pointee.bitmap, color: color, onto: &picture, x: left, y: top)
    }
    return Self.ceiled(pen)
  }

  /// The width of a line of text in pixels at a size in pixels per em.
  public func width(of text: String, size: Int) -> Int {
    lock.lock()
    defer { lock.unlock() }
    guard setSize(size) else { return 0 }
    return Self.ceiled(shape(text).reduce(0) { $0 + $1.advance })
  }

  /// The height of a line in pixels, from the highest ascender to the lowest descender.
  public func lineHeight(size: Int) -> Int {
    lock.lock()
    defer { lock.unlock() }
    guard setSize(size), let metrics = face.pointee.size?.pointee.metrics else { return 0 }
    return Self.ceiled(metrics.ascender) + Self.ceiled(-metrics.descender)
  }

  // MARK: - Shaping; positions are in 1/64 pixel

  private struct Glyph {
    var index: FT_UInt
    var advance: Int
    var offsetX: Int
    var offsetY: Int
  }

  private func setSize(_ size: Int) -> Bool {
    let size = min(max(size, 1), 1000)
    guard FT_Set_Pixel_Sizes(face, 0, FT_UInt(size)) == 0 else { return false }
    hb_font_set_scale(shaper, Int32(size * 64), Int32(size * 64))
    return true
  }

  private func shape(_ text: String) -> [Glyph] {
    guard let buffer = hb_buffer_create() else { return [] }
    defer { hb_buffer_destroy(buffer) }
    let bytes = Array(text.utf8.prefix(10_000))
    bytes.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        hb_buffer_add_utf8(buffer, $0.baseAddress, Int32($0.count), 0, Int32($0.count))
      }
    }
    hb_buffer_set_direction(buffer, HB_DIRECTION_LTR)
    hb_buffer_guess_segment_properties(buffer)
    // Without this, leftover variation selectors and joiners would count as glyphs.
    hb_buffer_set_flags(buffer, HB_BUFFER_FLAG_REMOVE_DEFAULT_IGNORABLES)
    hb_shape(shaper, buffer, nil, 0)
    var (count, positionCount): (UInt32, UInt32) = (0, 0)
    guard
      let infos = hb_buffer_get_glyph_infos(buffer, &count),
      let positions = hb_buffer_get_glyph_positions(buffer, &positionCount)
    else { return [] }
    return (0..<Int(min(count, positionCount))).map {
      Glyph(
        index: infos[$0].codepoint, advance: Int(positions[$0].x_advance),
        offsetX: Int(positions[$0].x_offset), offsetY: Int(positions[$0].y_offset))
    }
  }

  private static func rounded(_ value: Int) -> Int { (value + 32) >> 6 }
  private static func ceiled(_ value: Int) -> Int { (value + 63) >> 6 }

  // MARK: - Bitmaps

  /// FreeType's premultiplied BGRA as straight RGBA.
  private static func picture(of bitmap: FT_Bitmap) -> Picture? {
    let (width, height, pitch) = (Int(bitmap.width), Int(bitmap.rows), Int(bitmap.pitch))
    guard
      UInt32(bitmap.pixel_mode) == UInt32(FT_PIXEL_MODE_BGRA.rawValue), let from = bitmap.buffer,
      width > 0, height > 0, pitch >= width * 4
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: width * height * 4)
    for y in 0..<height {
      for x in 0..<width {
        let pixel = from + y * pitch + x * 4
        let alpha = Int(pixel[3])
        guard alpha > 0 else { continue }
        let offset = (y * width + x) * 4
        for channel in 0..<3 {
          let value = (Int(pixel[2 - channel]) * 255 + alpha / 2) / alpha
          bytes[offset + channel] = UInt8(min(value, 255))
        }
        bytes[offset + 3] = UInt8(alpha)
      }
    }
    return Picture(unchecked: bytes, width: width, height: height, channels: 4)
  }

  private static func draw(
    _ bitmap: FT_Bitmap, color: Color, onto picture: inout Picture, x: Int, y: Int
  ) {
    let (width, height, pitch) = (Int(bitmap.width), Int(bitmap.rows), Int(bitmap.pitch))
    guard
      UInt32(bitmap.pixel_mode) == UInt32(FT_PIXEL_MODE_GRAY.rawValue), let from = bitmap.buffer,
      pitch >= width,
      let columns = Picture.overlap(at: x, size: width, within: picture.width),
      let rows = Picture.overlap(at: y, size: height, within: picture.height)
    else { return }
    let (lineWidth, channels) = (picture.width, picture.channels)
    picture.withBytes { to in
      guard let target = to.baseAddress else { return }
      for row in rows {
        for column in columns {
          let coverage = Int(from[row * pitch + column])
          blend(
            red: Int(color.red), green: Int(color.green), blue: Int(color.blue),
            alpha: divideBy255(coverage * Int(color.alpha)),
            to: target + ((y + row) * lineWidth + x + column) * channels, channels: channels)
        }
      }
    }
  }
}

extension Font {
  /// The colour emoji font of Debian's fonts-noto-color-emoji, nil where it is not installed.
  public static func emoji() -> Font? {
    try? Font(path: "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
  }

  /// An installed sans-serif outline font for labels, nil where none is found in Debian's folders.
  public static func label() -> Font? {
    let folder = "/usr/share/fonts/truetype/"
    let names = [
      "dejavu/DejaVuSans.ttf", "liberation2/LiberationSans-Regular.ttf",
      "liberation/LiberationSans-Regular.ttf", "noto/NotoSans-Regular.ttf",
      "freefont/FreeSans.ttf", "open-sans/OpenSans-Regular.ttf", "lato/Lato-Regular.ttf",
      "roboto/unhinted/RobotoTTF/Roboto-Regular.ttf",
    ]
    return names.lazy.compactMap { try? Font(path: folder + $0) }.first
  }
}
