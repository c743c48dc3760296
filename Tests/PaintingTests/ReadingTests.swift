import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Tokenizers
import Torch

@testable import Painting

/// Prompts as people type them: what they are read as, and what is said of it.
@Suite struct ReadingTests {
  private static let pack = Result { try Pack(folder: TinyPack.make()) }

  private func remarks(
    _ prompt: String, _ method: Method.ID? = .vqganCLIP,
    _ change: (inout Request) -> Void = { _ in }
  ) throws -> [String] {
    var request = Request(prompt)
    request.method = method
    change(&request)
    return try TinyPack.resolver(Self.pack.get()).remarks(on: request).map(\.text)
  }

  @Test(
    "lines that end as Windows ends them part scenes as others do",
    arguments: [
      ("fox\r\n^\r\n", 1), ("fox ^ \r\n ^ cat", 2), ("fox\r\n^\r\ncat\r\n", 2),
      ("\u{85}^ fox ^\u{2028}", 1), ("^ \r\n | \r\n ^ fox", 1),
    ])
  func windowsLines(_ prompt: String, _ count: Int) throws {
    let scenes = try Prompt.scenes(prompt)
    #expect(scenes.count == count)
    #expect(scenes[0].map(\.text) == ["fox"])
  }

  @Test("a prompt of nothing but line ends is empty")
  func empty() {
    #expect(throws: RequestError.emptyPrompt) { try Prompt.scenes("\r\n") }
    #expect(throws: RequestError.emptyPrompt) { try Prompt.scenes("\r\n^\r\n") }
  }

  @Test(
    "a clock and a proportion are read as weights, and that is said",
    arguments: [
      (
        "a clock showing 10:10",
        "'a clock showing 10:10' is read as 'a clock showing 10' with weight 10."
      ),
      ("a photo 16:9", "'a photo 16:9' is read as 'a photo 16' with weight 9."),
      ("fox | at 12:30:45", "'at 12:30:45' is read as 'at 12' with weight 30 and stop 45."),
      ("sea ^ 4:3", "'4:3' is read as '4' with weight 3."),
    ])
  func clocks(_ prompt: String, _ said: String) {
    let remarks = Prompt.remarks(on: prompt).map(\.text)
    #expect(remarks.count == 1 && remarks[0].hasPrefix(said), "\(remarks)")
  }

  @Test(
    "weights that are meant as such need no word",
    arguments: [
      "a fox:2", "a fox | snow:0.5", "text:-0.3", "a fox:1:0.8", "a clock at 10:10 sharp",
      "room 5: a view", "fox 2 :3",
    ])
  func weights(_ prompt: String) { #expect(Prompt.remarks(on: prompt).isEmpty) }

  @Test(
    "the port of an address is no weight",
    arguments: [
      ("https://example.org:8080", "https://example.org:8080", 1.0),
      ("http://x.org:8080:0.5", "http://x.org:8080", 0.5),
      ("https://example.org/a:2", "https://example.org/a", 2),
      ("https://example.org:0.5", "https://example.org", 0.5),
    ])
  func ports(_ prompt: String, _ text: String, _ weight: Double) throws {
    let found = try Prompt.parse(prompt)
    #expect(found.map(\.text) == [text] && found.map(\.weight) == [weight])
  }

  @Test("dalle says that a weight does nothing to its one text")
  func weightOfOne() throws {
    let said = try remarks("red fox:2", .dalle)
    #expect(said == ["dalle takes one text as it is: its weight, 2, has no effect."])
    #expect(try remarks("red fox", .dalle).isEmpty)
  }

  @Test("auto says why it took another method than the first")
  func choice() throws {
    let said = try remarks("red fox | snow:-0.5", nil)
    #expect(said.count == 1)
    #expect(said[0].hasPrefix("dalle cannot paint this: it takes one text"), "\(said)")
    #expect(said[0].hasSuffix("So it is painted with diffusion."))
    #expect(try remarks("red fox", nil).isEmpty)
  }

  @Test("what a method cannot do at all is told before a parameter that it lacks")
  func truerReason() {
    #expect {
      try remarks("red fox | snow:-0.5", .dalle) { $0.iterations = 20 }
    } throws: { "\($0)".contains("it takes one text") }
  }

  // MARK: Emoji

  @Test(
    "emoji have their names of the Unicode CLDR",
    arguments: [
      ("🦊", "fox"), ("❤️", "red heart"), ("❤", "red heart"), ("👍🏽", "thumbs up"),
      ("👩‍🚀", "woman astronaut"), ("🧑🏿‍🚀", "astronaut"), ("🇩🇪", "flag of Germany"), ("1️⃣", "1"),
      ("🌧️", "cloud with rain"),
    ])
  func names(_ emoji: String, _ name: String) throws {
    #expect(EmojiNames.name(of: try #require(emoji.first)) == name)
  }

  @Test(
    "letters, digits and signs are no emoji", arguments: ["a", "1", "#", "狐", "©", "é", "½", "→"])
  func letters(_ text: String) throws {
    #expect(EmojiNames.name(of: try #require(text.first)) == nil)
  }

  @Test(
    "names stand apart from the words around them",
    arguments: [
      ("🦊", "fox"), ("a 🦊 in ❄️.", "a fox in snowflake."), ("🦊🦊on🌊", "fox fox on water wave"),
      ("no emoji", "no emoji"),
    ])
  func named(_ text: String, _ words: String) {
    #expect(EmojiNames.named(text) { _ in false }.text == words)
  }

  @Test("an emoji that the vocabulary does not know is read by name, and that is said")
  func unknownEmoji() throws {
    let networks = try Networks(Self.pack.get())
    let perceptor = try networks.perceptor("pack", Request("fox"))
    let (emoji, word) = (perceptor.embedding(of: "🦊"), perceptor.embedding(of: "fox"))
    #expect((emoji - word).abs().sum().item() == 0)
    for method in [Method.ID.dalle, .vqganCLIP, .diffusion] {
      let said = try remarks("a 🦊 and a 🦊", method)
      #expect(said.count == 1 && said[0].hasPrefix("🦊 is read as 'fox'"), "\(said)")
    }
  }

  @Test(
    "words that a pack's networks never met are found, whatever their number and their signs",
    arguments: [
      ("a skateboarder on the beach", ["skateboarder"]), ("two foxes", []),
      ("A FOX, on the Beach!", []),
      ("fox's 3d beach", []), ("red-fox", []), ("Frodo’s fox, frodo", ["frodo's", "frodo"]),
      ("", []), ("🦊 狐", []), ("größe", ["größe"]),
    ])
  func strangers(text: String, expected: [String]) {
    var book = PhraseBook(things: ["a fox"])
    #expect(book.strangers(in: text).isEmpty)
    book.words = ["a", "fox", "beach", "on", "the", "red", "two"]
    #expect(book.strangers(in: text) == expected)
  }

  @Test("words that the pack never met are told once, for the pack's own networks alone")
  func neverMet() throws {
    let folder = try TinyPack.make(words: ["a", "red", "fox"])
    let resolver = try TinyPack.resolver(Pack(folder: folder))
    for method in [Method.ID.dalle, .vqganCLIP, .diffusion] {
      var request = Request("red kite, kite")
      request.method = method
      let said = try resolver.remarks(on: request).map(\.text)
      #expect(
        said == ["Reverie's pack has never seen 'kite': what it paints for it is a guess."])
      request.prompt = "a red fox"
      #expect(try resolver.remarks(on: request).isEmpty)
    }
  }

  @Test("an emoji that the vocabulary knows stays as it is")
  func knownEmoji() throws {
    // As OpenAI's does: merges that end in one token for the four bytes of the fox.
    let bytes = try "🦊".utf8.map { try String(#require(Unicode.Scalar(Self.symbol($0)))) }
    let knows = try CLIPTokenizer(merges: [
      .init(bytes[0], bytes[1]), .init(bytes[0] + bytes[1], bytes[2]),
      .init(bytes[0] + bytes[1] + bytes[2], bytes[3] + "</w>"),
    ])
    #expect(TowerText("a 🦊", knows, length: 16).text == "a 🦊")
    let knowsNot = try CLIPTokenizer(merges: [])
    #expect(TowerText("a 🦊", knowsNot, length: 16).text == "a fox")
  }

  /// The letter of GPT-2's alphabet for a byte above 127.
  private static func symbol(_ byte: UInt8) -> UInt32 {
    let plain = Set(33...126).union(161...172).union(174...255)
    return plain.contains(Int(byte))
      ? UInt32(byte) : 256 + UInt32((0..<Int(byte)).filter { !plain.contains($0) }.count)
  }

  // MARK: Long texts

  private let long = Array(repeating: "red fox", count: 12).joined(separator: " ") + " whale"

  @Test("a text longer than the tower is read in parts whose embeddings are averaged")
  func parts() throws {
    let networks = try Networks(Self.pack.get())
    let perceptor = try networks.perceptor("pack", Request("fox"))
    // "red" and "fox" are a token each, "whale" five; 14 fit beside start and end.
    let text = TowerText(long, perceptor.tokenizer, length: 16)
    #expect(text.parts.joined(separator: " ") == long)
    #expect(text.parts.count == 3)
    #expect(text.parts.allSatisfy { perceptor.tokenizer.encode($0).count <= 14 })
    #expect(text.lost.count == 11 && text.lost.last == "whale")
    let mean = text.parts.map { perceptor.embedding(of: $0) }
    let wanted = (mean[0] + mean[1] + mean[2]) / 3
    #expect((perceptor.embedding(of: long) - wanted).abs().sum().item() < 1e-5)
    var request = Request("fox")
    request.longTexts = .cut
    let cutting = try networks.perceptor("pack", request)
    let beginning = Array(repeating: "red fox", count: 7).joined(separator: " ")
    let difference = cutting.embedding(of: long) - cutting.embedding(of: beginning)
    #expect(difference.abs().sum().item() < 1e-5)
  }

  @Test("it is said what of a long text is averaged, and what is not read")
  func saidOfParts() throws {
    let averaged = try remarks(long)
    #expect(averaged.count == 1 && averaged[0].contains("read in 3 parts, which are averaged"))
    let cut = try remarks(long) { $0.longTexts = .cut }
    #expect(
      cut.count == 1 && cut[0].contains("the last 11 words are not read, from 'red' on"), "\(cut)")
    let dalle = try remarks(long, .dalle)
    #expect(
      dalle.count == 1 && dalle[0].contains("what dalle reads (16 tokens): the last 11 words"))
    #expect(try remarks("red fox").isEmpty)
    // Some languages write without blanks.
    let word = try remarks(String(repeating: "x", count: 40))
    #expect(word.count == 1 && word[0].contains("read in 3 parts"), "\(word)")
    let end = try remarks(String(repeating: "x", count: 40)) { $0.longTexts = .cut }
    #expect(end.count == 1 && end[0].contains("the end is not read, from 'xxxx"), "\(end)")
  }

  @Test("what comes behind the tower's length changes the picture, unless it is cut off")
  func longPicture() async throws {
    func paint(_ prompt: String, _ texts: Request.LongTexts) async throws -> [UInt8] {
      var request = Request(prompt)
      request.method = "fft"
      (request.width, request.height, request.seed) = (32, 32, 1)
      (request.iterations, request.cutouts, request.longTexts) = (2, 2, texts)
      return try await Engine(pack: Self.pack.get(), threads: 1).painted(request, .init()).bytes
    }
    let other = long.replacingOccurrences(of: "whale", with: "horse")
    #expect(try await paint(long, .average) != paint(other, .average))
    #expect(try await paint(long, .cut) == paint(other, .cut))
  }

  @Test("an engine's resolver tells all remarks before it paints")
  func told() throws {
    var request = Request("a 🦊 at 10:10")
    request.method = "fft"
    (request.width, request.height, request.iterations) = (32, 32, 1)
    let said = try Engine(pack: Self.pack.get(), threads: 1).resolver.remarks(on: request)
    #expect(said.map(\.field) == ["prompt", "prompt"])
    #expect(said.count == 2 && said[0].text.contains("weight 10") && said[1].text.contains("🦊"))
  }

  // MARK: Embeddings

  @Test("pixray's vectors are found by a registry's name, and another network's are not")
  func vectors() throws {
    let url = try ScratchFolder.make("vectors").appending(path: "textoff.json")
    let row = Array(repeating: "0.5", count: 512).joined(separator: ",")
    try Data(#"{"ViT-B/32": [\#(row)], "RN50": [0.1], "ViT-B/16": [\#(row)]}"#.utf8).write(to: url)
    let file = try EmbeddingFile(contentsOf: url)
    #expect(file.rows(for: "openai-vit-b-32", .vitB32)?.1 == 1)
    #expect(file.rows(for: "clip-vit-b-32-hf", .vitB32)?.1 == 1)
    #expect(file.rows(for: "openai-vit-b-16", .vitB16)?.1 == 1)
    #expect(file.rows(for: "openai-rn101", .rn101) == nil)
    var laion = CLIP.Config.vitB32
    laion.quickGELU = false
    #expect(file.rows(for: "laion-vit-b-32", laion) == nil)
    try Data(#"{"ViT-B/32": [\#(row)]}"#.utf8).write(to: url)
    // As wide, and yet of another network.
    let one = try EmbeddingFile(contentsOf: url)
    #expect(one.rows(for: "openai-rn101", .rn101) == nil)
    #expect(one.rows(for: "openai-vit-b-32", .vitB32) != nil)
    try Data(#"{"mine": [\#(row)]}"#.utf8).write(to: url)
    #expect(try EmbeddingFile(contentsOf: url).rows(for: "openai-rn101", .rn101) != nil)
  }

  @Test("a vector that no perceptor knows is an error even beside other prompts")
  func strangeVector() async throws {
    let url = try ScratchFolder.make("vectors").appending(path: "strange.json")
    try Data(#"{"RN50": [0.1, 0.2], "RN101": [0.1]}"#.utf8).write(to: url)
    var files = Attachments()
    var request = Request("red fox")
    request.method = "fft"
    (request.width, request.height, request.iterations) = (32, 32, 1)
    request.prompts = [Prompt(.embedding(try files.add(url)))]
    let engine = try Engine(pack: Self.pack.get(), threads: 1)
    await #expect {
      _ = try await engine.painted(request, files)
    } throws: { "\($0)".contains("an embedding that is of none of the perceptors") }
  }

  // MARK: Files and seeds

  @Test("a pipe is no picture, and nobody waits for it")
  func pipe() throws {
    let folder = try ScratchFolder.make("pipe")
    let url = folder.appending(path: "f")
    #expect(mkfifo(url.path, 0o600) == 0)
    var files = Attachments()
    #expect { try files.add(url) } throws: { "\($0)".contains("it is not a regular file") }
    #expect {
      try files.add(URL(filePath: "/dev/zero"))
    } throws: { "\($0)".contains("it is not a regular file") }
    #expect { try files.add(folder) } throws: { "\($0)".contains("it is a folder") }
    #expect {
      try files.add(folder.appending(path: "none"))
    } throws: { "\($0)".contains("No such file") }
    let real = folder.appending(path: "real.txt")
    try Data("a".utf8).write(to: real)
    let link = folder.appending(path: "link.txt")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: real)
    #expect(try files.add(link).name == "link.txt")
  }

  @Test(
    "the largest seed is a seed, and several pictures need as many behind it",
    arguments: [
      (9_007_199_254_740_991, 1, true), (9_007_199_254_740_990, 2, true),
      (9_007_199_254_740_991, 2, false),
    ])
  func largestSeed(_ seed: Int, _ count: Int, _ isFine: Bool) throws {
    var request = Request("fox")
    (request.method, request.seed) = ("fft", seed)
    let resolver = try TinyPack.resolver(Self.pack.get())
    if isFine {
      #expect(try resolver.resolve(request, count: count, device: .cpu).seed == seed)
    } else {
      #expect {
        try resolver.resolve(request, count: count, device: .cpu)
      } throws: { "\($0)".contains("beyond 9007199254740991") }
    }
  }
}
