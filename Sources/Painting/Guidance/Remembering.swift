import Torch

/// A part of the machine that learns something in its first iteration, a run's beginning for
/// instance, which must be saved and restored with the run.
public protocol Remembering: AnyObject {
  /// What it has learned, by name; empty before the first iteration.
  var memory: [String: Tensor] { get set }
}
