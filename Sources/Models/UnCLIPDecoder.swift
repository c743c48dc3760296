import Torch
import Weights

/// unCLIP's decoder (Ramesh et al. 2022, section 2.1): paints the picture of which it is told CLIP's embedding, and
/// the text beside it.
///
/// Follows `PLMImUNet` of kakaobrain/karlo at 3c68a50, keys verbatim.
public struct UnCLIPDecoder {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// The U-Net.
    public var unet: UNet.Config
    /// Height and width on which it was trained.
    public var size: Int
    /// Numbers of CLIP's embeddings.
    public var clip_dim: Int
    /// Tokens that are made of a picture's embedding.
    public var clip_emb_mult: Int

    /// A configuration.
    public init(_ unet: UNet.Config, size: Int = 64, clip_dim: Int = 768, clip_emb_mult: Int = 4) {
      (self.unet, self.size) = (unet, size)
      (self.clip_dim, self.clip_emb_mult) = (clip_dim, clip_emb_mult)
    }

    /// Karlo v1.0.alpha's, for OpenAI's ViT-L/14.
    public static let karlo = Self(
      .init(
        width: 320, widths: [320, 640, 960, 1280], blocks: 3, attention: [1, 2, 3], context: 1536))
  }

  /// What it is told; the same at every step.
  public struct Told {
    /// Added to what blocks are told of the time, `[B, 4 width]` float32.
    let told: Tensor
    /// What attention sees beside the picture.
    let context: UNet.Context

    init(told: Tensor, context: UNet.Context) { (self.told, self.context) = (told, context) }

    /// Several, one behind another.
    public init(_ all: [Told]) {
      told = concatenated(all.map(\.told), over: 0)
      context = .init(
        values: concatenated(all.map(\.context.values), over: 0),
        mask: concatenated(all.compactMap(\.context.mask), over: 0))
    }
  }

  /// The shape of the network.
  public let config: Config
  /// What stands for any picture, `[clip_dim]`.
  public let cf_param: Tensor
  private let unet: UNet
  private let clip_emb: Linear, text_feat_proj: Linear, clip_tok_proj: Linear
  private let text_seq_proj0: Linear, text_seq_proj1: LayerNorm

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    unet = UNet(p, config.unet)
    let (dim, told, context) = (config.clip_dim, 4 * config.unet.width, config.unet.context ?? 1)
    cf_param = p("cf_param", [dim], .normal(0.02))
    clip_emb = Linear(p / "clip_emb", dim, told)
    text_feat_proj = Linear(p / "text_feat_proj", dim, told)
    clip_tok_proj = Linear(p / "clip_tok_proj", dim, context * config.clip_emb_mult)
    text_seq_proj0 = Linear(p / "text_seq_proj" / 0, dim, context)
    text_seq_proj1 = LayerNorm(p / "text_seq_proj" / 1, context)
  }

  /// What the network is told of pictures and texts.
  /// - Parameter picture: CLIP's embedding of each picture, not normalised, `[B, clip_dim]`; nil for any.
  public func read(picture: Tensor?, text: PriorText) -> Told {
    let dtype = unet.computeType
    let b = text.embedding.size(0)
    let picture = (picture ?? cf_param.unsqueezed(0).expanded([b, config.clip_dim])).to(dtype)
    let mult = config.clip_emb_mult
    // Of each channel the tokens one after another.
    let own = clip_tok_proj(picture).reshaped(b, -1, mult).transposed()  // [B, mult, context]
    let words = text_seq_proj1(text_seq_proj0(text.encoding.to(dtype)))
    let known = concatenated(
      [Tensor.ones([b, mult], device: text.mask.device), text.mask], over: 1)
    return Told(
      told: (clip_emb(picture) + text_feat_proj(text.embedding.to(dtype))).to(.float32),
      context: .init(values: concatenated([own, words], over: 1), mask: (1 - known) * -1e9))
  }

  /// The noise in noised pictures, and the variance.
  /// - Parameters:
  ///   - x: `[B, 3, H, W]`.
  ///   - timesteps: of each, `[B]`, of a thousand; they need not be whole.
  /// - Returns: `[B, 6, H, W]` float32
  public func callAsFunction(_ x: Tensor, timesteps: Tensor, told: Told) -> Tensor {
    unet(
      x.to(.float32), told: unet.trunk.told(timesteps) + told.told, context: told.context)
  }
}

/// Karlo's super-resolution from 64 to 256 pixels: a diffusion network for all steps but the last, and one that was
/// trained further against an adversary for that.
///
/// Follows `ImprovedSupRes64to256ProgressiveModel` of kakaobrain/karlo at 3c68a50, keys verbatim.
public struct UnCLIPUpsampler {
  /// The shape of both networks.
  public struct Config: Codable, Sendable, Hashable {
    /// The U-Net.
    public var unet: UNet.Config
    /// Height and width on which it was trained.
    public var size: Int

    /// A configuration.
    public init(_ unet: UNet.Config, size: Int = 256) { (self.unet, self.size) = (unet, size) }

    /// Karlo v1.0.alpha's.
    public static let karlo = Self(
      .init(
        inputs: 6, outputs: 3, width: 320, widths: [320, 640, 960, 1280], blocks: 3, attention: [],
        scales: false, attendsInMiddle: false))
  }

  /// The shape of both networks.
  public let config: Config
  private let first: UNet, last: UNet

  /// The networks with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    first = UNet(p / "model_first_steps", config.unet)
    last = UNet(p / "model_last_step", config.unet)
  }

  /// The noise in noised pictures.
  /// - Parameters:
  ///   - x: `[B, 3, H, W]`.
  ///   - timesteps: of each, `[B]`, of a thousand.
  ///   - large: the small picture as large as `x`, in -1…1, by bicubic filtering.
  ///   - isLast: whether it is the last step.
  /// - Returns: `[B, 3, H, W]` float32
  public func callAsFunction(_ x: Tensor, timesteps: Tensor, large: Tensor, isLast: Bool) -> Tensor
  {
    let unet = isLast ? last : first
    return unet(
      concatenated([x.to(.float32), large.to(.float32)], over: 1), told: unet.trunk.told(timesteps))
  }
}

extension UnCLIPDecoder.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    if let problem = unet.problem { return problem }
    guard let context = unet.context, unet.inputs == 3, unet.outputs == 6,
      (1...4096).contains(size), size % unet.factor == 0, (1...65_536).contains(clip_dim),
      (1...64).contains(clip_emb_mult), (1...65_536).contains(context)
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "unCLIP decoder of \(size) pixels" }
  /// Pixels of a picture along each axis for one position.
  public var pixelsPerPosition: Int? { unet.factor }

  /// Reads the sizes from shapes; heads are of 64 channels.
  /// - Returns: nil when these are not the shapes of such a network.
  init?(detecting shapes: [String: [Int]]) {
    guard var unet = UNet.Config(detecting: shapes), let dim = shapes["cf_param"]?.first,
      let context = shapes["text_seq_proj.0.weight"]?.first, context > 0,
      let tokens = shapes["clip_tok_proj.weight"]?.first
    else { return nil }
    unet.context = context
    self.init(
      unet, size: 8 << (unet.widths.count - 1), clip_dim: dim, clip_emb_mult: tokens / context)
    guard problem == nil else { return nil }
  }
}

extension UnCLIPUpsampler.Config: NetworkConfig {
  /// Why these sizes make no network; nil when they do.
  public var problem: String? {
    if let problem = unet.problem { return problem }
    guard unet.inputs == 6, unet.outputs == 3, (1...4096).contains(size), size % unet.factor == 0
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "unCLIP upsampler to \(size) pixels" }

  /// Reads the sizes from shapes.
  /// - Returns: nil when these are not the shapes of such networks.
  init?(detecting shapes: [String: [Int]]) {
    let prefix = "model_first_steps."
    let own = shapes.reduce(into: [String: [Int]]()) { own, entry in
      if entry.key.hasPrefix(prefix) {
        own[String(entry.key.dropFirst(prefix.count))] = entry.value
      }
    }
    guard let unet = UNet.Config(detecting: own) else { return nil }
    self.init(unet, size: 32 << (unet.widths.count - 1))
    guard problem == nil else { return nil }
  }
}

extension UnCLIPDecoder: Network {
  /// Karlo's own file.
  public static let architecture = Architecture(
    "unclip-decoder", UnCLIPDecoder.self, kind: "unclip",
    partners: ["unclip-prior", "unclip-upsampler", CLIP.architecture.id],
    layouts: [
      .init(
        "Karlo's decoder", mark: "cf_param", needs: ["clip_tok_proj.weight"], role: "model."),
      .init(
        "diffusers UnCLIP decoder", mark: "text_proj.clip_extra_context_tokens_proj.weight",
        needs: ["decoder.conv_in.weight"], rules: { [diffusers($0)] }),
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}

extension UnCLIPDecoder {
  /// Diffusers' `UNet2DConditionModel` and `UnCLIPTextProjModel`, the folders `decoder` and `text_proj`.
  static func diffusers(_ keys: [String]) -> KeyRules {
    KeyRules(
      name: "diffusers UnCLIP decoder", mark: "text_proj.clip_extra_context_tokens_proj.weight",
      rules: [
        .init("text_proj.learned_classifier_free_guidance_embeddings", "cf_param"),
        .init("text_proj.embedding_proj.*", "text_feat_proj.*"),
        .init("text_proj.clip_image_embeddings_project_to_time_embeddings.*", "clip_emb.*"),
        .init("text_proj.clip_extra_context_tokens_proj.*", "clip_tok_proj.*"),
        .init("text_proj.encoder_hidden_states_proj.*", "text_seq_proj.0.*"),
        .init("text_proj.text_encoder_hidden_states_norm.*", "text_seq_proj.1.*"),
      ] + UNet.diffusersRules(keys, from: "decoder."))
  }
}

extension UnCLIPUpsampler {
  /// Two of diffusers' `UNet2DModel`, the folders `super_res_first` and `super_res_last`.
  static func diffusers(_ keys: [String]) -> KeyRules {
    KeyRules(
      name: "diffusers UnCLIP super-resolution", mark: "super_res_first.conv_in.weight",
      rules: UNet.diffusersRules(keys, from: "super_res_first.", to: "model_first_steps.")
        + UNet.diffusersRules(keys, from: "super_res_last.", to: "model_last_step."))
  }
}

extension UnCLIPUpsampler: Network {
  /// Karlo's own file.
  public static let architecture = Architecture(
    "unclip-upsampler", UnCLIPUpsampler.self, kind: "unclip",
    layouts: [
      .init(
        "Karlo's super-resolution", mark: "model_first_steps.input_blocks.0.0.weight",
        needs: ["model_last_step.input_blocks.0.0.weight"]),
      .init(
        "diffusers UnCLIP super-resolution", mark: "super_res_first.conv_in.weight",
        needs: ["super_res_last.conv_in.weight"], rules: { [diffusers($0)] }),
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}
