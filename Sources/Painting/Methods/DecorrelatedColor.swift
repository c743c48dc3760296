import Foundation
import Torch

/// Colours in which red, green and blue do not go together as they do in natural pictures, before a sigmoid:
/// a step that is as long in each of the three changes light and colours alike (Olah, Mordvintsev & Schubert,
/// "Feature Visualization", 2017).
struct DecorrelatedColor {
  private let matrix: Tensor  // [3, 3]
  private let inverse: Tensor  // [3, 3]

  /// - Parameter saturation: how much stronger colours are than light.
  init(saturation: Double, _ device: Device) {
    let values = Self.matrix(saturation)
    matrix = Tensor(values.map(Float.init), [3, 3]).to(device)
    inverse = Tensor(Self.inverse(values).map(Float.init), [3, 3]).to(device)
  }

  /// The picture in 0…1 of such colours, both `[1, 3, H, W]`.
  func picture(of x: Tensor) -> Tensor {
    x.permuted(0, 2, 3, 1).matmul(matrix.transposed()).permuted(0, 3, 1, 2).sigmoid()
  }

  /// The colours of a picture in 0…1, both `[1, 3, H, W]`.
  func colors(of picture: Tensor) -> Tensor {
    let p = picture.clamped(0.005, 0.995)
    let logits = (p / (p * -1 + 1)).log().permuted(0, 2, 3, 1)  // [1, H, W, 3]
    return logits.matmul(inverse.transposed()).permuted(0, 3, 1, 2)
  }

  /// To red, green and blue, row by row: how these go together in natural pictures.
  private static func matrix(_ saturation: Double) -> [Double] {
    let rows = [0.26, 0.09, 0.02, 0.27, 0.00, -0.05, 0.27, -0.09, 0.03]
    let divided = rows.enumerated().map { $0 % 3 == 0 ? $1 / saturation : $1 }
    let norms = (0..<3).map { column in
      stride(from: column, to: 9, by: 3).reduce(0) { $0 + divided[$1] * divided[$1] }.squareRoot()
    }
    let largest = norms.max() ?? 1
    return divided.map { $0 / largest }
  }

  /// The inverse of a 3 x 3 matrix, by its adjugate.
  private static func inverse(_ m: [Double]) -> [Double] {
    func minor(_ r: Int, _ c: Int) -> Double {
      let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3)
      return m[3 * r1 + c1] * m[3 * r2 + c2] - m[3 * r1 + c2] * m[3 * r2 + c1]
    }
    let determinant = (0..<3).reduce(0) { $0 + m[$1] * minor(0, $1) }
    return (0..<9).map { minor($0 % 3, $0 / 3) / determinant }
  }
}

/// A constant contrast before the sigmoid, whatever the size of the coefficients. A picture that was given has its
/// own: from then on nothing is evened out.
struct EvenContrast {
  /// The deviation of the values.
  let deviation: Double
  /// Whether it is kept.
  var isEven: Bool

  /// The values at that deviation.
  func evened(_ x: Tensor) -> Tensor {
    x / ((x - x.mean()).square().mean() + 1e-12).sqrt() * deviation
  }

  /// For checkpoints: whether it is kept changes when a picture is taken on.
  var memory: [String: Tensor] {
    get { ["evensContrast": Tensor(isEven ? 1 : 0)] }
    set { isEven = (newValue["evensContrast"]?.item() ?? 1) > 0 }
  }
}
