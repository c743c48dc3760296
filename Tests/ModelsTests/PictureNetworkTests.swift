import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Networks about pictures against their references, by `Oracle/pictures.py`.
@Suite("Networks about pictures")
struct PictureNetworkTests {
  /// float32 on both sides, sums of at most 1,300 products; values are at most 10.
  static let tolerance = 5e-5

  private let file: SafeTensors

  init() throws { file = try SafeTensors(contentsOf: Fixtures.url("pictures.safetensors")) }

  // MARK: SIREN

  @Test("SIREN draws what siren-pytorch draws, and learns by the same gradient")
  func siren() throws {
    let config = SIREN.Config(num_layers: 3, dim_hidden: 16, w0_initial: 35, w0: 20)
    let model = try Checkpoint(file, prefix: "siren.").build(leftovers: SIREN.leftovers) {
      SIREN($0, config)
    }
    let positions = SIREN.positions(height: 5, width: 7)
    expectClose(positions, try file.tensor("siren.grid"), atol: 1e-6, "positions")
    let picture = model(positions).reshaped(1, 5, 7, 3).permuted(0, 3, 1, 2)
    expectClose(picture, try file.tensor("siren-picture"), atol: Self.tolerance, "picture")
    let weight = model.layers[0].weight
    let source = Held(
      [
        "net.layers.0.weight": weight.variable()
      ], else: file)
    let learner = SIREN(Parameters(source), config)
    let drawn = learner(positions).reshaped(1, 5, 7, 3).permuted(0, 3, 1, 2)
    let loss = (drawn - (try file.tensor("siren-target"))).square().mean()
    expectClose(loss, try file.tensor("siren-loss"), atol: 1e-6, "loss")
    expectClose(
      gradient(of: loss, at: [learner.layers[0].weight])[0], try file.tensor("siren-gradient"),
      atol: Self.tolerance, "gradient")
  }

  /// The parameters of the SIREN of the fixture, but for those held.
  private final class Held: ParameterSource {
    let held: [String: Tensor]
    let file: SafeTensors

    init(_ held: [String: Tensor], else file: SafeTensors) {
      self.held = held
      self.file = file
    }

    func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
      held[path] ?? (try? file.tensor("siren." + path)) ?? .zeros(shape)
    }
  }

  @Test("SIREN begins within the bounds of the paper and fills them")
  func sirenStart() {
    let source = Initializer(seed: 1)
    let model = SIREN(Parameters(source), .init(num_layers: 2, dim_hidden: 256))
    let bound = (6.0 / 256).squareRoot() / 30
    for (tensor, bound) in [
      (model.layers[0].weight, 0.5), (model.layers[1].weight, bound),
      (model.last_layer.weight, bound), (model.layers[1].bias ?? .zeros([1]), bound),
    ] {
      let largest = tensor.detached().abs().amax().item()
      #expect(largest <= bound && largest > 0.97 * bound, "\(largest) of \(bound)")
    }
    #expect(source.parameters.map(\.key).last == "net.last_layer.bias")
  }

  @Test(
    "SIRENs have Deep Daze's numbers of parameters",
    arguments: [(16, 988_419), (32, 2_041_091), (44, 2_830_595)])
  func sirenSizes(layers: Int, parameters: Int) {
    let recorder = ShapeRecorder()
    _ = SIREN(Parameters(recorder), .init(num_layers: layers))
    #expect(recorder.shapes.values.reduce(0) { $0 + $1.reduce(1, *) } == parameters)
  }

  // MARK: VGG

  @Test("VGG's activations are torchvision's, in the order asked for")
  func vgg() throws {
    let config = VGG16.Config(widths: [4, 6, 8, 8, 8])
    let model = try Checkpoint(file, prefix: "vgg.").build { VGG16($0, config) }
    let layers = [30, 3, 8, 13, 22, 29]
    let found = model(try file.tensor("vgg-pictures"), layers: layers)
    for (layer, activation) in zip(layers, found) {
      var seen = activation
      if layer == 3 {
        let rows = Tensor((0..<20).map { 2 * $0 }, [20])
        let columns = Tensor((0..<24).map { 2 * $0 }, [24])
        seen = seen.indexSelect(2, rows).indexSelect(3, columns)
      }
      expectClose(seen, try file.tensor("vgg-\(layer)"), atol: Self.tolerance, "layer \(layer)")
    }
    #expect(found.count == layers.count)
  }

  @Test("the published VGG has its number of parameters, and is known by its shapes")
  func vggSizes() {
    let recorder = ShapeRecorder()
    _ = VGG16(Parameters(recorder))
    #expect(recorder.shapes.values.reduce(0) { $0 + $1.reduce(1, *) } == 14_714_688)
    #expect(VGG16.Config(detecting: recorder.shapes) == .published)
  }

  // MARK: ESRGAN

  @Test("RRDBNet enlarges as spandrel's does", arguments: [4, 2])
  func rrdb(scale: Int) throws {
    let model = RRDBNet(Parameters(Recorder()), .init(scale: scale, num_feat: 8, num_block: 2))
    expectClose(
      model(try file.tensor("x\(scale)-small")), try file.tensor("x\(scale)-large"),
      atol: Self.tolerance, "x\(scale)")
  }

  @Test(
    "the names of 2019 and of 2018 give the same network",
    arguments: ["ESRGAN of 2019", "ESRGAN of 2018"])
  func olderNames(layout: String) throws {
    let recorder = Recorder()
    let config = RRDBNet.Config(num_feat: 8, num_block: 2)
    let model = RRDBNet(Parameters(recorder), config)
    let old = Dictionary(
      uniqueKeysWithValues: recorder.shapes.map { key, shape in
        (
          layout == "ESRGAN of 2019" ? Self.name2019(key) : Self.name2018(key),
          SyntheticWeights.tensor(key, shape)
        )
      })
    try Fixtures.withTemporaryFile("old.safetensors") { url in
      try SafeTensors.write(old, to: url)
      let found = try Recognition(of: openTensors(at: url))
      #expect(found.config as? RRDBNet.Config == config)
      #expect(found.layout == layout)
      #expect(try found.fit()?.problem == nil)
      let loaded = try found.checkpoint().build { RRDBNet($0, config) }
      let small = try file.tensor("x4-small")
      expectClose(loaded(small), model(small), atol: 0, layout)
    }
  }

  private static func name2019(_ key: String) -> String {
    let heads = [
      "body": "RRDB_trunk", "conv_body": "trunk_conv", "conv_up1": "upconv1",
      "conv_up2": "upconv2", "conv_hr": "HRconv",
    ]
    var parts = key.split(separator: ".").map(String.init)
    parts[0] = heads[parts[0]] ?? parts[0]
    return parts.joined(separator: ".").replacing(".rdb", with: ".RDB")
  }

  private static func name2018(_ key: String) -> String {
    let heads = [
      "conv_first": "model.0", "conv_body": "model.1.sub.2", "conv_up1": "model.3",
      "conv_up2": "model.6", "conv_hr": "model.8", "conv_last": "model.10",
    ]
    var parts = key.split(separator: ".").map(String.init)
    if parts[0] == "body" {
      parts = ["model.1.sub", parts[1], parts[2].uppercased(), parts[3], "0", parts[4]]
    } else {
      parts[0] = heads[parts[0]] ?? parts[0]
    }
    return parts.joined(separator: ".")
  }

  @Test(
    "the published RRDBNets have their numbers of parameters, and are known by their shapes",
    arguments: [
      (RRDBNet.Config.x4plus, 16_697_987, 702), (.x2plus, 16_703_171, 702),
      (.anime6B, 4_467_779, 192),
    ])
  func rrdbSizes(config: RRDBNet.Config, parameters: Int, tensors: Int) {
    let recorder = ShapeRecorder()
    _ = RRDBNet(Parameters(recorder), config)
    #expect(recorder.shapes.values.reduce(0) { $0 + $1.reduce(1, *) } == parameters)
    #expect(recorder.shapes.count == tensors)
    #expect(RRDBNet.Config(detecting: recorder.shapes) == config)
  }

  // MARK: Aesthetic heads

  @Test(
    "heads score as the repositories' do, and are known by their shapes",
    arguments: [
      ("head", AestheticHead.Config.linear(12)),
      ("linear", .init(widths: [12, 8, 6, 4, 3, 1], layers: [0, 2, 4, 6, 7])),
      ("relu", .init(widths: [12, 8, 6, 4, 3, 1], layers: [0, 3, 6, 9, 11])),
    ])
  func heads(name: String, config: AestheticHead.Config) throws {
    let checkpoint = try Checkpoint(file, prefix: name + ".")
    #expect(AestheticHead.Config(detecting: checkpoint.shapes) == config)
    let head = try checkpoint.build { AestheticHead($0, config) }
    expectClose(
      head(try file.tensor("embeddings")), try file.tensor("\(name)-scores"), atol: 1e-6, name)
  }
}
