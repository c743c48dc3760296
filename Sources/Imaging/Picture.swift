/// A picture in memory: interleaved 8-bit RGB or RGBA, rows from top to bottom, no row padding.
///
/// Alpha is straight (not premultiplied). Colour values are sRGB as stored in files; no profile is
/// applied.
public struct Picture: Sendable, Equatable, CustomStringConvertible {
  /// Pixels in a row, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// 3 for RGB, 4 for RGBA.
  public let channels: Int
  /// `height * width * channels` values.
  public private(set) var bytes: [UInt8]

  /// Makes a picture of bytes in row, pixel, channel order.
  ///
  /// Throws `ImagingError.badSize` when the sizes are not positive, the channels are neither 3 nor
  /// 4, or the number of bytes is another than `width * height * channels`.
  public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) throws {
    let count = try Self.byteCount(width: width, height: height, channels: channels)
    guard bytes.count == count else {
      throw ImagingError.badSize(
        "\(width) x \(height) pixels with \(channels) channels need \(count) bytes, "
          + "not \(bytes.count)")
    }
    self.init(unchecked: bytes, width: width, height: height, channels: channels)
  }

  /// Makes a picture of one colour: RGB when the colour is opaque, else RGBA.
  ///
  /// Throws `ImagingError.badSize` when the sizes are not positive or beyond memory.
  public init(width: Int, height: Int, color: Color) throws {
    let channels = color.alpha == 255 ? 3 : 4
    let count = try Self.byteCount(width: width, height: height, channels: channels)
    let pixel = [color.red, color.green, color.blue, color.alpha]
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      var offset = 0
      while offset < count {
        for channel in 0..<channels { buffer[offset + channel] = pixel[channel] }
        offset += channels
      }
      initialized = count
    }
    self.init(unchecked: bytes, width: width, height: height, channels: channels)
  }

  /// For results inside this module, whose sizes hold by construction.
  init(unchecked bytes: [UInt8], width: Int, height: Int, channels: Int) {
    self.width = width
    self.height = height
    self.channels = channels
    self.bytes = bytes
  }

  static func byteCount(width: Int, height: Int, channels: Int) throws -> Int {
    guard width > 0, height > 0 else {
      throw ImagingError.badSize("\(width) x \(height) pixels; both must be at least 1")
    }
    guard channels == 3 || channels == 4 else {
      throw ImagingError.badSize("\(channels) channels; there must be 3 (RGB) or 4 (RGBA)")
    }
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, width <= 1 << 20, height <= 1 << 20, pixels <= 1 << 28 else {
      throw ImagingError.badSize("\(width) x \(height) pixels are too many")
    }
    return pixels * channels
  }

  /// Size and channels, such as `64 x 64 RGBA`; never the pixels.
  public var description: String { "\(width) x \(height) \(channels == 4 ? "RGBA" : "RGB")" }

  /// Whether a fourth channel holds alpha.
  public var hasAlpha: Bool { channels == 4 }

  /// The colour at column `x` and row `y`, which must lie within the picture.
  public subscript(x: Int, y: Int) -> Color {
    get {
      let offset = offset(x, y)
      return Color(
        red: bytes[offset], green: bytes[offset + 1], blue: bytes[offset + 2],
        alpha: channels == 4 ? bytes[offset + 3] : 255)
    }
    set {
      let offset = offset(x, y)
      bytes[offset] = newValue.red
      bytes[offset + 1] = newValue.green
      bytes[offset + 2] = newValue.blue
      if channels == 4 { bytes[offset + 3] = newValue.alpha }
    }
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(x >= 0 && x < width && y >= 0 && y < height, "pixel outside the picture")
    return (y * width + x) * channels
  }

  /// Calls `body` with the mutable bytes.
  mutating func withBytes<Result>(_ body: (UnsafeMutableBufferPointer<UInt8>) -> Result) -> Result {
    bytes.withUnsafeMutableBufferPointer { body($0) }
  }

  /// The same picture with an alpha channel; opaque where there was none.
  public func addingAlpha() -> Picture {
    guard channels == 3 else { return self }
    let pixels = width * height
    let result = [UInt8](unsafeUninitializedCapacity: pixels * 4) { buffer, initialized in
      bytes.withUnsafeBufferPointer { from in
        for i in 0..<pixels {
          buffer[4 * i] = from[3 * i]
          buffer[4 * i + 1] = from[3 * i + 1]
          buffer[4 * i + 2] = from[3 * i + 2]
          buffer[4 * i + 3] = 255
        }
      }
      initialized = pixels * 4
    }
    return Picture(unchecked: result, width: width, height: height, channels: 4)
  }

  /// The picture with another, of as many channels, laid over a part of it.
  ///
  /// Throws `ImagingError.badSize` when that reaches outside, or has other channels.
  public func replacing(_ part: Picture, x: Int, y: Int) throws -> Picture {
    guard part.channels == channels, x >= 0, y >= 0, part.width <= width, part.height <= height,
      x <= width - part.width, y <= height - part.height
    else {
      throw ImagingError.badSize(
        "\(part) over \(self) at \(x), \(y)")
    }
    var result = bytes
    let row = part.width * channels
    for line in 0..<part.height {
      let start = ((y + line) * width + x) * channels
      result.replaceSubrange(start..<start + row, with: part.bytes[line * row..<(line + 1) * row])
    }
    return Picture(unchecked: result, width: width, height: height, channels: channels)
  }

  /// The part of the picture in the rectangle with the given left upper corner and size.
  ///
  /// Throws `ImagingError.badSize` when the rectangle is empty or reaches outside.
  public func cropped(x: Int, y: Int, width: Int, height: Int) throws -> Picture {
    guard
      width > 0, height > 0, x >= 0, y >= 0, width <= self.width, height <= self.height,
      x <= self.width - width, y <= self.height - height
    else {
      throw ImagingError.badSize(
        "the part \(width) x \(height) at \(x), \(y) of a picture of \(self.width) x \(self.height)"
      )
    }
    let row = width * channels
    var result: [UInt8] = []
    result.reserveCapacity(row * height)
    for line in y..<(y + height) {
      let start = (line * self.width + x) * channels
      result.append(contentsOf: bytes[start..<(start + row)])
    }
    return Picture(unchecked: result, width: width, height: height, channels: channels)
  }
}
