import Foundation
import Testing

@testable import Tokenizers

/// Files that strangers hand in.
@Suite("Vocabulary")
struct VocabularyTests {
  private static let clip = #""<|startoftext|>": 512, "<|endoftext|>": 513"#

  @Test(
    "A damaged vocabulary is refused by name",
    arguments: [
      ("bpe.txt", "#version\na b c\n"), ("bpe.txt", "#version\nab cd\n"), ("bpe.txt", "\u{0}"),
      ("tokenizer.json", "{}"), ("tokenizer.json", "[1"), ("tokenizer.json", ""),
      ("tokenizer.json", #"{"model":{"vocab":[["a",0.1]],"type":"Unigram"}}"#),
      ("tokenizer.json", #"{"model":{"vocab":{"a":0},"merges":["a b c"]}}"#),
      ("tokenizer.json", #"{"model":{"vocab":{"a":0},"merges":[["a"]]}}"#),
      ("tokenizer.json", #"{"format":"reverie-bpe","version":2,"specials":[],"merges":[]}"#),
      ("tokenizer.json", String(repeating: "[", count: 100_000)),
      ("vocab.json", #"{"a": 0}"#), ("vocab.json", #"{"a": 9223372036854775807}"#),
      ("vocab.json", #"{"a": 1e300}"#), ("vocab.json", #"{"a": -1}"#),
      ("vocab.json", #"{"a": 0, "b": 0}"#), ("bpe.txt.gz", "\u{1F}"),
    ])
  func damaged(name: String, contents: String) throws {
    let files = [name: Data(contents.utf8), "merges.txt": Data("#version: 0.2\n".utf8)]
    try Fixtures.withFolder(files) { folder in
      let url = folder.appendingPathComponent(name)
      let error = #expect(throws: TokenizerError.self) { try CLIPTokenizer(contentsOf: url) }
      #expect(error?.description.hasPrefix(url.path) == true)
      #expect(throws: TokenizerError.self) { try ByteBPETokenizer(contentsOf: url, .bart) }
    }
    #expect(throws: TokenizerError.self) {
      try CLIPTokenizer(contentsOf: URL(fileURLWithPath: "/nowhere/\(name)"))
    }
  }

  @Test("Files that are not text, too large or no files are refused")
  func notText() throws {
    let invalid = Data("#version\n".utf8) + Data([0xFF, 0x20, 0xFE, 0x0A])
    let large = Data(repeating: 0x20, count: Vocabulary.largestFile + 1)
    try Fixtures.withFolder(["bpe.txt": invalid, "large.txt": large]) { folder in
      for name in ["bpe.txt", "large.txt", "", "missing.txt"] {
        #expect(throws: TokenizerError.self) {
          try CLIPTokenizer(contentsOf: folder.appendingPathComponent(name))
        }
      }
    }
    #expect(throws: TokenizerError.self) {
      try CLIPTokenizer(contentsOf: URL(fileURLWithPath: "/dev/zero"))
    }
  }

  @Test("A merge that joins nothing, or is there twice, ends")
  func circles() throws {
    // The empty symbol joined to another gives that other again.
    var symbols = ByteAlphabet.characters.map(String.init) + ["", "<s>", "<pad>", "</s>", "<unk>"]
    symbols.append("aa")
    let ids = Dictionary(uniqueKeysWithValues: zip(symbols, 0...))
    let merges = [["", "a"], ["a", ""], ["a", "a"], ["a", "a"], ["", ""]]
    let json = try JSONSerialization.data(
      withJSONObject: ["model": ["vocab": ids, "merges": merges]])
    try Fixtures.withFolder(["tokenizer.json": json]) { folder in
      let tokenizer = try ByteBPETokenizer(contentsOf: folder, .bart)
      #expect(tokenizer.encode("aaaaa").count == 3)
    }
  }

  /// Damages a file as chance and malice do; every mutation follows from its number.
  private struct Mutator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }

    mutating func damage(_ original: Data) -> Data {
      var bytes = [UInt8](original)
      for _ in 0...Int.random(in: 0...1, using: &self) where !bytes.isEmpty {
        let at = Int.random(in: 0..<bytes.count, using: &self)
        let piece = bytes[at..<min(bytes.count, at + Int.random(in: 1...40, using: &self))]
        switch Int.random(in: 0..<6, using: &self) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 1: bytes.removeSubrange(at...)
        case 2: bytes.removeSubrange(piece.indices)
        case 3: bytes.insert(contentsOf: piece, at: Int.random(in: 0..<bytes.count, using: &self))
        case 4:
          // An id, a symbol, or the end of a line.
          let others = [
            "-1", "9223372036854775808", "1e99", "null", "\n", " ", "\\u0000", "Ġ", "\"",
          ]
          let other = others.randomElement(using: &self) ?? ""
          bytes.replaceSubrange(at..<at + 1, with: Array(other.utf8))
        default:
          bytes.insert(contentsOf: repeatElement(UInt8(ascii: "["), count: 2000), at: at)
        }
      }
      return Data(bytes)
    }
  }

  @Test(
    "Damaged files give a typed error or a tokenizer within its vocabulary",
    arguments: ["bart/vocab.json", "bart/merges.txt", "bart/tokenizer.json", "bpe_reduced.txt"])
  func mutations(name: String) throws {
    let environment = ProcessInfo.processInfo.environment
    let count = min(environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 150, 5000)
    let url = try Fixtures.url(name)
    let original = try Data(contentsOf: url)
    let sibling = name == "bart/vocab.json" ? "merges.txt" : "vocab.json"
    let other = try Data(contentsOf: Fixtures.url("bart/\(sibling)"))
    let text = "a painting of the blue whale, naïve 東京 😀\n\taaaa"
    var opened = 0
    for number in 0..<count {
      var mutator = Mutator(state: UInt64(number))
      let files = [url.lastPathComponent: mutator.damage(original), sibling: other]
      try Fixtures.withFolder(files) { folder in
        let file = folder.appendingPathComponent(
          name == "bart/merges.txt" ? sibling : url.lastPathComponent)
        do {
          let tokenizer: any Tokenizer =
            try name == "bpe_reduced.txt"
            ? CLIPTokenizer(contentsOf: file) : ByteBPETokenizer(contentsOf: file, .bart)
          opened += 1
          let known = 0..<tokenizer.vocabularySize
          #expect(tokenizer.encode(text).allSatisfy(known.contains), "mutation \(number)")
        } catch is TokenizerError {
        }
      }
    }
    // A fuzzer whose every file is refused at the door tests the door only.
    #expect(opened > 0)
  }
}
