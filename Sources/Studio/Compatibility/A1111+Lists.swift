import HTTPTypes
import Hummingbird
import HummingbirdCore
import Library
import Logging
import Painting

extension A1111 {
  /// Adds what clients ask before they ask for pictures.
  func addLists(to router: Router<StudioContext>) {
    func get(_ path: String, _ value: @Sendable @escaping () throws -> JSONValue) {
      router.get(RouterPath(path)) { _, _ in Response.json(try value()) }
    }
    get("/sdapi/v1/samplers") { samplers }
    get("/sdapi/v1/schedulers") {
      .array([
        .object([
          "name": .string("automatic"), "label": .string("Automatic"), "aliases": .null,
          "default_rho": .number(-1), "need_inner_model": .bool(false),
        ])
      ])
    }
    get("/sdapi/v1/sd-models") { models }
    get("/sdapi/v1/upscalers") {
      .array(
        Enlarging.names.map {
          .object([
            "name": .string($0), "model_name": .null, "model_path": .null, "model_url": .null,
            "scale": .integer(4),
          ])
        })
    }
    get("/sdapi/v1/prompt-styles") { styles }
    get("/sdapi/v1/options") { allOptions }
    get("/sdapi/v1/cmd-flags") { .object(["api": .bool(true), "nowebui": .bool(false)]) }
    get("/sdapi/v1/memory") {
      .object([
        "ram": .object(["used": JSONValue(Metrics.residentBytes)]), "cuda": .object([:]),
      ])
    }
    get("/sdapi/v1/scripts") { .object(["txt2img": .array([]), "img2img": .array([])]) }
    get("/sdapi/v1/embeddings") { .object(["loaded": .object([:]), "skipped": .object([:])]) }
    for name in [
      "latent-upscale-modes", "loras", "hypernetworks", "face-restorers", "realesrgan-models",
      "sd-vae", "sd-modules", "script-info", "extensions",
    ] { get("/sdapi/v1/\(name)") { .array([]) } }
    // What the page of the original answers and clients knock at.
    get("/internal/ping") { .object([:]) }
    get("/queue/status") {
      .object([
        "msg": .string("estimation"), "rank": .integer(0), "queue_size": .integer(0),
        "queue_eta": .integer(0), "avg_event_process_time": .null,
      ])
    }
    router.post("/sdapi/v1/options") { request, context in
      let given = try Fields(await request.bytes(limit: 1 << 20), .lenient).all
      _ = try settings(options.values.merging(given) { $1 })
      options.keep(given)
      let idle = Settings.idle(given)
      var headers = HTTPFields()
      if !idle.isEmpty {
        context.logger.warning("options left aside", metadata: ["keys": "\(idle.prefix(32))"])
        headers[.ignored] = ignoredNames(idle)
      }
      return Response.json(.null, .ok, headers)
    }
    // Lists are looked up anew whenever they are asked for, and networks leave memory by themselves.
    for name in ["checkpoints", "loras", "vae", "embeddings"] {
      router.post(RouterPath("/sdapi/v1/refresh-\(name)")) { _, _ in Response.json(.null) }
    }
    for name in ["unload-checkpoint", "reload-checkpoint"] {
      router.post(RouterPath("/sdapi/v1/\(name)")) { _, _ in Response.json(.object([:])) }
    }
  }

  private var samplers: JSONValue {
    .array(
      admission.registry.methods.filter(admission.resolver.isAvailable).map {
        .object([
          "name": .string($0.samplerName), "aliases": .array([.string($0.id.rawValue)]),
          "options": .object([:]),
        ])
      })
  }

  private var models: JSONValue {
    func model(_ title: String, _ name: String, _ sha256: String?) -> JSONValue {
      .object([
        "title": .string(title), "model_name": .string(name), "hash": .null,
        "sha256": JSONValue(sha256), "filename": .string(name), "config": .null,
      ])
    }
    let manifest = admission.pack.manifest
    let own = model(title, manifest.id, manifest.files["vqgan.safetensors"]?.sha256)
    return .array([own] + drawing.map { model($0.model, $0.model, nil) })
  }

  private var styles: JSONValue {
    .array(
      admission.presets.files.keys.sorted().compactMap { name in
        guard let preset = try? admission.presets.preset(name) else { return nil }
        return .object([
          "name": .string(name), "prompt": .string(preset.prompt ?? ""),
          "negative_prompt": .string(""),
        ])
      })
  }
}
