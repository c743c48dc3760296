/// What a preset lays around a prompt: `{} in watercolour | photograph:-0.2`.
///
/// The part with `{}` becomes each text of each scene that is wanted, with its own weight kept; the
/// other parts are added to every scene.
struct PromptTemplate {
  private let before: String
  private let after: String
  private let beside: [String]

  /// - Throws: `RequestError.badValue` unless exactly one part has `{}`, once.
  init(_ text: String) throws(RequestError) {
    let parts = text.split(separator: "|").map { String($0).trimmed }.filter { !$0.isEmpty }
    let marked = parts.filter { $0.contains("{}") }
    let halves = marked.first?.split(
      separator: "{}", omittingEmptySubsequences: false
    ).map(String.init)
    guard marked.count == 1, let halves, halves.count == 2, !text.contains("^") else {
      throw .badValue(
        field: "prompt", reason: "must have one {} for the text, as in \"{} | pixel art\"")
    }
    (before, after) = (halves[0], halves[1])
    beside = parts.filter { !$0.contains("{}") }
    for part in beside { _ = try Prompt.peel(part) }
  }

  /// The prompt with all this around it; one without texts is left alone.
  func callAsFunction(_ prompt: String) throws(RequestError) -> String {
    var scenes: [String] = []
    for scene in prompt.split(separator: "^") {
      var parts: [String] = []
      for part in scene.split(separator: "|").map({ String($0).trimmed }) where !part.isEmpty {
        let (words, weight, _) = try Prompt.peel(part)
        parts.append(weight > 0 ? before + words + after + part.dropFirst(words.count) : part)
      }
      if !parts.isEmpty { scenes.append((parts + beside).joined(separator: " | ")) }
    }
    return scenes.isEmpty ? prompt : scenes.joined(separator: " ^ ")
  }
}
