import Foundation
import Imaging
import Testing
import Weights

@testable import Training

@Suite("Examples of the corpus")
struct CorpusTests {
  /// Rendered once for the whole suite.
  static let shared = Result { try Corpus() }

  @Test("the same seed and index give the same bytes and caption in any order, split and layout")
  func determinism() throws {
    let corpus = try Self.shared.get()
    let again = try Corpus()
    let forward = corpus.batch(Array(0..<16))
    for index in (0..<16).reversed() {
      let one = again.batch([index])
      let each = 3 * 64 * 64
      #expect(one.pixels == Array(forward.pixels[(index * each)..<((index + 1) * each)]))
      #expect(one.labels[0] == forward.labels[index])
      let example = try again.example(index)
      #expect(example.label == forward.labels[index])
      #expect(example.label == corpus.label(index))
      let bytes = example.picture.bytes
      let interleaved = (0..<each).map { (i: Int) -> UInt8 in one.pixels[i % 3 * 4096 + i / 3] }
      #expect(bytes == interleaved)
    }
    let other = try corpus.with { $0.seed = 2 }
    #expect(other.batch(Array(0..<16)).pixels != forward.pixels)
    #expect(try corpus.with(split: .heldOut).batch(Array(0..<16)).labels != forward.labels)
  }

  @Test("a keyed generator gives the numbers it gave, of every key its own")
  func keyed() {
    // Computed in Python from the formulas.
    var random = KeyedRandom(seed: 1, stream: "test", index: 7)
    #expect(
      (0..<3).map { _ in random.next() }
        == [0xaf61_95bd_e88c_42ca, 0x7e0c_7574_fbdd_3334, 0x3e43_aad3_442f_7769])
    #expect(KeyedRandom.hash("a") == 0x02c0_bdbf_4814_20f8)
    var next = KeyedRandom(seed: 1, stream: "test", index: 8)
    #expect(next.next() != 0xaf61_95bd_e88c_42ca)
  }

  /// SHA-256 of the font and of the names from which the pack was made: fonts-noto-color-emoji
  /// 2.042 and unicode-cldr-core 41 of Debian 12. Other releases draw and name other pictures.
  static let sources = [
    GlyphArt.defaultFontPath: "e5899ed38b8ed83e08bd3ac5de09791e9d19d288333a796de1d35ad17396f1ec",
    "/usr/share/unicode/cldr/common/annotations/en.xml":
      "170a989b9aff71fd06b9f7bbd70aa3b4a3d228e15fa734692d4fc80206e536e1",
    "/usr/share/unicode/cldr/common/annotationsDerived/en.xml":
      "0fab943b22dd1197b6d6fe6ce6aec7968e925d547283484bddcf96b14daf657f",
  ]

  static var hasSources: Bool {
    sources.allSatisfy { path, sum in
      (try? Checksum.sha256(of: URL(fileURLWithPath: path))) == sum
    }
  }

  @Test(
    "the first examples are the ones they were: a change of any would orphan the pack",
    .enabled(
      if: hasSources, "needs fonts-noto-color-emoji 2.042 and unicode-cldr-core 41 (Debian 12)"))
  func fixed() throws {
    let corpus = try Self.shared.get()
    let hashes = [0, 1, 2, 3, 1000, 1_000_000].map { index in
      let batch = corpus.batch([index])
      let hash = batch.pixels.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
        ($0 ^ UInt64($1)) &* 0x100_0000_01b3  // FNV-1a
      }
      return batch.labels[0].caption + " " + String(hash, radix: 16)
    }
    #expect(hashes == Self.examples)
  }

  /// Captions, and FNV-1a of the bytes in planes.
  static let examples = [
    "brown background, cruise ship 913ebb763033af63",
    "strawberry on a purple background dd360f7efa27987d",
    "an image of bacon on blue 72b3a0a5eb150468",
    "pot of food on pink aa43857556ac4367",
    "an image of a tractor on light blue 7d2cae78ba97afbe",
    "a picture of a quill on a brown background b2dc231267fa24ec",
  ]

  @Test("a keyed generator is even: means and bounds")
  func even() {
    var sum = 0.0
    var counts = [Int](repeating: 0, count: 10)
    for index in 0..<20_000 {
      var random = KeyedRandom(seed: 3, stream: "even", index: UInt64(index))
      sum += random.uniform()
      counts[random.integer(below: 10)] += 1
    }
    #expect(abs(sum / 20_000 - 0.5) < 0.01)
    #expect(counts.allSatisfy { abs($0 - 2000) < 200 })
  }

  @Test(
    "training never shows a held-out pair; the held-out split shows nothing else",
    arguments: [0, 0.5])
  func splits(pairs: Double) throws {
    let corpus = try Self.shared.get().with { $0.pairFraction = pairs }
    let heldOut = try corpus.with(split: .heldOut)
    var concepts: Set<Int> = []
    for index in 0..<30_000 {
      let label = corpus.label(index)
      let color = try #require(label.colorID)
      #expect(!label.conceptIDs.contains { corpus.isHeldOut(conceptID: $0, colorID: color) })
      let other = heldOut.label(index)
      let otherColor = try #require(other.colorID)
      #expect(other.conceptIDs.contains { corpus.isHeldOut(conceptID: $0, colorID: otherColor) })
      #expect(otherColor != NamedColor.whiteID)
      concepts.formUnion(label.conceptIDs)
    }
    #expect(concepts.count == corpus.catalogue.concepts.count)
  }

  @Test("a tenth of the pairs on colours is held out")
  func share() throws {
    let corpus = try Self.shared.get()
    let ids = corpus.catalogue.concepts.indices
    let held = ids.reduce(0) { sum, id in
      sum + NamedColor.all.filter { corpus.isHeldOut(conceptID: id, colorID: $0.id) }.count
    }
    let share = Double(held) / Double(ids.count * (NamedColor.all.count - 1))
    #expect((0.09...0.11).contains(share), "\(share)")
  }

  @Test("a caption without a colour has a white ground under grid placement")
  func whiteGround() throws {
    let corpus = try Self.shared.get()
    for index in 0..<3000 {
      let label = corpus.label(index)
      let color = NamedColor.all[try #require(label.colorID)]
      let names = [color.name] + color.synonyms
      guard !names.contains(where: label.caption.contains) else { continue }
      #expect(color.id == NamedColor.whiteID, "\(label.caption)")
    }
  }

  @Test("objects on the grid are centred, whole and of the exact size", arguments: [56, 48, 64])
  func grid(objectSize: Int) throws {
    let corpus = try Self.shared.get().with {
      $0.objectSize = objectSize
      $0.whiteFraction = 1
    }
    for index in 0..<200 {
      let picture = try corpus.example(index).picture
      var box = (left: 64, right: -1, top: 64, bottom: -1)
      for y in 0..<64 {
        for x in 0..<64 where picture[x, y] != .white {
          box = (min(box.left, x), max(box.right, x), min(box.top, y), max(box.bottom, y))
        }
      }
      let margin = (64 - objectSize) / 2
      #expect(box.left >= margin && box.right < 64 - margin)
      #expect(box.top >= margin && box.bottom < 64 - margin)
      #expect(abs(box.left - (63 - box.right)) <= 5 && abs(box.top - (63 - box.bottom)) <= 5)
      let longer = max(box.right - box.left, box.bottom - box.top) + 1
      // White parts at an edge do not show on white.
      #expect(longer >= objectSize - 14, "\(corpus.label(index).caption) \(longer)")
    }
  }

  @Test("jittered pictures and pairs draw within the buffer and vary", arguments: [64, 63, 32])
  func jitter(size: Int) throws {
    let corpus = try Self.shared.get().with {
      $0.placement = .jitter
      $0.size = size
      $0.objectSize = size
      $0.pairFraction = 0.5
    }
    let labels = (0..<200).map(corpus.label)
    #expect(Set(labels.map(\.kind)) == [.single, .pair])
    let pictures = try (0..<32).map { try corpus.example($0).picture }
    #expect(Set(pictures.map(\.bytes)).count == 32)
  }

  @Test("a buffer too small takes what fits, floats run from -1 to 1")
  func buffers() throws {
    let corpus = try Self.shared.get()
    let each = 3 * 64 * 64
    var bytes = [UInt8](repeating: 7, count: 2 * each + 5)
    let labels = bytes.withUnsafeMutableBufferPointer {
      corpus.fill(0..<4, into: $0, layout: .channelsFirst)
    }
    #expect(labels.count == 2 && bytes[(2 * each)...].allSatisfy { $0 == 7 })
    var floats = [Float](repeating: 9, count: 2 * each)
    let again = floats.withUnsafeMutableBufferPointer {
      corpus.fill(0..<2, into: $0, layout: .channelsFirst)
    }
    #expect(again == labels)
    #expect(zip(floats, bytes).allSatisfy { abs($0 - (Float($1) / 127.5 - 1)) < 1e-5 })
  }

  @Test("evaluation prompts are fixed, held out, name their ground, and spread over all concepts")
  func prompts() throws {
    let corpus = try Self.shared.get()
    let prompts = corpus.heldOutPrompts(count: 200, seed: 1)
    #expect(prompts.count == 200 && prompts == corpus.heldOutPrompts(count: 200, seed: 1))
    #expect(prompts != corpus.heldOutPrompts(count: 200, seed: 2))
    #expect(Set(prompts.map(\.conceptID)).count == 200)
    for prompt in prompts {
      #expect(corpus.isHeldOut(prompt.label))
      #expect(prompt.text.contains(NamedColor.all[try #require(prompt.colorID)].name))
      #expect(prompt.text.contains(corpus.catalogue.concepts[prompt.conceptID].name))
    }
    let all = corpus.heldOutPrompts(count: .max, seed: 1)
    #expect(Set(all.map { [$0.conceptID, $0.colorID ?? -1] }).count == all.count)
    #expect(Set(all.map(\.conceptID)).count == corpus.catalogue.concepts.count)
  }

  @Test("contradictory options are refused by name")
  func configuration() throws {
    let corpus = try Self.shared.get()
    let changes: [(String, (inout CorpusConfiguration) -> Void)] = [
      ("size", { $0.size = 0 }), ("objectSize", { $0.objectSize = 65 }),
      ("pairFraction", { $0.pairFraction = .nan }), ("whiteFraction", { $0.whiteFraction = 2 }),
      ("conceptIDs", { $0.conceptIDs = [] }), ("concept", { $0.conceptIDs = [100_000] }),
    ]
    for (name, change) in changes {
      #expect { try corpus.with(change) } throws: { "\($0)".contains(name) }
    }
  }

  @Test("white is exact and all grounds are well apart")
  func colors() {
    #expect(NamedColor.all[NamedColor.whiteID].color == .white)
    #expect(NamedColor.named("Gray")?.name == "grey")
    for a in NamedColor.all {
      for b in NamedColor.all where a.id < b.id {
        let apart = [\Color.red, \.green, \.blue].map {
          abs(Int(a.color[keyPath: $0]) - Int(b.color[keyPath: $0]))
        }
        #expect(apart.reduce(0, +) > 90, "\(a.name), \(b.name)")
      }
    }
  }
}
