import Foundation

/// What AUTOMATIC1111's tools write of a picture: the prompt, a line of `Negative prompt:`, and a line of
/// `Steps: 20, Sampler: Euler a, Seed: 42, Size: 512x512`.
struct Infotext {
  /// The prompt.
  private(set) var prompt = ""
  /// The negative prompt; empty where there is none.
  private(set) var negativePrompt = ""
  /// Names and values, in their order; the first counts where a name stands twice.
  private(set) var settings: [(name: String, value: String)] = []

  /// - Parameter text: lines end in LF, CR LF or CR; what stands below the line of settings is not read.
  init(_ text: String) {
    let unix = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    var lines = unix.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    // A line of the prompt may look like settings, too: the last that does is the one.
    let read = lines.map(Self.pairs)
    let at =
      read.lastIndex { pairs in pairs.contains { $0.name == "Steps" } }
      ?? read.lastIndex { $0.count >= 3 }
    if let at {
      settings = read[at]
      lines.removeSubrange(at...)
    }
    var isNegative = false
    var (wish, away) = ([String](), [String]())
    for line in lines {
      var line = line.trimmingCharacters(in: .whitespaces)
      if !isNegative, line.hasPrefix("Negative prompt:") {
        isNegative = true
        line = line.dropFirst("Negative prompt:".count).trimmingCharacters(in: .whitespaces)
      }
      if isNegative { away.append(line) } else { wish.append(line) }
    }
    prompt = wish.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
    negativePrompt = away.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The sides in `Size: 512x768`.
  var size: (width: Int, height: Int)? {
    let sides = self["Size"]?.split(separator: "x").map { Int($0) } ?? []
    guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
    return (width, height)
  }

  /// The first value of a name.
  subscript(name: String) -> String? { settings.first { $0.name == name }?.value }

  /// A line of `name: value, name: "a value, with commas"`; empty for one that is none.
  private static func pairs(_ line: String) -> [(name: String, value: String)] {
    var (pairs, piece) = ([(name: String, value: String)](), "")
    var (isQuoted, isEscaped) = (false, false)
    func end() {
      let halves = piece.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      piece = ""
      guard halves.count == 2 else { return }
      let name = halves[0].trimmingCharacters(in: .whitespaces)
      guard name.count > 1, name.allSatisfy({ $0.isLetter || $0.isNumber || "_ -/".contains($0) })
      else { return }
      pairs.append((name, unquoted(halves[1].trimmingCharacters(in: .whitespaces))))
    }
    for character in line {
      if character == ",", !isQuoted {
        end()
        continue
      }
      // A quotation is a whole value: marks inside one are the prompt's own.
      if isEscaped {
        isEscaped = false
      } else if isQuoted {
        isEscaped = character == "\\"
        isQuoted = character != "\""
      } else {
        isQuoted = character == "\"" && piece.last(where: { $0 != " " }) == ":"
      }
      piece.append(character)
    }
    end()
    return pairs
  }

  private static func unquoted(_ value: String) -> String {
    guard value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else {
      return value
    }
    return (try? JSONDecoder().decode(String.self, from: Data(value.utf8)))
      ?? String(value.dropFirst().dropLast())
  }
}
