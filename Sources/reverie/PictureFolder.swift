import ArgumentParser
import Foundation
import Imaging

/// The pictures in a folder.
enum PictureFolder {
  /// Their paths, in the natural order of their names.
  /// - Throws: `ValidationError` where there are none.
  static func pictures(in path: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
      !name.hasPrefix(".") && (try? PictureFormat(extensionOf: name)) != nil
    }
    guard !names.isEmpty else { throw ValidationError("The folder \(path) holds no pictures.") }
    let folder = path.hasSuffix("/") ? path : path + "/"
    return names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
      .map { folder + $0 }
  }
}
