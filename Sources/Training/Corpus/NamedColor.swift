import Imaging

/// A colour for backgrounds, with the names that captions use.
public struct NamedColor: Sendable, Hashable {
  /// The place in `NamedColor.all`.
  public let id: Int
  /// The name in captions: "light blue".
  public let name: String
  /// Another spelling that captions use now and then.
  public let synonyms: [String]
  /// The colour, opaque.
  public let color: Color

  /// The number of white, which is the ground where a caption names none.
  public static let whiteID = 0
  /// The number of black.
  static let blackID = 1

  /// The grounds of the corpus: told apart at a glance, and calm enough behind an object.
  public static let all: [NamedColor] = {
    let table: [(String, [String], UInt32)] = [
      ("white", [], 0xffffff), ("black", [], 0x1b1b1f), ("red", [], 0xd93a3f),
      ("orange", [], 0xf4923b), ("yellow", [], 0xffdf5d), ("green", [], 0x58b368),
      ("blue", [], 0x2f6bd8), ("light blue", [], 0xa9dcf5), ("purple", [], 0x8a57bd),
      ("pink", [], 0xf8a9c8), ("grey", ["gray"], 0x9a9da1), ("brown", [], 0x87593a),
    ]
    return table.enumerated().map { index, row in
      NamedColor(id: index, name: row.0, synonyms: row.1, color: Color(row.2))
    }
  }()

  /// The colour with a name or synonym, in any case; nil when there is none.
  public static func named(_ name: String) -> NamedColor? {
    let name = name.lowercased()
    return all.first { $0.name == name || $0.synonyms.contains(name) }
  }
}
