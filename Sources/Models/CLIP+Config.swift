import Foundation
import Torch

extension CLIP {
  /// Sizes of a CLIP model; field names in JSON are those of open_clip's model configurations.
  public struct Config: Codable, Sendable, Equatable {
    /// `E`, width of the common space.
    public var embedDim: Int
    /// Sizes of the image tower.
    public var vision: Vision
    /// Sizes of the text tower.
    public var text: Text
    /// Whether the activation is QuickGELU. OpenAI's weights and all files tagged `quickgelu` need
    /// it, most of LAION's need the exact GELU; shapes do not tell.
    public var quickGELU: Bool

    /// The activation of both towers.
    public var activation: Activation { quickGELU ? .quickGELU : .gelu }

    /// Sizes of an image tower.
    public struct Vision: Codable, Sendable, Equatable {
      /// Height and width of its pictures.
      public var imageSize: Int
      /// Height and width of a patch.
      public var patchSize: Int
      /// `D`, width of the transformer.
      public var width: Int
      /// Number of blocks.
      public var layers: Int
      /// `D / N`, width of one attention head.
      public var headWidth: Int
      /// Width between the two linear layers of a block, as a multiple of `D`.
      public var mlpRatio: Double

      /// Number of attention heads.
      public var heads: Int { width / headWidth }
      /// Width between the two linear layers of a block.
      public var hidden: Int { Int(Double(width) * mlpRatio) }

      /// Sizes of an image tower.
      public init(
        imageSize: Int, patchSize: Int, width: Int, layers: Int, headWidth: Int = 64,
        mlpRatio: Double = 4
      ) {
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.width = width
        self.layers = layers
        self.headWidth = headWidth
        self.mlpRatio = mlpRatio
      }
    }

    /// Sizes of a text tower.
    public struct Text: Codable, Sendable, Equatable {
      /// Most tokens of a text.
      public var contextLength: Int
      /// Number of token ids.
      public var vocabSize: Int
      /// `D`, width of the transformer.
      public var width: Int
      /// Number of attention heads.
      public var heads: Int
      /// Number of blocks.
      public var layers: Int

      /// Sizes of a text tower.
      public init(
        contextLength: Int = 77, vocabSize: Int = 49408, width: Int, heads: Int, layers: Int
      ) {
        self.contextLength = contextLength
        self.vocabSize = vocabSize
        self.width = width
        self.heads = heads
        self.layers = layers
      }
    }

    /// Sizes of a model.
    public init(embedDim: Int, vision: Vision, text: Text, quickGELU: Bool = true) {
      self.embedDim = embedDim
      self.vision = vision
      self.text = text
      self.quickGELU = quickGELU
    }
  }

  /// The non-linearity of a block.
  public enum Activation: Sendable {
    /// `x · sigmoid(1.702 x)`
    case quickGELU
    /// `x · Φ(x)`, by the error function
    case gelu

    func callAsFunction(_ x: Tensor) -> Tensor {
      switch self {
      case .quickGELU: x.quickGELU()
      case .gelu: x.gelu()
      }
    }
  }

  /// Why a configuration cannot be one of CLIP.
  public struct ConfigError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let description: String
  }
}

extension CLIP.Config {
  /// OpenAI's ViT-B/32.
  /// https://github.com/mlfoundations/open_clip/blob/main/src/open_clip/model_configs/ViT-B-32-quickgelu.json
  public static let vitB32 = CLIP.Config(
    embedDim: 512, vision: Vision(imageSize: 224, patchSize: 32, width: 768, layers: 12),
    text: Text(width: 512, heads: 8, layers: 12))
  /// OpenAI's ViT-B/16.
  public static let vitB16 = CLIP.Config(
    embedDim: 512, vision: Vision(imageSize: 224, patchSize: 16, width: 768, layers: 12),
    text: Text(width: 512, heads: 8, layers: 12))
  /// OpenAI's ViT-L/14.
  public static let vitL14 = CLIP.Config(
    embedDim: 768, vision: Vision(imageSize: 224, patchSize: 14, width: 1024, layers: 24),
    text: Text(width: 768, heads: 12, layers: 12))
  /// OpenAI's ViT-L/14@336px.
  public static let vitL14At336 = CLIP.Config(
    embedDim: 768, vision: Vision(imageSize: 336, patchSize: 14, width: 1024, layers: 24),
    text: Text(width: 768, heads: 12, layers: 12))

  /// Reads the sizes from a checkpoint's shapes, as `build_model` of openai/CLIP does. Head widths
  /// are 64, as in all of OpenAI's models, and the activation is QuickGELU: neither leaves a trace
  /// in the shapes.
  ///
  /// - Throws: `CLIP.ConfigError` when a key is missing or has an odd shape.
  public init(detecting shapes: [String: [Int]]) throws {
    func shape(_ key: String, rank: Int) throws -> [Int] {
      guard let shape = shapes[key], shape.count == rank else {
        throw CLIP.ConfigError(
          description: "These are not the weights of a CLIP with a vision transformer: "
            + (shapes[key].map { "\(key) has the shape \($0)." } ?? "\(key) is missing."))
      }
      return shape
    }
    func layers(_ prefix: String) -> Int {
      Set(
        shapes.keys.filter { $0.hasPrefix(prefix) }
          .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
      ).count
    }
    let conv1 = try shape("visual.conv1.weight", rank: 4)
    let positions = try shape("visual.positional_embedding", rank: 2)
    let fc = try shape("visual.transformer.resblocks.0.mlp.c_fc.weight", rank: 2)
    let tokens = try shape("token_embedding.weight", rank: 2)
    let grid = Int(Double(max(0, positions[0] - 1)).squareRoot().rounded())
    self.init(
      embedDim: try shape("text_projection", rank: 2)[1],
      vision: Vision(
        imageSize: grid.multipliedReportingOverflow(by: conv1[3]).partialValue, patchSize: conv1[3],
        width: conv1[0], layers: layers("visual.transformer.resblocks."), headWidth: 64,
        mlpRatio: Double(fc[0]) / Double(max(1, conv1[0]))),
      text: Text(
        contextLength: try shape("positional_embedding", rank: 2)[0], vocabSize: tokens[0],
        width: tokens[1], heads: tokens[1] / 64, layers: layers("transformer.resblocks.")))
    try validate()
  }

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
    try check("vision_cfg.head_width", vision.headWidth, 1...vision.width)
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
    try check(("vision_cfg.width", vision.width), by: ("vision_cfg.head_width", vision.headWidth))
    try check(("text_cfg.width", text.width), by: ("text_cfg.heads", text.heads))
  }
}

// MARK: - JSON

extension CLIP.Config {
  private enum CodingKeys: String, CodingKey {
    case embedDim = "embed_dim"
    case vision = "vision_cfg"
    case text = "text_cfg"
    case quickGELU = "quick_gelu"
  }

  /// Reads open_clip's JSON, with its defaults, and validates it.
  public init(from decoder: any Swift.Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      embedDim: try fields.decode(Int.self, forKey: .embedDim),
      vision: try fields.decode(Vision.self, forKey: .vision),
      text: try fields.decode(Text.self, forKey: .text),
      quickGELU: try fields.decodeIfPresent(Bool.self, forKey: .quickGELU) ?? false)
    try validate()
  }
}

extension CLIP.Config.Vision {
  private enum CodingKeys: String, CodingKey {
    case imageSize = "image_size"
    case patchSize = "patch_size"
    case width, layers
    case headWidth = "head_width"
    case mlpRatio = "mlp_ratio"
  }

  /// Reads open_clip's `vision_cfg`.
  public init(from decoder: any Swift.Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      imageSize: try fields.decode(Int.self, forKey: .imageSize),
      patchSize: try fields.decode(Int.self, forKey: .patchSize),
      width: try fields.decode(Int.self, forKey: .width),
      layers: try fields.decode(Int.self, forKey: .layers),
      headWidth: try fields.decodeIfPresent(Int.self, forKey: .headWidth) ?? 64,
      mlpRatio: try fields.decodeIfPresent(Double.self, forKey: .mlpRatio) ?? 4)
  }
}

extension CLIP.Config.Text {
  private enum CodingKeys: String, CodingKey {
    case contextLength = "context_length"
    case vocabSize = "vocab_size"
    case width, heads, layers
  }
}
