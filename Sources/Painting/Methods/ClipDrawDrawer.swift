import Imaging
import Torch

/// Draws by painted strokes, or by filled shapes: cubic Bézier curves whose control points, widths and
/// colours are optimised (Frans, Soros & Witkowski, "CLIPDraw", 2021; sizes as in pixray's `clipdraw`
/// drawer).
public struct ClipDrawDrawer: VectorDrawer {
  let strokes: Strokes
  private let limits: ClosedRange<Double>
  private let seed: UInt64
  private let device: Device

  /// How far apart successive points may lie at first, in units of width and height, doubled.
  private static let radius = 0.1
  /// How much larger filled shapes must be to cover a picture among themselves.
  private static let enlargement = 2.5

  /// A drawer of the context's arguments; see `Method.clipDraw`.
  init(_ context: PartContext) throws {
    limits = try Strokes.widthLimits(context)
    seed = context.seed
    device = context.device
    let count = context.integer("strokes")
    let stream = context.stream("strokes")
    let lengths = stream.integers(below: context.integer("segments"), [count]).ints()
    let paths = BezierPaths(
      segments: lengths.map { $0 + 1 }, closed: context.flag("closed"))
    let points = Strokes.wandering(
      from: stream.uniform([count, 2]), paths, radius: (Self.radius, Self.radius),
      canvas: (context.width, context.height), stream: stream)
    let width = (limits.lowerBound + limits.upperBound) / 4
    strokes = Strokes(
      paths, points: points,
      widths: .full([count], min(max(width, limits.lowerBound), limits.upperBound)),
      colors: stream.uniform([count, 4]), paper: try Strokes.paper(context),
      width: context.width, height: context.height)
    if let picture = context.initial { _ = begin(from: picture) }
  }

  /// The parameters: points in pixels, widths in pixels unless the shapes are filled, colours.
  public var parameters: [Tensor] {
    strokes.paths.closed
      ? [strokes.points, strokes.colors] : [strokes.points, strokes.widths, strokes.colors]
  }

  /// Pixels, tenths of pixels, hundredths of the range of colours.
  public var rates: [Double] { strokes.paths.closed ? [1, 0.01] : [1, 0.1, 0.01] }

  /// The painting, `[1, 3, H, W]`.
  public func render(_ iteration: Int?) -> Tensor { strokes.render().to(device) }

  /// Limits the widths to what was asked for and the colours to 0…1.
  public func project() {
    noGrad {
      strokes.colors.assign(strokes.colors.clamped(0, 1))
      strokes.widths.assign(strokes.widths.clamped(limits.lowerBound, limits.upperBound))
    }
  }

  /// Lays the strokes over the picture, opaque and each in the mean colour of what it covers. The
  /// lower half, as broad as may be, is spread evenly; the upper half, half as broad, gathers where
  /// the picture has detail. Of filled shapes the lower ones become larger instead.
  public func begin(from picture: Tensor) -> Bool {
    let stream = RandomStream(seed: seed, "strokes on a picture")
    let count = strokes.points.size(0)
    let broad = (count + 1) / 2
    func halves(_ lower: Double, _ upper: Double) -> Tensor {
      concatenated([.full([broad], lower), .full([count - broad], upper)], over: 0)
    }
    noGrad {
      let places = [
        Strokes.spread(broad, strokes.width, strokes.height, stream: stream),
        Strokes.details(count - broad, of: picture, stream: stream),
      ]
      strokes.center(
        at: concatenated(places, over: 0),
        enlargedBy: strokes.paths.closed ? halves(Self.enlargement, 1) : .ones([count]))
      let most = limits.upperBound
      strokes.widths.assign(halves(most, max(limits.lowerBound, most / 2)))
      strokes.colors.assign(
        concatenated([strokes.colors(of: picture).clamped(0, 1), .ones([count, 1])], over: 1))
    }
    return true
  }

  /// The strokes as SVG.
  public func svg() -> String { strokes.svg() }
}

extension Method {
  /// Painted strokes.
  public static let clipDraw = guided(
    "clipdraw", title: "CLIPDraw",
    "Painted strokes, their curves, widths and colours, are optimised until CLIP finds that they fit "
      + "the text",
    arguments: [
      .integer("strokes", 1...4096, default: 96, "Number of strokes"),
      .integer("segments", 1...8, default: 3, "Curves in a row that a stroke has at most"),
      .number(
        "minWidth", 0.1...50, default: 2, "Least width of a stroke in percent of the height"),
      .number(
        "maxWidth", 0.1...50, default: 10, "Largest width of a stroke in percent of the height"),
      .text("paper", default: "white", "Colour of the paper, a name or #rrggbb"),
      .flag("closed", default: false, "Whether the curves are closed and filled instead"),
    ],
    defaults: ["learningRate": .number(1)], drawsShapes: true, limitsColors: true
  ) { try ClipDrawDrawer($0) }
}
