/// What can go wrong in a training through no fault of the program.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A configuration that cannot be used.
  case configuration(String)
  /// A run folder whose contents do not belong to this training.
  case run(String)
  /// Something another stage should have made.
  case missing(String)
  /// The loss was not a number for too many steps in a row.
  case diverged(step: Int)

  /// What failed, on what, and what to do.
  public var description: String {
    switch self {
    case .configuration(let text), .run(let text), .missing(let text): text
    case .diverged(let step):
      "The loss is not a number since step \(step). Lower 'rate' and start from the last checkpoint."
    }
  }
}
