import Foundation
import Weights

/// The configurations that lie beside a file of weights: transformers' `config.json`, taming's yaml. None
/// is needed; what they say and shapes do not is used.
public struct Sidecars: Sendable {
  /// Something that a file said.
  struct Told<Value: Sendable>: Sendable {
    let value: Value
    /// The file's name.
    let name: String
  }

  /// Where they lie.
  public let folder: URL

  private static let longest = 4 << 20

  init(in folder: URL) { self.folder = folder }

  /// The bytes of a file; nil when it is not there, or is larger than any configuration.
  public func read(_ name: String) -> Data? { Self.read(folder.appending(path: name)) }

  /// What a JSON file says; nil when it is not there or says something else.
  public func decode<Value: Decodable>(_ type: Value.Type, _ name: String) -> Value? {
    read(name).flatMap { try? JSONDecoder().decode(type, from: $0) }
  }

  static func read(_ url: URL) -> Data? { try? RegularFile.data(at: url, limit: longest) }
}
