import Foundation
import Imaging
import Testing

/// Noto Color Emoji of Debian's fonts-noto-color-emoji, where it is installed.
private let emoji = Font.emoji()
private let label = Font.label()

@Suite struct FontTests {
  @Test(
    "An emoji sequence becomes one colour bitmap", .enabled(if: emoji != nil),
    arguments: [
      "\u{1F433}", "\u{2764}\u{FE0F}", "\u{2764}", "\u{1F468}\u{200D}\u{1F373}",
      "\u{1F3F3}\u{FE0F}\u{200D}\u{1F308}", "\u{1F1EB}\u{1F1F7}", "1\u{FE0F}\u{20E3}",
      "\u{1F44D}\u{1F3FD}",
    ])
  func oneGlyph(text: String) throws {
    let picture = try #require(emoji?.colorGlyph(for: text))
    #expect(picture.width == 136 && picture.height == 128 && picture.channels == 4)
    let alphas = stride(from: 3, to: picture.bytes.count, by: 4).map { picture.bytes[$0] }
    #expect(alphas.contains(0) && alphas.contains(255))
  }

  @Test(
    "Text that is not one colour glyph gives none", .enabled(if: emoji != nil),
    arguments: ["", "A", "\u{1F433}\u{1F433}", "\u{1F433}\u{200D}\u{1F355}", "\u{E000}"])
  func noGlyph(text: String) {
    #expect(emoji?.colorGlyph(for: text) == nil)
  }

  @Test("The whale is blue and its corner is clear", .enabled(if: emoji != nil))
  func whale() throws {
    let picture = try #require(emoji?.colorGlyph(for: "\u{1F433}"))
    #expect(picture[0, 0].alpha == 0)
    var (red, blue) = (0, 0)
    for y in 0..<picture.height {
      for x in 0..<picture.width where picture[x, y].alpha == 255 {
        red += Int(picture[x, y].red)
        blue += Int(picture[x, y].blue)
      }
    }
    #expect(blue > red * 3 / 2)
  }

  @Test("A label darkens pixels within its box only", .enabled(if: label != nil))
  func drawsLabel() throws {
    let font = try #require(label)
    var picture = try Picture(width: 120, height: 40, color: .white)
    let width = font.draw("Whale", size: 20, color: .black, onto: &picture, x: 10, y: 5)
    #expect(width == font.width(of: "Whale", size: 20) && width > 30 && width < 100)
    let height = font.lineHeight(size: 20)
    var dark = 0
    for y in 0..<40 {
      for x in 0..<120 where picture[x, y] != .white {
        #expect(x >= 9 && x < 12 + width && y >= 5 && y < 5 + height)
        if picture[x, y].red < 64 { dark += 1 }
      }
    }
    #expect(dark > 50)
  }

  @Test("A label may hang over every edge", .enabled(if: label != nil))
  func clipsLabel() throws {
    var picture = try Picture(width: 8, height: 8, color: .clear)
    for (x, y) in [(-30, -5), (5, 5), (-1000, 0), (0, 1000)] {
      label?.draw("Whale", size: 16, color: .black, onto: &picture, x: x, y: y)
    }
    #expect(picture.width == 8)
  }

  @Test("A file that is no font gives an error that names it")
  func noFont() throws {
    #expect(throws: ImagingError.badFont(path: "/nowhere.ttf", reason: "there is no such file")) {
      try Font(path: "/nowhere.ttf")
    }
  }
}
