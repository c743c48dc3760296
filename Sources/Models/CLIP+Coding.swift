// JSON in the form of open_clip's model configurations, and what makes one sound.

extension CLIP.Config {
  // Not private: an unoptimised build would find no symbol of them where `Encodable` is synthesized.
  enum CodingKeys: String, CodingKey {
    case embedDim = "embed_dim"
    case vision = "vision_cfg"
    case text = "text_cfg"
    case quickGELU = "quick_gelu"
    case preprocessing = "preprocess_cfg"
  }

  /// Reads open_clip's JSON, with its defaults, and validates it.
  public init(from decoder: any Swift.Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      embedDim: try fields.decode(Int.self, forKey: .embedDim),
      vision: try fields.decode(Vision.self, forKey: .vision),
      text: try fields.decode(Text.self, forKey: .text),
      quickGELU: try fields.decodeIfPresent(Bool.self, forKey: .quickGELU) ?? false,
      preprocessing: try fields.decodeIfPresent(Preprocessing.self, forKey: .preprocessing)
        ?? .openAI)
    try validate()
  }
}

extension CLIP.Config.Vision {
  enum CodingKeys: String, CodingKey {
    case tower
    case imageSize = "image_size"
    case patchSize = "patch_size"
    case width, layers
    case headWidth = "head_width"
    case mlpRatio = "mlp_ratio"
  }

  /// Reads open_clip's `vision_cfg`, where a residual network has a list of `layers`.
  public init(from decoder: any Swift.Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let imageSize = try fields.decode(Int.self, forKey: .imageSize)
    let width = try fields.decode(Int.self, forKey: .width)
    if let stages = try? fields.decode([Int].self, forKey: .layers) {
      self.init(
        imageSize: imageSize, width: width, stages: stages.map { min(max(0, $0), 256) })
      return
    }
    self.init(
      imageSize: imageSize,
      patchSize: try fields.decode(Int.self, forKey: .patchSize), width: width,
      layers: try fields.decode(Int.self, forKey: .layers),
      headWidth: try fields.decodeIfPresent(Int.self, forKey: .headWidth) ?? 64,
      mlpRatio: try fields.decodeIfPresent(Double.self, forKey: .mlpRatio) ?? 4)
    tower = try fields.decodeIfPresent(CLIP.Config.Tower.self, forKey: .tower) ?? .transformer
  }

  /// Writes what ``init(from:)`` reads.
  public func encode(to encoder: any Swift.Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(imageSize, forKey: .imageSize)
    try fields.encode(width, forKey: .width)
    guard tower != .resNet else { return try fields.encode(stages, forKey: .layers) }
    try fields.encode(patchSize, forKey: .patchSize)
    try fields.encode(layers, forKey: .layers)
    try fields.encode(headWidth, forKey: .headWidth)
    try fields.encode(mlpRatio, forKey: .mlpRatio)
    if tower != .transformer { try fields.encode(tower, forKey: .tower) }
  }
}

extension CLIP.Config.Text {
  enum CodingKeys: String, CodingKey {
    case contextLength = "context_length"
    case vocabSize = "vocab_size"
    case width, heads, layers
  }
}

extension CLIP.Config {
  /// Checks that the sizes fit each other and are no larger than any published model's by far.
  ///
  /// - Throws: `CLIP.ConfigError` naming the field.
  public func validate() throws {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
      guard range.contains(value) else {
        throw CLIP.ConfigError(
          description: "CLIP's configuration has \(name) = \(value); it must be from "
            + "\(range.lowerBound) to \(range.upperBound).")
      }
    }
    func check(_ dividend: (String, Int), by divisor: (String, Int)) throws {
      guard dividend.1 % divisor.1 == 0 else {
        throw CLIP.ConfigError(
          description: "CLIP's configuration has \(dividend.0) = \(dividend.1), which is not a "
            + "multiple of \(divisor.0) = \(divisor.1).")
      }
    }
    try check("embed_dim", embedDim, 1...65_536)
    try check("vision_cfg.image_size", vision.imageSize, 1...8_192)
    try check("vision_cfg.patch_size", vision.patchSize, 1...vision.imageSize)
    try check("vision_cfg.width", vision.width, 1...65_536)
    try check("vision_cfg.layers", vision.layers, 1...256)
    guard
      vision.tower != .resNet || vision.stages.count == 4 && vision.stages.allSatisfy({ $0 > 0 })
    else {
      throw CLIP.ConfigError(
        description: "CLIP's configuration has vision_cfg.layers = \(vision.stages); "
          + "a residual network has four stages.")
    }
    guard preprocessing.mean.count == 3, preprocessing.std.count == 3,
      preprocessing.std.allSatisfy({ $0 > 0 })
    else {
      throw CLIP.ConfigError(
        description: "CLIP's configuration has preprocess_cfg without three means and deviations.")
    }
    guard vision.mlpRatio.isFinite, (0.01...64).contains(vision.mlpRatio), vision.hidden > 0 else {
      throw CLIP.ConfigError(
        description: "CLIP's configuration has vision_cfg.mlp_ratio = \(vision.mlpRatio); "
          + "it must be from 0.01 to 64.")
    }
    try check("text_cfg.context_length", text.contextLength, 2...8_192)
    try check("text_cfg.vocab_size", text.vocabSize, 2...2_000_000)
    try check("text_cfg.width", text.width, 1...65_536)
    try check("text_cfg.heads", text.heads, 1...text.width)
    try check("text_cfg.layers", text.layers, 1...256)
    try check(
      ("vision_cfg.image_size", vision.imageSize), by: ("vision_cfg.patch_size", vision.patchSize))
    if vision.tower == .resNet {
      try check(("vision_cfg.width", vision.width), by: ("two", 2))
      try check(("32 vision_cfg.width", 32 * vision.width), by: ("heads", vision.width / 2))
    } else {
      try check("vision_cfg.head_width", vision.headWidth, 1...vision.width)
      try check(("vision_cfg.width", vision.width), by: ("vision_cfg.head_width", vision.headWidth))
    }
    try check(("text_cfg.width", text.width), by: ("text_cfg.heads", text.heads))
  }
}
