import Testing

@testable import Painting

/// AUTOMATIC1111's prompts, in the words that methods read.
@Suite struct AttentionPromptTests {
  @Test(
    "brackets of attention are read as words, and what is lost by that is said",
    arguments: [
      ("a (red:1.2) fox", "a red fox", "1.2"), ("a ((red)) [fox]", "a red fox", "1.1"),
      (#"a fox \(animal\)"#, "a fox (animal)", nil), ("(a fox", "a fox", "1.1"),
      ("a fox :) ]", "a fox :) ]", nil), ("a [cat|dog]", "a cat", "[cat|dog]"),
      ("a [cat:dog:0.5]", "a dog", "[cat:dog:0.5]"), ("a [cat::0.5]", "a cat", "[cat::0.5]"),
      ("fox <lora:more:0.8>", "fox ", "<lora:more:0.8>"), ("fox BREAK snow", "fox, snow", nil),
      ("a clock at 10:10", "a clock at 10:10", nil),
    ] as [(String, String, String?)])
  func attention(_ prompt: String, _ words: String, _ note: String?) {
    let read = AttentionPrompt(prompt)
    #expect(read.text == words)
    if let note {
      #expect(read.notes.contains { $0.contains(note) }, "\(read.notes)")
    } else {
      #expect(read.notes.isEmpty)
    }
  }

  @Test("a thousand open brackets are read, too")
  func brackets() {
    let text = String(repeating: "([", count: 2_000)
    #expect(AttentionPrompt(text + "fox").text == "fox")
  }
}
