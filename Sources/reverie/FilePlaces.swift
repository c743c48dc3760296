import Foundation
import Painting

/// Folders in which files are looked for that a request names by their content.
struct FilePlaces {
  private let folders: [String]

  init(_ folders: [String?]) { self.folders = folders.compactMap(\.self) }

  /// Where each of the files lies.
  /// - Throws: `PaintingError.missingFile`.
  func attachments(_ references: [FileReference]) throws -> Attachments {
    var files = Attachments()
    for reference in references {
      let found = folders.lazy.map { URL(filePath: $0).appending(path: reference.name) }.first {
        url in
        var scratch = Attachments()
        return (try? scratch.add(url))?.sha256 == reference.sha256
      }
      guard let found else { throw PaintingError.missingFile(name: reference.name) }
      files.add(reference, at: found)
    }
    return files
  }
}
