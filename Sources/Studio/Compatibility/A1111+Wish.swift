import Foundation
import HTTPTypes
import Imaging
import Library
import Painting
import Synchronization

extension A1111 {
  /// What a client asks for, read from its fields.
  struct Wish {
    /// As it was sent.
    var prompt = ""
    /// As it was sent.
    var negativePrompt = ""
    var request = Painting.Request("")
    var settings = Settings()
    var styles: [String] = []
    /// Pictures of a batch.
    var batch = 1
    /// Batches.
    var rounds = 1
    var steps: Int?
    var scale: Double?
    /// How much of the first picture may change, 0…1; nil where there is none.
    var strength: Double?
    var sendsImages = true
    var includesInputs = false
    /// What of it is done otherwise or not at all, in sentences.
    var notes: [String] = []
  }

  /// Fields of a request as these clients call them.
  static let names = [
    "iterations": "steps", "count": "batch_size", "method": "sampler_name",
    "conditionScale": "cfg_scale", "initImage": "init_images", "initFit": "resize_mode",
    "filters": "mask", "inpaint": "mask", "negativePrompt": "negative_prompt",
    "start": "denoising_strength", "model": "sd_model_checkpoint", "presets": "styles",
    "prompts": "init_images",
  ]

  /// Keys that clients send and whose values change nothing here, without a word.
  private static let harmless = [
    "override_settings_restore_afterwards", "save_images", "do_not_save_samples",
    "do_not_save_grid", "script_args", "comments", "force_task_id", "firstphase_width",
    "firstphase_height", "seed_resize_from_w", "seed_resize_from_h", "subseed", "s_min_uncond",
    "s_churn", "s_tmax", "s_tmin", "s_noise", "initial_noise_multiplier", "image_cfg_scale",
    "mask_round", "scheduler", "disable_extra_networks", "hr_upscaler",
    "hr_sampler_name", "hr_scheduler", "refiner_switch_at",
  ]

  /// Keys that ask for something that is not here.
  private static let missing = [
    "restore_faces", "tiling", "subseed_strength", "refiner_checkpoint", "firstpass_image",
    "alwayson_scripts", "eta", "latent_mask", "hr_second_pass_steps", "hr_checkpoint_name",
    "hr_prompt", "hr_negative_prompt",
  ]

  // MARK: Reading

  /// Reads all fields.
  /// - Parameter pictures: the field of the pictures to begin from; nil where there is none.
  /// - Throws: `RequestError` or `Problem` that names the client's field.
  func read(
    _ fields: inout Fields, from pictures: String?, into wish: inout Wish
  ) async throws {
    if let infotext = try fields.text("infotext").flatMap(Infotext.init) {
      fields.fill(from: infotext)
    }
    try readPrompts(&fields, &wish)
    try readSettings(&fields, &wish)
    for name in ["width", "height"] {
      if let side = try fields.integer(name, in: 16...4_096) {
        try wish.request.set(name, .integer(side))
      }
    }
    wish.batch = try fields.integer("batch_size", in: 1...admission.mostPictures) ?? 1
    wish.rounds = try fields.integer("n_iter", in: 1...admission.mostPictures) ?? 1
    guard wish.batch * wish.rounds <= admission.mostPictures else {
      throw RequestError.badValue(
        field: "n_iter",
        reason: "makes \(wish.batch * wish.rounds) pictures of batches of \(wish.batch), more than "
          + "\(admission.mostPictures)")
    }
    let seeds = -Seed.range.upperBound...Seed.range.upperBound
    if let seed = try fields.integer("seed", in: seeds), seed >= 0 {
      try wish.request.set("seed", .integer(seed))
    }
    wish.steps = try fields.integer("steps", in: 1...100_000)
    wish.scale = try fields.number("cfg_scale", in: -1_000...1_000)
    let strength = try fields.number("denoising_strength", in: 0...1)
    if let pictures {
      wish.strength = strength ?? 0.75
      try await readPictures(&fields, pictures, &wish)
    } else {
      try readSecondPass(&fields, &wish)
    }
    let known = Set(admission.presets.files.keys)
    for style in try fields.texts("styles") where !JSONValue.string(style).isIdle {
      if known.contains(style) {
        wish.styles.append(style)
      } else {
        wish.notes.append("There is no style '\(style.prefix(80))'; see /sdapi/v1/prompt-styles.")
      }
    }
    wish.sendsImages = try fields.truth("send_images") ?? true
    wish.includesInputs = try fields.truth("include_init_images") ?? false
    if let script = try fields.text("script_name"), !JSONValue.string(script).isIdle {
      throw RequestError.badValue(
        field: "script_name", reason: "is '\(script.prefix(80))', a script that is not here")
    }
    for name in Self.missing {
      if let value = fields.value(name), !value.isIdle {
        wish.notes.append("\(name) is not here and changes nothing.")
      }
    }
    for name in Self.harmless { _ = fields.value(name) }
  }

  private func readPrompts(_ fields: inout Fields, _ wish: inout Wish) throws {
    func read(_ name: String) throws -> String {
      let text = try fields.text(name) ?? ""
      // Bytes first: counting the characters of a huge text is slow.
      guard text.utf8.count <= 32 * Prompt.longest, text.count <= Prompt.longest else {
        throw RequestError.badValue(
          field: name, reason: "is longer than \(Prompt.longest) characters")
      }
      return text
    }
    wish.prompt = try read("prompt")
    wish.negativePrompt = try read("negative_prompt")
    let wanted = AttentionPrompt(wish.prompt)
    let unwanted = AttentionPrompt(wish.negativePrompt)
    wish.notes += wanted.notes + unwanted.notes
    wish.request.prompt = wanted.text
    try naming(Self.names) { try wish.request.set("negativePrompt", .string(unwanted.text)) }
  }

  private func readSettings(_ fields: inout Fields, _ wish: inout Wish) throws {
    let given = try fields.object("override_settings")
    wish.settings = try settings(options.values.merging(given) { $1 })
    wish.notes += Settings.idle(given).map { "override_settings.\($0) changes nothing here." }
    if try fields.truth("override_settings_restore_afterwards") == false { options.keep(given) }
    wish.request.method = wish.settings.method
    wish.request.model = wish.settings.model
    let sampler = try fields.text("sampler_name") ?? ""
    let index = try fields.text("sampler_index") ?? ""
    let name = sampler.isEmpty ? index : sampler
    guard !name.isEmpty else { return }
    if let method = method(named: name) {
      wish.request.method = method.id
    } else {
      wish.notes.append(
        "'\(name.prefix(80))' is no method of Reverie's; see /sdapi/v1/samplers.")
    }
  }

  /// The first picture, and the mask over it.
  private func readPictures(
    _ fields: inout Fields, _ name: String, _ wish: inout Wish
  ) async throws {
    let inputs = Inputs(queue: queue)
    guard let image = try fields.texts(name).first else {
      throw RequestError.badValue(field: name, reason: "must have a picture")
    }
    let file = try await inputs.keep(pictureData(image, field: name), field: name, name: "init")
    wish.request.initImage = file
    let fits: [Request.Fit] = [.stretch, .crop, .pad, .stretch]
    wish.request.initFit = fits[try fields.integer("resize_mode", in: 0...3) ?? 0]
    let sides = try ["mask_blur", "mask_blur_x", "mask_blur_y"].compactMap {
      try fields.number($0, in: 0...64)
    }
    let isInverted = try fields.truth("inpainting_mask_invert") ?? false
    let filling = try fields.integer("inpainting_fill", in: 0...3) ?? 1
    let isWhole = try !(fields.truth("inpaint_full_res") ?? true)
    let around = try fields.integer("inpaint_full_res_padding", in: 0...256)
    guard let text = try fields.text("mask"), !text.isEmpty else { return }
    let mask = try Self.binary(pictureData(text, field: "mask"), isInverted: isInverted)
    let kept = try await inputs.keep(mask, field: "mask", name: "mask")
    var arguments: [String: JSONValue] = [
      "mask": kept.value, "blur": .number(sides.first ?? 4),
      "area": .string(isWhole ? "whole" : "masked"),
    ]
    if let around {
      let side = max(wish.request.width ?? 512, wish.request.height ?? 512)
      arguments["padding"] = .number(min(1, Double(around) / Double(max(1, side))))
    }
    wish.request.filters = [PartSpec("inpaint", arguments)]
    if filling != 1 {
      wish.notes.append("inpainting_fill changes nothing: what is under the mask is begun from.")
    }
  }

  /// AUTOMATIC1111's rule for masks (`create_binary_mask`): where any pixel is clear, alpha above a half is
  /// white; otherwise it is as light as it is. White is painted, or black where it is inverted.
  static func binary(_ data: Data, isInverted: Bool) throws -> Data {
    let mask = try picture(data, field: "mask")
    let (bytes, channels) = (mask.bytes, mask.channels)
    let places = stride(from: 0, to: bytes.count, by: channels)
    let isCut = channels == 4 && places.contains { bytes[$0 + 3] < 255 }
    var values: [UInt8] = []
    values.reserveCapacity(3 * mask.width * mask.height)
    for at in places {
      let value: Int
      if isCut {
        value = bytes[at + 3] > 128 ? 255 : 0
      } else {
        // Rec. 601 luma, as Pillow turns colours to grey.
        value =
          (299 * Int(bytes[at]) + 587 * Int(bytes[at + 1]) + 114 * Int(bytes[at + 2]) + 500) / 1_000
      }
      let byte = UInt8(isInverted ? 255 - value : value)
      for _ in 0..<3 { values.append(byte) }
    }
    return try Picture(width: mask.width, height: mask.height, channels: 3, bytes: values)
      .encoded(as: .png())
  }

  /// A second pass over a larger picture: here the picture is painted at its method's size and enlarged.
  private func readSecondPass(_ fields: inout Fields, _ wish: inout Wish) throws {
    let isWanted = try fields.truth("enable_hr") ?? false
    let factor = try fields.number("hr_scale", in: 0...16) ?? 2
    let sides = try ["hr_resize_x", "hr_resize_y"].map {
      try fields.integer($0, in: 0...4_096) ?? 0
    }
    guard isWanted else { return }
    let (width, height) = (Double(wish.request.width ?? 512), Double(wish.request.height ?? 512))
    var scale = (x: factor, y: factor)
    if sides != [0, 0] {
      let x = Double(sides[0]) / width
      let y = Double(sides[1]) / height
      scale = (x == 0 ? y : x, y == 0 ? x : y)
    }
    let wide = (width * scale.x).rounded()
    let high = (height * scale.y).rounded()
    guard (16...4_096).contains(wide), (16...4_096).contains(high) else {
      throw RequestError.badValue(
        field: sides == [0, 0] ? "hr_scale" : "hr_resize_x",
        reason:
          "makes a picture of \(Int(wide))x\(Int(high)); each side must have 16 to 4096 pixels")
    }
    (wish.request.width, wish.request.height) = (Int(wide), Int(high))
    wish.notes.append(
      "enable_hr: the picture is painted at its method's own size and enlarged to "
        + "\(Int(wide))x\(Int(high)); there is no second pass.")
  }

  // MARK: Jobs

  /// A job for each batch, with what its method makes of steps and strength.
  /// - Throws: `RequestError` or `Problem` that names the client's field.
  func jobs(of wish: inout Wish) throws -> [Store.NewJob] {
    var request = wish.request
    if request.prompt.allSatisfy({ $0.isWhitespace || "|^".contains($0) }) {
      // As there, nothing is painted all the same: what the first picture shows, or just any picture.
      request.prompt = request.initImage == nil ? "a picture" : ""
      if let image = request.initImage { request.prompts = [Prompt(.image(image))] }
    }
    return try naming(Self.names) {
      let resolver = admission.resolver
      let asked = try request.with(admission.presets.presets(wish.styles), resolver)
      let choice = try resolver.choice(for: asked)
      let isNamed = request.method != nil
      try setSteps(of: choice.method, isNamed: isNamed, wish, &request)
      if isNamed, let scale = wish.scale, choice.method.takes("conditionScale") {
        try request.set("conditionScale", .number(scale))
      } else if wish.scale != nil {
        wish.notes.append(
          "cfg_scale is not used: it counts where sampler_name names a method that has such a scale."
        )
      }
      if let field = choice.objections.first?.field {
        wish.notes.append(
          "\(choice.method.samplerName) paints this: the first choice does not take "
            + "\(Self.names[field] ?? field).")
      }
      let first = request.seed ?? Int.random(in: 0..<(1 << 32))
      let count = wish.rounds * wish.batch
      guard first <= Seed.range.upperBound - (count - 1) else {
        throw RequestError.badValue(field: "seed", reason: "is too large for \(count) pictures")
      }
      if wish.rounds > 1 { request.seed = first }
      let job = try admission.job(request, count: wish.batch, presets: wish.styles, source: .a1111)
      wish.notes += job.remarks.map(\.text)
      return (0..<wish.rounds).map { round in
        var one = job
        if round > 0 { one.request.seed = first + round * wish.batch }
        return one
      }
    }
  }

  /// The one rule for steps: where the client names the method they are its own iterations; else they are
  /// another program's, of which 20 are usual, and stand for as large a part of the iterations that
  /// are usual here. Of a first picture the more stays the less is done, as in AUTOMATIC1111.
  private func setSteps(
    of method: Method, isNamed: Bool, _ wish: Wish, _ request: inout Painting.Request
  ) throws {
    if let strength = wish.strength, method.argument("start") != nil {
      // Where diffusion takes the noised picture up.
      try request.set("start", .number(max(0.01, strength)))
    }
    guard method.takes("iterations"), wish.steps != nil || wish.strength != nil else { return }
    var usual = 1.0
    if case .integer(let count) = try admission.resolver.default("iterations", of: method) {
      usual = Double(count)
    }
    var count = wish.steps.map { isNamed ? Double($0) : usual * Double($0) / 20 } ?? usual
    count *= wish.strength ?? 1
    try request.set("iterations", .integer(Int(min(100_000, max(1, count.rounded())))))
  }

  /// A client's picture; errors name its field.
  static func picture(_ data: Data, field: String) throws -> Picture {
    do {
      return try Picture(decoding: data, name: "The picture", limits: Inputs.limits)
    } catch let error as ImagingError {
      if case .tooLarge = error { throw error }
      throw Problem(.unprocessableContent, "\(field) cannot be read: \(error)", field: field)
    }
  }

  func method(named name: String) -> Method? {
    admission.registry.methods.first {
      [$0.id.rawValue, $0.samplerName.lowercased()].contains(name.lowercased())
    }
  }
}

extension Fields {
  /// What an infotext says and no field does.
  fileprivate mutating func fill(from infotext: Infotext) {
    func set(_ name: String, _ value: JSONValue?) {
      if let value, all[name] == nil { self.set(name, value) }
    }
    set("prompt", .string(infotext.prompt))
    set("negative_prompt", .string(infotext.negativePrompt))
    for (name, key) in [
      ("steps", "Steps"), ("seed", "Seed"), ("cfg_scale", "CFG scale"), ("sampler_name", "Sampler"),
      ("denoising_strength", "Denoising strength"),
    ] { set(name, infotext.settings[key].map(JSONValue.string)) }
    if let size = infotext.size {
      set("width", .integer(size.width))
      set("height", .integer(size.height))
    }
  }
}
