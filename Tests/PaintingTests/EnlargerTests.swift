import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

@Suite struct EnlargerTests {
  private let picture: Picture = {
    let noise = RandomStream(seed: 4, "picture").uniform([1, 3, 13, 21])
    guard let picture = try? Picture(noise) else { preconditionFailure("noise is a picture") }
    return picture
  }()

  private func network(scale: Int) -> RRDBNet {
    RRDBNet(
      Parameters(Initializer(seed: 3)),
      .init(scale: scale, num_feat: 8, num_block: 1, num_grow_ch: 4))
  }

  @Test("pieces that see enough around them give what the whole does", arguments: [2, 4])
  func pieces(_ scale: Int) {
    let x = picture.tensor()
    let whole = Enlarger(model: network(scale: scale), device: .cpu).enlarged(x)
    #expect(whole.shape == [1, 3, 13 * scale, 21 * scale])
    // A block of three times five convolutions sees fifteen pixels, of two when folded.
    var parts = Enlarger(model: network(scale: scale), device: .cpu)
    parts.piece = (side: 4, margin: 64)
    expectClose(parts.enlarged(x), whole, atol: 1e-5)
  }

  @Test("what can be seen through stays so")
  func transparent() throws {
    let clear = try Picture(
      width: 8, height: 8, color: Color(red: 200, green: 0, blue: 0, alpha: 0))
    let large = try Enlarger(model: network(scale: 2), device: .cpu)(clear)
    #expect(large.width == 16 && large.channels == 4)
    #expect(stride(from: 3, to: large.bytes.count, by: 4).allSatisfy { large.bytes[$0] == 0 })
  }

  @Test("a pack's network enlarges what its codes drew, and pictures that are handed in")
  func engine() async throws {
    let engine = Engine(
      pack: try Pack(folder: TinyPack.make(upscaler: true)), cache: nil, threads: 1)
    var request = Request("red fox")
    (request.method, request.width, request.height) = (.dalle, 96, 96)
    (request.candidates, request.seed) = (2, 1)
    for try await event in engine.generate(request) {
      guard case .image(let output) = event else { continue }
      #expect(output.picture.width == 96)
      #expect(output.metadata.resampling == "upscaler")
    }
    let large = try await engine.enlarge(picture, by: 3)
    #expect(large.width == 63 && large.height == 39)
    await #expect(throws: RequestError.self) { try await engine.enlarge(picture, by: 17) }
    let without = Engine(
      pack: try Pack(folder: TinyPack.make()),
      library: .init(
        store: .init(
          folder: try ScratchFolder.make("models"))), cache: nil, threads: 1)
    await #expect(throws: StoreError.self) { try await without.enlarge(picture, by: 2) }
  }

  @Test(
    "of two networks that differ in how much noise they remove, the mix that was asked for enlarges"
  )
  func denoise() async throws {
    let folder = try ScratchFolder.make("denoise")
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    let config = SRVGGNetCompact.Config(upscale: 2, num_feat: 8, num_conv: 2)
    func weights(_ seed: UInt64) -> [String: Tensor] {
      let source = Initializer(seed: seed)
      _ = SRVGGNetCompact(Parameters(source), config)
      return Dictionary(
        uniqueKeysWithValues: source.parameters.map { ($0.key, $0.tensor.detached()) })
    }
    func add(_ id: String, _ tensors: [String: Tensor]) throws {
      let url = folder.appending(path: "\(id).safetensors")
      try SafeTensors.write(tensors, to: url)
      var particulars = ModelLibrary.Particulars()
      particulars.id = id
      #expect(try library.add([url], particulars).record.kind == "upscaler")
    }
    let (clean, noisy) = (weights(1), weights(2))
    try add("tiny-x2v3", clean)
    try add("tiny-wdn-x2v3", noisy)
    try add("mixed", clean.merging(noisy) { $0 * 0.3 + $1 * 0.7 })
    try add("alone-x2", clean)
    let engine = Engine(
      pack: try Pack(folder: TinyPack.make()), library: library, cache: nil, threads: 1)
    func large(_ model: String, _ denoise: Double?) async throws -> Tensor {
      try await engine.enlarge(picture, by: 2, model: model, denoise: denoise).tensor()
    }
    // The last digits of bfloat16, where that is how the machine computes.
    let close = 0.02
    let mixed = try await large("mixed", nil)
    for id in ["tiny-x2v3", "tiny-wdn-x2v3"] {
      expectClose(try await large(id, 0.3), mixed, atol: close)
      expectClose(try await large(id, 1), try await large("tiny-x2v3", nil), atol: close)
      expectClose(try await large(id, 0), try await large("tiny-wdn-x2v3", nil), atol: close)
      let distance = (try await large(id, nil) - mixed).abs().amax().item()
      #expect(distance > 2 * close, "\(distance)")
    }
    for (id, word) in [("alone-x2", "alone-wdn-x2"), ("mixed", "denoise")] {
      await #expect {
        _ = try await large(id, 0.5)
      } throws: {
        "\($0)".contains(word)
      }
    }
  }

  @Test("what a file tells of its enlargement must be possible", arguments: [0, -1, Int.max])
  func impossible(_ scale: Int) throws {
    var metadata = Metadata(
      request: Request("a fox"), pack: .init(id: "tiny", version: "0"), device: "cpu",
      precision: "float32", threads: 1, libtorch: "0", painted: .init(width: 16, height: 16),
      resampling: nil)
    metadata.enlarged = 4
    #expect(try Metadata(json: metadata.json()).enlarged == 4)
    metadata.enlarged = scale
    #expect(throws: RequestError.self) { try Metadata(json: metadata.json()) }
  }

  @Test("a picture is described by the nearest of the phrases")
  func describe() async throws {
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), cache: nil, threads: 1)
    let found = try await engine.describe(picture, count: 1)
    #expect(found.things.count == 1)
    #expect(["a red fox", "a fox"].contains(found.things[0].phrase))
    #expect(found.caption.contains(found.things[0].phrase))
    let own = try await engine.describe(picture, from: PhraseBook(things: ["red"]))
    #expect(own.caption == "red")
    await #expect(throws: RequestError.self) {
      try await engine.describe(picture, from: PhraseBook(things: []))
    }
  }
}
