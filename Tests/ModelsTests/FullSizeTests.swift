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
    if: Fixtures.exists(Fixtures.oracle.appendingPathComponent("full")),
    "needs .oracle/full: run Tests/ModelsTests/Oracle/full.py"))
struct FullSizeTests {
  private func file(_ name: String) throws -> URL {
    let url = Fixtures.oracle.appendingPathComponent("full/\(name).safetensors")
    try #require(Fixtures.exists(url), "\(url.path) is missing; run Oracle/full.py again")
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
    _ actual: Tensor, _ expected: Tensor, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let cosine = cosine(actual, expected)
    #expect(cosine >= 0.999, "\(name): cosine \(cosine)", sourceLocation: sourceLocation)
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
    let gradient = gradient(of: (image * (try oracle.tensor("probe"))).mean(), at: [z])[0]
    for (name, actual) in [("latents", latents), ("image", image), ("gradient", gradient)] {
      let expected = try oracle.tensor(name)
      reduced ? expectAligned(actual, expected, name) : expectSame(actual, expected, name)
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
