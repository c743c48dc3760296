import Testing
import Torch

/// Expects two tensors of one shape whose elements differ by at most `atol`.
///
/// The shape is compared first; then the failure names the worst element's index and both values. A
/// difference that is no number is the worst.
public func expectClose(
  _ actual: Tensor, _ expected: Tensor, atol: Double, _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.shape == expected.shape else {
    Issue.record(
      "\(name): shape \(actual.shape), expected \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  guard actual.count > 0 else { return }
  let difference = (actual.detached().to(.float64) - expected.detached().to(.float64)).abs()
  // NaN compares false with everything: it would pass a test of "greater than".
  let values = difference.withBytes { Array($0.bindMemory(to: Double.self)) }
  let worst = values.indices.max { rank(values[$0]) < rank(values[$1]) } ?? 0
  guard !(values[worst] <= atol) else { return }
  var rest = worst
  var index: [Int] = []
  for size in actual.shape.reversed() {
    index.insert(rest % size, at: 0)
    rest /= size
  }
  let (a, b) = (actual.to(.float64).reshaped(-1)[worst], expected.to(.float64).reshaped(-1)[worst])
  Issue.record(
    """
    \(name): differs by \(values[worst]) (at most \(atol) allowed) at \(index): \
    \(a.item()), expected \(b.item())
    """, sourceLocation: sourceLocation)
}

/// The same for numbers in the order of the tensor's elements.
public func expectClose(
  _ actual: Tensor, _ expected: [Double], atol: Double, _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(name): \(actual.count) elements, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  expectClose(
    actual, Tensor(expected.map(Float.init), actual.shape), atol: atol, name,
    sourceLocation: sourceLocation)
}

private func rank(_ value: Double) -> Double { value.isNaN ? .infinity : value }

/// The cosine of the angle between two tensors seen as vectors.
public func cosine(_ a: Tensor, _ b: Tensor) -> Double {
  let (a, b) = (a.detached().to(.float64), b.detached().to(.float64))
  return (a * b).sum().item() / (a.square().sum().item() * b.square().sum().item()).squareRoot()
}
