import Diffusion
import Foundation
import Imaging
import Models
import TestSupport
import Testing
import Torch

@testable import Painting

/// What single originals can do beside the common: noisy prompts, likeness, stories, schedules of views,
/// the decoder's own noise, and pictures that are wider than a network knows them.
@Suite struct OriginalWishesTests {
  private static let pack = Result { try Pack(folder: TinyPack.make()) }

  private func paint(_ method: Method.ID, _ change: (inout Request) -> Void) async throws
    -> [UInt8]
  {
    var request = Request("red fox")
    request.method = method
    (request.width, request.height, request.seed) = (32, 32, 3)
    (request.iterations, request.cutouts) = (3, 4)
    change(&request)
    return try await Engine(pack: Self.pack.get(), library: TinyLibrary.make(), threads: 1)
      .painted(request, .init()).bytes
  }

  @Test("a fuzzy prompt is wanted as 25 noisy copies, the more the noise the more it changes")
  func fuzzy() async throws {
    let plain = try await paint("fft") { _ in }
    #expect(try await paint("fft") { $0.fuzziness = 0 } == plain)
    let fuzzy = try await paint("fft") { $0.fuzziness = 0.05 }
    #expect(fuzzy != plain)
    #expect(try await paint("fft") { $0.fuzziness = 0.05 } == fuzzy)
    let fuzzier = try await paint("fft") { $0.fuzziness = 5 }
    func distance(_ a: [UInt8]) -> Int {
      zip(a, plain).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    }
    #expect(distance(fuzzy) < distance(fuzzier))
  }

  @Test("likeness is half the squared angle between rows, as pixray measures it")
  func likeness() throws {
    let objective = LikenessObjective(pictures: [
      Tensor.ones([1, 3, 2, 2]), Tensor.zeros([1, 3, 2, 2]),
    ])
    // Latents by hand: rows (1, 0) and (0, 1) of the two pictures, the mean of both at 45 degrees.
    let latent = Tensor([1, 0] as [Float], [1, 1, 1, 2])
    let observation = Observation(
      picture: Tensor.ones([1, 3, 2, 2]), latent: latent,
      latentOf: { Tensor(($0.mean().item() > 0.5 ? [3, 0] : [0, 5]) as [Float], [1, 1, 1, 2]) })
    let angle = Double.pi / 4
    let loss = try #require(objective.loss(observation)).item()
    #expect(abs(loss - angle * angle / 2) < 1e-4)
  }

  @Test(
    "a story is told in windows that grow and slide over its words",
    arguments: [
      ([2.0], ["a b", "a b c d", "a b c d e"]), ([2, 1, 3], ["a b", "a b c", "b c d", "c d e"]),
      ([5, 5], ["a b c d e"]), ([9], ["a b c d e"]),
    ])
  func story(_ words: [Double], _ scenes: [String]) throws {
    var request = Request("a b\n c  d e")
    request.storyWords = words
    #expect(try request.scenes().map { $0.compactMap(\.text) } == scenes.map { [$0] })
    request.prompt = "a b | c"
    #expect(throws: RequestError.self) { try request.scenes() }
  }

  @Test("the cut power and the share of whole views follow their schedules")
  func schedules() async throws {
    let plain = try await paint("fft") { $0.cutMode = .original }
    #expect(try await paint("fft") { ($0.cutMode, $0.cutPower) = (.original, 1) } == plain)
    func power(_ text: String) async throws -> [UInt8] {
      try await paint("fft") {
        ($0.width, $0.height, $0.cutMode) = (64, 64, .original)
        $0.cutPower = Schedule(text)
      }
    }
    #expect(try await power("1*1,5*1") != power("1"))
    #expect(try await power("1*3,5*1") == power("1"))
    let half = try await paint("fft") { $0.cutWhole = 0.5 }
    #expect(try await paint("fft") { _ in } == half)
    #expect(try await paint("fft") { $0.cutWhole = Schedule("0.5*1,1*1") } != half)
  }

  @Test("the dVAE's own noise is drawn from Laplace distributions, and changes the painting")
  func noise() async throws {
    let config = DVAE.Config(n_hid: 8, vocab_size: 24, n_init: 16)
    let decoder = DVAEDecoder(Parameters(Initializer(seed: 1)), config)
    let codes = RandomStream(seed: 2, "codes").uniform([1, 24, 2, 2]).softmax(over: 1)
    let middle = decoder(codes)
    // The median is the middle, and without a scale so is all.
    let median = decoder.sampled(codes, scale: 1) { Tensor.full($0, 0.5) }
    #expect((median - middle).abs().sum().item() < 1e-5)
    let none = decoder.sampled(codes, scale: 0) { Tensor.full($0, 0.9) }
    #expect((none - middle).abs().sum().item() < 1e-5)
    let (low, high) = (
      decoder.sampled(codes, scale: 1) { Tensor.full($0, 0.25) },
      decoder.sampled(codes, scale: 1) { Tensor.full($0, 0.75) }
    )
    #expect(low.mean().item() < middle.mean().item() && middle.mean().item() < high.mean().item())
    // Codes hardly change in a few steps; what CLIP sees does.
    func losses(_ noise: Double) async throws -> [Double?] {
      var request = Request("red fox")
      (request.method, request.width, request.height, request.seed) = ("dvae-clip", 32, 32, 3)
      (request.iterations, request.cutouts) = (2, 4)
      request.arguments["noise"] = .number(noise)
      return try await Engine(pack: Self.pack.get(), library: TinyLibrary.make(), threads: 1)
        .painted(request, .init()).losses
    }
    #expect(try await losses(1) != losses(0))
  }

  /// Finds everywhere the mean of what it is shown.
  private struct Mean: Denoiser {
    func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws -> Denoised {
      let found = NetworkDenoiser<Void>(.v) { x, _ in x * 0 + x.mean() }
      return try found(x, at: level)
    }
  }

  @Test(
    "of a wide picture the square is found by itself, and what is beside it goes on from there")
  func composed() throws {
    let x = Tensor([1, 2, 3, 4, 5, 6, 7, 20] as [Float], [1, 1, 2, 4])
    for t in [0.8, 0.1] {
      let level = NoiseLevel(t: t)
      let alone = try Mean()(x.narrowed(3, 1, 2), at: level).x0
      let whole = try Mean()(x, at: level).x0
      let found = try ComposedDenoiser(base: Mean(), side: 2)(x, at: level)
      #expect((found.x0.narrowed(3, 1, 2) - alone).abs().sum().item() == 0)
      for (column, edge) in [(0, 0), (3, 1)] {
        let wanted = t > 0.5 ? alone.narrowed(3, edge, 1) : whole.narrowed(3, column, 1)
        #expect((found.x0.narrowed(3, column, 1) - wanted).abs().sum().item() == 0)
      }
      // The noise is what is left.
      let sum = found.x0 * level.alpha + found.eps * level.sigma
      #expect((sum - x).abs().sum().item() < 1e-4)
      let high = try ComposedDenoiser(base: Mean(), side: 2)(x.transposed(2, 3), at: level)
      #expect((high.x0.transposed(2, 3) - found.x0).abs().sum().item() < 1e-5)
    }
  }

  @Test(
    "a wide picture of diffusion is as high as its network knows pictures, and composed in a square"
  )
  func wide() async throws {
    let resolver = try TinyPack.resolver(Self.pack.get())
    var request = Request("red fox")
    (request.method, request.width, request.height) = (.diffusion, 128, 64)
    let resolved = try resolver.resolve(request, device: .cpu)
    let size = try resolver.paintedSize(resolved)
    #expect(size.height == 32 && size.width == 64)
    request.width = 4096
    request.height = 16
    #expect(try resolver.paintedSize(resolver.resolve(request, device: .cpu)).height == 32)
  }

  @Test("values with line ends of any kind stand quoted in the infotext")
  func infotext() throws {
    let metadata = Metadata(
      request: Request("fox"), pack: .init(id: "a", version: "1\r\n\"2\""), device: "cpu",
      precision: "float32", threads: 1, libtorch: "2", painted: .init(width: 1, height: 1),
      resampling: nil)
    #expect(metadata.infotext.contains(#"Model: "a 1\r\n\"2\""#))
  }
}
