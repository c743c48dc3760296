import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against pytorch-pretrained-biggan, by `Oracle/biggan.py`.
@Suite("BigGAN")
struct BigGANTests {
  /// float32 on both sides, sums of at most 600 products; values are at most 5.
  static let tolerance = 5e-5

  static let config = BigGAN.Config(
    z_dim: 8, channel_width: 4, num_classes: 5,
    layers: [
      .init(false, 16, 8), .init(true, 8, 8), .init(false, 8, 4), .init(true, 4, 2),
      .init(false, 2, 2), .init(true, 2, 1),
    ], attention_layer_position: 2, n_stats: 6)

  private let file: SafeTensors
  private let model: BigGAN

  init() throws {
    file = try SafeTensors(contentsOf: Fixtures.url("biggan.safetensors"))
    model = try Checkpoint(file, prefix: "model.").build { BigGAN($0, Self.config) }
  }

  @Test("one latent and class for all blocks gives the package's pictures")
  func pictures() throws {
    expectClose(
      model(try file.tensor("latents"), try file.tensor("classes"), truncation: 0.4),
      try file.tensor("pictures"), atol: Self.tolerance, "pictures")
  }

  @Test(
    "a latent for each block gives the package's results layer by layer, between two truncations")
  func layers() throws {
    let conditions = model.condition(
      try file.tensor("block_latents"), try file.tensor("block_classes"))
    var rest = (0..<conditions.size(0)).map { conditions[$0..<($0 + 1)] }[...]
    var x = model.generator.start(rest.removeFirst())
    func check(_ index: Int, _ x: Tensor) throws {
      let every = Tensor((0..<16).map { 2 * $0 }, [16])
      let seen = x.size(-1) > 16 ? x.indexSelect(2, every).indexSelect(3, every) : x
      expectClose(
        seen, try file.tensor("layer.\(index)"), atol: Self.tolerance, "layer \(index)")
    }
    try check(0, x)
    for (index, layer) in model.generator.layers.enumerated() {
      switch layer {
      case .attention(let attention): x = attention(x)
      case .block(let block): x = block(x, rest.removeFirst(), 0.43)
      }
      try check(index + 1, x)
    }
    try check(model.generator.layers.count + 1, model.generator.finish(x, 0.43))
  }

  @Test("the gradient reaches the latents of all blocks")
  func slope() throws {
    let latents = try file.tensor("block_latents").variable()
    let conditions = model.condition(latents, try file.tensor("block_classes"))
    let rows = (0..<conditions.size(0)).map { conditions[$0..<($0 + 1)] }
    let loss = (model(rows, truncation: 0.43) * (try file.tensor("probe"))).sum()
    expectClose(
      gradient(of: loss, at: [latents])[0], try file.tensor("gradient"), atol: Self.tolerance,
      "gradient")
  }

  @Test("the ends of the table of truncations are met")
  func truncations() {
    let statistics = BigGANStatistics(Parameters(Recorder()) / "bn", 3, Self.config)
    let table = statistics.running_means
    expectClose(statistics(0).mean, table[0], atol: 0, "0")
    expectClose(statistics(1).mean, table[5], atol: 0, "1")
    expectClose(statistics(0.3).mean, (table[1] + table[2]) / 2, atol: 1e-6, "0.3")
  }

  @Test(
    "the published networks have their numbers of parameters, and are known by their shapes",
    arguments: [
      (BigGAN.Config.deep128, 50_388_609, 506, 128), (.deep256, 55_880_833, 602, 256),
      (.deep512, 56_163_905, 698, 512),
    ])
  func published(config: BigGAN.Config, parameters: Int, tensors: Int, size: Int) {
    let recorder = ShapeRecorder()
    _ = BigGAN(Parameters(recorder), config)
    let trained = recorder.shapes.filter { key, _ in
      !["weight_u", "weight_v", "running_means", "running_vars"].contains { key.hasSuffix($0) }
    }
    #expect(trained.values.reduce(0) { $0 + $1.reduce(1, *) } == parameters)
    #expect(recorder.shapes.count == tensors)
    #expect(BigGAN.Config(detecting: recorder.shapes) == config)
    #expect(config.size == size)
    #expect(config.problem == nil)
  }

  @Test("the package's config.json is read, and sizes that make no network are refused")
  func configs() throws {
    let data = try Data(contentsOf: Fixtures.url("biggan.json"))
    #expect(try JSONDecoder().decode(BigGAN.Config.self, from: data) == Self.config)
    let coded = try JSONEncoder().encode(Self.config)
    #expect(try JSONDecoder().decode(BigGAN.Config.self, from: coded) == Self.config)
    var wrong = Self.config
    wrong.layers[1].inputs = 4
    #expect(wrong.problem != nil)
    wrong = Self.config
    wrong.layers[5].outputs = .max
    #expect(wrong.problem != nil)
    wrong = Self.config
    wrong.attention_layer_position = 7
    #expect(wrong.problem != nil)
    wrong.attention_layer_position = 6
    #expect(wrong.problem == nil)
  }
}
