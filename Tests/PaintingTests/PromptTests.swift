import Foundation
import Testing

@testable import Painting

@Suite struct PromptTests {
  struct Case: Sendable {
    let text: String
    let prompts: [Prompt]
    init(_ text: String, _ prompts: Prompt...) {
      self.text = text
      self.prompts = prompts
    }
  }

  @Test(
    "texts, weights and stops are read from the right",
    arguments: [
      Case("a cat", Prompt("a cat")),
      Case("  a cat  ", Prompt("a cat")),
      Case("a cat:1.5", Prompt("a cat", weight: 1.5)),
      Case("a cat : 1.5 | fog : -0.3", Prompt("a cat", weight: 1.5), Prompt("fog", weight: -0.3)),
      Case("cat:1:0.8", Prompt("cat", weight: 1, stop: 0.8)),
      Case("cat:-1:-0.95", Prompt("cat", weight: -1, stop: -0.95)),
      Case("time 12:30: a clock", Prompt("time 12:30: a clock")),
      Case("a: b", Prompt("a: b")),
      Case("a:nan", Prompt("a:nan")),
      Case("a:0x10", Prompt("a:0x10")),
      Case("a:1:2:3", Prompt("a:1", weight: 2, stop: 3)),
      Case("a||b|", Prompt("a"), Prompt("b")),
      Case("https://example.org/x", Prompt("https://example.org/x")),
      Case("ein Fuchs ü 🦊:2", Prompt("ein Fuchs ü 🦊", weight: 2)),
      Case("a:1e1", Prompt("a", weight: 10)),
    ])
  func parsing(_ one: Case) throws {
    #expect(try Prompt.parse(one.text) == one.prompts)
  }

  @Test("nothing to paint is refused", arguments: ["", "   ", "\n\t", "|", " | | "])
  func empty(_ text: String) {
    #expect(throws: RequestError.emptyPrompt) { try Prompt.parse(text) }
  }

  @Test(
    "what cannot be a prompt is refused with a reason",
    arguments: [
      (":1", "no text"), ("a|:2", "no text"), ("a:0", "zero"), ("a:100000", "1000"),
      (String(repeating: "a ", count: 50_000), "longer than 4096"),
      (String(repeating: "é", count: 100_000), "longer than 4096"),
      (String(repeating: "e\u{301}\u{302}\u{303}", count: 100_000), "longer than 4096"),
      ("a\0b", "NUL"), (Array(repeating: "a", count: 65).joined(separator: "|"), "64 parts"),
    ])
  func refused(_ text: String, _ part: String) {
    do {
      _ = try Prompt.parse(text)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }

  @Test("the longest prompt is read")
  func longest() throws {
    #expect(try Prompt.parse(String(repeating: "a", count: 4096)).count == 1)
  }

  // Vector of methods.md, section 12, but that parts are trimmed.
  @Test("carets part scenes; empty ones are left out")
  func scenes() throws {
    #expect(
      try Prompt.scenes("a|b:0.5 ^ c") == [[Prompt("a"), Prompt("b", weight: 0.5)], [Prompt("c")]])
    #expect(try Prompt.scenes("a ^ | ^ b") == [[Prompt("a")], [Prompt("b")]])
    #expect(throws: RequestError.emptyPrompt) { try Prompt.scenes(" ^ |") }
  }

  @Test("structured prompts survive JSON, and stand beside what was typed, scene by scene")
  func structured() throws {
    let file = FileReference(name: "a.png", sha256: String(repeating: "0f", count: 32))
    let prompts = [
      Prompt(.image(file), weight: 0.5, stop: 0.8), Prompt(.noise(14575), weight: -0.1, scene: 1),
      Prompt(.label("fox"), region: .inside), Prompt(.embedding(file), region: .outside),
      Prompt(.average([.text("a fox"), .image(file)])),
    ]
    var request = Request("a ^ b")
    request.prompts = prompts
    let read = try Request(json: JSONEncoder().encode(request))
    #expect(read == request)
    let scenes = try read.scenes()
    #expect(scenes[0] == [Prompt("a")] + prompts.filter { $0.scene == nil })
    #expect(scenes[1] == [Prompt("b")] + prompts)
    #expect(read.references == [file, file, file])
    request.prompt = ""
    #expect(try request.scenes().count == 2)
    request.blend = file
    request.prompt = "c ^ d"
    #expect(try request.scenes()[1][0].target == .average([.text("d"), .image(file)]))
  }

  @Test(
    "a negative prompt pushes away as it stands, in every scene, and a blank one is none",
    arguments: ["cat:1.2", "blurry | cat", "a ^ b", "http://x.org:8080", "bad,\nworse:1.3"])
  func negative(text: String) throws {
    var request = Request("fox ^ owl")
    try request.set("negativePrompt", .string(text + " "))
    let read = try Request(json: JSONEncoder().encode(request))
    #expect(read == request && read.negativePrompt == text)
    let away = Prompt(text, weight: -0.5)
    #expect(try read.scenes() == [[Prompt("fox"), away], [Prompt("owl"), away]])
    for blank in ["", " ", "\r\n\t"] {
      try request.set("negativePrompt", .string(blank))
      #expect(
        try request.negativePrompt == nil && request.scenes() == [[Prompt("fox")], [Prompt("owl")]])
    }
    #expect(throws: RequestError.self) { try request.set("negativePrompt", .number(1)) }
    #expect(throws: RequestError.self) { try request.set("negativePrompt", .string("a\0b")) }
    #expect(throws: RequestError.emptyPrompt) {
      var request = Request("")
      request.negativePrompt = text
      _ = try request.scenes()
    }
  }

  @Test(
    "structured prompts that mean nothing are refused with the reason",
    arguments: [
      (#"{}"#, "must have one of"), (#"{"text":"a","noise":1}"#, "must have one of"),
      (#"{"text":""}"#, "text of 1"), (#"{"text":" "}"#, "is empty"),
      (#"{"txt":"a"}"#, "has no 'txt'"), (#"{"noise":-1}"#, "prompts.noise must be"),
      (#"{"text":"a","weight":"x"}"#, "prompts.weight must be"),
      (#"{"text":"a","region":"left"}"#, "prompts.region must be one of"),
      (#"{"image":"a.png"}"#, "prompts.image must have"), (#"{"average":[]}"#, "1 to 16"),
      (#"{"average":[{"average":[{"average":[{"average":[{"text":"a"}]}]}]}]}"#, "1 to 16"),
      (#"{"text":"a","scene":4}"#, "is 4, of only 1 scenes"), ("3", "must be objects"),
    ])
  func refusedStructure(_ prompt: String, _ part: String) {
    do {
      try Request(json: Data(#"{"prompt":"x","prompts":[\#(prompt)]}"#.utf8))
        .validate(in: .builtIn)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }
}
