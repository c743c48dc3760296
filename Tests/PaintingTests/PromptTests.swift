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
}
