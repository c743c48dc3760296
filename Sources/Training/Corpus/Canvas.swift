import Imaging

/// A square RGB picture within a batch's buffer.
struct Canvas {
  let pixels: UnsafeMutableBufferPointer<UInt8>
  let size: Int
  let layout: PixelLayout

  /// Fills the picture with one colour.
  mutating func clear(_ color: Color) {
    let values = (color.red, color.green, color.blue)
    let area = size * size
    switch layout {
    case .channelsFirst:
      pixels[..<area].update(repeating: values.0)
      pixels[area..<(2 * area)].update(repeating: values.1)
      pixels[(2 * area)...].update(repeating: values.2)
    case .channelsLast:
      for pixel in 0..<area {
        pixels[pixel * 3] = values.0
        pixels[pixel * 3 + 1] = values.1
        pixels[pixel * 3 + 2] = values.2
      }
    }
  }

  /// Lays a sprite over the picture; what would fall outside is left out.
  mutating func draw(_ sprite: Sprite, x left: Int, y top: Int) {
    let pixelStride = layout == .channelsLast ? 3 : 1
    let channelStride = layout == .channelsLast ? 1 : size * size
    sprite.pixels.withUnsafeBufferPointer { source in
      for row in max(-top, 0)..<max(min(sprite.height, size - top), max(-top, 0)) {
        for column in max(-left, 0)..<max(min(sprite.width, size - left), max(-left, 0)) {
          let from = (row * sprite.width + column) * 4
          let alpha = UInt32(source[from + 3])
          guard alpha > 0 else { continue }
          let to = ((top + row) * size + left + column) * pixelStride
          for c in 0..<3 {
            let at = to + c * channelStride
            let ground = (UInt32(pixels[at]) * (255 - alpha) + 127) / 255
            pixels[at] = UInt8(min(UInt32(source[from + c]) + ground, 255))
          }
        }
      }
    }
  }

  /// Replaces the picture by one of `size * size * 3` values in H, W, C order.
  mutating func copy(_ source: [UInt8]) {
    switch layout {
    case .channelsLast: _ = pixels.update(from: source)
    case .channelsFirst:
      let area = size * size
      source.withUnsafeBufferPointer { source in
        for pixel in 0..<area {
          pixels[pixel] = source[3 * pixel]
          pixels[area + pixel] = source[3 * pixel + 1]
          pixels[2 * area + pixel] = source[3 * pixel + 2]
        }
      }
    }
  }
}
