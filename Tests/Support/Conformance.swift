import Foundation
import Testing

/// Real files made by others, which lie beside the checkout or where REVERIE_CONFORMANCE says. Nothing of
/// them is part of the project.
public enum Conformance {
  /// The folder; nil where it is not there.
  public static let folder: URL? = {
    let told = ProcessInfo.processInfo.environment["REVERIE_CONFORMANCE"].map { URL(filePath: $0) }
    let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder =
      told ?? checkout.deletingLastPathComponent().appending(path: "shared/conformance")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// Whether it is there.
  public static var isThere: Bool { folder != nil }

  /// What tests say that are left out without it.
  public static let absent: Comment =
    "needs files made by others in ../shared/conformance, or where REVERIE_CONFORMANCE says"

  /// A file of it.
  public static func url(_ path: String) throws -> URL {
    try #require(folder).appending(path: path)
  }

  /// What a JSON file of it holds; Python's NaN and infinities are nil.
  public static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
    let text = try String(contentsOf: url(path), encoding: .utf8)
    let sound = text.replacing(/:\s*(NaN|-?Infinity)/, with: ": null")
    return try JSONDecoder().decode(type, from: Data(sound.utf8))
  }
}
