import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging
import Library
import Logging
import Painting
import Torch

/// AUTOMATIC1111's `/sdapi/v1`, as far as its clients use it and the methods go.
///
/// Samplers stand for methods: `sampler_name` chooses one by its name or title; of others, and of keys
/// that are not known, a warning goes to the log and nothing else happens.
struct A1111: Sendable {
  let waiting: SynchronousJobs
  let permits: Permits
  let interrogator: Interrogator?
  private var queue: JobQueue { waiting.queue }
  private var admission: JobFactory { waiting.admission }

  /// Adds the routes.
  func add(to router: Router<StudioContext>) {
    router.post("/sdapi/v1/txt2img") { request, context in
      try await paint(request, context) { _ in nil }
    }
    router.post("/sdapi/v1/img2img") { request, context in
      try await paint(request, context) { fields in
        guard let image = try fields.texts("init_images").first else {
          throw RequestError.badValue(field: "init_images", reason: "must have a picture")
        }
        return image
      }
    }
    router.get("/sdapi/v1/progress") { request, _ in Response.json(try await progress(request)) }
    for name in ["interrupt", "skip"] {
      router.post("/sdapi/v1/\(name)") { _, _ in
        if let job = try await current() { _ = try await queue.cancel(job.id, keep: true) }
        return Response.json(.object([:]))
      }
    }
    router.post("/sdapi/v1/png-info") { request, _ in
      let permit = try permits.take()
      defer { permit.giveBack() }
      var fields = try Fields(await request.bytes(limit: A1111.limit))
      return Response.json(try Self.info(of: Self.data(fields.text("image"), field: "image")))
    }
    router.post("/sdapi/v1/interrogate") { request, _ in
      let permit = try permits.take()
      defer { permit.giveBack() }
      var fields = try Fields(await request.bytes(limit: A1111.limit))
      return Response.json(.object(["caption": .string(try await caption(&fields))]))
    }
    router.post("/sdapi/v1/extra-single-image") { request, _ in
      let permit = try permits.take()
      defer { permit.giveBack() }
      var fields = try Fields(await request.bytes(limit: A1111.limit))
      return Response.json(try Self.enlarged(&fields))
    }
    addLists(to: router)
  }

  static let limit = 32 << 20

  // MARK: Painting

  private func paint(
    _ request: HummingbirdCore.Request, _ context: StudioContext,
    _ begin: @Sendable @escaping (inout Fields) throws -> String?
  ) async throws -> Response {
    try await waiting.attending(request, limit: Self.limit) { data in
      var fields = try Fields(data)
      var painted = Painting.Request(try fields.text("prompt") ?? "")
      if let image = try begin(&fields) {
        let file = try Self.data(image, field: "init_images")
        painted.initImage = try await Inputs(queue: queue).keep(file, name: "init")
        if let mask = try await mask(&fields) {
          painted.filters = [mask]
        }
      }
      let strength =
        painted.initImage == nil ? nil : try fields.number("denoising_strength") ?? 0.75
      let job = try read(&fields, &painted, strength: strength)
      let isWanted = try fields.truth("send_images") ?? true
      for name in Self.harmless { _ = fields.value(name) }
      if !fields.ignored.isEmpty {
        context.logger.warning(
          "keys left aside", metadata: ["keys": "\(fields.ignored.prefix(32))"])
      }
      let outcome = try await waiting.paint(job)
      let images =
        try isWanted
        ? outcome.pictures.map { JSONValue.string(try waiting.file($0).base64EncodedString()) } : []
      return .json(
        .object([
          "images": .array(images), "parameters": fields.all,
          "info": .string(try info(of: outcome).json),
        ]))
    }
  }

  /// The part of the picture that is painted, where a client sends a mask: white is.
  private func mask(_ fields: inout Fields) async throws -> PartSpec? {
    let blur = try fields.number("mask_blur") ?? 4
    let isInverted = try fields.integer("inpainting_mask_invert") ?? 0 != 0
    guard let text = try fields.text("mask"), !text.isEmpty else { return nil }
    var data = try Self.data(text, field: "mask")
    if isInverted {
      let mask = try Picture(decoding: data, name: "The mask", limits: Inputs.limits)
      data = try Picture(1 - mask.tensor()).encoded(as: .png())
    }
    let file = try await Inputs(queue: queue).keep(data, name: "mask")
    return PartSpec("inpaint", ["mask": file.value, "blur": .number(min(64, max(0, blur)))])
  }

  /// Keys that clients send and whose values change nothing here, without a word in the log.
  private static let harmless = [
    "override_settings", "override_settings_restore_afterwards", "save_images",
    "do_not_save_samples", "do_not_save_grid", "script_args", "alwayson_scripts", "comments",
    "disable_extra_networks", "include_init_images", "inpainting_fill", "inpaint_full_res",
    "inpaint_full_res_padding", "initial_noise_multiplier", "inpainting_mask_invert", "mask_blur",
  ]

  private func read(
    _ fields: inout Fields, _ request: inout Painting.Request, strength: Double?
  ) throws -> Store.NewJob {
    if let away = try fields.text("negative_prompt"), !away.isEmpty {
      request.prompt += " | \(away):-0.5"
    }
    for name in ["width", "height"] {
      if let side = try fields.integer(name) { try request.set(name, .integer(side)) }
    }
    if let seed = try fields.integer("seed"), seed >= 0 { try request.set("seed", .integer(seed)) }
    let sampler = try fields.text("sampler_name") ?? fields.text("sampler_index")
    if let method = sampler.flatMap(method(named:)) { request.method = method.id }
    let takesSteps = (try? admission.resolver.method(for: request))?.takes("iterations") ?? true
    if let steps = try fields.integer("steps"), takesSteps {
      // As in AUTOMATIC1111, less is done the more of the first picture is to stay.
      let share = strength.map { min(1, max(0, $0)) } ?? 1
      try request.set("iterations", .integer(max(1, Int(Double(steps) * share))))
    }
    // Only where the method was chosen: every client sends a scale that suits another one.
    if let scale = try fields.number("cfg_scale"),
      admission.registry.method(request.method)?.takes("conditionScale") == true
    {
      try request.set("conditionScale", .number(scale))
    }
    let count = try (fields.integer("batch_size") ?? 1) * min(64, fields.integer("n_iter") ?? 1)
    let known = Set(admission.presets.files.keys)
    let styles = try fields.texts("styles").filter(known.contains)
    return try admission.job(request, count: count, presets: styles, source: .a1111)
  }

  private func method(named name: String) -> Method? {
    admission.registry.methods.first {
      [$0.id.rawValue, $0.samplerName.lowercased()].contains(name.lowercased())
    }
  }

  private func info(of outcome: SynchronousJobs.Outcome) throws -> JSONValue {
    let request = try outcome.job.painted()
    let seeds = outcome.pictures.map(\.seed)
    let texts = try outcome.pictures.map { try Metadata(json: $0.metadata).infotext }
    let steps = request.iterations ?? request.candidates ?? 0
    return .object([
      "prompt": .string(outcome.job.prompt),
      "all_prompts": .array(seeds.map { _ in .string(outcome.job.prompt) }),
      "negative_prompt": .string(""),
      "all_negative_prompts": .array(seeds.map { _ in .string("") }),
      "seed": JSONValue(seeds.first), "all_seeds": .array(seeds.map(JSONValue.integer)),
      "subseed": .integer(-1), "all_subseeds": .array(seeds.map { _ in .integer(-1) }),
      "subseed_strength": .integer(0), "width": JSONValue(request.width),
      "height": JSONValue(request.height),
      "sampler_name": .string(admission.registry.method(request.method)?.samplerName ?? ""),
      "cfg_scale": request.arguments["conditionScale"] ?? .null, "steps": .integer(steps),
      "batch_size": .integer(seeds.count), "restore_faces": .bool(false),
      "sd_model_name": .string(admission.pack.manifest.id), "sd_model_hash": .string(""),
      "styles": .array(outcome.job.presetNames.map(JSONValue.string)),
      "infotexts": .array(texts.map(JSONValue.string)),
      "job_timestamp": .string("\(Int(outcome.job.created))"), "clip_skip": .integer(1),
      "is_using_inpainting_conditioning": .bool(false), "extra_generation_params": .object([:]),
      "index_of_first_image": .integer(0), "version": .string("reverie \(Program.version)"),
      "job": .string(outcome.job.id),
    ])
  }

  /// The job that is being painted for one of these clients.
  private func current() async throws -> Job? {
    let page = try await queue.store.jobs([.painting], after: nil, limit: 20)
    return page.jobs.first { $0.source == .a1111 } ?? page.jobs.first
  }

  private func progress(_ request: HummingbirdCore.Request) async throws -> JSONValue {
    let job = try await current()
    let live: JobQueue.Live? = if let job { await queue.live(job.id) } else { nil }
    let step = live?.progress?.step ?? 0
    let total = live?.progress?.total ?? 0
    let isSkipped = try request.flag("skip_current_image")
    let preview = isSkipped ? nil : job.flatMap { queue.bus.preview(of: $0.id) }
    return .object([
      "progress": .number(total > 0 ? min(0.99, Double(step) / Double(total)) : 0),
      "eta_relative": .number(live?.eta ?? 0),
      "state": .object([
        "skipped": .bool(false), "interrupted": .bool(false), "stopping_generation": .bool(false),
        "job": .string(job?.id ?? ""), "job_count": .integer(job?.count ?? 0),
        "job_timestamp": .string(job.map { "\(Int($0.created))" } ?? "0"),
        "job_no": .integer((live?.progress?.picture ?? 1) - 1),
        "sampling_step": .integer(step), "sampling_steps": .integer(total),
      ]),
      "current_image": JSONValue(preview?.jpeg.base64EncodedString()), "textinfo": .null,
    ])
  }

  // MARK: Pictures

  /// The bytes of a picture as base64 or data URL. Nothing is fetched from anywhere.
  private static func data(_ text: String?, field: String) throws -> Data {
    guard let text, !text.isEmpty else {
      throw RequestError.badValue(field: field, reason: "must be a picture as base64")
    }
    guard !text.hasPrefix("http:"), !text.hasPrefix("https:") else {
      throw RequestError.badValue(
        field: field, reason: "must be the picture itself: nothing is fetched for a client")
    }
    let plain =
      text.hasPrefix("data:") ? text.drop { $0 != "," }.dropFirst() : Substring(text)
    guard let data = Data(base64Encoded: String(plain), options: .ignoreUnknownCharacters) else {
      throw RequestError.badValue(field: field, reason: "is not base64")
    }
    return data
  }

  private static func info(of data: Data) throws -> JSONValue {
    _ = try Picture(decoding: data, name: "The picture", limits: Inputs.limits)
    let texts = try PictureMetadata.read(from: data)
    let line = texts.last { $0.keyword == Metadata.infotextKeyword }?.text ?? ""
    let items = Dictionary(texts.map { ($0.keyword, JSONValue.string($0.text)) }) { $1 }
    return .object([
      "info": .string(line), "items": .object(items),
      "parameters": .object(ForeignSettings.infotext(line) ?? [:]),
    ])
  }

  /// The nearest concepts of CLIP; which interrogator is asked for makes no difference.
  private func caption(_ fields: inout Fields) async throws -> String {
    let data = try Self.data(fields.text("image"), field: "image")
    guard let interrogator else {
      throw Problem(.notImplemented, "This studio has no program that describes pictures.")
    }
    let file = try await Inputs(queue: queue).keep(data, name: "interrogated")
    guard let input = try await queue.store.input(file.sha256) else {
      throw Problem.notFound("file of this picture")
    }
    return try await interrogator.caption(
      of: queue.folder.input(input.sha256, ending: input.ending))
  }

  private static func enlarged(_ fields: inout Fields) throws -> JSONValue {
    let picture = try Picture(
      decoding: data(fields.text("image"), field: "image"), name: "The picture",
      limits: Inputs.limits)
    let scale = try fields.number("upscaling_resize") ?? 2
    guard (0.1...8).contains(scale) else {
      throw RequestError.badValue(field: "upscaling_resize", reason: "must be from 0.1 to 8")
    }
    let filter: ResamplingFilter =
      try fields.text("upscaler_1")?.lowercased() == "nearest" ? .nearest : .lanczos3
    let width = max(1, Int(Double(picture.width) * scale))
    let height = max(1, Int(Double(picture.height) * scale))
    guard width <= 8192, height <= 8192 else {
      throw RequestError.badValue(
        field: "upscaling_resize", reason: "makes a picture of more than 8192 pixels")
    }
    let data = try picture.resized(width: width, height: height, filter: filter)
      .encoded(as: .png())
    return .object(["html_info": .string(""), "image": .string(data.base64EncodedString())])
  }

  // MARK: Lists

  private func addLists(to router: Router<StudioContext>) {
    let manifest = admission.pack.manifest
    let title = "\(manifest.id) \(manifest.version)"
    func get(_ path: String, _ value: @Sendable @escaping () throws -> JSONValue) {
      router.get(RouterPath("/sdapi/v1/\(path)")) { _, _ in Response.json(try value()) }
    }
    get("samplers") {
      .array(
        admission.registry.methods.filter(admission.resolver.isAvailable).map {
          .object([
            "name": .string($0.samplerName), "aliases": .array([.string($0.id.rawValue)]),
            "options": .object([:]),
          ])
        })
    }
    get("schedulers") {
      .array([
        .object([
          "name": .string("automatic"), "label": .string("Automatic"), "aliases": .null,
          "default_rho": .number(-1), "need_inner_model": .bool(false),
        ])
      ])
    }
    get("sd-models") {
      .array([
        .object([
          "title": .string(title), "model_name": .string(manifest.id), "hash": .null,
          "sha256": JSONValue(manifest.files["vqgan.safetensors"]?.sha256),
          "filename": .string(manifest.id), "config": .null,
        ])
      ])
    }
    get("upscalers") {
      .array(
        ["None", "Lanczos", "Nearest"].map {
          .object([
            "name": .string($0), "model_name": .null, "model_path": .null, "model_url": .null,
            "scale": .integer(4),
          ])
        })
    }
    get("prompt-styles") {
      .array(
        admission.presets.files.keys.sorted().compactMap { name in
          guard let preset = try? admission.presets.preset(name) else { return nil }
          return .object([
            "name": .string(name), "prompt": .string(preset.prompt ?? ""),
            "negative_prompt": .string(""),
          ])
        })
    }
    let settings: JSONValue = .object([
      "sd_model_checkpoint": .string(title), "samples_format": .string("png"),
      "CLIP_stop_at_last_layers": .integer(1), "sd_vae": .string("Automatic"),
    ])
    get("options") { settings }
    router.post("/sdapi/v1/options") { request, context in
      let fields = try Fields(await request.bytes(limit: 1 << 20))
      context.logger.warning(
        "options left aside", metadata: ["keys": "\(fields.ignored.prefix(32))"])
      return Response.json(.null)
    }
    get("cmd-flags") { .object(["api": .bool(true), "nowebui": .bool(false)]) }
    get("memory") {
      .object([
        "ram": .object(["used": JSONValue(Metrics.residentBytes)]), "cuda": .object([:]),
      ])
    }
    for name in ["loras", "embeddings", "hypernetworks", "face-restorers", "sd-vae"] {
      get(name) { name == "embeddings" ? .object(["loaded": .object([:])]) : .array([]) }
    }
  }
}
