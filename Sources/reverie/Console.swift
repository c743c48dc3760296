import Foundation

/// Standard output and error, for results and for all else.
enum Console {
  /// Writes an error for the user.
  static func error(_ text: String) { say("Error: " + text) }

  /// Writes a line to standard error.
  static func say(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Writes a line to standard output at once.
  static func result(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
