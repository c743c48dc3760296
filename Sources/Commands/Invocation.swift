import ArgumentParser
import Foundation
import Painting

/// What each of the programs does with its command line.
package enum Invocation {
  /// The words after the program's name; where one is not UTF-8 the program ends.
  package static func arguments() -> [String] {
    // Swift repairs what is not UTF-8 in silence; a prompt must not change unnoticed.
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let bytes = CommandLine.unsafeArgv[index], String(validatingCString: bytes) == nil
      else {
        continue
      }
      Console.error("Argument \(index) is not valid UTF-8. Type it in a UTF-8 terminal.")
      exit(ExitCode.validationFailure.rawValue)
    }
    return Array(CommandLine.arguments.dropFirst())
  }

  /// Runs the command that the words name; where it fails the program ends, with the error told.
  package static func run(
    _ arguments: [String], of program: any AsyncParsableCommand.Type
  ) async {
    do {
      var command = try program.parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error where error is RequestError || error is PresetError {
      Console.error("\(error)")
      exit(ExitCode.validationFailure.rawValue)
    } catch {
      program.exit(withError: error)
    }
  }
}
