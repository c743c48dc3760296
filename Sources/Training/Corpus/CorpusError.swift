/// Why a corpus or a folder of pictures cannot be used.
public enum CorpusError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file of the corpus is not there. `package` is Debian's package that holds it.
  case missing(what: String, path: String, package: String)
  /// An annotation file is no XML, or holds no annotations.
  case badAnnotations(path: String, reason: String)
  /// Drawable characters without a name in CLDR.
  case unnamed(characters: String, path: String)
  /// Drawable characters that the font does not draw as one colour picture.
  case undrawn(characters: String, path: String)
  /// Options of a corpus that contradict each other.
  case badConfiguration(String)
  /// A folder without a single usable picture with a caption.
  case emptyFolder(path: String, skipped: [String])
  /// A folder that cannot be read.
  case unreadableFolder(path: String, reason: String)

  /// What is wrong, where, and what to do next.
  public var description: String {
    switch self {
    case .missing(let what, let path, let package):
      "\(what) is not at \(path). Install it: apt-get install \(package)"
    case .badAnnotations(let path, let reason):
      "\(path) is not a CLDR annotation file: \(reason). "
        + "Install it anew: apt-get install --reinstall unicode-cldr-core"
    case .unnamed(let characters, let path):
      "\(path) has no name for \(characters). "
        + "Upgrade CLDR to release 42 or later: apt-get install unicode-cldr-core"
    case .undrawn(let characters, let path):
      "\(path) draws no colour picture for \(characters). "
        + "Upgrade the font: apt-get install fonts-noto-color-emoji"
    case .badConfiguration(let reason):
      "The corpus cannot be made as configured: \(reason)."
    case .emptyFolder(let path, let skipped):
      "\(path) holds no usable picture with a caption. Put captions into metadata.jsonl "
        + "(file_name and text) or into name.txt beside name.png."
        + (skipped.isEmpty ? "" : " Skipped: " + Self.list(skipped))
    case .unreadableFolder(let path, let reason):
      "The folder \(path) cannot be used: \(reason)."
    }
  }

  private static func list(_ items: [String]) -> String {
    let shown = items.prefix(5).joined(separator: "; ")
    return items.count > 5 ? "\(shown); and \(items.count - 5) more." : shown + "."
  }
}
