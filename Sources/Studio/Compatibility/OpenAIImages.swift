import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging
import NIOCore
import Painting

/// OpenAI's Images API: generations with streaming, edits and variations as far as the methods go,
/// models.
///
/// Beyond it these keys are read: `seed`, `method`, `steps`, `negative_prompt`, `cfg_scale`, `presets`.
/// What is not known is left aside and named in the header `X-Reverie-Ignored`.
struct OpenAIImages: Sendable {
  let waiting: SynchronousJobs
  private var queue: JobQueue { waiting.queue }
  private var admission: JobFactory { waiting.admission }

  /// Adds the routes.
  func add(to router: Router<StudioContext>) {
    router.post("/v1/images/generations") { request, _ in try await generate(request) }
    router.post("/v1/images/edits") { request, _ in
      try await fromPicture(request, event: "image_edit") { fields, files in
        guard let file = files["image"] ?? files["image[]"] else {
          throw RequestError.badValue(field: "image", reason: "is missing")
        }
        var painted = Painting.Request(try fields.text("prompt") ?? "")
        painted.initImage = file
        if let mask = files["mask"] {
          painted.filters = [PartSpec("inpaint", ["mask": mask.value])]
        }
        return painted
      }
    }
    router.post("/v1/images/variations") { request, _ in
      try await fromPicture(request, event: "image_variation") { _, files in
        guard let file = files["image"] else {
          throw RequestError.badValue(field: "image", reason: "is missing")
        }
        // Begun from the picture and drawn to what CLIP sees in it.
        var painted = Painting.Request("")
        painted.initImage = file
        painted.prompts = [Prompt(.image(file))]
        return painted
      }
    }
    router.get("/v1/models") { _, _ in Response.json(models) }
    router.get("/v1/models/{id}") { _, context in
      let id = context.parameters.get("id") ?? ""
      guard names.contains(id) else { throw Problem.notFound("model '\(id.prefix(80))'") }
      return Response.json(model(id))
    }
  }

  // MARK: Models

  /// `reverie` and the methods that can paint.
  private var names: [String] {
    ["reverie"]
      + admission.registry.methods.filter(admission.resolver.isAvailable).map(\.id.rawValue)
  }

  private var models: JSONValue {
    .object(["object": .string("list"), "data": .array(names.map(model))])
  }

  private func model(_ id: String) -> JSONValue {
    .object([
      "id": .string(id), "object": .string("model"), "created": .integer(1_700_000_000),
      "owned_by": .string("reverie"),
    ])
  }

  // MARK: Reading

  /// How pictures are wanted back.
  private struct Form: Sendable {
    var count = 1
    var asURL = false
    var format = "png"
    var compression = 100
    var partial = 0
    var isStream = false
    var quality = "auto"
    var size: String?
    var event = "image_generation"
    var ignored: [String] = []
  }

  private static let qualities: [String: String] = [
    "low": "draft", "medium": "normal", "standard": "normal", "high": "better", "hd": "best",
  ]

  /// Reads what both JSON and multipart requests have.
  private func read(_ fields: inout Fields, _ request: inout Painting.Request) throws -> (
    Form, Store.NewJob
  ) {
    var form = Form()
    form.count = try fields.integer("n") ?? 1
    guard (1...10).contains(form.count) else {
      throw RequestError.badValue(field: "n", reason: "must be from 1 to 10")
    }
    if let size = try fields.text("size"), size != "auto" {
      let sides = size.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard sides.count == 2, let width = sides[0], let height = sides[1] else {
        throw RequestError.badValue(field: "size", reason: "must be auto or as 512x512")
      }
      try named("size") {
        try request.set("width", .integer(width))
        try request.set("height", .integer(height))
      }
    }
    switch try fields.text("response_format") {
    case nil, "b64_json": break
    case "url": form.asURL = true
    default:
      throw RequestError.badValue(field: "response_format", reason: "must be url or b64_json")
    }
    form.format = try fields.text("output_format") ?? "png"
    guard ["png", "jpeg", "webp"].contains(form.format) else {
      throw RequestError.badValue(field: "output_format", reason: "must be png, jpeg or webp")
    }
    form.compression = try fields.integer("output_compression") ?? 100
    guard (0...100).contains(form.compression) else {
      throw RequestError.badValue(field: "output_compression", reason: "must be from 0 to 100")
    }
    form.partial = try fields.integer("partial_images") ?? 0
    guard (0...3).contains(form.partial) else {
      throw RequestError.badValue(field: "partial_images", reason: "must be from 0 to 3")
    }
    form.isStream = try fields.truth("stream") ?? false
    form.quality = try fields.text("quality") ?? "auto"
    var presets = try fields.texts("presets")
    if let preset = Self.qualities[form.quality] { presets.append(preset) }
    // Read for good manners: they change nothing here.
    for name in ["background", "moderation", "style", "user", "input_fidelity"] {
      _ = try fields.text(name)
    }
    let model = try fields.text("model")
    let method =
      try fields.text("method")
      ?? (model.flatMap { admission.registry.methodNames.contains($0) ? $0 : nil })
    if let method { try request.set("method", .string(method)) }
    if let seed = try fields.integer("seed"), seed >= 0 { try request.set("seed", .integer(seed)) }
    if let steps = try fields.integer("steps") {
      try named("steps") { try request.set("iterations", .integer(steps)) }
    }
    if let scale = try fields.number("cfg_scale") {
      try named("cfg_scale") { try request.set("conditionScale", .number(scale)) }
    }
    if let away = try fields.text("negative_prompt"), !away.isEmpty {
      request.prompt += " | \(away):-0.5"
    }
    form.ignored = fields.ignored
    return (
      form,
      try admission.job(request, count: form.count, presets: presets, source: .openai)
    )
  }

  /// Lets errors name the field as the client calls it.
  private func named(_ field: String, _ body: () throws -> Void) throws {
    do { try body() } catch RequestError.badValue(_, let reason) {
      throw RequestError.badValue(field: field, reason: reason)
    }
  }

  private func generate(_ request: HummingbirdCore.Request) async throws -> Response {
    try await waiting.attending(request, limit: 1 << 20) { data in
      var fields = try Fields(data)
      guard let prompt = try fields.text("prompt") else {
        throw RequestError.badValue(field: "prompt", reason: "is missing")
      }
      var painted = Painting.Request(prompt)
      let (form, job) = try read(&fields, &painted)
      return try await answer(form, job, request)
    }
  }

  private func fromPicture(
    _ request: HummingbirdCore.Request, event: String,
    _ make: @Sendable @escaping (inout Fields, [String: FileReference]) throws -> Painting.Request
  ) async throws -> Response {
    let type = request.headers[.contentType] ?? ""
    return try await waiting.attending(request, limit: FileOperations.limit) { data in
      let body = try Multipart(data, type: type)
      var values: [String: JSONValue] = [:]
      var files: [String: FileReference] = [:]
      for part in body.parts {
        if part.fileName != nil || ["image", "image[]", "mask"].contains(part.name) {
          guard files[part.name] == nil else { continue }
          do {
            files[part.name] = try await Inputs(queue: queue).keep(
              part.data, name: part.fileName ?? part.name)
          } catch let error as ImagingError {
            throw RequestError.badValue(
              field: part.name, reason: "cannot be read: \(error)")
          }
        } else {
          values[part.name] = .string(String(decoding: part.data, as: UTF8.self))
        }
      }
      var fields = Fields(values)
      var painted = try make(&fields, files)
      var (form, job) = try read(&fields, &painted)
      form.event = event
      return try await answer(form, job, request)
    }
  }

  // MARK: Answering

  private func answer(
    _ form: Form, _ job: Store.NewJob, _ request: HummingbirdCore.Request
  ) async throws -> Response {
    var headers = HTTPFields()
    if !form.ignored.isEmpty, let name = HTTPField.Name("X-Reverie-Ignored") {
      headers[name] = form.ignored.map { $0.filter { $0.isASCII && !$0.isNewline } }.prefix(32)
        .joined(separator: ", ")
    }
    if form.isStream { return stream(form, job, headers) }
    let outcome = try await waiting.paint(job)
    let host = request.head.authority ?? "localhost"
    let data = try outcome.pictures.map { picture -> JSONValue in
      var fields: [String: JSONValue] = [
        "seed": .integer(picture.seed), "job": .string(picture.job),
        "picture": .string(picture.id),
      ]
      if form.asURL {
        fields["url"] = .string("http://\(host)/api/v1/pictures/\(picture.id)/file")
      } else {
        fields["b64_json"] = .string(try encoded(picture, form).base64EncodedString())
      }
      return .object(fields)
    }
    return .json(
      .object([
        "created": .integer(Int(outcome.job.created)), "data": .array(data),
        "output_format": .string(form.format), "quality": .string(form.quality),
        "size": .string(size(of: outcome.pictures.first)), "background": .string("opaque"),
        "usage": Self.usage,
      ]), .ok, headers)
  }

  private static let usage = JSONValue.object([
    "input_tokens": .integer(0), "output_tokens": .integer(0), "total_tokens": .integer(0),
    "input_tokens_details": .object(["image_tokens": .integer(0), "text_tokens": .integer(0)]),
  ])

  private func size(of picture: PictureRecord?) -> String {
    picture.map { "\($0.width)x\($0.height)" } ?? "auto"
  }

  private func encoded(_ picture: PictureRecord, _ form: Form) throws -> Data {
    let data = try waiting.file(picture)
    if form.format == "png" { return data }
    let texts = try Metadata(json: picture.metadata).texts()
    return try Self.encode(Picture(decoding: data), form, texts)
  }

  private static func encode(_ picture: Picture, _ form: Form, _ texts: [PictureText] = [])
    throws -> Data
  {
    switch form.format {
    case "jpeg": try picture.encoded(as: .jpeg(quality: max(1, form.compression), texts: texts))
    case "webp": try picture.encoded(as: .webp(quality: form.compression, texts: texts))
    default: try picture.encoded(as: .png(texts: texts))
    }
  }

  private func stream(_ form: Form, _ job: Store.NewJob, _ headers: HTTPFields) -> Response {
    var headers = headers
    headers[.contentType] = "text/event-stream"
    let size = "\(job.request.width ?? 0)x\(job.request.height ?? 0)"
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        func send(_ kind: String, _ more: [String: JSONValue]) async throws {
          var fields: [String: JSONValue] = [
            "type": .string("\(form.event).\(kind)"), "background": .string("opaque"),
            "created_at": .integer(Int(Date().timeIntervalSince1970)),
            "output_format": .string(form.format), "quality": .string(form.quality),
            "size": .string(size),
          ]
          fields.merge(more) { $1 }
          let data = JSONValue.object(fields).json
          try await writer.write(
            ByteBuffer(string: "event: \(form.event).\(kind)\ndata: \(data)\n\n"))
        }
        do {
          var sent = 0
          let outcome = try await waiting.paint(job) { sight in
            guard case .preview(let preview, let done) = sight, sent < form.partial,
              done >= Double(sent + 1) / Double(form.partial + 1)
            else { return }
            let data = try Self.encode(Picture(decoding: preview.jpeg), form)
            try await send(
              "partial_image",
              [
                "b64_json": .string(data.base64EncodedString()),
                "partial_image_index": .integer(sent),
              ])
            sent += 1
          }
          for picture in outcome.pictures {
            try await send(
              "completed",
              [
                "b64_json": .string(try encoded(picture, form).base64EncodedString()),
                "usage": Self.usage, "seed": .integer(picture.seed),
                "job": .string(picture.job),
              ])
          }
        } catch let problem as Problem {
          let error = JSONValue.object([
            "error": .object([
              "message": .string(problem.detail), "type": .string("server_error"),
              "param": JSONValue(problem.field), "code": .null,
            ])
          ])
          try await writer.write(ByteBuffer(string: "event: error\ndata: \(error.json)\n\n"))
        }
        try await writer.finish(nil)
      })
  }
}
