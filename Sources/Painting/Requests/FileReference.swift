import Foundation
import Imaging
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
  public var json: JSONValue { .object(["name": .string(name), "sha256": .string(sha256)]) }

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

extension URL {
  /// - Throws: `ImagingError.unreadable` unless it is, or links to, a regular file.
  func checkRegularFile() throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw ImagingError.unreadable(path: relativePath, reason: String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw ImagingError.unreadable(
        path: relativePath, reason: isFolder ? "it is a folder" : "it is not a regular file")
    }
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
  /// - Throws: when it cannot be read, or is no regular file: a pipe would be waited for.
  public mutating func add(_ url: URL) throws -> FileReference {
    try url.checkRegularFile()
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
