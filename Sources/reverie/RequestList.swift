import ArgumentParser
import Commands
import Foundation
import Painting

/// Requests from a file or standard input: one a line, a prompt alone or with options as A1111's "prompts from
/// file" has them; or a table (CSV) whose columns are named like parameters.
struct RequestList {
  /// One of them.
  struct Entry {
    /// What is asked for.
    var arguments: RequestArguments
    /// Presets of its own.
    var presets: [String] = []
    /// How many pictures; nil as the command line says.
    var count: Int?
    /// The picture of a folder from which it begins.
    var startPicture: String?
    /// Where it stands, `line 3`, or the picture's file.
    var place: String
  }

  /// In the order of the file.
  private(set) var entries: [Entry] = []

  private static let mostBytes = 16 << 20
  private static let mostEntries = 10_000

  /// Names of A1111's file that are other ones here.
  private static let foreign = [
    "steps": "iterations", "cfg-scale": "condition-scale", "n-iter": "count", "batch-size": "count",
    "sampler-name": "sampler", "negative": "negative-prompt", "styles": "preset", "style": "preset",
  ]

  /// Reads a file, or standard input where the path is `-`.
  /// - Parameter base: what all of them ask for, where they say nothing else.
  /// - Throws: `ValidationError` that names every line with a mistake, or an error of the file.
  init(_ path: String, base: RequestArguments) throws {
    let title = path == "-" ? "standard input" : path
    let text = try Self.text(path, title)
    var problems: [String] = []
    func add(_ place: String, _ read: (inout Entry) throws -> Void) {
      var entry = Entry(arguments: base, place: place)
      do {
        try read(&entry)
        entries.append(entry)
      } catch {
        problems.append("\(title), \(place): \(error)")
      }
    }
    if let table = try Table(text, isTable: path.lowercased().hasSuffix(".csv"), title) {
      for (line, cells) in table.rows {
        add("line \(line)") { entry in
          for (name, value) in zip(table.columns, cells) where !value.isEmpty {
            try Self.set(name, value, in: &entry)
          }
        }
      }
    } else {
      let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      for (index, line) in lines.enumerated() {
        guard let line = TextLines.lines(of: String(line)).first else { continue }
        add("line \(index + 1)") { entry in try Self.read(line, into: &entry) }
      }
    }
    guard problems.isEmpty else {
      throw ValidationError(problems.prefix(20).map(Console.tidied).joined(separator: "\n"))
    }
    guard (1...Self.mostEntries).contains(entries.count) else {
      throw ValidationError(
        "\(title) holds \(entries.count) prompts; from 1 to \(Self.mostEntries) are painted.")
    }
  }

  private static func text(_ path: String, _ title: String) throws -> String {
    let data: Data?
    if path == "-" {
      if isatty(STDIN_FILENO) == 1 { Console.say("Type prompts, one a line; ^D ends them.") }
      data = try FileHandle.standardInput.read(upToCount: mostBytes + 1)
    } else {
      try FileError.check(path)
      let file = try FileHandle(forReadingFrom: URL(filePath: path))
      data = try file.read(upToCount: mostBytes + 1)
    }
    guard let data else { throw ValidationError("\(title) is empty.") }
    guard data.count <= mostBytes else {
      throw ValidationError("\(title) is larger than \(mostBytes >> 20) MiB.")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ValidationError("\(title) is not a text in UTF-8. Save it as UTF-8.")
    }
    return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
  }

  // MARK: Lines

  private static func read(_ line: Substring, into entry: inout Entry) throws {
    guard line.firstMatch(of: /(^|\s)--[A-Za-z]/) != nil else {
      return try entry.arguments.set("prompt", String(line))
    }
    var words = try words(line)[...]
    var prompt: [String] = []
    while let word = words.popFirst() {
      guard word.hasPrefix("--") else {
        prompt.append(word)
        continue
      }
      let pieces = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let value = pieces.count > 1 ? String(pieces[1]) : words.popFirst() else {
        throw ValidationError("Missing value for '\(word)'.")
      }
      if pieces[0] == "prompt" {
        prompt.append(value)
      } else {
        try set(String(pieces[0]), value, in: &entry)
      }
    }
    try entry.arguments.set("prompt", prompt.joined(separator: " "))
  }

  /// The words of a line as a shell has them.
  private static func words(_ line: Substring) throws -> [String] {
    var words: [String] = []
    var word: String?
    var (quote, isEscaped): (Character?, Bool) = (nil, false)
    for character in line {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if character == quote {
        quote = nil
      } else if quote == nil, character == "\"" || (character == "'" && word == nil) {
        quote = character
        word = word ?? ""
      } else if quote == nil, character.isWhitespace {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil else { throw ValidationError("A quotation has no end.") }
    return words + [word].compactMap(\.self)
  }

  /// A name as this program's options are spelled: of `initImage` and `init_image` that is `init-image`.
  fileprivate static func flag(_ name: String) -> String {
    let flag = flagName(of: name.trimmingCharacters(in: .whitespaces)).lowercased()
      .replacing("_", with: "-").replacing(" ", with: "-")
    return foreign[flag] ?? flag
  }

  fileprivate static var names: [String] {
    RequestArguments.flags + ["prompt", "preset", "count", "width", "height"]
  }

  private static func set(_ name: String, _ value: String, in entry: inout Entry) throws {
    switch flag(name) {
    case "preset": entry.presets.append(value)
    case "count":
      // Batches, and pictures of each: of both as many as their product.
      let before = flagName(of: name).lowercased() == "count" ? 1 : entry.count ?? 1
      guard let count = Int(value), (1...1000).contains(count), count * before <= 1000 else {
        throw ValidationError(
          "\(name) must be from 1 to 1000 pictures in all, not \(value.prefix(40)).")
      }
      entry.count = count * before
    case let flag: try entry.arguments.set(flag, value)
    }
  }
}

/// A table as spreadsheets write it (RFC 4180), with commas, semicolons or tabs between cells.
private struct Table {
  let columns: [String]
  /// The line at which each begins, and its cells.
  let rows: [(line: Int, cells: [String])]

  /// Nil where the text is no table: its first line does not name a column for prompts, and others.
  /// - Parameter isTable: whether it must be one.
  init?(_ text: String, isTable: Bool, _ title: String) throws {
    guard let head = text.split(whereSeparator: \.isNewline).first else { return nil }
    let separator = [",", ";", "\t"].max { a, b in
      head.count { String($0) == a } < head.count { String($0) == b }
    }
    let comma = Character(separator ?? ",")
    let known = RequestList.names
    if !isTable {
      let columns = try Self.rows(String(head), comma, lenient: true, title).first?.cells.map(
        RequestList.flag)
      guard let columns, columns.count > 1, columns.contains("prompt"),
        columns.allSatisfy(known.contains)
      else { return nil }
    }
    let rows = try Self.rows(text, comma, lenient: !isTable, title)
    guard let columns = rows.first?.cells.map(RequestList.flag) else { return nil }
    guard columns.contains("prompt") else {
      throw ValidationError("\(title) has no column named prompt.")
    }
    for column in columns where !known.contains(column) {
      throw ValidationError(
        "\(title) has a column '\(column.prefix(40))', which is no parameter."
          + (nearestName(to: column, among: known).map { " Did you mean '\($0)'?" } ?? ""))
    }
    self.columns = columns
    self.rows = rows.dropFirst().filter { !$0.cells.allSatisfy(\.isEmpty) }
    for row in self.rows where row.cells.count > columns.count {
      throw ValidationError(
        "\(title), line \(row.line): \(row.cells.count) cells in \(columns.count) columns. Put texts with "
          + "commas in quotation marks.")
    }
  }

  private static func rows(_ text: String, _ separator: Character, lenient: Bool, _ title: String)
    throws -> [(line: Int, cells: [String])]
  {
    var rows: [(line: Int, cells: [String])] = []
    var (line, start) = (1, 1)
    var (cells, cell): ([String], String) = ([], "")
    var (isQuoted, wasQuoted) = (false, false)
    func trimmed() -> String {
      wasQuoted ? cell : cell.trimmingCharacters(in: .whitespaces)
    }
    var rest = text[...]
    while let character = rest.popFirst() {
      if isQuoted {
        if character == "\"" {
          if rest.first == "\"" { cell.append(rest.removeFirst()) } else { isQuoted = false }
        } else {
          cell.append(character)
        }
        if character.isNewline { line += 1 }
      } else if character == "\"", cell.allSatisfy(\.isWhitespace) {
        (cell, isQuoted, wasQuoted) = ("", true, true)
      } else if character == separator || character.isNewline {
        cells.append(trimmed())
        (cell, wasQuoted) = ("", false)
        if character.isNewline {
          rows.append((start, cells))
          cells = []
          line += 1
          start = line
        }
      } else {
        cell.append(character)
      }
    }
    guard !isQuoted || lenient else {
      throw ValidationError("\(title), line \(start): a quotation has no end.")
    }
    if !cell.isEmpty || !cells.isEmpty || wasQuoted { rows.append((start, cells + [trimmed()])) }
    return rows
  }
}
