import Foundation

/// Another program of Reverie's, which lies beside the one that runs.
package struct SiblingProgram: Sendable {
  /// The name of its file, and of its product in the package.
  package let name: String

  /// The studio: its server and its workers.
  package static let studio = SiblingProgram(name: "reverie-studio")

  /// The program that runs.
  package static var own: URL {
    let link = "/proc/self/exe"
    if FileManager.default.fileExists(atPath: link) {
      return URL(filePath: link).resolvingSymlinksInPath()
    }
    return URL(filePath: Bundle.main.executablePath ?? CommandLine.arguments[0])
  }

  /// Where it lies; nil where it was not built.
  package var url: URL? {
    let url = Self.own.deletingLastPathComponent().appending(path: name)
    return FileManager.default.isExecutableFile(atPath: url.path) ? url : nil
  }

  /// Becomes that program, with the words that this one was called with.
  /// - Throws: `SiblingError`; otherwise it does not come back.
  package func takeOver(_ arguments: [String]) throws -> Never {
    guard let url else { throw SiblingError(program: name, reason: "is not built") }
    var words = ([url.path] + arguments).map { strdup($0) } + [nil]
    execv(url.path, &words)
    throw SiblingError(program: name, reason: "cannot be run (\(String(cString: strerror(errno))))")
  }
}

/// A program of Reverie's that cannot be run.
package struct SiblingError: Error, CustomStringConvertible {
  let program: String
  let reason: String

  /// The sentence for the user.
  package var description: String {
    "The program \(program) \(reason). The launcher ./reverie builds it when it is needed; by hand: "
      + "swift build -c release -Xswiftc -enable-testing --product \(program)"
  }
}
