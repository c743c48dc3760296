import Foundation
import Library
import Imaging
import Models
import Testing
import Tokenizers
import Torch
import Weights
import TestSupport

@testable import Painting

/// Models with random weights, installed from files as people have them, and painted with.
@Suite struct InstalledModelsTests {
  private static let clip = CLIP.Config(
    embedDim: 16, vision: .init(imageSize: 16, patchSize: 8, width: 64, layers: 1),
    text: .init(contextLength: 16, vocabSize: 518, width: 64, heads: 1, layers: 1))
  private static let vqgan = VQGAN.Config(
    ch: 32, ch_mult: [1, 2], num_res_blocks: 1, attn_levels: [1], z_channels: 16, embed_dim: 16,
    n_embed: 40)
  private static let dvae = DVAE.Config(n_hid: 8, vocab_size: 24, n_init: 16)

  private func write<Model>(_ url: URL, prefix: String = "", _ make: (Parameters) -> Model) throws {
    let source = Initializer(seed: 3)
    _ = make(Parameters(source))
    let tensors = source.parameters.map { (prefix + $0.key, $0.tensor.detached()) }
    try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: url)
  }

  /// A library with `critic`, `drawer`, `gumbel` and `dvae`.
  private func library() throws -> ModelLibrary {
    let folder = try ScratchFolder.make("library")
    let library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
    func add(_ id: String, _ names: [String]) throws -> ModelStore.Model {
      var particulars = ModelLibrary.Particulars()
      particulars.id = id
      return try library.add(names.map { folder.appending(path: $0) }, particulars)
    }
    let critic = folder.appending(path: "critic")
    try FileManager.default.createDirectory(at: critic, withIntermediateDirectories: true)
    try write(critic.appending(path: "model.safetensors")) { CLIP($0, Self.clip) }
    let tokenizer = try CLIPTokenizer(merges: [
      .init("r", "e"), .init("re", "d</w>"), .init("f", "o"), .init("fo", "x</w>"),
    ])
    try tokenizer.encoded().write(to: critic.appending(path: "tokenizer.json"))
    #expect(try add("critic", ["critic"]).record.files.count == 2)
    try write(folder.appending(path: "v.ckpt"), prefix: "first_stage_model.") {
      VQGAN($0, Self.vqgan)
    }
    #expect(try add("drawer", ["v.ckpt"]).record.kind == "vqgan")
    var gumbel = Self.vqgan
    gumbel.gumbel = true
    try write(folder.appending(path: "g.ckpt")) { VQGAN($0, gumbel) }
    #expect(try add("gumbel", ["g.ckpt"]).record.kind == "vqgan")
    try write(folder.appending(path: "encoder.pkl")) { DVAEEncoder($0, Self.dvae) }
    try write(folder.appending(path: "decoder.pkl")) { DVAEDecoder($0, Self.dvae) }
    #expect(try add("dvae", ["encoder.pkl", "decoder.pkl"]).record.kind == "dvae")
    #expect(library.store.models().map(\.record.id) == ["critic", "drawer", "dvae", "gumbel"])
    return library
  }

  private func paint(_ request: Request, _ library: ModelLibrary, files: Attachments = .init())
    async throws -> Event.Output
  {
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), library: library, threads: 1)
    var output: Event.Output?
    for try await event in engine.generate(request, .init(files: files)) {
      if case .image(let image) = event { output = image }
    }
    return try #require(output)
  }

  private func request(clip: String?, model: String?, iterations: Int? = 3) -> Request {
    var request = Request("red fox")
    request.method = model == "dvae" ? "dvae-clip" : .vqganCLIP
    request.width = 32
    request.height = 48
    request.iterations = iterations
    request.cutouts = 2
    request.seed = 1
    request.clip = clip
    request.model = model
    return request
  }

  @Test(
    "installed models paint, alone and together, and the same again",
    arguments: [
      ("critic", nil), ("critic:2,pack", nil), (nil, "drawer"), ("critic", "gumbel"),
      ("pack,critic:0.5", "dvae"),
    ] as [(String?, String?)])
  func paints(clip: String?, model: String?) async throws {
    let library = try library()
    let request = request(clip: clip, model: model)
    let first = try await paint(request, library)
    #expect(first.picture.width == 32 && first.picture.height == 48)
    let models = try #require(first.metadata.models)
    #expect(models.keys.contains("critic") == (clip != nil))
    #expect(models.keys.contains(model ?? "critic"))
    let again = try Metadata(json: first.metadata.json())
    #expect(again == first.metadata)
    #expect(try await paint(again.request, library).picture == first.picture)
    var other = request
    (other.clip, other.model, other.method) = ("pack", nil, .vqganCLIP)
    #expect(try await paint(other, library).picture != first.picture)
  }

  @Test("a dVAE begins from a picture")
  func initial() async throws {
    let picture = try Picture(RandomStream(seed: 2, "x").uniform([3, 32, 48]))
    var request = request(clip: nil, model: "dvae")
    let url = try ScratchFolder.make("initial").appending(path: "x.png")
    try picture.write(to: url.path)
    var files = Attachments()
    request.initImage = try files.add(url)
    let output = try await paint(request, library(), files: files)
    #expect(output.picture.width == 32)
  }

  @Test("models that are not there, or of another kind, are named")
  func strangers() async throws {
    let library = try library()
    for (clip, model, words) in [
      ("none", nil, "No model 'none'"), ("drawer", nil, "not of the kind 'clip'"),
      (nil, "critic", "not of the kind 'vqgan'"),
    ] as [(String?, String?, String)] {
      let error = await #expect(throws: StoreError.self) {
        try await paint(request(clip: clip, model: model), library)
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(words))
    }
  }

  @Test("a dVAE is no VQGAN, and has a method of its own")
  func otherDrawer() async throws {
    let library = try library()
    var request = request(clip: nil, model: "dvae")
    request.method = .vqganCLIP
    let error = await #expect(throws: StoreError.self) { try await paint(request, library) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("not of the kind 'vqgan'"))
  }

  @Test("of the method that auto takes, a network that is installed goes before the pack's")
  func preferred() throws {
    let library = try library()
    let pack = try Pack(folder: TinyPack.make())
    var request = Request("red fox")
    // Neither dalle nor diffusion takes it.
    request.learningRate = 0.1
    func model(_ resolver: Resolver) throws -> String? {
      let resolved = try resolver.resolve(request, device: .cpu)
      #expect(resolved.method == .vqganCLIP)
      return resolved.model
    }
    #expect(try model(Resolver(pack: pack, library: library)) == "drawer")
    #expect(try model(TinyPack.resolver(pack)) == nil)
    request.method = .vqganCLIP
    #expect(try model(Resolver(pack: pack, library: library)) == nil)
    request.method = .auto
    request.model = "gumbel"
    #expect(try model(Resolver(pack: pack, library: library)) == "gumbel")
  }

  @Test("a pack's defaults are for its own networks: an installed one has the method's")
  func defaults() throws {
    let library = try library()
    let pack = try Pack(
      folder: TinyPack.make(defaults: [
        "vqgan-clip": .object(["iterations": .integer(33), "latent": .string("logits")])
      ]))
    func resolved(_ model: String?) throws -> Request {
      try Resolver(pack: pack, library: library).resolve(
        request(clip: nil, model: model, iterations: nil), device: .cpu)
    }
    let (own, installed) = (try resolved(nil), try resolved("drawer"))
    #expect(own.iterations == 33 && own.arguments["latent"] == .string("logits"))
    #expect(installed.iterations == 150 && installed.arguments["latent"] == .string("z"))
  }

  @Test(
    "a list of critics that cannot be read is refused",
    arguments: ["", ",", "a,", "a:0", "a:-1", "a:x", "a:1:2", "a,a", "a:nan"])
  func lists(text: String) {
    #expect(throws: RequestError.self) { try Perceptor.Choice.parse(text) }
  }

  @Test("weights of critics are read")
  func weights() throws {
    #expect(
      try Perceptor.Choice.parse("vit-b32,rn50:0.5")
        == [.init(id: "vit-b32", weight: 1), .init(id: "rn50", weight: 0.5)])
  }
}
