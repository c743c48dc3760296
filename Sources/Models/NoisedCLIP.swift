import Torch
import Weights

/// The CLIP of GLIDE (Nichol et al., "GLIDE", 2021, section 4), whose image encoder knows pictures under noise and
/// is told the timestep: what guides GLIDE towards a text.
///
/// Follows `clip/encoders.py` of openai/glide-text2im at 69b5307, keys verbatim; the two encoders are files of
/// their own.
public enum NoisedCLIP {
  /// The factor on cosine similarities.
  public static let logitScale = 100.0

  /// Attention, then two linear layers, each behind a layer norm and beside a shortcut.
  struct Block {
    let ln1: Norm, f_q: Affine, f_k: Affine, f_v: Affine, f_c: Affine
    let ln2: Norm, f_1: Affine, f_2: Affine
    let heads: Int

    init(_ p: Parameters, width: Int, heads: Int) {
      let (a, m) = (p / "f_attn", p / "f_mlp")
      ln1 = Norm(a / "ln", width)
      f_q = Affine(a / "f_q", width, width)
      f_k = Affine(a / "f_k", width, width, bias: false)
      f_v = Affine(a / "f_v", width, width)
      f_c = Affine(a / "f_c", width, width)
      ln2 = Norm(m / "ln", width)
      f_1 = Affine(m / "f_1", width, 4 * width)
      f_2 = Affine(m / "f_2", 4 * width, width)
      self.heads = heads
    }

    /// `[B, T, D]` to the same shape.
    func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
      let (b, t, d) = (x.size(0), x.size(1), x.size(2))
      let h = ln1(x)
      let parts = [f_q, f_k, f_v].map {
        $0(h).reshaped(b, t, heads, d / heads).transposed(1, 2)  // [B, heads, T, D / heads]
      }
      let y = attention(parts[0], parts[1], parts[2], mask: mask)
      let x = x + f_c(y.transposed(1, 2).reshaped(b, t, d))
      return x + f_2(f_1(ln2(x)).gelu())
    }
  }

  /// `y = x Wᵀ + b`. Weights: `w` `[out, in]`, `b` `[out]`.
  struct Affine {
    let w: Tensor
    let b: Tensor?

    init(_ p: Parameters, _ inputs: Int, _ outputs: Int, bias: Bool = true) {
      w = p("w", [outputs, inputs])
      b = bias ? p("b", [outputs], .zeros) : nil
    }

    func callAsFunction(_ x: Tensor) -> Tensor { x.linear(w, b) }
  }

  /// A layer norm. Weights: `g` `[D]`, `b` `[D]`.
  struct Norm {
    let g: Tensor
    let b: Tensor

    init(_ p: Parameters, _ width: Int) {
      g = p("g", [width], .ones, .precise)
      b = p("b", [width], .zeros, .precise)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      x.to(.float32).layerNorm(g, b).to(x.dtype)
    }
  }

  /// Heads are of so many channels, which no shape tells.
  static let headWidth = 64
}

/// Texts to embeddings.
public struct NoisedCLIPTextEncoder {
  /// Its sizes.
  public struct Config: Codable, Sendable, Hashable {
    /// Tokens of the vocabulary.
    public var n_vocab: Int
    /// Tokens of a text.
    public var max_text_len: Int
    /// Numbers of an embedding.
    public var n_embd: Int
    /// Width of the transformer.
    public var width: Int
    /// Blocks.
    public var n_xf_blocks: Int

    /// A configuration; what is left out is GLIDE's.
    public init(
      n_vocab: Int = 65_536, max_text_len: Int = 77, n_embd: Int = 512, width: Int = 512,
      n_xf_blocks: Int = 12
    ) {
      self.n_vocab = n_vocab
      self.max_text_len = max_text_len
      self.n_embd = n_embd
      self.width = width
      self.n_xf_blocks = n_xf_blocks
    }
  }

  /// Its sizes.
  public let config: Config
  let w_voc: Tensor  // [K, D]
  let w_pos: Tensor  // [T, D]
  let blocks: [NoisedCLIP.Block]
  let ln: NoisedCLIP.Norm
  let f: NoisedCLIP.Affine

  /// An encoder at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let p = p / "blocks"
    w_voc = p("input.w_voc", [config.n_vocab, config.width], .normal(0.02))
    w_pos = p("input.w_pos", [config.max_text_len, config.width], .normal(0.01))
    blocks = (0..<config.n_xf_blocks).map {
      .init(p / "block_\($0)", width: config.width, heads: config.width / NoisedCLIP.headWidth)
    }
    ln = .init(p / "output" / "ln", config.width)
    f = .init(p / "output" / "f", config.width, config.n_embd, bias: false)
  }

  /// - Parameters:
  ///   - tokens: of start and end token and text, padded with zeros, `[B, T]` int64.
  ///   - lengths: how many of them are not padding, `[B]` int64.
  /// - Returns: `[B, E]` float32 of length one.
  public func callAsFunction(_ tokens: Tensor, lengths: Tensor) -> Tensor {
    let (b, t) = (tokens.size(0), tokens.size(1))
    let mask = Tensor.full([t, t], -1e10, device: tokens.device).upperTriangle(diagonal: 1)
    let x = w_voc.embedding(tokens) + w_pos[0..<t].to(w_voc.dtype)
    let h = blocks.reduce(x) { x, block in block(x, mask: mask) }
    let index = (lengths - 1).to(.int64).reshaped(b, 1, 1).expanded([b, 1, config.width])
    return f(ln(h.gather(1, index).squeezed(1))).to(.float32).normalized()
  }
}

/// Noised pictures to embeddings.
public struct NoisedCLIPImageEncoder {
  /// Its sizes.
  public struct Config: Codable, Sendable, Hashable {
    /// Side of a picture in pixels.
    public var image_size: Int
    /// Side of a patch in pixels.
    public var patch_size: Int
    /// Numbers of an embedding.
    public var n_embd: Int
    /// Width of the transformer.
    public var width: Int
    /// Blocks.
    public var n_xf_blocks: Int
    /// Timesteps of the diffusion.
    public var n_timestep: Int

    /// A configuration; what is left out is GLIDE's.
    public init(
      image_size: Int = 64, patch_size: Int = 4, n_embd: Int = 512, width: Int = 768,
      n_xf_blocks: Int = 12, n_timestep: Int = 1000
    ) {
      self.image_size = image_size
      self.patch_size = patch_size
      self.n_embd = n_embd
      self.width = width
      self.n_xf_blocks = n_xf_blocks
      self.n_timestep = n_timestep
    }
  }

  /// Its sizes.
  public let config: Config
  let w_t: Tensor  // [timesteps, D]
  let patch_proj: Tensor  // [D, 3, k, k]
  let w_pos: Tensor  // [1 + G², D], G patches a side
  let first: NoisedCLIP.Norm
  let blocks: [NoisedCLIP.Block]
  let ln: NoisedCLIP.Norm
  let f: NoisedCLIP.Affine

  /// An encoder at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    let p = p / "blocks"
    let (width, patch, grid) = (
      config.width, config.patch_size, config.image_size / config.patch_size
    )
    w_t = p("input.w_t", [config.n_timestep, width], .normal(0.02))
    patch_proj = p("input.patch_proj", [width, 3, patch, patch])
    w_pos = p("input.w_pos", [1 + grid * grid, width], .normal(0.02))
    first = .init(p / "input" / "ln", width)
    blocks = (0..<config.n_xf_blocks).map {
      .init(p / "block_\($0)", width: width, heads: width / NoisedCLIP.headWidth)
    }
    ln = .init(p / "output" / "ln", width)
    f = .init(p / "output" / "f", width, config.n_embd, bias: false)
  }

  /// - Parameters:
  ///   - x: noised pictures of -1…1 and beyond, `[B, 3, H, W]` of this encoder's size.
  ///   - timesteps: `[B]` int64.
  /// - Returns: `[B, E]` float32 of length one.
  public func callAsFunction(_ x: Tensor, timesteps: Tensor) -> Tensor {
    let b = x.size(0)
    let mean = Tensor([122.77093945, 116.74601272, 104.09373519] as [Float], [3, 1, 1]).to(x.device)
    let deviation = Tensor([68.50053285, 66.63215831, 70.32316309] as [Float], [3, 1, 1]).to(
      x.device)
    let pixels = (((x + 1) * 127.5 - mean) / deviation).to(patch_proj.dtype)
    let patches = pixels.conv2d(patch_proj, stride: config.patch_size)
      .reshaped(b, config.width, -1).transposed()  // [B, G², D]
    let time = w_t.embedding(timesteps).unsqueezed(1).to(patches.dtype)  // [B, 1, D]
    let tokens = first(concatenated([time, patches], over: 1) + w_pos.to(patches.dtype))
    let h = blocks.reduce(tokens) { x, block in block(x, mask: nil) }
    return f(ln(h.select(1, 0))).to(.float32).normalized()
  }
}

extension NoisedCLIPTextEncoder.Config: NetworkConfig {
  /// What is wrong with it; nil when nothing is.
  public var problem: String? {
    guard [n_vocab, n_embd, width].allSatisfy({ (1...1 << 20).contains($0) }),
      (1...4096).contains(max_text_len),
      (1...256).contains(n_xf_blocks), width % NoisedCLIP.headWidth == 0
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "noised CLIP, text encoder" }
  /// Tokens that it knows.
  public var vocabularySize: Int? { n_vocab }
}

extension NoisedCLIPImageEncoder.Config: NetworkConfig {
  /// What is wrong with it; nil when nothing is.
  public var problem: String? {
    guard [n_embd, width, n_timestep].allSatisfy({ (1...65_536).contains($0) }),
      (1...4096).contains(image_size), (1...image_size).contains(patch_size),
      image_size % patch_size == 0, (1...256).contains(n_xf_blocks),
      width % NoisedCLIP.headWidth == 0
    else { return "the sizes make no network" }
    return nil
  }

  /// The network in a few words.
  public var title: String { "noised CLIP, image encoder of \(image_size) pixels" }
}

extension NoisedCLIPTextEncoder: Network {
  /// GLIDE's `clip_text_enc.pt`.
  public static let architecture = Architecture(
    "noised-clip-text", NoisedCLIPTextEncoder.self, kind: "noised-clip",
    partners: ["noised-clip-image"],
    layouts: [.init("GLIDE's noised CLIP", mark: "blocks.input.w_voc")]
  ) { checkpoint, _ in
    let shapes = checkpoint.shapes
    guard let words = shapes["blocks.input.w_voc"], words.count == 2,
      let places = shapes["blocks.input.w_pos"], let end = shapes["blocks.output.f.w"]
    else { return nil }
    let config = Config(
      n_vocab: words[0], max_text_len: places.first ?? 0, n_embd: end.first ?? 0, width: words[1],
      n_xf_blocks: shapes.keys.filter { $0.hasSuffix(".f_attn.f_q.w") }.count)
    return config.problem == nil ? (config, []) : nil
  }
}

extension NoisedCLIPImageEncoder: Network {
  /// GLIDE's `clip_image_enc.pt`.
  public static let architecture = Architecture(
    "noised-clip-image", NoisedCLIPImageEncoder.self, kind: "noised-clip",
    layouts: [
      .init("GLIDE's noised CLIP", mark: "blocks.input.w_t", needs: ["blocks.input.patch_proj"])
    ]
  ) { checkpoint, _ in
    let shapes = checkpoint.shapes
    guard let times = shapes["blocks.input.w_t"], times.count == 2,
      let patches = shapes["blocks.input.patch_proj"], patches.count == 4,
      let places = shapes["blocks.input.w_pos"]?.first, places > 1,
      let end = shapes["blocks.output.f.w"]
    else { return nil }
    let grid = Int(Double(places - 1).squareRoot().rounded())
    guard grid * grid == places - 1, patches[2] <= 4096 / max(1, grid) else { return nil }
    let config = Config(
      image_size: grid * patches[2], patch_size: patches[2], n_embd: end.first ?? 0,
      width: times[1], n_xf_blocks: shapes.keys.filter { $0.hasSuffix(".f_attn.f_q.w") }.count,
      n_timestep: times[0])
    return config.problem == nil ? (config, []) : nil
  }
}
