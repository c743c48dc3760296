import Torch

/// Painted curves: control points, widths, colours and a paper, all float32 variables on the CPU.
///
/// The rasteriser is for the CPU, and there is little in a stroke that another device would speed up.
struct Strokes {
  let paths: BezierPaths
  /// In pixels, x first, `[S, P, 2]`.
  let points: Tensor
  /// In pixels, `[S]`; of no effect when the paths are closed: these are filled.
  let widths: Tensor
  /// With straight alpha, `[S, 4]`.
  let colors: Tensor
  /// `[3]`
  let paper: Tensor
  let width: Int
  let height: Int

  /// Strokes on a canvas of `width` x `height` pixels; see the fields.
  init(
    _ paths: BezierPaths, points: Tensor, widths: Tensor, colors: Tensor, paper: Tensor, width: Int,
    height: Int
  ) {
    func variable(_ x: Tensor) -> Tensor { x.to(.cpu).contiguous().cloned().variable() }
    self.paths = paths
    self.points = variable(points)
    self.widths = variable(widths)
    self.colors = variable(colors)
    self.paper = variable(paper)
    (self.width, self.height) = (width, height)
  }

  /// `[1, 3, H, W]`, with history to all.
  func render() -> Tensor {
    paintedStrokes(
      paths.vertices(points), radii: widths / 2, colors: colors, paper: paper, width: width,
      height: height, filled: paths.closed)
  }

  /// The picture's mean colour along each path.
  /// - Parameter picture: `[1, 3, H, W]`
  /// - Returns: `[S, 3]`
  func colors(of picture: Tensor) -> Tensor {
    noGrad {
      // Pixel centres lie at halves; the grid's -1…1 goes from edge to edge.
      let size = Tensor([Float(width), Float(height)])
      let grid = paths.vertices(points).unsqueezed(0) / size * 2 - 1  // [1, S, M, 2]
      return picture.to(.cpu).to(.float32).gridSampled(grid, outside: .border).mean(over: [0, 3])
        .transposed()
    }
  }

  /// The strokes as SVG.
  func svg() -> String {
    let (colors, widths) = (colors.floats(), widths.floats())
    let paths = paths.svg(points).enumerated().map { i, path in
      let color = Array(colors[(4 * i)..<(4 * i + 4)])
      if self.paths.closed {
        return "<path d=\"\(path)\" fill-rule=\"evenodd\" \(SVG.paint("fill", color))/>"
      }
      return "<path d=\"\(path)\" fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\" "
        + "stroke-width=\"\(SVG.number(widths[i]))\" \(SVG.paint("stroke", color))/>"
    }
    let ground = "<rect width=\"100%\" height=\"100%\" \(SVG.paint("fill", paper.floats()))/>"
    return SVG.document(width: width, height: height, [ground] + paths)
  }
}
