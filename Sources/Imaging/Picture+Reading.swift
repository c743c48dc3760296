import CImage
import Foundation

extension Picture {
  /// Reads a PNG, JPEG or WebP file, told apart by the first bytes. All kinds become 8-bit RGB, or
  /// RGBA where the file has transparency; the EXIF orientation is applied.
  ///
  /// Throws `ImagingError` naming the file when it cannot be read, is of another kind, is damaged
  /// or cut off, or goes beyond the limits.
  public static func read(from path: String, limits: ReadingLimits = .init()) throws -> Picture {
    try Picture(
      decoding: FileInput.read(path, limit: limits.bytes), name: path, limits: limits)
  }

  /// Reads a file as `read(from:limits:)` does with a path.
  public static func read(from url: URL, limits: ReadingLimits = .init()) throws -> Picture {
    try read(from: url.path, limits: limits)
  }

  /// Decodes the contents of a PNG, JPEG or WebP file.
  ///
  /// - Parameter name: What errors call the data.
  public init(decoding data: Data, name: String = "The picture", limits: ReadingLimits = .init())
    throws
  {
    guard data.count <= limits.bytes else {
      throw FileInput.tooLarge(name, data.count, limits.bytes)
    }
    let decoded: Picture = try data.withUnsafeBytes { raw in
      let bytes = raw.bindMemory(to: UInt8.self)
      guard let kind = PictureKind(startOf: bytes) else {
        throw ImagingError.unknownKind(name: name)
      }
      let picture = try Self.decode(bytes, kind: kind, name: name, limits: limits)
      return picture.oriented(exif: EXIF(of: bytes, kind)?.orientation() ?? 1)
    }
    self = decoded
  }

  private static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, kind: PictureKind, name: String, limits: ReadingLimits
  ) throws -> Picture {
    var pixels = cimage_pixels()
    var message = [CChar](repeating: 0, count: Int(CIMAGE_MESSAGE))
    let limit = UInt64(max(limits.pixels, 0))
    let status =
      switch kind {
      case .png: cimage_png_decode(bytes.baseAddress, bytes.count, limit, &pixels, &message)
      case .jpeg: cimage_jpeg_decode(bytes.baseAddress, bytes.count, limit, &pixels, &message)
      case .webp: cimage_webp_decode(bytes.baseAddress, bytes.count, limit, &pixels, &message)
      }
    let reason = text(of: message)
    switch status {
    case CIMAGE_OK: break
    case CIMAGE_TOO_LARGE:
      throw ImagingError.tooLarge(
        name: name,
        reason: "\(pixels.width) x \(pixels.height) pixels; at most \(limits.pixels) are read")
    case CIMAGE_UNSUPPORTED:
      throw ImagingError.unsupported(name: name, kind: kind.name, reason: reason)
    case CIMAGE_MEMORY: throw ImagingError.tooLarge(name: name, reason: "memory is short")
    default: throw ImagingError.corrupt(name: name, kind: kind.name, reason: reason)
    }
    guard let start = pixels.bytes else {
      throw ImagingError.corrupt(name: name, kind: kind.name, reason: "no pixels")
    }
    defer { cimage_free(start) }
    let (width, height, channels) = (Int(pixels.width), Int(pixels.height), Int(pixels.channels))
    let count = width * height * channels
    return Picture(
      unchecked: Array(UnsafeBufferPointer(start: start, count: count)),
      width: width, height: height, channels: channels)
  }

  /// The text before the first zero.
  static func text(of message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// The kinds of picture files, told apart by their first bytes.
enum PictureKind {
  case png, jpeg, webp

  init?(startOf bytes: UnsafeBufferPointer<UInt8>) {
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if bytes.count >= 12, bytes.starts(with: "RIFF".utf8),
      bytes[8..<12].elementsEqual("WEBP".utf8)
    {
      self = .webp
    } else {
      return nil
    }
  }

  var name: String {
    switch self {
    case .png: "PNG"
    case .jpeg: "JPEG"
    case .webp: "WebP"
    }
  }
}
