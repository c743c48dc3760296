import Torch

/// The text-to-token transformer of DALL·E mini (Dayma et al. 2021): a BART whose encoder reads a text
/// and whose decoder writes the codes of a VQGAN.
///
/// Follows borisdayma/dalle-mini at f0be4de with the keys of kuprel/min-dalle at 73621fb: Normformer
/// (Shleifer et al. 2021) with gated feed-forward layers (Shazeer 2020) and no biases. Norms before a
/// block have no gain. Addition for Reverie's pack: `levels` codes at each position, of which the
/// decoder's step gives the first and `ResidualHead` the second after seeing the first.
public struct DALLEBart {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Entries of the text vocabulary.
    public var text_vocab_count: Int
    /// Longest text, in tokens.
    public var text_token_count: Int
    /// Entries of each image codebook; the decoder has a row more.
    public var image_vocab_count: Int
    /// The decoder's row that begins a picture; the last one if left out. Those from it on are no codes.
    public var start_token: Int?
    /// Positions of a picture.
    public var image_token_count: Int
    /// Codes at each position, 1 or 2.
    public var levels: Int
    /// Features.
    public var embed_count: Int
    /// Attention heads.
    public var attention_head_count: Int
    /// Features inside the gated feed-forward layers.
    public var glu_embed_count: Int
    /// Layers of the encoder.
    public var encoder_layer_count: Int
    /// Layers of the decoder.
    public var decoder_layer_count: Int
    /// The text token that fills up short texts and is not attended to.
    public var pad_token: Int

    /// A configuration; the defaults are those of DALL·E mini.
    public init(
      text_vocab_count: Int = 50264, text_token_count: Int = 64, image_vocab_count: Int = 16384,
      image_token_count: Int = 256, levels: Int = 1, embed_count: Int = 1024,
      attention_head_count: Int = 16, glu_embed_count: Int = 2730, encoder_layer_count: Int = 12,
      decoder_layer_count: Int = 12, pad_token: Int = 1
    ) {
      self.text_vocab_count = text_vocab_count
      self.text_token_count = text_token_count
      self.image_vocab_count = image_vocab_count
      self.image_token_count = image_token_count
      self.levels = levels
      self.embed_count = embed_count
      self.attention_head_count = attention_head_count
      self.glu_embed_count = glu_embed_count
      self.encoder_layer_count = encoder_layer_count
      self.decoder_layer_count = decoder_layer_count
      self.pad_token = pad_token
    }

    /// https://huggingface.co/dalle-mini/dalle-mini/blob/main/config.json
    public static let mini = Config()

    /// The decoder's row that begins a picture, and how many codes may be drawn.
    public var startToken: Int { start_token ?? image_vocab_count }
  }

  /// The shape of this network.
  public let config: Config
  let encoder: BartEncoder
  let decoder: BartDecoder

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    encoder = BartEncoder(p / "encoder", config)
    decoder = BartDecoder(p / "decoder", config)
  }

  /// Reads texts.
  /// - Parameter tokens: `[B, T]` int64, filled up with `config.pad_token`.
  /// - Returns: what the decoder attends to.
  public func encode(_ tokens: Tensor) -> EncodedText {
    let mask = Self.paddingMask(tokens, pad: config.pad_token)
    return EncodedText(state: encoder(tokens, mask: mask), mask: mask)
  }

  /// A text as the decoder sees it.
  public struct EncodedText {
    let state: Tensor  // [B, T, D]
    let mask: Tensor  // [B, 1, 1, T], 0 or -inf
  }

  /// Logits of all codes of whole pictures, each given the codes before it: the training pass.
  /// - Parameters:
  ///   - codes: `[B, image_token_count, levels]` int64.
  ///   - seen: what stands before each position, of the same shape; the codes themselves if left out.
  /// - Returns: one `[B, image_token_count, image_vocab_count]` for each level.
  public func logits(_ text: EncodedText, _ codes: Tensor, seen: Tensor? = nil) -> [Tensor] {
    let h = decoder(seen ?? codes, text)
    return decoder.heads(h, first: codes.select(2, 0))
  }

  private static func paddingMask(_ tokens: Tensor, pad: Int) -> Tensor {
    let (b, t) = (tokens.size(0), tokens.size(1))
    return Tensor.zeros([b, t], device: tokens.device)
      .filled(where: tokens.equals(Double(pad)), with: -.infinity)
      .reshaped(b, 1, 1, t)
  }
}

// MARK: - Blocks

/// Attention with four bias-free projections.
struct BartAttention {
  let q_proj: Linear, k_proj: Linear, v_proj: Linear, out_proj: Linear
  let heads: Int

  init(_ p: Parameters, _ config: DALLEBart.Config) {
    let width = config.embed_count
    q_proj = Linear(p / "q_proj", width, width, bias: false, eightBits: true)
    k_proj = Linear(p / "k_proj", width, width, bias: false, eightBits: true)
    v_proj = Linear(p / "v_proj", width, width, bias: false, eightBits: true)
    out_proj = Linear(p / "out_proj", width, width, bias: false, eightBits: true)
    heads = config.attention_head_count
  }

  func split(_ x: Tensor) -> Tensor {
    x.reshaped(x.size(0), x.size(1), heads, -1).permuted(0, 2, 1, 3)  // [B, N, T, D / N]
  }

  func keysAndValues(_ x: Tensor) -> (keys: Tensor, values: Tensor) {
    (split(k_proj(x)), split(v_proj(x)))
  }

  func callAsFunction(_ x: Tensor, on kv: (keys: Tensor, values: Tensor), mask: Tensor?) -> Tensor {
    let y = attention(split(q_proj(x)), kv.keys, kv.values, mask: mask)  // [B, N, T, D / N]
    return out_proj(y.permuted(0, 2, 1, 3).reshaped(x.shape))
  }
}

/// The gated feed-forward layer: `fc2(ln1(gelu(fc0 x) · fc1 x))` of the normalised input.
struct GLU {
  let ln0: LayerNorm, fc0: Linear, fc1: Linear, ln1: LayerNorm, fc2: Linear

  init(_ p: Parameters, _ width: Int, _ inner: Int) {
    ln0 = LayerNorm(p / "ln0", width, scale: false)
    fc0 = Linear(p / "fc0", width, inner, bias: false, eightBits: true)
    fc1 = Linear(p / "fc1", width, inner, bias: false, eightBits: true)
    ln1 = LayerNorm(p / "ln1", inner, scale: false)
    fc2 = Linear(p / "fc2", inner, width, bias: false, eightBits: true)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let x = ln0(x)
    return fc2(ln1(fc0(x).gelu() * fc1(x)))
  }
}

// MARK: - Encoder

struct BartEncoder {
  struct Layer {
    let pre_self_attn_layer_norm: LayerNorm, self_attn: BartAttention
    let self_attn_layer_norm: LayerNorm, glu: GLU

    init(_ p: Parameters, _ config: DALLEBart.Config) {
      let width = config.embed_count
      pre_self_attn_layer_norm = LayerNorm(p / "pre_self_attn_layer_norm", width, scale: false)
      self_attn = BartAttention(p / "self_attn", config)
      self_attn_layer_norm = LayerNorm(p / "self_attn_layer_norm", width)
      glu = GLU(p / "glu", width, config.glu_embed_count)
    }

    func callAsFunction(_ x: Tensor, mask: Tensor) -> Tensor {
      let n = pre_self_attn_layer_norm(x)
      let x = x + self_attn_layer_norm(self_attn(n, on: self_attn.keysAndValues(n), mask: mask))
      return x + glu(x)
    }
  }

  let embed_tokens: Embedding, embed_positions: Embedding, layernorm_embedding: LayerNorm
  let layers: [Layer]
  let final_ln: LayerNorm

  init(_ p: Parameters, _ config: DALLEBart.Config) {
    let width = config.embed_count
    embed_tokens = Embedding(p / "embed_tokens", config.text_vocab_count, width)
    embed_positions = Embedding(p / "embed_positions", config.text_token_count, width)
    layernorm_embedding = LayerNorm(p / "layernorm_embedding", width)
    layers = (0..<config.encoder_layer_count).map { Layer(p / "layers" / $0, config) }
    final_ln = LayerNorm(p / "final_ln", width, scale: false)
  }

  /// `[B, T]` to `[B, T, D]`.
  func callAsFunction(_ tokens: Tensor, mask: Tensor) -> Tensor {
    let positions = embed_positions.weight[0..<tokens.size(1)]
    let x = layernorm_embedding(embed_tokens(tokens) + positions)
    return final_ln(layers.reduce(x) { $1($0, mask: mask) })
  }
}

// MARK: - Decoder

struct BartDecoder {
  struct Layer {
    let pre_self_attn_layer_norm: LayerNorm, self_attn: BartAttention
    let self_attn_layer_norm: LayerNorm
    let pre_encoder_attn_layer_norm: LayerNorm, encoder_attn: BartAttention
    let encoder_attn_layer_norm: LayerNorm
    let glu: GLU

    init(_ p: Parameters, _ config: DALLEBart.Config) {
      let width = config.embed_count
      pre_self_attn_layer_norm = LayerNorm(p / "pre_self_attn_layer_norm", width, scale: false)
      self_attn = BartAttention(p / "self_attn", config)
      self_attn_layer_norm = LayerNorm(p / "self_attn_layer_norm", width)
      pre_encoder_attn_layer_norm = LayerNorm(
        p / "pre_encoder_attn_layer_norm", width, scale: false)
      encoder_attn = BartAttention(p / "encoder_attn", config)
      encoder_attn_layer_norm = LayerNorm(p / "encoder_attn_layer_norm", width)
      glu = GLU(p / "glu", width, config.glu_embed_count)
    }

    /// `[B, T, D]` to the same, having looked at the positions before.
    func lookingBack(_ x: Tensor, mask: Tensor) -> Tensor {
      let n = pre_self_attn_layer_norm(x)
      return x + self_attn_layer_norm(self_attn(n, on: self_attn.keysAndValues(n), mask: mask))
    }

    /// `[B, T, D]` to the same.
    func callAsFunction(_ x: Tensor, mask: Tensor, text: DALLEBart.EncodedText) -> Tensor {
      let x = lookingBack(x, mask: mask)
      let m = pre_encoder_attn_layer_norm(x)
      let seen = encoder_attn(m, on: encoder_attn.keysAndValues(text.state), mask: text.mask)
      let y = x + encoder_attn_layer_norm(seen)
      return y + glu(y)
    }
  }

  let embed_tokens: Embedding, embed_positions: Embedding, layernorm_embedding: LayerNorm
  let layers: [Layer]
  let final_ln: LayerNorm
  let lm_head: Linear
  let residual: ResidualHead?
  let config: DALLEBart.Config

  init(_ p: Parameters, _ config: DALLEBart.Config) {
    let width = config.embed_count
    self.config = config
    embed_tokens = Embedding(p / "embed_tokens", config.image_vocab_count + 1, width)
    embed_positions = Embedding(p / "embed_positions", config.image_token_count, width)
    layernorm_embedding = LayerNorm(p / "layernorm_embedding", width)
    layers = (0..<config.decoder_layer_count).map { Layer(p / "layers" / $0, config) }
    final_ln = LayerNorm(p / "final_ln", width, scale: false)
    lm_head = Linear(
      p / "lm_head", width, config.image_vocab_count + 1, bias: false, eightBits: true)
    residual = config.levels == 2 ? ResidualHead(p / "residual", config) : nil
  }

  /// The codes of positions `[B, T, levels]` as features `[B, T, D]`.
  func embed(_ codes: Tensor) -> Tensor {
    let first = embed_tokens(codes.select(2, 0))
    guard let residual else { return first }
    return first + residual.embed_tokens(codes.select(2, 1))
  }

  /// The start token of `batch` pictures, `[B, 1, D]`.
  func start(_ batch: Int) -> Tensor {
    embed_tokens.weight.narrowed(0, config.startToken, 1)
      .reshaped(1, 1, -1).expanded([batch, 1, -1])
  }

  /// What the layers are given for codes `[B, T, levels]`, each position the code before it: `[B, T, D]`, and
  /// the mask `[T, T]` that hides what comes later.
  func begin(_ codes: Tensor) -> (x: Tensor, mask: Tensor) {
    let (b, t) = (codes.size(0), codes.size(1))
    let x = concatenated([start(b), embed(codes.narrowed(1, 0, t - 1))], over: 1)
    let mask = Tensor.full([t, t], -.infinity, device: x.device).upperTriangle(diagonal: 1)
    return (layernorm_embedding(x + embed_positions.weight[0..<t]), mask)
  }

  /// The training pass: features `[B, T, D]` at every position, each from the codes before it.
  func callAsFunction(_ codes: Tensor, _ text: DALLEBart.EncodedText) -> Tensor {
    let (x, mask) = begin(codes)
    return final_ln(layers.reduce(x) { $1($0, mask: mask, text: text) })
  }

  /// Logits of the first code without the start token, `[B, T, K]`.
  func firstHead(_ h: Tensor) -> Tensor {
    lm_head(h).narrowed(-1, 0, config.startToken)
  }

  /// Logits of every level, the second given the first codes `[B, T]`.
  func heads(_ h: Tensor, first: Tensor) -> [Tensor] {
    [firstHead(h)] + (residual.map { [$0(h, first: first)] } ?? [])
  }
}

/// Gives the second code of a position from its features and its first code.
struct ResidualHead {
  let embed_tokens: Embedding, embed_first: Embedding, glu: GLU, final_ln: LayerNorm
  let lm_head: Linear

  init(_ p: Parameters, _ config: DALLEBart.Config) {
    let width = config.embed_count
    embed_tokens = Embedding(p / "embed_tokens", config.image_vocab_count, width)
    embed_first = Embedding(p / "embed_first", config.image_vocab_count, width)
    glu = GLU(p / "glu", width, config.glu_embed_count)
    final_ln = LayerNorm(p / "final_ln", width, scale: false)
    lm_head = Linear(p / "lm_head", width, config.image_vocab_count, bias: false, eightBits: true)
  }

  func callAsFunction(_ h: Tensor, first: Tensor) -> Tensor {
    let x = h + embed_first(first)
    return lm_head(final_ln(x + glu(x)))
  }
}
