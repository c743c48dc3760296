import Foundation
import TestSupport
import Testing

@testable import Imaging

private func gray(_ value: Int) -> Color {
  Color(red: UInt8(value), green: UInt8(value), blue: UInt8(value))
}

@Suite struct PaletteTests {
  @Test(
    "Texts name palettes",
    arguments: [
      ("white", (0..<16).map { gray($0 * 17) }),
      ("red\\2", [.black, Color(0xff0000)]),
      ("red->blue\\3", [Color(0xff0000), Color(0x800080), Color(0x0000ff)]),
      (
        "black -> white -> black \\ 5", [gray(0), gray(128), gray(255), gray(128), gray(0)]
      ),
      ("[black, #f80,(255+204+51)]", [.black, Color(0xff8800), Color(0xffcc33)]),
      ("[white]; [ Light Blue ];", [.white, Color(0xadd8e6)]),
      ("[black, white]\\4", [gray(0), gray(85), gray(170), gray(255)]),
      ("[1+0.5+0]\\1", [Color(0xff8000)]),
      ("[[1+1+0], [0+0+1]]", [Color(0xffff00), Color(0x0000ff)]),
      ("[1+0+0]->[0+0+1]\\2", [Color(0xff0000), Color(0x0000ff)]),
      ("(0+0+0)->(255+255+255)\\2", [.black, .white]),
      ("[pixel_green, pixel_orange, pixel_grayscale]", [Color(0x70ff87), Color(0xffcc33), .white]),
      ("[mat:g, mat:RebeccaPurple]", [Color(0x008000), Color(0x663399)]),
      ("#00ff0080\\2", [.black, Color(0x00ff00)]),
      // Names of the xkcd survey, where CSS has none, or with its name before them.
      ("[baby poop, Ugly Green, blue/green]", [Color(0x937c00), Color(0x7a9703), Color(0x0f9b8e)]),
      ("[blue green, bluegreen, babypoop]", [Color(0x137e6d), Color(0x017a79), Color(0x937c00)]),
      ("[green, xkcd:green]", [Color(0x008000), Color(0x15b01a)]),
    ] as [(String, [Color])])
  func parses(text: String, colors: [Color]) throws {
    #expect(try Palette.parse(text) == colors)
  }

  @Test(
    "A mistake is named with its place",
    arguments: [
      ("red->blu\\3", 6), ("", 1), ("red;;blue", 5), ("red\\0", 5), ("red\\", 5), ("red\\99999", 5),
      ("[red, blue", 11), ("[red blue]", 2), ("[]", 2), ("(1+2)", 1), ("(1+2+300)", 1),
      ("[1+2+0]", 1),
      ("red->", 6), ("red]", 4), ("@x.png", 2), ("@", 2), ("white\\4096; red", 13),
      ("mat:octarine", 1),
      ("[red]->blue", 6), ("(nan+1+1)", 1),
    ])
  func mistakes(text: String, place: Int) {
    do {
      _ = try Palette.parse(text)
      Issue.record("'\(text)' was taken")
    } catch ImagingError.badPalette(let named, let character, _) {
      #expect(named == text && character == place)
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test("Any text gives colours or an error of its own")
  func hostile() {
    var random = SplitMix(state: 7)
    let pieces = [
      "[", "]", "(", ")", "+", "->", ";", "\\", ",", "@", "red", "1", "0.5", "#f", " ", "é", "-",
      ">",
    ]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...8, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
      do { _ = try Palette.parse(text) } catch is ImagingError {} catch { Issue.record("\(error)") }
    }
  }

  @Test("Files give all their colours, or as many as asked for; the caller says which file")
  func files() throws {
    try withFolder { folder in
      let colors = [Color(0xff0000), Color(0x00ff00), Color(0x0000ff), Color(0xffff00)]
      var picture = try Picture(width: 8, height: 8, color: .clear)
      for (index, color) in colors.enumerated() {
        picture.fill(x: 0, y: 2 * index, width: 7, height: 2, color: color)
      }
      try picture.write(to: "\(folder)/flag.png")
      var table = [UInt8](repeating: 9, count: 768)
      for (index, color) in colors.enumerated() {
        table.replaceSubrange(
          3 * index..<3 * index + 3, with: [color.red, color.green, color.blue])
      }
      try Data(table).write(to: URL(fileURLWithPath: "\(folder)/long.act"))
      try Data(table + [0, 4, 0xff, 0xff]).write(to: URL(fileURLWithPath: "\(folder)/short.act"))
      try Data(table.prefix(700)).write(to: URL(fileURLWithPath: "\(folder)/broken.act"))
      func parse(_ text: String) throws -> [Color] {
        try Palette.parse(text) { name in
          guard !name.contains("/") else { throw ImagingError.unreadable(path: name, reason: "no") }
          return URL(fileURLWithPath: "\(folder)/\(name)")
        }
      }
      #expect(try parse("@flag.png") == colors)
      #expect(try parse(" @ flag.png ; [white]") == colors + [.white])
      #expect(try parse("@flag.png\\2").count == 2)
      #expect(try parse("@short.act") == colors)
      #expect(try parse("@long.act").count == 256)
      #expect(try parse("@long.act\\3").count == 3)
      for text in ["@broken.act", "@none.png", "@../flag.png"] {
        #expect(throws: ImagingError.self) { try parse(text) }
      }
    }
  }

  @Test("Quantisation finds separate groups of colours, the largest first")
  func quantisation() throws {
    var picture = try Picture(width: 64, height: 64, color: .black)
    let centers = [
      (200, 40, 40, 0..<34), (30, 180, 60, 34..<50), (40, 50, 210, 50..<58),
      (240, 240, 200, 58..<64),
    ]
    for (red, green, blue, rows) in centers {
      for y in rows {
        for x in 0..<64 {
          // Each group is spread evenly by 8 around its centre.
          let (a, b) = ((x * 5 + y * 3) % 17 - 8, (x * 3 + y * 11) % 17 - 8)
          picture[x, y] = Color(
            red: UInt8(red + a), green: UInt8(green + b), blue: UInt8(blue + (a + b) / 2))
        }
      }
    }
    let colors = Palette.colors(of: picture, atMost: 4)
    #expect(colors.count == 4)
    for (color, center) in zip(colors, centers) {
      #expect(abs(Int(color.red) - center.0) <= 2 && abs(Int(color.green) - center.1) <= 2)
      #expect(abs(Int(color.blue) - center.2) <= 2)
    }
    #expect((101...200).contains(Palette.colors(of: picture, atMost: 200).count))
    #expect(Palette.colors(of: picture, atMost: 0).isEmpty)
    #expect(Palette.colors(of: try Picture(width: 2, height: 2, color: .clear), atMost: 5).isEmpty)
  }

  @Test("There are 148 colour names, and the built-in table holds pixray's sixteen")
  func tables() throws {
    #expect(Color.named.count == 148)
    #expect(try Color(parsing: "PapayaWhip") == Color(0xffefd5))
    #expect(Palette.pixelArt.count == 16)
    #expect(Palette.pixelArt[2] == Color(red: 63, green: 40, blue: 50))
    #expect(Palette.pixelArt[15] == Color(red: 116, green: 63, blue: 57))
  }
}
