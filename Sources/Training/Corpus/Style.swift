/// A manner of painting, made by image processing on the finished render.
public struct Style: Sendable, Hashable {
  /// The place in `Style.all`.
  public let id: Int
  /// The name, as in "a fox, watercolour".
  public let name: String
  /// Works in the style, with the article they take: "a watercolour". The first is commonest.
  public let works: [String]
  /// What stands before an object's name, without an article: "watercolour". Nil where English has no
  /// such word.
  public let adjective: String?
  /// Whether a coloured ground can still be told; else examples have white ground and name none.
  public let keepsColor: Bool

  /// How the style is painted.
  let technique: Technique

  /// The words for it.
  var manner: Manner { Manner(name: name, works: works, adjective: adjective) }

  /// What makes the styles.
  enum Technique: Sendable {
    case pixelArt, pencil, watercolour, oil, stainedGlass, mosaic, woodcut, neon, blueprint
    case silhouette, poster
  }

  /// The styles of the corpus.
  public static let all: [Style] = {
    let table: [(Technique, String, [String], String?, Bool)] = [
      (.pixelArt, "pixel art", ["pixel art"], "pixel art", true),
      (.pencil, "pencil sketch", ["a pencil sketch", "a pencil drawing"], nil, false),
      (
        .watercolour, "watercolour",
        ["a watercolour", "a watercolor", "a watercolour painting"], "watercolour", true
      ),
      (.oil, "oil painting", ["an oil painting"], nil, true),
      (
        .stainedGlass, "stained glass", ["a stained glass window", "stained glass"],
        "stained glass", true
      ),
      (.mosaic, "mosaic", ["a mosaic", "a tile mosaic"], "mosaic", true),
      (.woodcut, "woodcut", ["a woodcut", "a woodcut print"], "woodcut", false),
      (.neon, "neon sign", ["a neon sign", "neon lights"], "neon", false),
      (.blueprint, "blueprint", ["a blueprint"], "blueprint", false),
      (.silhouette, "silhouette", ["a silhouette"], nil, true),
      (.poster, "poster", ["a poster", "a print"], nil, true),
    ]
    return table.enumerated().map { id, row in
      Style(
        id: id, name: row.1, works: row.2, adjective: row.3, keepsColor: row.4, technique: row.0)
    }
  }()

  /// The style with a name; nil when there is none.
  public static func named(_ name: String) -> Style? {
    all.first { $0.name == name.lowercased() }
  }
}
