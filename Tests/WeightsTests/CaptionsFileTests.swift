import Foundation
import TestSupport
import Testing

@testable import Weights

@Suite("Captions of an AttnGAN", .serialized)
struct CaptionsFileTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 1500
  private static let first = environment["REVERIE_FUZZ_FIRST"].flatMap { Int($0) } ?? 0

  /// The text as a pickle of Python 2, `U`, or of its unicode, `X`.
  private static func text(_ text: String, unicode: Bool) -> [UInt8] {
    let length = UInt8(text.utf8.count)
    return (unicode ? [0x58, length, 0, 0, 0] : [0x55, length]) + Array(text.utf8)
  }

  /// `[captions, captions, {number: word}, {word: number}]` as `cPickle.dump(…, protocol=2)` writes it.
  private static func pickle(_ words: [(word: String, id: UInt8)], captions count: Int = 2)
    -> [UInt8]
  {
    let caption: [UInt8] =
      [0x5D, 0x71, 2, 0x28] + [UInt8](repeatElement([0x4B, 7], count: 12).joined())
      + [0x4D, 0, 1, 0x65]
    let captions =
      [0x5D, 0x71, 1, 0x28] + [UInt8](repeatElement(caption, count: count).joined()) + [0x65]
    func dictionary(_ pairs: [[UInt8]]) -> [UInt8] {
      [0x7D, 0x71, 3, 0x28] + pairs.flatMap { $0 } + [0x75]
    }
    func word(_ word: String) -> [UInt8] { text(word, unicode: !word.hasPrefix("<")) }
    return [0x80, 2, 0x5D, 0x71, 0, 0x28] + captions + captions
      + dictionary(words.map { [0x4B, $0.id] + word($0.word) })
      + dictionary(words.map { word($0.word) + [0x4B, $0.id] }) + [0x65, 0x2E]
  }

  private static let bird = [("<end>", 0), ("red", 1), ("bird", 2), ("black", 3)].map {
    (word: $0.0, id: UInt8($0.1))
  }

  private func read(_ bytes: [UInt8]) throws -> [String: Int] {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(bytes).write(to: url)
    return try CaptionsFile(contentsOf: url).ids
  }

  @Test("the dictionary is read, and captions are passed over")
  func words() throws {
    #expect(try read(Self.pickle(Self.bird)) == ["<end>": 0, "red": 1, "bird": 2, "black": 3])
  }

  @Test(
    "what is no such file is refused with the reason",
    arguments: [
      ([0x80, 2, 0x5D, 0x2E], "not a list of four"),
      (pickle([]), "has 0 words"), (pickle([("a", 1), ("b", 1)]), "number 1 of 'b'"),
      (pickle([("a", 1), ("a", 2)]), "'a' twice"),
      ([0x80, 2, 0x63] + Array("os\nsystem\n(S'id'\ntR.".utf8), "not a list of four"),
    ] as [([UInt8], String)])
  func refused(bytes: [UInt8], reason: String) throws {
    #expect {
      try read(bytes)
    } throws: { error in
      "\(error)".contains(reason) && "\(error)".contains("captions.pickle")
    }
  }

  @Test("as many captions as a data set has take little memory")
  func large() throws {
    let before = residentMemory()
    #expect(try read(Self.pickle(Self.bird, captions: 100_000)).count == 4)
    #expect(residentMemory() - before < 192 << 20)
  }

  @Test("damaged files give a dictionary or a typed error, in little memory")
  func mutations() throws {
    let folder = try ScratchFolder.make("captions")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "captions.pickle")
    let original = Self.pickle(Self.bird)
    var read = 0
    for number in Self.first..<Self.first + Self.count {
      var mutator = Mutator(number)
      let bytes = mutator.damage(original)
      let memory = residentMemory()
      try bytes.withUnsafeBytes { bytes in
        do {
          let ids = try CaptionsFile.ids(bytes)
          read += 1
          #expect(ids.values.allSatisfy { (0..<CaptionsFile.mostWords).contains($0) })
        } catch is FormatError {}
      }
      #expect(residentMemory() - memory < 64 << 20, "mutation \(number)")
    }
    // And as a file, which is where a user meets it.
    try Data(original.dropLast(5)).write(to: url)
    #expect(throws: WeightsError.self) { try CaptionsFile(contentsOf: url) }
    #expect(read * 50 > Self.count, "only \(read) files were read")
  }
}
