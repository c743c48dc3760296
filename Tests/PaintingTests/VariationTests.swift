import Foundation
import Imaging
import TestSupport
import Testing
import Torch

@testable import Painting

/// Pictures a little different: a second seed's noise, mixed in.
@Suite struct VariationTests {
  private static let pack = Result { try Pack(folder: TinyPack.make()) }

  private func paint(
    _ method: Method.ID, seed: Int = 3, _ strength: Double? = nil, _ other: Int? = 4
  ) async throws -> [UInt8] {
    var request = Request("red fox")
    request.method = method
    (request.width, request.height, request.iterations, request.cutouts) = (32, 32, 1, 2)
    request.seed = seed
    if method == .diffusion {
      request.iterations = 3
      request.arguments["guidance"] = .number(0)
    }
    if let strength { (request.variationSeed, request.variationStrength) = (other, strength) }
    return try await Engine(pack: Self.pack.get(), threads: 1).painted(request, .init()).bytes
  }

  private func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
  }

  @Test(
    "a small strength changes the picture a little, a larger one more, none nothing",
    arguments: ["diffusion", "fft", "pixels", "deep-daze"] as [Method.ID])
  func strengths(_ method: Method.ID) async throws {
    let plain = try await paint(method)
    #expect(try await paint(method, 0) == plain)
    let (little, much) = (try await paint(method, 0.1), try await paint(method, 0.7))
    #expect(little != plain)
    #expect(distance(little, plain) < distance(much, plain))
  }

  @Test("at full strength diffusion paints the second seed's picture")
  func full() async throws {
    #expect(try await paint(.diffusion, 1) == paint(.diffusion, seed: 4))
  }

  @Test("half way between two noises lies as much noise")
  func sphere() {
    let a = RandomStream(seed: 1, "a").normal([1, 4, 16, 16])
    let b = RandomStream(seed: 1, "b").normal([1, 4, 16, 16])
    let middle = spherical(a, b, 0.5)
    let deviation = middle.square().mean().sqrt().item()
    #expect(abs(deviation - 1) < 0.05)  // 0.71 of a straight mean
    // By hand: a quarter turn, a third of the way.
    let (x, y) = (Tensor([1, 0] as [Float]), Tensor([0, 1] as [Float]))
    let third = spherical(x, y, 1.0 / 3).floats()
    #expect(abs(third[0] - Float(3.0.squareRoot() / 2)) < 1e-6 && abs(third[1] - 0.5) < 1e-6)
    #expect(abs(spherical(x, x, 0.3).floats()[0] - 1) < 1e-6)
  }

  @Test("a variation of what does not begin from noise is refused")
  func refused() throws {
    var request = Request("red fox")
    (request.method, request.variationSeed) = (.dalle, 1)
    #expect {
      try request.validate(in: .builtIn)
    } throws: { "\($0)".contains("variationSeed is not a parameter of dalle") }
    request.method = "fft"
    #expect(throws: Never.self) { try request.validate(in: .builtIn) }
    request.initNoise = .perlin
    #expect {
      try request.validate(in: .builtIn)
    } throws: { "\($0)".contains("where painting begins from a picture") }
    (request.initNoise, request.variationSeed, request.variationStrength) = (nil, nil, 0.1)
    #expect {
      try request.validate(in: .builtIn)
    } throws: { "\($0)".contains("needs variationSeed") }
  }
}
