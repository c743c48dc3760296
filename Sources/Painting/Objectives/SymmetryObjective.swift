import Torch

extension ObjectiveKind {
  static let symmetry = ObjectiveKind(
    "symmetry", "the picture like its mirror image",
    arguments: [
      .choice(
        "axis", SymmetryObjective.Axis.allCases.map(\.rawValue), default: "horizontal",
        "left and right alike, or top and bottom")
    ]
  ) { context in
    SymmetryObjective(
      axis: context.choice("axis"))
  }
}

/// The picture like its mirror image, by the mean squared difference (pixray's `symmetry`).
struct SymmetryObjective: Objective {
  /// Along which the picture is mirrored.
  enum Axis: String, CaseIterable {
    case horizontal, vertical
  }

  let axis: Axis

  func loss(_ observation: Observation) -> Tensor? {
    let picture = observation.picture
    return (picture - picture.flipped(axis == .horizontal ? 3 : 2)).square().mean()
  }
}
