import Foundation
import Painting
import TestSupport
import Testing

@testable import reverie

/// Prompts of which a part is drawn by chance.
@Suite struct AlternativesTests {
  /// A folder of wildcards.
  private static let folder = Result {
    let folder = try ScratchFolder.make("wildcards")
    let deep = folder.appending(path: "sea")
    try FileManager.default.createDirectory(at: deep, withIntermediateDirectories: true)
    for (name, text) in [
      ("colour", "# colours\nred\r\n\n  blue \n"),
      ("sea/fish", "cod\n{small|large} __colour__ eel"),
      ("sea/bird", "gull"), ("loop", "__loop__"), ("empty", "# nothing"),
      ("weighted", "0::a\n3::b"),
    ] { try Data(text.utf8).write(to: folder.appending(path: name + ".txt")) }
    return folder.path
  }

  private func all(_ text: String) throws -> Set<String> {
    let alternatives = Alternatives(try Self.folder.get())
    return Set(try (0..<60).map { try alternatives.drawn(text, seed: $0) })
  }

  @Test(
    "each of the alternatives is drawn, and nothing else",
    arguments: [
      ("a {red|blue} fox", ["a red fox", "a blue fox"]), ("{a|}b", ["ab", "b"]),
      ("{a|{b|c}}", ["a", "b", "c"]), ("{a|b} | c:0.5 ^ d", ["a | c:0.5 ^ d", "b | c:0.5 ^ d"]),
      ("{fox} | {cat", ["{fox} | {cat"]), ("x} {a|b", ["x} {a|b"]), ("{{a|b}}", ["{a}", "{b}"]),
      ("{a {b|c}", ["{a b", "{a c"]), ("{0::a|b}", ["b"]), ("{2$$a|b}", ["a, b", "b, a"]),
      ("{1-2$$+$$a|b}", ["a", "b", "a+b", "b+a"]), ("{9$$a|b}", ["a, b", "b, a"]),
      ("{2$$ and $${a|b}|c}", ["a and c", "b and c", "c and a", "c and b"]),
      ("a __colour__ fox", ["a red fox", "a blue fox"]), ("__weighted__", ["b"]),
      ("__sea/bird__", ["gull"]),
      (
        "__sea/*__",
        ["gull", "cod", "small red eel", "small blue eel", "large red eel", "large blue eel"]
      ),
      ("snake_case and __", ["snake_case and __"]), ("a | b", ["a | b"]),
    ])
  func drawn(_ text: String, _ wanted: [String]) throws { #expect(try all(text) == Set(wanted)) }

  @Test(
    "wildcards without a file, without lines, without an end, or outside the folder are told",
    arguments: [
      ("__none__", "no file none.txt"), ("__empty__", "holds no line"), ("__loop__", "20 deep"),
      ("__sea/../colour__", "leaves the folder"),
    ])
  func bad(_ text: String, _ message: String) throws {
    let alternatives = Alternatives(try Self.folder.get())
    #expect {
      try alternatives.drawn(text, seed: 1)
    } throws: {
      "\($0)".contains(message)
    }
  }

  @Test("the picture's seed draws, its file says what was drawn, and again needs no chance")
  func painted() throws {
    let program = try Program()
    let pack = try TinyPack.make().path
    let words = [
      "a {red|blue|green|white} fox", "--negative-prompt", "{blur|noise}", "-m", "fft", "-i", "1",
      "--cutouts", "1", "--size", "32", "--seed", "5", "--pack", pack,
    ]
    let four = try program.run(words + ["--count", "4"])
    #expect(four.status == 0, "\(four.errors)")
    let requests = try four.output.split(separator: "\n").map {
      try Metadata(ofPictureAt: program.folder.appending(path: "\($0)").path).request
    }
    #expect(requests.map(\.seed) == [5, 6, 7, 8] && Set(requests.map(\.prompt)).count > 1)
    #expect(requests.allSatisfy { ["blur", "noise"].contains($0.negativePrompt) })
    let alternatives = Alternatives(nil)
    for request in requests {
      #expect(
        try request.prompt == alternatives.drawn(words[0], seed: #require(request.seed)))
    }
    let one = try program.run(words + ["-o", "one.png"])
    #expect(one.status == 0)
    let file = program.folder.appending(path: "one.png")
    #expect(try Metadata(ofPictureAt: file.path).request == requests[0])
    let again = try program.run(["again", "one.png", "-o", "again.png", "--pack", pack])
    #expect(again.status == 0, "\(again.errors)")
    #expect(
      try Data(contentsOf: program.folder.appending(path: "again.png")) == Data(contentsOf: file))
  }

  @Test("a request's file says what it is: its braces are text")
  func file() throws {
    let program = try Program()
    try Data("{\"prompt\": \"a {red|blue} fox\"}".utf8).write(
      to: program.folder.appending(path: "r.json"))
    let result = try program.run([
      "--request", "r.json", "-m", "fft", "-i", "1", "--cutouts", "1", "--size", "32", "-o",
      "x.png",
      "--pack", try TinyPack.make().path,
    ])
    #expect(result.status == 0, "\(result.errors)")
    let file = program.folder.appending(path: "x.png")
    #expect(try Metadata(ofPictureAt: file.path).request.prompt == "a {red|blue} fox")
  }
}
