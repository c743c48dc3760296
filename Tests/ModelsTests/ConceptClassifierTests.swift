import TestSupport
import Testing
import Torch
import Weights

@testable import Models

@Suite("The concept classifier")
struct ConceptClassifierTests {
  static let config = ConceptClassifier.Config(classes: 5, widths: [8, 16, 24])

  private let pictures = RandomStream(seed: 1, "pictures").uniform([2, 3, 64, 64]) * 2 - 1

  @Test(
    "Pictures of any sides that are multiples of 16 become one row of logits each",
    arguments: [(1, 16, 16), (2, 64, 64), (3, 32, 80)])
  func shapes(count: Int, height: Int, width: Int) {
    let classifier = ConceptClassifier(Parameters(Recorder()), Self.config)
    let logits = classifier(Tensor.zeros([count, 3, height, width]))
    #expect(logits.shape == [count, 5])
    #expect(logits.dtype == .float32)
  }

  @Test("Pictures of one batch do not see each other")
  func rows() {
    let classifier = ConceptClassifier(Parameters(Recorder()), Self.config)
    let both = classifier(pictures)
    for row in 0..<2 {
      // The same sums, perhaps in another order.
      expectClose(classifier(pictures[row..<row + 1]), both[row..<row + 1], atol: 1e-5)
    }
    #expect((both[0] - both[1]).abs().amax().item() > 1e-3)
  }

  @Test("Written to a checkpoint and read again it gives the same logits, in bfloat16 nearly")
  func roundTrip() throws {
    let initializer = Initializer(seed: 3)
    let fresh = ConceptClassifier(Parameters(initializer), Self.config)
    let expected = fresh(pictures).detached()
    let weights = Dictionary(
      uniqueKeysWithValues: initializer.parameters.map { ($0.key, $0.tensor.detached()) })
    try Fixtures.withTemporaryFile("classifier.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      let checkpoint = try Checkpoint(contentsOf: url)
      let again = try checkpoint.build { ConceptClassifier($0, Self.config) }
      #expect(again(pictures).floats() == expected.floats())
      let reduced = try checkpoint.build(.bfloat16) { ConceptClassifier($0, Self.config) }
      #expect(reduced(pictures).dtype == .float32)
      // Eight bits of mantissa through six blocks.
      #expect(cosine(reduced(pictures), expected) > 0.99)

      var other = Self.config
      other.classes = 6
      let error = #expect(throws: WeightsError.self) {
        try checkpoint.build { ConceptClassifier($0, other) }
      }
      #expect(error?.description.contains("head.weight") == true)
    }
  }
}
