import CImage
import Foundation

/// How a picture is written to a file.
public enum PictureFormat: Sendable, Equatable {
  /// Lossless, with texts in this order.
  case png(texts: [PictureText] = [])
  /// Lossy, quality 1 to 100, with less than 64 KiB of texts. Transparent pictures are laid over
  /// white.
  case jpeg(quality: Int = 92, texts: [PictureText] = [])
  /// Lossy, quality 0 to 100, with texts; transparency is kept.
  case webp(quality: Int = 90, texts: [PictureText] = [])
  /// Lossless WebP with texts; transparency is kept.
  case webpLossless(texts: [PictureText] = [])

  /// The format of a file name's extension: `png`, `jpg`, `jpeg` or `webp`, in any case.
  ///
  /// Throws `ImagingError.unwritable` for any other.
  public init(extensionOf path: String, texts: [PictureText] = []) throws {
    switch URL(fileURLWithPath: path).pathExtension.lowercased() {
    case "png": self = .png(texts: texts)
    case "jpg", "jpeg": self = .jpeg(texts: texts)
    case "webp": self = .webp(texts: texts)
    default:
      throw ImagingError.unwritable(
        path: path, reason: "the name must end in .png, .jpg, .jpeg or .webp")
    }
  }
}

extension Picture {
  /// Writes the picture to a file, all or nothing: a temporary file in the same folder takes the
  /// final name when it is complete.
  ///
  /// - Parameters:
  ///   - format: How to write it; by the name's extension when nil.
  ///   - replacing: Whether a file of this name may be replaced.
  ///
  /// Throws `ImagingError.exists` when the file exists and may not be replaced (also when another
  /// process makes it at the same moment), `.notEncodable` or `.unwritable` otherwise.
  public func write(
    to path: String, as format: PictureFormat? = nil, replacing: Bool = false
  ) throws {
    let format = try format ?? PictureFormat(extensionOf: path)
    try FileOutput.write(encoded(as: format), to: path, replacing: replacing)
  }

  /// The contents of a file that holds the picture.
  ///
  /// Throws `ImagingError.notEncodable` when the format cannot hold the picture or its texts.
  public func encoded(as format: PictureFormat) throws -> Data {
    switch format {
    case .png(let texts): try encodedAsPNG(texts)
    case .jpeg(let quality, let texts):
      try JPEGSegments.adding(
        texts,
        to: composited(over: .white).encoded("JPEG") { pixels, buffer, message in
          cimage_jpeg_encode(pixels, Int32(min(max(quality, 1), 100)), buffer, message)
        })
    case .webp(let quality, let texts):
      try WebPContainer.adding(
        texts,
        to: encoded("WebP") { pixels, buffer, message in
          cimage_webp_encode(pixels, Float(min(max(quality, 0), 100)), 0, buffer, message)
        })
    case .webpLossless(let texts):
      try WebPContainer.adding(
        texts, to: encoded("WebP") { cimage_webp_encode($0, 75, 1, $1, $2) })
    }
  }

  private func encodedAsPNG(_ texts: [PictureText]) throws -> Data {
    for text in texts { try text.check(for: "PNG") }
    // The C strings must outlive the call.
    let strings = texts.map { (strdup($0.keyword), strdup($0.text)) }
    defer {
      for (keyword, text) in strings {
        free(keyword)
        free(text)
      }
    }
    let list = zip(texts, strings).map { text, strings in
      let isASCII = text.text.utf8.allSatisfy { $0 < 0x80 }
      return cimage_text(keyword: strings.0, text: strings.1, international: isASCII ? 0 : 1)
    }
    return try encoded("PNG") { cimage_png_encode($0, list, list.count, 6, $1, $2) }
  }

  private func encoded(
    _ kind: String,
    _ encode: (
      UnsafePointer<cimage_pixels>, UnsafeMutablePointer<cimage_buffer>,
      UnsafeMutablePointer<CChar>
    ) -> cimage_status
  ) throws -> Data {
    var buffer = cimage_buffer()
    var message = [CChar](repeating: 0, count: Int(CIMAGE_MESSAGE))
    let status = bytes.withUnsafeBufferPointer { from in
      var pixels = cimage_pixels(
        bytes: UnsafeMutablePointer(mutating: from.baseAddress), width: width, height: height,
        channels: channels)
      return encode(&pixels, &buffer, &message)
    }
    guard status == CIMAGE_OK, let start = buffer.bytes else {
      throw ImagingError.notEncodable(kind: kind, reason: Self.text(of: message))
    }
    return Data(bytesNoCopy: start, count: buffer.count, deallocator: .free)
  }
}
