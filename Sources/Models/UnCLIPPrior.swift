import Foundation
import Torch
import Weights

/// What a prior is told of a text: what CLIP's text tower makes of it.
public struct PriorText {
  /// The text's embedding, not normalised, `[B, E]`.
  public var embedding: Tensor
  /// What the tower makes of each token, behind its last norm, `[B, T, D]`.
  public var encoding: Tensor
  /// 1 where a token is the text's, from the start token to the end token, 0 behind it, `[B, T]` float32.
  public var mask: Tensor

  /// A text of these parts.
  public init(embedding: Tensor, encoding: Tensor, mask: Tensor) {
    (self.embedding, self.encoding, self.mask) = (embedding, encoding, mask)
  }

  /// What a CLIP makes of texts.
  /// - Parameter tokens: `[B, T]` int64; behind the end token, which has the largest number, is padding.
  public init(_ clip: CLIP, _ tokens: Tensor) {
    let read = clip.readText(tokens)
    let places = Tensor.arange(0..<tokens.size(1), device: tokens.device)
    let ends = tokens.argmax(over: 1).unsqueezed(1)  // [B, 1]
    self.init(
      embedding: read.embeddings, encoding: read.tokens,
      mask: 1 - ends.less(than: places).to(.float32))
  }
}

/// unCLIP's prior (Ramesh et al., "Hierarchical Text-Conditional Image Generation with CLIP Latents", 2022,
/// section 2.2): finds CLIP's embedding of a picture that a text is of, by diffusion. The network gives the
/// embedding itself (x0), not the noise.
///
/// Follows `PriorTransformer` of kakaobrain/karlo at 3c68a50, keys verbatim.
public struct UnCLIPPrior {
  /// Its sizes; names as in the reference.
  public struct Config: Codable, Sendable, Hashable {
    /// Tokens of a text.
    public var text_ctx: Int
    /// Width of the transformer.
    public var xf_width: Int
    /// Blocks.
    public var xf_layers: Int
    /// Attention heads of a block.
    public var xf_heads: Int
    /// Numbers of CLIP's embeddings.
    public var clip_dim: Int
    /// Width of what CLIP's text tower makes of a token.
    public var text_dim: Int
    /// Whether the mean and the deviation of embeddings are in the file; Karlo has them in one of their own.
    public var hasStatistics: Bool

    /// A configuration.
    public init(
      text_ctx: Int = 77, xf_width: Int = 2048, xf_layers: Int = 20, xf_heads: Int = 32,
      clip_dim: Int = 768, text_dim: Int = 768, hasStatistics: Bool = false
    ) {
      self.text_ctx = text_ctx
      self.xf_width = xf_width
      self.xf_layers = xf_layers
      self.xf_heads = xf_heads
      self.clip_dim = clip_dim
      self.text_dim = text_dim
      self.hasStatistics = hasStatistics
    }

    /// Karlo v1.0.alpha's, for OpenAI's ViT-L/14.
    public static let karlo = Config()

    /// Karlo's heads are of so many channels, which no shape tells.
    static let headWidth = 64
  }

  /// Its sizes.
  public let config: Config
  let time_embed0: Linear, time_embed2: Linear
  let text_enc_proj: Linear, text_emb_proj: Linear, clip_img_proj: Linear, out_proj: Linear
  let transformer: GLIDETransformer
  let final_ln: LayerNorm
  let positional_embedding: Tensor  // [1, T + 4, D]
  let prd_emb: Tensor  // [1, 1, D]
  /// Mean and deviation of the embeddings, where the file has them.
  public let statistics: (clip_mean: Tensor, clip_std: Tensor)?  // [1, E] each

  /// A prior at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let width = config.xf_width
    time_embed0 = Linear(p / "time_embed" / 0, width, width)
    time_embed2 = Linear(p / "time_embed" / 2, width, width)
    text_enc_proj = Linear(p / "text_enc_proj", config.text_dim, width)
    text_emb_proj = Linear(p / "text_emb_proj", config.clip_dim, width)
    clip_img_proj = Linear(p / "clip_img_proj", config.clip_dim, width)
    out_proj = Linear(p / "out_proj", width, config.clip_dim)
    transformer = GLIDETransformer(
      p / "transformer", width: width, layers: config.xf_layers, heads: config.xf_heads)
    final_ln = LayerNorm(p / "final_ln", width)
    positional_embedding = p(
      "positional_embedding", [1, config.text_ctx + 4, width], .normal(0.01))
    prd_emb = p("prd_emb", [1, 1, width], .normal(0.01))
    statistics =
      config.hasStatistics
      ? (
        p("clip_mean", [1, config.clip_dim], .zeros, .precise),
        p("clip_std", [1, config.clip_dim], .ones, .precise)
      ) : nil
  }

  /// - Parameters:
  ///   - x: a noised embedding, of mean zero and deviation one without noise, `[B, E]`.
  ///   - timesteps: `[B]`, of a thousand; they need not be whole.
  ///   - text: of `text_ctx` tokens.
  /// - Returns: the embedding without noise, `[B, E]` float32.
  public func callAsFunction(_ x: Tensor, timesteps: Tensor, text: PriorText) -> Tensor {
    let b = x.size(0)
    let dtype = out_proj.weight.dtype
    func token(_ y: Tensor) -> Tensor { y.unsqueezed(1) }
    let time = time_embed2(
      time_embed0(sinusoids(of: timesteps, width: config.xf_width).to(dtype)).silu())
    let tokens = concatenated(
      [
        text_enc_proj(text.encoding.to(dtype)),
        token(text_emb_proj(text.embedding.to(dtype))),
        token(time),
        token(clip_img_proj(x.to(dtype))),
        prd_emb.to(dtype).expanded([b, 1, config.xf_width]),
      ], over: 1)  // [B, T + 4, D]
    let h = transformer(tokens + positional_embedding.to(dtype), mask: mask(text.mask))
    return out_proj(final_ln(h).select(1, -1)).to(.float32)
  }

  /// What is added to the scores, `[B, 1, T + 4, T + 4]`: no token sees later ones, nor those behind the text.
  private func mask(_ known: Tensor) -> Tensor {
    let (b, t) = (known.size(0), config.text_ctx + 4)
    // A float's infinity would make a row of nothing but infinities no number at all.
    let hidden =
      (1 - concatenated([known, Tensor.ones([b, 4], device: known.device)], over: 1)) * -1e9
    let later = Tensor.full([t, t], -1e9, device: known.device).upperTriangle(diagonal: 1)
    return hidden.reshaped(b, 1, 1, t) + later
  }
}

extension UnCLIPPrior.Config: NetworkConfig {
  /// What is wrong with it; nil when nothing is.
  public var problem: String? {
    guard [xf_width, clip_dim, text_dim].allSatisfy({ (1...65_536).contains($0) }),
      (1...4096).contains(text_ctx),
      (1...256).contains(xf_layers), (1...256).contains(xf_heads), xf_width % (2 * xf_heads) == 0
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "unCLIP prior, \(xf_layers) blocks of \(xf_width)" }

  /// Reads the sizes from shapes.
  /// - Returns: nil when they are not a prior's.
  init?(detecting shapes: [String: [Int]]) {
    guard let place = shapes["positional_embedding"], place.count == 3, place[1] > 4,
      let text = shapes["text_enc_proj.weight"], text.count == 2,
      let embedding = shapes["clip_img_proj.weight"], embedding.count == 2
    else { return nil }
    let blocks = shapes.keys.filter { $0.hasSuffix(".attn.c_qkv.weight") }.count
    self.init(
      text_ctx: place[1] - 4, xf_width: place[2], xf_layers: blocks,
      xf_heads: max(1, place[2] / Self.headWidth), clip_dim: embedding[1], text_dim: text[1],
      hasStatistics: shapes["clip_mean"] != nil && shapes["clip_std"] != nil)
    guard problem == nil else { return nil }
  }
}

extension UnCLIPPrior {
  /// Beside Karlo's prior: mean and deviation of the embeddings, two tensors without names.
  public static let statisticsFile = "ViT-L-14_stats.th"

  /// Mean and deviation of embeddings, `[1, E]` each, from a file of its own.
  /// - Throws: `WeightsError`.
  public static func statistics(contentsOf url: URL, on device: Device) throws -> (
    clip_mean: Tensor, clip_std: Tensor
  )? {
    let file = try openTensors(at: url)
    guard file.entries["0"]?.shape == file.entries["1"]?.shape, file.entries["0"]?.shape.count == 1
    else { return nil }
    let rows = try ["0", "1"].map {
      try file.tensor($0).to(.float32).to(device).unsqueezed(0)
    }
    return (rows[0], rows[1])
  }
}

extension UnCLIPPrior: Network {
  /// Karlo's own file, and the folder `prior` of diffusers' UnCLIP.
  public static let architecture = Architecture(
    "unclip-prior", UnCLIPPrior.self, kind: "prior",
    layouts: [
      .init("Karlo's prior", mark: "prd_emb", needs: ["text_enc_proj.weight"], role: "model."),
      .init(
        "diffusers PriorTransformer", mark: diffusers.mark,
        needs: ["encoder_hidden_states_proj.weight"], rules: { _ in [diffusers] }),
    ], sidecars: { _ in [statisticsFile] }
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }

  /// Diffusers' `PriorTransformer`, whose queries, keys and values are matrices of their own.
  static let diffusers = KeyRules(
    name: "diffusers PriorTransformer", mark: "prd_embedding",
    rules: ["q", "k", "v"].enumerated().flatMap { index, name in
      ["weight", "bias"].map { kind in
        KeyRules.Rule(
          "transformer_blocks.*.attn1.to_\(name).\(kind)",
          "transformer.resblocks.*.attn.c_qkv.\(kind)",
          .part(index, of: 3, rows: Config.headWidth))
      }
    } + [
      .init("transformer_blocks.*.attn1.to_out.0.*", "transformer.resblocks.*.attn.c_proj.*"),
      .init("transformer_blocks.*.norm1.*", "transformer.resblocks.*.ln_1.*"),
      .init("transformer_blocks.*.norm3.*", "transformer.resblocks.*.ln_2.*"),
      .init("transformer_blocks.*.ff.net.0.proj.*", "transformer.resblocks.*.mlp.c_fc.*"),
      .init("transformer_blocks.*.ff.net.2.*", "transformer.resblocks.*.mlp.c_proj.*"),
      .init("time_embedding.linear_1.*", "time_embed.0.*"),
      .init("time_embedding.linear_2.*", "time_embed.2.*"),
      .init("encoder_hidden_states_proj.*", "text_enc_proj.*"),
      .init("embedding_proj.*", "text_emb_proj.*"),
      .init("proj_in.*", "clip_img_proj.*"),
      .init("proj_to_clip_embeddings.*", "out_proj.*"),
      .init("norm_out.*", "final_ln.*"),
      .init("prd_embedding", "prd_emb"),
    ],
    ignored: ["causal_attention_mask"])
}
