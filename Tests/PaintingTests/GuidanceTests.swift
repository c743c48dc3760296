import Foundation
import Models
import Testing
import Torch
import TestSupport

@testable import Painting

@Suite struct GuidanceTests {
  // Vectors of methods.md, section 12.
  @Test(
    "learning rates drop at a share of the last iteration's number",
    arguments: [([75.0], 300, [224]), ([50, 22.5], 300, [67, 149]), ([], 300, []), ([0], 1, [0])])
  func drops(_ percentages: [Double], _ iterations: Int, _ expected: [Int]) {
    var schedule = RateSchedule(percentages: percentages, iterations: iterations, patience: nil)
    #expect(schedule.drops == expected)
    for (index, drop) in expected.enumerated() {
      if drop > 0 { #expect(abs(schedule.factor(at: drop - 1) - pow(0.1, Double(index))) < 1e-12) }
      #expect(abs(schedule.factor(at: drop) - pow(0.1, Double(index + 1))) < 1e-12)
    }
  }

  @Test("without a better loss the step drops early, and then painting ends")
  func plateau() {
    var schedule = RateSchedule(percentages: [90], iterations: 100, patience: 3)
    for loss in [5.0, 4, 4, 4] { schedule.note(loss) }
    #expect(schedule.dropped == 0)
    schedule.note(4.5)
    #expect(schedule.dropped == 1 && !schedule.isExhausted)
    // A drop begins anew: the first loss after it is the best.
    for loss in [6.0, 6, 6] { schedule.note(loss) }
    #expect(!schedule.isExhausted)
    schedule.note(6)
    #expect(schedule.isExhausted)
    #expect(abs(schedule.factor(at: 95) - 0.1) < 1e-12)
  }

  @Test("an average is the plain mean at first and follows slowly")
  func average() {
    let x = Tensor([0] as [Float]).variable()
    let average = ParameterAverage([x], decay: 0.5)
    // By hand: biased 0.5, 1.25, 2.625 over 1 - 0.5ᵗ.
    for (value, expected) in [(1.0, 1.0), (2, 1.25 / 0.75), (4, 2.625 / 0.875)] {
      noGrad { x.assign(Tensor([Float(value)])) }
      average.update([x])
      average.with([x]) { #expect(abs(x.item() - expected) < 1e-6) }
      #expect(x.item() == value)
    }
  }

  @Test("codes are drawn as their probabilities say, and the gradient goes to these")
  func draw() {
    let logits = Tensor([0, 2, -1, 1, 1, 1] as [Float], [1, 2, 3]).variable()
    var counts = [Double](repeating: 0, count: 3)
    for index in 0..<400 {
      let codes = drawCodes(logits, RandomStream(seed: 1, "draw \(index)")).codes
      counts[codes.ints()[0]] += 1.0 / 400
    }
    let expected = [0.1142, 0.8438, 0.0420]  // softmax of 0, 2, -1
    for (count, share) in zip(counts, expected) { #expect(abs(count - share) < 0.06) }
    let (codes, probabilities) = drawCodes(logits, nil)
    #expect(codes.ints()[0] == 1 && probabilities.shape == [1, 2, 3])
    let chosen = oneHot(codes, count: 3).straightThrough(to: probabilities)
    #expect(chosen.floats().prefix(3) == [0, 1, 0])
    let weights = Tensor([1, 0, 0, 0, 0, 0] as [Float], [1, 2, 3])
    let slope = gradient(of: (chosen * weights).sum(), at: [logits])[0].floats()
    // d softmax₀ / d logits = p₀ (δ - p).
    #expect(abs(Double(slope[0]) - 0.1142 * (1 - 0.1142)) < 1e-3)
    #expect(abs(Double(slope[1]) + 0.1142 * 0.8438) < 1e-3)
  }

  @Test("embeddings are kept by content and network, and a damaged file is made anew")
  func cache() throws {
    let folder = try ScratchFolder.make("cache")
    let cache = EmbeddingCache(folder: folder)
    var made = 0
    func get(_ key: String) -> [Float] {
      cache.embedding(key) {
        made += 1
        return Tensor([Float(made)], [1, 1])
      }.floats()
    }
    #expect(get("a") == [1] && get("b") == [2] && get("a") == [1] && made == 2)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      try Data("damaged".utf8).write(to: folder.appending(path: name))
    }
    #expect(get("a") == [3] && get("a") == [3])
  }

  @Test("embeddings are read from safetensors and from JSON, by name or by width")
  func embeddings() throws {
    let folder = try ScratchFolder.make("embeddings")
    func file(_ name: String, _ text: String) throws -> EmbeddingFile {
      let url = folder.appending(path: name)
      try Data(text.utf8).write(to: url)
      return try EmbeddingFile(contentsOf: url)
    }
    func sizes(_ width: Int) -> CLIP.Config {
      CLIP.Config(
        embedDim: width, vision: .init(imageSize: 16, patchSize: 8, width: 64, layers: 1),
        text: .init(contextLength: 16, vocabSize: 518, width: 64, heads: 1, layers: 1))
    }
    let named = try file("a.json", #"{"ViT-B/32": [1, 2], "RN50": [1, 2, 3]}"#)
    #expect(try #require(named.rows(for: "vit-b32", sizes(2))).0 == [1, 2])
    #expect(named.rows(for: "pack", sizes(2)) == nil)
    let plain = try file("b.json", "[1, 2, 3]")
    #expect(try #require(plain.rows(for: "pack", sizes(3))).1 == 1)
    #expect(plain.rows(for: "pack", sizes(2)) == nil)
    #expect(throws: RequestError.self) { try file("c.json", #"{"a": "b"}"#) }
    #expect(throws: RequestError.self) { try file("d.json", "") }
  }
}
