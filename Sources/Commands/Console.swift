import Foundation

/// Standard output and error, for results and for all else.
package enum Console {
  /// Writes an error for the user.
  package static func error(_ text: String) { say("Error: " + tidied(text)) }

  /// A text in which a sentence that ended within another one ends once.
  package static func tidied(_ text: String) -> String {
    text.replacing(/([^.])([.?!])\.(?=\s|$)/) { "\($0.1)\($0.2)" }
  }

  /// A number of things: `1 thread`, `4 threads`.
  package static func counted(_ count: Int, _ thing: String) -> String {
    "\(count) \(thing)\(count == 1 ? "" : "s")"
  }

  /// Writes a line to standard error.
  package static func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Writes a line to standard output at once.
  package static func result(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }

  /// A text as JSON has it.
  package static func json(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }

  /// A path as a shell reads it.
  package static func quoted(_ path: String) -> String {
    let plain = path.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_./".contains($0))
    }
    return plain ? path : "'" + path.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }

  /// A file's path, from the working folder where it lies below that.
  package static func relative(_ url: URL) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    let path = url.absoluteURL.path
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}
