import Foundation

/// What a doctor found about one thing.
package struct Finding: Codable, Equatable {
  /// How it is.
  package enum State: String, Codable {
    /// As it should be.
    case ok
    /// Worth knowing.
    case note
    /// To be mended.
    case bad
  }

  /// What was looked at.
  package let subject: String
  /// How it is.
  package let state: State
  /// What was found.
  package let text: String
  /// What to do about it.
  package let next: String?

  /// A finding of these parts; see the fields.
  package init(subject: String, state: State, text: String, next: String? = nil) {
    self.subject = subject
    self.state = state
    self.text = text
    self.next = next
  }

  /// As one line of JSON.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// Whether there is room on the disk of a folder, which need not exist yet.
  /// - Parameter next: what else to do than to make room.
  package static func disk(_ subject: String, _ folder: URL, next: String) -> Finding {
    var place = folder.absoluteURL
    while !FileManager.default.fileExists(atPath: place.path), place.path != "/" {
      place = place.deletingLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: place.path)
    guard let bytes = (attributes?[.systemFreeSize] as? NSNumber)?.doubleValue else {
      return Finding(subject: subject, state: .note, text: "the system does not tell.")
    }
    let free = bytes / Double(1 << 30)
    return Finding(
      subject: subject, state: free >= 1 ? .ok : free >= 0.2 ? .note : .bad,
      text: String(format: "%.1f GB free for pictures, under %@.", free, place.path),
      next: free >= 1 ? nil : "Free some, or \(next).")
  }
}
