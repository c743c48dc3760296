import Foundation
import Weights

/// A file named by its content: what a request says of a picture to begin from, a mask, an embedding.
public struct FileReference: Sendable, Hashable, Codable {
  /// The file's name, without folders.
  public var name: String
  /// SHA-256 of the file, 64 lower-case hexadecimal digits.
  public var sha256: String

  /// - Parameters:
  ///   - name: the file's name.
  ///   - sha256: of the file.
  public init(name: String, sha256: String) {
    self.name = name
    self.sha256 = sha256
  }

  /// As it stands in JSON.
  var json: JSONValue { .object(["name": .string(name), "sha256": .string(sha256)]) }

  /// Reads `json`; nil when it is not that.
  init?(json: JSONValue) {
    guard case .object(let fields) = json, case .string(let file) = fields["name"],
      case .string(let hash) = fields["sha256"], fields.count == 2, hash.count == 64,
      hash.allSatisfy({ $0.isHexDigit && !$0.isUppercase }), !file.isEmpty,
      !file.contains("/"), !file.utf8.contains(0)
    else { return nil }
    self.init(name: file, sha256: hash)
  }
}

/// The files that a request names, and where they lie.
public struct Attachments: Sendable, Hashable {
  /// Where each lies, by the SHA-256 of its content.
  public private(set) var files: [String: URL] = [:]

  /// None.
  public init() {}

  /// These files, by the SHA-256 of their content.
  init(_ files: [String: URL]) { self.files = files }

  /// Adds a file.
  /// - Returns: what a request calls it.
  /// - Throws: when it cannot be read.
  public mutating func add(_ url: URL) throws -> FileReference {
    let hash = try Checksum.sha256(of: url)
    files[hash] = url
    return FileReference(name: url.lastPathComponent, sha256: hash)
  }

  /// Adds a file where it is known to have this content.
  public mutating func add(_ reference: FileReference, at url: URL) {
    files[reference.sha256] = url
  }

  /// Where a file lies.
  /// - Throws: `PaintingError.missingFile`.
  public func url(_ reference: FileReference) throws -> URL {
    guard let url = files[reference.sha256] else {
      throw PaintingError.missingFile(name: reference.name)
    }
    return url
  }
}
