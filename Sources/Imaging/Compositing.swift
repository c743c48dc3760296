// Porter & Duff, "Compositing Digital Images" (1984), operator "over", on straight alpha.

/// `value / 255`, rounded to nearest, for 0...65535.
@inline(__always)
func divideBy255(_ value: Int) -> Int {
  let shifted = value &+ 128
  return (shifted &+ (shifted >> 8)) >> 8
}

/// Lays one pixel over another in place. `to` points to 3 or 4 channels.
@inline(__always)
func blend(
  red: Int, green: Int, blue: Int, alpha: Int, to: UnsafeMutablePointer<UInt8>, channels: Int
) {
  if alpha == 0 { return }
  let below = channels == 4 ? Int(to[3]) : 255
  if alpha == 255 || below == 0 {
    to[0] = UInt8(truncatingIfNeeded: red)
    to[1] = UInt8(truncatingIfNeeded: green)
    to[2] = UInt8(truncatingIfNeeded: blue)
    if channels == 4 { to[3] = UInt8(truncatingIfNeeded: alpha) }
    return
  }
  if below == 255 {
    let rest = 255 &- alpha
    to[0] = UInt8(truncatingIfNeeded: divideBy255(red &* alpha &+ Int(to[0]) &* rest))
    to[1] = UInt8(truncatingIfNeeded: divideBy255(green &* alpha &+ Int(to[1]) &* rest))
    to[2] = UInt8(truncatingIfNeeded: divideBy255(blue &* alpha &+ Int(to[2]) &* rest))
    return
  }
  let over = alpha &* 255
  let under = below &* (255 &- alpha)
  let total = over &+ under
  to[0] = UInt8(truncatingIfNeeded: (red &* over &+ Int(to[0]) &* under &+ total / 2) / total)
  to[1] = UInt8(truncatingIfNeeded: (green &* over &+ Int(to[1]) &* under &+ total / 2) / total)
  to[2] = UInt8(truncatingIfNeeded: (blue &* over &+ Int(to[2]) &* under &+ total / 2) / total)
  to[3] = UInt8(truncatingIfNeeded: divideBy255(total))
}

extension Picture {
  /// The picture without alpha, laid over a ground of one colour. The ground's own alpha is ignored.
  public func composited(over ground: Color) -> Picture {
    guard channels == 4 else { return self }
    let pixels = width * height
    let result = [UInt8](unsafeUninitializedCapacity: pixels * 3) { buffer, initialized in
      bytes.withUnsafeBufferPointer { from in
        let (red, green, blue) = (Int(ground.red), Int(ground.green), Int(ground.blue))
        for i in 0..<pixels {
          let alpha = Int(from[4 * i + 3])
          let rest = 255 - alpha
          buffer[3 * i] = UInt8(divideBy255(Int(from[4 * i]) * alpha + red * rest))
          buffer[3 * i + 1] = UInt8(divideBy255(Int(from[4 * i + 1]) * alpha + green * rest))
          buffer[3 * i + 2] = UInt8(divideBy255(Int(from[4 * i + 2]) * alpha + blue * rest))
        }
      }
      initialized = pixels * 3
    }
    return Picture(unchecked: result, width: width, height: height, channels: 3)
  }

  /// Draws another picture over this one, its left upper corner at column `x` and row `y`; what
  /// falls outside is left out.
  public mutating func draw(_ picture: Picture, x: Int, y: Int) {
    guard
      let columns = Self.overlap(at: x, size: picture.width, within: width),
      let rows = Self.overlap(at: y, size: picture.height, within: height)
    else { return }
    let (channels, width) = (channels, width)
    withBytes { to in
      guard let target = to.baseAddress else { return }
      picture.bytes.withUnsafeBufferPointer { from in
        for row in rows {
          var source = (row * picture.width + columns.lowerBound) * picture.channels
          var offset = ((y + row) * width + x + columns.lowerBound) * channels
          for _ in columns {
            blend(
              red: Int(from[source]), green: Int(from[source + 1]), blue: Int(from[source + 2]),
              alpha: picture.channels == 4 ? Int(from[source + 3]) : 255,
              to: target + offset, channels: channels)
            source += picture.channels
            offset += channels
          }
        }
      }
    }
  }

  /// Fills a rectangle with a colour, laid over what is there; what falls outside is left out.
  public mutating func fill(x: Int, y: Int, width: Int, height: Int, color: Color) {
    guard
      let columns = Self.overlap(at: x, size: width, within: self.width),
      let rows = Self.overlap(at: y, size: height, within: self.height)
    else { return }
    let (channels, lineWidth) = (channels, self.width)
    withBytes { to in
      guard let target = to.baseAddress else { return }
      for row in rows {
        for column in columns {
          blend(
            red: Int(color.red), green: Int(color.green), blue: Int(color.blue),
            alpha: Int(color.alpha),
            to: target + ((y + row) * lineWidth + x + column) * channels, channels: channels)
        }
      }
    }
  }

  /// The part of `0..<size` that lands within `0..<limit` when moved by `start`; nil when none.
  static func overlap(at start: Int, size: Int, within limit: Int) -> Range<Int>? {
    guard size > 0, start < limit, start > -size else { return nil }
    let lower = start < 0 ? -start : 0
    let upper = start > 0 ? min(size, limit - start) : min(size, limit + lower)
    return lower < upper ? lower..<upper : nil
  }
}
