import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// An AttnGAN with random weights, installed from files as people have them, and painted with.
@Suite("Installed AttnGAN")
struct InstalledAttnGANTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "ModelsTests/Fixtures/attngan")

  private func installed() throws -> ModelLibrary {
    let library = try TinyLibrary.empty()
    var particulars = ModelLibrary.Particulars()
    particulars.id = "bird"
    let model = try library.add([Self.fixtures], particulars)
    #expect(model.record.kind == "attngan")
    #expect(
      model.record.files.keys.sorted() == [
        "bird_AttnGAN2.pth", "captions.pickle", "text_encoder200.pth",
      ])
    return library
  }

  private func request(
    _ prompt: String = "a red bird with a black beak", _ change: (inout Request) -> Void = { _ in }
  ) -> Request {
    var request = Request(prompt)
    (request.method, request.model) = ("attngan", "bird")
    (request.candidates, request.seed) = (2, 1)
    change(&request)
    return request
  }

  private func paint(_ request: Request, _ library: ModelLibrary) async throws -> [Event.Output] {
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), library: library, threads: 1)
    var outputs: [Event.Output] = []
    for try await event in engine.generate(request, .init()) {
      if case .image(let image) = event { outputs.append(image) }
    }
    return outputs
  }

  @Test("a folder of published files paints at all its sizes, the same again")
  func sizes() async throws {
    let library = try installed()
    let first = try #require(try await paint(request(), library).first)
    #expect(first.picture.width == 256)
    #expect(first.metadata.resampling == nil)
    #expect(first.attention == nil)
    #expect(try await paint(request(), library).first?.picture == first.picture)
    for side in [64, 128] {
      let small = try await paint(request { ($0.width, $0.height) = (side, side) }, library)
      #expect(small.first?.metadata.resampling == nil, "the network's own \(side) pixels")
      #expect(small.first?.picture.width == side)
    }
    let calm = try await paint(request { $0.arguments["truncation"] = .number(0) }, library)
    #expect(calm.first?.picture != first.picture)
  }

  @Test("two candidates differ, and a second seed's noise is mixed in")
  func candidates() async throws {
    let library = try installed()
    let one = try #require(try await paint(request { $0.rank = 1 }, library).first)
    let two = try #require(try await paint(request { $0.rank = 2 }, library).first)
    #expect(one.picture != two.picture)
    let varied = try await paint(
      request { ($0.variationSeed, $0.variationStrength, $0.rank) = (5, 0.4, 1) }, library)
    #expect(varied.first?.picture != one.picture)
  }

  @Test("where each word was looked at is shown on a sheet")
  func attention() async throws {
    let library = try installed()
    let painted = try await paint(
      request { $0.arguments["attention"] = .bool(true) }, library)
    let sheet = try #require(painted.first?.attention)
    // The picture and seven words, three in a row.
    #expect(sheet.width == 3 * (256 + 8) + 8)
    let plain = try await paint(request(), library)
    #expect(plain.first?.picture == painted.first?.picture)
  }

  @Test("words that the dictionary lacks are told, and a text of nothing else is refused")
  func unknownWords() async throws {
    let library = try installed()
    let resolver = Resolver(pack: try Pack(folder: TinyPack.make()), library: library)
    let remarks = try resolver.remarks(on: request("A Red zeppelin, with a beak and a Zeppelin"))
    let words = remarks.filter { $0.text.contains("The dictionary of bird lacks") }
    #expect(words.count == 1)
    #expect(words.first?.text.contains("lacks 'zeppelin': it is not read") == true)
    #expect(try !resolver.remarks(on: request()).contains { $0.text.contains("dictionary") })
    let error = await #expect(throws: RequestError.self) {
      try await paint(request("zeppelins"), library)
    }
    #expect(error?.description.contains("no word that this AttnGAN knows") == true)
    // What is not read changes nothing.
    let plain = try await paint(request("red bird"), library)
    let more = try await paint(request("red zeppelin bird"), library)
    #expect(plain.first?.picture == more.first?.picture)
  }

  @Test("what it cannot do is refused with the reason")
  func refused() throws {
    let resolver = Resolver(pack: try Pack(folder: TinyPack.make()), library: try installed())
    for prompt in ["a | b", "red:-1"] {
      #expect(throws: RequestError.self) {
        try resolver.resolve(request(prompt), device: .cpu)
      }
    }
    #expect(throws: RequestError.self) {
      try resolver.resolve(request { ($0.width, $0.height) = (64, 128) }, device: .cpu)
    }
    // A model that draws in no other method leads auto there.
    #expect(
      try resolver.choice(for: request { $0.method = .auto }).method.id == "attngan")
  }

  @Test("a generator without its text encoder, or without its dictionary, says what is missing")
  func incomplete() async throws {
    for (left, words) in [
      ("text_encoder200.pth", "without its text encoder"),
      ("captions.pickle", "without its dictionary"),
    ] {
      let folder = try ScratchFolder.make("attngan").appending(path: "bird")
      try FileManager.default.copyItem(at: Self.fixtures, to: folder)
      try FileManager.default.removeItem(at: folder.appending(path: left))
      let library = try TinyLibrary.empty()
      _ = try library.add([folder])
      let error = await #expect(throws: StoreError.self) { try await paint(request(), library) }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test("a dictionary of more words than its network knows is refused, and so is one alone")
  func dictionaries() throws {
    let library = try TinyLibrary.empty()
    let folder = try ScratchFolder.make("attngan")
    let small = try TinyLibrary.file("text") {
      AttnGANText($0, .init(words: 9, inputs: 6, width: 8))
    }
    try FileManager.default.copyItem(
      at: Self.fixtures.appending(path: "captions.pickle"),
      to: folder.appending(path: "captions.pickle"))
    let dictionary = folder.appending(path: "captions.pickle")
    let error = #expect(throws: StoreError.self) { try library.add([small, dictionary]) }
    #expect(error?.description.contains("numbered up to 16, and text.safetensors knows 9") == true)
    let alone = #expect(throws: StoreError.self) { try library.add([dictionary]) }
    #expect(alone?.description.contains("together with its networks") == true)
  }

  @Test("films go from text to text and from seed to seed, ending where the pictures are")
  func films() async throws {
    let library = try installed()
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), library: library, threads: 1)
    var film = Film(.morph)
    film.frames = 3
    for (prompt, seeds) in [("a red bird ^ a small yellow bird", []), ("a red bird", [1, 2])] {
      film.seeds = seeds
      let request = request(prompt) { ($0.width, $0.height) = (64, 64) }
      let run = try RunFolder(
        creating: ScratchFolder.make("film").appending(path: "a.run"),
        .init(
          request: request, count: 1, film: film, pack: nil,
          packEdition: .init(id: "tiny", version: "0.0.1"), device: "cpu", threads: 1,
          previewEvery: nil, output: nil, folder: "."), files: Attachments())
      for try await _ in engine.generate(request, .init(run: run, film: film)) {}
      #expect(run.frameCount == 4)
      let frames = try (1...4).map { try Picture.read(from: run.frame($0).path) }
      #expect(frames[0] != frames[1] && frames[2] != frames[3])
      let still = try #require(
        try await paint(
          self.request(seeds.isEmpty ? "a red bird" : prompt) {
            ($0.width, $0.height, $0.candidates) = (64, 64, 1)
          }, library
        ).first)
      #expect(frames[0] == still.picture)
      let end = try #require(
        try await paint(
          self.request(seeds.isEmpty ? "a small yellow bird" : prompt) {
            ($0.width, $0.height, $0.candidates) = (64, 64, 1)
            $0.seed = seeds.last ?? $0.seed
          }, library
        ).first)
      #expect(
        zip(frames[3].bytes, end.picture.bytes).allSatisfy { abs(Int($0.0) - Int($0.1)) <= 1 })
    }
  }

  @Test("as a drawer, noise and condition are moved under CLIP")
  func drawer() async throws {
    let library = try installed()
    func painted(_ iterations: Int) async throws -> Event.Output {
      try #require(
        try await paint(
          request {
            ($0.method, $0.candidates, $0.iterations, $0.cutouts) = (
              "attngan-clip", nil, iterations, 2
            )
            ($0.width, $0.height, $0.learningRate) = (64, 32, 0.3)
          }, library
        ).first)
    }
    let (first, last) = (try await painted(1), try await painted(4))
    #expect(first.picture.width == 64 && first.picture.height == 32)
    #expect(first.picture != last.picture)
  }
}
