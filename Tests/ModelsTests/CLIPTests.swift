import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against clip-anytorch and transformers, by `Oracle/clip_vit.py`.
@Suite("CLIP")
struct CLIPTests {
  /// float32 on both sides, sums of at most 128 products of size one: rounding stays below this.
  static let tolerance = 1e-4

  static let config = CLIP.Config(
    embedDim: 24,
    vision: .init(imageSize: 32, patchSize: 8, width: 32, layers: 2, headWidth: 16),
    text: .init(contextLength: 12, vocabSize: 96, width: 32, heads: 4, layers: 2))

  private func fixture() throws -> SafeTensors {
    try SafeTensors(contentsOf: Fixtures.url("clip_vit.safetensors"))
  }

  private func model(_ dtype: DType = .float32) throws -> CLIP {
    let checkpoint = try Checkpoint(fixture(), layouts: CLIP.layouts, prefix: "weights.")
    return try checkpoint.build(dtype, leftovers: CLIP.leftovers) { CLIP($0, Self.config) }
  }

  @Test("The image tower agrees with OpenAI's, layer by layer")
  func imageTower() throws {
    let file = try fixture()
    let visual = try #require(model().visual as? ImageTower)
    let pixels = try file.tensor("image.pixels")
    var x = visual.embed(pixels)
    expectClose(x, try file.tensor("image.embedded"), atol: Self.tolerance, "embedded")
    for (index, block) in visual.transformer.resblocks.enumerated() {
      x = block(x, mask: nil)
      expectClose(
        x, try file.tensor("image.block.\(index)"), atol: Self.tolerance, "block \(index)")
    }
    expectClose(visual(pixels), try file.tensor("image.output"), atol: Self.tolerance, "output")
  }

  @Test("The text tower agrees with OpenAI's, layer by layer")
  func textTower() throws {
    let file = try fixture()
    let text = try model().text
    let tokens = try file.tensor("text.tokens")
    var x = text.embed(tokens)
    expectClose(x, try file.tensor("text.embedded"), atol: Self.tolerance, "embedded")
    for (index, block) in text.transformer.resblocks.enumerated() {
      x = block(x, mask: text.causalMask(tokens.size(1)))
      expectClose(x, try file.tensor("text.block.\(index)"), atol: Self.tolerance, "block \(index)")
    }
    expectClose(text(tokens), try file.tensor("text.output"), atol: Self.tolerance, "output")
    // Alone, a short text is cut at its own end token.
    for row in 0..<tokens.size(0) {
      expectClose(
        text(tokens[row..<row + 1]), try file.tensor("text.output")[row..<row + 1],
        atol: Self.tolerance, "row \(row)")
    }
  }

  @Test("Logits and the gradient at the pixels agree with OpenAI's")
  func logitsAndGradient() throws {
    let file = try fixture()
    let clip = try model()
    let pixels = try file.tensor("image.pixels").variable()
    let image = clip.encodeImage(pixels)
    let text = clip.encodeText(try file.tensor("text.tokens"))
    let logits = image.normalized().matmul(text.normalized().transposed()) * clip.logitScale
    // The scale multiplies the error as well as the value.
    expectClose(
      logits, try file.tensor("logits"), atol: Self.tolerance * clip.logitScale.item(), "logits")
    let similarity = (image.normalized() * text[0..<2].normalized()).sum()
    let gradient = gradient(of: similarity, at: [pixels])[0]
    expectClose(gradient, try file.tensor("image.gradient"), atol: Self.tolerance, "gradient")
  }

  @Test("In bfloat16 the embeddings keep their direction and norms stay float32")
  func bfloat16() throws {
    let file = try fixture()
    let clip = try model(.bfloat16)
    let image = clip.encodeImage(try file.tensor("image.pixels"))
    let text = clip.encodeText(try file.tensor("text.tokens"))
    #expect(image.dtype == .float32)
    // Eight bits of mantissa through two layers of tiny width; the real size is held to 0.999.
    #expect(cosine(image, try file.tensor("image.output")) > 0.995)
    #expect(cosine(text, try file.tensor("text.output")) > 0.995)
    #expect(clip.logit_scale.dtype == .float32)
    #expect((clip.visual as? ImageTower)?.proj.dtype == .bfloat16)
  }

  @Test("A file of transformers' CLIPModel loads into the same model")
  func transformersLayout() throws {
    let file = try fixture()
    let checkpoint = try Checkpoint(
      contentsOf: Fixtures.url("clip_vit_transformers.safetensors"), layouts: CLIP.layouts)
    #expect(checkpoint.layout?.name == "transformers CLIPModel")
    let clip = try checkpoint.build { CLIP($0, Self.config) }
    expectClose(
      clip.encodeImage(try file.tensor("image.pixels")), try file.tensor("image.output"),
      atol: 2e-3, "image")  // its layer norms were rounded to half precision as well
    expectClose(
      clip.encodeText(try file.tensor("text.tokens")), try file.tensor("text.output"),
      atol: 2e-3, "text")
  }

  @Test(
    "A text encoder by itself loads, with the prefix and without", arguments: ["text_model.", ""])
  func textEncoder(prefix: String) throws {
    let file = try fixture()
    let theirs = try SafeTensors(contentsOf: Fixtures.url("clip_vit_transformers.safetensors"))
    let text = try Fixtures.withTemporaryFile("model.safetensors") { url in
      var weights: [String: Tensor] = [:]
      for name in theirs.names where name.hasPrefix("text_") {
        let key = name.hasPrefix("text_model.") ? prefix + name.dropFirst(11) : name
        weights[key] = try theirs.tensor(name)
      }
      try SafeTensors.write(weights, to: url)
      let checkpoint = try Checkpoint(contentsOf: url, layouts: CLIP.layouts)
      #expect(checkpoint.layout?.name.hasPrefix("transformers CLIPTextModel") == true)
      return try checkpoint.build { TextTower($0, Self.config) }
    }
    expectClose(
      text(try file.tensor("text.tokens")), try file.tensor("text.output"), atol: 2e-3, "text")
  }

  @Test("Every parameter of a fresh model has a key of OpenAI's, and no other")
  func keys() throws {
    let initializer = Initializer(seed: 1)
    _ = CLIP(Parameters(initializer), Self.config)
    let expected = try fixture().names.filter { $0.hasPrefix("weights.") }
      .map { String($0.dropFirst(8)) }.filter { !CLIP.leftovers.contains($0) }
    #expect(initializer.parameters.map(\.key).sorted() == expected.sorted())
  }

  @Test("The sizes are read from the shapes")
  func detection() throws {
    let recorder = Recorder()
    var config = CLIP.Config(
      embedDim: 24, vision: .init(imageSize: 32, patchSize: 8, width: 128, layers: 3),
      text: .init(contextLength: 12, vocabSize: 96, width: 64, heads: 1, layers: 2))
    _ = CLIP(Parameters(recorder), config)
    #expect(try CLIP.Config(detecting: recorder.shapes) == config)
    config.vision.width = 100
    #expect(throws: CLIP.ConfigError.self) { try config.validate() }
    #expect(throws: CLIP.ConfigError.self) { try CLIP.Config(detecting: [:]) }
  }

  @Test("open_clip's configuration files are read, with their defaults")
  func configurationFile() throws {
    let json = """
      {"embed_dim": 512, "quick_gelu": true,
       "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
       "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12}}
      """
    let config = try JSONDecoder().decode(CLIP.Config.self, from: Data(json.utf8))
    #expect(config == .vitB32)
    let again = try JSONDecoder().decode(CLIP.Config.self, from: JSONEncoder().encode(config))
    #expect(again == config)
    let plain = json.replacingOccurrences(of: "\"quick_gelu\": true,", with: "")
    #expect(try JSONDecoder().decode(CLIP.Config.self, from: Data(plain.utf8)).activation == .gelu)
  }

  @Test(
    "A configuration that cannot be is refused by the name of its field",
    arguments: [
      ("\"width\": 768", "\"width\": 0", "width"),
      ("\"patch_size\": 32", "\"patch_size\": 33", "patch_size"),
      ("\"layers\": 12, \"width\"", "\"layers\": 1000000000, \"width\"", "layers"),
      ("\"heads\": 8", "\"heads\": 7", "heads"),
      ("\"image_size\": 224", "\"image_size\": -1", "image_size"),
    ])
  func badConfiguration(found: String, replacement: String, field: String) throws {
    let json = """
      {"embed_dim": 512, "quick_gelu": true,
       "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
       "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12}}
      """
    let bad = Data(json.replacingOccurrences(of: found, with: replacement).utf8)
    let error = #expect(throws: CLIP.ConfigError.self) {
      try JSONDecoder().decode(CLIP.Config.self, from: bad)
    }
    #expect(error?.description.contains(field) == true)
  }
}
