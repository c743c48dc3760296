import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Real networks of strangers against what their makers' code gives.
@Suite("Networks of others", .enabled(if: Conformance.isThere, Conformance.absent))
struct ConformanceTests {
  /// Scores of the mean embeddings of pictures that people rated 0 to 9.
  @Test(
    "aesthetic heads score as their authors' code does",
    arguments: [
      (
        "sac_public_2022_06_29_vit_l_14_linear", "vit_l_14",
        [-3.474, -1.880, -0.300, 1.045, 2.428, 3.609, 4.517, 5.230, 5.796, 6.250]
      ),
      (
        "sa_0_4_vit_l_14_linear", "vit_l_14",
        [-2.4579, -0.1379, 1.8951, 3.5849, 5.0997, 6.4701, 7.7870, 9.0480, 10.2264, 11.3044]
      ),
      (
        "sa_0_4_vit_b_32_linear", "vit_b_32",
        [-1.4700, 0.2728, 1.9900, 3.6114, 5.0874, 6.3926, 7.6682, 8.9155, 9.9166, 11.0056]
      ),
      (
        "sac+logos+ava1-l14-linearMSE", "vit_l_14",
        [1.6555, 2.3593, 3.0698, 3.6725, 4.2380, 4.7010, 5.0731, 5.3654, 5.5767, 5.7468]
      ),
      (
        "ava+logos-l14-linearMSE", "vit_l_14",
        [4.5126, 4.4763, 4.4919, 4.5959, 4.7054, 4.8433, 5.0039, 5.1479, 5.2309, 5.2664]
      ),
      (
        "ava+logos-l14-reluMSE", "vit_l_14",
        [4.3717, 4.1921, 4.0485, 4.0125, 3.9895, 4.0178, 4.1026, 4.2082, 4.2704, 4.3083]
      ),
    ])
  func heads(name: String, clip: String, scores: [Double]) throws {
    let file = try openTensors(at: Conformance.url("heads/\(name).pth"))
    let found = try Recognition(of: file)
    #expect(try found.fit()?.problem == nil)
    let head = try #require(try found.network(AestheticHead.self, nil, .float32, device: .cpu))
    let embeddings = try (0...9).flatMap {
      try Self.array(Conformance.url("heads/\(clip)_embeddings/rating\($0).npy"))
    }
    let rows = Tensor(embeddings, [10, embeddings.count / 10])
    let unit = rows / rows.square().sum(over: [1], keepDims: true).sqrt()
    let given = head(unit).floats()
    let digits = name.hasPrefix("sac_public") ? 6e-4 : 6e-5
    for (score, right) in zip(given, scores) { #expect(abs(Double(score) - right) <= digits) }
  }

  /// The floats of a NumPy file: a magic number, the length of a header, the header, the elements.
  private static func array(_ url: URL) throws -> [Float] {
    let data = try Data(contentsOf: url)
    let length = Int(data[8]) | Int(data[9]) << 8
    let header = String(decoding: data[10..<(10 + length)], as: UTF8.self)
    let body = data.dropFirst(10 + length)
    return body.withUnsafeBytes { bytes in
      header.contains("<f2")
        ? (0..<bytes.count / 2).map {
          Float(Float16(bitPattern: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
        }
        : (0..<bytes.count / 4).map {
          bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)
        }
    }
  }

  @Test(
    "the compact network of Real-ESRGAN enlarges as its makers' code does",
    // The second holds in whole precision what the first had in half.
    arguments: [
      ("esrgan/realesr-animevideov3-x4.pth", 1e-4), ("zip-deflated/realesr-animevideov3.pth", 4e-3),
    ])
  func compact(path: String, tolerance: Double) throws {
    let found = try Recognition(of: openTensors(at: Conformance.url(path)))
    #expect(found.config as? SRVGGNetCompact.Config == .animeVideo)
    #expect(try found.fit()?.problem == nil)
    let model = try #require(
      try found.network(SRVGGNetCompact.self, nil, .float32, device: .cpu))
    let outputs = try SafeTensors(
      contentsOf: Conformance.url("esrgan/expected-outputs.safetensors"))
    let large = model(try outputs.tensor("input"))
    let right = try outputs.tensor("realesr-animevideov3-x4")
    #expect((large - right).abs().amax().item() < tolerance)
  }
}
