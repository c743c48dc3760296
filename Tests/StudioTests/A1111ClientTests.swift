import Foundation
import HTTPTypes
import Imaging
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// What clients of AUTOMATIC1111's API do beside painting: stopping, pictures that they hand in, and the lists
/// that they ask first.
@Suite struct A1111ClientTests {
  // MARK: Stopping

  @Test("interrupt and skip leave jobs of other APIs alone, and so does progress")
  func others() async throws {
    let worker = FakeWorker()
    worker.script("a fox", [.wait])
    try await Asking.with(worker) { ask in
      let job = try await ask.bench.submit("a fox")[0]
      try await ask.bench.wait(for: job.id, "being painted") { $0.step != nil }
      for path in ["interrupt", "skip"] {
        #expect(try await ask.post("/sdapi/v1/\(path)", "{}").status == 200)
      }
      let progress = try await ask.get("/sdapi/v1/progress").body
      #expect(progress["progress"] == .integer(0))
      #expect(progress["state"]?["job_count"] == .integer(0))
      #expect(try await ask.bench.store.job(job.id)?.state == .painting)
      _ = try await ask.bench.queue.cancel(job.id, keep: false)
    }
  }

  @Test("skip ends one of several batches, interrupt all of them")
  func skip() async throws {
    for (path, pictures) in [("skip", 3), ("interrupt", 1)] {
      let worker = FakeWorker()
      worker.script("a fox", [.wait])
      try await Asking.with(worker) { ask in
        async let painted = ask.post(
          "/sdapi/v1/txt2img", #"{"prompt":"a fox","n_iter":3,"seed":5}"#)
        try await wait(for: "the first step") {
          try await ask.get("/sdapi/v1/progress").body["state"]?["sampling_step"] != .integer(0)
        }
        _ = try await ask.post("/sdapi/v1/\(path)", "{}")
        let answer = try await painted
        #expect(
          try ask.info(answer)["all_seeds"] == .array((5..<(5 + pictures)).map { .integer($0) }))
      }
    }
  }

  @Test("the stop of a client that has just left does not end another's job")
  func leftBefore() {
    let attendance = A1111.Attendance()
    let now = Date().timeIntervalSince1970
    #expect(!attendance.forgivesStop(of: now))
    attendance.left()
    #expect(attendance.forgivesStop(of: now - 5))
    #expect(!attendance.forgivesStop(of: now - 5))
    // A job that came in since is another wish, and may be stopped.
    attendance.left()
    #expect(!attendance.forgivesStop(of: now + 5))
  }

  @Test("a stop reaches batches that are handed in after it")
  func stopBetween() {
    let attendance = A1111.Attendance()
    for isEarly in [true, false] {
      let group = attendance.begin()
      if isEarly { #expect(attendance.stop("a") == []) }
      #expect(attendance.add("a", to: group))
      if !isEarly {
        #expect(attendance.add("b", to: group))
        #expect(attendance.stop("a") == ["b"])
      }
      #expect(!attendance.add("c", to: group))
      attendance.end(group)
      #expect(attendance.stop("c") == [])
    }
  }

  // MARK: Pictures

  @Test("png-info has AUTOMATIC1111's names")
  func pngInfo() async throws {
    let text =
      "a fox\nNegative prompt: fog,\nmist:1.2\nSteps: 20, Sampler: Euler a, Seed: 42, Size: 128x64, "
      + "ADetailer prompt: \"face, Steps: 99, Seed: 7, Size: 1x1\""
    let picture = try Sample.halves(
      Sample.red, Sample.red, texts: [.init(keyword: "parameters", text: text)]
    ).base64EncodedString()
    try await Asking.with { ask in
      let body = try await ask.post("/sdapi/v1/png-info", #"{"image":"\#(picture)"}"#).body
      #expect(body["info"] == .string(text))
      for (name, value) in [
        ("Prompt", "a fox"), ("Negative prompt", "fog,\nmist:1.2"), ("Steps", "20"), ("Seed", "42"),
        ("Sampler", "Euler a"), ("Size-1", "128"), ("Size-2", "64"),
        ("ADetailer prompt", "face, Steps: 99, Seed: 7, Size: 1x1"),
      ] { #expect(body["parameters"]?[name] == .string(value)) }
      let bare = try Sample.base64()
      let none = try await ask.post("/sdapi/v1/png-info", #"{"image":"\#(bare)"}"#).body
      #expect((none["info"], none["parameters"]) == (.string(""), .object([:])))
    }
  }

  @Test("pictures are enlarged to a size, cut to it, or left as they are")
  func enlarging() async throws {
    let picture = try Sample.base64()
    try await Asking.with { ask in
      func size(_ fields: String) async throws -> [Int]? {
        let answer = try await ask.post(
          "/sdapi/v1/extra-single-image", #"{"image":"\#(picture)",\#(fields)}"#)
        guard let data = answer.body["image"].flatMap({ Data(base64Encoded: $0.text) }) else {
          return nil
        }
        let picture = try Picture(decoding: data)
        return [picture.width, picture.height]
      }
      #expect(try await size(#""upscaler_1":"Lanczos","upscaling_resize":3"#) == [48, 48])
      let fitted =
        #""upscaler_1":"Lanczos","resize_mode":1,"upscaling_resize_w":200,"upscaling_resize_h":100"#
      #expect(try await size(fitted) == [200, 100])
      #expect(try await size(fitted + #","upscaling_crop":false"#) == [200, 200])
      #expect(try await size(#""upscaler_1":"None","upscaling_resize":3"#) == [16, 16])
      #expect(try await size(#""upscaling_resize":3"#) == [16, 16])
      let unknown = try await ask.post(
        "/sdapi/v1/extra-single-image", #"{"image":"\#(picture)","upscaler_1":"R-ESRGAN 4x+"}"#)
      #expect((unknown.status, unknown.field) == (422, "upscaler_1"))
      let several = try await ask.post(
        "/sdapi/v1/extra-batch-images",
        #"{"upscaler_1":"Nearest","imageList":[{"data":"\#(picture)","name":"a"}]}"#)
      #expect(several.body["images"]?[0] != nil)
    }
  }

  // MARK: First calls

  @Test(
    "what clients ask first is answered",
    arguments: [
      // SillyTavern, src/endpoints/stable-diffusion.js
      "/sdapi/v1/options", "/sdapi/v1/upscalers", "/sdapi/v1/latent-upscale-modes",
      "/sdapi/v1/sd-vae", "/sdapi/v1/sd-modules", "/sdapi/v1/samplers", "/sdapi/v1/schedulers",
      "/sdapi/v1/sd-models", "/sdapi/v1/progress",
      // Krita's plugin cyanic-sd-krita, sdapi_v1.py
      "/queue/status", "/sdapi/v1/face-restorers", "/sdapi/v1/prompt-styles", "/sdapi/v1/scripts",
      "/sdapi/v1/loras", "/sdapi/v1/embeddings", "/sdapi/v1/hypernetworks",
      // others
      "/sdapi/v1/script-info", "/sdapi/v1/realesrgan-models", "/sdapi/v1/extensions",
      "/sdapi/v1/cmd-flags", "/sdapi/v1/memory", "/internal/ping",
      "/sdapi/v1/progress?skip_current_image=true",
    ])
  func lists(_ path: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask.get(path)
      #expect(answer.status == 200)
      if case .string = answer.body { Issue.record("no JSON") }
    }
  }

  @Test("lists that were changed are asked to be read again, and networks to leave memory")
  func refreshing() async throws {
    try await Asking.with { ask in
      for name in [
        "refresh-checkpoints", "refresh-loras", "refresh-vae", "refresh-embeddings",
        "unload-checkpoint", "reload-checkpoint",
      ] {
        let answer = try await ask(.post, "/sdapi/v1/\(name)", nil, [:])
        #expect(answer.status == 200)
      }
    }
  }

  @Test("names by which a list calls its things choose them")
  func namesOfLists() async throws {
    try await Asking.with { ask in
      // As SillyTavern chooses a model.
      let models = try await ask.get("/sdapi/v1/sd-models").body
      let title = try #require(models[0]?["title"])
      let set = try await ask.post("/sdapi/v1/options", .object(["sd_model_checkpoint": title]))
      #expect(set.status == 200)
      let upscalers = try await ask.get("/sdapi/v1/upscalers").body
      #expect(upscalers[0]?["name"] == .string("None"))
      let scripts = try await ask.get("/sdapi/v1/scripts").body
      #expect(scripts["txt2img"] == .array([]))
      // As LibreChat asks for a picture.
      let answer = try await ask.post(
        "/sdapi/v1/txt2img",
        #"{"prompt":"photo of a man","negative_prompt":"semi-realistic, cgi","cfg_scale":4.5,"#
          + #""steps":22,"width":1024,"height":1024}"#)
      #expect(answer.status == 200, "\(answer.body)")
      #expect(try ask.info(answer)["infotexts"]?[0] != nil)
      // As Krita's plugin does, with all its fields.
      let krita = try await ask.post(
        "/sdapi/v1/txt2img",
        #"{"prompt":"fox","negative_prompt":"","styles":["None"],"subseed":-1,"subseed_strength":0,"#
          + #""sampler_name":"Euler a","sampler_index":"Euler","steps":20,"cfg_scale":7,"eta":0,"#
          + #""width":64,"height":64,"batch_size":1,"n_iter":1,"restore_faces":false,"tiling":false,"#
          + #""enable_hr":false,"hr_upscaler":"","hr_resize_x":0,"hr_resize_y":0,"script_name":"","#
          + #""override_settings":{"sd_model_checkpoint":"","sd_vae":"","img2img_color_correction":false},"#
          + #""override_settings_restore_afterwards":false,"alwayson_scripts":{}}"#)
      #expect(krita.status == 200, "\(krita.body)")
      #expect(krita.headers[.ignored] == nil)
    }
  }
}
