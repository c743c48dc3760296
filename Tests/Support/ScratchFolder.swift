import Foundation
import Synchronization

/// Temporary folders of the tests, removed when the test process ends.
public enum ScratchFolder {
  private static let made = Mutex<[URL]>([])

  /// A new, empty folder.
  public static func make(_ name: String) throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "reverie-\(name)-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let isFirst = made.withLock { folders in
      folders.append(folder)
      return folders.count == 1
    }
    if isFirst { atexit { ScratchFolder.removeAll() } }
    return folder
  }

  private static func removeAll() {
    for folder in made.withLock({ $0 }) { try? FileManager.default.removeItem(at: folder) }
  }
}
