/// One text that travels in a file: a keyword such as `parameters` and what it says.
public struct PictureText: Sendable, Hashable {
  /// 1 to 79 printable ASCII characters without spaces at the ends.
  public var keyword: String
  /// Any text without U+0000.
  public var text: String

  /// Makes a text.
  public init(keyword: String, text: String) {
    self.keyword = keyword
    self.text = text
  }

  /// Throws `ImagingError.notEncodable` when the keyword or the text breaks its rule.
  func check(for kind: String) throws {
    guard
      (1...79).contains(keyword.utf8.count),
      keyword.utf8.allSatisfy({ (0x20...0x7e).contains($0) }),
      !keyword.hasPrefix(" "), !keyword.hasSuffix(" "), !keyword.contains("  ")
    else {
      throw ImagingError.notEncodable(
        kind: kind, reason: "'\(keyword)' is no keyword of 1 to 79 ASCII characters")
    }
    guard !text.utf8.contains(0) else {
      throw ImagingError.notEncodable(kind: kind, reason: "the text '\(keyword)' contains U+0000")
    }
  }
}

/// A text of a PNG file.
public typealias PNGText = PictureText
