import Torch

extension ObjectiveKind {
  static let symmetry = ObjectiveKind(
    "symmetry", "the picture like its mirror image",
    arguments: [
      .choice(
        "axis", SymmetryObjective.Axis.allCases.map(\.rawValue), standard: "horizontal",
        "left and right alike, or top and bottom")
    ]
  ) { setting in
    SymmetryObjective(
      axis: setting.text("axis").flatMap(SymmetryObjective.Axis.init) ?? .horizontal)
  }
}

/// The picture like its mirror image, by the mean squared difference (pixray's `symmetry`).
struct SymmetryObjective: Objective {
  /// Along which the picture is mirrored.
  enum Axis: String, CaseIterable {
    case horizontal, vertical
  }

  let axis: Axis

  func loss(_ sight: Sight) -> Tensor? {
    let picture = sight.picture
    return (picture - picture.flipped(axis == .horizontal ? 3 : 2)).square().mean()
  }
}
