import Foundation

/// A text that the picture should fit, how strongly, and when it is near enough.
///
/// Written `text:weight:stop`, several separated by `|`. As in pixray, numbers are peeled off the
/// right end while they parse, at most two, so that a colon inside the text stays in it.
public struct Prompt: Sendable, Hashable, Codable {
  /// What is wanted, trimmed.
  public var text: String
  /// How strongly; negative pushes away.
  public var weight: Double
  /// Distance (signed as the weight) below which a view is no longer pulled; minus infinity: never.
  public var stop: Double

  /// Longest prompt that is read, in characters.
  public static let longest = 4_096
  /// Most texts in one prompt.
  public static let most = 64

  /// - Parameters:
  ///   - text: what is wanted.
  ///   - weight: how strongly.
  ///   - stop: the distance that is near enough.
  public init(_ text: String, weight: Double = 1, stop: Double = -.infinity) {
    self.text = text
    self.weight = weight
    self.stop = stop
  }

  /// Reads all texts of a prompt. Empty parts between bars are left out.
  /// - Throws: `RequestError.emptyPrompt`, or `badPrompt` when it is too long or has a part with
  ///   numbers but no text.
  public static func parse(_ prompt: String) throws(RequestError) -> [Prompt] {
    // Bytes first: counting the characters of a huge text is slow.
    guard prompt.utf8.count <= 4 * 8 * longest, prompt.count <= longest else {
      throw .badPrompt("it is longer than \(longest) characters")
    }
    guard !prompt.unicodeScalars.contains("\0") else {
      throw .badPrompt("it contains a NUL character")
    }
    var prompts: [Prompt] = []
    for part in prompt.split(separator: "|") {
      let trimmed = part.trimmingCharacters(in: .whitespacesAndNewlines)
      if !trimmed.isEmpty { prompts.append(try one(trimmed)) }
    }
    guard !prompts.isEmpty else { throw .emptyPrompt }
    guard prompts.count <= most else { throw .badPrompt("it has more than \(most) parts") }
    guard prompts.contains(where: { $0.weight != 0 }) else {
      throw .badPrompt("all its weights are zero")
    }
    return prompts
  }

  private static func one(_ part: String) throws(RequestError) -> Prompt {
    var pieces = part.split(separator: ":", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    var numbers: [Double] = []
    var text = part[...]
    while numbers.count < 2, pieces.count > 1, let number = number(pieces[pieces.count - 1]) {
      numbers.insert(number, at: 0)
      pieces.removeLast()
      text = text[..<(text.lastIndex(of: ":") ?? text.startIndex)]
    }
    let words = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !words.isEmpty else {
      throw .badPrompt("'\(part.prefix(40))' has numbers but no text before them")
    }
    let weight = numbers.first ?? 1
    guard abs(weight) <= 1_000 else {
      throw .badPrompt("the weight of '\(words.prefix(40))' is beyond ±1000")
    }
    return Prompt(words, weight: weight, stop: numbers.count > 1 ? numbers[1] : -.infinity)
  }

  /// A plain decimal number; not `nan`, `inf` or hexadecimal, which are words to a painter.
  private static func number(_ text: String) -> Double? {
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }),
      let value = Double(text), value.isFinite
    else { return nil }
    return value
  }
}
