import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against clip-anytorch, open_clip and timm, by `Oracle/clip_towers.py`.
@Suite("CLIP's other towers")
struct CLIPTowerTests {
  /// float32 on both sides; folding the norms into the convolutions rounds once more.
  static let tolerance = 1e-4

  static let text = CLIP.Config.Text(
    contextLength: 8, vocabSize: 16, width: 16, heads: 2, layers: 1)
  static let residual = CLIP.Config(
    embedDim: 24, vision: .init(imageSize: 64, width: 8, stages: [1, 2, 1, 1]), text: text)
  static var slip: CLIP.Config {
    var vision = CLIP.Config.Vision(
      imageSize: 32, patchSize: 8, width: 32, layers: 2, headWidth: 8)
    vision.tower = .slip
    return CLIP.Config(embedDim: 24, vision: vision, text: text, preprocessing: .imageNet)
  }

  private func fixture() throws -> SafeTensors {
    try SafeTensors(contentsOf: Fixtures.url("clip_towers.safetensors"))
  }

  @Test("The residual network agrees with OpenAI's: features, output and gradient")
  func residual() throws {
    let file = try fixture()
    let tower = ResNetTower(Parameters(Recorder()) / "visual", Self.residual)
    let pixels = try file.tensor("resnet.pixels").variable()
    expectClose(
      tower.features(pixels), try file.tensor("resnet.features"), atol: Self.tolerance, "features")
    let y = tower(pixels)
    expectClose(y, try file.tensor("resnet.output"), atol: Self.tolerance, "output")
    let gradient = gradient(of: y.square().sum(), at: [pixels])[0]
    expectClose(gradient, try file.tensor("resnet.gradient"), atol: Self.tolerance, "gradient")
  }

  @Test("SLIP's transformer agrees with timm's")
  func slip() throws {
    let file = try fixture()
    let tower = SLIPImageTower(Parameters(Recorder()), Self.slip)
    expectClose(
      tower(try file.tensor("slip.pixels")), try file.tensor("slip.output"), atol: Self.tolerance,
      "output")
  }

  @Test(
    "Every published architecture has its number of parameters, and is known by its shapes",
    arguments: [
      ("RN50", 102_007_137), ("RN101", 119_688_033), ("RN50x4", 178_300_601),
      ("RN50x16", 290_979_217), ("RN50x64", 623_258_305), ("ViT-B/32", 151_277_313),
      ("ViT-B/16", 149_620_737), ("ViT-L/14", 427_616_513), ("ViT-L/14@336px", 427_944_193),
      ("ViT-B-16-plus-240", 208_377_345), ("ViT-H-14", 986_109_441), ("ViT-g-14", 1_366_678_273),
      ("ViT-bigG-14", 2_539_567_105), ("SLIP ViT-S/16", 85_290_369),
      ("SLIP ViT-B/16", 149_619_969), ("SLIP ViT-L/16", 367_254_017),
    ])
  func published(name: String, parameters: Int) throws {
    let config = try #require(CLIP.Config.published.first { $0.name == name }).config
    let shapes = ShapeRecorder()
    _ = CLIP(Parameters(shapes), config)
    // Running statistics are buffers, no parameters.
    let counted = shapes.shapes.filter { !$0.key.contains("running_") }
    #expect(counted.values.reduce(0) { $0 + $1.reduce(1, *) } == parameters)
    var detected = try CLIP.Config(detecting: shapes.shapes)
    #expect(detected.publishedName == name)
    detected.quickGELU = config.quickGELU
    #expect(detected == config)
    let coded = try JSONDecoder().decode(CLIP.Config.self, from: JSONEncoder().encode(config))
    #expect(coded == config)
  }
}

/// Notes shapes and makes no parameters, so that networks of any size can be laid out.
final class ShapeRecorder: ParameterSource {
  private(set) var shapes: [String: [Int]] = [:]

  func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
    shapes[path] = shape
    return Tensor.empty(shape, device: .meta)
  }
}
