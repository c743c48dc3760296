import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Imaging
import Logging
import Painting
import Synchronization

/// AUTOMATIC1111's `/sdapi/v1`, as far as its clients use it and the methods go.
///
/// Samplers stand for methods: `sampler_name` chooses one by its name or title. What a client asks for and does
/// not get is told in `info`, under `notes`, and keys that are not known in the header `X-Reverie-Ignored`.
struct A1111: Sendable {
  let waiting: SynchronousJobs
  let permits: Permits
  let interrogator: Interrogator?
  let options = Options()
  let attendance = Attendance()
  var queue: JobQueue { waiting.queue }
  var admission: JobFactory { waiting.admission }

  static let limit = 32 << 20
  /// Bytes of pictures that one answer has at most.
  private static let mostAnswered = 256 << 20

  /// Adds the routes.
  func add(to router: Router<StudioContext>) {
    router.post("/sdapi/v1/txt2img") { request, context in
      try await paint(request, context, from: nil)
    }
    router.post("/sdapi/v1/img2img") { request, context in
      try await paint(request, context, from: "init_images")
    }
    router.get("/sdapi/v1/progress") { request, _ in Response.json(try await progress(request)) }
    router.post("/sdapi/v1/interrupt") { _, _ in
      try await interrupt()
      return Response.json(.object([:]))
    }
    router.post("/sdapi/v1/skip") { _, _ in
      if let job = try await current() { _ = try await queue.cancel(job.id, keep: true) }
      return Response.json(.null)
    }
    func reading(
      _ path: String, _ answer: @Sendable @escaping (inout Fields) async throws -> JSONValue
    ) {
      router.post(RouterPath("/sdapi/v1/\(path)")) { request, _ in
        let permit = try permits.take()
        defer { permit.giveBack() }
        var fields = try Fields(await request.bytes(limit: Self.limit), .lenient)
        return Response.json(try await answer(&fields))
      }
    }
    reading("png-info") { fields in
      try Self.info(of: pictureData(fields.text("image"), field: "image"))
    }
    router.post("/sdapi/v1/interrogate") { request, _ in
      try await waiting.answering(request, limit: Self.limit) { data, caller in
        var fields = try Fields(data, .lenient)
        let text = try await caller.attending { try await caption(&fields) }
        return Response.json(.object(["caption": .string(text)]))
      }
    }
    reading("extra-single-image") { fields in
      let enlarging = try Enlarging(&fields)
      let image = try enlarging(fields.text("image"), field: "image")
      return .object(["html_info": .string(""), "image": .string(image)])
    }
    reading("extra-batch-images") { fields in
      let enlarging = try Enlarging(&fields)
      guard case .array(let list) = fields.value("imageList"), list.count <= 64 else {
        throw RequestError.badValue(
          field: "imageList", reason: "must be a list of at most 64 pictures")
      }
      var room = Self.mostAnswered
      let images = try list.map { one in
        guard case .object(let member) = one, case .string(let text) = member["data"] else {
          throw RequestError.badValue(field: "imageList", reason: "must have pictures as 'data'")
        }
        let image = try enlarging(text, field: "imageList")
        room -= image.utf8.count
        guard room >= 0 else {
          throw RequestError.badValue(
            field: "imageList",
            reason: "makes more than \(Self.mostAnswered >> 20) MiB of pictures; send fewer at once"
          )
        }
        return JSONValue.string(image)
      }
      return .object(["html_info": .string(""), "images": .array(images)])
    }
    addLists(to: router)
  }

  // MARK: Painting

  private func paint(
    _ request: HummingbirdCore.Request, _ context: StudioContext, from pictures: String?
  ) async throws -> Response {
    try await waiting.answering(request, limit: Self.limit) { data, caller in
      var wish = Wish()
      var fields = try Fields(data, .lenient)
      try await read(&fields, from: pictures, into: &wish)
      let jobs = try jobs(of: &wish)
      var headers = HTTPFields()
      if !fields.ignored.isEmpty {
        context.logger.warning(
          "keys left aside", metadata: ["keys": "\(fields.ignored.prefix(32))"])
        headers[.ignored] = ignoredNames(fields.ignored)
      }
      let outcome: SynchronousJobs.Outcome
      do {
        outcome = try await caller.attending {
          let group = attendance.begin()
          defer { attendance.end(group) }
          return try await waiting.paint(
            jobs, names: Self.names, isWanted: { attendance.add($0, to: group) })
        }
      } catch let error as CancellationError {
        attendance.left()
        throw error
      }
      let images =
        try wish.sendsImages
        ? outcome.pictures.map {
          try JSONValue.string(encoded($0, wish.settings).base64EncodedString())
        }
        : []
      var parameters = fields.all
      if !wish.includesInputs {
        (parameters["init_images"], parameters["mask"]) = (nil, nil)
      }
      return .json(
        .object([
          "images": .array(images), "parameters": .object(parameters),
          "info": .string(try info(of: outcome, wish).json),
        ]), .ok, headers)
    }
  }

  /// A picture in the kind of file that `samples_format` says.
  private func encoded(_ picture: PictureRecord, _ settings: Settings) throws -> Data {
    let data = try waiting.file(picture)
    let texts = try Metadata(json: picture.metadata).texts()
    switch settings.format {
    case "png": return data
    case "webp":
      return try Picture(decoding: data).encoded(
        as: .webp(quality: settings.quality, texts: texts))
    default:
      return try Picture(decoding: data).encoded(
        as: .jpeg(quality: settings.quality, texts: texts))
    }
  }

  private func info(of outcome: SynchronousJobs.Outcome, _ wish: Wish) throws -> JSONValue {
    guard let job = outcome.jobs.first else { return .object([:]) }
    let request = try job.painted()
    let seeds = outcome.pictures.map(\.seed)
    let texts = try outcome.pictures.map { picture in
      // Prompts as they were sent, above the line of what was painted.
      let own = try Metadata(json: picture.metadata).infotext
      let away = wish.negativePrompt.isEmpty ? [] : ["Negative prompt: \(wish.negativePrompt)"]
      let line = own.split(separator: "\n").last.map(String.init) ?? ""
      return ([wish.prompt] + away + [line]).joined(separator: "\n")
    }
    func each(_ value: JSONValue) -> JSONValue { .array(seeds.map { _ in value }) }
    return .object([
      "prompt": .string(wish.prompt), "all_prompts": each(.string(wish.prompt)),
      "negative_prompt": .string(wish.negativePrompt),
      "all_negative_prompts": each(.string(wish.negativePrompt)),
      "seed": JSONValue(seeds.first), "all_seeds": .array(seeds.map(JSONValue.integer)),
      "subseed": .integer(-1), "all_subseeds": each(.integer(-1)),
      "subseed_strength": .integer(0), "width": JSONValue(request.width),
      "height": JSONValue(request.height),
      "sampler_name": .string(admission.registry.method(request.method)?.samplerName ?? ""),
      "cfg_scale": wish.scale.map(JSONValue.number) ?? request.arguments["conditionScale"] ?? .null,
      "steps": .integer(wish.steps ?? request.iterations ?? request.candidates ?? 0),
      "batch_size": .integer(wish.batch), "restore_faces": .bool(false),
      "face_restoration_model": .null, "denoising_strength": JSONValue(wish.strength),
      "sd_model_name": .string(request.model ?? admission.pack.manifest.id),
      "sd_model_hash": .string(""), "sd_vae_name": .null, "sd_vae_hash": .null,
      "seed_resize_from_w": .integer(-1), "seed_resize_from_h": .integer(-1),
      "styles": .array(job.presetNames.map(JSONValue.string)),
      "infotexts": .array(texts.map(JSONValue.string)),
      "job_timestamp": .string("\(Int(job.created))"), "clip_skip": .integer(1),
      "is_using_inpainting_conditioning": .bool(false), "extra_generation_params": .object([:]),
      "index_of_first_image": .integer(0), "version": .string("reverie \(Program.version)"),
      "job": .string(job.id), "notes": .array(wish.notes.map(JSONValue.string)),
    ])
  }

  // MARK: What is being painted

  /// The job of these clients that is being painted.
  private func current() async throws -> Job? {
    try await queue.store.jobs([.painting], after: nil, limit: 100).jobs.first {
      $0.source == .a1111
    }
  }

  /// Ends what is being painted for one of these clients, and keeps what there is so far; pictures that the
  /// same client waits for are not begun.
  private func interrupt() async throws {
    // A client that leaves and then presses stop means what it has left, not what others waited for by then.
    let job = try await current()
    if attendance.forgivesStop(of: job?.created) { return }
    guard let job else { return }
    for other in attendance.stop(job.id) { _ = try await queue.cancel(other, keep: false) }
    _ = try await queue.cancel(job.id, keep: true)
  }

  private func progress(_ request: HummingbirdCore.Request) async throws -> JSONValue {
    let job = try await current()
    let live: JobQueue.Live? = if let job { await queue.live(job.id) } else { nil }
    let step = live?.progress?.step ?? 0
    let total = live?.progress?.total ?? 0
    let number = (live?.progress?.picture ?? 1) - 1
    let count = job?.count ?? 0
    let done =
      (Double(number) + (total > 0 ? Double(step) / Double(total) : 0)) / Double(max(1, count))
    let isSkipped = try request.flag("skip_current_image")
    let preview = isSkipped ? nil : job.flatMap { queue.bus.preview(of: $0.id) }
    return .object([
      "progress": .number(job == nil ? 0 : min(0.99, max(0.01, done))),
      "eta_relative": .number(live?.eta ?? 0),
      "state": .object([
        "skipped": .bool(false), "interrupted": .bool(false), "stopping_generation": .bool(false),
        "job": .string(job?.id ?? ""), "job_count": .integer(count),
        "job_timestamp": .string(job.map { "\(Int($0.created))" } ?? "0"),
        "job_no": .integer(number), "sampling_step": .integer(step),
        "sampling_steps": .integer(total),
      ]),
      "current_image": JSONValue(preview?.jpeg.base64EncodedString()), "textinfo": .null,
      "current_task": .null,
    ])
  }

  /// Which jobs belong to one waiting client, and who has left: interrupt names neither job nor client.
  final class Attendance: Sendable {
    struct Group: Sendable { fileprivate let number: Int }

    private struct State {
      var groups: [Int: [String]] = [:]
      /// Groups of which no more is wanted.
      var stopped: Set<Int> = []
      /// Jobs that were stopped before anybody told to which group they belong.
      var early: Set<String> = []
      var next = 0
      /// When a client left, in seconds since 1970, as jobs tell theirs.
      var lastLeft: Double?
    }

    private let state = Mutex(State())

    func begin() -> Group {
      state.withLock { state in
        state.next += 1
        state.groups[state.next] = []
        return Group(number: state.next)
      }
    }

    /// Notes a job that was handed in.
    /// - Returns: whether it is wanted still.
    func add(_ job: String, to group: Group) -> Bool {
      state.withLock { state in
        guard !state.stopped.contains(group.number) else { return false }
        state.groups[group.number]?.append(job)
        if state.early.remove(job) != nil { state.stopped.insert(group.number) }
        return true
      }
    }

    func end(_ group: Group) {
      state.withLock { state in
        state.groups[group.number] = nil
        state.stopped.remove(group.number)
      }
    }

    /// A client has left, and its jobs are cancelled.
    func left() { state.withLock { $0.lastLeft = Date().timeIntervalSince1970 } }

    /// Whether a stop is that of a client that has just left; once for each.
    /// - Parameter created: when the job came in that it would end, in seconds since 1970; nil for none.
    func forgivesStop(of created: Double?) -> Bool {
      state.withLock { state in
        guard let left = state.lastLeft else { return false }
        state.lastLeft = nil
        return Date().timeIntervalSince1970 - left < 30 && created ?? 0 < left
      }
    }

    /// Notes that the client of a job wants no more.
    /// - Returns: the jobs that it waits for beside it.
    func stop(_ job: String) -> [String] {
      state.withLock { state in
        guard let (number, jobs) = state.groups.first(where: { $0.value.contains(job) }) else {
          // Of a job that nobody waits for any more none will tell.
          if state.early.count >= 100 { state.early.removeAll() }
          state.early.insert(job)
          return []
        }
        state.stopped.insert(number)
        return jobs.filter { $0 != job }
      }
    }
  }
}

/// Names of fields in a header.
func ignoredNames(_ names: [String]) -> String {
  names.prefix(32).map { name in
    String(
      String.UnicodeScalarView(name.unicodeScalars.filter { ("!"..."~").contains($0) }.prefix(80)))
  }.joined(separator: ", ")
}

extension HTTPField.Name {
  /// Names fields of a request that were left aside.
  static let ignored = Self("X-Reverie-Ignored").unsafelyUnwrapped
}
