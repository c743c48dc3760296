import Foundation
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
      let (b, t, d) = (x.size(0), x.size(1), x.size(2))
      let parts = c_qkv(x).reshaped(b, t, heads, 3, d / heads).permuted(3, 0, 2, 1, 4)
      let y = attention(parts[0], parts[1], parts[2], mask: mask)  // [B, heads, T, D / heads]
      return c_proj(y.transposed(1, 2).reshaped(b, t, d))
    }
  }
}

/// Timesteps as angles of `width / 2` frequencies, cosines first: `[B]` to `[B, width]` float32.
func sinusoids(of timesteps: Tensor, width: Int) -> Tensor {
  let half = width / 2
  let rates = (Tensor.arange(0..<half, .float32) * (-log(10_000) / Double(half))).exp()
  let angles =
    timesteps.to(.float32).reshaped(-1, 1) * rates.to(timesteps.device).reshaped(1, half)
  return concatenated([angles.cos(), angles.sin()], over: 1)
}
