import ArgumentParser
import Commands
import Foundation
import Painting

/// `reverie presets`: named looks and qualities.
struct PresetsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "presets",
    abstract: "Lists and shows named looks and qualities.",
    discussion: """
      A preset fills fields that the command line leaves open. Several can be joined; of two the later \
      counts, and their objectives and filters add up. Your own are YAML files in \
      $XDG_CONFIG_HOME/reverie/presets, or where REVERIE_PRESETS says; they go before those that ship.

      EXAMPLES
        reverie presets
        reverie presets show pixel-art
        reverie "a castle" --preset neon,better
        reverie "a castle" --preset knitted --iterations 300
      """,
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists all presets.")

    func run() throws {
      let library = PresetLibrary.standard()
      var bad: [any Error] = []
      for name in library.files.keys.sorted() {
        do {
          let preset = try library.preset(name)
          let note = preset.wantsLargeCLIP ? "; needs a large CLIP" : ""
          Console.result(ParameterHelp.row((name, "\(preset.help)\(note).")))
        } catch {
          bad.append(error)
        }
      }
      for error in bad { Console.error("\(error)") }
      if !bad.isEmpty { throw ExitCode.failure }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows what a preset asks for.")

    @Argument(help: "The preset's name.")
    var name: String

    func run() throws { Console.result(try PresetsCommand.page(name)) }
  }

  /// The file of a preset, where it is, and a command that uses it.
  static func page(_ name: String) throws -> String {
    let library = PresetLibrary.standard()
    let file = try library.file(name)
    _ = try library.preset(name)
    let yaml = try String(contentsOf: file, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    return "# \(file.path)\n\(yaml)\n\n# reverie \"a red fox\" --preset \(name)"
  }
}
