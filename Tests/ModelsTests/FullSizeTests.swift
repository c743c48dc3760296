import Foundation
import Testing
import Torch
import Weights

@testable import Models

/// The published sizes with random weights, against clip-anytorch and diffusers, by
/// `Oracle/full.py`; part of `script/test --full`.
@Suite(
  "Full size", .serialized,
  .enabled(
    if: ProcessInfo.processInfo.environment["REVERIE_FULL"] != nil,
    "takes a minute and 2 GB: run script/test --full"))
struct FullSizeTests {
  private func file(_ name: String) throws -> URL {
    let url = Fixtures.oracle.appendingPathComponent("full/\(name).safetensors")
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

  @Test("ViT-B/32 agrees in float32 and keeps its direction in bfloat16", arguments: [false, true])
  func clip(reduced: Bool) throws {
    let oracle = try SafeTensors(contentsOf: file("ViT-B-32.oracle"))
    let checkpoint = try Checkpoint(contentsOf: file("ViT-B-32"), layouts: CLIP.layouts)
    let config = try CLIP.Config(detecting: checkpoint.shapes)
    #expect(config == .vitB32)
    let clip = try checkpoint.build(reduced ? .bfloat16 : .float32, leftovers: CLIP.leftovers) {
      CLIP($0, config)
    }
    let pixels = try oracle.tensor("pixels").variable()
    let image = clip.encodeImage(pixels)
    let text = clip.encodeText(try oracle.tensor("tokens"))
    let similarity = (image.normalized() * text[0..<2].normalized()).sum()
    let gradient = gradient(of: similarity, at: [pixels])[0]
    for (name, actual) in [("image", image), ("text", text), ("gradient", gradient)] {
      let expected = try oracle.tensor(name)
      reduced ? expectAligned(actual, expected, name) : expectSame(actual, expected, name)
    }
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
}
