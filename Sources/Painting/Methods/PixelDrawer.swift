import Torch

/// Draws by cells of one colour each, on a grid: pixel art (as pixray's `pixel` drawer; with `rect`
/// also its `fast_pixel`, which is nothing but an enlargement).
///
/// The cells never move. So which cell a sample of a pixel shows is found out once, and drawing is
/// looking colours up.
public struct PixelDrawer: VectorDrawer {
  /// Red, green and blue of each cell, and alpha when transparent, in 0…1: `[N, 3 or 4]`.
  public let colors: Tensor
  let grid: CellGrid
  private let map: Tensor  // [4, H * W]
  private let isTransparent: Bool
  private let seed: UInt64

  /// A drawer of the context's arguments; see `Method.pixel`. It begins from grey with a little
  /// noise.
  init(_ context: PartContext) {
    grid = CellGrid(
      context.choice("shape"),
      columns: context.integerIfGiven("columns"), rows: context.integerIfGiven("rows"),
      scale: max(context.number("scale"), 0.01), width: context.width, height: context.height)
    isTransparent = context.flag("transparent")
    seed = context.seed
    map = grid.map(filled: !isTransparent).to(context.device)
    let count = grid.cells.count
    var start = context.stream("cells").normal([count, 3]) * 0.07 + 0.5
    if isTransparent { start = concatenated([start, .ones([count, 1])], over: 1) }
    colors = start.clamped(0, 1).to(context.device).variable()
    if let picture = context.initial { _ = begin(from: picture) }
  }

  /// The parameters: the cells' colours.
  public var parameters: [Tensor] { [colors] }

  /// The picture, `[1, 3, H, W]`. Transparent cells lie over a grey that is drawn anew for each
  /// iteration, and over white when there is none.
  public func render(_ iteration: Int?) -> Tensor {
    guard isTransparent else { return show(colors) }
    let grey = iteration.map { i in
      Double(RandomStream(seed: seed, "ground \(i)").uniform([1]).item())
    }
    let ground = Tensor.full([1, 3], grey ?? 1, device: colors.device)
    let alpha = colors.narrowed(1, 3, 1)
    let mixed = colors.narrowed(1, 0, 3) * alpha + ground * (1 - alpha)
    return show(concatenated([mixed, ground], over: 0))
  }

  /// The picture to look at with its transparency, straight alpha in the fourth channel,
  /// `[1, 4, H, W]`; nil when the cells are opaque.
  public func transparentPicture() -> Tensor? {
    guard isTransparent else { return nil }
    return noGrad {
      let alpha = colors.narrowed(1, 3, 1)
      let weighted = concatenated([colors.narrowed(1, 0, 3) * alpha, alpha], over: 1)
      let sums = show(concatenated([weighted, .zeros([1, 4], device: colors.device)], over: 0))
      let cover = sums.narrowed(1, 3, 1)
      return concatenated([sums.narrowed(1, 0, 3) / cover.clamped(1e-6, 1), cover], over: 1)
    }
  }

  /// Looks values `[N, C]` of the cells up for all samples and takes their mean: `[1, C, H, W]`.
  private func show(_ values: Tensor) -> Tensor {
    values.embedding(map).mean(over: [0]).transposed()
      .reshaped(1, values.size(1), grid.height, grid.width)
  }

  /// Limits the colours to 0…1.
  public func project() { noGrad { colors.assign(colors.clamped(0, 1)) } }

  /// Gives each cell the mean of what it shows of the picture, and makes it opaque.
  public func begin(from picture: Tensor) -> Bool {
    let count = grid.cells.count
    let cells = Tensor.zeros([count + 1, 3], device: colors.device).variable()
    let shown = show(cells)
    // The gradient of looking up is adding up.
    let sums = pullback(
      of: shown, along: picture.to(colors.device).to(.float32).contiguous(), at: [cells])[0]
    let weights = pullback(
      of: show(cells), along: .ones(shown.shape, device: colors.device), at: [cells])[0]
    noGrad {
      let means = (sums / weights.clamped(1e-6, .infinity)).narrowed(0, 0, count).clamped(0, 1)
      let opaque = Tensor.ones([count, colors.size(1) - 3], device: colors.device)
      colors.assign(concatenated([means, opaque], over: 1))
    }
    return true
  }

  /// The cells as SVG.
  public func svg() -> String {
    let channels = colors.size(1)
    let values = colors.floats()
    func polygon(_ outline: [CellShape.Point], _ cell: Int) -> String {
      let points = outline.map { "\(SVG.number(Float($0.x))),\(SVG.number(Float($0.y)))" }
      let color = Array(values[(channels * cell)..<(channels * (cell + 1))])
      return "<polygon points=\"\(points.joined(separator: " "))\" \(SVG.paint("fill", color))/>"
    }
    let covers = grid.shape == .rect || isTransparent
    let grounds = covers ? [] : grid.grounds.enumerated().map { polygon($1.corners, $0) }
    let cells = grid.cells.enumerated().map { polygon($1.outline, $0) }
    // Without anti-aliasing, or the ground shows through where two cells meet.
    return SVG.document(
      width: grid.width, height: grid.height,
      ["<g shape-rendering=\"crispEdges\">"] + grounds + cells + ["</g>"])
  }
}

extension Method {
  /// Pixel art.
  public static let pixel = guided(
    "pixel", title: "Pixel art",
    "Cells of one colour each on a grid are optimised until CLIP finds that they fit the text",
    arguments: [
      .choice(
        "shape", CellShape.allCases.map(\.rawValue), default: CellShape.rect.rawValue,
        "Shape of the cells"),
      .integer(
        "columns", 2...1024,
        "Cells in a row; as many as suit the rows or, without these, 40, on a wide picture 80"),
      .integer(
        "rows", 2...1024,
        "Rows of cells; as many as suit the columns or, without these, 40, on a high picture 50, on a "
          + "wide one 45"),
      .number("scale", 0.1...20, default: 1, "How many times larger the cells are"),
      .flag(
        "transparent", default: false,
        "Whether cells may become transparent; while painting they lie over changing greys"),
    ],
    defaults: [
      "learningRate": .number(0.05),
      "objectives": .array([PartSpec("smoothness", weight: 5).json]),
    ], drawsShapes: true, limitsColors: true
  ) { PixelDrawer($0) }
}
