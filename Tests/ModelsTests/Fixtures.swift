import Foundation
import Testing
import Torch
import Weights

/// Files that the tests read.
enum Fixtures {
  /// A file of `Fixtures/`, made by a script of `Oracle/`.
  static func url(_ name: String) throws -> URL {
    try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/\(name)")
  }

  /// The folder `.oracle` at the root of the checkout, git-ignored, where the oracle scripts put
  /// what is too large to commit.
  static let oracle = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".oracle")

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Calls `body` with the path of a file in a folder of its own, which is removed afterwards.
  static func withTemporaryFile<Result>(
    _ name: String, _ body: (URL) throws -> Result
  ) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("reverie-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appendingPathComponent(name))
  }
}
