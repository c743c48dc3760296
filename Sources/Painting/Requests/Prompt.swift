import Foundation

/// One thing that the picture should fit, how strongly, and when it is near enough.
public struct Prompt: Sendable, Hashable {
  /// What is wanted.
  public indirect enum Target: Sendable, Hashable {
    /// What a text says.
    case text(String)
    /// The thing of this name: the mean of a text in several templates, as in pixray.
    case label(String)
    /// What a picture shows.
    case image(FileReference)
    /// An embedding from a file: safetensors, or JSON that names perceptors.
    case embedding(FileReference)
    /// A random embedding of this seed, for variety.
    case noise(Int)
    /// The mean of several, as BigSleep and DeepDaze take a text and a picture together.
    case average([Target])
  }

  /// Which part of the picture is judged, where a mask parts it.
  public enum Region: String, Sendable, Hashable, CaseIterable {
    case everywhere, inside, outside
  }

  /// What is wanted.
  public var target: Target
  /// How strongly; negative pushes away.
  public var weight: Double
  /// Distance (signed as the weight) below which a view is no longer pulled; minus infinity: never.
  public var stop: Double
  /// Which part of the picture is judged.
  public var region: Region
  /// The scene, counted from 0; nil for all.
  public var scene: Int?

  /// Longest prompt that is read, in characters.
  public static let longest = 4_096
  /// Most prompts in one scene.
  public static let most = 64

  /// A prompt; see the fields.
  public init(
    _ target: Target, weight: Double = 1, stop: Double = -.infinity, region: Region = .everywhere,
    scene: Int? = nil
  ) {
    self.target = target
    self.weight = weight
    self.stop = stop
    self.region = region
    self.scene = scene
  }

  /// A text.
  public init(_ text: String, weight: Double = 1, stop: Double = -.infinity) {
    self.init(.text(text), weight: weight, stop: stop)
  }

  /// The text, if it is one.
  public var text: String? { if case .text(let text) = target { text } else { nil } }

  /// All files that it names.
  var references: [FileReference] { target.references }
}

extension Prompt.Target {
  /// All files that it names.
  var references: [FileReference] {
    switch self {
    case .text, .label, .noise: []
    case .image(let file), .embedding(let file): [file]
    case .average(let targets): targets.flatMap(\.references)
    }
  }
}

// MARK: - As typed

extension Prompt {
  /// Reads the scenes of a prompt: they are separated by `^` and empty ones left out.
  /// - Throws: as `parse`.
  public static func scenes(_ prompt: String) throws(RequestError) -> [[Prompt]] {
    try check(prompt)
    var scenes: [[Prompt]] = []
    for part in prompt.split(separator: "^")
    where part.unicodeScalars.contains(where: { !$0.properties.isWhitespace && $0 != "|" }) {
      scenes.append(try parse(String(part)))
    }
    guard scenes.count <= 1_000 else { throw .badPrompt("it has more than 1000 scenes") }
    guard !scenes.isEmpty else { throw .emptyPrompt }
    return scenes
  }

  /// Reads the texts of one scene, written `text:weight:stop` and separated by `|`; empty ones are left
  /// out. As in pixray, numbers are peeled off the right end while they parse, at most two, so that a
  /// colon inside the text stays in it.
  /// - Throws: `RequestError.emptyPrompt`, or `badPrompt` when it is too long or has a part with
  ///   numbers but no text.
  public static func parse(_ prompt: String) throws(RequestError) -> [Prompt] {
    try check(prompt)
    var prompts: [Prompt] = []
    for part in prompt.split(separator: "|") {
      let part = String(part).trimmed
      if part.isEmpty { continue }
      let (text, weight, stop) = try peel(part)
      prompts.append(Prompt(text, weight: weight, stop: stop))
    }
    guard !prompts.isEmpty else { throw .emptyPrompt }
    guard prompts.count <= most else { throw .badPrompt("it has more than \(most) parts") }
    guard prompts.contains(where: { $0.weight != 0 }) else {
      throw .badPrompt("all its weights are zero")
    }
    return prompts
  }

  private static func check(_ prompt: String) throws(RequestError) {
    // Bytes first: counting the characters of a huge text is slow.
    guard prompt.utf8.count <= 4 * 8 * longest, prompt.count <= longest else {
      throw .badPrompt("it is longer than \(longest) characters")
    }
    guard !prompt.unicodeScalars.contains("\0") else {
      throw .badPrompt("it contains a NUL character")
    }
  }

  /// Parts `text:weight:stop`: what is wanted may be a file's name as well.
  public static func peel(_ part: String) throws(RequestError) -> (
    text: String, weight: Double, stop: Double
  ) {
    var pieces = part.split(separator: ":", omittingEmptySubsequences: false).map {
      String($0).trimmed
    }
    var numbers: [Double] = []
    var text = part[...]
    while numbers.count < 2, pieces.count > 1, let number = number(pieces[pieces.count - 1]),
      !isPort(pieces[pieces.count - 1], behind: pieces[pieces.count - 2])
    {
      numbers.insert(number, at: 0)
      pieces.removeLast()
      text = text[..<(text.lastIndex(of: ":") ?? text.startIndex)]
    }
    let words = String(text).trimmed
    guard !words.isEmpty else {
      throw .badPrompt("'\(part.prefix(40))' has numbers but no text before them")
    }
    let weight = numbers.first ?? 1
    guard abs(weight) <= 1_000 else {
      throw .badPrompt("the weight of '\(words.prefix(40))' is beyond ±1000")
    }
    return (words, weight, numbers.count > 1 ? numbers[1] : -.infinity)
  }

  /// Whether a number belongs to the address before it: `https://example.org:8080`.
  private static func isPort(_ number: String, behind text: String) -> Bool {
    guard number.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return false
    }
    return text.hasPrefix("//") && !text.dropFirst(2).contains { $0 == "/" || $0.isWhitespace }
  }

  /// What of a prompt may have been meant otherwise: numbers of clocks and proportions, which are read as
  /// weights.
  static func remarks(on prompt: String) -> [Remark] {
    prompt.split { $0 == "|" || $0 == "^" }.compactMap { part in
      let part = String(part).trimmed
      guard let (text, weight, stop) = try? peel(part), text != part,
        text.last?.isNumber == true, part.dropFirst(text.count + 1).first?.isNumber == true
      else { return nil }
      let found = "weight \(shown(weight))" + (stop.isFinite ? " and stop \(shown(stop))" : "")
      return Remark(
        "prompt",
        "'\(part.prefix(60))' is read as '\(text.prefix(60))' with \(found). Numbers behind a colon at the "
          + "end stay in the text when a word follows them.")
    }
  }

  /// Whether a text would be read as a weight.
  static func isNumber(_ text: String) -> Bool { number(text) != nil }

  /// A plain decimal number; not `nan`, `inf` or hexadecimal, which are words to a painter.
  private static func number(_ text: String) -> Double? {
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }),
      let value = Double(text), value.isFinite
    else { return nil }
    return value
  }
}
