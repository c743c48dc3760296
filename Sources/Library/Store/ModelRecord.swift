import Foundation

/// Size and checksum of one file.
public struct FileRecord: Codable, Sendable, Equatable {
  /// Bytes.
  public var size: Int
  /// SHA-256, 64 lower-case hexadecimal digits.
  public var sha256: String

  /// - Parameters:
  ///   - size: bytes.
  ///   - sha256: 64 hexadecimal digits.
  public init(size: Int, sha256: String) {
    self.size = size
    self.sha256 = sha256
  }
}

/// What `model.json` in an installed model's folder says.
public struct ModelRecord: Codable, Sendable, Equatable {
  /// The version of this format that the program reads.
  public static let currentSchema = 1

  /// What a model is used as: the word of its architecture, "clip" or "upscaler" for instance.
  public struct Kind: RawRepresentable, Codable, Sendable, Hashable, ExpressibleByStringLiteral {
    /// The word.
    public let rawValue: String
    /// The kind of a word.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// The kind of a word.
    public init(stringLiteral value: String) { rawValue = value }

    /// A text vocabulary by itself.
    public static let vocabulary: Kind = "vocabulary"
    /// Something that can be kept and explained but not painted with.
    public static let other: Kind = "other"
  }

  /// One network of a model.
  public struct Component: Codable, Sendable, Equatable {
    /// The file of its weights.
    public var file: String
    /// What stands before its keys in the file; nil is nothing.
    public var prefix: String?

    /// A network; see the fields.
    public init(file: String, prefix: String? = nil) { (self.file, self.prefix) = (file, prefix) }
  }

  /// Version of the format.
  public var schema = Self.currentSchema
  /// The name it is called by, and of its folder.
  public var id: String
  /// What it is used as.
  public var kind: Kind
  /// One line for people.
  public var title: String
  /// Where it came from: a path, an address, `hf:org/name@commit`.
  public var source: String
  /// The licence as its source states it, where it does.
  public var licence: String?
  /// Whether CLIP's activation is QuickGELU, where the owner said so.
  public var quickGELU: Bool?
  /// The files by their names in the folder.
  public var files: [String: FileRecord]
  /// The networks by their architecture's name; nil in records of earlier versions, whose files tell.
  public var components: [String: Component]?

  /// A record of these parts; see the fields.
  public init(
    id: String, kind: Kind, title: String, source: String, licence: String? = nil,
    quickGELU: Bool? = nil, files: [String: FileRecord] = [:]
  ) {
    self.id = id
    self.kind = kind
    self.title = title
    self.source = source
    self.licence = licence
    self.quickGELU = quickGELU
    self.files = files
  }

  /// Bytes of all files.
  public var size: Int { files.values.reduce(0) { $0 + $1.size } }

  /// A name for a model, from a file's or a repository's: small letters, digits, points, hyphens.
  public static func id(from name: String) -> String {
    let allowed = name.lowercased().unicodeScalars.map { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        || scalar == "." || scalar == "_" ? Character(scalar) : "-"
    }
    let words = String(allowed).split(separator: "-").joined(separator: "-")
    let trimmed = words.drop { $0 == "." }.prefix(80)
    return trimmed.isEmpty ? "model" : String(trimmed)
  }

  /// Whether a text can be a model's name.
  public static func isID(_ text: String) -> Bool { !text.isEmpty && id(from: text) == text }
}
