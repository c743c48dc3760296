import Torch

/// A part that remembers something from one iteration to the next, which a checkpoint must keep.
public protocol Remembering: AnyObject {
  /// What it remembers, by name.
  var memory: [String: Tensor] { get set }
}
