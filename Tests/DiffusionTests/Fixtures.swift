import Foundation
import Testing
import Torch
import Weights

/// What `Oracle` wrote.
struct Fixture {
  private let file: SafeTensors

  init(_ name: String) throws {
    let folder = try #require(Bundle.module.resourceURL)
    file = try SafeTensors(contentsOf: folder.appending(path: "Fixtures/\(name).safetensors"))
  }

  func callAsFunction(_ name: String) throws -> Tensor { try file.tensor(name) }
}

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
  let worst = (actual.to(.float64) - expected.to(.float64)).abs().amax().item()
  if !(worst <= atol) {
    Issue.record(
      "\(name): differs by \(worst), at most \(atol) allowed", sourceLocation: sourceLocation)
  }
}
