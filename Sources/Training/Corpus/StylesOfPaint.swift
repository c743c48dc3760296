/// Styles of colour: what is seen becomes pixels, tiles, glass or paint.
extension StyleWork {
  /// Blocks of few colours with a dark outline.
  mutating func pixelArt() {
    let block = length(4)
    let cells = (size + block - 1) / block
    var covered = [Float](repeating: 0, count: cells * cells)
    let mask = mask
    for y in 0..<size {
      for x in 0..<size { covered[y / block * cells + x / block] += mask[y * size + x] }
    }
    let full = Float(block * block)
    func isObject(_ x: Int, _ y: Int) -> Bool {
      (0..<cells).contains(x) && (0..<cells).contains(y) && covered[y * cells + x] > full / 2
    }
    for cy in 0..<cells {
      for cx in 0..<cells {
        var color = mean(cx * block, cy * block, block, block)
        // Eight levels: fewer would tint skin.
        color = (Self.saturated(color, 1.1) / 36).rounded(.toNearestOrEven) * 36
        let isRim =
          isObject(cx, cy)
          && !(isObject(cx - 1, cy) && isObject(cx + 1, cy) && isObject(cx, cy - 1)
            && isObject(cx, cy + 1))
        if isRim { color *= 0.45 }
        for y in cy * block..<min(cy * block + block, size) {
          for x in cx * block..<min(cx * block + block, size) { set(y * size + x, color) }
        }
      }
    }
  }

  /// Square tiles with grout between them.
  mutating func mosaic() {
    let tile = length(5)
    let gap = length(1)
    for (row, top) in stride(from: 0, to: size, by: tile).enumerated() {
      for (column, left) in stride(from: 0, to: size, by: tile).enumerated() {
        let shade = 0.82 + 0.3 * Self.noise(column, row, 1)
        let color = Self.saturated(mean(left, top, tile, tile), 1.25) * shade
        for y in top..<min(top + tile, size) {
          for x in left..<min(left + tile, size) {
            let (u, v) = (x - left, y - top)
            if u >= tile - gap || v >= tile - gap {
              set(y * size + x, 92, 86, 80)
            } else {
              let light: Float = u == 0 || v == 0 ? 22 : u == tile - gap - 1 ? -16 : 0
              set(y * size + x, color + SIMD3(repeating: light))
            }
          }
        }
      }
    }
  }

  /// Panes of one colour each, leaded together; the objects' outlines are leaded too.
  mutating func stainedGlass() {
    let pane = length(13)
    let cells = (size + pane - 1) / pane + 2
    func seed(_ cx: Int, _ cy: Int) -> SIMD2<Float> {
      SIMD2(
        (Float(cx - 1) + 0.15 + 0.7 * Self.noise(cx, cy, 2)) * Float(pane),
        (Float(cy - 1) + 0.15 + 0.7 * Self.noise(cx, cy, 3)) * Float(pane))
    }
    var seeds: [SIMD2<Float>] = []
    for cy in 0..<cells { for cx in 0..<cells { seeds.append(seed(cx, cy)) } }
    var owners = [Int](repeating: 0, count: size * size)
    var lead = [Float](repeating: 0, count: size * size)
    let width = Float(length(2)) * 0.9
    for y in 0..<size {
      for x in 0..<size {
        let (cx, cy) = (x / pane + 1, y / pane + 1)
        let here = SIMD2(Float(x) + 0.5, Float(y) + 0.5)
        var (best, next, owner) = (Float.infinity, Float.infinity, 0)
        for ny in cy - 1...min(cy + 1, cells - 1) {
          for nx in cx - 1...min(cx + 1, cells - 1) {
            let away = seeds[ny * cells + nx] - here
            let distance = (away * away).sum()
            if distance < best {
              (next, best, owner) = (best, distance, ny * cells + nx)
            } else if distance < next {
              next = distance
            }
          }
        }
        let i = y * size + x
        // Objects and ground have panes of their own.
        owners[i] = 2 * owner + (cover[i] > 127 ? 1 : 0)
        let gap = next.squareRoot() - best.squareRoot()
        lead[i] = min(max((width - gap) / width * 1.6, 0), 1)
      }
    }
    var sums = [SIMD4<Float>](repeating: .zero, count: 2 * cells * cells)
    for i in owners.indices { sums[owners[i]] += SIMD4(color(i), 1) }
    let outline = gradient(mask)
    for i in owners.indices {
      let sum = sums[owners[i]]
      let flat = SIMD3(sum.x, sum.y, sum.z) / sum.w
      let shade = 0.86 + 0.3 * Self.noise(owners[i], 7, 4)
      let glass = Self.saturated(flat * 0.55 + color(i) * 0.45, 1.5) * shade
      let rim = (outline.x[i] * outline.x[i] + outline.y[i] * outline.y[i]).squareRoot()
      let dark = max(lead[i], min(rim * 1.8, 1))
      set(i, glass * (1 - dark) + SIMD3(26, 24, 30) * dark)
    }
  }

  /// Washes on paper: soft, pale, with blooms, darker rims and an unpainted border.
  mutating func watercolour() {
    let planes = (0..<3).map { c in
      blurred((0..<size * size).map { Float(pixels[3 * $0 + c]) }, length(1))
    }
    let rim = gradient(blurred(mask, length(1)))
    let (wide, fine, wobble) = (length(26), length(7), length(9))
    let reach = Float(length(2))
    for y in 0..<size {
      for x in 0..<size {
        let i = y * size + x
        let dx = Int((Self.patches(x, y, wobble, 1) - 0.5) * 2 * reach)
        let dy = Int((Self.patches(x, y, wobble, 2) - 0.5) * 2 * reach)
        let from = min(max(y + dy, 0), size - 1) * size + min(max(x + dx, 0), size - 1)
        let color = SIMD3(planes[0][from], planes[1][from], planes[2][from])
        var ink: SIMD3<Float> = SIMD3<Float>(repeating: 255) - Self.saturated(color, 1.25)
        let broad: Float = Self.patches(x, y, wide, 3)
        let bloom: Float = broad * 0.6 + Self.patches(x, y, fine, 4) * 0.4
        let edge = (rim.x[from] * rim.x[from] + rim.y[from] * rim.y[from]).squareRoot()
        var strength: Float = 0.5 + 0.62 * bloom
        strength += 0.5 * edge + 0.06 * Self.noise(x, y, 5)
        ink *= strength
        let border = Float(min(x, y, size - 1 - x, size - 1 - y)) * 128 / Float(size)
        let painted = min(max((border - 2 - 9 * Self.patches(x, y, wobble, 6)) / 3, 0), 1)
        set(i, SIMD3<Float>(253, 250, 243) - ink * painted)
      }
    }
  }

  /// Strokes of a brush that follow the forms, thick and with ridges.
  mutating func oil() {
    let source = self
    let soft = blurred(blurred(luma, length(2)), length(2))
    let slope = gradient(soft)
    func strokes(_ spacing: Int, _ long: Float, _ wide: Float, _ salt: Int) {
      let scale = Float(size) / 128
      let (long, wide) = (long * scale, wide * scale)
      for gy in stride(from: 0, to: size, by: spacing) {
        for gx in stride(from: 0, to: size, by: spacing) {
          let x = min(gx + Int(Self.noise(gx, gy, salt) * Float(spacing)), size - 1)
          let y = min(gy + Int(Self.noise(gx, gy, salt + 1) * Float(spacing)), size - 1)
          var along = SIMD2(-slope.y[y * size + x], slope.x[y * size + x])
          if (along * along).sum() < 0.0004 {
            // Where nothing has a form, strokes lie as if painted in arcs.
            along = SIMD2(
              1, (Self.patches(x, y, length(40), 7) - 0.5) * 3)
          }
          along /= max((along * along).sum().squareRoot(), 1e-6)
          let light = (Self.noise(gx, gy, salt + 2) - 0.5) * 36
          stroke(
            x, y, along, long, wide,
            Self.saturated(source.color(y * size + x), 1.15) + SIMD3(repeating: light))
        }
      }
    }
    strokes(length(6), 8, 3.6, 10)
    strokes(length(3), 4.5, 1.9, 20)
  }

  private mutating func stroke(
    _ x: Int, _ y: Int, _ along: SIMD2<Float>, _ long: Float, _ wide: Float,
    _ color: SIMD3<Float>
  ) {
    let reach = Int(long) + 1
    for py in max(y - reach, 0)...min(y + reach, size - 1) {
      for px in max(x - reach, 0)...min(x + reach, size - 1) {
        let (dx, dy) = (Float(px - x), Float(py - y))
        let a = (dx * along.x + dy * along.y) / long
        let b = (dx * -along.y + dy * along.x) / wide
        guard a * a + b * b <= 1 else { continue }
        // Light falls on one flank of the ridge.
        let ridge = b * 20
        set(py * size + px, color + SIMD3(repeating: ridge))
      }
    }
  }
}
