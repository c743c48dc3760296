import Foundation

/// The text that AUTOMATIC1111's web UI and its kin write into pictures: the prompt, `Negative prompt: …`, and
/// a line of `Key: value` pairs.
///
/// Follows `parse_generation_parameters` of AUTOMATIC1111/stable-diffusion-webui `modules/infotext_utils.py`,
/// and reads besides what editors and extensions make of such texts: other ends of lines, empty lines, lines
/// behind the settings, no prompt.
public struct Infotext: Sendable, Equatable {
  /// What was wished for; empty where nothing was.
  public var prompt = ""
  /// What was not; empty where nothing was.
  public var negativePrompt = ""
  /// The settings as they are written. Of a key that is there twice the first counts.
  public var settings: [String: String] = [:]

  /// The sides in `Size: 512x768`, in pixels; nil where they are no numbers.
  public var size: (width: Int, height: Int)? {
    let sides = settings["Size"]?.split(separator: "x").map { Int($0) } ?? []
    guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
    return (width, height)
  }

  /// Longest text that is read, in bytes.
  static let longest = 1 << 18

  /// Reads a text; nil when no line of it has settings.
  public init?(_ text: String) {
    guard text.utf8.count <= Self.longest else { return nil }
    // To Swift CR LF is one character, which is neither of the two.
    let lines = text.unicodeScalars.split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r" }
    ).map { String(Substring($0)).trimmed }
    let read = lines.map(Self.pairs)
    // What is behind the settings, as the templates of an extension, may look like settings as well.
    let templates = lines.firstIndex {
      $0.hasPrefix("Template:") || $0.hasPrefix("Negative Template:")
    }
    let places = read.indices.filter { Self.areSettings(read[$0]) }
    guard let place = places.last(where: { $0 < templates ?? .max }) ?? places.first else {
      return nil
    }
    settings = Dictionary(read[place]) { first, _ in first }
    var (wish, away, isAway) = ([String](), [String](), false)
    for line in lines[..<place] {
      if line.hasPrefix(Self.negative) {
        isAway = true
        away.append(String(line.dropFirst(Self.negative.count)))
      } else if isAway {
        away.append(line)
      } else {
        wish.append(line)
      }
    }
    prompt = wish.joined(separator: "\n").trimmed
    negativePrompt = away.joined(separator: "\n").trimmed
  }

  private static let negative = "Negative prompt:"

  /// A line of settings has the number of steps, or a seed and something else that no prose has.
  private static func areSettings(_ pairs: [(String, String)]) -> Bool {
    func isNumber(_ key: String) -> Bool { pairs.contains { $0.0 == key && Int($0.1) != nil } }
    let others = ["Sampler", "CFG scale", "Size", "Model", "Model hash", "Version"]
    return isNumber("Steps") || isNumber("Seed") && pairs.contains { others.contains($0.0) }
  }

  /// The pairs of a line: `Key: value`, parted by commas. A value may stand in quotation marks, or be a list
  /// or a dictionary with commas of its own.
  private static func pairs(_ line: String) -> [(String, String)] {
    let text = Array(line)
    var (pairs, at) = ([(String, String)](), 0)
    // Marks that are never closed must not have each pair look to the end of the line.
    var trials = 16
    while at < text.count {
      let plain = text[at...].firstIndex(of: ",") ?? text.count
      let end = trials > 0 ? markedEnd(text, at..<plain, &trials) ?? plain : plain
      if let colon = text[at..<end].firstIndex(of: ":") {
        let key = String(text[at..<colon]).trimmed
        let value = unquoted(String(text[(colon + 1)..<end]).trimmed)
        if !key.isEmpty, key.count <= 80 { pairs.append((key, value)) }
      }
      at = end + 1
    }
    return pairs
  }

  /// Where a pair ends whose value stands in marks or brackets: at the next comma outside of these; nil where
  /// there are none, or they are not closed, which costs one of `trials`.
  private static func markedEnd(_ text: [Character], _ pair: Range<Int>, _ trials: inout Int)
    -> Int?
  {
    guard let colon = text[pair].firstIndex(of: ":"),
      let first = text[(colon + 1)..<pair.upperBound].firstIndex(where: { $0 != " " }),
      "\"{[".contains(text[first])
    else { return nil }
    var (closing, isQuoted, at) = ([Character](), false, first)
    while at < text.count {
      switch text[at] {
      case "\\" where isQuoted: at += 1
      case "\"": isQuoted.toggle()
      case "{" where !isQuoted: closing.append("}")
      case "[" where !isQuoted: closing.append("]")
      case "}" where !isQuoted, "]" where !isQuoted:
        if closing.last == text[at] { closing.removeLast() }
      case "," where !isQuoted && closing.isEmpty: return at
      default: break
      }
      at += 1
    }
    guard isQuoted || !closing.isEmpty else { return text.count }
    trials -= 1
    return nil
  }

  private static func unquoted(_ value: String) -> String {
    guard value.count > 1, value.hasPrefix("\""), value.hasSuffix("\"") else { return value }
    return (try? JSONDecoder().decode(String.self, from: Data(value.utf8))) ?? value
  }
}

extension Infotext {
  /// What of it a request can say. Steps count where the sampler is a method of ours: those of another
  /// program's sampler mean nothing here, nor do the marks of prompts in its words.
  public func request(in registry: Registry = .builtIn) -> Request {
    let method = registry.methods.first { $0.samplerName == settings["Sampler"] }
    var fields = ForeignSettings.fields(self)
    let steps = fields.removeValue(forKey: "iterations")
    var request = Request(method == nil ? fields["prompt"]?.text ?? "" : prompt)
    request.method = method?.id
    for name in ["negativePrompt", "seed", "width", "height"] {
      try? request.set(name, fields[name])
    }
    if let method, let steps {
      if method.takes.contains(.steps) { try? request.set("iterations", steps) }
      if method.makesCandidates { try? request.set("candidates", steps) }
    }
    return request
  }
}
