/// What can go wrong in a training through no fault of the program.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A configuration that cannot be used.
  case configuration(String)
  /// A run folder whose contents do not belong to this training.
  case run(String)
  /// Something another stage should have made.
  case missing(String)
  /// Processes that cannot train together.
  case group(String)
  /// Another process of the training is gone, or does not answer.
  case lost(reason: String)
  /// The loss was not a number for too many steps in a row.
  case diverged(step: Int)

  /// What failed, on what, and what to do.
  public var description: String {
    switch self {
    case .configuration(let text), .run(let text), .missing(let text), .group(let text): text
    case .lost(let reason):
      "Another process of the training is gone or does not answer (\(reason)). What was reached is in the run's "
        + "checkpoint. Start all processes again to go on from there."
    case .diverged(let step):
      "The loss is not a number since step \(step). Lower 'rate' and start from the last checkpoint."
    }
  }
}
