import Foundation

extension Palette {
  /// The colours that a text names, in pixray's palette syntax.
  ///
  /// ```
  /// red                          16 steps from black to red
  /// navy->orange->white\8        8 steps from navy through orange to white
  /// [black, #f80, (255+204+51)]  these three colours
  /// [black, white]\5             5 steps through the colours of the list
  /// @sunset.png\12               the colours of a picture, at most 12 (255 unless told otherwise)
  /// @windows.act                 the colours of an Adobe colour table
  /// red; [white]                 one after the other
  /// ```
  ///
  /// A colour is a name of CSS in any case and with or without spaces, `mat:` and a name of
  /// matplotlib (those of CSS and the letters `b g r c m y k w`), one of pixray's `pixel_green`,
  /// `pixel_orange`, `pixel_blue`, `pixel_red` and `pixel_grayscale`, a value such as `#ff8800`, a
  /// triple of 0 to 255 in parentheses, or one of 0 to 1 in brackets, such as `[1+0.5+0]`. What is
  /// none of these may be a name of the xkcd colour survey, which pixray looks up first; with `xkcd:`
  /// before it, it is always meant.
  ///
  /// - Parameter files: Gives the file that a name after `@` means, or throws when it may not be
  ///   read; without it no file may.
  ///
  /// Throws `ImagingError.badPalette` with the place in the text, or what `files` and reading throw.
  public static func parse(
    _ text: String, files: ((String) throws -> URL)? = nil
  ) throws -> [Color] {
    var parser = PaletteParser(text: text, files: files)
    return try parser.palette()
  }
}

private struct PaletteParser {
  static let steps = 16
  static let fileColors = 255
  static let limit = 4096

  let text: String
  let characters: [Character]
  let files: ((String) throws -> URL)?
  var index = 0

  init(text: String, files: ((String) throws -> URL)?) {
    self.text = text
    characters = Array(text)
    self.files = files
  }

  func bad(_ reason: String, at place: Int? = nil) -> ImagingError {
    .badPalette(text, character: (place ?? index) + 1, reason: reason)
  }

  var next: Character? { index < characters.count ? characters[index] : nil }

  mutating func skipSpaces() {
    while next?.isWhitespace == true { index += 1 }
  }

  /// Takes a mark and the spaces around it, if it comes next.
  mutating func take(_ mark: String) -> Bool {
    skipSpaces()
    guard characters[index...].starts(with: mark) else { return false }
    index += mark.count
    skipSpaces()
    return true
  }

  mutating func palette() throws -> [Color] {
    var colors: [Color] = []
    repeat {
      skipSpaces()
      // A `;` at the end is no section.
      if next == nil, !colors.isEmpty { break }
      let start = index
      colors += try section()
      guard colors.count <= Self.limit else {
        throw bad("more than \(Self.limit) colours", at: start)
      }
    } while take(";")
    guard next == nil else { throw bad("'\(characters[index])' where ';' or the end should be") }
    return colors
  }

  mutating func section() throws -> [Color] {
    if take("@") { return try file() }
    if next == "[", triple(in: ("[", "]")) == nil { return try list() }
    var colors = [try color()]
    while take("->") { colors.append(try color()) }
    if colors.count == 1 { colors.insert(.black, at: 0) }
    return Palette.ramp(colors, steps: try count() ?? Self.steps)
  }

  mutating func list() throws -> [Color] {
    _ = take("[")
    var colors: [Color] = []
    repeat { colors.append(try color()) } while take(",")
    guard take("]") else { throw bad("the list needs ',' or ']' here") }
    guard let steps = try count() else { return colors }
    return Palette.ramp(colors, steps: steps)
  }

  mutating func file() throws -> [Color] {
    let start = index
    while let character = next, character != ";", character != "\\" { index += 1 }
    let name = String(characters[start..<index]).trimmingCharacters(in: .whitespaces)
    guard !name.isEmpty else { throw bad("a file name should follow '@'", at: start) }
    guard let files else { throw bad("files may not be read here", at: start) }
    let given = try count()
    let path = try files(name).path
    if path.lowercased().hasSuffix(".act") {
      let atMost = given ?? 256
      let table = try Palette.adobeTable(FileInput.read(path, limit: 4096), name: name)
      guard table.count > atMost else { return table }
      let line = try Picture(
        width: table.count, height: 1, channels: 3,
        bytes: table.flatMap { [$0.red, $0.green, $0.blue] })
      return Palette.colors(of: line, atMost: atMost)
    }
    let colors = Palette.colors(
      of: try Picture.read(from: path), atMost: given ?? Self.fileColors)
    guard !colors.isEmpty else { throw bad("'\(name)' has no opaque pixels", at: start) }
    return colors
  }

  /// A `\` and a number, if they come next.
  mutating func count() throws -> Int? {
    guard take("\\") else { return nil }
    let start = index
    while let character = next, character.isASCII, character.isNumber { index += 1 }
    guard let value = Int(String(characters[start..<index])), (1...Self.limit).contains(value)
    else { throw bad("a number from 1 to \(Self.limit) should follow '\\'", at: start) }
    return value
  }

  // MARK: - Colours

  mutating func color() throws -> Color {
    skipSpaces()
    let start = index
    for (marks, top) in [(("(", ")"), 255.0), (("[", "]"), 1.0)]
      as [((Character, Character), Double)]
    where next == marks.0 {
      guard let (values, end) = triple(in: marks) else {
        throw bad("three numbers with '+' between should stand within \(marks.0)\(marks.1)")
      }
      guard values.allSatisfy({ (0...top).contains($0) }) else {
        throw bad("the numbers within \(marks.0)\(marks.1) go from 0 to \(Int(top))", at: start)
      }
      index = end
      return Self.color(values.map { $0 / top })
    }
    while let character = next, !";,\\[]()".contains(character), !startsArrow { index += 1 }
    let name = String(characters[start..<index]).trimmingCharacters(in: .whitespaces)
    guard !name.isEmpty else { throw bad("a colour should stand here", at: start) }
    let key = name.lowercased().filter { $0 != " " }
    if let values = Self.pixels[key] { return Self.color(values) }
    if key.hasPrefix("mat:"), let values = Self.letters[String(key.dropFirst(4))] {
      return Self.color(values)
    }
    let plain = key.hasPrefix("mat:") ? String(key.dropFirst(4)) : key
    let isSurveyed = key.hasPrefix("xkcd:")
    let surveyed = SurveyedColors.color(
      named: isSurveyed ? String(name.dropFirst(5)).trimmingCharacters(in: .whitespaces) : name)
    guard var color = isSurveyed ? surveyed : (try? Color(parsing: plain)) ?? surveyed else {
      throw bad("'\(name)' is no colour; use a name such as 'orange' or '#ff8800'", at: start)
    }
    color.alpha = 255
    return color
  }

  private var startsArrow: Bool { characters[index...].starts(with: "->") }

  /// The numbers of a triple within these marks, and where it ends, if one comes next.
  private func triple(in marks: (Character, Character)) -> (values: [Double], end: Int)? {
    guard next == marks.0, let end = characters[index...].firstIndex(of: marks.1) else {
      return nil
    }
    let parts = characters[(index + 1)..<end].split(
      separator: "+", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double(String($0).trimmingCharacters(in: .whitespaces)) }
    return parts.count == 3 && values.count == 3 ? (values, end + 1) : nil
  }

  private static func color(_ values: [Double]) -> Color {
    let bytes = values.map { UInt8(($0 * 255).rounded()) }
    return Color(red: bytes[0], green: bytes[1], blue: bytes[2])
  }

  private static let pixels: [String: [Double]] = [
    "pixel_green": [0.44, 1, 0.53], "pixel_orange": [1, 0.8, 0.2], "pixel_blue": [0.44, 0.53, 1],
    "pixel_red": [1, 0.53, 0.44], "pixel_grayscale": [1, 1, 1],
  ]

  private static let letters: [String: [Double]] = [
    "b": [0, 0, 1], "g": [0, 0.5, 0], "r": [1, 0, 0], "c": [0, 0.75, 0.75], "m": [0.75, 0, 0.75],
    "y": [0.75, 0.75, 0], "k": [0, 0, 0], "w": [1, 1, 1],
  ]
}
