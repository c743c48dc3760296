import Foundation
import Torch

/// CLIP of Radford et al., "Learning Transferable Visual Models From Natural Language Supervision"
/// (2021): an image tower and a text tower that end in one embedding space.
///
/// Follows clip/model.py of openai/CLIP (`VisionTransformer`, `Transformer`, `CLIP`), keys verbatim.
/// Differences: attention is written out; the text tower stops at the last end token of the batch,
/// which its causal mask makes exact. Layer norms, softmax, the logit scale and the embeddings that
/// come out are float32 whatever the compute type.
public struct CLIP {
  /// Sizes and activation.
  public let config: Config
  /// The image tower.
  public let visual: any ImageEncoder
  /// The text tower; its keys stand at the root.
  public let text: TextTower
  /// The logarithm of the factor on cosine similarities, without dimensions.
  public let logit_scale: Tensor

  /// A model at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    visual =
      switch config.vision.tower {
      case .transformer: ImageTower(p / "visual", config)
      case .resNet: ResNetTower(p / "visual", config)
      case .slip: SLIPImageTower(p, config)
      }
    text = TextTower(p, config)
    logit_scale = p("logit_scale", [], .constant(Foundation.log(1 / 0.07)), .precise)
  }

  /// Embeddings of pictures, not normalised to length one.
  ///
  /// - Parameter pixels: `[B, 3, H, W]`, already normalised; see ``embed(_:)`` for pictures.
  /// - Returns: `[B, E]` float32
  public func encodeImage(_ pixels: Tensor) -> Tensor { visual(pixels) }

  /// Embeddings of texts, not normalised to length one.
  ///
  /// - Parameter tokens: `[B, T]` int64, each row with the end token, `T` at most the context length.
  /// - Returns: `[B, E]` float32
  public func encodeText(_ tokens: Tensor) -> Tensor { text(tokens) }

  /// What the text tower makes of texts, for networks that are told more than one embedding.
  ///
  /// - Parameter tokens: `[B, T]` int64, each row with the end token, `T` at most the context length.
  /// - Returns: their embeddings, not normalised to length one, `[B, E]` float32, and what stands behind the
  ///   tower's last norm for each token, `[B, T, D]`.
  public func readText(_ tokens: Tensor) -> (embeddings: Tensor, tokens: Tensor) {
    let x = text.transformer(text.embed(tokens), mask: text.causalMask(tokens.size(1)))
    return (text.project(x, tokens.argmax(over: 1)), text.ln_final(x))
  }

  /// The factor on cosine similarities, without dimensions.
  public var logitScale: Tensor { logit_scale.exp() }

  /// Embeddings of pictures `[B, 3, H, W]` in 0…1, of this model's size: `[B, E]` float32.
  public func embed(_ images: Tensor) -> Tensor { encodeImage(normalized(images)) }

  /// What the image tower makes of pictures on the way: features to compare pictures by.
  /// - Parameter images: `[B, 3, H, W]` in 0…1, of this model's size.
  /// - Returns: `[B, T, D]` float32 after each block, each token of mean zero and deviation one; nothing
  ///   for towers other than OpenAI's vision transformer.
  public func features(of images: Tensor) -> [Tensor] {
    guard let tower = visual as? ImageTower else { return [] }
    return tower.blocks(normalized(images)).map { $0.to(.float32).layerNorm() }
  }

  /// Pictures `[B, 3, H, W]` in 0…1 as the image tower wants them.
  public func normalized(_ images: Tensor) -> Tensor {
    let mean = Tensor(config.preprocessing.mean, [3, 1, 1]).to(images.device)
    let deviation = Tensor(config.preprocessing.std, [3, 1, 1]).to(images.device)
    return (images - mean) / deviation
  }
}

/// The half of CLIP that looks at pictures.
public protocol ImageEncoder {
  /// `[B, 3, H, W]`, normalised, to `[B, E]` float32.
  func callAsFunction(_ pixels: Tensor) -> Tensor
}

/// The vision transformer of CLIP (Dosovitskiy et al. 2021, with a layer norm before the blocks).
public struct ImageTower: ImageEncoder {
  let conv1: Conv2d
  let class_embedding: Tensor  // [D]
  let positional_embedding: Tensor  // [1 + G², D], G patches a side
  let ln_pre: LayerNorm
  let transformer: Transformer
  let ln_post: LayerNorm
  let proj: Tensor  // [D, E]
  let imageSize: Int

  /// A tower at `p`.
  public init(_ p: Parameters, _ config: CLIP.Config) {
    let vision = config.vision
    let grid = vision.imageSize / vision.patchSize
    let scale = Foundation.pow(Double(vision.width), -0.5)
    conv1 = Conv2d(
      p / "conv1", 3, vision.width, kernel: vision.patchSize, stride: vision.patchSize, padding: 0,
      bias: false)
    class_embedding = p("class_embedding", [vision.width], .normal(scale))
    positional_embedding = p(
      "positional_embedding", [1 + grid * grid, vision.width], .normal(scale))
    ln_pre = LayerNorm(p / "ln_pre", vision.width)
    transformer = Transformer(
      p / "transformer", width: vision.width, layers: vision.layers, heads: vision.heads,
      hidden: vision.hidden, activation: config.activation)
    ln_post = LayerNorm(p / "ln_post", vision.width)
    proj = p("proj", [vision.width, config.embedDim], .normal(scale))
    imageSize = vision.imageSize
  }

  /// - Parameter pixels: `[B, 3, H, W]`
  /// - Returns: `[B, E]` float32
  public func callAsFunction(_ pixels: Tensor) -> Tensor { project(transformer(embed(pixels))) }

  /// What comes out of each block, `[B, T, D]`.
  func blocks(_ pixels: Tensor) -> [Tensor] {
    var x = embed(pixels)
    return transformer.resblocks.map { block in
      x = block(x, mask: nil)
      return x
    }
  }

  /// Patches, class token first: `[B, 3, H, W]` to `[B, T, D]`.
  func embed(_ pixels: Tensor) -> Tensor {
    precondition(
      pixels.rank == 4 && Array(pixels.shape.dropFirst()) == [3, imageSize, imageSize],
      "pixels of shape \(pixels.shape) for an image tower of \(imageSize) px")
    let b = pixels.size(0)
    let width = class_embedding.size(0)
    let patches = conv1(pixels.to(proj.dtype)).reshaped(b, width, -1).transposed()  // [B, G², D]
    let first = class_embedding.to(patches.dtype).expanded([b, 1, width])
    return ln_pre(concatenated([first, patches], over: 1) + positional_embedding)
  }

  /// The class token in the common space: `[B, T, D]` to `[B, E]`.
  func project(_ x: Tensor) -> Tensor { ln_post(x.select(1, 0)).matmul(proj).to(.float32) }
}

/// The causal transformer of CLIP that reads text.
public struct TextTower {
  let token_embedding: Embedding
  let positional_embedding: Tensor  // [T, D]
  let transformer: Transformer
  let ln_final: LayerNorm
  let text_projection: Tensor  // [D, E]
  let mask: Tensor  // [T, T], added to the scores

  /// A tower at `p`.
  public init(_ p: Parameters, _ config: CLIP.Config) {
    let text = config.text
    token_embedding = Embedding(p / "token_embedding", text.vocabSize, text.width)
    positional_embedding = p(
      "positional_embedding", [text.contextLength, text.width], .normal(0.01))
    transformer = Transformer(
      p / "transformer", width: text.width, layers: text.layers, heads: text.heads,
      hidden: 4 * text.width, activation: config.activation)
    ln_final = LayerNorm(p / "ln_final", text.width)
    text_projection = p(
      "text_projection", [text.width, config.embedDim],
      .normal(Foundation.pow(Double(text.width), -0.5)))
    mask = Tensor.full(
      [text.contextLength, text.contextLength], -.infinity, device: positional_embedding.device
    ).upperTriangle(diagonal: 1)
  }

  /// - Parameter tokens: `[B, T]` int64
  /// - Returns: `[B, E]` float32
  public func callAsFunction(_ tokens: Tensor) -> Tensor {
    let ends = tokens.argmax(over: 1)  // [B], the end token has the largest id
    // Nothing behind the last end token reaches a result.
    let length = Int(ends.amax().item()) + 1
    let x = transformer(embed(tokens.narrowed(1, 0, length)), mask: causalMask(length))
    return project(x, ends)
  }

  /// `[B, T]` to `[B, T, D]`.
  func embed(_ tokens: Tensor) -> Tensor {
    precondition(
      tokens.rank == 2 && tokens.size(1) <= positional_embedding.size(0),
      "tokens of shape \(tokens.shape) for a context of \(positional_embedding.size(0))")
    return token_embedding(tokens) + positional_embedding[0..<tokens.size(1)]
  }

  func causalMask(_ length: Int) -> Tensor {
    mask.narrowed(0, 0, length).narrowed(1, 0, length)
  }

  /// The rows at `ends` `[B]` in the common space: `[B, T, D]` to `[B, E]`.
  func project(_ x: Tensor, _ ends: Tensor) -> Tensor {
    let b = x.size(0)
    let index = ends.reshaped(b, 1, 1).expanded([b, 1, x.size(2)])
    let last = x.gather(1, index).squeezed(1)  // [B, D]
    return ln_final(last).matmul(text_projection).to(.float32)
  }
}

/// A stack of residual attention blocks.
struct Transformer {
  let resblocks: [ResidualAttentionBlock]

  init(
    _ p: Parameters, width: Int, layers: Int, heads: Int, hidden: Int, activation: CLIP.Activation
  ) {
    resblocks = (0..<layers).map {
      ResidualAttentionBlock(
        p / "resblocks" / $0, width: width, heads: heads, hidden: hidden, depth: layers,
        activation: activation)
    }
  }

  /// `[B, T, D]` to the same shape.
  func callAsFunction(_ x: Tensor, mask: Tensor? = nil) -> Tensor {
    resblocks.reduce(x) { x, block in block(x, mask: mask) }
  }
}

/// Attention, then two linear layers, each behind a layer norm and beside a shortcut.
struct ResidualAttentionBlock {
  let ln_1: LayerNorm
  let attn: MultiheadAttention
  let ln_2: LayerNorm
  let mlp: MLP

  init(
    _ p: Parameters, width: Int, heads: Int, hidden: Int, depth: Int, activation: CLIP.Activation
  ) {
    ln_1 = LayerNorm(p / "ln_1", width)
    attn = MultiheadAttention(p / "attn", width: width, heads: heads, depth: depth)
    ln_2 = LayerNorm(p / "ln_2", width)
    mlp = MLP(p / "mlp", width: width, hidden: hidden, depth: depth, activation: activation)
  }

  /// `[B, T, D]` to the same shape.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    let x = x + attn(ln_1(x), mask: mask)
    return x + mlp(ln_2(x))
  }
}

/// Self-attention with the query, key and value weights packed in one matrix, as in PyTorch's
/// `nn.MultiheadAttention`.
struct MultiheadAttention {
  let in_proj_weight: Tensor  // [3D, D]
  let in_proj_bias: Tensor  // [3D]
  let out_proj: Linear
  let heads: Int

  /// Initial deviations are those of `CLIP.initialize_parameters`.
  init(_ p: Parameters, width: Int, heads: Int, depth: Int) {
    let deviation = Foundation.pow(Double(width), -0.5)
    in_proj_weight = p("in_proj_weight", [3 * width, width], .normal(deviation))
    in_proj_bias = p("in_proj_bias", [3 * width], .zeros)
    out_proj = Linear(
      p / "out_proj", width, width,
      initial: .normal(deviation * Foundation.pow(2 * Double(depth), -0.5)))
    self.heads = heads
  }

  /// `[B, T, D]` to the same shape.
  func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    let (b, t, d) = (x.size(0), x.size(1), x.size(2))
    let qkv = x.linear(in_proj_weight, in_proj_bias)
      .reshaped(b, t, 3, heads, d / heads).unbound(over: 2).map { $0.transposed(1, 2) }
    let y = attention(qkv[0], qkv[1], qkv[2], mask: mask)  // [B, N, T, D/N]
    return out_proj(y.transposed(1, 2).reshaped(b, t, d))
  }
}

/// Two linear layers with an activation between.
struct MLP {
  let c_fc: Linear
  let c_proj: Linear
  let activation: CLIP.Activation

  /// Initial deviations are those of `CLIP.initialize_parameters`.
  init(_ p: Parameters, width: Int, hidden: Int, depth: Int, activation: CLIP.Activation) {
    c_fc = Linear(
      p / "c_fc", width, hidden, initial: .normal(Foundation.pow(2 * Double(width), -0.5)))
    c_proj = Linear(
      p / "c_proj", hidden, width,
      initial: .normal(Foundation.pow(2 * Double(width) * Double(depth), -0.5)))
    self.activation = activation
  }

  /// `[B, T, D]` to the same shape.
  func callAsFunction(_ x: Tensor) -> Tensor { c_proj(activation(c_fc(x))) }
}
