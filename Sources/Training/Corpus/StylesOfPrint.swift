/// Styles of line and print: what is seen becomes edges, hatching and flat inks.
extension StyleWork {
  /// Graphite on paper: outlines, and hatching where it is dark.
  mutating func pencil() {
    let luma = luma
    let edges = edges(coverWeight: 0.8)
    let period = length(4)
    for y in 0..<size {
      for x in 0..<size {
        let i = y * size + x
        let grain = Self.noise(x, y, 1)
        var dark = min(edges[i] * 2.1, 0.9)
        let light = luma[i]
        let across = (x + y) % period < (period + 1) / 2
        let back = (x - y + size * period) % period < (period + 1) / 2
        if light < 0.82, across { dark = max(dark, 0.16 + 0.42 * (0.82 - light)) }
        if light < 0.45, back { dark = max(dark, 0.3 + 0.5 * (0.45 - light)) }
        dark += 0.12 * (0.9 - light) * (isScene || cover[i] > 0 ? 1 : 0)
        dark = max(dark * (0.7 + 0.5 * grain), 0)
        let paper: Float = 250 - 6 * grain
        let value = paper - (paper - 48) * min(dark, 1)
        set(i, value, value - 1, value - 5 * (1 - dark))
      }
    }
  }

  /// Black ink on cream paper, cut in lines that swell where it is dark.
  mutating func woodcut() {
    let luma = blurred(luma, length(1))
    let edges = edges(coverWeight: 1)
    let period = Float(size) / 128 * 5
    for y in 0..<size {
      for x in 0..<size {
        let i = y * size + x
        let wave = SceneBrush.wave(Float(x) / Float(size) * 2.2 + Self.patches(x, y, length(30), 2))
        let line = (Float(y) + 1.8 * wave * period / 5) / period
        let part = abs((line - line.rounded(.down)) * 2 - 1)
        let dark = min(max((0.93 - luma[i]) * 1.35, 0), 0.92)
        // Half a pixel of softness at the cut.
        var ink = min(max((dark - part) * 4 + 0.5, 0), 1)
        if dark < 0.06 { ink = 0 }
        ink = max(ink, min(max(edges[i] * 3 - 0.7, 0), 1))
        set(i, SIMD3(243, 230, 203) * (1 - ink) + SIMD3(34, 25, 22) * ink)
      }
    }
  }

  /// Glowing tubes along the edges, in the dark.
  mutating func neon() {
    let edges = edges(coverWeight: 0.9)
    var tubes = [[Float]](repeating: [Float](repeating: 0, count: size * size), count: 3)
    let soft = (0..<3).map { c in
      blurred((0..<size * size).map { Float(pixels[3 * $0 + c]) }, length(1))
    }
    for i in edges.indices {
      let dim: Float = cover[i] > 0 ? 1 : 0.75
      let strength = min(max(edges[i] * 2.2 - 0.28, 0), 1) * dim
      guard strength > 0 else { continue }
      var hue = SIMD3(soft[0][i], soft[1][i], soft[2][i])
      let (low, high) = (hue.min(), hue.max())
      if high - low < 40 {
        // Greys have no hue: they glow in the two colours of every bar.
        hue = i / size < size / 2 ? SIMD3(60, 220, 255) : SIMD3(255, 70, 200)
      } else {
        hue = (hue - SIMD3(repeating: low)) / (high - low) * 235 + SIMD3(repeating: 20)
      }
      for c in 0..<3 { tubes[c][i] = hue[c] * strength }
    }
    let near = tubes.map { blurred($0, length(1)) }
    let far = tubes.map { blurred(blurred($0, length(4)), length(4)) }
    for i in edges.indices {
      var color = SIMD3<Float>(13, 9, 28)
      for c in 0..<3 { color[c] += 0.75 * tubes[c][i] + 0.6 * near[c][i] + 1.3 * far[c][i] }
      set(i, color)
    }
  }

  /// White lines on blue paper with a grid.
  mutating func blueprint() {
    let edges = edges(coverWeight: 1)
    let (fine, coarse) = (length(8), length(32))
    for y in 0..<size {
      for x in 0..<size {
        let i = y * size + x
        var color = SIMD3<Float>(24, 70, 150)
        if x % fine == 0 || y % fine == 0 { color += SIMD3(12, 18, 24) }
        if x % coarse == 0 || y % coarse == 0 { color += SIMD3(20, 26, 32) }
        color += SIMD3(14, 20, 26) * (Float(cover[i]) / 255)
        let line = min(max(edges[i] * 2.4 - 0.12, 0), 1)
        set(i, color * (1 - line) + SIMD3(232, 242, 255) * line)
      }
    }
  }

  /// Objects in one dark ink; in a pale one where the ground is dark.
  mutating func silhouette() {
    var ground: Float = 0
    var count: Float = 0
    for i in stride(from: 0, to: size * size, by: 7) where cover[i] == 0 {
      ground += (color(i) * SIMD3(0.299, 0.587, 0.114)).sum()
      count += 1
    }
    let ink: SIMD3<Float> =
      count > 0 && ground / count < 80 ? SIMD3(244, 240, 228) : SIMD3(18, 18, 26)
    for i in cover.indices where cover[i] > 0 {
      let part = Float(cover[i]) / 255
      set(i, color(i) * (1 - part) + ink * part)
    }
  }

  /// Flat saturated inks, rays behind, a bold outline and a paper frame.
  mutating func poster() {
    let planes = (0..<3).map { c in
      blurred((0..<size * size).map { Float(pixels[3 * $0 + c]) }, length(1))
    }
    let mask = mask
    let grown = blurred(mask, length(2))
    let frame = length(7)
    let rule = length(2)
    let middle = Float(size) / 2
    for y in 0..<size {
      for x in 0..<size {
        let i = y * size + x
        let border = min(x, y, size - 1 - x, size - 1 - y)
        if border < frame {
          if border >= frame - rule { set(i, 30, 28, 34) } else { set(i, 246, 236, 214) }
          continue
        }
        var color = Self.saturated(SIMD3(planes[0][i], planes[1][i], planes[2][i]), 1.2)
        color = (color / 42.5).rounded(.toNearestOrEven) * 42.5
        if !isScene {
          let (dx, dy) = (Float(x) + 0.5 - middle, Float(y) + 0.5 - middle)
          // The angle on a diamond instead of a circle: 0 to 4 around.
          let part = dy / (abs(dx) + abs(dy))
          let angle = dx >= 0 ? 1 + part : 3 - part
          let isRay = Int(angle * 5) % 2 == 0
          let ground = self.color(i)
          let ray = isRay ? ground : ground * 0.86 + SIMD3(repeating: 10)
          color = color * mask[i] + ray * (1 - mask[i])
        }
        let rim = min(max(grown[i] * 3.2, 0), 1) * (1 - mask[i])
        color = color * (1 - rim) + SIMD3(26, 24, 32) * rim
        set(i, color)
      }
    }
  }
}
