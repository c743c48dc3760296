import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against v-diffusion-pytorch, by `Oracle/v_diffusion.py`.
@Suite("v-diffusion")
struct VDiffusionTests {
  /// Of the largest value: float32 on both sides, through a network without norms.
  static let tolerance = 2e-5

  /// The published networks with the numbers of the oracle put in.
  static let reduced: [String: VDiffusion.Config] = {
    var cc12m = VDiffusion.Config.cc12m
    cc12m.widths = cc12m.widths.map { $0 / 8 }
    cc12m.condition = .init(embedding: 24, width: 48)
    var yfcc = VDiffusion.Config.yfcc1
    yfcc.widths = yfcc.widths.map { $0 / 8 }
    var imagenet = VDiffusion.Config.imagenet128
    (imagenet.widths, imagenet.headWidth) = (imagenet.widths.map { $0 / 8 }, 16)
    var wikiart = VDiffusion.Config.wikiart128
    wikiart.widths = wikiart.widths.map { $0 / 16 }
    return ["cc12m": cc12m, "yfcc": yfcc, "imagenet": imagenet, "wikiart": wikiart]
  }()

  @Test(
    "Velocity and gradient agree with the package's",
    arguments: ["cc12m", "yfcc", "imagenet", "wikiart"])
  func agrees(name: String) throws {
    let file = try SafeTensors(contentsOf: Fixtures.url("v_diffusion.safetensors"))
    func stored(_ part: String) throws -> Tensor { try file.tensor("\(name).\(part)").to(.float32) }
    let model = VDiffusion(Parameters(Halves()), try #require(Self.reduced[name]))
    let x = try stored("x").variable()
    let embeddings = model.config.condition == nil ? nil : try stored("clip_embed")
    let v = model(x, time: try stored("t"), embeddings: embeddings)
    let slope = gradient(of: (v * (try stored("probe"))).sum() / 1000, at: [x])[0]
    let expected = try stored("v")
    let scale = expected.abs().amax().item()
    expectClose(Self.everyFourth(v) / scale, expected / scale, atol: Self.tolerance, name)
    // Where rounding puts a value on the other side of a ReLU, its whole slope differs.
    #expect(cosine(Self.everyFourth(slope), try stored("gradient")) > 0.9999)
  }

  /// Synthetic weights halved, as the oracle has them.
  private final class Halves: ParameterSource {
    func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
      SyntheticWeights.tensor(path, shape) / 2
    }
  }

  private static func everyFourth(_ x: Tensor) -> Tensor {
    [2, 3].reduce(x.detached()) { y, dim in
      y.indexSelect(dim, Tensor(Array(stride(from: 0, to: y.size(dim), by: 4)), [y.size(dim) / 4]))
    }
  }

  @Test(
    "Every published network has its keys and shapes, and is known by them",
    arguments: [
      ("cc12m_1", VDiffusion.Config.cc12m), ("cc12m_1_cfg", .cc12m), ("yfcc_1", .yfcc1),
      ("yfcc_2", .yfcc2), ("wikiart_256", .wikiart256), ("wikiart_128", .wikiart128),
      ("imagenet_128", .imagenet128), ("danbooru_128", .danbooru128),
    ])
  func published(name: String, config: VDiffusion.Config) throws {
    struct Network: Decodable {
      var parameters: Int
      var tensors: Int
      var sha256: String
    }
    let known = try JSONDecoder().decode(
      [String: Network].self, from: Data(contentsOf: Fixtures.url("v_diffusion.json")))
    let network = try #require(known[name])
    let recorder = ShapeRecorder()
    _ = VDiffusion(Parameters(recorder), config)
    #expect(recorder.shapes.count == network.tensors)
    #expect(recorder.shapes.values.reduce(0) { $0 + $1.reduce(1, *) } == network.parameters)
    let lines = recorder.shapes.sorted { $0.key < $1.key }.map { key, shape in
      "\(key) [\(shape.map(String.init).joined(separator: ", "))]"
    }
    #expect(Checksum.sha256(of: lines.joined(separator: "\n")) == network.sha256)
    #expect(config.problem == nil)
    #expect(VDiffusion.Config(detecting: recorder.shapes) == config)
  }

  @Test("Sizes that make no network are refused")
  func problems() {
    func refused(_ change: (inout VDiffusion.Config) -> Void) -> Bool {
      var config = VDiffusion.Config(size: 16, widths: [16, 32], blocks: [1, 2], attention: 1)
      change(&config)
      return config.problem != nil
    }
    #expect(!refused { _ in })
    #expect(refused { $0.widths = [16] })
    #expect(refused { $0.blocks = [1] })
    #expect(refused { $0.blocks = [1, 0] })
    #expect(refused { $0.size = 15 })
    #expect(refused { $0.attention = 3 })
    #expect(refused { $0.headWidth = 0 })
    #expect(refused { $0.condition = .init(embedding: 0) })
    #expect(VDiffusion.Config(detecting: ["timestep_embed.weight": [8, 1]]) == nil)
  }
}
