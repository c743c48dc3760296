extension Perceptor {
  /// A critic by name, as `--clip` gives them: `vit-b32,rn50:0.5`, `pack` being the pack's own.
  struct Choice: Hashable {
    let id: String
    let weight: Double

    /// The pack's own critic alone.
    static let standard = [Choice(id: "pack", weight: 1)]

    /// Reads a list.
    /// - Throws: `RequestError`.
    static func parse(_ text: String) throws(RequestError) -> [Choice] {
      var choices: [Choice] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
        let id = pieces[0].trimmingPrefix { $0 == " " }
        guard pieces.count <= 2, !id.isEmpty else {
          throw .badValue(field: "clip", reason: "must be names of models, as in vit-b32,rn50:0.5")
        }
        guard let weight = pieces.count == 2 ? Double(pieces[1]) : 1, weight.isFinite, weight > 0
        else {
          throw .badValue(
            field: "clip", reason: "has the weight '\(pieces[1])'; it must be above zero")
        }
        guard !choices.contains(where: { $0.id == id }) else {
          throw .badValue(field: "clip", reason: "names '\(id)' twice")
        }
        choices.append(Choice(id: String(id), weight: weight))
      }
      return choices
    }
  }
}
