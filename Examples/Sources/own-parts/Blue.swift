import Painting
import Torch

/// Much blue: the mean of blue over the picture, which is wanted high.
struct Blue: Objective {
  func loss(_ observation: Observation) -> Tensor? {
    1 - observation.picture.narrowed(1, 2, 1).mean()
  }
}

extension ObjectiveKind {
  static let blue = ObjectiveKind("blue", "much blue") { _ in Blue() }
}
