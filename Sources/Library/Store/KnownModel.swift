import Foundation

/// A public checkpoint that can be fetched by name.
public struct KnownModel: Codable, Sendable {
  /// One file of it.
  public struct File: Codable, Sendable {
    /// Its name in the store.
    public let name: String
    /// Where it is published.
    public let url: String
    /// Bytes, where they are known.
    public let size: Int?
    /// SHA-256, where it is known.
    public let sha256: String?
  }

  /// The name to call it by.
  public let id: String
  /// What it is used as.
  public let kind: ModelRecord.Kind
  /// One line for people.
  public let title: String
  /// The licence of the weights as their publisher states it.
  public let licence: String
  /// The page of the publisher.
  public let page: String
  /// A repository of the hub to fetch it from, instead of files.
  public let hub: String?
  /// The files to fetch.
  public let files: [File]?
  /// How far address and hash have been borne out: `hash` when the publisher states the hash, `none`
  /// when nobody of this project has fetched it.
  public let verified: String

  /// All that the program knows, by name.
  public static func all() throws -> [KnownModel] {
    guard let url = Bundle.module.url(forResource: "models", withExtension: "json") else {
      throw StoreError.nothing(path: "models.json", reason: "the program's registry is missing")
    }
    return try JSONDecoder().decode([KnownModel].self, from: Data(contentsOf: url))
  }
}
