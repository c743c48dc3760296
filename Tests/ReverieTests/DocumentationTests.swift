import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting
import TestSupport
import Testing

@testable import reverie
@testable import reverie_studio

/// What the documents tell a reader to type is there, and is understood.
@Suite struct DocumentationTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// README and everything in Docs, from the repository's root.
  static let pages: [String] = {
    let folder = root.appending(path: "Docs")
    let found = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String]
    let docs = (found ?? []).filter { $0.hasSuffix(".md") }.map { "Docs/\($0)" }
    return (["README.md", "Sources/EmbeddedPack/README.md"] + docs).sorted()
  }()

  private static func text(_ page: String) throws -> String {
    try String(contentsOf: root.appending(path: page), encoding: .utf8)
  }

  // MARK: What is code

  /// Command lines: those of blocks, continued lines put together, and those between backticks.
  static func commands(in text: String) -> [String] {
    var found: [String] = []
    var prose = ""
    for (index, part) in text.components(separatedBy: "```").enumerated() {
      guard index % 2 == 1 else {
        prose += part
        continue
      }
      let lines = part.drop { $0 != "\n" }.replacing("\\\n", with: " ")
      found += lines.split(separator: "\n").map(String.init)
    }
    found += prose.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }
      .map { $0.element.replacing("\n", with: " ").replacing("\\|", with: "|") }
    return found.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// The words of a command as a shell sees them, up to a comment.
  static func words(_ command: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in command {
      if let open = quote {
        if character == open { quote = nil } else { word?.append(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        word = word ?? ""
      } else if character == " " {
        if let word { words.append(word) }
        word = nil
      } else if character == "#", word == nil {
        break
      } else {
        word = (word ?? "") + String(character)
      }
    }
    return words + [word].compactMap(\.self)
  }

  private static func flags(_ words: [String]) -> [String] {
    words.filter { $0.hasPrefix("--") && $0.count > 2 }.map {
      String($0.drop { $0 == "-" }.prefix { $0 != "=" && $0 != "," && $0 != "…" })
    }
  }

  @Test("a shell's words are found")
  func shellWords() {
    #expect(
      Self.words("reverie \"a  fox\" -m fft --objective 'tv:1,kind=\"x\"' ''  # and so on")
        == ["reverie", "a  fox", "-m", "fft", "--objective", "tv:1,kind=\"x\"", ""])
    #expect(
      Self.commands(in: "Say `a \\| b`.\n```sh\none \\\n  two\nthree\n```\nor `c`")
        == ["one    two", "three", "a | b", "c"])
  }

  // MARK: What there is

  /// Every long option that the program declares, without its dashes.
  private static func declared() throws -> Set<String> {
    let dumps = try [Reverie._dumpHelp(), ReverieStudio._dumpHelp()].map {
      try JSONSerialization.jsonObject(with: Data($0.utf8))
    }
    func names(_ value: Any) -> [String] {
      switch value {
      case let list as [Any]: return list.flatMap(names)
      case let object as [String: Any]:
        let own = object["kind"] as? String == "long" ? [object["name"] as? String] : []
        return own.compactMap(\.self) + object.values.flatMap(names)
      default: return []
      }
    }
    return Set(names(dumps)).union(RequestArguments.flags).union(FilmArguments.flags)
      .union(["help", "prompt"])
  }

  /// Options of the script that a command runs; nil when it runs none of ours.
  private static func options(ofScript name: String) throws -> String? {
    guard name.hasPrefix("script/"), name != "script/" else { return nil }
    return try String(contentsOf: root.appending(path: name), encoding: .utf8)
  }

  @Test("every option that a page mentions exists", arguments: pages)
  func optionsExist(_ page: String) throws {
    let declared = try Self.declared()
    #expect(
      declared.isSuperset(of: ["iterations", "columns", "keep-run", "known", "every", "host"]))
    for command in try Self.commands(in: Self.text(page)) {
      let words = Self.words(command)
      let others = ["swift", "docker", "nats-server", "RUN", "COPY", "torchrun", "srun"]
      guard let first = words.first, !others.contains(first) else { continue }
      let script = try Self.options(ofScript: first)
      for flag in Self.flags(words) {
        let isKnown = script.map { $0.contains("--\(flag)") } ?? declared.contains(flag)
        #expect(isKnown, "--\(flag) in `\(command)` of \(page)")
      }
    }
  }

  // MARK: What is shown

  /// The tests that there are, as `Suite.function`, from the sources of all test targets.
  private static func tests() throws -> Set<String> {
    let folder = root.appending(path: "Tests")
    let files = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
    return try files.filter { $0.hasSuffix("Tests.swift") }.reduce(into: []) { found, file in
      let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      let suites = text.matches(of: /@Suite[^\n]*?\n?[^\n]*?\bstruct (\w+)/).map { String($0.1) }
      for part in text.components(separatedBy: "@Test").dropFirst() {
        guard let function = part.firstMatch(of: /\bfunc (\w+)/) else { continue }
        found.formUnion(suites.map { "\($0).\(function.1)" })
      }
    }
  }

  @Test("every feature that is claimed names the test that shows it")
  func featuresAreShown() throws {
    let tests = try Self.tests()
    #expect(tests.count > 400 && tests.contains("DocumentationTests.featuresAreShown"))
    var (rows, width) = (0, 0)
    for line in try Self.text("Docs/features.md").split(separator: "\n") {
      let cells = line.replacing("\\|", with: "¦").split(separator: "|").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard line.hasPrefix("|"), cells.count > 1 else {
        width = 0
        continue
      }
      guard width > 0 else {
        #expect(cells.last == "test", "\(line)")
        width = cells.count
        continue
      }
      guard !cells[0].allSatisfy({ "-: ".contains($0) }) else { continue }
      rows += 1
      #expect(cells.count == width, "\(line)")
      let isLeftOut = cells[cells.count - 2].firstMatch(of: /^(no|not yet)\b/) != nil
      let name = cells[cells.count - 1].trimmingCharacters(in: ["`"])
      #expect(isLeftOut ? name == "–" : tests.contains(name), "\(line)")
    }
    #expect(rows > 140)
  }

  // MARK: What is understood

  /// What stands for the program and, in the table of features, for it and a prompt.
  private static func arguments(_ command: String) -> [String]? {
    let words = words(command)
    switch words.first {
    case "./reverie", "reverie": return Array(words.dropFirst())
    case "…": return ["a fox", "--method", "vqgan-clip"] + words.dropFirst()
    default: return nil
    }
  }

  /// The pages that show whole commands; decisions and the pack's card name some in part.
  static var guides: [String] {
    pages.filter { !$0.contains("decisions") && !$0.contains("EmbeddedPack") }
  }

  /// The commands that a page shows and that run the program, with its arguments.
  private static func shown(_ page: String) throws -> [(command: String, arguments: [String])] {
    try commands(in: text(page)).compactMap { command in
      guard let arguments = arguments(command),
        // The program's name alone, or with words to be replaced by the reader's own.
        !arguments.isEmpty,
        !arguments.contains(where: { $0.contains("…") || $0.allSatisfy(\.isUppercase) })
      else { return nil }
      return (command, arguments)
    }
  }

  /// Files of each kind that commands name, to stand in for the reader's own.
  private static let files = Result {
    let folder = try ScratchFolder.make("reader")
    let picture = try Picture(width: 16, height: 16, color: .white)
    for ending in ["png", "jpg", "webp"] {
      try picture.write(to: folder.appending(path: "file.\(ending)").path)
    }
    for ending in ["json", "safetensors"] {
      try Data().write(to: folder.appending(path: "file.\(ending)"))
    }
    return folder
  }

  /// A word in which files of the reader's own are there.
  private static func withFiles(_ word: String) throws -> String {
    let folder = try files.get()
    return word.replacing(/[\w.\/-]*\w\.(png|jpg|webp|json|safetensors)\b/) {
      folder.appending(path: "file.\($0.1)").path
    }
  }

  @Test("every command that a guide shows is one that the program understands", arguments: guides)
  func commandsParse(_ page: String) throws {
    for (command, arguments) in try Self.shown(page) {
      do {
        let program: any ParsableCommand.Type =
          Reverie.elsewhere[arguments[0]] == nil ? Reverie.self : ReverieStudio.self
        switch try program.parseAsRoot(arguments.map(Self.withFiles)) {
        case let paint as Paint:
          let request = try RequestArguments(parsing: paint.words).request
          if paint.request == nil, paint.task == nil { try request.validate(in: .builtIn) }
          for axis in try Grid(paint.grid).axes { #expect(!axis.values.isEmpty) }
        case let film as FilmCommand:
          let rest = try FilmArguments(film.kind, film.words).rest
          let request = try RequestArguments(parsing: rest).request
          if film.request == nil { try request.validate(in: .builtIn) }
        default: break
        }
      } catch  where Reverie.exitCode(for: error) == .success {
        // Help.
      } catch {
        Issue.record("`\(command)` of \(page): \(Reverie.message(for: error)) \(error)")
      }
    }
  }

  @Test("the commands that guides show are found")
  func commandsFound() throws {
    #expect(try Self.shown("README.md").count >= 18)
    #expect(try Self.guides.reduce(0) { try $0 + Self.shown($1).count } >= 80)
    let kinds = try Self.guides.flatMap(Self.shown).map { $0.arguments[0] }
    #expect(Set(kinds).isSuperset(of: ["film", "again", "models", "serve", "evaluate"]))
  }
}
