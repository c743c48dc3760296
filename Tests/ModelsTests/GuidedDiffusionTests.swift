import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against openai/guided-diffusion, Disco Diffusion and lpips, by `Oracle/guided_diffusion.py`.
@Suite("Guided diffusion")
struct GuidedDiffusionTests {
  /// Of the largest value: float32 on both sides.
  static let tolerance = 1e-4

  private let file: SafeTensors

  init() throws { file = try SafeTensors(contentsOf: Fixtures.url("guided_diffusion.safetensors")) }

  private func stored(_ key: String) throws -> Tensor { try file.tensor(key).to(.float32) }

  /// Compares an output for the stored `x`, and the gradient there.
  private func expectSame(_ name: String, _ model: (Tensor) throws -> Tensor) throws {
    let x = try stored("\(name).x").variable()
    let y = try model(x)
    let slope = gradient(of: (y * (try stored("\(name).probe"))).sum() / 1000, at: [x])[0]
    for (part, found) in [("y", y), ("gradient", slope)] {
      let expected = try stored("\(name).\(part)")
      let scale = expected.abs().amax().item()
      expectClose(
        Self.everySecond(found) / scale, expected / scale, atol: Self.tolerance, "\(name) \(part)")
    }
  }

  private static func everySecond(_ x: Tensor) -> Tensor {
    guard x.rank == 4 else { return x.detached() }
    return [2, 3].reduce(x.detached()) { y, dim in
      y.indexSelect(dim, Tensor(Array(stride(from: 0, to: y.size(dim), by: 2)), [y.size(dim) / 2]))
    }
  }

  private final class Synthetic: ParameterSource {
    func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
      SyntheticWeights.tensor(path, shape)
    }
  }

  /// The kinds of the published networks with the numbers of the oracle.
  static let reduced: [String: GuidedDiffusion.Config] = [
    "legacy": .init(
      .init(width: 32, widths: [32, 32, 64], attention: [1, 2], headWidth: 16), size: 16),
    "new": .init(
      .init(
        width: 32, widths: [32, 64], blocks: 3, attention: [1], headWidth: 16,
        newAttentionOrder: true), size: 16, classes: 10, betas: .cosine),
    "heads": .init(
      .init(
        width: 64, widths: [32, 64, 64], blocks: 1, attention: [1, 2], headWidth: nil, heads: 4),
      size: 16, classes: 10),
    "plain": .init(
      .init(
        width: 32, widths: [32, 32, 64], attention: [2], headWidth: nil, scales: false,
        resamplesInBlocks: false), size: 16),
    "upsampler": .init(
      .init(
        inputs: 6, width: 32, widths: [32, 64], blocks: 1, attention: [1], headWidth: nil, heads: 4),
      size: 16, classes: 10, smallSize: 4),
  ]

  @Test(
    "Noise, variance and gradient agree with the package's",
    arguments: ["legacy", "new", "heads", "plain", "upsampler"])
  func agrees(name: String) throws {
    let config = try #require(Self.reduced[name])
    let model = GuidedDiffusion(Parameters(Synthetic()), config)
    #expect(config.problem == nil && config.channels == 3 && config.learnsVariance)
    try expectSame(name) { x in
      model(
        x, timesteps: try stored("\(name).timesteps"),
        classes: config.classes == nil ? nil : try file.tensor("\(name).label"),
        small: config.smallSize == nil ? nil : try stored("\(name).low_res"))
    }
  }

  @Test("Classes' logits and the gradient towards one agree with the package's")
  func classifier() throws {
    let config = GuidedClassifier.Config(
      .init(outputs: 10, width: 32, widths: [32, 32, 64], attention: [1, 2], headWidth: 16),
      size: 16)
    let model = GuidedClassifier(Parameters(Synthetic()), config)
    let timesteps = try stored("classifier.timesteps")
    try expectSame("classifier") { model($0, timesteps: timesteps) }
    let toward = model.gradient(
      try stored("classifier.x"), timesteps: timesteps, classes: try file.tensor("classifier.label")
    )
    let expected = try stored("classifier.toward")
    let scale = expected.abs().amax().item()
    expectClose(Self.everySecond(toward) / scale, expected / scale, atol: Self.tolerance)
  }

  @Test("Disco Diffusion's secondary models agree with its own", arguments: ["first", "second"])
  func secondary(name: String) throws {
    var config = name == "first" ? SecondaryDiffusion.Config.first : .second
    config.widths = config.widths.map { $0 / 4 }
    let model = SecondaryDiffusion(Parameters(Synthetic()), config)
    try expectSame("secondary.\(name)") { model($0, time: try stored("secondary.\(name).t")) }
  }

  @Test("LPIPS agrees with its authors' package")
  func lpips() throws {
    let measure = LPIPS(Parameters(Synthetic()))
    let vgg = VGG16(Parameters(Synthetic()))
    let trunk = { (x: Tensor, layers: [Int]) in vgg(x, layers: layers) }
    let other = measure.features((try stored("lpips.other") + 1) / 2, trunk)
    try expectSame("lpips") { measure(measure.features(($0 + 1) / 2, trunk), other) }
  }

  // MARK: Files

  private struct Published: Decodable {
    var parameters: Int
    var tensors: Int
    var sha256: String
  }

  /// Compares the keys and shapes of a network with those that the oracle counted, and gives them.
  private func expectPublished(_ name: String, _ make: (Parameters) -> Void) throws -> [String:
    [Int]]
  {
    let known = try JSONDecoder().decode(
      [String: Published].self, from: Data(contentsOf: Fixtures.url("guided_diffusion.json")))
    let network = try #require(known[name])
    let recorder = ShapeRecorder()
    make(Parameters(recorder))
    let shapes = recorder.shapes
    #expect(shapes.values.reduce(0) { $0 + $1.reduce(1, *) } == network.parameters)
    #expect(shapes.count == network.tensors)
    let lines = shapes.sorted { $0.key < $1.key }.map { key, shape in
      "\(key) [\(shape.map(String.init).joined(separator: ", "))]"
    }
    #expect(Checksum.sha256(of: lines.joined(separator: "\n")) == network.sha256)
    return shapes
  }

  @Test(
    "Every published network has its keys and shapes, and is known by them",
    arguments: [
      ("64x64_diffusion", GuidedDiffusion.Config.imagenet64), ("128x128_diffusion", .imagenet128),
      ("256x256_diffusion", .imagenet256), ("256x256_diffusion_uncond", .unconditional256),
      ("512x512_diffusion", .imagenet512),
      ("512x512_diffusion_uncond_finetune_008100", .unconditional512),
      ("lsun_bedroom", .unconditional256), ("pixelartdiffusion4k", .kaliYuga256),
      ("portrait_generator_v001", .portrait512), ("64_256_upsampler", .upsampler256),
      ("128_512_upsampler", .upsampler512),
    ])
  func published(name: String, config: GuidedDiffusion.Config) throws {
    let shapes = try expectPublished(name) { _ = GuidedDiffusion($0, config) }
    #expect(config.problem == nil && config.isPublished && config.learnsVariance)
    let (found, notes) = try #require(GuidedDiffusion.Config.detected(shapes))
    #expect(found == config)
    #expect(notes.count == 1 && notes[0].hasSuffix("by its size"))
  }

  @Test(
    "Every published classifier has its keys and shapes, and is known by them",
    arguments: [
      ("64x64_classifier", GuidedClassifier.Config.imagenet64),
      ("128x128_classifier", .imagenet128), ("256x256_classifier", .imagenet256),
      ("512x512_classifier", .imagenet512),
    ])
  func publishedClassifier(name: String, config: GuidedClassifier.Config) throws {
    let shapes = try expectPublished(name) { _ = GuidedClassifier($0, config) }
    #expect(config.problem == nil)
    #expect(GuidedClassifier.Config(detecting: shapes) == config)
  }

  @Test(
    "Both secondary models have their keys and shapes, and are known by them",
    arguments: [
      ("secondary_model_imagenet", SecondaryDiffusion.Config.first),
      ("secondary_model_imagenet_2", .second),
    ])
  func publishedSecondary(name: String, config: SecondaryDiffusion.Config) throws {
    let shapes = try expectPublished(name) { _ = SecondaryDiffusion($0, config) }
    #expect(SecondaryDiffusion.Config(detecting: shapes) == config)
  }

  /// Writes a network with random weights and looks at the file.
  private func recognised(
    flags: String? = nil, prefix: String = "", _ make: (Parameters) -> Void,
    _ body: (Recognition) throws -> Void
  ) throws {
    let recorder = Recorder()
    make(Parameters(recorder))
    try Fixtures.withTemporaryFile("model.safetensors") { url in
      let tensors = recorder.shapes.map {
        (prefix + $0.key, SyntheticWeights.tensor($0.key, $0.value))
      }
      try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: url)
      if let flags {
        try Data(flags.utf8).write(
          to: url.deletingLastPathComponent().appending(path: "guided-diffusion.json"))
      }
      try body(Recognition(of: openTensors(at: url)))
    }
  }

  @Test("What shapes do not tell is taken for granted and said, or told beside the file")
  func sidecar() throws {
    let config = try #require(Self.reduced["upsampler"])
    let make = { (p: Parameters) in _ = GuidedDiffusion(p, config) }
    try recognised(make) { found in
      let taken = try #require(found.config as? GuidedDiffusion.Config)
      #expect(taken.unet.headWidth == 64 && taken.size == 16 && taken.smallSize == 4)
      #expect(found.notes.count == 1 && found.notes[0].contains("guided-diffusion.json"))
      #expect(try found.fit()?.problem == nil)
    }
    let flags =
      #"{"num_heads": 4, "num_head_channels": -1, "large_size": 32, "small_size": 8,"#
      + #" "noise_schedule": "cosine", "use_new_attention_order": true, "dropout": 0.1}"#
    try recognised(flags: flags, make) { found in
      let told = try #require(found.config as? GuidedDiffusion.Config)
      #expect(told.unet.headWidth == nil && told.unet.heads == 4 && told.unet.newAttentionOrder)
      #expect(told.size == 32 && told.smallSize == 8 && told.betas == .cosine)
      #expect(found.notes == ["heads of attention, size and noise by guided-diffusion.json"])
    }
  }

  @Test("Each kind of file is known for what it is")
  func kinds() throws {
    let plain = try #require(Self.reduced["plain"])
    try recognised(prefix: "model.", { _ = GuidedDiffusion($0, plain) }) { found throws in
      #expect(found.architecture?.id == "guided-diffusion" && found.prefix == "model.")
    }
    let half = GuidedClassifier.Config(
      .init(outputs: 10, width: 32, widths: [32, 64], attention: [1]), size: 16)
    try recognised({ _ = GuidedClassifier($0, half) }) { found throws in
      #expect(found.config as? GuidedClassifier.Config == half)
      #expect(try found.fit()?.problem == nil)
    }
    let secondary = SecondaryDiffusion.Config(widths: [8, 16, 16], lowest: 4)
    try recognised({ _ = SecondaryDiffusion($0, secondary) }) { found throws in
      #expect(found.config as? SecondaryDiffusion.Config == secondary)
      #expect(try found.fit()?.problem == nil)
    }
    try recognised({ _ = LPIPS($0) }) { found throws in
      #expect(found.title == "LPIPS for VGG-16")
      #expect(try found.fit()?.problem == nil)
    }
    // GLIDE's and Karlo's read texts at every attention.
    var shapes: [String: [Int]] = [:]
    let recorder = ShapeRecorder()
    _ = GuidedDiffusion(Parameters(recorder), plain)
    shapes = recorder.shapes
    shapes["middle_block.1.encoder_kv.weight"] = [128, 16, 1]
    #expect(GuidedDiffusion.Config.detected(shapes) == nil)
  }

  @Test(
    "LPIPS's own files are known, those for VGG-16 as what they are",
    .enabled(if: Conformance.isThere, Conformance.absent), arguments: ["vgg", "alex", "squeeze"])
  func lpipsFiles(trunk: String) throws {
    let found = try Recognition(of: openTensors(at: Conformance.url("lpips/v0.1-\(trunk).pth")))
    #expect((found.architecture?.id == "lpips") == (trunk == "vgg"))
    #expect(found.title.contains("LPIPS"))
    if trunk == "vgg" { #expect(try found.fit()?.problem == nil) }
  }

  @Test("Sizes that make no network are refused")
  func problems() {
    func refused(_ change: (inout GuidedDiffusion.Config) -> Void) -> Bool {
      var config = GuidedDiffusion.Config(
        .init(width: 32, widths: [32, 64], attention: [1], headWidth: 16), size: 16)
      change(&config)
      return config.problem != nil
    }
    #expect(!refused { _ in })
    #expect(refused { $0.unet.widths = [] })
    #expect(refused { $0.unet.widths = [32, 48] })
    #expect(refused { $0.unet.attention = [2] })
    #expect(refused { $0.unet.headWidth = 24 })
    #expect(refused { ($0.unet.headWidth, $0.unet.heads) = (nil, 0) })
    #expect(refused { $0.unet.outputs = 4 })
    #expect(refused { $0.unet.blocks = 0 })
    #expect(refused { $0.size = 15 })
    #expect(refused { $0.classes = 0 })
    #expect(refused { $0.smallSize = 0 })
  }
}
