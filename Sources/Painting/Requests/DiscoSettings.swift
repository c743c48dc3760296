import Foundation

/// The parameters of Disco Diffusion's notebook, version 5, as its `settings.txt` has them or as a dictionary
/// of Python.
struct DiscoSettings {
  private static let longest = 4 << 20

  private let settings: [String: JSONValue]
  private(set) var fields: [String: JSONValue] = [:]
  private(set) var film: [String: JSONValue] = [:]
  private(set) var leftOut: [Remark] = []
  private var told: Set<String> = []

  /// Reads a text; nil where it is of another kind.
  init?(_ text: String) {
    guard text.utf8.count <= Self.longest, text.drop(while: \.isWhitespace).first == "{",
      text.contains("text_prompts") || text.contains("clip_guidance_scale"),
      let value = (try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)))
        ?? PythonLiteral.value(of: text),
      case .object(let settings) = value
    else { return nil }
    self.init(settings)
  }

  private init(_ settings: [String: JSONValue]) {
    self.settings = settings
    fields["method"] = .string(Method.clipGuidedDiffusion.id.rawValue)
    fields["look"] = .string(Steering.Look.blended.rawValue)
    fields["promptWeights"] = .string(Request.PromptWeights.normalized.rawValue)
    fields["schedule"] = .string("ddpm")
    fields["cutMode"] = .string(CutoutMode.dango.rawValue)
    prompts()
    beginning()
    steering()
    cutouts()
    critics()
    movement()
    rest()
  }

  // MARK: Values

  private func value(_ name: String) -> JSONValue? {
    settings[name].flatMap { $0 == .null ? nil : $0 }
  }

  private func number(_ name: String, in range: ClosedRange<Double>) -> Double? {
    let number: Double? =
      switch value(name) {
      case .integer(let value): Double(value)
      case .number(let value): value
      case .string(let text): Double(text.trimmed)
      default: nil
      }
    return number.flatMap { range.contains($0) ? $0 : nil }
  }

  private func whole(_ name: String, in range: ClosedRange<Int>) -> Int? {
    number(name, in: Double(range.lowerBound)...Double(range.upperBound)).flatMap {
      Int(exactly: $0.rounded(.towardZero))
    }
  }

  private func flag(_ name: String) -> Bool { value(name) == .bool(true) }

  private func text(_ name: String) -> String? {
    guard case .string(let text) = value(name), !text.trimmed.isEmpty else { return nil }
    return ["none", "None", "NONE"].contains(text) ? nil : text
  }

  private mutating func leave(_ name: String, _ reason: String) {
    leftOut.append(Remark(name, "\(name) is not taken over: \(reason)"))
    told.insert(name)
  }

  // MARK: What is wanted

  /// The texts of the first frame, and the frame.
  private mutating func prompts() {
    guard case .object(let frames) = value("text_prompts") else { return }
    let ordered = frames.compactMap { key, value in Int(key).map { (frame: $0, value) } }
      .sorted { $0.frame < $1.frame }
    guard let first = ordered.first, case .array(let texts) = first.1 else { return }
    fields["prompt"] = .string(
      texts.compactMap { value in
        if case .string(let text) = value { Self.prompt(text) } else { nil }
      }.joined(separator: " | "))
    if ordered.count > 1 {
      leave("text_prompts", "those from frame \(ordered[1].frame) on; a picture has those of one")
    }
    if case .object(let pictures) = value("image_prompts"), !pictures.isEmpty {
      leave("image_prompts", "name the pictures with --image-prompt")
    }
  }

  /// A text with the number that stands behind its last colon as its weight.
  private static func prompt(_ text: String) -> String? {
    var (words, weight) = (text, 1.0)
    if let colon = text.lastIndex(of: ":"),
      let number = Double(text[text.index(after: colon)...].trimmingCharacters(in: .whitespaces)),
      abs(number) <= 1_000
    {
      (words, weight) = (String(text[..<colon]), number)
    }
    let literal = ForeignSettings.literal(words)
    guard !literal.isEmpty, weight != 0 else { return nil }
    return weight == 1 ? literal : "\(literal):\(shown(weight))"
  }

  // MARK: How it is painted

  private mutating func beginning() {
    fields["seed"] = whole("seed", in: Seed.range).map(JSONValue.integer)
    for side in ["width", "height"] {
      // Multiples of 64, as the notebook rounds them.
      fields[side] = whole(side, in: 64...4_096).map { .integer($0 / 64 * 64) }
    }
    let steps = whole("steps", in: 1...1_000) ?? 250
    let skipped = min(steps - 1, whole("skip_steps", in: 0...1_000) ?? 10)
    (fields["iterations"], fields["skipSteps"]) = (.integer(steps), .integer(skipped))
    let scale = guidance
    if text("init_image") != nil || flag("perlin_init"),
      let weight = number("init_scale", in: 0.001...1e9), scale > 0
    {
      leave(
        "init_scale",
        "once lpips-vgg and vgg16 are installed, add --objective start:\(shown(weight / scale)),kind=lpips"
      )
    }
    if text("init_image") != nil { leave("init_image", "name the picture with --init-image") }
    if flag("perlin_init") {
      let kinds = ["color": "disco-color", "gray": "disco-gray"]
      fields["initNoise"] = .string(text("perlin_mode").flatMap { kinds[$0] } ?? "disco")
    }
    film["frames"] = whole("max_frames", in: 2...9_999).map(JSONValue.integer)
  }

  private var guidance: Double { number("clip_guidance_scale", in: 0...1_000_000) ?? 5_000 }

  private mutating func steering() {
    let scale = guidance
    fields["guidance"] = .number(scale)
    var objectives: [JSONValue] = []
    // Here objectives are multiplied by the guidance, and tv measures in 0…1.
    for (name, objective, factor) in [("tv_scale", "tv", 16.0), ("sat_scale", "sat", 1)] {
      guard let weight = number(name, in: 1e-9...1e9) else { continue }
      guard scale > 0, weight * factor / scale <= 1_000 else {
        leave(name, "it is too large beside a clip_guidance_scale of \(shown(scale))")
        continue
      }
      objectives.append(
        .object(["name": .string(objective), "weight": .number(weight * factor / scale)]))
    }
    if !objectives.isEmpty { fields["objectives"] = .array(objectives) }
    if value("clamp_grad") != .bool(false) {
      fields["clampGradient"] = .number(number("clamp_max", in: 0...1_000) ?? 0.05)
    }
    fields["eta"] = .number(number("eta", in: 0...1) ?? 0.8)
    fields["sampler"] = .string(text("diffusion_sampling_mode") == "plms" ? "guided-plms" : "ddim")
    if flag("fuzzy_prompt") {
      fields["fuzziness"] = .number(number("rand_mag", in: 0...10) ?? 0.05)
    }
    let sides = ["use_horizontal_symmetry", "use_vertical_symmetry"].map(flag)
    if sides.contains(true) {
      let kind: SampleSymmetry.Kind = sides[0] ? sides[1] ? .both : .horizontal : .vertical
      fields["symmetry"] = .string(kind.rawValue)
      if case .array(let shares) = value("transformation_percent") {
        fields["symmetryAt"] = .array(shares)
      }
    }
    if number("range_scale", in: 1e-9...1e9) != nil {
      leave("range_scale", "it has no effect in Disco Diffusion, where its gradient is lost")
    }
    if flag("clip_denoised") { fields["clipDenoised"] = .bool(true) }
  }

  private mutating func cutouts() {
    for (name, field) in [
      ("cut_overview", "cutOverview"), ("cut_innercut", "cutInner"),
      ("cut_ic_pow", "cutInnerPower"), ("cut_icgray_p", "cutInnerGray"),
    ] {
      guard let value = value(name) else { continue }
      let form =
        if case .array(let list) = value { "[\(JSONValue.array(list).text)]" } else { value.text }
      if let schedule = Schedule(form), let parameter = Request.parameter(field),
        let checked = try? parameter.kind.check(schedule.json, of: field)
      {
        fields[field] = checked
      } else {
        leave(name, "'\(form.prefix(40))' is no schedule such as [12]*400+[4]*600")
      }
    }
    fields["accumulate"] = .integer(whole("cutn_batches", in: 1...64) ?? 4)
    if flag("skip_augs") { fields["augmentations"] = .array([]) }
  }

  // MARK: Who paints and judges

  private static let clips = [
    "ViTB32": "openai-vit-b-32", "ViTB16": "openai-vit-b-16", "ViTL14": "openai-vit-l-14",
    "ViTL14_336px": "openai-vit-l-14-336px", "RN50": "openai-rn50", "RN101": "openai-rn101",
    "RN50x4": "openai-rn50x4", "RN50x16": "openai-rn50x16", "RN50x64": "openai-rn50x64",
  ]

  private static let models = [
    "512x512_diffusion_uncond_finetune_008100": "guided-diffusion-512-uncond",
    "256x256_diffusion_uncond": "guided-diffusion-256-uncond",
    "portrait_generator_v001": "portrait-generator",
    "pixelartdiffusion_expanded": "pixel-art-diffusion-expanded",
    "pixel_art_diffusion_hard_256": "pixel-art-diffusion-hard",
    "pixel_art_diffusion_soft_256": "pixel-art-diffusion-soft",
    "pixelartdiffusion4k": "pixel-art-diffusion-4k",
    "watercolordiffusion_2": "watercolor-diffusion-2",
    "watercolordiffusion": "watercolor-diffusion",
    "PulpSciFiDiffusion": "pulp-sci-fi-diffusion",
  ]

  private mutating func critics() {
    let named = Self.clips.keys.sorted().filter(flag)
    if let first = named.first {
      let ids = named.compactMap { Self.clips[$0] }.joined(separator: ",")
      leave(
        first,
        "the pack's own CLIP judges. Once they are installed, name them with --clip \(ids)")
      told.formUnion(named)
    }
    for name in settings.keys.sorted()
    where name.contains("laion") || name.contains("yfcc")
      || name.contains("cc12m")
    {
      if flag(name) { leave(name, "name an OpenCLIP that is installed with --clip") }
    }
    if let model = text("diffusion_model") {
      let option = Self.models[model].map { "--model \($0)" } ?? "--model"
      leave(
        "diffusion_model",
        "the pack's own network paints, not \(model.prefix(60)). Once it is installed, add \(option)"
      )
    }
    if value("use_secondary_model") == .bool(true) {
      leave(
        "use_secondary_model",
        "the gradient goes through the network that paints. With an installed network, add --secondary "
          + "secondary-model-imagenet-2")
    }
  }

  // MARK: Films

  private mutating func movement() {
    func schedule(_ name: String, _ change: (Double) -> Double) -> JSONValue? {
      text(name).flatMap(Schedule.init).map { $0.mapped(change).json }
    }
    // Here numbers move the camera, there the picture.
    film["zoom"] = schedule("zoom") { $0 }
    film["turn"] = schedule("angle") { -$0 }
    film["shiftX"] = schedule("translation_x") { -$0 }
    film["shiftY"] = schedule("translation_y") { -$0 }
    film["edges"] = .string(Film.Edges.wrap.rawValue)
    if let text = text("frames_skip_steps"), text.hasSuffix("%"),
      let percent = Double(text.dropLast()), (0...95).contains(percent)
    {
      film["skip"] = .number(percent / 100)
    }
    if flag("turbo_mode") {
      film["turbo"] = whole("turbo_steps", in: 1...30).map(JSONValue.integer)
      film["preroll"] = whole("turbo_preroll", in: 1...1_000).map(JSONValue.integer)
    }
  }

  /// What else differs from the notebook's own values.
  private mutating func rest() {
    let usual: [(String, JSONValue, String)] = [
      ("translation_z", .string("0: (10.0)"), "films have no depth"),
      ("rotation_3d_x", .string("0: (0)"), "films have no depth"),
      ("rotation_3d_y", .string("0: (0)"), "films have no depth"),
      ("rotation_3d_z", .string("0: (0)"), "films have no depth"),
      ("interp_spline", .string("Linear"), "between keyframes lie straight lines"),
      (
        "video_init_path", .string("init.mp4"),
        "name the video with film restyle --source, and its flow with --carry 0.999 --flow yes"
      ),
      ("intermediate_saves", .integer(0), "use --save-every"),
    ]
    for (name, value, reason) in usual {
      guard let given = self.value(name), given != value, !told.contains(name) else { continue }
      if name == "video_init_path", text(name)?.hasSuffix("init.mp4") != false { continue }
      leave(name, reason)
    }
    if flag("vr_mode") { leave("vr_mode", "films have no depth") }
  }
}
