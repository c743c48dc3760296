import Foundation
import TestSupport
import Testing
import Weights

@testable import Torch

/// Against torch's nn.LSTM on packed sequences, by `Oracle/lstm.py`.
@Suite struct LSTMTests {
  /// Gives a file's tensors out as variables.
  private final class Variables: ParameterSource {
    private(set) var tensors: [String: Tensor] = [:]
    private let file: SafeTensors

    init(_ file: SafeTensors) { self.file = file }

    func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
      guard let tensor = try? file.tensor(path).cloned().variable(), tensor.shape == shape else {
        Issue.record("\(path) is not \(shape)")
        return .zeros(shape)
      }
      tensors[path] = tensor
      return tensor
    }
  }

  @Test(
    "sequences of several lengths, in any order, give torch's values and gradients",
    arguments: ["both", "one"])
  func references(name: String) throws {
    let url = Bundle.module.bundleURL.appending(path: "Fixtures/lstm.safetensors")
    let file = try SafeTensors(contentsOf: url)
    let source = Variables(file)
    let lstm = LSTM(Parameters(source) / name, 5, 3, bidirectional: name == "both")
    let x = try file.tensor("x").cloned().variable()
    let (outputs, last) = lstm(x, lengths: try file.tensor("lengths").ints())
    expectClose(outputs, try file.tensor("\(name).outputs"), atol: 1e-5, "outputs")
    expectClose(last, try file.tensor("\(name).last"), atol: 1e-5, "last")
    let loss =
      (outputs * (try file.tensor("\(name).probe.outputs"))).sum()
      + (last * (try file.tensor("\(name).probe.last"))).sum()
    let keys = source.tensors.keys.sorted()
    #expect(keys.count == (name == "both" ? 8 : 4))
    let slopes = gradient(of: loss, at: [x] + keys.compactMap { source.tensors[$0] })
    for (key, slope) in zip(["\(name).x"] + keys, slopes) {
      let expected = try file.tensor(key.replacing("\(name).", with: "\(name).slope."))
      expectClose(slope, expected, atol: 1e-5, key)
    }
  }

  @Test("batch norms take the statistics given, or the batch's own and move those given")
  func batchNorms() {
    let x = Tensor([1, 3, 5, 7, 2, 2, 4, 4] as [Float], [2, 2, 2])
    let (mean, variance) = (Tensor([1, 0] as [Float]), Tensor([4, 1] as [Float]))
    let (gain, shift) = (Tensor([2, 1] as [Float]), Tensor([0, 3] as [Float]))
    let given = x.batchNorm(gain, shift, statistics: (mean, variance), eps: 0)
    #expect(given.floats() == [0, 2, 8, 10, 1, 1, 7, 7])
    let own = x.batchNorm(gain, shift, statistics: (mean, variance), momentum: 0.5, eps: 0)
    // The first channel holds 1, 3, 2, 2: mean 2, variance 0.5, which counts as 2/3 of four values.
    expectClose(own.select(1, 0)[0], Tensor([-2.828427, 2.828427] as [Float]), atol: 1e-5)
    expectClose(mean, Tensor([1.5, 2.5] as [Float]), atol: 1e-6)
    expectClose(variance, Tensor([4.0 / 2 + 1.0 / 3, 0.5 + 1] as [Float]), atol: 1e-5)
  }
}
