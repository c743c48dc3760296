/// A finished render on its way to a style: what the techniques share.
///
/// Everything is computed from the pixels, from which of them show objects, and from noise that
/// depends on the position alone: the same pictures give the same codes. Lengths are in pixels of a
/// picture of 128. Only operations that are the same on every machine are used.
struct StyleWork {
  let size: Int
  /// RGB, H, W, C.
  var pixels: [UInt8]
  /// How much of each pixel objects cover, 0 to 255.
  var cover: [UInt8]
  /// Whether the ground is a scene, of which something should remain.
  var isScene = false

  init(size: Int) {
    self.size = size
    pixels = [UInt8](repeating: 255, count: size * size * 3)
    cover = [UInt8](repeating: 0, count: size * size)
  }

  /// Pixels for a length on a picture of 128, at least 1.
  func length(_ at128: Float) -> Int { max(Int(at128 * Float(size) / 128 + 0.5), 1) }

  /// Notes that a sprite covers its place.
  mutating func cover(_ sprite: Sprite, x left: Int, y top: Int) {
    for row in max(-top, 0)..<max(min(sprite.height, size - top), max(-top, 0)) {
      for column in max(-left, 0)..<max(min(sprite.width, size - left), max(-left, 0)) {
        let at = (top + row) * size + left + column
        let alpha = sprite.pixels[(row * sprite.width + column) * 4 + 3]
        cover[at] = max(cover[at], alpha)
      }
    }
  }

  /// Paints the picture anew.
  mutating func apply(_ technique: Style.Technique) {
    switch technique {
    case .pixelArt: pixelArt()
    case .pencil: pencil()
    case .watercolour: watercolour()
    case .oil: oil()
    case .stainedGlass: stainedGlass()
    case .mosaic: mosaic()
    case .woodcut: woodcut()
    case .neon: neon()
    case .blueprint: blueprint()
    case .silhouette: silhouette()
    case .poster: poster()
    }
  }

  // MARK: Planes of 0 to 1

  /// Rec. 601 luma.
  var luma: [Float] {
    pixels.withUnsafeBufferPointer { pixels in
      (0..<size * size).map { i in
        (0.299 * Float(pixels[3 * i]) + 0.587 * Float(pixels[3 * i + 1])
          + 0.114 * Float(pixels[3 * i + 2])) / 255
      }
    }
  }

  /// The cover.
  var mask: [Float] { cover.map { Float($0) / 255 } }

  /// The mean of a square of `2 radius + 1` around each pixel, the border repeated.
  func blurred(_ plane: [Float], _ radius: Int) -> [Float] {
    func pass(_ plane: [Float], _ step: Int, _ line: Int) -> [Float] {
      [Float](unsafeUninitializedCapacity: plane.count) { out, count in
        plane.withUnsafeBufferPointer { plane in
          let scale = 1 / Float(2 * radius + 1)
          for start in 0..<size {
            let base = start * line
            var sum: Float = 0
            for i in -radius...radius {
              sum += plane[base + min(max(i, 0), size - 1) * step]
            }
            for i in 0..<size {
              out[base + i * step] = sum * scale
              sum += plane[base + min(i + radius + 1, size - 1) * step]
              sum -= plane[base + max(i - radius, 0) * step]
            }
          }
        }
        count = plane.count
      }
    }
    return pass(pass(plane, 1, size), size, 1)
  }

  /// Differences to the right and downwards, by central differences.
  func gradient(_ plane: [Float]) -> (x: [Float], y: [Float]) {
    var (gx, gy) = (plane, plane)
    plane.withUnsafeBufferPointer { plane in
      for y in 0..<size {
        let (up, down) = (max(y - 1, 0) * size, min(y + 1, size - 1) * size)
        for x in 0..<size {
          let (left, right) = (max(x - 1, 0), min(x + 1, size - 1))
          gx[y * size + x] = plane[y * size + right] - plane[y * size + left]
          gy[y * size + x] = plane[down + x] - plane[up + x]
        }
      }
    }
    return (gx, gy)
  }

  /// How strong the edges are: of light, and of what covers the ground.
  func edges(coverWeight: Float = 1) -> [Float] {
    let (light, mask) = (gradient(luma), gradient(mask))
    return light.x.indices.map { i in
      let a = (light.x[i] * light.x[i] + light.y[i] * light.y[i]).squareRoot()
      let b = (mask.x[i] * mask.x[i] + mask.y[i] * mask.y[i]).squareRoot()
      return min(max(a, b * coverWeight), 1)
    }
  }

  // MARK: Pixels

  @inline(__always)
  mutating func set(_ i: Int, _ r: Float, _ g: Float, _ b: Float) {
    pixels[3 * i] = UInt8(min(max(r, 0), 255) + 0.5)
    pixels[3 * i + 1] = UInt8(min(max(g, 0), 255) + 0.5)
    pixels[3 * i + 2] = UInt8(min(max(b, 0), 255) + 0.5)
  }

  @inline(__always)
  mutating func set(_ i: Int, _ color: SIMD3<Float>) { set(i, color.x, color.y, color.z) }

  @inline(__always)
  func color(_ i: Int) -> SIMD3<Float> {
    SIMD3(Float(pixels[3 * i]), Float(pixels[3 * i + 1]), Float(pixels[3 * i + 2]))
  }

  /// The mean colour of a rectangle within the picture.
  func mean(_ left: Int, _ top: Int, _ width: Int, _ height: Int) -> SIMD3<Float> {
    var sum = SIMD3<Float>()
    var count: Float = 0
    for y in top..<min(top + height, size) {
      for x in left..<min(left + width, size) {
        sum += color(y * size + x)
        count += 1
      }
    }
    return sum / max(count, 1)
  }

  /// Further from grey by a factor.
  static func saturated(_ color: SIMD3<Float>, _ factor: Float) -> SIMD3<Float> {
    let grey = SIMD3<Float>(repeating: (color * SIMD3(0.299, 0.587, 0.114)).sum())
    return grey + (color - grey) * factor
  }

  // MARK: Noise of the position

  /// 0 to 1, different for each pair of numbers and `salt`.
  @inline(__always)
  static func noise(_ x: Int, _ y: Int, _ salt: Int) -> Float {
    var h = UInt32(truncatingIfNeeded: x &* 374_761_393 &+ y &* 668_265_263 &+ salt &* 982_451_653)
    h = (h ^ (h >> 13)) &* 1_274_126_177
    h = (h ^ (h >> 16)) &* 2_246_822_519
    return Float((h ^ (h >> 15)) >> 8) / 16_777_216
  }

  /// Smooth noise, 0 to 1, of patches `scale` pixels wide.
  @inline(__always)
  static func patches(_ x: Int, _ y: Int, _ scale: Int, _ salt: Int) -> Float {
    let (cx, cy) = (x / scale, y / scale)
    var (u, v) = (Float(x % scale) / Float(scale), Float(y % scale) / Float(scale))
    u = u * u * (3 - 2 * u)
    v = v * v * (3 - 2 * v)
    let top = noise(cx, cy, salt) * (1 - u) + noise(cx + 1, cy, salt) * u
    let bottom = noise(cx, cy + 1, salt) * (1 - u) + noise(cx + 1, cy + 1, salt) * u
    return top * (1 - v) + bottom * v
  }
}
