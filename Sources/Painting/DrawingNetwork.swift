import Foundation
import Library
import Models

/// An installed network that draws, as far as its files and its name tell: networks of one architecture were
/// trained in different ways.
public struct DrawingNetwork: Sendable {
  /// Its sizes.
  public let config: any NetworkConfig
  /// What it is installed as, where it came from, and the names of its files.
  public let names: [String]

  /// Whether one of its names holds a word; capital letters and what stands between letters and digits do
  /// not count.
  public func isNamed(_ word: String) -> Bool {
    names.contains { plainName($0).contains(plainName(word)) }
  }
}

extension ModelLibrary {
  /// The network of an architecture in an installed model.
  /// - Throws: `StoreError` when there is none.
  func drawing(_ architecture: Architecture, of id: String?) throws -> DrawingNetwork? {
    let id = try id ?? first(architecture)
    let record = try store.model(id).record
    return try component(architecture, of: id).config.map {
      DrawingNetwork(
        config: $0,
        names: [id, URL(filePath: record.source).lastPathComponent] + record.files.keys.sorted())
    }
  }
}
