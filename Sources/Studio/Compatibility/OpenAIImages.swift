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
      try await fromPictures(request, event: "image_edit") { fields, pictures in
        var painted = Painting.Request(try fields.text("prompt") ?? "")
        let files = pictures.images
        painted.initImage = files[0]
        // Of several, the first is begun from and the result is to be like the others, too.
        if files.count > 1 { painted.prompts = files.dropFirst().map { Prompt(.image($0)) } }
        if let mask = pictures.mask {
          painted.filters = [PartSpec("inpaint", ["mask": mask.value])]
        }
        return painted
      }
    }
    router.post("/v1/images/variations") { request, _ in
      try await fromPictures(request, event: "image_variation") { _, pictures in
        // Begun from the picture and drawn to what CLIP sees in it.
        var painted = Painting.Request("")
        painted.initImage = pictures.images[0]
        painted.prompts = [Prompt(.image(pictures.images[0]))]
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

  /// Fields of a request as these clients call them.
  private static let names = [
    "iterations": "steps", "count": "n", "conditionScale": "cfg_scale", "initImage": "image",
    "filters": "mask", "inpaint": "mask", "prompts": "image", "negativePrompt": "negative_prompt",
    "width": "size", "height": "size",
  ]

  /// Reads what both JSON and multipart requests have.
  private func read(_ fields: inout Fields, _ request: inout Painting.Request) throws -> (
    Form, Store.NewJob
  ) {
    var form = Form()
    form.count = try fields.integer("n", in: 1...10) ?? 1
    if let size = try fields.text("size"), size != "auto" {
      let sides = size.lowercased().replacing("×", with: "x")
        .split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard sides.count == 2, let width = sides[0], let height = sides[1] else {
        throw RequestError.badValue(field: "size", reason: "must be auto or as 512x512")
      }
      try naming(Self.names) {
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
    form.compression = try fields.integer("output_compression", in: 0...100) ?? 100
    form.partial = try fields.integer("partial_images", in: 0...3) ?? 0
    form.isStream = try fields.truth("stream") ?? false
    form.quality = try fields.text("quality") ?? "auto"
    var presets = try fields.texts("presets")
    if let preset = Self.qualities[form.quality] { presets.append(preset) }
    // Read for good manners: they change nothing here.
    for name in ["background", "moderation", "style", "user", "input_fidelity"] {
      _ = try fields.text(name)
    }
    var names = Self.names
    if let method = try fields.text("method") {
      try request.set("method", .string(method))
    } else if let model = try fields.text("model"), admission.registry.methodNames.contains(model) {
      try request.set("method", .string(model))
      names["method"] = "model"
    }
    _ = fields.value("model")
    let seeds = -Seed.range.upperBound...Seed.range.upperBound
    if let seed = try fields.integer("seed", in: seeds), seed >= 0 {
      try request.set("seed", .integer(seed))
    }
    if let steps = try fields.integer("steps", in: 1...100_000) {
      try request.set("iterations", .integer(steps))
    }
    if let scale = try fields.number("cfg_scale", in: -1_000...1_000) {
      try request.set("conditionScale", .number(scale))
    }
    if let text = try fields.text("negative_prompt") {
      try naming(names) { try request.set("negativePrompt", .string(text)) }
    }
    form.ignored = fields.ignored
    let job = try naming(names) {
      try admission.job(request, count: form.count, presets: presets, source: .openai)
    }
    return (form, job)
  }

  private func generate(_ request: HummingbirdCore.Request) async throws -> Response {
    try await waiting.answering(request, limit: 1 << 20) { data, caller in
      var fields = try Fields(data)
      guard let prompt = try fields.text("prompt") else {
        throw RequestError.badValue(field: "prompt", reason: "is missing")
      }
      var painted = Painting.Request(prompt)
      let (form, job) = try read(&fields, &painted)
      return try await answer(form, job, request, caller)
    }
  }

  /// The pictures of a request.
  private struct Pictures {
    /// At least one.
    var images: [FileReference] = []
    /// Where it is painted, by OpenAI's rule: where it is clear; one without clear pixels, where it is white.
    var mask: FileReference?
  }

  private func fromPictures(
    _ request: HummingbirdCore.Request, event: String,
    _ make: @Sendable @escaping (inout Fields, Pictures) throws -> Painting.Request
  ) async throws -> Response {
    let type = request.headers[.contentType] ?? ""
    return try await waiting.answering(request, limit: FileOperations.limit) { data, caller in
      var (fields, sent) =
        type.lowercased().hasPrefix("application/json")
        ? try Self.fromJSON(data) : try Self.fromForm(Multipart(data, type: type))
      guard let first = sent.images.first else {
        throw RequestError.badValue(field: "image", reason: "is missing")
      }
      guard sent.images.count <= 16 else {
        throw RequestError.badValue(field: "image", reason: "must be at most 16 pictures")
      }
      let inputs = Inputs(queue: queue)
      var pictures = Pictures()
      for image in sent.images {
        pictures.images.append(try await inputs.keep(image.data, field: "image", name: image.name))
      }
      if let mask = sent.mask {
        pictures.mask = try await inputs.keep(mask.data, field: "mask", name: mask.name)
      } else if try Self.hasHoles(first.data) {
        pictures.mask = pictures.images[0]
      }
      var painted = try make(&fields, pictures)
      var (form, job) = try read(&fields, &painted)
      form.event = event
      return try await answer(form, job, request, caller)
    }
  }

  /// Whether a picture has clear pixels, which then are its mask.
  private static func hasHoles(_ data: Data) throws -> Bool {
    let picture = try Picture(decoding: data, name: "The picture", limits: Inputs.limits)
    guard picture.hasAlpha else { return false }
    let bytes = picture.bytes
    return stride(from: 3, to: bytes.count, by: 4).contains { bytes[$0] < 128 }
  }

  /// A picture as it was sent.
  private typealias Sent = (name: String, data: Data)

  /// `image`, `image[]` and `image[0]`, as files, data URLs or base64; `mask`; and texts.
  private static func fromForm(_ form: Multipart) throws -> (
    Fields, (images: [Sent], mask: Sent?)
  ) {
    var values: [String: JSONValue] = [:]
    var images: [(place: Int, sent: Sent)] = []
    var mask: Sent?
    for part in form.parts {
      let match = part.name.wholeMatch(of: /image(?:\[(\d{0,4})\])?/)
      guard match != nil || part.name == "mask" else {
        values[part.name] = .string(String(decoding: part.data, as: UTF8.self))
        continue
      }
      let field = match == nil ? "mask" : "image"
      let sent = (
        name: part.fileName ?? field, data: try Self.bytes(of: part.data, field: field)
      )
      if let match {
        let place = match.output.1.flatMap { Int($0) } ?? 0
        images.append((place, sent))
      } else {
        mask = mask ?? sent
      }
    }
    // By their places, and in the order in which they came.
    let sorted = images.enumerated().sorted {
      ($0.element.place, $0.offset) < ($1.element.place, $1.offset)
    }
    return (Fields(values), (sorted.map(\.element.sent), mask))
  }

  /// A file's bytes, or what a text of them says.
  private static func bytes(of data: Data, field: String) throws -> Data {
    let head = String(decoding: data.prefix(16), as: UTF8.self)
    let isText = head.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "+/=:;,\r\n ".contains($0))
    }
    guard isText, !data.isEmpty, !data.starts(with: Data("RIFF".utf8)) else { return data }
    return try pictureData(String(decoding: data, as: UTF8.self), field: field)
  }

  /// `images: [{"image_url": "data:…"}]`, or `image` as a text or a list of texts; `mask` likewise.
  private static func fromJSON(_ data: Data) throws -> (Fields, (images: [Sent], mask: Sent?)) {
    var fields = try Fields(data)
    func sent(_ value: JSONValue, _ field: String) throws -> Sent {
      switch value {
      case .string(let text): return (field, try pictureData(text, field: field))
      case .object(let object):
        guard case .string(let text) = object["image_url"] else {
          throw RequestError.badValue(
            field: field, reason: "must have an 'image_url' with the picture as a data URL")
        }
        return (field, try pictureData(text, field: field))
      default:
        throw RequestError.badValue(field: field, reason: "must be a picture as a data URL")
      }
    }
    let given = fields.value("images") ?? fields.value("image")
    var images: [JSONValue] = []
    if case .array(let list) = given { images = list } else if let given { images = [given] }
    let mask = try fields.value("mask").map { try sent($0, "mask") }
    return (fields, (try images.prefix(17).map { try sent($0, "image") }, mask))
  }

  // MARK: Answering

  private func answer(
    _ form: Form, _ job: Store.NewJob, _ request: HummingbirdCore.Request,
    _ caller: SynchronousJobs.Caller
  ) async throws -> Response {
    var headers = HTTPFields()
    if !form.ignored.isEmpty { headers[.ignored] = ignoredNames(form.ignored) }
    if form.isStream { return stream(form, job, headers, caller) }
    let outcome = try await caller.attending { try await waiting.paint([job], names: Self.names) }
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
        "created": .integer(Int(outcome.jobs.first?.created ?? 0)), "data": .array(data),
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

  private func stream(
    _ form: Form, _ job: Store.NewJob, _ headers: HTTPFields, _ caller: SynchronousJobs.Caller
  ) -> Response {
    var headers = headers
    headers[.contentType] = "text/event-stream"
    headers[.init("X-Accel-Buffering").unsafelyUnwrapped] = "no"
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        let events = EventWriter(form: form, job: job, writer: writer)
        do {
          try await caller.attending { try await paint(form, job, events) }
        } catch {
          guard let problem = Problem(error) else { throw error }
          let value = JSONValue.object([
            "error": .object([
              "message": .string(problem.detail), "type": .string("server_error"),
              "param": JSONValue(problem.field), "code": .null,
            ])
          ])
          try await events.write("event: error\ndata: \(value.json)\n\n")
        }
        try await events.finish()
      })
  }

  private func paint(_ form: Form, _ job: Store.NewJob, _ events: EventWriter) async throws {
    var sent = 0
    let outcome = try await waiting.paint(
      [job], names: Self.names,
      see: { sight in
        switch sight {
        case .preview(let preview, let done):
          guard sent < form.partial, done >= Double(sent + 1) / Double(form.partial + 1) else {
            return
          }
          let data = try Self.encode(Picture(decoding: preview.jpeg), form)
          try await events.send(
            "partial_image",
            [
              "b64_json": .string(data.base64EncodedString()),
              "partial_image_index": .integer(sent),
            ])
          sent += 1
        // A comment, which clients skip: proxies end what is silent for a minute.
        case .beat: try await events.write(": still painting\n\n")
        }
      })
    for picture in outcome.pictures {
      try await events.send(
        "completed",
        [
          "b64_json": .string(try encoded(picture, form).base64EncodedString()),
          "usage": Self.usage, "seed": .integer(picture.seed), "job": .string(picture.job),
        ])
    }
  }

  /// Writes the events of a stream.
  private final class EventWriter {
    private let form: Form
    private let size: String
    private var writer: any ResponseBodyWriter

    init(form: Form, job: Store.NewJob, writer: any ResponseBodyWriter) {
      self.form = form
      self.writer = writer
      size = "\(job.request.width ?? 0)x\(job.request.height ?? 0)"
    }

    func send(_ kind: String, _ more: [String: JSONValue]) async throws {
      var fields: [String: JSONValue] = [
        "type": .string("\(form.event).\(kind)"), "background": .string("opaque"),
        "created_at": .integer(Int(Date().timeIntervalSince1970)),
        "output_format": .string(form.format), "quality": .string(form.quality),
        "size": .string(size),
      ]
      fields.merge(more) { $1 }
      try await write("event: \(form.event).\(kind)\ndata: \(JSONValue.object(fields).json)\n\n")
    }

    func write(_ text: String) async throws {
      try await writer.write(ByteBuffer(string: text))
    }

    func finish() async throws { try await writer.finish(nil) }
  }
}
