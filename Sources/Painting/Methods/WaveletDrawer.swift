import Foundation
import Torch

/// Draws by wavelets: the parameters are the coefficients of a picture at all scales, in decorrelated colour. As
/// in a spectrum one step moves coarse and fine alike, and each coefficient has a place in the picture as well
/// (aphantasia's and pixray's `dwt`; the wavelet is Daubechies' second coiflet, as theirs).
final class WaveletDrawer: Drawer, Remembering {
  /// Over the scales' amplitudes: the coarsest means `[1, 3, h, w]`, then from coarse to fine the details along
  /// rows, columns and both, `[1, 9, h, w]`.
  let parameters: [Tensor]
  private let grid: Grid
  private let color: DecorrelatedColor
  private var contrast: EvenContrast

  /// Begins from noise.
  init(
    width: Int, height: Int, _ style: FourierDrawer.Style = .init(), stream: RandomStream,
    device: Device
  ) {
    grid = Grid(width: width, height: height, decay: style.decay, device)
    parameters = grid.shapes.map { (stream.normal($0) * 0.01).to(device).variable() }
    contrast = EvenContrast(deviation: style.contrast, isEven: true)
    color = DecorrelatedColor(saturation: style.colors, device)
  }

  /// As with a spectrum.
  var rates: [Double] { parameters.map { _ in contrast.isEven ? 1 : 5 / unitStep } }

  /// By how much pixels differ before the sigmoid when each coefficient moves by one.
  private lazy var unitStep: Double = noGrad {
    let stream = RandomStream(seed: 1, "moves")
    let moves = grid.shapes.map { stream.normal($0).to(parameters[0].device) }
    return grid.plane(of: moves).square().mean().sqrt().item()
  }

  func begin(from picture: Tensor) -> Bool {
    noGrad {
      for (own, found) in zip(parameters, grid.coefficients(of: color.colors(of: picture))) {
        own.assign(found)
      }
    }
    contrast.isEven = false
    return true
  }

  var memory: [String: Tensor] {
    get { contrast.memory }
    set { contrast.memory = newValue }
  }

  func render(_ iteration: Int?) -> Tensor {
    let x = grid.plane(of: parameters)  // [1, 3, H, W]
    return color.picture(of: contrast.isEven ? contrast.evened(x) : x)
  }

  /// The scales of a size, and the transform between coefficients and pixels. What is drawn is a little larger
  /// than what is shown, so that each scale has half the cells of the next.
  private struct Grid {
    /// The matrices that double a side: of means and of details, `[2 n, n]`.
    private struct Side {
      let means: Tensor
      let details: Tensor

      init(_ count: Int, _ device: Device) {
        func matrix(_ taps: [Double]) -> Tensor {
          var values = [Float](repeating: 0, count: 2 * count * count)
          for column in 0..<count {
            // The sides meet, which keeps the transform orthogonal.
            for (tap, value) in taps.enumerated() {
              values[(2 * column + tap) % (2 * count) * count + column] += Float(value)
            }
          }
          return Tensor(values, [2 * count, count]).to(device)
        }
        means = matrix(WaveletDrawer.coiflet)
        details = matrix(
          WaveletDrawer.coiflet.reversed().enumerated().map { $0.isMultiple(of: 2) ? $1 : -$1 })
      }
    }

    private let width: Int
    private let height: Int
    /// From coarse to fine.
    private let rows: [Side]
    private let columns: [Side]
    private let scales: [Double]
    let shapes: [[Int]]

    init(width: Int, height: Int, decay: Double, _ device: Device) {
      (self.width, self.height) = (width, height)
      // The coarsest scale has about four cells along the shorter side.
      let levels = max(1, Int(log2(Double(min(width, height)) / 4).rounded(.down)))
      func cells(_ side: Int) -> Int { (side + (1 << levels) - 1) >> levels }
      let sizes = (0..<levels).map { (cells(height) << $0, cells(width) << $0) }
      rows = sizes.map { Side($0.0, device) }
      columns = sizes.map { Side($0.1, device) }
      shapes = [[1, 3, sizes[0].0, sizes[0].1]] + sizes.map { [1, 9, $0.0, $0.1] }
      // As frequencies in natural pictures: each scale down halves them.
      let details = (0..<levels).map { pow(2, Double(levels - $0) * decay) }
      scales = [details[0]] + details
    }

    /// - Returns: `[1, 3, H, W]`
    func plane(of coefficients: [Tensor]) -> Tensor {
      var x = coefficients[0] * scales[0]
      for (level, (row, column)) in zip(rows, columns).enumerated() {
        let found = coefficients[level + 1] * scales[level + 1]
        let bands = (0..<3).map { found.narrowed(1, 3 * $0, 3) }
        let (wide, detail) = (column.means.transposed(), column.details.transposed())
        x =
          row.means.matmul(x.matmul(wide) + bands[0].matmul(detail))
          + row.details.matmul(bands[1].matmul(wide) + bands[2].matmul(detail))
      }
      return x.narrowed(2, 0, height).narrowed(3, 0, width)
    }

    /// The coefficients whose plane is `x`, `[1, 3, H, W]`.
    func coefficients(of x: Tensor) -> [Tensor] {
      let (last, side) = (shapes[shapes.count - 1], shapes.count - 1)
      var x = x.padded([0, 2 * last[3] - width, 0, 2 * last[2] - height], .replicate)
      var found: [Tensor] = []
      for level in (0..<side).reversed() {
        let (row, column) = (rows[level], columns[level])
        let (means, details) = (
          row.means.transposed().matmul(x), row.details.transposed().matmul(x)
        )
        let bands = [
          means.matmul(column.details), details.matmul(column.means),
          details.matmul(column.details),
        ]
        found.insert(concatenated(bands, over: 1) / scales[level + 1], at: 0)
        x = means.matmul(column.means)
      }
      return [x / scales[0]] + found
    }
  }

  /// The taps that double a side of means (Daubechies, "Orthonormal Bases of Compactly Supported Wavelets II",
  /// 1993, of order two); those of details are theirs, reversed, with alternating signs.
  private static let coiflet = [
    0.016387336463522112, -0.04146493678175915, -0.06737255472196302, 0.3861100668211622,
    0.8127236354455423, 0.41700518442169254, -0.0764885990783064, -0.0594344186464569,
    0.023680171946334084, 0.0056114348193944995, -0.0018232088707029932, -0.0007205494453645122,
  ]
}
