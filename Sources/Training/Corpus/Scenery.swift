import Foundation

/// The pictures of scenes: drawn when they are first needed, then kept.
final class Scenery: @unchecked Sendable {
  private let lock = NSLock()
  /// Guarded by `lock`.
  private var kept: [Key: [UInt8]] = [:]

  private struct Key: Hashable {
    let scene: Int
    let variant: Int
    let size: Int
  }

  /// A scene without objects, H, W, C.
  func picture(scene: Int, variant: Int, size: Int) -> [UInt8] {
    let key = Key(scene: scene, variant: variant, size: size)
    if let known = lock.withLock({ kept[key] }) { return known }
    let made = Self.draw(Scene.all[scene].name, variant: variant, size: size)
    lock.withLock { kept[key] = made }
    return made
  }

  private static func draw(_ name: String, variant: Int, size: Int) -> [UInt8] {
    var painter = ScenePainter(
      brush: SceneBrush(size: size), variant: variant,
      random: KeyedRandom(seed: 1, stream: "scene/\(name)", index: UInt64(variant)))
    switch name {
    case "sky": painter.sky()
    case "sunset": painter.sunset()
    case "night": painter.night()
    case "sea": painter.sea()
    case "beach": painter.beach()
    case "meadow": painter.meadow()
    case "forest": painter.forest(dark: false)
    case "desert": painter.desert()
    case "snow": painter.snow()
    case "city": painter.city(dark: false)
    case "room": painter.room()
    case "space": painter.space()
    case "mountains": painter.mountains()
    case "underwater": painter.underwater()
    case "forest at night": painter.forest(dark: true)
    default: painter.city(dark: true)
    }
    return painter.brush.bytes
  }
}

/// Draws the scenes of `Scene.all`; each variant has its own numbers.
struct ScenePainter {
  var brush: SceneBrush
  let variant: Int
  var random: KeyedRandom

  private mutating func number(_ low: Float, _ high: Float) -> Float {
    low + (high - low) * Float(random.uniform())
  }

  private func pick(_ hexes: [UInt32]) -> UInt32 { hexes[variant % hexes.count] }

  private mutating func cloud(_ x: Float, _ y: Float, _ size: Float, _ hex: UInt32 = 0xffffff) {
    for (dx, dy, r) in [
      (-1.0, 0.15, 0.55), (-0.35, -0.25, 0.75), (0.4, -0.1, 0.7), (1.0, 0.2, 0.5), (0, 0.25, 0.8),
    ] as [(Float, Float, Float)] {
      brush.ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.62, hex, alpha: 0.92)
    }
  }

  private mutating func stars(_ count: Int, to bottom: Float) {
    for _ in 0..<count {
      let (x, y) = (number(0, 1), number(0, bottom))
      let r = number(0.003, 0.009)
      brush.ellipse(x, y, r, r, 0xffffff, alpha: number(0.6, 1))
    }
    for _ in 0..<4 {
      let (x, y) = (number(0.05, 0.95), number(0.04, bottom * 0.8))
      brush.glow(x, y, 0.035, 0xfff6d0)
      brush.ellipse(x, y, 0.009, 0.009, 0xffffff)
    }
  }

  private mutating func moon(_ x: Float, _ y: Float, _ r: Float) {
    brush.glow(x, y, r * 2.6, 0xfff3c4, alpha: 0.5)
    brush.ellipse(x, y, r, r, 0xfff3c4)
    brush.ellipse(x - r * 0.3, y - r * 0.2, r * 0.22, r * 0.2, 0xe8d9a4)
    brush.ellipse(x + r * 0.3, y + r * 0.3, r * 0.16, r * 0.15, 0xe8d9a4)
  }

  private mutating func sun(_ x: Float, _ y: Float, _ r: Float, _ hex: UInt32 = 0xffe26b) {
    brush.glow(x, y, r * 3, 0xfff2b0, alpha: 0.7)
    brush.ellipse(x, y, r, r, hex)
  }

  mutating func sky() {
    brush.gradient([
      (0, pick([0x3f8fe0, 0x4aa3ea, 0x3a83d6, 0x5aaef0])), (1, pick([0xc4e6fb, 0xd6effc])),
    ])
    if variant % 2 == 0 { sun(variant == 0 ? 0.85 : 0.14, 0.14, 0.085) }
    for _ in 0..<(3 + variant % 2) {
      cloud(number(0.08, 0.92), number(0.08, 0.42), number(0.07, 0.11))
    }
    cloud(0.2, 0.95, 0.19)
    cloud(0.55 + 0.05 * Float(variant), 0.98, 0.2)
    cloud(0.95, 0.93, 0.17)
  }

  mutating func sunset() {
    brush.gradient([
      (0, pick([0x4b2f78, 0x6a2f6d, 0x3a3a86, 0x8a3560])), (0.35, pick([0xd9496b, 0xe2614f])),
      (0.6, 0xff9a3d), (0.75, 0xffd36e), (1, 0xffd36e),
    ])
    let x = pickNumber([0.5, 0.3, 0.7, 0.82])
    brush.glow(x, 0.68, 0.5, 0xfff0a8, alpha: 0.8)
    brush.ellipse(x, 0.68, 0.13, 0.13, 0xfff1b5)
    for i in 0..<3 {
      brush.ellipse(
        number(0, 1), 0.12 + 0.13 * Float(i), number(0.2, 0.35), 0.018, 0xffb27a, alpha: 0.7)
    }
    brush.hill(0.8, 0.05, waves: 1.3, phase: 0.2 * Float(variant), 0x5a2a55)
    brush.hill(0.88, 0.03, waves: 1.9, phase: 0.4 + 0.3 * Float(variant), 0x351a3d)
  }

  private func pickNumber(_ numbers: [Float]) -> Float { numbers[variant % numbers.count] }

  mutating func night() {
    brush.gradient([
      (0, pick([0x070b26, 0x0b0d31, 0x06122b, 0x120a33])), (0.85, 0x2b3f80), (1, 0x2b3f80),
    ])
    stars(70, to: 0.8)
    moon(pickNumber([0.82, 0.16, 0.7, 0.28]), 0.16, 0.085)
    brush.hill(0.84, 0.05, waves: 1.2, phase: 0.3 * Float(variant), 0x14224a)
    brush.hill(0.91, 0.03, waves: 1.8, phase: 0.2 + 0.25 * Float(variant), 0x0a1330)
  }

  mutating func sea() {
    let horizon = pickNumber([0.42, 0.38, 0.45, 0.4])
    brush.gradient([(0, pick([0x6fb9ee, 0x8ccbf2])), (horizon, 0xd9f0fb)], to: horizon)
    if variant % 2 == 1 { sun(0.8, 0.15, 0.07) } else { cloud(0.25, 0.16, 0.09) }
    cloud(number(0.5, 0.7), 0.25, 0.06)
    brush.gradient([
      (horizon, pick([0x2a86c4, 0x2f9bc9, 0x2277b8, 0x2a8fb5])), (1, pick([0x0d4a86, 0x0f5a8a])),
    ])
    for row in 0..<9 {
      let depth = Float(row) / 8
      let y = horizon + 0.04 + 0.54 * depth * depth
      for _ in 0..<4 {
        brush.ripple(
          number(-0.1, 0.95), y + number(-0.01, 0.01), 0.1 + 0.16 * depth, 0.004 + 0.009 * depth,
          0xbfe4f5, alpha: 0.75)
      }
    }
  }

  mutating func beach() {
    brush.gradient([(0, pick([0x5fb4f0, 0x7cc4f4])), (0.32, 0xd3eefb)], to: 0.32)
    sun(pickNumber([0.84, 0.16, 0.6, 0.3]), 0.13, 0.075)
    cloud(number(0.2, 0.8), 0.2, 0.06)
    brush.gradient([(0.32, 0x1f8fc8), (0.55, 0x58c7d8)], to: 0.62)
    for y in [0.38, 0.43, 0.48] as [Float] {
      brush.ripple(number(0, 0.3), y, 0.25, 0.006, 0xe0f6fb, alpha: 0.8)
      brush.ripple(number(0.5, 0.8), y + 0.02, 0.2, 0.006, 0xe0f6fb, alpha: 0.8)
    }
    brush.hill(0.55, 0.025, waves: 1.5, phase: 0.25 * Float(variant), 0xffffff)
    brush.hill(0.575, 0.025, waves: 1.5, phase: 0.25 * Float(variant), 0xf0d698)
    brush.hill(0.8, 0.04, waves: 1.1, phase: 0.6 + 0.2 * Float(variant), 0xe5c27c)
    for _ in 0..<40 {
      brush.ellipse(number(0, 1), number(0.63, 1), 0.005, 0.004, 0xc99f58, alpha: 0.8)
    }
    if variant % 2 == 0 { palm(variant == 0 ? 0.1 : 0.9) }
  }

  private mutating func palm(_ x: Float) {
    for i in 0..<14 {
      let t = Float(i) / 13
      brush.ellipse(x + 0.03 * t * t, 0.66 - 0.4 * t, 0.017 - 0.005 * t, 0.02, 0x8b5a33)
    }
    let (cx, cy) = (x + 0.03, Float(0.26))
    for (dx, dy) in [(-0.13, 0.05), (-0.1, -0.05), (0.0, -0.09), (0.1, -0.05), (0.13, 0.05)]
      as [(Float, Float)]
    {
      for i in 0..<8 {
        let t = Float(i) / 7
        brush.ellipse(
          cx + dx * t, cy + dy * t + 0.07 * t * t, 0.026 - 0.017 * t, 0.02 - 0.012 * t, 0x2f8f46)
      }
    }
  }

  mutating func meadow() {
    brush.gradient([(0, pick([0x62b5f2, 0x7fc6f6])), (0.55, 0xdff3fc)], to: 0.6)
    if variant % 2 == 0 { sun(0.15, 0.14, 0.075) }
    cloud(number(0.4, 0.6), 0.16, 0.08)
    cloud(number(0.75, 0.95), 0.28, 0.06)
    brush.hill(0.52, 0.07, waves: 1, phase: 0.25 * Float(variant), 0x8fcf6a)
    brush.hill(0.62, 0.05, waves: 1.4, phase: 0.5 + 0.25 * Float(variant), 0x6dbb4f)
    brush.hill(0.78, 0.03, waves: 1.2, phase: 0.1 + 0.2 * Float(variant), 0x57a63f)
    for _ in 0..<60 {
      brush.triangle(number(0, 1), number(0.68, 1), 0.012, 0.04, 0x3f8a33)
    }
    let petals: [UInt32] = [0xffffff, 0xffd84d, 0xf4739c, 0xb38df0]
    for i in 0..<22 {
      let (x, y) = (number(0, 1), number(0.66, 0.99))
      brush.ellipse(x, y, 0.013, 0.013, petals[(i + variant) % 4])
      brush.ellipse(x, y, 0.005, 0.005, 0xf2a32c)
    }
  }

  mutating func forest(dark: Bool) {
    let sky: [UInt32] = dark ? [0x0a1230, 0x1d2c58] : [0xbfe3d0, 0xe6f4da]
    brush.gradient([(0, sky[0]), (0.7, sky[1])])
    if dark {
      stars(30, to: 0.4)
      moon(pickNumber([0.5, 0.3, 0.68, 0.42]), 0.14, 0.07)
    }
    for layer in 0..<3 {
      let depth = Float(layer) / 2
      let tints: [UInt32] =
        dark ? [0x1c3350, 0x13263c, 0x0b1828] : [0x8dbf8f, 0x4f9a5b, 0x2c7040]
      let count = 9 - 2 * layer
      for i in 0..<count {
        let x = (Float(i) + 0.5 + number(-0.2, 0.2)) / Float(count)
        // The middle stays open in front, for what stands there.
        if layer == 2, abs(x - 0.5) < 0.3 { continue }
        tree(x, 0.62 + 0.12 * depth, 0.42 + 0.22 * depth, tints[layer], dark: dark)
      }
    }
    brush.hill(0.72, 0.02, waves: 1.5, phase: 0.3 * Float(variant), dark ? 0x10251f : 0x4c8a3d)
    brush.hill(
      0.86, 0.02, waves: 1.2, phase: 0.1 + 0.3 * Float(variant), dark ? 0x0b1a17 : 0x3d7532)
    for _ in 0..<40 {
      brush.triangle(
        number(0, 1), number(0.76, 1), 0.014, 0.035, dark ? 0x173a2c : 0x62a84b)
    }
  }

  private mutating func tree(_ x: Float, _ base: Float, _ height: Float, _ hex: UInt32, dark: Bool)
  {
    brush.rectangle(x - 0.016, base - 0.06, 0.032, 0.14, dark ? 0x1a1614 : 0x6b4a30)
    if variant % 2 == 0 {
      for i in 0..<3 {
        let t = Float(i)
        brush.triangle(
          x, base - height * 0.22 * t, height * (0.42 - 0.08 * t), height * 0.46, hex)
      }
    } else {
      for (dx, dy) in [(-0.1, 0.3), (0.1, 0.32), (0, 0.5), (-0.05, 0.65), (0.06, 0.6)]
        as [(Float, Float)]
      {
        brush.ellipse(x + dx * height, base - dy * height, 0.17 * height, 0.17 * height, hex)
      }
    }
  }

  mutating func desert() {
    brush.gradient(
      [(0, pick([0x58a9e6, 0x79b8e8, 0xf0b15c, 0x6ab0e2])), (0.55, 0xfbe7c0)], to: 0.6)
    sun(pickNumber([0.82, 0.2, 0.5, 0.7]), 0.15, 0.09, 0xfff0a0)
    brush.hill(0.5, 0.08, waves: 0.9, phase: 0.3 * Float(variant), 0xeab765)
    brush.hill(0.62, 0.06, waves: 1.2, phase: 0.4 + 0.2 * Float(variant), 0xdd9f4c)
    brush.hill(0.78, 0.05, waves: 1, phase: 0.75 + 0.2 * Float(variant), 0xcf8d3e)
    for x in [pickNumber([0.1, 0.9, 0.08, 0.92]), pickNumber([0.94, 0.12, 0.88, 0.06])] {
      let top = number(0.42, 0.48)
      brush.rectangle(x - 0.02, top, 0.04, 0.24, 0x4c8a4a)
      brush.ellipse(x, top, 0.02, 0.025, 0x4c8a4a)
      brush.rectangle(x - 0.065, top + 0.09, 0.05, 0.028, 0x4c8a4a)
      brush.rectangle(x - 0.065, top + 0.03, 0.025, 0.08, 0x4c8a4a)
      brush.rectangle(x + 0.015, top + 0.12, 0.05, 0.028, 0x4c8a4a)
      brush.rectangle(x + 0.04, top + 0.06, 0.025, 0.08, 0x4c8a4a)
    }
  }

  mutating func snow() {
    brush.gradient([(0, pick([0x8fb4d8, 0x9fc3e4, 0x7f9fc8, 0xa9bfda])), (0.6, 0xe2eef8)])
    for i in 0..<7 {
      let x = (Float(i) + 0.5 + number(-0.3, 0.3)) / 7
      guard abs(x - 0.5) > 0.14 else { continue }
      let height = number(0.28, 0.42)
      for k in 0..<3 {
        let (base, width) = (0.62 - height * 0.25 * Float(k), height * (0.46 - 0.08 * Float(k)))
        brush.triangle(x, base, width, height * 0.45, 0x3d6b5e)
        brush.triangle(x, base - height * 0.25, width * 0.45, height * 0.2, 0xffffff)
      }
    }
    brush.hill(0.6, 0.05, waves: 1.1, phase: 0.3 * Float(variant), 0xf3f8fd)
    brush.hill(0.74, 0.04, waves: 1.3, phase: 0.5 + 0.2 * Float(variant), 0xe3edf8)
    brush.hill(0.88, 0.03, waves: 1, phase: 0.2 + 0.2 * Float(variant), 0xf8fbff)
    for _ in 0..<60 {
      let r = number(0.005, 0.011)
      brush.ellipse(number(0, 1), number(0, 0.95), r, r, 0xffffff)
    }
  }

  mutating func city(dark: Bool) {
    if dark {
      brush.gradient([(0, 0x0b1030), (0.7, pick([0x3a2f6b, 0x2f3f78]))])
      stars(25, to: 0.35)
      moon(pickNumber([0.85, 0.15, 0.6, 0.3]), 0.12, 0.06)
    } else {
      brush.gradient([(0, pick([0x6fb6ee, 0x8cc6f0])), (0.7, 0xe9f4fb)])
      cloud(number(0.2, 0.4), 0.12, 0.06)
      cloud(number(0.6, 0.9), 0.2, 0.05)
    }
    let far: [UInt32] = dark ? [0x232a52] : [0xa9bdd0]
    let near: [UInt32] =
      dark ? [0x171b38, 0x1d2145, 0x14182f] : [0x6f86a0, 0x8a7a73, 0x5e7690, 0xa08a7c]
    for i in 0..<9 {
      let height = number(0.3, 0.62)
      brush.rectangle(Float(i) / 9 - 0.01, 0.78 - height, 0.13, height, far[0])
    }
    var x: Float = -0.02
    var i = 0
    while x < 1 {
      let width = number(0.13, 0.2)
      let height = number(0.24, 0.5)
      let top = 0.8 - height
      brush.rectangle(x, top, width - 0.008, height, near[(i + variant) % near.count])
      var y = top + 0.03
      while y < 0.74 {
        var column = x + 0.02
        while column < x + width - 0.04 {
          let lit = random.uniform() < (dark ? 0.6 : 0.85)
          let hex: UInt32 = dark ? (lit ? 0xffd86b : 0x2a2f52) : (lit ? 0xd6e8f4 : 0x4d6075)
          brush.rectangle(column, y, 0.02, 0.028, hex)
          column += 0.037
        }
        y += 0.055
      }
      x += width
      i += 1
    }
    brush.rectangle(0, 0.79, 1, 0.06, dark ? 0x3c3f57 : 0xb9bfc4)
    brush.rectangle(0, 0.84, 1, 0.16, dark ? 0x23253a : 0x5f656c)
    for i in 0..<5 {
      brush.rectangle(0.03 + 0.21 * Float(i), 0.92, 0.1, 0.014, dark ? 0xc9b458 : 0xf4f1dc)
    }
  }

  mutating func room() {
    let wall = pick([0xf1dfc3, 0xc9dfe6, 0xe6cfd4, 0xcfe0c6])
    brush.rectangle(0, 0, 1, 0.7, wall)
    for i in 0..<12 {
      brush.rectangle(Float(i) / 12, 0, 0.012, 0.7, 0xffffff, alpha: 0.25)
    }
    brush.rectangle(0, 0.67, 1, 0.035, 0xfaf6ee)
    brush.rectangle(0, 0.705, 1, 0.3, 0xa9713f)
    for row in 0..<4 {
      brush.rectangle(0, 0.705 + 0.075 * Float(row), 1, 0.006, 0x7c4f2a)
      for column in 0..<4 {
        let x = Float(column) * 0.27 + (row % 2 == 0 ? 0.05 : 0.18)
        brush.rectangle(x, 0.705 + 0.075 * Float(row), 0.006, 0.075, 0x7c4f2a)
      }
    }
    brush.ellipse(0.5, 0.9, 0.42, 0.075, pick([0xb5443f, 0x3f6fb5, 0x6d4f9a, 0x3f8f78]))
    brush.ellipse(0.5, 0.9, 0.34, 0.055, pick([0xd97a6c, 0x7fa6dc, 0xa68bcb, 0x7fc0a8]))
    let windowX: Float = variant % 2 == 0 ? 0.06 : 0.62
    brush.rectangle(windowX, 0.1, 0.32, 0.36, 0xffffff)
    brush.rectangle(windowX + 0.025, 0.125, 0.27, 0.31, 0x9fd4f5)
    brush.rectangle(windowX + 0.15, 0.125, 0.02, 0.31, 0xffffff)
    brush.rectangle(windowX + 0.025, 0.27, 0.27, 0.02, 0xffffff)
    let frameX: Float = variant % 2 == 0 ? 0.66 : 0.12
    brush.rectangle(frameX, 0.14, 0.22, 0.2, 0x7c4f2a)
    brush.rectangle(frameX + 0.02, 0.16, 0.18, 0.16, pick([0xf6e7a8, 0xf3c9b4]))
    brush.triangle(frameX + 0.11, 0.32, 0.14, 0.11, 0x6f9f7a)
  }

  mutating func space() {
    brush.gradient([(0, 0x05061a), (1, pick([0x140b33, 0x07122e, 0x1d0a2c, 0x081a2e]))])
    let clouds: [UInt32] = [0x6a2fb0, 0x2f5fc0, 0xb02f7a, 0x1f8f8f]
    for i in 0..<3 {
      brush.glow(
        number(0, 1), number(0, 1), number(0.3, 0.5), clouds[(i + variant) % 4], alpha: 0.5)
    }
    stars(90, to: 1)
    let (x, y) = (pickNumber([0.14, 0.86, 0.85, 0.15]), pickNumber([0.16, 0.15, 0.85, 0.86]))
    let planet = pick([0xd9814a, 0x4f8fd0, 0xb58ad8, 0x5fb88a])
    brush.ellipse(x, y, 0.1, 0.1, planet)
    brush.ellipse(x - 0.03, y - 0.03, 0.05, 0.045, 0xffffff, alpha: 0.25)
    if variant % 2 == 0 {
      brush.ellipse(x, y, 0.17, 0.026, 0xf2dcae, alpha: 0.85)
      brush.ellipse(x, y - 0.012, 0.1, 0.016, planet)
    }
  }

  mutating func mountains() {
    brush.gradient([(0, pick([0x5fa8e6, 0x86c0ee, 0x6a8fd0, 0x9fc8ea])), (0.6, 0xe8f3fa)])
    cloud(number(0.1, 0.3), 0.12, 0.055)
    let far: [(Float, Float, Float)] = [
      (0.12, 0.6, 0.42), (0.45, 0.75, 0.55), (0.86, 0.7, 0.5),
    ]
    for (x, width, height) in far {
      let x = x + 0.04 * Float(variant) - 0.06
      brush.triangle(x, 0.72, width, height, pick([0x7d8fa6, 0x6f8299]))
      brush.triangle(x, 0.72 - height * 0.66, width * 0.34, height * 0.34, 0xffffff)
    }
    brush.triangle(0.28 + 0.08 * Float(variant), 0.74, 0.55, 0.36, 0x566a80)
    brush.triangle(0.28 + 0.08 * Float(variant), 0.5, 0.184, 0.12, 0xf4f8fc)
    brush.hill(0.72, 0.03, waves: 1.3, phase: 0.2 * Float(variant), 0x5f8f5a)
    for i in 0..<12 {
      let x = (Float(i) + number(0.1, 0.9)) / 12
      brush.triangle(x, 0.78, 0.05, 0.1, 0x2f5f46)
    }
    brush.hill(0.8, 0.025, waves: 1.1, phase: 0.5 + 0.25 * Float(variant), 0x79a85f)
  }

  mutating func underwater() {
    brush.gradient([
      (0, pick([0x49c0e6, 0x3fb6d8, 0x55c8e0, 0x3aa4dc])), (1, pick([0x0a3f7a, 0x0b4f7f])),
    ])
    for i in 0..<4 {
      let x = 0.1 + 0.26 * Float(i) + number(-0.05, 0.05)
      brush.triangle(x, 0.75, 0.2, 0.95, 0xffffff, alpha: 0.09)
    }
    brush.hill(0.88, 0.04, waves: 1.2, phase: 0.3 * Float(variant), 0xd9c08a)
    for i in 0..<6 {
      let x = i < 3 ? 0.05 + 0.07 * Float(i) : 0.78 + 0.075 * Float(i - 3)
      let height = number(0.16, 0.32)
      let hex: UInt32 = i % 2 == 0 ? 0x2f8f5a : 0x3fae6a
      for k in 0..<12 {
        let t = Float(k) / 11
        brush.ellipse(
          x + 0.015 * SceneBrush.wave(t * 1.5 + Float(i) * 0.3), 0.92 - height * t,
          0.015 * (1.2 - t), 0.024, hex)
      }
    }
    brush.ellipse(pickNumber([0.3, 0.68, 0.34, 0.62]), 0.94, 0.07, 0.045, 0xe8776a)
    for _ in 0..<16 {
      let (x, y, r) = (number(0, 1), number(0.05, 0.8), number(0.008, 0.02))
      brush.ellipse(x, y, r, r, 0xffffff, alpha: 0.35)
      brush.ellipse(x - r * 0.3, y - r * 0.3, r * 0.35, r * 0.35, 0xffffff, alpha: 0.8)
    }
  }
}
