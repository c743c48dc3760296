import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Names and keywords of characters, as Unicode CLDR's annotation files give them.
///
/// The format is part 7 of UTS #35 (LDML): `<annotation cp="…" type="tts">name</annotation>` and
/// `<annotation cp="…">keyword | keyword</annotation>`.
public struct Annotations: Sendable, Equatable {
  /// The name of each character sequence, without U+FE0F.
  public private(set) var names: [String: String] = [:]
  /// The keywords of each character sequence, in the file's order.
  public private(set) var keywords: [String: [String]] = [:]

  /// Nothing annotated yet.
  public init() {}

  /// Reads annotation files; where two files name the same sequence, the first holds.
  ///
  /// Throws `CorpusError.missing` or `.badAnnotations`.
  public init(paths: [String]) throws {
    for path in paths {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw CorpusError.missing(
          what: "Unicode CLDR's list of emoji names", path: path, package: "unicode-cldr-core")
      }
      try add(data, path: path)
    }
  }

  /// Adds the annotations of one XML document; `path` serves error messages.
  ///
  /// Throws `CorpusError.badAnnotations` when the document is malformed or holds no name.
  public mutating func add(_ data: Data, path: String) throws {
    let reader = Reader()
    let parser = XMLParser(data: data)
    parser.shouldResolveExternalEntities = false
    parser.delegate = reader
    guard parser.parse() else {
      let reason = parser.parserError.map { "\($0.localizedDescription)" } ?? "malformed XML"
      throw CorpusError.badAnnotations(
        path: path, reason: "line \(parser.lineNumber): \(reason)")
    }
    guard !reader.names.isEmpty else {
      throw CorpusError.badAnnotations(path: path, reason: "it names nothing")
    }
    names.merge(reader.names) { first, _ in first }
    keywords.merge(reader.keywords) { first, _ in first }
  }
}

private final class Reader: NSObject, XMLParserDelegate {
  var names: [String: String] = [:]
  var keywords: [String: [String]] = [:]
  private var sequence: String?
  private var isName = false
  private var text = ""

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    guard element == "annotation" else { return }
    sequence = attributes["cp"].map { String($0.unicodeScalars.filter { $0 != "\u{fe0f}" }) }
    isName = attributes["type"] == "tts"
    text = ""
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if sequence != nil { text += string }
  }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?,
    qualifiedName: String?
  ) {
    guard element == "annotation", let sequence, !sequence.isEmpty else { return }
    let parts = text.split(separator: "|")
      .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      .filter { !$0.isEmpty }
    if isName {
      if let name = parts.first, names[sequence] == nil { names[sequence] = name }
    } else if keywords[sequence] == nil {
      keywords[sequence] = parts
    }
    self.sequence = nil
  }
}
