import ArgumentParser
import Commands
import Foundation
import Painting

/// The program: `reverie PROMPT…` paints, subcommands do the rest.
@main struct Reverie: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "Turns a text into a picture.",
    version: Program.version,
    subcommands: [
      Paint.self, Again.self, Resume.self, FilmCommand.self, Upscale.self, Describe.self,
      Explain.self, PresetsCommand.self,
      ModelsCommand.self, Doctor.self, Train.self,
      AssemblePack.self, Evaluate.self,
    ],
    defaultSubcommand: Paint.self)

  /// Commands that are in a program of their own, so that painting does not wait for it to be built.
  static let elsewhere = ["serve": SiblingProgram.studio]

  static func main() async {
    let arguments = Invocation.arguments()
    if ["--help", "-h", "help"].contains(arguments.first), arguments.count == 1 {
      print(helpMessage(for: Paint.self))
      return
    }
    let command = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
    do {
      if let program = command.flatMap({ elsewhere[$0] }) { try program.takeOver(arguments) }
    } catch {
      exit(withError: error)
    }
    await Invocation.run(arguments, of: Self.self)
  }
}
