import Foundation
import Models
import Testing
import Torch
import TestSupport

@testable import Painting

@Suite struct PackTests {
  @Test("auto chooses by what the request and the pack allow")
  func auto() throws {
    let resolver = try TinyPack.resolver(Pack(folder: TinyPack.make()))
    func method(_ change: (inout Request) -> Void) throws -> Method.ID? {
      var request = Request("red fox")
      change(&request)
      return try resolver.resolve(request, device: .cpu).method
    }
    #expect(try method { _ in } == .dalle)
    // Diffusion draws better than a VQGAN's latent does, and takes all that guidance takes.
    #expect(try method { $0.iterations = 5 } == .diffusion)
    #expect(try method { $0.prompt = "a|b:-1" } == .diffusion)
    #expect(try method { $0.width = 64 } == .diffusion)
    #expect(try method { $0.learningRate = 0.1 } == .vqganCLIP)
    #expect(try method { $0.candidates = 3 } == .dalle)
    #expect(try method { ($0.candidates, $0.iterations) = (3, 3) } == "unclip")
    #expect(throws: RequestError.self) {
      try method {
        $0.candidates = 3
        $0.cutouts = 3
      }
    }
    #expect(throws: RequestError.self) {
      try method {
        $0.method = .dalle
        $0.prompt = "a|b"
      }
    }
    let small = try TinyPack.resolver(Pack(folder: TinyPack.make(dalle: false)))
    #expect(try small.resolve(Request("x"), device: .cpu).method == .diffusion)
    var dalle = Request("x")
    dalle.method = .dalle
    #expect(throws: PaintingError.self) { try small.resolve(dalle, device: .cpu) }
  }

  @Test("a resolved request has every field of its method, from pack or declaration, and no other")
  func resolved() throws {
    let resolver = try TinyPack.resolver(
      Pack(
        folder: TinyPack.make(defaults: [
          "method": .string("vqgan-clip"), "vqgan-clip": .object(["iterations": .integer(33)]),
        ])))
    var request = Request("red fox")
    request.cutouts = 5
    let resolved = try resolver.resolve(request, device: .cpu)
    #expect(resolved.method == .vqganCLIP)
    #expect(resolved.iterations == 33 && resolved.cutouts == 5 && resolved.learningRate == 0.1)
    #expect(resolved.candidates == nil && resolved.seed != nil && resolved.precision != .auto)
    #expect(try resolver.resolve(resolved, device: .cpu) == resolved)
  }

  @Test("pictures are painted in multiples of the VQGAN's factor within the pack's limit")
  func sizes() throws {
    let resolver = try TinyPack.resolver(Pack(folder: TinyPack.make()))  // factor 8, at most 64
    for (asked, painted) in [
      ((256, 256), (64, 64)), ((256, 128), (64, 32)), ((48, 40), (48, 40)), ((4096, 16), (64, 8)),
      ((50, 30), (48, 32)), ((16, 16), (16, 16)),
    ] {
      var request = Request("x")
      request.method = .vqganCLIP
      (request.width, request.height) = asked
      let size = try resolver.paintedSize(request)
      #expect((size.width, size.height) == painted)
    }
  }

  /// A pack with a file changed.
  private func damaged(_ name: String, _ change: (inout Data) -> Void) throws -> URL {
    let folder = try TinyPack.make()
    let url = folder.appending(path: name)
    var data = try Data(contentsOf: url)
    change(&data)
    try data.write(to: url)
    return folder
  }

  private func error(painting folder: URL) async -> String {
    do {
      var request = Request("red fox")
      request.method = .dalle
      for try await _ in Engine(pack: try Pack(folder: folder), threads: 1).generate(request) {}
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "a damaged file is named with what to do",
    arguments: [
      "clip.safetensors", "vqgan.safetensors", "dalle.safetensors", "tokenizer.json",
    ])
  func files(_ name: String) async throws {
    let short = await error(painting: try damaged(name) { $0.removeLast(3) })
    #expect(short.contains(name) && short.contains("bytes") && short.contains("--pack"), "\(short)")
    let flipped = await error(painting: try damaged(name) { $0[$0.count / 2] ^= 4 })
    #expect(flipped.contains(name) && flipped.contains("SHA-256"), "\(flipped)")
    let folder = try TinyPack.make()
    try FileManager.default.removeItem(at: folder.appending(path: name))
    let missing = await error(painting: folder)
    #expect(missing.contains(name) && missing.contains("missing"), "\(missing)")
  }

  @Test("weights that match their checksum but not the model are an error, not a crash")
  func mismatch() async throws {
    let folder = try TinyPack.make()
    let url = folder.appending(path: "pack.json")
    var text = try String(contentsOf: url, encoding: .utf8)
    text = text.replacingOccurrences(of: "\"z_channels\":8", with: "\"z_channels\":16")
    try text.write(to: url, atomically: true, encoding: .utf8)
    let message = await error(painting: folder)
    #expect(message.contains("does not fit the model"), "\(message)")
  }

  @Test(
    "a manifest that cannot be right is refused",
    arguments: [
      ("\"schema\":2", "\"schema\":9", "schema 9"),
      ("\"pictureSize\":32", "\"pictureSize\":0", "pictureSize"),
      ("\"pictureSize\":32", "\"pictureSize\":64", "codes"),
      ("\"ch\":32", "\"ch\":0", "'vqgan'"), ("\"ch\":32", "\"ch\":\"x\"", "'ch'"),
      ("\"n_embed\":16", "\"n_embed\":-5", "'vqgan'"),
      ("\"image_token_count\":16", "\"image_token_count\":15", "codes"),
      ("\"attention_head_count\":2", "\"attention_head_count\":0", "'dalle-bart'"),
      ("\"heads\":2", "\"heads\":3", "multiple"),
      ("\"channels\":8", "\"channels\":4", "VQGAN's"),
      ("\"size\":4,", "\"size\":4096,", "pixels a side"),
      ("\"embedding\":16", "\"embedding\":8", "CLIP's"),
      ("\"headWidth\":8", "\"headWidth\":0", "'v-diffusion'"),
      ("\"num_classes\":5", "\"num_classes\":0", "'biggan'"),
      ("\"tokenizer.json\"", "\"..\\/tokenizer.json\"", "name"),
      ("\"id\":", "\"ID\":", "'id' is missing"), ("{", "[", "not valid"),
    ])
  func manifest(_ from: String, _ to: String, _ part: String) throws {
    let folder = try damaged("pack.json") { data in
      let text = String(decoding: data, as: UTF8.self)
      #expect(text.contains(from))
      data = Data(text.replacingOccurrences(of: from, with: to).utf8)
    }
    do {
      _ = try Pack(folder: folder)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part) && "\(error)".contains(folder.path), "\(error)")
    }
  }

  @Test(
    "a pack of schema 1, as earlier versions wrote it, has the same networks and paints the same")
  func schema1() async throws {
    let folder = try TinyPack.make(
      upscaler: true, defaults: ["dalle": .object(["candidates": .integer(3)])])
    let new = try Pack(folder: folder)
    var request = Request("red fox")
    (request.width, request.height, request.seed, request.precision) = (64, 64, 7, .float32)
    func output(_ pack: Pack) async throws -> Event.Output {
      try await Engine(pack: pack, cache: nil, threads: 1).output(of: request)
    }
    let expected = try await output(new)

    let url = folder.appending(path: "pack.json")
    var json = try JSONDecoder().decode([String: JSONValue].self, from: Data(contentsOf: url))
    json["schema"] = .integer(1)
    json["networks"] = nil
    let names = [
      "clip": "clip", "vqgan": "vqgan", "dalle": "dalle-bart", "diffusion": "v-diffusion",
      "biggan": "biggan", "upscaler": "rrdbnet",
    ]
    // What there was then.
    let networks = new.manifest.networks.filter { names.values.contains($0.key) }
    for (name, id) in names { json[name] = try #require(new.manifest.networks[id]).config }
    try JSONEncoder().encode(json).write(to: url)

    let old = try Pack(folder: folder)
    #expect(old.manifest.schema == 1)
    #expect(old.manifest.networks == networks)
    #expect(old.manifest.files == new.manifest.files)
    func compare<N: Network>(_ type: N.Type) throws {
      let config = try #require(old.config(of: type))
      #expect(config == new.config(of: type))
    }
    try compare(CLIP.self)
    try compare(VQGAN.self)
    try compare(DALLEBart.self)
    try compare(VDiffusion.self)
    try compare(BigGAN.self)
    try compare(RRDBNet.self)
    let found = try await output(old)
    #expect(found.picture == expected.picture && found.metadata == expected.metadata)
    #expect(found.metadata.request.candidates == 3 && found.metadata.resampling == "upscaler")

    // What it lacks it lacked then, too: the keys were left out, or null.
    for name in ["dalle", "diffusion", "upscaler"] { json[name] = nil }
    json["biggan"] = .null
    try JSONEncoder().encode(json).write(to: url)
    #expect(try Set(Pack(folder: folder).manifest.networks.keys) == ["clip", "vqgan"])
  }

  @Test("a folder that is no pack is named")
  func noPack() {
    do {
      _ = try Pack(folder: URL(filePath: "/nonexistent"))
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains("/nonexistent") && "\(error)".contains("--pack"))
    }
  }
}
