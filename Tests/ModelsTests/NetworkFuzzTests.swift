import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Files of diffusion networks and priors as chance and malice leave them; see `Mutator`.
@Suite("Fuzzing the networks' files", .serialized)
struct NetworkFuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 100
  private static let first = environment["REVERIE_FUZZ_FIRST"].flatMap { Int($0) } ?? 0

  private static let unet = UNet.Config(width: 32, widths: [64], blocks: 1, attention: [0])

  /// What the file of a network holds, by what it is called here.
  private static let networks: [String: @Sendable (Parameters) -> Void] = [
    "guided-diffusion": { _ = GuidedDiffusion($0, .init(unet, size: 32, classes: 2)) },
    "secondary": { _ = SecondaryDiffusion($0, .init(widths: [8, 16], lowest: 2)) },
    "lpips": { _ = LPIPS($0, .init(widths: [4, 4, 4, 4, 4])) },
    "prior": {
      _ = UnCLIPPrior(
        $0, .init(text_ctx: 2, xf_width: 64, xf_layers: 1, xf_heads: 1, clip_dim: 4, text_dim: 4))
    },
    "laion": {
      _ = DiffusionPrior(
        $0, .init(dim: 8, depth: 1, heads: 2, dim_head: 4, inner: 8, max_text_len: 4))
    },
    "decoder": {
      var told = unet
      told.context = 8
      _ = UnCLIPDecoder($0, .init(told, size: 8, clip_dim: 4))
    },
    "glide": {
      var told = unet
      told.context = 64
      _ = GLIDE(
        $0,
        .init(told, size: 8, n_vocab: 4, text_ctx: 2, xf_width: 64, xf_layers: 1, xf_heads: 1))
    },
  ]

  /// Opens what a file holds, as far as it is sound.
  /// - Returns: whether a network was recognised.
  private func open(_ url: URL) throws -> Bool {
    let found = try Recognition(of: openTensors(at: url))
    guard let architecture = found.architecture, let config = found.config else { return false }
    if try found.fit()?.problem == nil {
      _ = try architecture.build(config, from: found.checkpoint(), .float32, device: .cpu)
    }
    return true
  }

  @Test(
    "damaged files are told, refused with a typed error, or built",
    arguments: networks.keys.sorted())
  func mutations(name: String) throws {
    let source = Recorder()
    let make = try #require(Self.networks[name])
    make(Parameters(source))
    let folder = try ScratchFolder.make("fuzz")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "\(name).safetensors")
    try SafeTensors.write(source.weights, to: url)
    let original = [UInt8](try Data(contentsOf: url))
    var recognised = 0
    for number in Self.first..<Self.first + Self.count {
      var mutator = Mutator(number)
      try mutator.damage(original).write(to: url)
      do {
        if try open(url) { recognised += 1 }
      } catch is WeightsError {
      } catch is TorchError {
      }
    }
    // A fuzzer whose every file is refused at the door tests the door only.
    #expect(recognised * 50 > Self.count, "only \(recognised) files were recognised")
  }
}
