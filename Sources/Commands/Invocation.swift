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

  /// Runs the command that the words name, tells the error where it fails, and ends the program.
  /// - Parameters:
  ///   - usage: what is shown instead of the program's own usage, which leads through a command that need not
  ///     be named.
  ///   - options: options with values that the commands read for themselves, with their dashes.
  ///   - spelling: how a request's parameter is spelled on the command line.
  package static func run(
    _ arguments: [String], of program: any AsyncParsableCommand.Type, usage: String? = nil,
    options: Set<String> = [],
    spelling: (String) -> String = { $0 }
  ) async -> Never {
    do {
      let words = joined(arguments) { options.union(declaredOptions(of: program)) }
      var command = try program.parseAsRoot(words)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      fail(error, arguments, program, usage, spelling)
    }
    end(ExitCode.success.rawValue)
  }

  /// Ends the program at once. What the C library does besides, taking libtorch apart, must not happen while a
  /// thread of an engine still frees its tensors.
  private static func end(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }

  // MARK: Values that begin with a dash

  /// The words as the parser reads them: a value that begins with a dash but is a number, several numbers or
  /// a text with blanks, is joined to its option by an equals sign.
  package static func joined(_ words: [String], options: () -> Set<String>) -> [String] {
    let end = words.firstIndex(of: "--") ?? words.endIndex
    guard words[..<end].dropFirst().contains(where: isValue) else { return words }
    let options = options()
    var joined: [String] = []
    for (index, word) in words.enumerated() {
      if index > 0, index < end, isValue(word), options.contains(words[index - 1]) {
        joined[joined.count - 1] += "=" + word
      } else {
        joined.append(word)
      }
    }
    return joined
  }

  private static func isValue(_ word: String) -> Bool {
    word.hasPrefix("-")
      && (word.contains(where: \.isWhitespace)
        || word.wholeMatch(of: /-[0-9.][-+0-9.,:*eE]*/) != nil)
  }

  /// Every option with a value that a program's commands declare, with its dashes.
  private static func declaredOptions(of program: any ParsableCommand.Type) -> Set<String> {
    struct Tool: Decodable {
      struct Command: Decodable {
        struct Argument: Decodable {
          struct Name: Decodable { let kind, name: String }
          let kind: String
          let names: [Name]?
        }
        let arguments: [Argument]?
        let subcommands: [Command]?

        var options: [String] {
          (arguments ?? []).filter { $0.kind == "option" }.flatMap { $0.names ?? [] }
            .map { ($0.kind == "long" ? "--" : "-") + $0.name }
            + (subcommands ?? []).flatMap(\.options)
        }
      }
      let command: Command
    }
    let tool = try? JSONDecoder().decode(Tool.self, from: Data(program._dumpHelp().utf8))
    return Set(tool?.command.options ?? [])
  }

  // MARK: Errors

  private static func fail(
    _ error: any Error, _ arguments: [String], _ program: any ParsableCommand.Type,
    _ usage: String?, _ spelling: (String) -> String
  ) -> Never {
    let code = program.exitCode(for: error)
    if let code = error as? ExitCode { end(code.rawValue) }
    if code.isSuccess { program.exit(withError: error) }
    if let error = error as? RequestError {
      Console.error("\(error.renamed(spelling))")
      end(ExitCode.validationFailure.rawValue)
    }
    if error is PresetError {
      Console.error("\(error)")
      end(ExitCode.validationFailure.rawValue)
    }
    guard code == .validationFailure else {
      Console.error(sentence(error))
      end(code.rawValue)
    }
    let own = "Usage: \(program._commandName) <subcommand>"
    let message = program.fullMessage(for: error).replacing(own, with: usage ?? own)
    if let text = misread(arguments), message.contains(text) {
      Console.error(
        "'\(text.prefix(40))' begins with a dash, so it is read as options. Put -- before a prompt that "
          + "does: reverie -- \(Console.quoted(String(text.prefix(40))))")
    } else {
      Console.say(Console.tidied(message))
    }
    end(code.rawValue)
  }

  /// A text that begins with a dash and is read as an option.
  private static func misread(_ arguments: [String]) -> String? {
    arguments.prefix { $0 != "--" }.first {
      $0.hasPrefix("-") && $0.contains(where: \.isWhitespace) && !$0.contains("=")
    }
  }
}

extension RequestError {
  /// The same of fields as somebody else spells them.
  func renamed(_ spelling: (String) -> String) -> RequestError {
    switch self {
    case .badValue(let field, let reason): .badValue(field: spelling(field), reason: reason)
    case .notOfMethod(let field, let method, let methods):
      .notOfMethod(field: spelling(field), method: method, methods: methods)
    case .emptyPrompt, .badPrompt, .unknownField, .notARequest, .impossible: self
    }
  }
}
