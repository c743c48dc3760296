import Foundation
import Torch

extension ObjectiveKind {
  static let gaussian = ObjectiveKind(
    "gaussian", "a colour all around, more the farther from the middle",
    arguments: [
      .text("color", default: "white", "the colour"),
      .number(
        "std", 1...200, default: 18.5,
        "how far the middle reaches, as a standard deviation in percent of the shorter side"),
    ]
  ) { context in
    GaussianObjective(color: try context.color("color"), deviation: context.number("std") / 100)
  }
}

/// A colour around the middle (pixray's `gaussian`): the mean of `|picture - color| (1 - G)`, with a
/// Gaussian `G` of height one in the middle.
///
/// pixray's standard deviation is 40 pixels, of a picture 216 high; here it goes with the size.
struct GaussianObjective: Objective {
  /// `[1, 3, 1, 1]` in 0…1.
  let color: Tensor
  /// As a share of the shorter side.
  var deviation = 0.185

  func loss(_ observation: Observation) -> Tensor? {
    let picture = observation.picture
    let (height, width) = (picture.size(2), picture.size(3))
    let pixels = deviation * Double(min(height, width))
    func bell(_ count: Int) -> [Float] {
      (0..<count).map { Float(exp(-pow((Double($0) - Double(count - 1) / 2) / pixels, 2) / 2)) }
    }
    let middle = Tensor(bell(height), [height, 1]).matmul(Tensor(bell(width), [1, width]))
    return ((picture - color).abs() * (1 - middle.to(picture.device))).mean()
  }
}
