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

/// Every field of every operation of all three APIs, with what nobody should send. `REVERIE_FUZZ` says how many
/// requests; a seed in `REVERIE_FUZZ_SEED` gives them anew.
@Suite(.timeLimit(.minutes(60))) struct FuzzTests {
  /// An operation: where, and which fields its body has.
  private struct Target {
    let method: HTTPRequest.Method
    let path: String
    /// Fields with a value each that is taken.
    let fields: [String: JSONValue]
    var isForm = false
    /// A field of the object in a field, which is what is varied.
    var inner: (object: String, field: String)?
    /// Headers that it reads.
    var headers: [HTTPField.Name] = []
    /// Whether its answer goes on until the client leaves.
    var isEndless = false
  }

  /// A program that says of every picture that it shows a fox.
  private static func describer() throws -> String {
    let file = try ScratchFolder.make("describer").appending(path: "describe")
    try Data("#!/bin/sh\necho '{\"caption\": \"a fox\"}'\n".utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    return file.path
  }

  /// The answer to a request, and the fault where there is none after ten seconds in which others were answered.
  /// - Returns: nil when a stream was left, having begun.
  private static func answer(
    _ ask: Asking, endless: Bool, _ what: String,
    _ send: @escaping @Sendable () async throws -> Asking.Answer
  ) async throws -> Asking.Answer? {
    try await withThrowingTaskGroup(of: Asking.Answer?.self) { group in
      group.addTask { try await send() }
      let watch = Task {
        try await Task.sleep(for: .seconds(10))
        // Where all is slow, these are as well, and the request has its turn among them.
        for _ in 0..<100 { _ = try await ask.get("/healthz") }
        try Task.checkCancellation()
        Issue.record("\(what) was not answered")
      }
      defer { watch.cancel() }
      if endless {
        group.addTask {
          try await Task.sleep(for: .milliseconds(20))
          return nil
        }
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  @Test("no value of any field ends the studio, and none is answered as its own failure")
  func fields() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 400
    let seed = environment["REVERIE_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
    let picture = try Sample.base64()
    let interrogator = Interrogator(program: try Self.describer())
    try await Asking.with(FakeWorker(steps: 1), interrogator: interrogator) { ask in
      let targets = try await Self.targets(ask, picture)
      var chance = SplitMix(state: seed)
      for number in 0..<count {
        // In turn, so that all are asked.
        let target = targets[number % targets.count]
        var fields = target.fields.filter { _ in chance.below(3) > 0 }
        let names = target.fields.keys.sorted()
        for _ in 0...chance.below(2) where !names.isEmpty {
          fields[names[chance.below(names.count)]] = Self.value(&chance, depth: 3)
        }
        if let inner = target.inner {
          fields = target.fields
          guard case .object(var object) = fields[inner.object] else { continue }
          object[inner.field] = Self.value(&chance, depth: 3)
          fields[inner.object] = .object(object)
        }
        var headers: HTTPFields = [:]
        for name in target.headers {
          headers[name] = Self.value(&chance, depth: 0).text.filter { (" "..."~").contains($0) }
        }
        let path = target.path.replacing(/\{[a-z]+\}/) { _ in
          ["1", "x", "..", "%00", "0123456789abcdefghjkmnpqrs", "%ff", "pack"][chance.below(7)]
        }
        let what = "\(number): \(target.method) \(path) \(fields) \(headers)"
        let (sent, sentHeaders) = (fields, headers)
        let answer = try await Self.answer(ask, endless: target.isEndless, what) {
          try await Self.send(target, path, sent, sentHeaders, ask)
        }
        if let answer { #expect(answer.status < 500, "\(what) gave \(answer.body)") }
        if number.isMultiple(of: 50) {
          #expect(try await ask.get("/healthz").status == 200)
        }
      }
      #expect(try await ask.get("/api/v1/status").status == 200)
      try await wait(for: "those who listened to be gone") { ask.bench.queue.bus.count == 0 }
    }
  }

  private static func send(
    _ target: Target, _ path: String, _ fields: [String: JSONValue], _ headers: HTTPFields,
    _ ask: Asking
  ) async throws -> Asking.Answer {
    if target.isForm {
      return try await ask.form(
        path,
        fields.sorted { $0.key < $1.key }.map { name, value in
          let text = if case .string(let text) = value { text } else { value.json }
          return (name, nil, Data(text.utf8))
        })
    }
    if target.method == .get {
      let query = fields.map {
        "\($0)=\($1.text.filter { $0.isASCII && $0.isLetter || $0.isNumber })"
      }
      return try await ask.get(
        path + (query.isEmpty ? "" : "?" + query.joined(separator: "&")), headers)
    }
    var headers = headers
    headers[.contentType] = "application/json"
    return try await ask(
      target.method, path, Data(JSONValue.object(fields).json.utf8), headers)
  }

  // MARK: What is asked

  private static func targets(_ ask: Asking, _ picture: String) async throws -> [Target] {
    var targets = foreign(picture)
    let document = try await ask.get("/openapi.json").body
    guard case .object(let paths) = document["paths"] else { throw CancellationError() }
    for (path, operations) in paths.sorted(by: { $0.key < $1.key }) {
      guard case .object(let methods) = operations else { continue }
      for (word, operation) in methods.sorted(by: { $0.key < $1.key }) {
        guard let method = HTTPRequest.Method(word.uppercased()) else { continue }
        var fields: [String: JSONValue] = [:]
        var headers: [HTTPField.Name] = []
        if case .array(let parameters) = operation["parameters"] {
          for parameter in parameters {
            let name = parameter["name"]?.text ?? ""
            if parameter["in"] == .string("query") { fields[name] = .integer(1) }
            if parameter["in"] == .string("header") {
              headers += HTTPField.Name(name).map { [$0] } ?? []
            }
          }
        }
        let body = operation["requestBody"]?["content"]?["application/json"]?["schema"]?["$ref"]
        if let name = body?.text.split(separator: "/").last,
          case .object(let properties) = document["components"]?["schemas"]?[String(name)]?[
            "properties"]
        {
          for field in properties.keys { fields[field] = .null }
        }
        if path == "/api/v1/jobs", method == .post {
          // Most of what can be said stands inside the request and the film.
          let request = JSONValue.object(["prompt": .string("fox")])
          let film = JSONValue.object(["kind": .string("zoom")])
          for (object, schema) in [("request", "Request"), ("film", "NewFilm")] {
            guard
              case .object(let inner) = document["components"]?["schemas"]?[schema]?["properties"]
            else { throw CancellationError() }
            let fields =
              object == "film" ? ["request": request, "film": film] : ["request": request]
            for field in inner.keys.sorted() {
              targets.append(
                Target(method: .post, path: path, fields: fields, inner: (object, field)))
            }
          }
        }
        targets.append(
          Target(
            method: method, path: path, fields: fields, headers: headers,
            isEndless: path.hasSuffix("/events")))
      }
    }
    return targets
  }

  private static func foreign(_ picture: String) -> [Target] {
    let (text, one, truth) = (JSONValue.string("fox"), JSONValue.integer(1), JSONValue.bool(true))
    let image = JSONValue.string(picture)
    var painting: [String: JSONValue] = [
      "prompt": text, "negative_prompt": text, "styles": .array([]), "sampler_name": text,
      "sampler_index": text, "scheduler": text, "script_name": .string(""),
      "alwayson_scripts": .object([:]), "override_settings": .object([:]), "infotext": .string(""),
    ]
    for name in [
      "seed", "subseed", "subseed_strength", "batch_size", "n_iter", "steps", "cfg_scale", "eta",
      "denoising_strength", "hr_scale",
    ] { painting[name] = one }
    for name in ["width", "height", "hr_resize_x", "hr_resize_y"] { painting[name] = .integer(64) }
    for name in [
      "restore_faces", "tiling", "enable_hr", "send_images", "save_images", "do_not_save_grid",
      "override_settings_restore_afterwards",
    ] { painting[name] = truth }
    var redrawing = painting
    (redrawing["init_images"], redrawing["mask"]) = (.array([image]), image)
    for name in [
      "resize_mode", "mask_blur", "mask_blur_x", "inpainting_mask_invert", "inpainting_fill",
      "inpaint_full_res", "include_init_images",
    ] { redrawing[name] = one }
    let enlarging: [String: JSONValue] = [
      "image": image, "imageList": .array([.object(["data": image])]), "resize_mode": one,
      "upscaling_resize": one, "upscaling_resize_w": one, "upscaling_resize_h": one,
      "upscaling_crop": truth, "upscaler_1": .string("Lanczos"), "upscaler_2": .string("None"),
      "extras_upscaler_2_visibility": one,
    ]
    let generating: [String: JSONValue] = [
      "prompt": text, "model": text, "n": one, "size": .string("64x64"), "quality": text,
      "response_format": .string("b64_json"), "output_format": .string("png"),
      "output_compression": one, "background": text, "moderation": text, "style": text,
      "partial_images": one, "stream": .bool(false), "user": text, "seed": one,
      "method": .string("fft"), "steps": one, "negative_prompt": text, "cfg_scale": one,
      "presets": .array([]),
    ]
    let editing = generating.merging(["image": image, "mask": image]) { $1 }
    let lists = [
      "samplers", "schedulers", "sd-models", "upscalers", "prompt-styles", "options", "cmd-flags",
      "memory", "scripts", "embeddings", "loras",
    ].map { Target(method: .get, path: "/sdapi/v1/\($0)", fields: [:]) }
    let acts = ["interrupt", "skip", "refresh-checkpoints", "unload-checkpoint"].map {
      Target(method: .post, path: "/sdapi/v1/\($0)", fields: ["x": one])
    }
    return lists + acts + [
      Target(method: .get, path: "/v1/models", fields: [:]),
      Target(method: .get, path: "/v1/models/{id}", fields: [:]),
      Target(
        method: .post, path: "/sdapi/v1/interrogate", fields: ["image": image, "model": text]),
      Target(method: .post, path: "/sdapi/v1/txt2img", fields: painting),
      Target(method: .post, path: "/sdapi/v1/img2img", fields: redrawing),
      Target(method: .post, path: "/sdapi/v1/extra-single-image", fields: enlarging),
      Target(method: .post, path: "/sdapi/v1/extra-batch-images", fields: enlarging),
      Target(method: .post, path: "/sdapi/v1/png-info", fields: ["image": image]),
      Target(
        method: .post, path: "/sdapi/v1/options",
        fields: ["sd_model_checkpoint": text, "samples_format": text, "jpeg_quality": one]),
      Target(method: .get, path: "/sdapi/v1/progress", fields: ["skip_current_image": truth]),
      Target(method: .post, path: "/v1/images/generations", fields: generating),
      Target(method: .post, path: "/v1/images/edits", fields: editing),
      Target(method: .post, path: "/v1/images/edits", fields: editing, isForm: true),
      Target(method: .post, path: "/v1/images/variations", fields: editing, isForm: true),
    ]
  }

  private static let extremes: [JSONValue] = [
    .null, .bool(true), .bool(false), .integer(0), .integer(-1), .integer(.max), .integer(.min),
    .integer(1 << 53), .integer((1 << 53) + 1), .integer(65_536), .number(1e18), .number(1e308),
    .number(-1e308), .number(.leastNonzeroMagnitude), .number(0.5), .number(-0.0), .number(9.3e18),
    .string(""), .string(" "), .string("NaN"), .string("inf"), .string("-inf"), .string("0x10"),
    .string("1e400"), .string("9223372036854775808"), .string("-1"), .string("1_000"),
    .string("\u{0}"), .string("a\r\nb"), .string("🦊\u{200d}"), .string("../../etc/passwd"),
    .string("((([[["), .string("|^|"), .string("a:1e400"), .string(":::"), .string("a|b:-9999"),
    .string("1x1"), .string("99999999999999999999x1"), .string("data:,"), .string("data:image/png"),
    .string("%%%"), .string("aGVsbG8="), .string("auto"), .string("pack"), .string("dalle"),
    .string("diffusion"), .string("0:1,50:1.05"), .string("1*9223372036854775807"),
    .array([]), .object([:]), .array([.null]), .object(["name": .string("x")]),
    .object(["name": .string("a.png"), "sha256": .string(String(repeating: "0", count: 64))]),
    .object(["kind": .string("zoom"), "frames": .integer(.max)]),
    .object(["kind": .string("morph"), "seeds": .array([.integer(.max), .integer(.min)])]),
    .array([.object(["name": .string("palette"), "weight": .number(1e308)])]),
    .array([.object(["text": .string("a"), "scene": .integer(.max)])]),
    .array([.object(["text": .string("a"), "weight": .number(1e308), "stop": .number(-1e308)])]),
  ]

  private static func value(_ chance: inout SplitMix, depth: Int) -> JSONValue {
    switch chance.below(8) {
    case 0 where depth > 0:
      return .array((0...chance.below(4)).map { _ in value(&chance, depth: depth - 1) })
    case 1 where depth > 0:
      let names = [
        "name", "kind", "text", "weight", "image", "data", "x", "sha256", "scene", "average",
      ]
      return .object(
        Dictionary(
          (0...chance.below(4)).map { _ in
            (names[chance.below(names.count)], value(&chance, depth: depth - 1))
          }
        ) { $1 })
    case 2:
      return .string(
        String(repeating: ["x", "(", "a | ", "^", "é"][chance.below(5)], count: 5_000))
    default: return extremes[chance.below(extremes.count)]
    }
  }
}
