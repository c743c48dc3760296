import Foundation
import Imaging

/// A figure of the guide: its name, and what draws it.
struct Figure {
  /// Of its file, without what tells the format. It begins with its chapter's.
  let name: String
  let draw: () async throws -> Drawn

  init(_ name: String, _ draw: @escaping () async throws -> Drawn) {
    (self.name, self.draw) = (name, draw)
  }

  init(_ name: String, sheet: @escaping () async throws -> ContactSheet) {
    self.init(name) { .picture(try await sheet().render()) }
  }

  init(_ name: String, drawing: @escaping () async throws -> Drawing) {
    self.init(name) { .drawing(try await drawing()) }
  }

  /// What was drawn.
  enum Drawn {
    case picture(Picture)
    case drawing(Drawing)

    /// Writes it, replacing what was there.
    /// - Returns: the path.
    func write(to folder: String, as name: String) throws -> String {
      switch self {
      case .picture(let picture):
        let path = "\(folder)/\(name).webp"
        try picture.write(to: path, as: .webp(quality: 88), replacing: true)
        return path
      case .drawing(let drawing):
        let path = "\(folder)/\(name).svg"
        try Data(drawing.svg.utf8).write(to: URL(filePath: path), options: .atomic)
        return path
      }
    }
  }
}
