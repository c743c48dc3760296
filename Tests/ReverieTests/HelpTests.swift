import ArgumentParser
import Foundation
import Testing

@testable import reverie
@testable import reverie_studio

/// The help screens as they are on a terminal of 80 columns.
///
/// `REVERIE_WRITE=1` writes them anew, to be looked at as a change.
@Suite struct HelpTests {
  /// The name of a command, as it is typed.
  struct Screen: Sendable, CustomTestStringConvertible {
    let name: String
    let program: any ParsableCommand.Type
    let command: any ParsableCommand.Type

    var testDescription: String { name }

    func text(columns: Int) -> String {
      program.helpMessage(for: command, columns: columns)
        .split(separator: "\n", omittingEmptySubsequences: false)
        .map { line in
          String(
            line.prefix(
              line.lastIndex { $0 != " " }.map { line.distance(from: line.startIndex, to: $0) + 1 }
                ?? 0))
        }
        .joined(separator: "\n")
    }
  }

  private static func screens(
    _ command: any ParsableCommand.Type, _ name: String, of program: any ParsableCommand.Type
  ) -> [Screen] {
    [Screen(name: name, program: program, command: command)]
      + command.configuration.subcommands.flatMap { sub in
        screens(sub, "\(name)-\(sub._commandName)", of: program)
      }
  }

  static let all =
    screens(Reverie.self, "reverie", of: Reverie.self)
    + ReverieStudio.configuration.subcommands.flatMap {
      screens($0, "reverie-studio-\($0._commandName)", of: ReverieStudio.self)
    }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Help", directoryHint: .isDirectory)

  @Test("a help screen is as it was looked at", arguments: all)
  func screen(_ screen: Screen) throws {
    let file = Self.folder.appending(path: screen.name + ".txt")
    let text = screen.text(columns: 80) + "\n"
    if ProcessInfo.processInfo.environment["REVERIE_WRITE"] == "1" {
      try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      return
    }
    let kept = try String(contentsOf: file, encoding: .utf8)
    #expect(text == kept, "Look at it, then run this test with REVERIE_WRITE=1.")
  }

  @Test("no line that was laid out is broken once more", arguments: all)
  func lines(_ screen: Screen) {
    let narrow = Set(screen.text(columns: 80).split(separator: "\n"))
    let overview = screen.text(columns: 10_000).components(separatedBy: "\nUSAGE:")[0]
    for line in overview.split(separator: "\n") where line.hasPrefix("  ") {
      #expect(narrow.contains(line), "\(line)")
    }
  }

  @Test("every screen that is kept is one of a command")
  func kept() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(names) == Set(Self.all.map { $0.name + ".txt" }))
  }
}
