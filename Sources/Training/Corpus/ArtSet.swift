import Foundation

/// A hand that drew the concepts: Noto's font, or one of four more sets of drawings of the same emoji.
public enum ArtSet: String, Sendable, Codable, CaseIterable {
  /// Debian's Noto Color Emoji, which draws all concepts.
  case noto
  /// Microsoft's Fluent emoji, rendered in three dimensions.
  case fluent3D = "fluent-3d"
  /// The same, flat.
  case fluentFlat = "fluent-flat"
  /// Twitter's emoji.
  case twemoji
  /// Google's emoji of before 2017, blobs among them.
  case blobmoji

  /// The number among all hands.
  public var id: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// Whether it is one of Fluent's two, of which a tenth is never shown in a scene.
  var isFluent: Bool { self == .fluent3D || self == .fluentFlat }

  /// How captions name it.
  var manner: Manner {
    switch self {
    case .noto: Manner(name: "emoji", works: ["an emoji"], adjective: "emoji")
    case .fluent3D:
      Manner(name: "3d render", works: ["a 3d render", "a 3d model", "3d art"], adjective: "3d")
    case .fluentFlat:
      Manner(
        name: "flat design", works: ["a flat drawing", "flat art"], adjective: "flat")
    case .twemoji: Manner(name: "icon", works: ["an icon", "a plain icon"], adjective: nil)
    case .blobmoji:
      Manner(name: "cartoon", works: ["a cartoon blob", "a cartoon"], adjective: "cartoon")
    }
  }
}

/// The words for a manner of drawing or painting.
struct Manner: Sendable, Hashable {
  /// As in "a fox, watercolour".
  let name: String
  /// Works in the manner, with the article they take: "a watercolour". The first is commonest.
  let works: [String]
  /// What stands before an object's name, without an article; nil where English has no such word.
  let adjective: String?
}

/// A folder with the drawings of all hands but Noto's: `SET/CODEPOINTS.webp`, the code points of an emoji in
/// hexadecimal digits without U+FE0F, joined by `-`.
public struct ArtFolder: Sendable {
  /// The variable of the environment that names one.
  public static let variable = "REVERIE_ART"

  /// The folder.
  public let url: URL
  /// The hands that it has.
  public let sets: [ArtSet]

  /// The names of each hand's files.
  private let names: [ArtSet: Set<String>]

  /// Looks which hands a folder has.
  /// - Throws: `CorpusError.unreadableFolder` when there is none.
  public init(_ url: URL) throws {
    self.url = url
    var names: [ArtSet: Set<String>] = [:]
    for set in ArtSet.allCases where set != .noto {
      let files = try? FileManager.default.contentsOfDirectory(
        atPath: url.appending(path: set.rawValue).path)
      if let files, !files.isEmpty { names[set] = Set(files) }
    }
    self.names = names
    sets = ArtSet.allCases.filter { names[$0] != nil }
    guard !sets.isEmpty else {
      let names = ArtSet.allCases.dropFirst().map(\.rawValue).joined(separator: ", ")
      throw CorpusError.unreadableFolder(
        path: url.path, reason: "it has none of the folders \(names)")
    }
  }

  /// The folder at a path, else the one that the environment names; nil where neither says one.
  public init?(named path: String?) throws {
    guard let path = path ?? ProcessInfo.processInfo.environment[Self.variable] else { return nil }
    try self.init(URL(filePath: path))
  }

  /// The file of a drawing; nil when the hand did not draw it.
  func file(_ set: ArtSet, _ sequence: String) -> URL? {
    let name =
      sequence.unicodeScalars.filter { $0 != "\u{fe0f}" }
      .map { String($0.value, radix: 16) }.joined(separator: "-") + ".webp"
    guard names[set]?.contains(name) == true else { return nil }
    return url.appending(path: "\(set.rawValue)/\(name)")
  }
}
