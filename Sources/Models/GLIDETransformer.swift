import Torch

/// The transformer that GLIDE reads texts with and Karlo's prior is made of (`xf.py` of
/// openai/glide-text2im): CLIP's, but for where queries, keys and values lie.
struct GLIDETransformer {
  let resblocks: [Block]

  init(_ p: Parameters, width: Int, layers: Int, heads: Int) {
    resblocks = (0..<layers).map {
      Block(p / "resblocks" / $0, width: width, heads: heads, depth: layers)
    }
  }

  /// `[B, T, D]` to the same shape.
  /// - Parameter mask: added to the scores; broadcasts to `[B, heads, T, T]`.
  func callAsFunction(_ x: Tensor, mask: Tensor? = nil) -> Tensor {
    resblocks.reduce(x) { x, block in block(x, mask: mask) }
  }

  /// Attention, then two linear layers, each behind a layer norm and beside a shortcut.
  struct Block {
    let ln_1: LayerNorm
    let attn: Attention
    let ln_2: LayerNorm
    let mlp: MLP

    init(_ p: Parameters, width: Int, heads: Int, depth: Int) {
      ln_1 = LayerNorm(p / "ln_1", width)
      attn = Attention(p / "attn", width: width, heads: heads)
      ln_2 = LayerNorm(p / "ln_2", width)
      mlp = MLP(p / "mlp", width: width, hidden: 4 * width, depth: depth, activation: .gelu)
    }

    func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
      let x = x + attn(ln_1(x), mask: mask)
      return x + mlp(ln_2(x))
    }
  }

  /// Self-attention; the rows of `c_qkv` are query, key and value of each head in turn.
  struct Attention {
    let c_qkv: Linear, c_proj: Linear
    let heads: Int

    init(_ p: Parameters, width: Int, heads: Int) {
      c_qkv = Linear(p / "c_qkv", width, 3 * width)
      c_proj = Linear(p / "c_proj", width, width)
      self.heads = heads
    }

    func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
      c_proj(attended(c_qkv(x), heads: heads, newOrder: false, mask: mask))
    }
  }
}
