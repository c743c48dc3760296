import Foundation

/// Lists of colours: a built-in one, those of pictures and colour tables, and those that a text names.
public enum Palette {
  /// Sixteen colours for pixel art, as pixray's `lookup` filter ships them (one stands there twice).
  public static let pixelArt: [Color] = [
    0x000000, 0xffffff, 0x3f2832, 0x262b44, 0x5a6988, 0x8b9bb4, 0x193c3e, 0x265c42,
    0x3e8948, 0x63c74d, 0xfee761, 0xfeae34, 0xfeae34, 0xf77622, 0xb86f50, 0x743f39,
  ].map { Color($0) }

  /// Steps from one colour through others, equally far apart and linear in sRGB values; the first
  /// and the last colour are steps. One step alone is the last colour.
  ///
  /// - Parameter colors: At least one.
  public static func ramp(_ colors: [Color], steps: Int) -> [Color] {
    guard let last = colors.last, steps > 1 else { return Array(colors.suffix(1)) }
    return (0..<steps).map { step in
      let place = Double(step) / Double(steps - 1) * Double(colors.count - 1)
      let index = min(Int(place), max(colors.count - 2, 0))
      let (from, to, part) = (
        colors[index], index + 1 < colors.count ? colors[index + 1] : last, place - Double(index)
      )
      func mix(_ channel: KeyPath<Color, UInt8>) -> UInt8 {
        let (a, b) = (Double(from[keyPath: channel]), Double(to[keyPath: channel]))
        return UInt8((a + (b - a) * part).rounded())
      }
      return Color(red: mix(\.red), green: mix(\.green), blue: mix(\.blue))
    }
  }

  /// All colours of a picture in the order in which they appear, if there are at most `count`; else
  /// `count` or fewer that stand for them. Pixels more clear than opaque do not count.
  public static func colors(of picture: Picture, atMost count: Int) -> [Color] {
    guard count > 0 else { return [] }
    var (seen, list): (Set<UInt32>, [Color]) = ([], [])
    forEachPixel(of: picture) { red, green, blue in
      let value = UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue)
      if seen.insert(value).inserted { list.append(Color(value)) }
      return list.count <= count
    }
    return list.count <= count ? list : quantized(picture, count)
  }

  /// The colours of an Adobe colour table, an `.act` file: 256 times RGB, and in files of 772 bytes
  /// how many of them count.
  ///
  /// Throws `ImagingError.corrupt` for files of other sizes.
  public static func adobeTable(_ data: Data, name: String = "The table") throws -> [Color] {
    let bytes = Array(data)
    guard bytes.count == 768 || bytes.count == 772 else {
      throw ImagingError.corrupt(
        name: name, kind: "Adobe colour table", reason: "\(bytes.count) bytes instead of 768 or 772"
      )
    }
    var count = 256
    if bytes.count == 772 {
      let given = Int(bytes[768]) << 8 | Int(bytes[769])
      if (1...256).contains(given) { count = given }
    }
    return (0..<count).map {
      Color(red: bytes[3 * $0], green: bytes[3 * $0 + 1], blue: bytes[3 * $0 + 2])
    }
  }

  // MARK: - Quantisation

  /// Calls `body` with the colours of pixels at least half opaque until it answers no.
  private static func forEachPixel(
    of picture: Picture, _ body: (UInt8, UInt8, UInt8) -> Bool
  ) {
    let channels = picture.channels
    picture.bytes.withUnsafeBufferPointer { bytes in
      for offset in stride(from: 0, to: bytes.count, by: channels) {
        if channels == 4, bytes[offset + 3] < 128 { continue }
        if !body(bytes[offset], bytes[offset + 1], bytes[offset + 2]) { return }
      }
    }
  }

  /// Pixels taken together: their number and the sum of their colours.
  private struct Pixels {
    var count = 0.0
    var sum = SIMD3<Double>()

    var mean: SIMD3<Double> { sum / count }
    /// What taking the mean for all of them leaves of the sum of squares.
    var explained: Double { (sum * sum).sum() / count }

    static func + (a: Pixels, b: Pixels) -> Pixels {
      Pixels(count: a.count + b.count, sum: a.sum + b.sum)
    }
    static func - (a: Pixels, b: Pixels) -> Pixels {
      Pixels(count: a.count - b.count, sum: a.sum - b.sum)
    }
  }

  /// Pixels that become one colour, in cells of nearly one colour, and the cut in two that lowers
  /// the squared error most.
  private struct Box {
    let cells: [Pixels]
    let all: Pixels
    var gain = 0.0
    var cut: (channel: Int, count: Int)?

    init(_ cells: [Pixels]) {
      self.cells = cells
      all = cells.reduce(Pixels(), +)
      for channel in 0..<3 {
        var below = Pixels()
        for (index, cell) in sorted(channel).enumerated().dropLast() {
          below = below + cell
          let gain = below.explained + (all - below).explained - all.explained
          if gain > self.gain { (self.gain, cut) = (gain, (channel, index + 1)) }
        }
      }
    }

    private func sorted(_ channel: Int) -> [Pixels] {
      cells.sorted { $0.mean[channel] < $1.mean[channel] }
    }

    func halves(_ cut: (channel: Int, count: Int)) -> [Box] {
      let sorted = sorted(cut.channel)
      return [Box(Array(sorted[..<cut.count])), Box(Array(sorted[cut.count...]))]
    }
  }

  /// Median cut (Heckbert 1982), but cutting where the squared error falls most, as Wu, "Efficient
  /// Statistical Computations for Optimal Color Quantization" (1991), does: at the median a large
  /// group of like colours would be cut in two. The colours come in falling order of their pixels.
  private static func quantized(_ picture: Picture, _ count: Int) -> [Color] {
    // Six bits a channel are enough to tell boxes apart; the means stay exact.
    var cube = [Pixels](repeating: Pixels(), count: 1 << 18)
    forEachPixel(of: picture) { red, green, blue in
      let index = Int(red >> 2) << 12 | Int(green >> 2) << 6 | Int(blue >> 2)
      cube[index].count += 1
      cube[index].sum += SIMD3(Double(red), Double(green), Double(blue))
      return true
    }
    var boxes = [Box(cube.filter { $0.count > 0 })]
    while boxes.count < count,
      let best = boxes.indices.max(by: { boxes[$0].gain < boxes[$1].gain }),
      let cut = boxes[best].cut
    {
      boxes.replaceSubrange(best...best, with: boxes[best].halves(cut))
    }
    return boxes.enumerated().sorted {
      ($1.element.all.count, $0.offset) < ($0.element.all.count, $1.offset)
    }.map { _, box in
      let mean = box.all.mean
      return Color(
        red: UInt8(mean.x.rounded()), green: UInt8(mean.y.rounded()), blue: UInt8(mean.z.rounded()))
    }
  }
}
