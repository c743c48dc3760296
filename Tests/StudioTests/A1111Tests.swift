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
      let read = try await ask.get("/sdapi/v1/options").body
      guard case .object(var all) = read else {
        Issue.record("no object: \(read)")
        return
      }
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
}
