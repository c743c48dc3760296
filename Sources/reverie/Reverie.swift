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
  static let elsewhere = ["serve": SiblingProgram.studio, "worker": SiblingProgram.studio]

  static func main() async {
    let arguments = Invocation.arguments()
    guard let first = arguments.first else {
      Console.say(greeting)
      exit(withError: ExitCode.validationFailure)
    }
    if ["--help", "-h", "help"].contains(first), arguments.count == 1 {
      print(helpMessage(for: Paint.self))
      return
    }
    let command = first == "help" ? arguments.dropFirst().first : first
    do {
      if let program = command.flatMap({ elsewhere[$0] }) { try program.takeOver(arguments) }
    } catch {
      exit(withError: error)
    }
    await Invocation.run(
      arguments, of: Self.self, usage: "Usage: reverie <prompt> ... [options]",
      options: RequestArguments.options.union(FilmArguments.options),
      spelling: spelling(arguments))
  }

  /// What is said to who types the program's name alone.
  private static let greeting = """
    Say what to paint:

      reverie "a red fox on a blue background"

    reverie serve opens the studio in the browser, reverie --help tells all else.
    """

  /// How the words that were typed spell the parameters of a request; those of a file that they name stay
  /// as they are there.
  private static func spelling(_ arguments: [String]) -> (String) -> String {
    let isFilm = arguments.first == "film"
    let hasFile = arguments.contains { $0 == "--request" || $0.hasPrefix("--request=") }
    return { name in
      if isFilm, let flag = FilmArguments.flag(named: name) { return "--" + flag }
      guard let flag = RequestArguments.flag(named: name) else { return name }
      let isTyped = arguments.contains { $0 == "--" + flag || $0.hasPrefix("--\(flag)=") }
      return hasFile && !isTyped
        ? name : ["width", "height"].contains(name) ? "--size: \(name)" : "--" + flag
    }
  }
}
