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

    /// Mean and deviation by which pictures are normalised.
    public var preprocessing = Preprocessing.openAI

    /// The activation of both towers; SLIP's image tower has its own.
    public var activation: Activation { quickGELU ? .quickGELU : .gelu }

    /// Statistics of red, green and blue over the training pictures.
    public struct Preprocessing: Codable, Sendable, Equatable {
      /// Mean of each channel, of values in 0…1.
      public var mean: [Float]
      /// Standard deviation of each channel.
      public var std: [Float]

      /// OpenAI's, and most of LAION's.
      public static let openAI = Self(
        mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711])
      /// ImageNet's, which SLIP uses.
      public static let imageNet = Self(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
      /// -1…1, which LAION's ViT-L/14 of laion2b_s32b_b82k uses.
      public static let symmetric = Self(mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])
    }

    /// Which network looks at pictures.
    public enum Tower: String, Codable, Sendable {
      /// OpenAI's vision transformer.
      case transformer
      /// OpenAI's residual network.
      case resNet = "resnet"
      /// SLIP's vision transformer.
      case slip
    }

    /// Sizes of an image tower.
    public struct Vision: Codable, Sendable, Equatable {
      /// Which network it is.
      public var tower = Tower.transformer
      /// Height and width of its pictures.
      public var imageSize: Int
      /// Height and width of a patch; 32 pixels of a residual network end in one position.
      public var patchSize: Int
      /// `D`, width of the transformer, or of the residual network's first stage.
      public var width: Int
      /// Number of blocks, of all stages together.
      public var layers: Int
      /// Blocks of each stage of a residual network.
      public var stages: [Int] = []
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

      /// Sizes of a residual network.
      public init(imageSize: Int, width: Int, stages: [Int]) {
        self.init(
          imageSize: imageSize, patchSize: 32, width: width, layers: stages.reduce(0, +))
        self.stages = stages
        tower = .resNet
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
    public init(
      embedDim: Int, vision: Vision, text: Text, quickGELU: Bool = true,
      preprocessing: Preprocessing = .openAI
    ) {
      self.embedDim = embedDim
      self.vision = vision
      self.text = text
      self.quickGELU = quickGELU
      self.preprocessing = preprocessing
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
