import Foundation
import Imaging
import Testing
import Torch

@Suite struct PictureTests {
  @Test(
    "Sizes that make no picture throw",
    arguments: [
      (0, 1, 3, 0), (1, 0, 3, 0), (-1, -1, 3, 3), (2, 2, 1, 4), (2, 2, 5, 20), (2, 2, 3, 11),
      (Int.max, 2, 3, 6), (Int.max, Int.max, 4, 4),
    ])
  func badSizes(width: Int, height: Int, channels: Int, count: Int) {
    #expect(throws: ImagingError.self) {
      try Picture(
        width: width, height: height, channels: channels, bytes: [UInt8](repeating: 0, count: count)
      )
    }
  }

  @Test("a part is replaced where it lies, and nowhere outside")
  func replaced() throws {
    let ground = try Picture(width: 4, height: 3, color: Color(0x101010))
    let part = try Picture(width: 2, height: 1, color: Color(0xff0000))
    let whole = try ground.replacing(part, x: 2, y: 2)
    #expect(try whole.cropped(x: 2, y: 2, width: 2, height: 1) == part)
    #expect(
      try whole.cropped(x: 0, y: 0, width: 4, height: 2)
        == ground.cropped(x: 0, y: 0, width: 4, height: 2))
    for (x, y) in [(3, 0), (0, 3), (-1, 0), (Int.max, 0), (0, Int.min)] {
      #expect(throws: ImagingError.self) { try ground.replacing(part, x: x, y: y) }
    }
    #expect(throws: ImagingError.self) { try part.replacing(ground, x: 0, y: 0) }
  }

  @Test(
    "Colours are read from names and hexadecimal values",
    arguments: [
      ("Orange", Color(0xffa500)), ("#f80", Color(0xff8800)), ("336699", Color(0x336699)),
      ("#33669980", Color(red: 0x33, green: 0x66, blue: 0x99, alpha: 0x80)),
      ("#0008", Color(red: 0, green: 0, blue: 0, alpha: 0x88)), ("grey", Color(0x808080)),
    ])
  func colors(text: String, color: Color) throws {
    #expect(try Color(parsing: text) == color)
    #expect(try Color(parsing: color.description) == color)
  }

  @Test("Other texts are no colours", arguments: ["", "#", "#12", "#12345", "octarine", "#ggg"])
  func noColors(text: String) {
    #expect(throws: ImagingError.badColor(text)) { try Color(parsing: text) }
  }

  @Test("Compositing weighs by alpha")
  func composites() throws {
    let half = Color(red: 255, green: 0, blue: 0, alpha: 128)
    let picture = try Picture(width: 2, height: 2, color: half)
    #expect(picture.composited(over: .white)[1, 1] == Color(red: 255, green: 127, blue: 127))
    #expect(picture.composited(over: .black)[0, 0] == Color(red: 128, green: 0, blue: 0))
    var clear = try Picture(width: 2, height: 2, color: .clear)
    clear.draw(picture, x: 1, y: 0)
    #expect(clear[0, 0] == .clear && clear[1, 0] == half)
    clear.draw(picture, x: 1, y: 0)
    #expect(clear[1, 0] == Color(red: 255, green: 0, blue: 0, alpha: 192))
  }

  @Test("Drawing beyond the edges is clipped")
  func clips() throws {
    let stamp = try Picture(width: 3, height: 3, color: .black)
    for (x, y, count) in [
      (-2, -2, 1), (3, 3, 1), (-3, 0, 0), (4, 0, 0), (1, 1, 9), (Int.max, 0, 0), (Int.min, 0, 0),
    ] {
      var picture = try Picture(width: 4, height: 4, color: .white)
      picture.draw(stamp, x: x, y: y)
      #expect(picture.bytes.count { $0 == 0 } == count * 3, "at \(x), \(y)")
    }
    var small = try Picture(width: 2, height: 2, color: .white)
    small.draw(stamp, x: -1, y: -1)
    #expect(small.bytes.allSatisfy { $0 == 0 })
  }

  @Test("Resampling agrees with Pillow", arguments: Self.resamplings())
  func resamples(resampled: Fixture.Resampled) throws {
    let fixture = try Fixture.load(Fixture.Resampling.self, "resampling")
    let source = try Picture(
      width: fixture.width, height: fixture.height, channels: resampled.channels,
      bytes: Array(resampled.channels == 4 ? fixture.rgba : fixture.rgb))
    let filter = try #require(ResamplingFilter(rawValue: resampled.filter))
    let result = try source.resized(
      width: resampled.width, height: resampled.height, filter: filter)
    if result.channels == 3 || filter == .nearest {
      #expect(try #require(largestDifference(result.bytes, resampled.bytes)) <= 1)
      return
    }
    // The colour of nearly clear pixels is lost to rounding; what counts is colour times alpha.
    let expected = try Picture(
      width: resampled.width, height: resampled.height, channels: 4, bytes: Array(resampled.bytes))
    for ground in [Color.white, .black] {
      let (a, b) = (result.composited(over: ground), expected.composited(over: ground))
      #expect(try #require(largestDifference(a.bytes, b.bytes)) <= 2)
    }
  }

  static func resamplings() -> [Fixture.Resampled] {
    (try? Fixture.load(Fixture.Resampling.self, "resampling").cases) ?? []
  }

  @Test("Clear pixels lend no colour to their neighbours")
  func premultiplies() throws {
    var picture = try Picture(
      width: 8, height: 8, color: Color(red: 255, green: 0, blue: 0, alpha: 0))
    for y in 0..<8 { for x in 0..<4 { picture[x, y] = Color(0x0000ff) } }
    let small = try picture.resized(width: 3, height: 3)
    #expect(small[1, 1].red == 0 && small[1, 1].blue == 255 && small[1, 1].alpha > 100)
  }

  @Test("Filling cuts to the aspect, fitting pads to it")
  func aspects() throws {
    let wide = try gradient(40, 10, channels: 3)
    let filled = try wide.filled(width: 20, height: 20)
    #expect(filled.width == 20 && filled.height == 20)
    #expect(abs(Int(filled[10, 10].red) - 128) < 12 && filled[0, 10].red > 80)
    let fitted = try wide.fitted(width: 20, height: 20, ground: .black)
    #expect(fitted[10, 0] == .black && fitted[10, 19] == .black)
    #expect(fitted[1, 10].blue == 128 && fitted[18, 10].blue == 128)
  }

  @Test("A picture survives the way through a tensor, and transparency lies on white")
  func tensors() throws {
    let picture = try gradient(7, 5, channels: 3)
    let tensor = picture.tensor()
    #expect(tensor.shape == [1, 3, 5, 7])
    #expect(try Picture(tensor) == picture)
    #expect(try Picture(tensor.reshaped([3, 5, 7])) == picture)
    let clear = try Picture(width: 2, height: 2, color: .clear).tensor()
    #expect(clear.floats().allSatisfy { $0 == 1 })
  }

  @Test("Values beyond 0 to 1 are limited and the rest rounded to the nearest level")
  func levels() throws {
    let values: [Float] = [-1, 0.5, 2, .nan, .infinity, 0.3 / 255, 0.7 / 255, 1, 0, 0, 0, 0]
    let picture = try Picture(Tensor(values, [3, 2, 2]))
    #expect(picture.bytes == [0, 255, 0, 128, 0, 0, 255, 1, 0, 0, 255, 0])
    #expect(throws: ImagingError.self) { try Picture(Tensor(values, [2, 6, 1])) }
    #expect(throws: ImagingError.self) { try Picture(Tensor(values, [12])) }
  }

  @Test("A contact sheet has room for every cell and its caption")
  func sheet() throws {
    let red = try Picture(width: 4, height: 4, color: Color(0xff0000))
    let cells = (0..<5).map {
      ContactSheet.Cell(red, caption: "a rather long caption number \($0) that must be cut short")
    }
    let plain = try ContactSheet(cells, columns: 2, cellSize: 32, gap: 4).render(font: nil)
    #expect(plain.width == 76 && plain.height == 112)
    #expect(plain[4, 4] == Color(0xff0000) && plain[0, 0] == .white && plain[60, 100] == .white)
    if let font = Font.label() {
      let captioned = try ContactSheet(cells, columns: 2, cellSize: 64, gap: 4).render(font: font)
      #expect(captioned.height > 3 * 64 + 16 && captioned.width == 140)
    }
    #expect(throws: ImagingError.self) { try ContactSheet([]).render() }
  }

  @Test(
    "Labels have a line above the columns and room left of the rows",
    .enabled(if: Font.label() != nil))
  func labelledSheet() throws {
    let font = try #require(Font.label())
    let red = try Picture(width: 4, height: 4, color: Color(0xff0000))
    let cells = (0..<6).map { _ in ContactSheet.Cell(red) }
    let sheet = try ContactSheet(
      cells, columns: 3, columnLabels: ["0.1", "0.2", "0.3"],
      rowLabels: ["adam", "a very long name"],
      cellSize: 32, gap: 4
    ).render(font: font)
    let line = font.lineHeight(size: 11)
    #expect(sheet.height == 2 * 36 + 4 + line)
    let left = sheet.width - 3 * 36 - 4
    // A cell's width would be too little for a word.
    #expect(left > 36 && left <= 10 * 11 + 4)
    #expect(sheet[left + 4, line + 4] == Color(0xff0000) && sheet[left + 3, line + 4] == .white)
    func dark(_ columns: Range<Int>, _ rows: Range<Int>) -> Int {
      rows.reduce(0) { sum, y in
        sum + columns.count { x in sheet[x, y].green < 128 && sheet[x, y].red < 128 }
      }
    }
    // Every label has ink, the corner between them none.
    for column in 0..<3 {
      #expect(dark(left + 4 + 36 * column..<left + 36 + 36 * column, 0..<line + 4) > 5)
    }
    for row in 0..<2 { #expect(dark(0..<left + 4, line + 4 + 36 * row..<line + 36 + 36 * row) > 5) }
    #expect(dark(0..<left, 0..<line) == 0)
  }
}
