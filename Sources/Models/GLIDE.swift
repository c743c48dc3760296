import Foundation
import Torch
import Weights

/// The networks of GLIDE (Nichol et al., "GLIDE: Towards Photorealistic Image Generation and Editing with
/// Text-Guided Diffusion Models", 2021): the U-Net of guided-diffusion, told a text by a transformer of its own.
///
/// Follows `text2im_model.py` of openai/glide-text2im at 69b5307, keys verbatim: base and upsampler, and both as
/// they were trained further to fill holes.
public struct GLIDE {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// The U-Net.
    public var unet: UNet.Config
    /// Height and width on which it was trained.
    public var size: Int
    /// Height and width of the small picture that it is shown to enlarge; nil when it is shown none.
    public var smallSize: Int?
    /// Whether it is shown what stands around a hole.
    public var fillsHoles: Bool
    /// Tokens of the vocabulary.
    public var n_vocab: Int
    /// Tokens of a text.
    public var text_ctx: Int
    /// Width of the transformer.
    public var xf_width: Int
    /// Blocks of the transformer.
    public var xf_layers: Int
    /// Attention heads of a block.
    public var xf_heads: Int

    /// A configuration; what is left out is GLIDE's.
    public init(
      _ unet: UNet.Config, size: Int, smallSize: Int? = nil, fillsHoles: Bool = false,
      n_vocab: Int = 50_257, text_ctx: Int = 128, xf_width: Int = 512, xf_layers: Int = 16,
      xf_heads: Int = 8
    ) {
      self.unet = unet
      (self.size, self.smallSize, self.fillsHoles) = (size, smallSize, fillsHoles)
      (self.n_vocab, self.text_ctx) = (n_vocab, text_ctx)
      (self.xf_width, self.xf_layers, self.xf_heads) = (xf_width, xf_layers, xf_heads)
    }

    /// Channels of what is noised.
    static let channels = 3

    /// GLIDE's base.pt.
    public static let base = Self(
      .init(
        width: 192, widths: [192, 384, 576, 768], blocks: 3, attention: [1, 2, 3], context: 512),
      size: 64)
    /// GLIDE's upsample.pt.
    public static let upsampler = Self(
      .init(
        inputs: 6, width: 192, widths: [192, 192, 384, 384, 768, 768], attention: [3, 4, 5],
        context: 512), size: 256, smallSize: 64)
    /// GLIDE's base_inpaint.pt.
    public static let baseInpaint = base.filling()
    /// GLIDE's upsample_inpaint.pt.
    public static let upsamplerInpaint = upsampler.filling()

    private func filling() -> Self {
      var config = self
      config.unet.inputs += Self.channels + 1
      config.fillsHoles = true
      return config
    }
  }

  /// What the transformer makes of a text; the same at every step.
  public struct Text {
    /// Added to what blocks are told of the time, `[B, 4 width]` float32.
    let told: Tensor
    /// What attention sees beside the picture, `[B, T, xf_width]`.
    let context: Tensor

    init(told: Tensor, context: Tensor) { (self.told, self.context) = (told, context) }

    /// Several, one behind another.
    public init(_ all: [Text]) {
      told = concatenated(all.map(\.told), over: 0)
      context = concatenated(all.map(\.context), over: 0)
    }
  }

  /// What stands around a hole.
  public struct Hole {
    /// The picture, in -1…1, `[B, 3, H, W]`.
    public var picture: Tensor
    /// 1 where it is known and 0 in the hole, `[B, 1, H, W]`.
    public var known: Tensor

    /// A hole in a picture.
    public init(picture: Tensor, known: Tensor) { (self.picture, self.known) = (picture, known) }
  }

  /// The shape of the network.
  public let config: Config
  private let unet: UNet
  private let token_embedding: Embedding
  private let positional_embedding: Tensor, padding_embedding: Tensor  // [T, D] each
  private let transformer: GLIDETransformer
  private let final_ln: LayerNorm
  private let transformer_proj: Linear

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    unet = UNet(p, config.unet)
    token_embedding = Embedding(p / "token_embedding", config.n_vocab, config.xf_width)
    positional_embedding = p(
      "positional_embedding", [config.text_ctx, config.xf_width], .normal(0.01))
    padding_embedding = p("padding_embedding", [config.text_ctx, config.xf_width], .normal(0.01))
    transformer = GLIDETransformer(
      p / "transformer", width: config.xf_width, layers: config.xf_layers, heads: config.xf_heads)
    final_ln = LayerNorm(p / "final_ln", config.xf_width)
    transformer_proj = Linear(p / "transformer_proj", config.xf_width, 4 * config.unet.width)
  }

  /// Reads texts.
  /// - Parameters:
  ///   - tokens: `[B, T]` int64, `T` the context's length.
  ///   - mask: 1 where a token is the text's, 0 where it is padding, `[B, T]` float32.
  public func read(_ tokens: Tensor, mask: Tensor) -> Text {
    let dtype = transformer_proj.weight.dtype
    let placed = token_embedding(tokens) + positional_embedding
    let known = mask.unsqueezed(-1).to(placed.dtype)  // [B, T, 1]
    let h = final_ln(transformer((placed * known + padding_embedding * (1 - known)).to(dtype)))
    return Text(told: transformer_proj(h.select(1, -1)).to(.float32), context: h)
  }

  /// The noise in noised pictures, and the variance.
  /// - Parameters:
  ///   - x: `[B, 3, H, W]`.
  ///   - timesteps: of each, `[B]`, of a thousand; they need not be whole.
  ///   - small: what is enlarged, `[B, 3, h, w]` in -1…1, where it is shown something.
  ///   - hole: what is to be filled, where it was trained for that; nil for all of the picture.
  /// - Returns: `[B, 6, H, W]` float32
  public func callAsFunction(
    _ x: Tensor, timesteps: Tensor, text: Text, small: Tensor? = nil, hole: Hole? = nil
  ) -> Tensor {
    let (b, h, w) = (x.size(0), x.size(2), x.size(3))
    var shown = [x.to(.float32)]
    if config.fillsHoles {
      let known = hole?.known ?? Tensor.zeros([b, 1, h, w], device: x.device)
      let picture = hole?.picture ?? Tensor.zeros(x.shape, device: x.device)
      shown += [picture.to(.float32) * known, known.to(.float32)]
    }
    if config.smallSize != nil {
      shown.append(
        small?.resampled(h, w).to(.float32) ?? Tensor.zeros(x.shape, device: x.device))
    }
    return unet(
      concatenated(shown, over: 1), told: unet.trunk.told(timesteps) + text.told,
      context: .init(values: text.context))
  }
}

extension GLIDE.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    if let problem = unet.problem { return problem }
    let inputs = Self.channels * (smallSize == nil ? 1 : 2) + (fillsHoles ? Self.channels + 1 : 0)
    guard unet.context == xf_width, unet.inputs == inputs, (1...4096).contains(size),
      size % unet.factor == 0, smallSize.map({ (1...4096).contains($0) }) ?? true,
      unet.outputs == 2 * Self.channels, (1...4096).contains(text_ctx),
      [n_vocab, xf_width].allSatisfy({ (1...1 << 20).contains($0) }),
      (1...256).contains(xf_layers), (1...256).contains(xf_heads), xf_width % xf_heads == 0
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String {
    (smallSize == nil ? "GLIDE of \(size) pixels" : "GLIDE's upsampler to \(size) pixels")
      + (fillsHoles ? ", for holes" : "")
  }

  /// Pixels of a picture along each axis for one position.
  public var pixelsPerPosition: Int? { unet.factor }

  /// Reads the sizes from shapes; heads are of 64 channels.
  /// - Returns: nil when these are not the shapes of such a network.
  init?(detecting shapes: [String: [Int]]) {
    guard var unet = UNet.Config(detecting: shapes),
      let words = shapes["token_embedding.weight"], words.count == 2,
      let places = shapes["padding_embedding"], places.count == 2
    else { return nil }
    unet.context = places[1]
    let (fills, enlarges): (Bool, Bool)
    switch unet.inputs {
    case 3: (fills, enlarges) = (false, false)
    case 6: (fills, enlarges) = (false, true)
    case 7: (fills, enlarges) = (true, false)
    case 10: (fills, enlarges) = (true, true)
    default: return nil
    }
    let size = 8 << (unet.widths.count - 1)
    self.init(
      unet, size: size, smallSize: enlarges ? size / 4 : nil, fillsHoles: fills, n_vocab: words[0],
      text_ctx: places[0], xf_width: places[1],
      xf_layers: shapes.keys.filter { $0.hasSuffix(".attn.c_qkv.weight") }.count,
      xf_heads: max(1, places[1] / 64))
    guard problem == nil else { return nil }
  }
}

/// GLIDE's second network, which enlarges what the first has drawn; told the text, too.
public struct GLIDEUpsampler {
  /// The network.
  public let network: GLIDE

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: GLIDE.Config) { network = GLIDE(p, config) }
}

extension GLIDE: Network {
  fileprivate static let layouts = [
    Architecture.Layout("GLIDE", mark: "padding_embedding", needs: ["input_blocks.0.0.weight"])
  ]

  /// OpenAI's base.pt and base_inpaint.pt.
  public static let architecture = Architecture(
    "glide", GLIDE.self, kind: "glide",
    partners: [
      "glide-upsampler", NoisedCLIPTextEncoder.architecture.id,
      NoisedCLIPImageEncoder.architecture.id,
    ], layouts: layouts, sidecars: { _ in vocabularies }
  ) { checkpoint, _ in
    guard let config = Config(detecting: checkpoint.shapes), config.smallSize == nil else {
      return nil
    }
    return (config, [])
  }

  /// GPT-2's vocabulary, which it reads texts by, and CLIP's, by which the noised CLIP does.
  private static let vocabularies = [
    "encoder.json", "encoder.json.gz", "vocab.bpe", "vocab.bpe.gz", "vocab.json", "merges.txt",
    "tokenizer.json", "bpe_simple_vocab_16e6.txt.gz",
  ]
}

extension GLIDEUpsampler: Network {
  /// OpenAI's upsample.pt and upsample_inpaint.pt.
  public static let architecture = Architecture(
    "glide-upsampler", GLIDEUpsampler.self, kind: "glide", layouts: GLIDE.layouts
  ) { checkpoint, _ in
    guard let config = GLIDE.Config(detecting: checkpoint.shapes), config.smallSize != nil else {
      return nil
    }
    return (config, [])
  }
}
