import Foundation
import Imaging
import Library
import Models
import TestSupport
import Testing
import Tokenizers
import Torch
import Weights

@testable import Painting

/// Karlo, LAION's prior and GLIDE with random weights, installed from files as people have them, and painted with.
@Suite("Installed unCLIP and GLIDE")
struct InstalledCascadeTests {
  private static func library(_ folders: [URL]) throws -> ModelLibrary {
    let library = try TinyLibrary.empty()
    for folder in folders { _ = try library.add([folder]) }
    return library
  }

  private func request(
    _ method: Method.ID, _ model: String?, _ prompt: String = "a red fox",
    _ change: (inout Request) -> Void = { _ in }
  ) -> Request {
    var request = Request(prompt)
    (request.method, request.model, request.seed, request.iterations) = (method, model, 3, 4)
    if method == "unclip" { request.arguments["priorSteps"] = .integer(3) }
    if method == "glide" { request.arguments["upsampleRespacing"] = .string("3") }
    change(&request)
    return request
  }

  private func paint(
    _ request: Request, _ library: ModelLibrary, _ files: Attachments = Attachments()
  ) async throws -> [Event.Output] {
    let engine = Engine(
      pack: try Pack(folder: TinyPack.make()), library: library, cache: nil, threads: 1)
    var outputs: [Event.Output] = []
    for try await event in engine.generate(request, .init(files: files)) {
      if case .image(let image) = event { outputs.append(image) }
    }
    return outputs
  }

  private func picture(_ color: Color, _ files: inout Attachments) throws -> FileReference {
    let url = try ScratchFolder.make("picture").appending(path: "\(color.red).png")
    try Picture(width: 64, height: 64, color: color).write(to: url.path)
    return try files.add(url)
  }

  @Test("a folder of Karlo's files is one model, and paints at its own size, the same again")
  func karlo() async throws {
    let library = try Self.library([Self.karlo()])
    let record = try library.store.model("karlo").record
    #expect(record.kind == "unclip")
    #expect(
      Set(try #require(record.components).keys) == [
        "unclip-prior", "unclip-decoder", "unclip-upsampler", "clip",
      ])
    #expect(record.files[UnCLIPPrior.statisticsFile] != nil)
    let first = try #require(try await paint(request("unclip", "karlo"), library).first)
    #expect(first.picture.width == 64 && first.metadata.resampling == nil)
    #expect(try await paint(request("unclip", "karlo"), library).first?.picture == first.picture)
    let other = try await paint(request("unclip", "karlo", "a blue whale"), library)
    #expect(other.first?.picture != first.picture)
    let away = try await paint(
      request("unclip", "karlo") { $0.negativePrompt = "a blue whale" }, library)
    #expect(away.first?.picture != first.picture)
  }

  @Test(
    "the folders of diffusers' pipeline are one model, told by a CLIP that is installed beside it")
  func pipeline() async throws {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "ModelsTests/Fixtures")
    let folder = try ScratchFolder.make("cascade").appending(path: "karlo-v1-alpha")
    func write(_ name: String, _ shapes: [String: [Int]]) throws {
      let home = folder.appending(path: name)
      try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
      let weights = shapes.map { ($0.key, SyntheticWeights.tensor($0.key, $0.value)) }
      try SafeTensors.write(
        Dictionary(uniqueKeysWithValues: weights),
        to: home.appending(path: "diffusion_pytorch_model.safetensors"))
    }
    func shapes(_ name: String) throws -> [String: [Int]] {
      try JSONDecoder().decode(
        [String: [Int]].self, from: Data(contentsOf: fixtures.appending(path: name)))
    }
    try write("prior", shapes("unclip.json"))
    let all = try shapes("unclip-pipeline.json")
    for part in Set(all.keys.compactMap { $0.split(separator: ".").first }) {
      let own = all.filter { $0.key.hasPrefix(part + ".") }.map {
        (String($0.key.dropFirst(part.count + 1)), $0.value)
      }
      try write(String(part), Dictionary(uniqueKeysWithValues: own))
    }
    try Data("{}".utf8).write(to: folder.appending(path: "model_index.json"))
    let library = try Self.library([folder])
    let record = try library.store.model("karlo-v1-alpha").record
    #expect(record.files.count == 5 && record.kind == "unclip")
    #expect(
      Set(try #require(record.components).keys) == [
        "unclip-prior", "unclip-decoder", "unclip-upsampler",
      ])
    let wanted = request("unclip", "karlo-v1-alpha")
    await #expect {
      _ = try await self.paint(wanted, library)
    } throws: { "\($0)".contains("models pull openai-vit-l-14") }

    let clip = CLIP.Config(
      embedDim: 24,
      vision: .init(imageSize: 32, patchSize: 8, width: 64, layers: 1, headWidth: 64),
      text: .init(contextLength: 6, vocabSize: 518, width: 24, heads: 1, layers: 1))
    let tower = try Self.folder(
      "openai-vit-l-14", [("ViT-L-14.safetensors", "", { _ = CLIP($0, clip) })])
    try Self.tokenizer.encoded().write(to: tower.appending(path: "tokenizer.json"))
    _ = try library.add([tower])
    var told = wanted
    told.clip = "openai-vit-l-14"
    let painted = try #require(try await paint(told, library).first)
    #expect(painted.picture.width == 64 && painted.metadata.resampling == nil)
  }

  @Test("pictures are varied, blended and moved along the difference of two texts")
  func variations() async throws {
    let library = try Self.library([Self.karlo()])
    var files = Attachments()
    let (red, blue) = (
      Prompt.Target.image(try picture(Color(0xc03020), &files)),
      Prompt.Target.image(try picture(Color(0x2030c0), &files))
    )
    func painted(_ prompts: [Prompt], _ arguments: [String: JSONValue] = [:]) async throws
      -> Picture
    {
      let wanted = request("unclip", "karlo", "") {
        $0.prompts = prompts
        $0.arguments.merge(arguments) { $1 }
      }
      return try #require(try await paint(wanted, library, files).first).picture
    }
    let (one, other) = (try await painted([Prompt(red)]), try await painted([Prompt(blue)]))
    #expect(one != other)
    // All of the weight on one is that one.
    #expect(try await painted([Prompt(red), Prompt(blue, weight: 1e-12)]) == one)
    let between = try await painted([Prompt(red), Prompt(blue)])
    #expect(between != one && between != other)
    let texts = [Prompt("a red fox"), Prompt("a blue whale", weight: -1)]
    #expect(try await painted([Prompt(red)] + texts, ["difference": .number(0)]) == one)
    #expect(try await painted([Prompt(red)] + texts) != one)
    let mixed = try await painted([Prompt(red), Prompt("a red fox")])
    #expect(mixed != one)
  }

  @Test(
    "of several samples of the prior the nearest to the text is taken, and candidates are ranked")
  func samples() async throws {
    let library = try Self.library([Self.karlo()])
    let one = try await paint(request("unclip", "karlo"), library)
    let best = try await paint(
      request("unclip", "karlo") { $0.arguments["priorSamples"] = .integer(4) }, library)
    #expect(best.first?.picture != one.first?.picture)
    let second = try await paint(
      request("unclip", "karlo") { ($0.candidates, $0.rank) = (2, 2) }, library)
    let first = try await paint(
      request("unclip", "karlo") { ($0.candidates, $0.rank) = (2, 1) }, library)
    #expect(first.first?.picture != second.first?.picture)
    #expect([first, second].contains { $0.first?.picture == one.first?.picture })
  }

  @Test("auto takes what was trained for just what is asked: pictures varied, holes filled")
  func called() throws {
    let library = try Self.library([
      Self.karlo(), Self.glide(fills: false), Self.glide(fills: true),
    ])
    let resolver = Resolver(pack: try Pack(folder: TinyPack.make()), library: library)
    var files = Attachments()
    let image = Prompt(.image(try picture(Color(0xc03020), &files)))
    func choice(_ change: (inout Request) -> Void) throws -> Resolver.Choice {
      var request = Request("")
      change(&request)
      return try resolver.choice(for: request)
    }
    let varied = try choice { $0.prompts = [image] }
    #expect(varied.method.id == "unclip" && varied.model == "karlo")
    #expect(try choice { $0.prompts = [image, image] }.method.id == "unclip")
    #expect(try choice { $0.prompts = [image, Prompt("a fox")] }.method.id != "unclip")
    let filled = try choice {
      $0.prompt = "a fox"
      $0.initImage = image.references[0]
      $0.filters = [PartSpec("inpaint", ["mask": image.references[0].json])]
    }
    #expect(filled.method.id == "glide" && filled.model == "glide-inpaint")
    #expect(filled.reason == "it was trained to fill holes")
    #expect(try choice { $0.prompt = "a fox" }.method.id != "glide")
  }

  @Test("LAION's prior stands in for Karlo's")
  func laion() async throws {
    let prior = try Self.folder(
      "laion",
      [
        (
          "latest.safetensors", "",
          {
            _ = DiffusionPrior(
              $0, .init(dim: 64, depth: 1, heads: 2, dim_head: 8, inner: 32, max_text_len: 12))
          }
        )
      ])
    let library = try Self.library([Self.karlo(), prior])
    let own = try await paint(request("unclip", "karlo"), library)
    let other = try await paint(
      request("unclip", "karlo") { $0.arguments["prior"] = .string("laion") }, library)
    #expect(other.first?.picture != own.first?.picture)
    // On both the picture depends, so both are told beside it.
    #expect(other.first?.metadata.models?.keys.sorted() == ["karlo", "laion"])
  }

  @Test("what a model lacks is told with what to do")
  func lacking() async throws {
    let library = try Self.library([Self.karlo(statistics: false)])
    await #expect {
      _ = try await self.paint(self.request("unclip", "karlo"), library)
    } throws: { "\($0)".contains(UnCLIPPrior.statisticsFile) }
    let glide = try Self.library([Self.glide(fills: false)])
    var files = Attachments()
    let wanted = request("glide", nil) { _ in }
    let hole = try hole(wanted, &files)
    await #expect {
      _ = try await self.paint(hole, glide, files)
    } throws: { "\($0)".contains("models pull glide-inpaint") }
    let strange = try Self.folder(
      "strange",
      [
        (
          "latest.safetensors", "",
          {
            _ = DiffusionPrior(
              $0, .init(dim: 32, depth: 1, heads: 2, dim_head: 8, inner: 32, max_text_len: 12))
          }
        )
      ])
    let both = try Self.library([Self.karlo(), strange])
    await #expect {
      _ = try await self.paint(
        self.request("unclip", "karlo") { $0.arguments["prior"] = .string("strange") }, both)
    } throws: { "\($0)".contains("prior") && "\($0)".contains("64") }
    await #expect(throws: RequestError.self) {
      _ = try await self.paint(
        self.request("unclip", "karlo", "a fox") { ($0.width, $0.height) = (64, 32) }, library)
    }
  }

  @Test("a cascade that is left at any step is taken up to the bit")
  func resumed() throws {
    let networks = try Networks(
      Pack(folder: TinyPack.make()), Self.library([Self.karlo(), Self.glide(fills: false)]))
    for method in [Method.ID("unclip"), "glide"] {
      let wanted = request(method, method == "glide" ? "glide" : "karlo") { $0.candidates = 2 }
      func pipeline() throws -> any Pipeline { try PipelineContext(wanted, networks).pipeline() }
      func bytes(_ pipeline: any Pipeline) throws -> [[UInt8]] {
        while !pipeline.isDone { _ = try pipeline.step(.none) }
        return try pipeline.finished().map { try Picture($0.picture[0]).bytes }
      }
      let whole = try bytes(pipeline())
      let total = try pipeline().total
      for left in stride(from: 1, to: total, by: 3) {
        let first = try pipeline()
        for _ in 0..<left { _ = try first.step(.none) }
        let state = try first.state
        let second = try pipeline()
        try second.restore(state.notes) { state.tensors[$0] }
        #expect(second.done == left)
        #expect(try bytes(second) == whole, "\(method) left after \(left) of \(total)")
        for name in state.tensors.keys {
          let hostile = try pipeline()
          #expect(throws: PaintingError.self, "\(method) \(name)") {
            try hostile.restore(state.notes) { $0 == name ? Tensor.zeros([2]) : state.tensors[$0] }
          }
        }
      }
    }
  }

  @Test(
    "films go from text to text and from seed to seed, ending where the pictures are",
    arguments: [Method.ID("unclip"), "glide"])
  func films(_ method: Method.ID) async throws {
    let library = try Self.library([Self.karlo(), Self.glide(fills: false)])
    let engine = Engine(
      pack: try Pack(folder: TinyPack.make()), library: library, cache: nil, threads: 1)
    let model = method == "glide" ? "glide" : "karlo"
    var film = Film(.morph)
    film.frames = 2
    for (prompt, seeds) in [("a red fox ^ a blue whale", []), ("a red fox", [1, 2])] {
      film.seeds = seeds
      let wanted = request(method, model, prompt)
      let run = try RunFolder(
        creating: ScratchFolder.make("film").appending(path: "a.run"),
        .init(
          request: wanted, count: 1, film: film, pack: nil,
          packEdition: .init(id: "tiny", version: "0.0.1"), device: "cpu", threads: 1,
          previewEvery: nil, output: nil, folder: "."), files: Attachments())
      for try await _ in engine.generate(wanted, .init(run: run, film: film)) {}
      #expect(run.frameCount == 3)
      let frames = try (1...3).map { try Picture.read(from: run.frame($0).path) }
      #expect(frames[0] != frames[1] && frames[1] != frames[2])
      for (frame, text, seed) in [(0, "a red fox", seeds.first), (2, "a blue whale", seeds.last)] {
        let still = try await paint(
          request(method, model, seeds.isEmpty ? text : prompt) { $0.seed = seed ?? $0.seed },
          library)
        #expect(frames[frame] == still.first?.picture, "\(method) \(prompt) \(frame)")
      }
    }
  }

  @Test("a run is kept from its first step on, when there is nothing to be seen yet")
  func kept() async throws {
    let library = try Self.library([Self.karlo()])
    let wanted = request("unclip", "karlo")
    let folder = try ScratchFolder.make("kept").appending(path: "fox.run")
    let run = try RunFolder(
      creating: folder,
      .init(
        request: wanted, count: 1, pack: nil, packEdition: .init(id: "tiny", version: "0.0.1"),
        device: "cpu", threads: 1, previewEvery: nil, output: nil, folder: folder.path),
      files: Attachments())
    let engine = Engine(
      pack: try Pack(folder: TinyPack.make()), library: library, cache: nil, threads: 1)
    let picture = try await engine.picture(of: wanted, .init(run: run, checkpointEvery: 0))
    #expect(try await paint(wanted, library).first?.picture == picture)
    #expect(try run.checkpoint(JSONValue.self) != nil)
  }

  @Test("the networks of a stage are let go when all candidates have passed it")
  func released() throws {
    let networks = try Networks(Pack(folder: TinyPack.make()), Self.library([Self.karlo()]))
    let wanted = request("unclip", "karlo") { $0.candidates = 2 }
    let pipeline = try PipelineContext(wanted, networks).pipeline()
    let before = networks.provider.bytes
    var most: [Int] = []
    while !pipeline.isDone {
      _ = try pipeline.step(.none)
      most.append(networks.provider.bytes - before)
    }
    let sizes = try ["prior", "decoder", "sr"].map { name in
      try FileManager.default.attributesOfItem(
        atPath: networks.provider.library.store.model("karlo").url("\(name).safetensors").path)[
          .size] as? Int ?? 0
    }
    #expect((most.max() ?? 0) <= (sizes.max() ?? 0))
    #expect(most.last == 0)
  }

  // MARK: GLIDE

  private func hole(_ request: Request, _ files: inout Attachments) throws -> Request {
    var request = request
    let mask = try ScratchFolder.make("mask").appending(path: "mask.png")
    let bytes = (0..<64 * 64).flatMap { [UInt8](repeating: $0 % 64 < 32 ? 0 : 255, count: 3) }
    try Picture(width: 64, height: 64, channels: 3, bytes: bytes).write(to: mask.path)
    request.initImage = try picture(Color(0xcc3020), &files)
    request.filters = [
      PartSpec("inpaint", ["mask": try files.add(mask).json, "blur": .number(0)])
    ]
    return request
  }

  @Test(
    "GLIDE's files paint in two stages, composed of several texts, and steered by the noised CLIP")
  func glide() async throws {
    let library = try Self.library([Self.glide(fills: false)])
    #expect(try library.store.model("glide").record.kind == "glide")
    let one = try #require(try await paint(request("glide", "glide"), library).first)
    #expect(one.picture.width == 64 && one.metadata.resampling == nil)
    func changed(_ prompt: String = "a red fox", _ change: (inout Request) -> Void) async throws
      -> Bool
    {
      let other = try await paint(request("glide", "glide", prompt, change), library)
      return try #require(other.first).picture != one.picture
    }
    #expect(try await !changed { _ in })
    #expect(try await changed("a blue whale") { _ in })
    #expect(try await changed("a red fox|a blue whale") { _ in })
    #expect(try await changed { $0.negativePrompt = "a blue whale" })
    #expect(try await changed { $0.arguments["clipGuidance"] = .number(3) })
    #expect(try await changed { $0.arguments["upsampleTemperature"] = .number(0.5) })
  }

  @Test("GLIDE fills a hole, and the rest keeps its pixels")
  func filled() async throws {
    let library = try Self.library([Self.glide(fills: false), Self.glide(fills: true)])
    var files = Attachments()
    let wanted = try hole(request("glide", "glide-inpaint"), &files)
    let painted = try #require(try await paint(wanted, library, files).first).picture
    let rows = (0..<64).map { y in (0..<64).map { x in painted.bytes[(y * 64 + x) * 3] } }
    #expect(rows.allSatisfy { $0[..<32].allSatisfy { $0 == 0xcc } })
    #expect(rows.contains { $0[32...].contains { $0 != 0xcc } })
  }
}
