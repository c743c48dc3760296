import Foundation
import Library
import Models
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// Which networks are kept from painting to painting.
@Suite struct ModelProviderTests {
  private let pack: Pack
  /// `small` and `large`, two VQGANs, and how many weights each has.
  private let library: ModelLibrary
  private var weights: [String: Int] = [:]

  init() throws {
    pack = try Pack(folder: TinyPack.make(dalle: false))
    let folder = try ScratchFolder.make("provider")
    library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    for (id, codes) in [("small", 40), ("large", 4000)] {
      let source = Initializer(seed: 3)
      let config = VQGAN.Config(
        ch: 32, ch_mult: [1, 2], num_res_blocks: 1, attn_levels: [1], z_channels: 16, embed_dim: 16,
        n_embed: codes)
      _ = VQGAN(Parameters(source), config)
      let url = folder.appending(path: "\(id).safetensors")
      let tensors = source.parameters.map { ($0.key, $0.tensor.detached()) }
      try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: url)
      weights[id] = source.parameters.reduce(0) { $0 + $1.tensor.count }
      _ = try library.add([url])
    }
  }

  /// Bytes of a network in float32.
  private func bytes(_ id: String) throws -> Int { 4 * (try #require(weights[id])) }

  private func provider(budget: Int) -> ModelProvider {
    ModelProvider(pack: pack, library: library, cache: nil, device: .cpu, budget: budget)
  }

  private func vqgan(_ id: String, _ provider: ModelProvider) throws {
    _ = try provider.installed(VQGAN.self, of: id, .float32)
  }

  @Test("a network is loaded once, and takes as much as its weights do")
  func once() throws {
    let provider = provider(budget: .max)
    provider.begin()
    try vqgan("small", provider)
    #expect(try provider.bytes == bytes("small"))
    // From now on nothing can be loaded.
    try library.store.remove("small")
    try vqgan("small", provider)
    provider.begin()
    try vqgan("small", provider)
    #expect(try provider.bytes == bytes("small"))
    #expect(throws: StoreError.self) {
      try provider.installed(VQGAN.self, of: "small", .bfloat16)
    }
    provider.release(VQGAN.self, of: "small")
    #expect(provider.bytes == 0)
    #expect(throws: StoreError.self) { try vqgan("small", provider) }
  }

  @Test("each compute type is a network of its own")
  func types() throws {
    let provider = provider(budget: .max)
    provider.begin()
    try vqgan("small", provider)
    _ = try provider.installed(VQGAN.self, of: "small", .bfloat16)
    #expect(try provider.bytes == bytes("small") * 3 / 2)
  }

  @Test("where there is room for one, the next painting's network takes the last one's place")
  func budget() throws {
    let provider = provider(budget: try bytes("large"))
    for id in ["small", "large", "small"] {
      provider.begin()
      try vqgan(id, provider)
      #expect(try provider.bytes == bytes(id), "\(id)")
    }
    let roomy = self.provider(budget: try bytes("small") + bytes("large"))
    for id in ["small", "large"] {
      roomy.begin()
      try vqgan(id, roomy)
    }
    #expect(try roomy.bytes == bytes("small") + bytes("large"))
  }

  @Test("what the present painting uses stays, however little room there is")
  func present() throws {
    let provider = provider(budget: 0)
    provider.begin()
    try vqgan("small", provider)
    try vqgan("large", provider)
    #expect(try provider.bytes == bytes("small") + bytes("large"))
    // Used again, it belongs to the next painting, too.
    provider.begin()
    try vqgan("small", provider)
    _ = try provider.own(CLIP.self, .float32)
    try library.store.remove("small")
    try library.store.remove("large")
    try vqgan("small", provider)
    #expect(throws: StoreError.self) { try vqgan("large", provider) }
  }

  @Test("what has not been used for longest is released first, and no more than is needed")
  func longest() throws {
    let room = try bytes("small") + bytes("large")
    let provider = provider(budget: room)
    for id in ["large", "small"] {
      provider.begin()
      try vqgan(id, provider)
    }
    provider.begin()
    _ = try provider.own(CLIP.self, .float32)
    try library.store.remove("small")
    try library.store.remove("large")
    try vqgan("small", provider)
    #expect(throws: StoreError.self) { try vqgan("large", provider) }
    #expect(try (bytes("small")..<room).contains(provider.bytes))
  }

  @Test("an engine keeps what it has room for from picture to picture")
  func engine() async throws {
    func kept(_ models: [String?], memory: Int) async throws -> Int {
      let engine = Engine(pack: pack, library: library, threads: 1, memory: memory)
      for model in models {
        var request = Request("red fox")
        request.method = model == nil ? .pixels : .vqganCLIP
        request.model = model
        (request.width, request.height, request.seed) = (32, 32, 1)
        (request.iterations, request.cutouts, request.precision) = (1, 1, .float32)
        _ = try await engine.picture(of: request)
      }
      return await engine.networkBytes
    }
    let clip = try await kept([nil], memory: .max)
    #expect(clip > 0)
    let (small, large) = (try bytes("small"), try bytes("large"))
    #expect(try await kept(["small", "large"], memory: .max) == clip + small + large)
    #expect(try await kept(["small", "large"], memory: 0) == clip + large)
    #expect(try await kept(["small", "small"], memory: 0) == clip + small)
  }
}
