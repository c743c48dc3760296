import Foundation
import Torch
import Weights

/// The prior of lucidrains' DALLE2-pytorch, of which LAION published one for OpenAI's ViT-L/14: a causal
/// transformer finds CLIP's embedding of a picture by diffusion, from its text.
///
/// Follows `DiffusionPriorNetwork` of dalle2-pytorch 1.15.6, keys verbatim. Earlier versions of that package make
/// other networks of some of the same keys; what only this one has must be there.
public struct DiffusionPrior {
  /// Its sizes; names as in the reference.
  public struct Config: Codable, Sendable, Hashable {
    /// Numbers of CLIP's embeddings and width of the transformer.
    public var dim: Int
    /// Blocks.
    public var depth: Int
    /// Attention heads of a block.
    public var heads: Int
    /// Channels of a head.
    public var dim_head: Int
    /// Width inside the linear layers, before the gate.
    public var inner: Int
    /// Timesteps of the diffusion.
    public var num_timesteps: Int
    /// Tokens of a text.
    public var max_text_len: Int
    /// Whether there is a norm behind the gate.
    public var normformer: Bool

    /// A configuration.
    public init(
      dim: Int = 768, depth: Int = 24, heads: Int = 32, dim_head: Int = 64, inner: Int = 3072,
      num_timesteps: Int = 1000, max_text_len: Int = 77, normformer: Bool = true
    ) {
      self.dim = dim
      self.depth = depth
      self.heads = heads
      self.dim_head = dim_head
      self.inner = inner
      self.num_timesteps = num_timesteps
      self.max_text_len = max_text_len
      self.normformer = normformer
    }

    /// huggingface.co/laion/DALLE2-PyTorch, `prior/latest.pth`
    public static let laion = Config()

    /// Channels of a head that turn with the position.
    var turning: Int { min(32, dim_head) }
  }

  /// Its sizes.
  public let config: Config
  let learned_query: Tensor  // [D]
  let null_text_encodings: Tensor  // [1, T, D]
  let null_text_embeds: Tensor  // [1, 1, D]
  let null_image_embed: Tensor  // [1, D]
  let to_time_embeds: Embedding
  let relative_attention_bias: Embedding
  let layers: [Layer]
  let norm: GainNorm
  let project_out: Linear

  /// A prior at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let dim = config.dim
    learned_query = p("learned_query", [dim], .normal(1))
    null_text_encodings = p("null_text_encodings", [1, config.max_text_len, dim], .normal(1))
    null_text_embeds = p("null_text_embeds", [1, 1, dim], .normal(1))
    null_image_embed = p("null_image_embed", [1, dim], .normal(1))
    to_time_embeds = Embedding(
      p / "to_time_embeds" / 0, config.num_timesteps, dim, initial: .normal(1))
    let transformer = p / "causal_transformer"
    relative_attention_bias = Embedding(
      transformer / "rel_pos_bias" / "relative_attention_bias", Self.buckets, config.heads,
      initial: .normal(1))
    layers = (0..<config.depth).map { Layer(transformer / "layers" / $0, config) }
    norm = GainNorm(transformer / "norm", dim)
    project_out = Linear(transformer / "project_out", dim, dim, bias: false)
  }

  /// - Parameters:
  ///   - x: a noised embedding, of length √E without noise, `[B, E]`.
  ///   - timesteps: `[B]` int64.
  ///   - text: of at most `max_text_len` tokens; nil for what was learnt to stand for any text and picture.
  /// - Returns: the embedding without noise, `[B, E]` float32.
  public func callAsFunction(_ x: Tensor, timesteps: Tensor, text: PriorText?) -> Tensor {
    let (b, dim) = (x.size(0), config.dim)
    let dtype = project_out.weight.dtype
    var told = null_text_encodings.to(dtype).expanded([b, config.max_text_len, dim])
    var embedding = null_text_embeds.to(dtype).expanded([b, 1, dim])
    var picture = null_image_embed.to(dtype).expanded([b, dim])
    if let text {
      let length = text.encoding.size(1)
      let known = text.mask.unsqueezed(-1).to(dtype)  // [B, T, 1]
      let own = text.encoding.to(dtype) * known + told.narrowed(1, 0, length) * (1 - known)
      told = concatenated([own, told.narrowed(1, length, config.max_text_len - length)], over: 1)
      embedding = text.embedding.to(dtype).unsqueezed(1)
      picture = x.to(dtype)
    }
    var h = concatenated(
      [
        told, embedding, to_time_embeds(timesteps).unsqueezed(1), picture.unsqueezed(1),
        learned_query.to(dtype).reshaped(1, 1, dim).expanded([b, 1, dim]),
      ], over: 1)  // [B, T + 4, D]
    let mask = self.mask(h.size(1), x.device)
    for layer in layers { h = layer(h, mask) }
    // The largest value divides first, lest squares be too large for half precision.
    let last = h.select(1, -1)
    return project_out(norm(last / last.amax(over: [-1], keepDims: true))).to(.float32)
  }

  /// Of T5's distances between positions.
  private static let buckets = 32

  /// What is added to the scores of queries on the key that stands for nothing and on all positions,
  /// `[1, heads, n, n + 1]`.
  private func mask(_ n: Int, _ device: Device) -> Tensor {
    let numbers = (0..<n).flatMap { query in
      // Keys are counted from the one that stands for nothing, as the reference does.
      (0...n).map { key in Self.bucket(max(0, query - key)) }
    }
    let bias = relative_attention_bias(Tensor(numbers, [n, n + 1]).to(device)).to(.float32)
    let later = Tensor.full([n, n + 1], -1e9, device: device).upperTriangle(diagonal: 2)
    return bias.permuted(2, 0, 1).unsqueezed(0) + later
  }

  /// The number of a distance: near ones each have their own, far ones share by their logarithm up to 128.
  static func bucket(_ distance: Int) -> Int {
    let exact = buckets / 2
    guard distance >= exact else { return distance }
    // In single precision, as the reference: a distance at a bucket's border must fall to the same side.
    let place =
      Float(log(Float(distance) / Float(exact))) / Float(log(128 / Double(exact)))
      * Float(buckets - exact)
    return min(buckets - 1, exact + Int(place))
  }

  /// Attention of many queries on one key and value for each position, then a gated linear layer, both beside
  /// shortcuts.
  struct Layer {
    let norm: GainNorm, null_kv: Tensor, to_q: Linear, to_kv: Linear
    let freqs: Tensor  // [turning / 2]
    let to_out0: Linear, to_out1: GainNorm
    let first: GainNorm, up: Linear, gated: GainNorm?, down: Linear
    let config: Config

    init(_ p: Parameters, _ config: Config) {
      let a = p / 0
      norm = GainNorm(a / "norm", config.dim)
      null_kv = a("null_kv", [2, config.dim_head], .normal(1))
      to_q = Linear(a / "to_q", config.dim, config.heads * config.dim_head, bias: false)
      to_kv = Linear(a / "to_kv", config.dim, 2 * config.dim_head, bias: false)
      freqs = a("rotary_emb.freqs", [config.turning / 2], .ones, .precise)
      to_out0 = Linear(a / "to_out" / 0, config.heads * config.dim_head, config.dim, bias: false)
      to_out1 = GainNorm(a / "to_out" / 1, config.dim)
      let f = p / 1
      first = GainNorm(f / 0, config.dim)
      up = Linear(f / 1, config.dim, 2 * config.inner, bias: false)
      gated = config.normformer ? GainNorm(f / 3, config.inner) : nil
      down = Linear(f / 5, config.inner, config.dim, bias: false)
      self.config = config
    }

    /// `[B, n, D]` to the same shape.
    func callAsFunction(_ x: Tensor, _ mask: Tensor) -> Tensor {
      let x = x + attended(norm(x), mask)
      let parts = up(first(x)).chunks(2, over: 2)
      let h = parts[0] * parts[1].silu()
      return x + down(gated?(h) ?? h)
    }

    private func attended(_ x: Tensor, _ mask: Tensor) -> Tensor {
      let (b, n, d) = (x.size(0), x.size(1), config.dim_head)
      let q = to_q(x).reshaped(b, n, config.heads, d).transposed(1, 2)  // [B, heads, n, d]
      let parts = to_kv(x).unsqueezed(1).chunks(2, over: 3)  // [B, 1, n, d] each
      func withNull(_ y: Tensor, _ row: Int) -> Tensor {
        concatenated(
          [null_kv[row].to(y.dtype).reshaped(1, 1, 1, d).expanded([b, 1, 1, d]), y], over: 2)
      }
      let (k, v) = (withNull(turned(parts[0]), 0), withNull(parts[1], 1))  // [B, 1, n + 1, d]
      // Both of length four: cosines by sixteen. attention divides by √d once more.
      let scale = 16 * Double(d).squareRoot()
      let y = attention(turned(q).normalized() * scale, k.normalized(), v, mask: mask)
      return to_out1(to_out0(y.transposed(1, 2).reshaped(b, n, config.heads * d)))
    }

    /// Rotary positions (Su et al. 2021): neighbouring channels of the first ones turn by the position.
    private func turned(_ x: Tensor) -> Tensor {
      let (n, turning) = (x.size(2), config.turning)
      let places = Tensor.arange(0..<n, .float32, device: x.device).reshaped(n, 1)
      // [n, turning / 2, 1]
      let angles = (places * freqs.to(x.device).reshaped(1, -1)).unsqueezed(-1)
      let shape = [x.size(0), x.size(1), n, turning / 2, 2]
      let pairs = x.narrowed(3, 0, turning).reshaped(shape).to(.float32)
      let (a, b) = (pairs.narrowed(4, 0, 1), pairs.narrowed(4, 1, 1))
      let (cosine, sine) = (angles.cos(), angles.sin())
      let both = concatenated([a * cosine - b * sine, b * cosine + a * sine], over: 4)
      let first = both.reshaped(x.size(0), x.size(1), n, turning).to(x.dtype)
      guard turning < x.size(3) else { return first }
      return concatenated([first, x.narrowed(3, turning, x.size(3) - turning)], over: 3)
    }
  }

  /// A layer norm with gains and no biases. Weights: `g` `[D]`.
  struct GainNorm {
    let g: Tensor

    init(_ p: Parameters, _ width: Int) { g = p("g", [width], .ones, .precise) }

    func callAsFunction(_ x: Tensor) -> Tensor {
      (x.to(.float32).layerNorm() * g).to(x.dtype)
    }
  }
}

extension DiffusionPrior.Config: NetworkConfig {
  /// What is wrong with it; nil when nothing is.
  public var problem: String? {
    guard [dim, inner, num_timesteps].allSatisfy({ (1...65_536).contains($0) }),
      (1...4096).contains(max_text_len),
      (1...256).contains(depth), (1...256).contains(heads), (2...1024).contains(dim_head),
      dim_head % 2 == 0
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "DALLE2-pytorch prior, \(depth) blocks of \(dim)" }

  /// Reads the sizes from shapes.
  /// - Returns: nil when they are not such a prior's.
  init?(detecting shapes: [String: [Int]]) {
    let layer = "causal_transformer.layers.0."
    guard let dim = shapes["learned_query"]?.first,
      let texts = shapes["null_text_encodings"], texts.count == 3,
      let times = shapes["to_time_embeds.0.weight"], times.count == 2,
      let nulls = shapes[layer + "0.null_kv"], nulls.count == 2,
      let down = shapes[layer + "1.5.weight"], down.count == 2,
      let bias = shapes["causal_transformer.rel_pos_bias.relative_attention_bias.weight"],
      bias.count == 2
    else { return nil }
    self.init(
      dim: dim, depth: shapes.keys.filter { $0.hasSuffix(".0.null_kv") }.count, heads: bias[1],
      dim_head: nulls[1], inner: down[1], num_timesteps: times[0], max_text_len: texts[1],
      normformer: shapes[layer + "1.3.g"] != nil)
    guard problem == nil else { return nil }
  }
}

extension DiffusionPrior: Network {
  /// What DALLE2-pytorch's trainer writes, and the averaged weights in it.
  public static let architecture = Architecture(
    "diffusion-prior", DiffusionPrior.self, kind: "prior",
    layouts: [
      .init(
        "DALLE2-pytorch prior", mark: "learned_query",
        needs: ["causal_transformer.project_out.weight"], role: "net.")
    ]
  ) { checkpoint, _ in
    Config(detecting: checkpoint.shapes).map { ($0, []) }
  }
}
