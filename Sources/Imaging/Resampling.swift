import Foundation

/// How pixels are weighted when a picture changes its size.
public enum ResamplingFilter: String, Sendable, CaseIterable {
  /// A sinc windowed to three lobes: the sharpest.
  case lanczos3
  /// Keys, "Cubic Convolution Interpolation for Digital Image Processing" (1981), a = -0.5.
  case bicubic
  /// The mean of the covered area.
  case area
  /// The nearest pixel, for pixel art and masks.
  case nearest

  var support: Double {
    switch self {
    case .lanczos3: 3
    case .bicubic: 2
    case .area, .nearest: 0.5
    }
  }

  func weight(at position: Double) -> Double {
    let x = abs(position)
    switch self {
    case .lanczos3:
      if x == 0 { return 1 }
      let angle = Double.pi * x
      return x < 3 ? 3 * sin(angle) * sin(angle / 3) / (angle * angle) : 0
    case .bicubic:
      if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
    case .area, .nearest:
      return position > -0.5 && position <= 0.5 ? 1 : 0
    }
  }
}

extension Picture {
  /// The picture at another size, without keeping its aspect.
  ///
  /// Shrinking is antialiased (the filter widens with the scale). Rows are filtered first, rounded
  /// to 8 bits, then columns, as Pillow's `Image.resize` does, so that both agree. Alpha is
  /// premultiplied meanwhile: clear pixels give no colour to their neighbours.
  ///
  /// Throws `ImagingError.badSize` when the size is not positive or beyond memory.
  public func resized(
    width newWidth: Int, height newHeight: Int, filter: ResamplingFilter = .lanczos3
  ) throws -> Picture {
    _ = try Self.byteCount(width: newWidth, height: newHeight, channels: channels)
    guard newWidth != width || newHeight != height else { return self }
    if filter == .nearest { return nearest(newWidth, newHeight) }
    var result = channels == 4 ? premultiplied() : self
    if newWidth != width {
      result = result.filteredRows(Taps(from: width, to: newWidth, filter: filter))
    }
    if newHeight != height {
      result = result.filteredColumns(Taps(from: height, to: newHeight, filter: filter))
    }
    return channels == 4 ? result.unpremultiplied() : result
  }

  /// The picture cut to the aspect of a size around its centre, then resized to it.
  ///
  /// Throws as `resized` does.
  public func filled(
    width newWidth: Int, height newHeight: Int, filter: ResamplingFilter = .lanczos3
  ) throws -> Picture {
    _ = try Self.byteCount(width: newWidth, height: newHeight, channels: channels)
    let aspect = Double(newWidth) / Double(newHeight)
    let part = (
      width: min(width, max(1, Int((Double(height) * aspect).rounded()))),
      height: min(height, max(1, Int((Double(width) / aspect).rounded())))
    )
    return try cropped(
      x: (width - part.width) / 2, y: (height - part.height) / 2, width: part.width,
      height: part.height
    ).resized(width: newWidth, height: newHeight, filter: filter)
  }

  /// The whole picture resized to lie centred within a size, over a ground of one colour.
  ///
  /// Throws as `resized` does.
  public func fitted(
    width newWidth: Int, height newHeight: Int, ground: Color = .white,
    filter: ResamplingFilter = .lanczos3
  ) throws -> Picture {
    var result = try Picture(width: newWidth, height: newHeight, color: ground)
    let scale = min(Double(newWidth) / Double(width), Double(newHeight) / Double(height))
    let part = try resized(
      width: min(newWidth, max(1, Int((Double(width) * scale).rounded()))),
      height: min(newHeight, max(1, Int((Double(height) * scale).rounded()))), filter: filter)
    result.draw(part, x: (newWidth - part.width) / 2, y: (newHeight - part.height) / 2)
    return result
  }
}

/// For every pixel of the result along one side: the first source pixel and the weights from there,
/// in fixed point. 22 bits leave room for 8 bits of colour, the sign and the filter's overshoot.
private struct Taps {
  static let bits: Int32 = 22
  var starts: [Int] = []
  var counts: [Int] = []
  var weights: [Int32] = []
  let stride: Int

  init(from: Int, to: Int, filter: ResamplingFilter) {
    let scale = Double(from) / Double(to)
    let width = max(scale, 1)
    let support = filter.support * width
    stride = Int(support.rounded(.up)) * 2 + 1
    for index in 0..<to {
      let center = (Double(index) + 0.5) * scale
      let start = max(0, Int(center - support + 0.5))
      let end = min(from, Int(center + support + 0.5))
      var row = (start..<end).map { filter.weight(at: (Double($0) - center + 0.5) / width) }
      let sum = row.reduce(0, +)
      if sum != 0 { row = row.map { $0 / sum } }
      starts.append(start)
      counts.append(min(row.count, stride))
      let fixed = row.prefix(stride).map { Int32(($0 * Double(1 << Self.bits)).rounded()) }
      weights += fixed + [Int32](repeating: 0, count: stride - fixed.count)
    }
  }

  @inline(__always)
  static func byte(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum >> bits, 0), 255))
  }
}

extension Picture {
  private func filteredRows(_ taps: Taps) -> Picture {
    let newWidth = taps.starts.count
    let count = newWidth * height * channels
    let half = Int32(1) << (Taps.bits - 1)
    let result = [UInt8](unsafeUninitializedCapacity: count) { to, initialized in
      bytes.withUnsafeBufferPointer { from in
        taps.weights.withUnsafeBufferPointer { weights in
          var offset = 0
          for y in 0..<height {
            for x in 0..<newWidth {
              var source = (y * width + taps.starts[x]) * channels
              var (red, green, blue, alpha) = (half, half, half, half)
              let first = x * taps.stride
              for tap in first..<(first + taps.counts[x]) {
                let weight = weights[tap]
                red &+= Int32(from[source]) &* weight
                green &+= Int32(from[source + 1]) &* weight
                blue &+= Int32(from[source + 2]) &* weight
                if channels == 4 { alpha &+= Int32(from[source + 3]) &* weight }
                source &+= channels
              }
              to[offset] = Taps.byte(red)
              to[offset + 1] = Taps.byte(green)
              to[offset + 2] = Taps.byte(blue)
              if channels == 4 { to[offset + 3] = Taps.byte(alpha) }
              offset &+= channels
            }
          }
        }
      }
      initialized = count
    }
    return Picture(unchecked: result, width: newWidth, height: height, channels: channels)
  }

  private func filteredColumns(_ taps: Taps) -> Picture {
    let newHeight = taps.starts.count
    let row = width * channels
    let half = Int32(1) << (Taps.bits - 1)
    var sums = [Int32](repeating: 0, count: row)
    let result = [UInt8](unsafeUninitializedCapacity: row * newHeight) { to, initialized in
      bytes.withUnsafeBufferPointer { from in
        sums.withUnsafeMutableBufferPointer { sums in
          for y in 0..<newHeight {
            sums.update(repeating: half)
            for tap in 0..<taps.counts[y] {
              let weight = taps.weights[y * taps.stride + tap]
              let source = (taps.starts[y] + tap) * row
              for x in 0..<row { sums[x] &+= Int32(from[source &+ x]) &* weight }
            }
            for x in 0..<row { to[y * row + x] = Taps.byte(sums[x]) }
          }
        }
      }
      initialized = row * newHeight
    }
    return Picture(unchecked: result, width: width, height: newHeight, channels: channels)
  }

  private func nearest(_ newWidth: Int, _ newHeight: Int) -> Picture {
    func sources(_ from: Int, _ to: Int) -> [Int] {
      let scale = Double(from) / Double(to)
      return (0..<to).map { min(from - 1, Int((Double($0) + 0.5) * scale)) }
    }
    let (columns, rows) = (sources(width, newWidth), sources(height, newHeight))
    var result: [UInt8] = []
    result.reserveCapacity(newWidth * newHeight * channels)
    for row in rows {
      for column in columns {
        let offset = (row * width + column) * channels
        result.append(contentsOf: bytes[offset..<(offset + channels)])
      }
    }
    return Picture(unchecked: result, width: newWidth, height: newHeight, channels: channels)
  }

  private func premultiplied() -> Picture {
    mapped { pixel in
      let alpha = Int(pixel[3])
      for c in 0..<3 { pixel[c] = UInt8(truncatingIfNeeded: divideBy255(Int(pixel[c]) * alpha)) }
    }
  }

  private func unpremultiplied() -> Picture {
    mapped { pixel in
      let alpha = Int(pixel[3])
      guard alpha > 0, alpha < 255 else { return }
      for c in 0..<3 {
        let value = (Int(pixel[c]) * 255 + alpha / 2) / alpha
        pixel[c] = UInt8(truncatingIfNeeded: min(value, 255))
      }
    }
  }

  private func mapped(_ change: (UnsafeMutablePointer<UInt8>) -> Void) -> Picture {
    var result = self
    result.withBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for offset in stride(from: 0, to: bytes.count, by: 4) { change(base + offset) }
    }
    return result
  }
}
