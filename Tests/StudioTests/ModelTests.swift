import Foundation
import HTTPTypes
import Library
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// Models that clients list, hand in, verify and remove.
@Suite struct ModelTests {
  private static let weights = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../ModelsTests/Fixtures/clip_vit_transformers.safetensors")
  private static let bytes: HTTPFields = [.contentType: "application/octet-stream"]

  @Test("a file that is handed in is recognised, listed with its purpose, verified and removed")
  func whole() async throws {
    try await Asking.with { ask in
      let data = try Data(contentsOf: Self.weights)
      let added = try await ask(
        .post, "/api/v1/models?name=My%20CLIP.safetensors", data, Self.bytes)
      #expect(added.status == 201)
      let model = try #require(added.body["models"]?[0])
      #expect(model["id"] == .string("my-clip"))
      #expect(model["kind"] == .string("clip"))
      #expect(model["bytes"] == .integer(data.count))
      // 62,750 numbers of four bytes.
      #expect(model["memory"] == .integer(4 * 62_750))
      let again = try await ask(
        .post, "/api/v1/models?name=my-clip.safetensors", data, Self.bytes)
      #expect(again.status == 422)
      let verdict = try await ask(.post, "/api/v1/models/my-clip/verify")
      #expect(verdict.body["sound"] == .bool(true))
      let file = ask.bench.server.admission.library.store.folder.appending(
        path: "my-clip/My-CLIP.safetensors")
      var damaged = data
      damaged[damaged.count - 1] ^= 1
      try damaged.write(to: file)
      let found = try await ask(.post, "/api/v1/models/my-clip/verify")
      #expect(found.body["sound"] == .bool(false))
      #expect(try await ask(.delete, "/api/v1/models/my-clip").status == 204)
      #expect(try await ask(.delete, "/api/v1/models/my-clip").status == 404)
      let left = try await ask(.get, "/api/v1/models")
      #expect(left.body["models"] == .array([]))
    }
  }

  @Test("what is none leaves nothing behind")
  func refused() async throws {
    try await Asking.with { ask in
      for name in ["", "weights.exe", "weights", "..", "%2e%2e%2fx.py"] {
        let answer = try await ask(
          .post, "/api/v1/models?name=\(name)", Data("x".utf8), Self.bytes)
        #expect((answer.status, answer.field) == (422, "name"), "\(name)")
      }
      let none = try await ask(
        .post, "/api/v1/models?name=a.safetensors", Data("no weights".utf8), Self.bytes)
      #expect(none.status == 422)
      let folder = ask.bench.server.admission.library.store.folder.path
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test(
    "names of files are made of plain letters",
    arguments: [
      ("a b.pt", "a-b.pt"), ("../../etc/x.bin", "x.bin"), ("C:\\m\\ViT.pt", "ViT.pt"),
      (".hidden.pt", "hidden.pt"), ("ä.ckpt", "ckpt"),
    ])
  func plain(_ name: String, _ wanted: String) throws {
    if wanted.contains(".") {
      #expect(try ModelKeeper.plain(name) == wanted)
    } else {
      #expect(throws: Problem.self) { try ModelKeeper.plain(name) }
    }
  }

  @Test("only what is known is fetched, by its name")
  func known() async throws {
    try await Asking.with { ask in
      for id in ["unknown", "hf:openai%2Fclip", "..", "https:%2F%2Fexample.org"] {
        #expect(try await ask(.post, "/api/v1/models/\(id)/fetch").status == 404, "\(id)")
      }
      #expect(try await ask(.delete, "/api/v1/models/openai-rn50/fetch").status == 404)
      let list = try await ask(.get, "/api/v1/models")
      #expect(list.body["fetches"] == .array([]))
      guard case .array(let known) = list.body["known"] else { return }
      #expect(known.count == (try KnownModel.all().count))
      #expect(known.allSatisfy { $0["isInstalled"] == .bool(false) })
    }
  }
}
