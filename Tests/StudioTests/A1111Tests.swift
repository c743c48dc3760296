import Foundation
import HTTPTypes
import Imaging
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// AUTOMATIC1111's API as its clients use it.
@Suite struct A1111Tests {
  // MARK: Numbers

  @Test(
    "numbers at the edge are refused under the client's own name, and the studio answers afterwards",
    arguments: [
      (#""batch_size":9223372036854775807,"n_iter":2"#, "batch_size"),
      (#""batch_size":2,"n_iter":-9223372036854775808"#, "n_iter"),
      (#""batch_size":64,"n_iter":64"#, "n_iter"), (#""batch_size":0"#, "batch_size"),
      (#""batch_size":1e18"#, "batch_size"), (#""batch_size":"NaN""#, "batch_size"),
      (#""steps":9223372036854775807,"sampler_name":"fft""#, "steps"),
      (#""steps":-9223372036854775808"#, "steps"), (#""steps":0"#, "steps"),
      (#""steps":1e308"#, "steps"), (#""steps":"inf""#, "steps"),
      (#""seed":18446744073709551615"#, "seed"), (#""seed":"""#, "seed"),
      (#""cfg_scale":1e300"#, "cfg_scale"), (#""cfg_scale":"nan""#, "cfg_scale"),
      (#""width":9223372036854775807"#, "width"), (#""height":-1"#, "height"),
      (#""denoising_strength":"NaN""#, "denoising_strength"),
      (#""denoising_strength":7"#, "denoising_strength"),
      (#""enable_hr":true,"hr_scale":16,"width":4096"#, "hr_scale"),
      (#""enable_hr":true,"hr_scale":"0x10""#, "hr_scale"),
    ])
  func numbers(_ fields: String, _ field: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask.post("/sdapi/v1/txt2img", #"{"prompt":"fox",\#(fields)}"#)
      #expect(answer.status == 422, "\(answer.body)")
      #expect(answer.field == field)
      #expect(try await ask.get("/healthz").status == 200)
    }
  }

  @Test(
    "numbers of pictures are refused likewise",
    arguments: [
      ("img2img", #""mask_blur":"nan""#, "mask_blur"),
      ("img2img", #""mask_blur":1e9"#, "mask_blur"),
      ("img2img", #""resize_mode":9"#, "resize_mode"),
      ("extra-single-image", #""upscaling_resize":0"#, "upscaling_resize"),
      ("extra-single-image", #""upscaling_resize":-1"#, "upscaling_resize"),
      ("extra-single-image", #""upscaling_resize":1e300"#, "upscaling_resize"),
      ("extra-single-image", #""upscaling_resize":"nan""#, "upscaling_resize"),
      ("extra-single-image", #""resize_mode":1,"upscaling_resize_w":1e18"#, "upscaling_resize_w"),
    ])
  func pictureNumbers(_ path: String, _ fields: String, _ field: String) async throws {
    let picture = try Sample.base64()
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/sdapi/v1/\(path)",
        #"{"image":"\#(picture)","init_images":["\#(picture)"],\#(fields)}"#)
      #expect((answer.status, answer.field) == (422, field), "\(answer.body)")
    }
  }

  @Test("-1 is no seed, in whichever form it comes")
  func seeds() async throws {
    try await Asking.with { ask in
      for seed in ["-1", "-1.0", #""-1""#] {
        let answer = try await ask.post("/sdapi/v1/txt2img", #"{"prompt":"a","seed":\#(seed)}"#)
        #expect(answer.status == 200, "\(answer.body)")
      }
    }
  }

  // MARK: Prompts

  @Test(
    "a negative prompt pushes away whatever stands in it, and comes back as it was sent",
    arguments: [
      ("cat:1.2", "cat:1.2"), ("blurry | cat", "blurry | cat"), ("a ^ b", "a ^ b"),
      ("bad, (hands:1.3)", "bad, hands"), ("http://x.org:8080", "http://x.org:8080"),
      ("|", "|"), ("-", "-"),
    ])
  func negative(_ sent: String, _ away: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/sdapi/v1/txt2img", .object(["prompt": .string("fox"), "negative_prompt": .string(sent)]))
      #expect(answer.status == 200, "\(answer.body)")
      let request = try await ask.painted(answer)
      #expect((request.prompt, request.negativePrompt) == ("fox", away))
      #expect(try request.scenes() == [[Prompt("fox"), Prompt(away, weight: -0.5)]])
      let info = try ask.info(answer)
      #expect(info["negative_prompt"] == .string(sent))
      #expect(info["all_negative_prompts"] == .array([.string(sent)]))
      let lines = info["infotexts"]?[0]?.text.components(separatedBy: "\n") ?? []
      #expect(lines.prefix(2) == ["fox", "Negative prompt: \(sent)"])
    }
  }

  @Test("a blank negative prompt is none, and an empty prompt is painted")
  func blanks() async throws {
    try await Asking.with { ask in
      for fields in [
        #""prompt":"fox","negative_prompt":" \n""#, #""prompt":"""#, #""negative_prompt":"""#,
        #""prompt":" | ^ ""#,
      ] {
        let answer = try await ask.post("/sdapi/v1/txt2img", "{\(fields)}")
        #expect(answer.status == 200, "\(answer.body)")
        #expect(try await ask.painted(answer).negativePrompt == nil)
      }
      let picture = try Sample.base64()
      let answer = try await ask.post(
        "/sdapi/v1/img2img", #"{"prompt":"","init_images":["\#(picture)"]}"#)
      #expect(answer.status == 200, "\(answer.body)")
    }
  }

  @Test(
    "brackets of attention are read as words, and what is lost by that is said",
    arguments: [
      ("a (red:1.2) fox", "a red fox", "1.2"), ("a ((red)) [fox]", "a red fox", "1.1"),
      (#"a fox \(animal\)"#, "a fox (animal)", nil), ("(a fox", "a fox", "1.1"),
      ("a fox :) ]", "a fox :) ]", nil), ("a [cat|dog]", "a cat", "[cat|dog]"),
      ("a [cat:dog:0.5]", "a dog", "[cat:dog:0.5]"), ("a [cat::0.5]", "a cat", "[cat::0.5]"),
      ("fox <lora:more:0.8>", "fox ", "<lora:more:0.8>"), ("fox BREAK snow", "fox, snow", nil),
      ("a clock at 10:10", "a clock at 10:10", nil),
    ] as [(String, String, String?)])
  func attention(_ prompt: String, _ words: String, _ note: String?) {
    let read = AttentionPrompt(prompt)
    #expect(read.text == words)
    if let note {
      #expect(read.notes.contains { $0.contains(note) }, "\(read.notes)")
    } else {
      #expect(read.notes.isEmpty)
    }
  }

  @Test("a thousand open brackets are read, too")
  func brackets() {
    let text = String(repeating: "([", count: 2_000)
    #expect(AttentionPrompt(text + "fox").text == "fox")
  }

  // MARK: Methods

  @Test(
    "a sampler that cannot do what is asked says so in the client's words",
    arguments: [
      (#""negative_prompt":"blurry""#, "negative"), (#""width":512,"height":768"#, "square"),
    ])
  func sampler(_ fields: String, _ reason: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/sdapi/v1/txt2img",
        #"{"prompt":"fox","steps":20,"sampler_name":"dalle",\#(fields)}"#)
      #expect(answer.status == 422, "\(answer.body)")
      #expect(answer.sentence?.contains("iterations") == false, "\(answer.body)")
      #expect(answer.field == "sampler_name")
      #expect(answer.sentence?.contains(reason) == true, "\(answer.body)")
      #expect(answer.sentence?.contains("..") == false)
    }
  }

  @Test("20 steps stand for a method's usual iterations, and for its own where it is named")
  func steps() async throws {
    let picture = try Sample.base64()
    try await Asking.with { ask in
      let named = try await ask.post(
        "/sdapi/v1/txt2img", #"{"prompt":"fox","steps":20,"sampler_name":"fft"}"#)
      #expect(try await ask.painted(named).iterations == 20)
      let free = try await ask.post(
        "/sdapi/v1/img2img",
        #"{"prompt":"fox","steps":40,"denoising_strength":0.25,"sampler_name":"Euler a","#
          + #""init_images":["\#(picture)"]}"#)
      let request = try await ask.painted(free)
      let method = try #require(Registry.builtIn.method(request.method))
      let usual = try ask.bench.server.admission.resolver.default("iterations", of: method)
      guard case .integer(let count) = usual else {
        Issue.record("no usual iterations")
        return
      }
      #expect(request.iterations == Int((Double(count) * 0.5).rounded()))
      #expect(try ask.info(free)["steps"] == .integer(40))
    }
  }

  @Test("denoising_strength is where diffusion takes the picture up")
  func strength() async throws {
    let picture = try Sample.base64()
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/sdapi/v1/img2img",
        #"{"prompt":"fox","steps":40,"denoising_strength":0.25,"sampler_name":"diffusion","#
          + #""init_images":["\#(picture)"]}"#)
      #expect(answer.status == 200, "\(answer.body)")
      let request = try await ask.painted(answer)
      #expect(request.arguments["start"] == .number(0.25))
      #expect(request.iterations == 10)
    }
  }

  @Test("settings of a request act, are refused, or it is said that they do not")
  func settings() async throws {
    try await Asking.with { ask in
      func paint(_ settings: String) async throws -> Asking.Answer {
        try await ask.post(
          "/sdapi/v1/txt2img", #"{"prompt":"fox","override_settings":\#(settings)}"#)
      }
      let method = try await paint(#"{"sd_model_checkpoint":"fft"}"#)
      #expect(try await ask.painted(method).method == "fft")
      let unknown = try await paint(#"{"sd_model_checkpoint":"sd_xl_base"}"#)
      #expect((unknown.status, unknown.field) == (422, "sd_model_checkpoint"))
      let jpeg = try await paint(#"{"samples_format":"jpg"}"#)
      let data = try #require(Data(base64Encoded: jpeg.body["images"]?[0]?.text ?? ""))
      #expect(data.starts(with: [0xff, 0xd8]))
      let idle = try ask.info(try await paint(#"{"CLIP_stop_at_last_layers":2}"#))["notes"]
      #expect(idle?[0]?.text.contains("CLIP_stop_at_last_layers") == true)

      let set = try await ask.post("/sdapi/v1/options", #"{"sd_model_checkpoint":"fft","eta":3}"#)
      #expect((set.status, set.body) == (200, .null))
      #expect(set.headers[.ignored] == "eta")
      #expect(
        try await ask.get("/sdapi/v1/options").body["sd_model_checkpoint"] == .string("fft"))
      let after = try await ask.post("/sdapi/v1/txt2img", #"{"prompt":"fox"}"#)
      #expect(try await ask.painted(after).method == "fft")
      // As Open WebUI does: all of what was read, with another checkpoint.
      guard case .object(var all) = try await ask.get("/sdapi/v1/options").body else { return }
      all["sd_model_checkpoint"] = try await ask.get("/sdapi/v1/sd-models").body[0]?["title"]
      let back = try await ask.post("/sdapi/v1/options", .object(all))
      #expect(back.status == 200 && back.headers[.ignored] == nil)
      let wrong = try await ask.post("/sdapi/v1/options", #"{"sd_model_checkpoint":"nothing"}"#)
      #expect(wrong.status == 422)
    }
  }

  @Test(
    "values are taken as AUTOMATIC1111 takes them",
    arguments: [
      #""send_images":"True""#, #""send_images":1"#, #""save_images":"on""#,
      #""restore_faces":null,"alwayson_scripts":{"x":{"args":[true,null,{}]}},"script_name":null"#,
      #""styles":[""]"#, #""styles":null"#, #""steps":"20""#, #""batch_size":1.0"#,
      #""tiling":true,"enable_hr":false,"hr_scale":2"#, #""url":"x","auth":"y""#,
    ])
  func values(_ fields: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask.post("/sdapi/v1/txt2img", #"{"prompt":"fox",\#(fields)}"#)
      #expect(answer.status == 200, "\(answer.body)")
      #expect(answer.body["images"]?[0] != nil)
    }
  }

  @Test("a larger second pass is a larger picture")
  func secondPass() async throws {
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/sdapi/v1/txt2img",
        #"{"prompt":"fox","enable_hr":true,"hr_scale":2,"width":64,"height":48,"sampler_name":"fft"}"#
      )
      let request = try await ask.painted(answer)
      #expect((request.width, request.height) == (128, 96))
    }
  }

  // MARK: Masks

  @Test(
    "masks: the opaque part is painted where any is clear, else the white one; or the other way round",
    arguments: [
      (Sample.white, Sample.clear, false, [255, 0]), (Sample.white, Sample.clear, true, [0, 255]),
      (Sample.black, Sample.clear, false, [255, 0]), (Sample.white, Sample.black, false, [255, 0]),
      (Sample.white, Sample.black, true, [0, 255]),
    ] as [(Color, Color, Bool, [UInt8])])
  func mask(_ left: Color, _ right: Color, _ isInverted: Bool, _ painted: [UInt8]) async throws {
    let mask = try Sample.halves(left, right).base64EncodedString()
    let picture = try Sample.base64()
    try await Asking.with { ask in
      let answer = try await ask.post(
        "/sdapi/v1/img2img",
        #"{"prompt":"fox","init_images":["\#(picture)"],"mask":"\#(mask)","mask_blur":0,"#
          + #""inpainting_mask_invert":\#(isInverted),"sampler_name":"fft"}"#)
      #expect(answer.status == 200, "\(answer.body)")
      let filter = try #require(try await ask.painted(answer).filters?.first)
      #expect(filter.arguments["blur"] == .number(0))
      let file = try #require(filter.arguments["mask"].flatMap(FileReference.init(json:)))
      let kept = try Picture.read(from: ask.bench.folder.input(file.sha256, ending: "png"))
      #expect([kept[0, 0].red, kept[15, 0].red] == painted)
      #expect(!kept.hasAlpha)
    }
  }

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
    #expect(!attendance.forgivesStop())
    attendance.left()
    #expect(attendance.forgivesStop())
    #expect(!attendance.forgivesStop())
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
      #expect(try await size(#""upscaler_1":"R-ESRGAN 4x+""#) == nil)
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

  @Test("pages of allowed origins and programs in containers may use the studio, others not")
  func origins() async throws {
    let origin = "http://localhost:5001"
    try await Asking.with(FakeWorker(), { $0.origins = [origin] }) { ask in
      let asked = HTTPField.Name.accessControlRequestMethod
      let early = try await ask(
        .options, "/sdapi/v1/txt2img", nil, [.origin: origin, asked: "POST"])
      #expect(early.status == 204)
      #expect(early.headers[.accessControlAllowOrigin] == origin)
      let late = try await ask(.get, "/sdapi/v1/options", nil, [.origin: origin])
      #expect(late.status == 200 && late.headers[.accessControlAllowOrigin] == origin)
      let other = try await ask(
        .options, "/sdapi/v1/txt2img", nil, [.origin: "http://evil.example", asked: "POST"])
      #expect(other.status == 403 && other.headers[.accessControlAllowOrigin] == nil)
      #expect(other.body["detail"]?.text.contains("--allow-origin") == true)
    }
  }

  @Test("a token is wanted of allowed origins, too, but not of what a browser asks before")
  func originsWithToken() async throws {
    try await Asking.with(
      FakeWorker(),
      {
        $0.origins = ["*"]
        $0.token = "open-sesame-1"
      }
    ) { ask in
      let origin = "http://localhost:5001"
      let early = try await ask(
        .options, "/sdapi/v1/txt2img", nil,
        [.origin: origin, .accessControlRequestMethod: "POST"])
      #expect(early.status == 204)
      let late = try await ask(.get, "/sdapi/v1/options", nil, [.origin: origin])
      #expect(late.status == 401)
    }
  }
}
