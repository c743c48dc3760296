import Imaging

/// A square picture being drawn, in coordinates of 0 to 1 from the left upper corner; drawn at twice
/// the size and averaged, so that edges are smooth.
///
/// Only sums, products, quotients and roots are used, which are the same on every machine.
struct SceneBrush {
  private let side: Int
  private var values: [Float]

  init(size: Int) {
    side = 2 * size
    values = [Float](repeating: 0, count: side * side * 3)
  }

  /// The picture, H, W, C.
  var bytes: [UInt8] {
    let half = side / 2
    var bytes = [UInt8](repeating: 0, count: half * half * 3)
    for y in 0..<half {
      for x in 0..<half {
        for c in 0..<3 {
          let at = (2 * y * side + 2 * x) * 3 + c
          let sum = values[at] + values[at + 3] + values[at + side * 3] + values[at + side * 3 + 3]
          bytes[(y * half + x) * 3 + c] = UInt8(min(max(sum / 4, 0), 255) + 0.5)
        }
      }
    }
    return bytes
  }

  private static func rgb(_ hex: UInt32) -> SIMD3<Float> {
    SIMD3(Float(hex >> 16 & 255), Float(hex >> 8 & 255), Float(hex & 255))
  }

  private mutating func blend(_ x: Int, _ y: Int, _ color: SIMD3<Float>, _ alpha: Float) {
    let at = (y * side + x) * 3
    for c in 0..<3 { values[at + c] += (color[c] - values[at + c]) * alpha }
  }

  /// Colours of pixels within a box of coordinates, where `alpha` says how much.
  private mutating func paint(
    _ left: Float, _ top: Float, _ right: Float, _ bottom: Float, _ hex: UInt32,
    alpha: (Float, Float) -> Float
  ) {
    let color = Self.rgb(hex)
    let n = Float(side)
    let columns = max(Int(left * n), 0)..<max(min(Int(right * n) + 1, side), max(Int(left * n), 0))
    let rows = max(Int(top * n), 0)..<max(min(Int(bottom * n) + 1, side), max(Int(top * n), 0))
    for y in rows {
      for x in columns {
        let a = alpha((Float(x) + 0.5) / n, (Float(y) + 0.5) / n)
        if a > 0 { blend(x, y, color, min(a, 1)) }
      }
    }
  }

  /// Colours from top to bottom; the first row of `stops` must be at `top`.
  mutating func gradient(_ stops: [(y: Float, hex: UInt32)], to end: Float = 1) {
    for row in 0..<side {
      let y = (Float(row) + 0.5) / Float(side)
      guard y >= stops[0].y, y <= end else { continue }
      let next = stops.firstIndex { $0.y > y } ?? stops.count
      var color = Self.rgb(stops[next - 1].hex)
      if next < stops.count {
        let part = (y - stops[next - 1].y) / (stops[next].y - stops[next - 1].y)
        color += (Self.rgb(stops[next].hex) - color) * part
      }
      for x in 0..<side { blend(x, row, color, 1) }
    }
  }

  mutating func rectangle(
    _ x: Float, _ y: Float, _ width: Float, _ height: Float, _ hex: UInt32, alpha: Float = 1
  ) {
    paint(x, y, x + width, y + height, hex) { px, py in
      px >= x && px < x + width && py >= y && py < y + height ? alpha : 0
    }
  }

  mutating func ellipse(
    _ x: Float, _ y: Float, _ rx: Float, _ ry: Float, _ hex: UInt32, alpha: Float = 1
  ) {
    paint(x - rx, y - ry, x + rx, y + ry, hex) { px, py in
      let (u, v) = ((px - x) / rx, (py - y) / ry)
      return u * u + v * v <= 1 ? alpha : 0
    }
  }

  /// Light that fades with distance.
  mutating func glow(_ x: Float, _ y: Float, _ r: Float, _ hex: UInt32, alpha: Float = 1) {
    paint(x - r, y - r, x + r, y + r, hex) { px, py in
      let (u, v) = ((px - x) / r, (py - y) / r)
      let fade = max(1 - (u * u + v * v).squareRoot(), 0)
      return alpha * fade * fade
    }
  }

  /// A triangle with a horizontal base, its tip above (`height` positive) or below.
  mutating func triangle(
    _ tipX: Float, _ base: Float, _ width: Float, _ height: Float, _ hex: UInt32, alpha: Float = 1
  ) {
    let top = min(base, base - height)
    let bottom = max(base, base - height)
    paint(tipX - width / 2, top, tipX + width / 2, bottom, hex) { px, py in
      let part = (py - (base - height)) / height
      return part >= 0 && part <= 1 && abs(px - tipX) <= width / 2 * part ? alpha : 0
    }
  }

  /// Everything below a wavy line: `waves` of them over the width, `phase` in waves.
  mutating func hill(
    _ y: Float, _ height: Float, waves: Float, phase: Float, _ hex: UInt32, alpha: Float = 1
  ) {
    paint(0, max(y - height, 0), 1, 1, hex) { px, py in
      py >= y - height * Self.wave(px * waves + phase) ? alpha : 0
    }
  }

  /// A line of a wave, as thick as `thickness`.
  mutating func ripple(
    _ x: Float, _ y: Float, _ width: Float, _ thickness: Float, _ hex: UInt32, alpha: Float = 1
  ) {
    paint(x, y - thickness * 2, x + width, y + thickness * 2, hex) { px, py in
      let part = (px - x) / width
      let line = y + thickness * 0.8 * Self.wave(part * 2)
      return abs(py - line) <= thickness * (1 - abs(2 * part - 1)) ? alpha : 0
    }
  }

  /// Darkens or lightens everything towards a colour.
  mutating func tint(_ hex: UInt32, alpha: Float) {
    rectangle(0, 0, 1, 1, hex, alpha: alpha)
  }

  /// A wave of period 1 between -1 and 1, of parabolas: near enough to a sine.
  static func wave(_ t: Float) -> Float {
    let part = t - t.rounded(.down)
    let u = part < 0.5 ? part * 4 - 1 : part * 4 - 3
    return part < 0.5 ? 1 - u * u : u * u - 1
  }
}
