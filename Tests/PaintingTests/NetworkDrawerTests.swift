import Foundation
import Library
import Models
import Testing
import Torch
import Weights
import TestSupport

@testable import Painting

/// Drawers that draw with networks.
@Suite struct NetworkDrawerTests {
  private static let bigGAN = BigGAN.Config(
    z_dim: 8, channel_width: 4, num_classes: 6,
    layers: [
      .init(false, 16, 8), .init(true, 8, 8), .init(false, 8, 4), .init(true, 4, 2),
      .init(false, 2, 2), .init(true, 2, 1),
    ], attention_layer_position: 2, n_stats: 6)

  /// Random weights whose spectral vectors are those of one step of the power iteration.
  private final class Weights: ParameterSource {
    let initializer = Initializer(seed: 5)

    func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
      if path.hasSuffix("_u") || path.hasSuffix("_v"),
        let whole = initializer.parameters.last(where: { $0.key.hasSuffix("weight_orig") })?.tensor
      {
        let matrix = whole.detached().reshaped(whole.size(0), -1)
        let v = matrix[0].normalized()
        return path.hasSuffix("_v") ? v : matrix.matmul(v.unsqueezed(1)).squeezed(1).normalized()
      }
      return initializer.parameter(path, shape, initial, role).detached()
    }
  }

  private static func model() -> BigGAN { BigGAN(Parameters(Weights()), bigGAN) }

  private func drawer(_ width: Int, _ height: Int, _ choice: BigGANDrawer.Choice = .init())
    -> BigGANDrawer
  {
    BigGANDrawer(
      Self.model(), width: width, height: height, seed: 3, choice, device: .cpu)
  }

  // MARK: Big Sleep

  @Test("a latent and classes for each block draw a picture, the same for the same seed")
  func bigSleep() {
    let one = drawer(32, 32)
    #expect(one.latents.shape == [7, 8] && one.logits.shape == [7, 6])
    #expect(abs(one.logits.detached().mean().item() + 3.9) < 0.3)
    let picture = one.render(0)
    #expect(picture.shape == [1, 3, 32, 32])
    #expect(picture.detached().amin().item() >= 0 && picture.detached().amax().item() <= 1)
    #expect(picture.floats() == drawer(32, 32).render(nil).floats())
    let slopes = gradient(of: picture.square().sum(), at: one.parameters)
    for slope in slopes {
      // Every row takes part: each block has its own.
      #expect(slope.abs().amax(over: [1]).amin().item() > 0)
    }
  }

  @Test("it may begin with one class alone, the one whose picture fits best", arguments: [nil, 1])
  func firstClass(most: Int?) {
    let model = Self.model()
    func picture(_ number: Int) -> Tensor {
      let hot = Tensor((0..<6).map { $0 == number ? 1 : 0 } as [Float], [1, 6])
      return (model(Tensor.zeros([1, 8]), hot, truncation: 1) + 1) / 2
    }
    var told: [Event.Progress] = []
    let seen = BigGANDrawer.classEmbeddings(of: model, device: .cpu, report: { told.append($0) }) {
      $0.reshaped($0.size(0), -1)
    }
    #expect(told.map(\.step) == [6] && told.map(\.total) == [6])
    expectClose(seen[4], picture(4).reshaped(-1), atol: 1e-6)
    #expect(seen.size(0) == 6)
    let likeness = -(seen - seen[4]).square().mean(over: [1])  // [K]
    let other = Tensor([0, 0, 1, 0, 0, 0] as [Float], [6])
    #expect(BigGANDrawer.bestClass([(likeness, 1)]) == 4)
    #expect(BigGANDrawer.bestClass([(likeness, 1e-6), (other, 1)]) == 2)
    let weights = drawer(32, 32, .init(maxClasses: most, first: 4)).classWeights()
    for row in 0..<7 {
      let row = weights[row].floats()
      #expect(row[4] > 0.95 && row.enumerated().allSatisfy { $0 == 4 || $1 < 0.05 })
    }
  }

  @Test(
    "a picture of other sizes is the middle of the square",
    arguments: [(16, 16), (64, 64), (64, 32), (10, 40)])
  func sizes(width: Int, height: Int) {
    #expect(drawer(width, height).render(nil).shape == [1, 3, height, width])
    let whole = drawer(32, 32).render(nil).detached()
    let cut = drawer(32, 16).render(nil).detached()
    expectClose(whole.narrowed(2, 8, 16), cut, atol: 1e-6)
  }

  @Test("the differentiable choice of classes is big-sleep's")
  func topK() {
    // By big_sleep's differentiable_topk in torch 2.13: k = 2, temperature 2.
    let logits = Tensor([0.5, 2, -1, 1, 3, 0, 0, 0.1] as [Float], [2, 4]).variable()
    let chosen = differentiableTopK(logits, 2, temperature: 2)
    let expected: [Float] = [0, 0.4343997, 0, 0.4658355, 0.5949439, 0, 0, 0.3445354]
    for (a, b) in zip(chosen.floats(), expected) { #expect(abs(a - b) < 1e-6, "\(a) \(b)") }
    let weights = Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Float], [2, 4])
    let slope = gradient(of: (chosen * weights).sum(), at: [logits])[0]
    let slopes: [Float] = [
      -0.4271409, 0.2456966, -0.2017671, 0.3832113, 0.6024641, -0.6491084, -0.6491084, 0.6957529,
    ]
    for (a, b) in zip(slope.floats(), slopes) { #expect(abs(a - b) < 1e-5, "\(a) \(b)") }
    #expect(
      drawer(32, 32, .init(maxClasses: 2)).classWeights().atLeast(1e-9).to(.float32)
        .sum(over: [1]).floats() == Array(repeating: 2, count: 7))
  }

  @Test("the terms of latents and classes are big-sleep's")
  func objective() {
    // By the loss of big_sleep 0.9.1 in torch 2.13.
    let z = Tensor(
      [3.08, -0.58, -4.36, 1.14, -2.16, -2.8, 0.8, 1.68, -1.44, -0.8] as [Float], [2, 5])
    #expect(abs(BigSleepObjective.latents(z).item() - 22.677803) < 1e-5)
    #expect(abs(BigSleepObjective.latents(z * 0.2).item() - 5.920843) < 1e-5)
    let weights = Tensor([0.1, 0.02, 0.03, 0.5, 0.4, 0.01] as [Float], [2, 3])
    #expect(abs(BigSleepObjective.classes(weights).item() - 100.875) < 1e-3)
    let drawer = drawer(32, 32)
    let objective = drawer.objectives[0]
    let observation = Observation(picture: Tensor.zeros([1, 3, 2, 2]), latent: drawer.latent)
    let loss = objective.loss(observation)
    #expect(loss?.item().isFinite == true)
    let slopes = loss.map { gradient(of: $0, at: drawer.parameters) } ?? []
    #expect(slopes.allSatisfy { $0.abs().sum().item() > 0 } && slopes.count == 2)
    #expect(objective.loss(Observation(picture: Tensor.zeros([1, 3, 2, 2]))) == nil)
  }

  // MARK: Deep Daze

  @Test("a network of sines draws any size, and learns the picture it begins from")
  func deepDaze() {
    let column = Tensor.arange(0..<24, .float32).reshaped(1, 1, 1, 24) / 23
    let picture = concatenated(
      [column, 1 - column, column * 0 + 0.5], over: 1
    ).expanded([1, 3, 16, 24])
    let drawer = SIRENDrawer(
      .init(num_layers: 3, dim_hidden: 32), width: 24, height: 16, seed: 1,
      .init(iterations: 150, learningRate: 1e-3), device: .cpu)
    #expect(drawer.parameters.count == 8)
    func error() -> Double { (drawer.render(nil).detached() - picture).square().mean().item() }
    let before = error()
    #expect(drawer.render(nil).shape == [1, 3, 16, 24])
    #expect(drawer.begin(from: picture))
    #expect(error() < 0.1 * before, "\(error()) of \(before)")
    #expect(error() < 0.01)
  }

  // MARK: Super-resolution

  @Test(
    "a small picture is enlarged to the size wanted, and begins from a large one",
    arguments: [4, 2])
  func superResolution(scale: Int) {
    let config = RRDBNet.Config(scale: scale, num_feat: 8, num_block: 1, num_grow_ch: 4)
    let model = RRDBNet(Parameters(Initializer(seed: 2)), config)
    let drawer = SuperResolutionDrawer(
      model, width: 30, height: 21, stream: RandomStream(seed: 1, "x"), device: .cpu)
    #expect(drawer.small.shape == (scale == 4 ? [1, 3, 6, 8] : [1, 3, 12, 16]))
    #expect(drawer.render(nil).shape == [1, 3, 21, 30])
    let grey = Tensor.full([1, 3, 21, 30], 0.25)
    #expect(drawer.begin(from: grey))
    expectClose(drawer.small, Tensor.full(drawer.small.shape, 0.25), atol: 1e-6)
    noGrad { drawer.small.assign(drawer.small.detached() + 5) }
    drawer.project()
    #expect(drawer.small.detached().amax().item() == 1)
    let slopes = gradient(of: drawer.render(nil).sum(), at: drawer.parameters)
    #expect(slopes.map(\.shape) == [drawer.small.shape])
    for slope in slopes {
      #expect(slope.floats().allSatisfy { $0.isFinite } && slope.abs().amin().item() > 0)
    }
  }

  // MARK: Opening

  @Test("installed models are known by kind, opened, and asked for when they are missing")
  func opening() throws {
    let folder = try ScratchFolder.make("kinds")
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    let networks = try Networks(Pack(folder: TinyPack.make()), library)
    #expect {
      try networks.network(BigGAN.self, packs: false)
    } throws: { "\($0)".contains("reverie models pull biggan-deep-512") }
    #expect {
      try networks.network(RRDBNet.self)
    } throws: { "\($0)".contains("reverie models pull realesrgan-x4plus") }

    let home = folder.appending(path: "biggan")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    let shapes = Noting()
    _ = BigGAN(Parameters(shapes), Self.bigGAN)
    try SafeTensors.write(shapes.made, to: home.appending(path: "pytorch_model.bin"))
    var told = Self.bigGAN
    told.layers[0].upsample = true
    try JSONEncoder().encode(told).write(to: home.appending(path: "config.json"))
    let added = try library.add([home])
    #expect(added.record.kind == "biggan")
    #expect(added.record.title == "BigGAN-deep 64, 6 classes")
    #expect(added.record.files.keys.sorted() == ["config.json", "pytorch_model.bin"])
    #expect(try networks.network(BigGAN.self, packs: false).config == told)
    #expect(throws: StoreError.self) { try networks.network(VQGAN.self, of: "biggan") }
    #expect(throws: StoreError.self) { try networks.network(VGG16.self, of: "biggan") }

    func add<Model>(_ name: String, _ make: (Parameters) -> Model) throws -> ModelRecord.Kind {
      let noting = Noting()
      _ = make(Parameters(noting))
      let url = folder.appending(path: name)
      try SafeTensors.write(noting.made, to: url)
      return try library.add([url]).record.kind
    }
    let enlarging = RRDBNet.Config(num_feat: 8, num_block: 1, num_grow_ch: 4)
    #expect(try add("esrgan.pth") { RRDBNet($0, enlarging) } == "upscaler")
    #expect(try networks.network(RRDBNet.self).config == enlarging)
    #expect(try add("vgg.pth") { VGG16($0, .init(widths: [4, 4, 4, 4, 4])) } == "vgg")
    #expect(try networks.network(VGG16.self).config.widths == [4, 4, 4, 4, 4])
    #expect(try add("head.pth") { AestheticHead($0, .linear(16)) } == "aesthetic")
    #expect(try networks.network(AestheticHead.self, of: "head", .float32).config == .linear(16))
  }

  /// Notes what was made.
  private final class Noting: ParameterSource {
    private let weights = Weights()
    private(set) var made: [String: Tensor] = [:]

    func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
      let tensor = weights.parameter(path, shape, initial, role)
      made[path] = tensor
      return tensor
    }
  }
}
