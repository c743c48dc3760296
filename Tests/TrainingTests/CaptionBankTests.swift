import TestSupport
import Testing
import Torch

@testable import Training

@Suite("A bank of captions")
struct CaptionBankTests {
  static let picture = ExampleLabel(
    caption: "a red fox left of an owl on blue", conceptIDs: [1, 2], tints: [3, nil], colorID: 4,
    relation: .leftOf, kind: .pair)

  @Test(
    "a caption is true of a picture that shows all it tells, and more",
    arguments: [
      (ExampleLabel(caption: "a fox on blue", conceptIDs: [1], colorID: 4, kind: .single), true),
      (ExampleLabel(caption: "an owl", conceptIDs: [2], kind: .single), true),
      (ExampleLabel(caption: "a red fox", conceptIDs: [1], tints: [3], kind: .single), true),
      (ExampleLabel(caption: "a green fox", conceptIDs: [1], tints: [5], kind: .single), false),
      (ExampleLabel(caption: "a red owl", conceptIDs: [2], tints: [3], kind: .single), false),
      (ExampleLabel(caption: "a fox on red", conceptIDs: [1], colorID: 3, kind: .single), false),
      (ExampleLabel(caption: "three foxes", conceptIDs: [1], count: 3, kind: .count), false),
      (ExampleLabel(caption: "a cat", conceptIDs: [7], kind: .single), false),
      (ExampleLabel(caption: "a beach", conceptIDs: [], sceneID: 2, kind: .scene), false),
      (
        ExampleLabel(
          caption: "an owl left of a fox", conceptIDs: [2, 1], relation: .leftOf, kind: .pair),
        false
      ),
      (
        ExampleLabel(caption: "a fox in a file", conceptIDs: [], kind: .file),
        false
      ),
    ])
  func truth(caption: ExampleLabel, isTrue: Bool) {
    #expect(caption.isTrue(of: Self.picture) == isTrue)
    #expect(Self.picture.isTrue(of: Self.picture))
  }

  @Test("what is as true as the picture's own caption is no negative")
  func mask() throws {
    let set = try Corpus()
    let bank = CaptionBank([set, set], count: 20) { captions in
      Tensor(captions.map { Float($0.count) }, [captions.count, 1])
    }
    #expect(bank.embeddings.shape == [20, 1])
    #expect(bank.embeddings[3..<4].item() == Double(set.label(3).caption.count))
    let mask = bank.mask(of: [set.label(3)], on: .cpu)
    #expect(mask.shape == [1, 20])
    #expect(mask[0][3..<4].item() < -1000)
    #expect(mask[0][13..<14].item() < -1000)
    #expect(mask.equals(0).to(.float32).sum().item() > 10)
  }
}
