import Imaging
import Torch

/// A network in training: what its loss is, and what it can show.
///
/// Everything random in a step is drawn from streams named by the step, so that a training taken up
/// from a checkpoint goes on as if it had never stopped.
public protocol Trainee: AnyObject {
  /// The parameters to train, with their checkpoint keys; all are float32 variables.
  var parameters: [(key: String, tensor: Tensor)] { get }

  /// The loss of one step's batch, and figures for the log.
  func loss(step: Int) throws -> (loss: Tensor, figures: [(name: String, value: Tensor)])

  /// Called after the weights changed.
  func afterStep()

  /// Measures and shows where the training stands, with the averaged weights in place.
  func examine(step: Int) throws -> (figures: [(name: String, value: Double)], sheet: Picture?)
}

extension Trainee {
  /// Nothing to do.
  public func afterStep() {}
}
