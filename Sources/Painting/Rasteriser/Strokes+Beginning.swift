import Imaging
import Torch

// What strokes begin with.

extension Strokes {
  /// The arguments `minWidth` and `maxWidth`, percent of the height, in pixels.
  /// - Throws: `RequestError` when they are in the wrong order.
  static func widthLimits(_ context: PartContext, atLeast floor: Double = 0) throws
    -> ClosedRange<Double>
  {
    let (low, high) = (context.number("minWidth"), context.number("maxWidth"))
    guard low <= high else {
      throw RequestError.badValue(
        field: "minWidth", reason: "must not be above maxWidth, which is \(high)")
    }
    let pixels = Double(context.height) / 100
    return max(low * pixels, floor)...max(high * pixels, floor)
  }

  /// The argument `paper`, `[3]`.
  /// - Throws: `RequestError` when it is not a colour.
  static func paper(_ context: PartContext) throws -> Tensor {
    let text = context.text("paper") ?? ""
    guard let color = try? Color(parsing: text) else {
      throw RequestError.badValue(
        field: "paper",
        reason: "must be a colour such as white or #f2eecb, not '\(text.prefix(40))'")
    }
    return Tensor([color.red, color.green, color.blue].map { Float($0) / 255 })
  }

  /// Paths that wander at random from a start: each point lies up to half a radius from the last.
  /// - Parameters:
  ///   - starts: `[S, 2]` in units of width and height.
  ///   - radius: of x and y, in the same units.
  ///   - canvas: width and height in pixels.
  /// - Returns: points in pixels, `[S, P, 2]`.
  static func wandering(
    from starts: Tensor, _ paths: BezierPaths, radius: (Double, Double), canvas: (Int, Int),
    stream: RandomStream
  ) -> Tensor {
    let (count, points) = (starts.size(0), paths.pointCount)
    let reach = Tensor([Float(radius.0), Float(radius.1)])
    let steps = (stream.uniform([count, points - 1, 2]) - 0.5) * reach
    let all = concatenated([starts.unsqueezed(1), steps], over: 1)  // [S, P, 2]
    return all.cumulativeSum(over: 1) * Tensor([Float(canvas.0), Float(canvas.1)])
  }

  /// Places spread evenly, one in each field of a grid, in random order: `[count, 2]` in units of
  /// width and height.
  static func spread(_ count: Int, _ width: Int, _ height: Int, stream: RandomStream) -> Tensor {
    let ratio = Double(width) / Double(height)
    let columns = max(1, Int((Double(count) * ratio).squareRoot().rounded(.up)))
    let rows = (count + columns - 1) / columns
    let fields = stream.permutation(columns * rows).ints().prefix(count)
    let corners = fields.flatMap { [Float($0 % columns), Float($0 / columns)] }
    return (Tensor(corners, [count, 2]) + stream.uniform([count, 2]))
      / Tensor([Float(columns), Float(rows)])
  }

  /// Places drawn where brightness changes: `[count, 2]` in units of width and height.
  /// - Parameter picture: `[1, 3, H, W]`
  static func details(_ count: Int, of picture: Tensor, stream: RandomStream) -> Tensor {
    let side = 64
    let grey = picture.to(.cpu).to(.float32).mean(over: [1], keepDims: true)
      .resampled(side + 1, side + 1, antialias: true)  // [1, 1, side + 1, side + 1]
    let here = grey.narrowed(2, 0, side).narrowed(3, 0, side)
    let change =
      (grey.narrowed(2, 1, side).narrowed(3, 0, side) - here).abs()
      + (grey.narrowed(2, 0, side).narrowed(3, 1, side) - here).abs()
    // A little everywhere, so that a blank picture has places, too.
    let weights = (change + 1e-3).reshaped(1, side * side).expanded([count, side * side])
    let fields = stream.choose(byWeight: weights).ints()
    let corners = fields.flatMap { [Float($0 % side), Float($0 / side)] }
    return (Tensor(corners, [count, 2]) + stream.uniform([count, 2])) / Double(side)
  }

  /// Moves each path as a whole, so that its middle comes to its place.
  /// - Parameters:
  ///   - places: `[S, 2]` in units of width and height.
  ///   - sizes: how much larger each path becomes, `[S]`.
  func center(at places: Tensor, enlargedBy sizes: Tensor) {
    let middles = paths.vertices(points).mean(over: [1], keepDims: true)  // [S, 1, 2]
    let wanted = (places * Tensor([Float(width), Float(height)])).unsqueezed(1)
    points.assign((points - middles) * sizes.reshaped(-1, 1, 1) + wanted)
  }
}
