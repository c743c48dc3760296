import Imaging

extension Metadata {
  /// The texts of a picture's file that hold this: the infotext that galleries read, then our JSON.
  public func texts() throws -> [PNGText] {
    [
      PNGText(keyword: Self.infotextKeyword, text: infotext),
      PNGText(keyword: Self.keyword, text: try json()),
    ]
  }

  /// The metadata of a film that Reverie wrote, of those kinds whose container can hold it (mp4, webm).
  /// - Throws: `ImagingError` when the file cannot be read; `RequestError` when Reverie did not
  ///   paint it.
  public init(ofFilmAt path: String) async throws {
    guard let text = try await VideoReader(path).info.tags[Self.keyword] else {
      throw RequestError.notARequest(
        "\(path) has no '\(Self.keyword)' tag, so Reverie did not paint it or it was stripped")
    }
    try self.init(json: text)
  }

  /// The metadata of a picture file that Reverie wrote.
  /// - Throws: `ImagingError` when the file cannot be read; `RequestError` when Reverie did not
  ///   paint it.
  public init(ofPictureAt path: String) throws {
    let texts = try PictureMetadata.read(from: path)
    guard let text = texts.last(where: { $0.keyword == Self.keyword })?.text else {
      throw RequestError.notARequest(
        "\(path) has no '\(Self.keyword)' text, so Reverie did not paint it or it was stripped")
    }
    try self.init(json: text)
  }
}
