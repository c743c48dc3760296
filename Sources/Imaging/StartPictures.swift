import Torch

/// Pictures without content from which a drawer can start: float32 `[1, 3, H, W]`, 0 to 1.
public enum StartPicture: String, Sendable, CaseIterable, Codable {
  /// Every value of every pixel by itself (VQGAN-CLIP's `pixels`).
  case pixels
  /// The same, up to full white (pixray's `snow`).
  case snow
  /// A ramp of random ends in every channel (VQGAN-CLIP's `gradient`).
  case gradient
  /// Fractal Perlin noise with stretched contrast, one field a channel (pixray's `pixels`).
  case perlin
  /// Normal noise of five sizes, one over the other, around grey.
  case octaves
  /// Coarse Perlin noise in colours with fine grey noise (Disco Diffusion's `perlin_init`, `mixed`).
  case disco
  /// The same, both in colours.
  case discoColor = "disco-color"
  /// The same, both grey.
  case discoGray = "disco-gray"

  /// What it is, in one sentence without the final stop.
  public var help: String {
    switch self {
    case .pixels: "Every value of every pixel by itself (VQGAN-CLIP's pixels)"
    case .snow: "The same, up to full white (pixray's snow)"
    case .gradient: "A ramp of random ends in every channel (VQGAN-CLIP's gradient)"
    case .perlin: "Fractal Perlin noise with stretched contrast (pixray's pixels)"
    case .octaves: "Normal noise of five sizes, one over the other, around grey"
    case .disco: "Coarse coloured and fine grey Perlin noise (Disco Diffusion's mixed)"
    case .discoColor: "Coarse and fine Perlin noise in colours (Disco Diffusion's color)"
    case .discoGray: "Coarse and fine Perlin noise in grey (Disco Diffusion's gray)"
    }
  }

  /// Draws the picture from a stream.
  public func tensor(width: Int, height: Int, from random: RandomStream) -> Tensor {
    switch self {
    case .pixels: random.integers(below: 255, [1, 3, height, width]).to(.float32) / 255
    case .snow: random.integers(below: 256, [1, 3, height, width]).to(.float32) / 255
    case .gradient: Self.gradient(width, height, random)
    case .perlin: PerlinNoise.picture(width: width, height: height, from: random)
    case .octaves: Self.octaves(width, height, random)
    case .disco: disco(.init(coarse: true, fine: false), width, height, random)
    case .discoColor: disco(.init(coarse: true, fine: true), width, height, random)
    case .discoGray: disco(.init(coarse: false, fine: false), width, height, random)
    }
  }

  private func disco(
    _ colors: DiscoPerlin.Colors, _ width: Int, _ height: Int, _ random: RandomStream
  ) -> Tensor {
    DiscoPerlin.picture(colors, width: width, height: height, from: random)
  }

  /// Red grows to the right, green downwards, blue downwards from where it begins.
  private static func gradient(_ width: Int, _ height: Int, _ random: RandomStream) -> Tensor {
    func number(_ range: Range<Int>) -> Double {
      Double(range.lowerBound) + random.integers(below: range.count, []).item()
    }
    func ramp(_ from: Double, _ to: Double, _ count: Int) -> Tensor {
      Tensor.arange(0..<count, .float32) * ((to - from) / Double(max(count - 1, 1))) + from
    }
    let start = number(0..<255)
    let (red, green, blue) = (number(1..<255), number(2..<255), number(3..<128))
    let planes = [
      ramp(0, red, width).reshaped(1, width), ramp(0, green, height).reshaped(height, 1),
      ramp(start, blue, height).reshaped(height, 1),
    ]
    return stacked(planes.map { $0.expanded([height, width]) }).unsqueezed(0) / 255
  }

  /// EleutherAI's MSE-regularised notebook: each size grown bicubically from the one before.
  private static func octaves(_ width: Int, _ height: Int, _ random: RandomStream) -> Tensor {
    let count = 5
    var sum: Tensor?
    for octave in (0..<count).reversed() {
      let (h, w) = (max(1, height >> octave), max(1, width >> octave))
      let noise = random.normal([1, 3, h, w]) / Double(count)
      sum = sum.map { $0.resampled(h, w, .bicubic) + noise } ?? noise
    }
    return ((sum ?? .zeros([1, 3, height, width])) / Double(count) + 0.5).clamped(0, 1)
  }
}

/// Perlin, "Improving Noise" (2002), summed over octaves as pvigier/perlin-numpy does, at 5e26837.
enum PerlinNoise {
  /// Waves along a side of the coarsest octave.
  static let waves = 32

  /// Three fields, each stretched to 0 to 1 and then in contrast.
  static func picture(width: Int, height: Int, from random: RandomStream) -> Tensor {
    let longest = max(width, height)
    var (side, octaves) = (256, 3)
    while side < longest { (side, octaves) = (side * 2, octaves + 1) }
    let planes = (0..<3).map { _ in
      let angles = (0..<octaves).map { octave in
        let n = waves << octave
        return random.uniform([n + 1, n + 1]) * (2 * .pi)
      }
      return contrasted(fractal(side: side, angles: angles))
        .narrowed(0, 0, height).narrowed(1, 0, width)
    }
    return stacked(planes).unsqueezed(0)
  }

  /// Noise of each octave's gradients, `[n + 1, n + 1]` angles, weighed by halves: `[side, side]`.
  static func fractal(side: Int, angles: [Tensor]) -> Tensor {
    angles.enumerated().reduce(Tensor.zeros([side, side])) {
      $0 + noise(side: side, angles: $1.element) * (1 / Double(1 << $1.offset))
    }
  }

  private static func noise(side: Int, angles: Tensor) -> Tensor {
    let n = angles.size(0) - 1
    let cell = side / n
    let place = Tensor.arange(0..<cell, .float32) / Double(cell)
    let (y, x) = (place.reshaped(1, cell, 1, 1), place.reshaped(1, 1, 1, cell))
    /// The gradient at one corner of every cell, times the way from there: `[n, cell, n, cell]`.
    func corner(_ down: Int, _ right: Int) -> Tensor {
      let angle = angles.narrowed(0, down, n).narrowed(1, right, n).reshaped(n, 1, n, 1)
      return angle.cos() * (y - Double(down)) + angle.sin() * (x - Double(right))
    }
    func mixed(_ a: Tensor, _ b: Tensor, _ part: Tensor) -> Tensor { a + (b - a) * part }
    func fade(_ t: Tensor) -> Tensor { t * t * t * (t * (t * 6 - 15) + 10) }
    let left = mixed(corner(0, 0), corner(1, 0), fade(y))
    let right = mixed(corner(0, 1), corner(1, 1), fade(y))
    return (mixed(left, right, fade(x)) * 2.0.squareRoot()).reshaped(side, side)
  }

  /// Stretched to 0 to 1, then `1 / (1 + (n / (1 - n))^-2)`, which darkens the dark and lightens the
  /// light.
  static func contrasted(_ field: Tensor) -> Tensor {
    let (low, high) = (field.amin().item(), field.amax().item())
    let n = (field - low) * (0.9998 / (high - low)) + 0.0001
    return 1 / (1 + (n / (1 - n)).pow(-2))
  }
}
