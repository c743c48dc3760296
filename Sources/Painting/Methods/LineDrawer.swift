import Torch

/// Draws by a few long lines on paper, as pixray's `line_sketch` drawer; there the lines are black, finer,
/// and gathered in the middle, and the paper keeps its colour unless told otherwise. A small CLIP that
/// knows things by their colours finds nothing in such drawings, and so here colours are found, too.
public struct LineDrawer: VectorDrawer {
  let strokes: Strokes
  private let limits: ClosedRange<Double>
  private let changesPaper: Bool
  private let changesInk: Bool
  private let seed: UInt64
  private let device: Device

  /// A drawer of the context's arguments; see `Method.line`.
  init(_ context: PartContext) throws {
    limits = try Strokes.widthLimits(context, atLeast: 1)
    changesPaper = context.flag("paperChanges")
    changesInk = context.flag("inkChanges")
    seed = context.seed
    device = context.device
    let count = context.integer("strokes")
    let length = context.integer("length")
    let stream = context.stream("lines")
    let paths = BezierPaths(segments: .init(repeating: length, count: count))
    let reach = 1 / Double(length + 2)
    let points = Strokes.wandering(
      from: (stream.uniform([count, 2]) - 0.5) * context.number("spread") + 0.5, paths,
      radius: (reach * Double(context.height) / Double(context.width), reach),
      canvas: (context.width, context.height), stream: stream)
    let width = min(max(limits.upperBound / 10, limits.lowerBound), limits.upperBound)
    let black = Tensor([0, 0, 0, 1]).expanded([count, 4])
    strokes = Strokes(
      paths, points: points, widths: .full([count], width), colors: black,
      paper: try Strokes.paper(context), width: context.width, height: context.height)
    if let picture = context.initial { _ = begin(from: picture) }
  }

  /// The parameters: points and widths in pixels, and the colours of paper and ink where they may
  /// change.
  public var parameters: [Tensor] {
    [strokes.points, strokes.widths] + (changesPaper ? [strokes.paper] : [])
      + (changesInk ? [strokes.colors] : [])
  }

  /// Pixels, tenths of pixels, hundredths of the range of colours.
  public var rates: [Double] {
    [1, 0.1] + (changesPaper ? [0.01] : []) + (changesInk ? [0.01] : [])
  }

  /// The drawing, `[1, 3, H, W]`.
  public func render(_ iteration: Int?) -> Tensor { strokes.render().to(device) }

  /// Limits the widths to what was asked for, at least a pixel, and the colours to 0…1; ink is opaque.
  public func project() {
    noGrad {
      let ink = strokes.colors.narrowed(1, 0, 3).clamped(0, 1)
      strokes.colors.assign(concatenated([ink, .ones([ink.size(0), 1])], over: 1))
      strokes.widths.assign(strokes.widths.clamped(limits.lowerBound, limits.upperBound))
      strokes.paper.assign(strokes.paper.clamped(0, 1))
    }
  }

  /// Moves the lines to where the picture has detail; a paper that may change takes the picture's
  /// mean colour, and ink that may change the colours of what it lies on.
  public func begin(from picture: Tensor) -> Bool {
    let stream = RandomStream(seed: seed, "lines on a picture")
    noGrad {
      let count = strokes.points.size(0)
      strokes.center(
        at: Strokes.details(count, of: picture, stream: stream), enlargedBy: .ones([count]))
      if changesPaper { strokes.paper.assign(picture.mean(over: [0, 2, 3]).clamped(0, 1)) }
      if changesInk {
        let ink = strokes.colors(of: picture)
        strokes.colors.assign(concatenated([ink, .ones([count, 1])], over: 1))
      }
    }
    return true
  }

  /// The lines as SVG.
  public func svg() -> String { strokes.svg() }
}

extension Method {
  /// Lines on paper.
  public static let line = guided(
    "line", title: "Line sketch",
    "A few long lines on paper are optimised until CLIP finds that they fit the text",
    arguments: [
      .integer("strokes", 1...1024, default: 24, "Number of lines"),
      .integer("length", 1...32, default: 8, "Curves in a row that make up a line"),
      .number(
        "minWidth", 0.1...50, default: 1,
        "Least width of a line in percent of the height; never below a pixel"),
      .number(
        "maxWidth", 0.1...50, default: 6, "Largest width of a line in percent of the height"),
      .text("paper", default: "#f2eecb", "Colour of the paper, a name or #rrggbb"),
      .flag("paperChanges", default: true, "Whether the paper's colour is found, too"),
      .flag(
        "inkChanges", default: true, "Whether the lines' colours are found, too; black if not"),
      .number(
        "spread", 0...1, default: 1,
        "In which share of the picture, around its middle, lines begin"),
    ],
    defaults: ["learningRate": .number(1)], drawsShapes: true, limitsColors: true
  ) { try LineDrawer($0) }
}
