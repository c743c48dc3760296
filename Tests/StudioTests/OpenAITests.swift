import Foundation
import HTTPTypes
import Imaging
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// OpenAI's Images API as newer clients use it.
@Suite struct OpenAITests {
  @Test(
    "a size is read in the spellings that people write", arguments: ["64x48", "64X48", "64×48"])
  func size(_ size: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/v1/images/generations", .object(["prompt": .string("a"), "size": .string(size)]))
      let request = try await ask.painted(answer)
      #expect((request.width, request.height) == (64, 48))
    }
  }

  @Test(
    "numbers at the edge name OpenAI's field",
    arguments: [
      (#""n":9223372036854775807"#, "n"), (#""n":"inf""#, "n"), (#""n":true"#, "n"),
      (#""size":"9223372036854775808x2""#, "size"), (#""size":"9223372036854775807x64""#, "size"),
      (#""steps":9223372036854775807"#, "steps"), (#""seed":1e300"#, "seed"),
      (#""cfg_scale":"nan""#, "cfg_scale"), (#""partial_images":-1"#, "partial_images"),
      (#""output_compression":1e18"#, "output_compression"),
      (#""method":"dalle","negative_prompt":"fog""#, "method"),
      (#""model":"dalle","size":"64x32""#, "model"),
    ])
  func numbers(_ fields: String, _ field: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask.post("/v1/images/generations", #"{"prompt":"a",\#(fields)}"#)
      #expect((answer.status, answer.field) == (422, field), "\(answer.body)")
      #expect(answer.sentence?.contains("..") == false)
    }
  }

  @Test("a negative prompt is a text, not a part of the prompt")
  func negative() async throws {
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/v1/images/generations", #"{"prompt":"fox","negative_prompt":"blurry | cat:1.2"}"#)
      let request = try await ask.painted(answer)
      #expect((request.prompt, request.negativePrompt) == ("fox", "blurry | cat:1.2"))
    }
  }

  private let red = try? Sample.halves(Sample.red, Sample.red)
  private let white = try? Sample.halves(Sample.white, Sample.white)

  @Test(
    "of several pictures the first is begun from and the others are prompts",
    arguments: [true, false])
  func several(_ hasNumbers: Bool) async throws {
    let (red, white) = (try #require(red), try #require(white))
    try await Asking.with { ask in
      let names = hasNumbers ? ["image[1]", "image[0]"] : ["image[]", "image[]"]
      let first = hasNumbers ? white : red
      let answer = try await ask.form(
        "/v1/images/edits",
        [(names[0], "a.png", red), (names[1], "b.png", white), ("prompt", nil, Data("fox".utf8))])
      #expect(answer.status == 200, "\(answer.body)")
      let request = try await ask.painted(answer)
      let kept = try await Inputs(queue: ask.bench.queue).keep(first, name: "first")
      #expect(request.initImage?.sha256 == kept.sha256)
      #expect(request.prompts?.count == 1)
      #expect(request.filters == [] || request.filters == nil)
    }
  }

  @Test("pictures come as data URLs in forms and in JSON")
  func dataURLs() async throws {
    let red = try #require(red)
    let url = "data:image/png;base64," + red.base64EncodedString()
    try await Asking.with { ask in
      let form = try await ask.form(
        "/v1/images/edits",
        [("image", nil, Data(url.utf8)), ("prompt", nil, Data("fox".utf8))])
      #expect(form.status == 200, "\(form.body)")
      for body in [
        #"{"prompt":"fox","images":[{"image_url":"\#(url)"}]}"#,
        #"{"prompt":"fox","image":"\#(url)"}"#, #"{"prompt":"fox","image":["\#(url)"]}"#,
        #"{"prompt":"fox","image":"\#(url)","mask":{"image_url":"\#(url)"}}"#,
      ] {
        let answer = try await ask.post("/v1/images/edits", body)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(try await ask.painted(answer).initImage != nil)
      }
      for body in [
        #"{"prompt":"fox"}"#, #"{"prompt":"fox","image":[]}"#, #"{"prompt":"fox","image":7}"#,
        #"{"prompt":"fox","image":{"file_id":"x"}}"#, #"{"prompt":"fox","image":"http://x/y.png"}"#,
        #"{"prompt":"fox","image":"aGVsbG8="}"#,
      ] {
        let answer = try await ask.post("/v1/images/edits", body)
        #expect((answer.status, answer.field) == (422, "image"), "\(answer.body)")
      }
    }
  }

  @Test("a picture with holes and no mask is painted in its holes")
  func holes() async throws {
    let holed = try Sample.halves(Sample.red, Sample.clear)
    try await Asking.with { ask in
      let answer = try await ask.form(
        "/v1/images/edits",
        [
          ("image", "a.png", holed), ("prompt", nil, Data("fox".utf8)),
          ("method", nil, Data("fft".utf8)),
        ])
      let request = try await ask.painted(answer)
      let mask = request.filters?.first?.arguments["mask"].flatMap(FileReference.init(json:))
      #expect(mask?.sha256 == request.initImage?.sha256)
      #expect(mask != nil)
    }
  }

  @Test("a stream shows that it is alive while nothing is painted")
  func alive() async throws {
    let worker = FakeWorker()
    worker.script("a fox", [.wait])
    try await Asking.with(worker) { ask in
      async let answer = ask.post("/v1/images/generations", #"{"prompt":"a fox","stream":true}"#)
      try await wait(for: "a listener") { ask.bench.queue.bus.count > 0 }
      ask.bench.queue.bus.beat()
      let job = try await ask.bench.store.jobs([], after: nil, limit: 1).jobs[0]
      try await ask.bench.wait(for: job.id, "being painted") { $0.step != nil }
      _ = try await ask.bench.queue.cancel(job.id, keep: true)
      let text = try await answer.body.text
      #expect(text.hasPrefix(": still painting\n\nevent: image_generation.completed\n"))
    }
  }
}
