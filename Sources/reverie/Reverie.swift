import ArgumentParser
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
      ModelsCommand.self, Serve.self, WorkerCommand.self, Doctor.self, Train.self,
      AssemblePack.self, Evaluate.self,
    ],
    defaultSubcommand: Paint.self)

  static func main() async {
    // Swift repairs what is not UTF-8 in silence; a prompt must not change unnoticed.
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let bytes = CommandLine.unsafeArgv[index], String(validatingCString: bytes) == nil
      else {
        continue
      }
      Console.error("Argument \(index) is not valid UTF-8. Type it in a UTF-8 terminal.")
      Foundation.exit(ExitCode.validationFailure.rawValue)
    }
    let arguments = Array(CommandLine.arguments.dropFirst())
    if ["--help", "-h", "help"].contains(arguments.first), arguments.count == 1 {
      print(helpMessage(for: Paint.self))
      return
    }
    do {
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error where error is RequestError || error is PresetError {
      Console.error("\(error)")
      Foundation.exit(ExitCode.validationFailure.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
