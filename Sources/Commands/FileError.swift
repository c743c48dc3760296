import Foundation

/// A file that cannot be read.
package struct FileError: Error, CustomStringConvertible {
  private let path: String

  /// - Parameter path: as the user typed it.
  package init(path: String) { self.path = path }

  /// The sentence for the user.
  package var description: String {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let reason =
      isFolder.boolValue
      ? "it is a folder." : exists ? "it may not be read." : "there is no such file."
    return "Cannot read \(path): \(reason)"
  }
}
