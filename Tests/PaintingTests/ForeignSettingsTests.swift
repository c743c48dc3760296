import Foundation
import Imaging
import Testing

@testable import Painting

/// Settings of other programs' pictures, as people hand them in.
@Suite("Settings of other programs")
struct ForeignSettingsTests {
  private static let one =
    "a red fox\nNegative prompt: blurry\n"
    + "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 128x64, Model: x"

  @Test(
    "AUTOMATIC1111's text is read however its lines end and whatever stands below",
    arguments: [
      one, one + "\n", one + "\n\n", one.replacing("\n", with: "\r\n"),
      one.replacing("\n", with: "\r"), one.replacing("\nSteps", with: "\n  Steps"),
      one + "\nTemplate: a {red|blue} fox\nNegative Template: blurry",
      one + "\r\nTemplate: a fox, Steps: 3, Seed: 4\r\n",
    ])
  func ends(text: String) throws {
    let fields = try #require(ForeignSettings(pasted: text)).fields
    let right: [String: JSONValue] = [
      "prompt": .string("a red fox"), "negativePrompt": .string("blurry"), "seed": .integer(42),
      "iterations": .integer(20), "width": .integer(128), "height": .integer(64),
    ]
    #expect(fields == right)
  }

  @Test("values in quotation marks and brackets are one value, and of two the first counts")
  func quoted() throws {
    let text =
      #"a fox\#nSteps: 20, Seed: 42, Size: 128x64, ADetailer prompt: "face, Steps: 99, Seed: 7, Size: 1x1", "#
      + #"Lora hashes: "a: 1, b: 2", Hires prompt: "x\", Seed: 8", Module 1: {'Seed': 9, 'Steps': 3}, "#
      + "Denoising strength: 0.5, Seed: 10"
    let read = try #require(Infotext(text))
    #expect(read.prompt == "a fox")
    #expect(
      [read.settings["Seed"], read.settings["Steps"], read.settings["Size"]]
        == ["42", "20", "128x64"])
    #expect(read.settings["Denoising strength"] == "0.5")
    #expect(read.settings["Hires prompt"] == #"x", Seed: 8"#)
    // A mark that is never closed spoils its own value alone.
    #expect(Infotext("a\nSteps: 2, Model: \"b, Seed: 3")?.settings["Seed"] == "3")
  }

  @Test(
    "prompts with the format's own words, and none at all, are read",
    arguments: [
      ("Steps: one, two, a staircase\nSteps: 20, Seed: 42", "Steps: one, two, a staircase", ""),
      (
        "a sign that says Negative prompt: no\nSteps: 20, Seed: 42",
        "a sign that says Negative prompt: no", ""
      ),
      ("Negative prompt: blurry\nSteps: 20, Seed: 42", "", "blurry"),
      ("\nSteps: 20, Seed: 42", "", ""), ("Steps: 20, Seed: 42", "", ""),
      (
        "a fox\n\nin snow\nNegative prompt: bad,\nworse | ugly:1.4, (hands:1.2)\nSteps: 20, Seed: 42",
        "a fox\n\nin snow", "bad,\nworse | ugly:1.4, (hands:1.2)"
      ),
    ])
  func words(text: String, prompt: String, negative: String) throws {
    let read = try #require(Infotext(text))
    #expect((read.prompt, read.negativePrompt) == (prompt, negative))
    #expect(read.settings["Steps"] == "20" && read.settings["Seed"] == "42")
  }

  @Test(
    "what is no such text is none",
    arguments: ["", "a fox", "a fox\nin snow: two, three", "Steps:"])
  func none(text: String) { #expect(ForeignSettings(pasted: text) == nil) }

  @Test(
    "the marks of our prompts mean nothing in another program's",
    arguments: [
      ("a fox ^ a cat | dog:1.3", "a fox , a cat , dog 1.3"), ("x:1:2:3", "x:1:2 3"),
      ("in the year:2021", "in the year 2021"), (":3", "3"), ("a:5000:nan", "a:5000:nan"),
      ("Star Wars: a fox", "Star Wars: a fox"), ("a (fox:1.2) [in snow]", "a fox in snow"),
    ])
  func literal(theirs: String, ours: String) throws {
    #expect(ForeignSettings.literal(theirs) == ours)
    #expect(try Prompt.parse(ours).map(\.weight) == [1])
  }

  @Test(
    "numbers beyond any bound are left out",
    arguments: ["99999999999999999999", "-5", "NaN", "9223372036854775807", "1e400"])
  func bounds(number: String) throws {
    let fields = try #require(
      ForeignSettings(pasted: "a\nSteps: 20, Seed: \(number), Size: \(number)x\(number)")
    ).fields
    #expect(fields["seed"] == nil && fields["width"] == nil)
    let json = #"{"prompt": "a", "seed": \#(number == "NaN" ? "NaN" : number), "steps": 3}"#
    let read = ForeignSettings([PictureText(keyword: "invokeai_metadata", text: json)])
    #expect(read == nil || read?.fields["seed"] == nil)
  }

  private func fields(_ texts: [(String, String)]) throws -> (String, [String: JSONValue]) {
    let found = try #require(
      ForeignSettings(texts.map { PictureText(keyword: $0.0, text: $0.1) }))
    return (found.origin, found.fields)
  }

  private static let told: [String: JSONValue] = [
    "prompt": .string("a fox"), "negativePrompt": .string("blur"), "seed": .integer(42),
    "iterations": .integer(20), "width": .integer(512), "height": .integer(768),
  ]

  @Test("ComfyUI's graph tells what was plugged into the sampler")
  func comfy() throws {
    let graph = """
      {"3": {"class_type": "KSampler", "inputs": {"seed": 42, "steps": 20, "cfg": 8, "positive": ["6", 0],
        "negative": ["7", 0], "latent_image": ["5", 0]}, "is_changed": [NaN]},
       "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768}},
       "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["9", 0]}},
       "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur"}},
       "9": {"class_type": "PrimitiveString", "inputs": {"value": "a fox"}},
       "10": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 5, "positive": ["7", 0],
        "negative": ["6", 0], "latent_image": ["3", 0]}}}
      """.replacing("[NaN]", with: "NaN")
    let (origin, read) = try fields([("prompt", graph), ("workflow", "{}")])
    #expect(origin == "comfyui" && read == Self.told)
    let custom = """
      {"1": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["2", 0], "guider": ["3", 0],
        "sigmas": ["4", 0], "latent_image": ["5", 0]}},
       "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
       "3": {"class_type": "CFGGuider", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}},
       "4": {"class_type": "BasicScheduler", "inputs": {"steps": 20}},
       "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768}},
       "6": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["8", 0]}},
       "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur"}},
       "8": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}}}
      """
    #expect(try fields([("prompt", custom)]).1 == Self.told)
    // A graph that goes in circles ends, however many of them there are.
    let circle = """
      {"1": {"class_type": "KSampler", "inputs": {"seed": ["1", 0], "positive": ["2", 0],
        "latent_image": ["1", 0]}},
       "2": {"class_type": "X", "inputs": {"text": ["2", 0], "text_g": ["2", 0], "text_l": ["3", 0],
        "clip_l": ["3", 0], "prompt": ["2", 0], "conditioning": "a fox"}},
       "3": {"class_type": "X", "inputs": {"text": ["2", 0], "text_g": ["3", 0], "clip_l": ["2", 0]}}}
      """
    let found = try #require(ForeignSettings([PictureText(keyword: "prompt", text: circle)]))
    #expect(found.fields == ["prompt": .string("a fox")])
  }

  @Test("texts made to keep a reader busy are read at once", .timeLimit(.minutes(1)))
  func busy() {
    for piece in [",", "a:{,", "a:\"x,", ":1", "a: ", "(", "BREAK "] {
      let text = "fox\nSteps: 2, " + String(repeating: piece, count: 40_000)
      #expect(Infotext(text)?.settings["Steps"] == "2", "\(piece)")
      _ = ForeignSettings(pasted: String(repeating: piece, count: 40_000) + "\nSteps: 2, Seed: 1")
    }
  }

  @Test("words that look like Python's numbers stay words")
  func pythonsNumbers() throws {
    let text =
      #"{"prompt": "poster: Infinity War, NaN", "seed": 3, "steps": 4, "cfg": NaN, "x": -Infinity}"#
    let read = try #require(
      ForeignSettings([PictureText(keyword: "invokeai_metadata", text: text)]))
    #expect(read.fields["prompt"] == .string("poster: Infinity War, NaN"))
    #expect(read.fields["seed"] == .integer(3))
  }

  @Test(
    "InvokeAI, NovelAI, Fooocus and SwarmUI tell theirs as JSON",
    arguments: [
      (
        "invokeai",
        [
          (
            "invokeai_metadata",
            #"{"positive_prompt":"a fox","negative_prompt":"blur","seed":42,"steps":20,"width":512,"height":768}"#
          )
        ]
      ),
      (
        "invokeai",
        [
          (
            "sd-metadata",
            #"{"model":"x","image":{"prompt":[{"prompt":"a fox","weight":1}],"negative_prompt":"blur","seed":42,"steps":20,"width":512,"height":768}}"#
          )
        ]
      ),
      (
        "novelai",
        [
          ("Software", "NovelAI"), ("Description", "a fox"),
          ("Comment", #"{"steps":20,"seed":42,"uc":"blur","width":512,"height":768,"scale":11.0}"#),
        ]
      ),
      (
        "fooocus",
        [
          ("fooocus_scheme", "fooocus"),
          (
            "parameters",
            #"{"prompt":"a fox","negative_prompt":"blur","seed":"42","steps":20,"resolution":"(512, 768)"}"#
          ),
        ]
      ),
      (
        "swarmui",
        [
          (
            "parameters",
            #"{"sui_image_params":{"prompt":"a fox","negativeprompt":"blur","seed":42,"steps":20,"width":512,"height":768}}"#
          )
        ]
      ),
    ])
  func others(origin: String, texts: [(String, String)]) throws {
    let (found, read) = try fields(texts)
    #expect(found == origin && read == Self.told, "\(read)")
  }
}
