import Foundation
import Imaging
import Library
import TestSupport
import Testing
import Torch
import Weights

@testable import Models
@testable import Painting

/// DALL·E minis with random weights, installed from files as people have them, and painted with.
@Suite("Installed DALL·E")
struct InstalledDALLETests {
  /// Its pictures are 16 times as large as its grid of codes, as those of the published one.
  private static func vqgan(_ codes: Int) -> VQGAN.Config {
    VQGAN.Config(
      ch: 32, ch_mult: [1, 1, 1, 1, 1], num_res_blocks: 1, attn_levels: [], z_channels: 8,
      embed_dim: 8, n_embed: codes, unitRange: true)
  }

  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "ModelsTests/Fixtures")

  /// A folder with the files of a fixture, a vocabulary and what else is given.
  private func folder(
    _ fixture: String, detokenizer codes: Int? = nil, _ texts: [String: String] = [:]
  ) throws -> URL {
    let folder = try ScratchFolder.make("dalle").appending(path: fixture)
    try FileManager.default.copyItem(at: Self.fixtures.appending(path: fixture), to: folder)
    let vocabulary = [
      "<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "Ġ": 4, "f": 5, "o": 6, "x": 7, "ox": 8,
      "Ġf": 9, "r": 10, "e": 11, "d": 12,
    ]
    try JSONEncoder().encode(vocabulary).write(to: folder.appending(path: "vocab.json"))
    let merges = "#version: 0.2\no x\nĠ f\n"
    for (name, text) in texts.merging(["merges.txt": merges], uniquingKeysWith: { $1 }) {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }
    if let codes {
      let file = try TinyLibrary.file("detoker") { VQGANDetokenizer($0, Self.vqgan(codes)) }
      try FileManager.default.copyItem(at: file, to: folder.appending(path: "detoker.pt"))
    }
    return folder
  }

  private func add(_ folder: URL, _ id: String, to library: ModelLibrary) throws {
    var particulars = ModelLibrary.Particulars()
    particulars.id = id
    #expect(try library.add([folder], particulars).record.kind == "dalle")
  }

  private func request(_ model: String?, _ prompt: String = "a red fox") -> Request {
    var request = Request(prompt)
    (request.method, request.model) = ("dalle", model)
    (request.candidates, request.seed) = (2, 1)
    return request
  }

  private func paint(_ request: Request, _ library: ModelLibrary) async throws -> Event.Output {
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), library: library, threads: 1)
    var output: Event.Output?
    for try await event in engine.generate(request, .init()) {
      if case .image(let image) = event { output = image }
    }
    return try #require(output)
  }

  @Test("min-dalle's files paint at their own size, the same again, and keep away from a text")
  func minDALLE() async throws {
    let library = try TinyLibrary.empty()
    try add(try folder("min-dalle", detokenizer: 40), "min", to: library)
    let first = try await paint(request("min"), library)
    #expect(first.picture.width == 64 && first.picture.height == 64)
    #expect(try await paint(request("min"), library).picture == first.picture)
    let away = try await paint(request("min", "a red fox | ox:-1"), library).picture
    #expect(away != first.picture)
    var negative = request("min")
    negative.negativePrompt = "ox"
    #expect(try await paint(negative, library).picture == away)
    let resolver = Resolver(pack: try Pack(folder: TinyPack.make()), library: library)
    let resolved = try resolver.resolve(request("min"), device: .cpu)
    #expect(resolved.arguments["conditionScale"] == .number(10))
    #expect(
      try resolver.remarks(on: request("min")).contains {
        $0.field == "model" && $0.text.contains("min-dalle's simple way")
      })
    // What is installed draws only where it is asked for.
    #expect(try resolver.choice(for: request(nil)).model == nil)
    var other = request("min")
    other.method = .auto
    #expect(try resolver.choice(for: other).method.id == "dalle")
    for prompt in ["a | b", "a | b:-1 | c:-1", "a ^ b", "a | b:0"] {
      #expect(throws: RequestError.self) {
        try resolver.resolve(request("min", prompt), device: .cpu)
      }
    }
    negative.prompt = "a | b:-1"
    #expect(throws: RequestError.self) { try resolver.resolve(negative, device: .cpu) }
  }

  @Test("in eight bits it is one more network, for methods and devices that have them")
  func eightBits() async throws {
    let library = try TinyLibrary.empty()
    var config = DALLEBart.Config(
      text_vocab_count: 20, text_token_count: 12, image_vocab_count: 40, image_token_count: 16,
      embed_count: 128, glu_embed_count: 64, encoder_layer_count: 1, decoder_layer_count: 1)
    config.attention_head_count = 2
    let folder = try folder("min-dalle", detokenizer: 40)
    let source = Initializer(seed: 3)
    _ = DALLEBart(Parameters(source), config)
    for side in ["encoder", "decoder"] {
      let tensors = source.parameters.filter { $0.key.hasPrefix(side + ".") }.map {
        (String($0.key.dropFirst(side.count + 1)), $0.tensor.detached())
      }
      let url = folder.appending(path: side + ".pt")
      try FileManager.default.removeItem(at: url)
      try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: url)
    }
    try add(folder, "large", to: library)
    let networks = try Networks(Pack(folder: TinyPack.make()), library)
    let whole = try networks.network(DALLEBart.self, of: "large")
    let small = try networks.network(DALLEBart.self, of: "large", eightBits: true)
    #expect(whole.decoder.lm_head.matrix.rows == nil)
    #expect(small.decoder.lm_head.matrix.rows != nil)
    var request = request("large")
    request.precision = .int8
    let output = try await paint(request, library)
    #expect(output.metadata.precision == "int8" && output.metadata.request.precision == .int8)
    #expect(try await paint(request, library).picture == output.picture)
    let resolver = Resolver(pack: networks.pack, library: library)
    #expect(throws: RequestError.self) { try resolver.resolve(request, device: .cuda(0)) }
    (request.model, request.method, request.candidates) = (nil, .vqganCLIP, nil)
    #expect(throws: RequestError.self) { try resolver.resolve(request, device: .cpu) }
  }

  @Test("dalle-mini's files take the VQGAN that is installed for them, and none made for another")
  func flax() async throws {
    let library = try TinyLibrary.empty()
    let texts = [
      "config.json":
        #"{"normalize_text": true, "encoder_attention_heads": 2, "decoder_start_token_id": 32}"#,
      "enwiki-words-frequency.txt": "fox 3\nred 2\n",
    ]
    try add(try folder("dalle-mini", texts), "mini", to: library)
    // Of the right size, but taming's.
    var taming = Self.vqgan(32)
    taming.unitRange = false
    _ = try library.add([TinyLibrary.file("taming") { VQGAN($0, taming) }])
    let error = await #expect(throws: StoreError.self) {
      try await paint(request("mini"), library)
    }
    #expect(error?.description.contains("models pull dalle-mini-vqgan") == true)
    _ = try library.add([
      TinyLibrary.file("detoker") { VQGANDetokenizer($0, Self.vqgan(32)) }
    ])
    // One alone: of several CLIP, which reads the text as it was written, picks the best.
    func drawn(_ text: String) async throws -> Picture {
      var one = request("mini", text)
      one.candidates = 1
      return try await paint(one, library).picture
    }
    let picture = try await drawn("#redfox")
    #expect(picture.width == 64)
    // Texts are simplified as the original does it.
    #expect(try await drawn("Red  FOX!") == picture)
    #expect(try await drawn("ox") != picture)
    let resolver = Resolver(pack: try Pack(folder: TinyPack.make()), library: library)
    #expect(try !resolver.remarks(on: request("mini")).contains { $0.field == "model" })
  }

  @Test("without its vocabulary a transformer is told to be added again")
  func vocabulary() async throws {
    let library = try TinyLibrary.empty()
    let folder = try folder("min-dalle", detokenizer: 40)
    for name in ["vocab.json", "merges.txt"] {
      try FileManager.default.removeItem(at: folder.appending(path: name))
    }
    try add(folder, "min", to: library)
    let error = await #expect(throws: StoreError.self) { try await paint(request("min"), library) }
    #expect(error?.description.contains("comes without its vocabulary") == true)
  }

  @Test("a model that draws in another method leads auto there")
  func strangers() throws {
    let library = try TinyLibrary.empty()
    _ = try library.add([TinyLibrary.file("drawer") { VQGAN($0, Self.vqgan(24)) }])
    var request = request("drawer")
    (request.method, request.candidates) = (.auto, nil)
    let resolver = Resolver(pack: try Pack(folder: TinyPack.make()), library: library)
    #expect(try resolver.choice(for: request).method.id == .vqganCLIP)
  }
}
