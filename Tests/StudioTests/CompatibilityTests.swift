import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import NIOCore
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// The APIs of OpenAI and AUTOMATIC1111, answered by a worker that only pretends.
@Suite struct CompatibilityTests {
  typealias Client = any TestClientProtocol

  private func withClient(
    _ worker: FakeWorker = FakeWorker(), pack: Pack? = nil,
    _ test: @escaping @Sendable (Client, Bench) async throws -> Void
  ) async throws {
    let bench = try await Bench(pack: pack)
    try await bench.painting(worker) {
      try await Application(router: bench.server.router()).test(.router) { client in
        try await test(client, bench)
      }
    }
  }

  private func send(
    _ client: Client, _ uri: String, _ body: JSONValue? = nil, _ method: HTTPRequest.Method? = nil
  ) async throws -> (status: Int, body: JSONValue, headers: HTTPFields) {
    let response = try await client.executeRequest(
      uri: uri, method: method ?? (body == nil ? .get : .post),
      headers: [.contentType: "application/json"], body: body.map { ByteBuffer(string: $0.json) })
    let text = String(buffer: response.body)
    return (response.status.code, JSONValue(text: text) ?? .string(text), response.headers)
  }

  /// A picture's bytes as base64.
  private static func picture() throws -> Data {
    try Picture(width: 16, height: 16, color: Color(red: 200, green: 20, blue: 30))
      .encoded(
        as: .png(texts: [
          .init(keyword: "parameters", text: "a cat\nSteps: 5, Seed: 3, Size: 16x16")
        ]))
  }

  private static func decoded(_ value: JSONValue?) throws -> Picture {
    let text = try #require(value?.text)
    return try Picture(decoding: #require(Data(base64Encoded: text)))
  }

  // MARK: OpenAI

  @Test("generations are answered with pictures, their seeds and their job")
  func generations() async throws {
    try await withClient { client, bench in
      let answer = try await send(
        client, "/v1/images/generations",
        .object([
          "prompt": .string("a fox"), "n": .integer(2), "size": .string("64x48"),
          "seed": .integer(7), "method": .string("fft"), "model": .string("gpt-image-1"),
          "user": .string("me"), "colour": .string("red"),
        ]))
      #expect(answer.status == 200, "\(answer.body)")
      for index in 0...1 {
        #expect(answer.body["data"]?[index]?["seed"] == .integer(7 + index))
        #expect(try Self.decoded(answer.body["data"]?[index]?["b64_json"]).width == 16)
      }
      #expect(answer.body["size"] == .string("64x48"))
      #expect(answer.headers[HTTPField.Name("X-Reverie-Ignored").unsafelyUnwrapped] == "colour")
      let job = try #require(answer.body["data"]?[0]?["job"]?.text)
      let request = try #require(try await bench.store.job(job)?.painted())
      #expect((request.method?.rawValue, request.width, request.height) == ("fft", 64, 48))
    }
  }

  @Test(
    "pictures come as they are wanted",
    arguments: [
      ("png", [0x89, 0x50] as [UInt8]), ("jpeg", [0xff, 0xd8]), ("webp", [0x52, 0x49]),
    ])
  func formats(_ format: String, _ start: [UInt8]) async throws {
    try await withClient { client, _ in
      let answer = try await send(
        client, "/v1/images/generations",
        .object(["prompt": .string("a fox"), "output_format": .string(format)]))
      let text = try #require(answer.body["data"]?[0]?["b64_json"]?.text)
      #expect(try #require(Data(base64Encoded: text)).starts(with: start))
      let linked = try await send(
        client, "/v1/images/generations",
        .object(["prompt": .string("a fox"), "response_format": .string("url")]))
      let url = try #require(linked.body["data"]?[0]?["url"]?.text)
      #expect(url.hasPrefix("http://localhost/api/v1/pictures/"))
    }
  }

  @Test("a stream ends with the whole picture")
  func stream() async throws {
    try await withClient { client, _ in
      let answer = try await send(
        client, "/v1/images/generations",
        .object([
          "prompt": .string("a fox"), "stream": .bool(true), "partial_images": .integer(0),
        ]))
      #expect(answer.headers[.contentType] == "text/event-stream")
      let lines = answer.body.text.split(separator: "\n")
      #expect(lines.first == "event: image_generation.completed")
      let data = try #require(JSONValue(text: String(lines[1].dropFirst(6))))
      #expect(data["type"] == .string("image_generation.completed"))
      #expect(try Self.decoded(data["b64_json"]).width == 16)
    }
  }

  @Test(
    "OpenAI's mistakes have OpenAI's form",
    arguments: [
      ("{}", "prompt"), (#"{"prompt":"a","n":11}"#, "n"), (#"{"prompt":"a","size":"big"}"#, "size"),
      (#"{"prompt":"a","size":"4x4"}"#, "size"),
      (#"{"prompt":"a","output_format":"gif"}"#, "output_format"),
      (#"{"prompt":"a","partial_images":9}"#, "partial_images"),
      (#"{"prompt":"a","method":"nothing"}"#, "method"), (#"{"prompt":7}"#, "prompt"),
    ])
  func mistakes(_ body: String, _ field: String) async throws {
    try await withClient { client, _ in
      let answer = try await send(client, "/v1/images/generations", JSONValue(text: body))
      #expect(answer.status == 422)
      #expect(answer.body["error"]?["param"] == .string(field))
      #expect(answer.headers[.connection] == "close")
      #expect(answer.body["error"]?["type"] == .string("invalid_request_error"))
      #expect(answer.body["error"]?["message"]?.text.isEmpty == false)
    }
  }

  private func form(_ parts: [(String, String?, Data)]) -> (ByteBuffer, HTTPFields) {
    var data = Data()
    for (name, file, content) in parts {
      data += Data("--line\r\nContent-Disposition: form-data; name=\"\(name)\"".utf8)
      if let file { data += Data("; filename=\"\(file)\"\r\nContent-Type: image/png".utf8) }
      data += Data("\r\n\r\n".utf8) + content + Data("\r\n".utf8)
    }
    data += Data("--line--\r\n".utf8)
    return (
      ByteBuffer(bytes: data), [.contentType: "multipart/form-data; boundary=line"]
    )
  }

  @Test("edits begin from the picture, variations are like it, masks say where")
  func fromPicture() async throws {
    let picture = try Self.picture()
    try await withClient { client, bench in
      func post(_ path: String, _ parts: [(String, String?, Data)]) async throws -> (Int, JSONValue)
      {
        let (body, headers) = form(parts)
        let response = try await client.executeRequest(
          uri: "/v1/images/\(path)", method: .post, headers: headers, body: body)
        return (response.status.code, JSONValue(text: String(buffer: response.body)) ?? .null)
      }
      func request(_ answer: JSONValue) async throws -> Painting.Request {
        let job = try #require(answer["data"]?[0]?["job"]?.text)
        return try #require(try await bench.store.job(job)).painted()
      }
      let (status, edited) = try await post(
        "edits", [("image", "a.png", picture), ("prompt", nil, Data("a fox".utf8))])
      #expect(status == 200, "\(edited)")
      #expect(try await request(edited).initImage != nil)
      let (_, varied) = try await post("variations", [("image", "a.png", picture)])
      #expect(try await request(varied).prompts?.count == 1)
      let (_, inside) = try await post(
        "edits",
        [("image", "a.png", picture), ("mask", "m.png", picture), ("prompt", nil, Data("a".utf8))])
      #expect(try await request(inside).filters?.map(\.name) == ["inpaint"])
      let (broken, _) = try await post("edits", [("image", "a.png", Data("no".utf8))])
      #expect(broken == 422)
      let response = try await client.executeRequest(
        uri: "/v1/images/edits", method: .post,
        headers: [.contentType: "multipart/form-data; boundary=line"],
        body: ByteBuffer(string: "--line\r\nnothing"))
      #expect(response.status.code == 400)
    }
  }

  @Test("models are the methods that can paint")
  func models() async throws {
    try await withClient { client, _ in
      let list = try await send(client, "/v1/models").body
      #expect(list["data"]?[0]?["id"] == .string("reverie"))
      #expect(try await send(client, "/v1/models/fft").status == 200)
      #expect(try await send(client, "/v1/models/crayon").status == 404)
    }
    let without = try Pack(folder: TinyPack.make(dalle: false))
    try await withClient(pack: without) { client, _ in
      let (there, missing) = (
        try await send(client, "/v1/models/fft"), try await send(client, "/v1/models/dalle")
      )
      #expect(there.status == 200 && missing.status == 404)
    }
  }

  // MARK: AUTOMATIC1111

  @Test("txt2img takes what clients send, and answers as they expect")
  func textToImage() async throws {
    try await withClient { client, bench in
      let answer = try await send(
        client, "/sdapi/v1/txt2img",
        .object([
          "prompt": .string("a fox"), "negative_prompt": .string("fog"), "seed": .integer(42),
          "steps": .integer(20), "cfg_scale": .number(7), "width": .integer(64),
          "height": .integer(64), "batch_size": .integer(2), "sampler_name": .string("FFT+CLIP"),
          "styles": .array([.string("no such style")]), "restore_faces": .bool(false),
          "override_settings": .object([:]), "script_args": .array([]),
        ]))
      #expect(answer.status == 200, "\(answer.body)")
      #expect(try Self.decoded(answer.body["images"]?[1]).width == 16)
      // Whether the client leaves is found out by reading on: it must not send more.
      #expect(answer.headers[.connection] == "close")
      let info = try #require(JSONValue(text: answer.body["info"]?.text ?? ""))
      #expect(info["all_seeds"] == .array([.integer(42), .integer(43)]))
      #expect(info["infotexts"]?[0]?.text.contains("Seed: 42") == true)
      #expect(answer.body["parameters"]?["steps"] == .integer(20))
      let job = try #require(info["job"]?.text)
      let request = try #require(try await bench.store.job(job)).painted()
      #expect((request.prompt, request.negativePrompt) == ("a fox", "fog"))
      #expect((request.method?.rawValue, request.iterations) == ("fft", 20))
    }
  }

  @Test("img2img begins from the picture, with fewer steps the more is to stay")
  func imageToImage() async throws {
    let picture = try Self.picture().base64EncodedString()
    try await withClient { client, bench in
      let answer = try await send(
        client, "/sdapi/v1/img2img",
        .object([
          "prompt": .string("a fox"), "steps": .integer(40), "denoising_strength": .number(0.25),
          "sampler_name": .string("vqgan-clip"),
          "init_images": .array([.string("data:image/png;base64," + picture)]),
        ]))
      #expect(answer.status == 200, "\(answer.body)")
      let info = try #require(JSONValue(text: answer.body["info"]?.text ?? ""))
      let request = try #require(try await bench.store.job(info["job"]?.text ?? "")).painted()
      #expect(request.initImage != nil)
      #expect(request.iterations == 10)
      let masked = try await send(
        client, "/sdapi/v1/img2img",
        .object([
          "prompt": .string("a fox"), "steps": .integer(4), "mask_blur": .integer(8),
          "init_images": .array([.string(picture)]), "mask": .string(picture),
          "inpainting_mask_invert": .integer(1),
        ]))
      #expect(masked.status == 200, "\(masked.body)")
      let inside = try #require(JSONValue(text: masked.body["info"]?.text ?? ""))
      let parts = try #require(try await bench.store.job(inside["job"]?.text ?? "")).painted()
      #expect(parts.filters?.first?.arguments["blur"] == .number(8))
      for wrong in ["http://127.0.0.1/x.png", "%%%", ""] {
        let refused = try await send(
          client, "/sdapi/v1/img2img",
          .object(["prompt": .string("a"), "init_images": .array([.string(wrong)])]))
        #expect(refused.status == 422)
        #expect(refused.body["detail"]?.text.isEmpty == false)
      }
    }
  }

  @Test("interrupt keeps what there is, and progress tells of it before")
  func interrupt() async throws {
    let worker = FakeWorker()
    worker.script("a fox", [.wait])
    try await withClient(worker) { client, bench in
      async let painted = send(
        client, "/sdapi/v1/txt2img", .object(["prompt": .string("a fox")]))
      try await wait(for: "the first step to be told") {
        let state = try await send(client, "/sdapi/v1/progress").body["state"]
        return state?["sampling_step"] != .integer(0)
      }
      let progress = try await send(client, "/sdapi/v1/progress").body
      #expect(progress["state"]?["sampling_steps"] == .integer(3))
      #expect(try await send(client, "/sdapi/v1/interrupt", .object([:])).status == 200)
      let answer = try await painted
      #expect(answer.status == 200)
      #expect(try Self.decoded(answer.body["images"]?[0]).width == 16)
    }
  }

  @Test("png-info and extra-single-image work on the picture that is sent")
  func pictures() async throws {
    let picture = try Self.picture().base64EncodedString()
    try await withClient { client, _ in
      let info = try await send(
        client, "/sdapi/v1/png-info", .object(["image": .string(picture)])
      ).body
      #expect(info["info"]?.text.hasPrefix("a cat") == true)
      #expect(info["parameters"]?["Seed"] == .string("3"))
      let large = try await send(
        client, "/sdapi/v1/extra-single-image",
        .object([
          "image": .string(picture), "upscaling_resize": .number(3),
          "upscaler_1": .string("Lanczos"),
        ])
      ).body
      #expect(try Self.decoded(large["image"]).width == 48)
      let huge = try await send(
        client, "/sdapi/v1/extra-single-image",
        .object(["image": .string(picture), "upscaling_resize": .number(1e9)]))
      #expect(huge.status == 422)
    }
  }

  @Test(
    "lists are there",
    arguments: [
      "samplers", "schedulers", "sd-models", "upscalers", "prompt-styles", "options", "cmd-flags",
      "memory", "progress", "loras",
    ])
  func lists(_ name: String) async throws {
    try await withClient { client, _ in
      let answer = try await send(client, "/sdapi/v1/\(name)")
      #expect(answer.status == 200)
      if case .string = answer.body { Issue.record("no JSON") }
    }
  }
}
