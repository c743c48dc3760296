import Foundation

/// A file that cannot be read.
package struct FileError: Error, CustomStringConvertible {
  private let path: String

  /// - Parameter path: as the user typed it.
  package init(path: String) { self.path = path }

  /// Checks that a path is a regular file that may be read, without opening it: a pipe or a device would
  /// never end.
  /// - Throws: `FileError`.
  package static func check(_ path: String) throws {
    guard isRegular(path), FileManager.default.isReadableFile(atPath: path) else {
      throw FileError(path: path)
    }
  }

  /// Whether a path, or what it links to, is a file; pipes and devices may have no end.
  package static func isRegular(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// The sentence for the user.
  package var description: String {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let reason =
      isFolder.boolValue
      ? "it is a folder."
      : !exists
        ? "there is no such file."
        : Self.isRegular(path) ? "it may not be read." : "it is not a regular file."
    return "Cannot read \(path): \(reason)"
  }
}
