import Foundation
import Painting
import Weights

/// The files of a run that another machine needs to go on with it, as they are at one moment while it is
/// painted.
struct RunSnapshot {
  /// Where a copy of each lies, by the names in the run's folder.
  let files: [String: URL]
  /// What changes of each whenever it is replaced.
  private let marks: [String: [Int]]
  private let folder: URL

  /// What lies in a run's folder and is made anew, or is of this machine alone.
  private static let left = [
    "run.json", "log.jsonl", "preview.png", "lock", "film.mp4", "still.png", "large.png",
  ]

  /// Files in a run's folder, each with what changes whenever it is replaced.
  private static func list(_ run: URL) -> [String: [Int]] {
    var found: [String: [Int]] = [:]
    let manager = FileManager.default
    for folder in ["", "frames/"] {
      let names = (try? manager.contentsOfDirectory(atPath: run.path + "/" + folder)) ?? []
      for name in names
      where !name.hasPrefix(".") && !left.contains(name) && !name.hasPrefix("stopped") {
        guard let facts = try? manager.attributesOfItem(atPath: run.path + "/" + folder + name),
          facts[.type] as? FileAttributeType == .typeRegular,
          let number = facts[.systemFileNumber] as? Int, let size = facts[.size] as? Int,
          let date = facts[.modificationDate] as? Date
        else { continue }
        found[folder + name] = [number, size, Int(date.timeIntervalSince1970 * 1e6)]
      }
    }
    return found
  }

  /// Links the files into a folder. Each is replaced as a whole when it changes; where none was meanwhile, the
  /// links are of one moment.
  /// - Returns: nil where the run changes all the time, or has no such file.
  init?(of run: URL, in folder: URL) {
    for _ in 0..<20 {
      try? FileManager.default.removeItem(at: folder)
      let before = Self.list(run)
      guard !before.isEmpty else { return nil }
      var links: [String: URL] = [:]
      for (number, name) in before.keys.enumerated() {
        let copy = folder.appending(path: "\(number)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if link(run.path + "/" + name, copy.path) == 0 { links[name] = copy }
      }
      if links.count == before.count, Self.list(run) == before {
        (files, marks, self.folder) = (links, before, folder)
        return
      }
    }
    return nil
  }

  /// The hash of each file.
  /// - Parameter known: those of files that were not replaced since; takes up the others.
  func hashes(_ known: inout [[Int]: String]) throws -> [String: String] {
    var found: [String: String] = [:]
    var used: [[Int]: String] = [:]
    for (name, file) in files {
      let mark = marks[name] ?? []
      let hash = try known[mark] ?? Checksum.sha256(of: file)
      (found[name], used[mark]) = (hash, hash)
    }
    known = used
    return found
  }

  /// Removes the links.
  func remove() { try? FileManager.default.removeItem(at: folder) }
}
