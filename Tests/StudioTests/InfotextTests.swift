import Testing

@testable import Painting
@testable import Studio

/// The text that AUTOMATIC1111's tools keep in pictures, as files of strangers have it.
@Suite struct InfotextTests {
  private static let line = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 64x48"

  @Test(
    "settings are found whatever stands at the end of the text",
    arguments: [
      "a fox\n\(line)", "a fox\n\(line)\n", "a fox\n\(line)\n\n\n", "a fox\r\n\(line)\r\n",
      "a fox\r\(line)\r", "a fox\n\(line)\nTemplate: a __animal__\nNegative Template: fog",
      "a fox\n\(line), ADetailer prompt: \"face, Steps: 99, Seed: 7, Size: 1x1\"",
      "a fox\n\(line), Steps: 99, Seed: 7",
    ])
  func ends(_ text: String) throws {
    let fields = try #require(ForeignSettings.infotext(text))
    #expect(fields["prompt"] == .string("a fox"))
    #expect(fields["iterations"] == .integer(20) && fields["seed"] == .integer(42))
    #expect(fields["width"] == .integer(64) && fields["height"] == .integer(48))
  }

  @Test(
    "prompts of several lines, negative ones, and none at all",
    arguments: [
      (
        "a fox,\nred\nNegative prompt: bad,\nworse | ugly:1.4\n", "a fox,\nred",
        "bad,\nworse | ugly:1.4"
      ),
      ("a sign that says Negative prompt: no\n", "a sign that says Negative prompt: no", ""),
      ("Steps: one, two, a staircase\n", "Steps: one, two, a staircase", ""),
      ("Negative prompt: blurry\n", "", "blurry"), ("\n", "", ""), ("", "", ""),
    ])
  func prompts(_ above: String, _ prompt: String, _ negative: String) {
    let infotext = Infotext(above + Self.line)
    #expect((infotext.prompt, infotext.negativePrompt) == (prompt, negative))
    #expect(infotext["Seed"] == "42")
  }

  @Test("a text without settings is a prompt, and tells no settings")
  func none() {
    #expect(Infotext("a fox, red: very").prompt == "a fox, red: very")
    #expect(ForeignSettings.infotext("a fox") == nil)
    #expect(ForeignSettings.infotext("") == nil)
  }

  @Test("numbers that are none of a request's are left out")
  func numbers() throws {
    let fields = try #require(
      ForeignSettings.infotext("a\nSteps: 0, Sampler: x, Seed: 18446744073709551615, Size: 1x1x1"))
    #expect(fields["iterations"] == nil && fields["seed"] == nil && fields["width"] == nil)
  }
}
