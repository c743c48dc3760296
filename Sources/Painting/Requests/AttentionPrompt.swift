import Foundation

/// A prompt in AUTOMATIC1111's language, in the words that methods read whole: `(word:1.2)` and `[word]` are
/// the word, of `[a|b]` and `[a:b:0.5]` one is taken, extra networks go. What is lost by that is said.
package struct AttentionPrompt {
  /// The words.
  package let text: String
  /// What of the prompt is not as it was meant, in sentences.
  package let notes: [String]

  private struct Group {
    let bracket: Character?
    var text = ""
  }

  /// - Parameter prompt: as the client sent it.
  package init(_ prompt: String) {
    var weights: [(words: String, weight: Double)] = []
    var notes: [String] = []
    // Brackets that are open, as a list: a text of nothing but brackets must not go down by recursion.
    var open = [Group(bracket: nil)]
    func close(_ words: String, _ weight: Double) {
      open.removeLast()
      open[open.count - 1].text += words
      if !words.isEmpty, weight != 1 { weights.append((words, weight)) }
    }
    var rest = prompt[...]
    while let character = rest.popFirst() {
      let bracket = open[open.count - 1].bracket
      switch character {
      case "\\":
        if let next = rest.first, "()[]\\".contains(next) {
          open[open.count - 1].text.append(next)
          rest.removeFirst()
        } else {
          open[open.count - 1].text.append(character)
        }
      case "(", "[": open.append(Group(bracket: character))
      case ")" where bracket == "(":
        let (words, weight) = Self.weighted(open[open.count - 1].text)
        close(words, weight ?? Self.step)
      case "]" where bracket == "[":
        let text = open[open.count - 1].text
        if let one = Self.chosen(of: text) {
          notes.append("Of [\(text.prefix(80))] only '\(one)' is painted.")
          close(one, 1)
        } else {
          close(text, 1 / Self.step)
        }
      default: open[open.count - 1].text.append(character)
      }
    }
    while open.count > 1 {
      let top = open[open.count - 1]
      close(top.text, top.bracket == "(" ? Self.step : 1 / Self.step)
    }
    var text = open[0].text
    for match in text.matches(of: /<(?:lora|lyco|hypernet):[^<>]*>/).reversed() {
      notes.append("\(match.output) names a network that is not here.")
      text.removeSubrange(match.range)
    }
    // Where one chunk of the text tower's tokens ends: these read but one.
    let chunks = text.split(separator: /\bBREAK\b/)
    if chunks.count > 1 { text = chunks.map { String($0).trimmed }.joined(separator: ", ") }
    if !weights.isEmpty {
      let told = weights.prefix(8).map {
        "'\($0.words.prefix(40))' \(($0.weight * 100).rounded() / 100)"
      }
      notes.append(
        "Words have no weights here, only whole prompts; read without: \(told.joined(separator: ", "))."
      )
    }
    self.text = text
    self.notes = notes
  }

  /// What a bracket without a number does.
  private static let step = 1.1

  /// `words:1.2` as it stands in round brackets.
  private static func weighted(_ text: String) -> (String, Double?) {
    guard let colon = text.lastIndex(of: ":"),
      let number = number(text[text.index(after: colon)...])
    else { return (text, nil) }
    return (String(text[..<colon]), number)
  }

  /// The part that is painted of `a|b`, which alternate, and of `a:b:0.5`, where the one gives way to the
  /// other; nil where square brackets hold neither.
  private static func chosen(of text: String) -> String? {
    if text.contains("|") {
      return text.split(separator: "|").first.map { String($0) } ?? ""
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), number(parts[parts.count - 1]) != nil else { return nil }
    if parts.count == 3, parts[1].isEmpty { return String(parts[0]) }
    return String(parts[parts.count - 2])
  }

  private static func number(_ text: Substring) -> Double? {
    let digits = text.trimmingCharacters(in: .whitespaces)
    guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.".contains($0)) }) else {
      return nil
    }
    return Double(digits)
  }
}
