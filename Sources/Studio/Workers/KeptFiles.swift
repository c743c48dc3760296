import Foundation
import HTTPTypes
import Painting
import Weights

/// What workers elsewhere have handed in of one job: files by the hash of their bytes, and a list of those that
/// make up its last checkpoint.
struct KeptFiles: Sendable {
  let folder: URL

  /// Largest file.
  static let limit = 4 << 30

  /// A checkpoint: the files of a run by their names in its folder.
  struct Checkpoint: Codable, Sendable, Equatable {
    /// SHA-256 by name.
    var files: [String: String]
    /// The kinds of processor that have painted it, one after the other.
    var processors: [String]

    /// What is wrong with it; nil where it can be kept.
    var objection: String? {
      guard files.count <= Film.mostFrames + 1_000 else { return "it has too many files" }
      if let name = files.keys.first(where: { !Self.isName($0) }) {
        return "'\(name.prefix(80))' is no name of a file of a run"
      }
      guard files.values.allSatisfy(KeptFiles.isHash) else {
        return "its files have hashes that are none"
      }
      let isShort = processors.count <= 1_000 && processors.allSatisfy { $0.utf8.count <= 200 }
      return isShort ? nil : "its processors are too many"
    }

    /// Names of files in a run's folder, `frames/000001.png` for instance: plain letters, one folder at most.
    private static func isName(_ name: String) -> Bool {
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      return (1...2).contains(parts.count) && name.utf8.count <= 120
        && parts.allSatisfy { part in
          part.first != "." && !part.isEmpty
            && part.utf8.allSatisfy {
              (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0)
                || (0x30...0x39).contains($0) || [0x2d, 0x2e, 0x5f].contains($0)
            }
        }
    }
  }

  /// Whether a text is a SHA-256 as this program writes it.
  static func isHash(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Where the file of a hash lies, or will.
  func file(_ sha256: String) -> URL { folder.appending(path: sha256) }

  /// Whether the file of a hash is there.
  func has(_ sha256: String) -> Bool {
    FileManager.default.fileExists(atPath: file(sha256).path)
  }

  private var list: URL { folder.appending(path: "checkpoint.json") }

  /// The last checkpoint of which all files are there; nil where there is none.
  var checkpoint: Checkpoint? {
    guard let data = try? Data(contentsOf: list),
      let found = try? JSONDecoder().decode(Checkpoint.self, from: data), found.objection == nil,
      found.files.values.allSatisfy(has)
    else { return nil }
    return found
  }

  /// Takes a file in, as it comes.
  /// - Throws: `Problem` where the bytes do not have the hash, or are too many.
  func add(
    _ sha256: String, _ bytes: some AsyncSequence<some Sequence<UInt8>, any Error>
  ) async throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let draft = folder.appending(path: ".\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: draft) }
    guard FileManager.default.createFile(atPath: draft.path, contents: nil) else {
      throw CocoaError(.fileWriteUnknown)
    }
    let handle = try FileHandle(forWritingTo: draft)
    defer { try? handle.close() }
    var count = 0
    for try await part in bytes {
      let data = Data(part)
      count += data.count
      guard count <= Self.limit else {
        throw Problem(.contentTooLarge, "A file of a job may have \(Self.limit) bytes.")
      }
      try handle.write(contentsOf: data)
    }
    try handle.synchronize()
    guard try Checksum.sha256(of: draft) == sha256 else {
      throw Problem(.unprocessableContent, "The bytes do not have the hash that names them.")
    }
    guard rename(draft.path, file(sha256).path) == 0 else {
      throw StudioError.folder(path: folder.path, reason: String(cString: strerror(errno)))
    }
  }

  /// Puts a checkpoint in the place of the one before, whose files go where it does not name them.
  /// - Throws: `Problem` where it cannot be kept.
  func keep(_ checkpoint: Checkpoint) throws {
    if let objection = checkpoint.objection {
      throw Problem(.unprocessableContent, "The checkpoint cannot be kept: \(objection).")
    }
    guard checkpoint.files.values.allSatisfy(has) else {
      throw Problem(.unprocessableContent, "The checkpoint names files that were not handed in.")
    }
    let before = self.checkpoint
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try JSONEncoder().encode(checkpoint).write(to: list, options: .atomic)
    let named = Set(checkpoint.files.values)
    for sha256 in Set((before?.files ?? [:]).values).subtracting(named) {
      try? FileManager.default.removeItem(at: file(sha256))
    }
  }

  /// Removes everything.
  func remove() { try? FileManager.default.removeItem(at: folder) }
}
