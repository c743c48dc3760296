import Testing
import Torch

/// Expects two tensors of one shape whose elements differ by at most `atol`; a difference that is no
/// number fails.
func expectClose(
  _ actual: Tensor, _ expected: Tensor, atol: Double, _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.shape == expected.shape else {
    Issue.record(
      "\(name): shape \(actual.shape), expected \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  let worst = (actual.detached() - expected.detached()).abs().amax().item()
  if !(worst <= atol) {
    Issue.record(
      "\(name): differs by \(worst), at most \(atol) allowed", sourceLocation: sourceLocation)
  }
}

/// The same for numbers.
func expectClose(
  _ actual: Tensor, _ expected: [Double], atol: Double, _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectClose(
    actual, Tensor(expected.map(Float.init), actual.shape), atol: atol, name,
    sourceLocation: sourceLocation)
}
