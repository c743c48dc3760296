import ArgumentParser
import Commands
import Foundation
import Library
import Painting
import Torch

/// Texts that a prompt leaves to chance, drawn by the picture's seed: `{red|blue}`, `{2$$red|blue|green}` for
/// two of them, `{3::red|blue}` with weights, and `__colour__` for a line of `colour.txt`; the syntax of
/// sd-dynamic-prompts. Braces without a bar are text.
struct Alternatives {
  /// Where the files of wildcards lie.
  let folder: URL

  /// What files hold, by the names that they were asked for.
  private let read = Files()

  private final class Files {
    var lines: [String: (texts: [Substring], weights: [Double])] = [:]
  }

  /// How deep one may stand in another.
  private static let deepest = 20
  /// Most lines of a file that are looked at.
  private static let mostLines = 1_000_000

  /// - Parameter folder: as typed; else `REVERIE_WILDCARDS`, else `wildcards` among the user's settings.
  init(_ folder: String?) {
    let environment = ProcessInfo.processInfo.environment
    let named = folder ?? environment["REVERIE_WILDCARDS"].flatMap { $0.isEmpty ? nil : $0 }
    self.folder =
      named.map { URL(filePath: $0, directoryHint: .isDirectory) }
      ?? XDG.configuration(environment).appending(
        path: "reverie/wildcards", directoryHint: .isDirectory)
  }

  /// Whether a text leaves anything to chance.
  static func has(_ text: String) -> Bool {
    text.firstMatch(of: wildcard) != nil || nextGroup(in: text[...]) != nil
  }

  /// The text with everything drawn.
  /// - Parameters:
  ///   - seed: of the picture.
  ///   - name: which of its texts it is.
  /// - Throws: `ValidationError` for a file that is not there, or for texts without an end.
  func drawn(_ text: String, seed: Int, _ name: String = "prompt") throws -> String {
    guard Self.has(text) else { return text }
    let stream = RandomStream(seed: UInt64(seed), "alternatives of the \(name)")
    return try expanded(text[...], stream, depth: 0)
  }

  // MARK: Reading

  private static var wildcard: Regex<(Substring, Substring)> { /__([\w*][\w*\/. -]*?)__/ }

  private func expanded(_ text: Substring, _ stream: RandomStream, depth: Int) throws -> String {
    guard depth < Self.deepest else {
      throw ValidationError(
        "The alternatives of the prompt stand in each other more than \(Self.deepest) deep.")
    }
    var result = ""
    var rest = text
    while true {
      let group = Self.nextGroup(in: rest)
      let wildcard = rest.firstMatch(of: Self.wildcard)
      if let group, group.whole.lowerBound < wildcard?.range.lowerBound ?? rest.endIndex {
        result += rest[..<group.whole.lowerBound]
        result += try choice(group.inside, stream, depth)
        rest = rest[group.whole.upperBound...]
      } else if let wildcard {
        result += rest[..<wildcard.range.lowerBound]
        let lines = try lines(of: String(wildcard.1))
        let line = lines.texts[Self.index(byWeight: lines.weights, stream)]
        result += try expanded(line, stream, depth: depth + 1)
        rest = rest[wildcard.range.upperBound...]
      } else {
        result += rest
        break
      }
      guard result.utf8.count <= 32 * Prompt.longest else {
        throw ValidationError("The prompt with its alternatives drawn is too long.")
      }
    }
    return result
  }

  /// The next braces in which a bar or `$$` stands, and what is between them.
  private static func nextGroup(
    in text: Substring
  ) -> (whole: Range<Substring.Index>, inside: Substring)? {
    var opened: [(at: Substring.Index, isGroup: Bool)] = []
    var found: (whole: Range<Substring.Index>, inside: Substring)?
    for index in text.indices {
      switch text[index] {
      case "{": opened.append((index, false))
      case "|" where !opened.isEmpty: opened[opened.count - 1].isGroup = true
      case "$" where !opened.isEmpty && text[..<index].last == "$":
        opened[opened.count - 1].isGroup = true
      case "}":
        guard let last = opened.popLast(), last.isGroup else { continue }
        // One that stands in another is drawn with that.
        if let found, found.whole.lowerBound < last.at { continue }
        let whole = last.at..<text.index(after: index)
        found = (whole, text[text.index(after: last.at)..<index])
      default: continue
      }
      if let found, opened.allSatisfy({ $0.at > found.whole.lowerBound }) { return found }
    }
    return found
  }

  private func choice(_ inside: Substring, _ stream: RandomStream, _ depth: Int) throws -> String {
    var pieces = Self.split(inside)
    var (count, separator) = (1...1, ", ")
    // {2$$a|b|c}, {1-2$$a|b}, {2$$ and $$a|b}
    if let head = pieces[0].prefixMatch(of: /(\d{1,4})(-(\d{1,4}))?\$\$(?:([^$|{}]*)\$\$)?/) {
      let least = Int(head.1) ?? 1
      count = least...max(least, head.3.flatMap { Int($0) } ?? least)
      if let text = head.4 { separator = String(text) }
      pieces[0] = pieces[0][head.range.upperBound...]
    }
    let wanted = min(
      pieces.count, count.lowerBound + Self.below(count.upperBound - count.lowerBound + 1, stream))
    var chosen: [String] = []
    var left = pieces.map(Self.weighted)
    for _ in 0..<wanted {
      let index = Self.index(byWeight: left.map(\.weight), stream)
      chosen.append(try expanded(left.remove(at: index).text, stream, depth: depth + 1))
    }
    return chosen.joined(separator: separator)
  }

  /// The pieces between bars that stand in no braces.
  private static func split(_ text: Substring) -> [Substring] {
    var pieces: [Substring] = []
    var (start, depth) = (text.startIndex, 0)
    for index in text.indices {
      switch text[index] {
      case "{": depth += 1
      case "}": depth = max(0, depth - 1)
      case "|" where depth == 0:
        pieces.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    return pieces + [text[start...]]
  }

  /// `0.5::red` in its parts.
  private static func weighted(_ piece: Substring) -> (text: Substring, weight: Double) {
    guard let head = piece.prefixMatch(of: /\s*(\d+(?:\.\d+)?|\.\d+)::/),
      let weight = Double(head.1), weight <= 1e6
    else { return (piece, 1) }
    return (piece[head.range.upperBound...], weight)
  }

  // MARK: Chance

  private static func below(_ bound: Int, _ stream: RandomStream) -> Int {
    bound > 1 ? Int(stream.integers(below: bound, [1]).item()) : 0
  }

  private static func index(byWeight weights: [Double], _ stream: RandomStream) -> Int {
    let total = weights.reduce(0, +)
    var place = stream.uniform([1]).item() * total
    for (index, weight) in weights.enumerated() where weight > 0 {
      place -= weight
      if place < 0 { return index }
    }
    return weights.lastIndex { $0 > 0 } ?? 0
  }

  // MARK: Files

  /// The lines of all files that a name, possibly with `*`, stands for.
  private func lines(of name: String) throws -> (texts: [Substring], weights: [Double]) {
    if let found = read.lines[name] { return found }
    guard !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else {
      throw ValidationError("__\(name.prefix(40))__ leaves the folder of wildcards.")
    }
    let files = try files(named: name)
    guard !files.isEmpty else {
      throw ValidationError(
        "There is no file \(name.prefix(40)).txt for __\(name.prefix(40))__ in \(folder.relativePath). "
          + "Name the folder of wildcards with --wildcards, or for films by REVERIE_WILDCARDS.")
    }
    var lines: [Substring] = []
    for file in files {
      try FileError.check(file.relativePath)
      guard let text = try? String(contentsOf: file, encoding: .utf8) else {
        throw ValidationError("\(file.relativePath) is not a text in UTF-8.")
      }
      lines += TextLines.lines(of: text).prefix(Self.mostLines)
    }
    guard !lines.isEmpty else {
      throw ValidationError("\(files[0].relativePath) holds no line for __\(name.prefix(40))__.")
    }
    let weighed = lines.map(Self.weighted)
    let found = (texts: weighed.map(\.text), weights: weighed.map(\.weight))
    read.lines[name] = found
    return found
  }

  private func files(named name: String) throws -> [URL] {
    guard name.contains("*") else {
      let file = folder.appending(path: name + ".txt")
      return FileManager.default.fileExists(atPath: file.path) ? [file] : []
    }
    let found = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
    return found.filter { fnmatch(name + ".txt", $0, FNM_PATHNAME) == 0 }.sorted()
      .map { folder.appending(path: $0) }
  }
}

/// Texts of lines, as people write lists by hand.
enum TextLines {
  /// The lines that hold anything, without the blanks around them; those that begin with `#` are remarks.
  static func lines(of text: String) -> [Substring] {
    text.split(whereSeparator: \.isNewline)
      .map { line in
        let start = line.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { start[...$0] } ?? start[..<start.startIndex]
      }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }
}
