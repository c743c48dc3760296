import Torch

/// Disco Diffusion's `perlin_init`: the mean of a coarse and a fine noise, each with stretched contrast.
enum DiscoPerlin {
  /// Which of both have colours.
  struct Colors {
    var coarse: Bool
    var fine: Bool
  }

  private static let coarse = (octaves: 12, cells: 1)
  private static let fine = (octaves: 8, cells: 4)

  /// The picture, float32 `[1, 3, height, width]`, 0…1.
  static func picture(_ colors: Colors, width: Int, height: Int, from random: RandomStream)
    -> Tensor
  {
    func noise(_ kind: (octaves: Int, cells: Int), isColored: Bool) -> Tensor {
      let planes = (0..<(isColored ? 3 : 1)).map { _ in
        plane(
          (0..<kind.octaves).map { octave in
            let side = (kind.cells << octave) + 1
            return random.normal([2, side, side])
          }, width: width, height: height)
      }
      return stacked(planes).unsqueezed(0).expanded([1, 3, height, width])
    }
    return (noise(coarse, isColored: colors.coarse) + noise(fine, isColored: colors.fine)) / 2
  }

  /// One channel of a noise, `[height, width]` in steps of 1/255.
  ///
  /// The notebook makes a square of up to 4096 pixels and shrinks it linearly without a filter; here only
  /// the pixels are made that this reads.
  /// - Parameter gradients: of each octave, `[2, cells + 1, cells + 1]`, twice as many cells as in the one
  ///   before.
  static func plane(_ gradients: [Tensor], width: Int, height: Int) -> Tensor {
    let side = (gradients[0].size(1) - 1) << gradients.count
    let (rows, columns) = (Reading(side, height), Reading(side, width))
    let sum = gradients.enumerated().reduce(Tensor.full([2 * height, 2 * width], 0.5)) {
      $0 + noise($1.element, side: side, rows.places, columns.places) * amplitude($1.offset)
    }
    let wide = columns.mixed(sum, over: 1)
    return stretched(rows.mixed(wide, over: 0))
  }

  private static func amplitude(_ octave: Int) -> Double {
    (0..<octave).reduce(0.5) { amplitude, _ in amplitude / 1.5 }
  }

  /// Where pixels of a shrunk side read.
  private struct Reading {
    /// The pixel before each, then the one behind.
    let places: [Int]
    /// How much the one behind counts.
    let shares: Tensor

    init(_ source: Int, _ target: Int) {
      let centers = (0..<target).map {
        max(0, (Double($0) + 0.5) * Double(source) / Double(target) - 0.5)
      }
      places = centers.map { Int($0) } + centers.map { min(source - 1, Int($0) + 1) }
      shares = Tensor(centers.map { Float($0 - $0.rounded(.down)) })
    }

    /// Both mixed, `[…, 2 N, …]` to `[…, N, …]`.
    func mixed(_ x: Tensor, over dim: Int) -> Tensor {
      let halves = x.chunks(2, over: dim)
      let share = dim == 0 ? shares.unsqueezed(1) : shares
      return halves[0] * (1 - share) + halves[1] * share
    }
  }

  /// Perlin noise of an octave at some of its pixels, `[rows, columns]`.
  private static func noise(_ gradients: Tensor, side: Int, _ rows: [Int], _ columns: [Int])
    -> Tensor
  {
    let pixels = side / (gradients.size(1) - 1)
    func shares(_ places: [Int]) -> Tensor {
      Tensor(places.map { Float($0 % pixels) / Float(pixels) })
    }
    let (x, y) = (shares(rows).unsqueezed(1), shares(columns).unsqueezed(0))
    func fade(_ t: Tensor) -> Tensor { t.square() * 3 - t.pow(3) * 2 }
    let (wx, wy) = (1 - fade(x), 1 - fade(y))
    let cells = (rows.map { $0 / pixels }, columns.map { $0 / pixels })
    /// The gradient at one corner of the cells times the way from there.
    func corner(_ down: Int, _ right: Int) -> Tensor {
      let found = gradients.indexSelect(1, Tensor(cells.0.map { $0 + down }, [rows.count]))
        .indexSelect(2, Tensor(cells.1.map { $0 + right }, [columns.count]))
      return found.select(0, 0) * (x - Double(down)) + found.select(0, 1) * (y - Double(right))
    }
    let upper = wx * wy * corner(0, 0) + (1 - wx) * wy * corner(1, 0)
    return upper + wx * (1 - wy) * corner(0, 1) + (1 - wx) * (1 - wy) * corner(1, 1)
  }

  /// In 256 steps, of which the darkest becomes black and the lightest white (Pillow's `autocontrast`).
  private static func stretched(_ plane: Tensor) -> Tensor {
    let steps = (plane.clamped(0, 1) * 255).floor()
    let (low, high) = (steps.amin().item(), steps.amax().item())
    guard high > low else { return steps / 255 }
    let scale = 255 / (high - low)
    let table = (0..<256).map { Float(min(255, max(0, Int(Double($0) * scale - low * scale)))) }
    return Tensor(table).indexSelect(0, steps.to(.int64).reshaped(-1)).reshaped(plane.shape) / 255
  }
}
