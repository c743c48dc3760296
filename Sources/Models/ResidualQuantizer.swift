import Torch

/// Vector quantization by one codebook, or by several in turn.
///
/// With one level it is taming's `VectorQuantizer2`: the nearest entry of `embedding.weight`. With
/// more (Lee et al., "Autoregressive Image Generation using Residual Quantization", 2022) each level
/// quantises what the levels before it left over, and the entries add up.
///
/// Taming's `GumbelQuantize` has a projection to the codes' logits and calls its table `embed`. Latents
/// are still quantised by distance here, as VQGAN+CLIP does it.
///
/// Weights, always float32: `embedding.weight` `[K, D]`, or `embed.weight` with `proj`; further levels
/// `residual.{0…}.weight`.
public struct ResidualQuantizer {
  let codebooks: [Tensor]
  let proj: Conv2d?

  init(_ p: Parameters, _ config: VQGAN.Config) {
    let shape = [config.n_embed, config.embed_dim]
    proj =
      config.gumbel ? Conv2d(p / "proj", config.embed_dim, config.n_embed, kernel: 1) : nil
    codebooks =
      [(p / (config.gumbel ? "embed" : "embedding"))("weight", shape, .normal(1), .precise)]
      + (1..<max(1, config.levels)).map {
        (p / "residual" / ($0 - 1))("weight", shape, .normal(0.1), .precise)
      }
  }

  /// Logits of the codes, `[B, D, h, w]` to `[B, K, h, w]` float32, where codes are chosen by them; the
  /// reference adds Gumbel noise even when it does not train, which is left out.
  func logits(_ h: Tensor) -> Tensor? { proj.map { $0(h).to(.float32) } }

  /// The sum of the nearest entries, with the straight-through gradient to `z`.
  /// - Parameter z: `[B, D, h, w]`
  /// - Returns: the quantised latent, `[B, D, h, w]`, and the codes, `[B, h, w, levels]` int64.
  func callAsFunction(_ z: Tensor) -> (quantized: Tensor, codes: Tensor) {
    let (b, d, h, w) = (z.size(0), z.size(1), z.size(2), z.size(3))
    let codes = noGrad {
      var rest = z.to(.float32).permuted(0, 2, 3, 1).reshaped(b * h * w, d)
      let chosen = codebooks.map { codebook in
        let nearest = Self.nearest(rest, codebook)  // [B h w]
        rest = rest - codebook.indexSelect(0, nearest)
        return nearest
      }
      return stacked(chosen, over: 1).reshaped(b, h, w, codebooks.count)
    }
    let quantized = lookUp(codes)
    return (z.requiresGrad ? quantized.straightThrough(to: z) : quantized, codes)
  }

  /// Row indices of the entries nearest to each row: `[M, D]` and `[K, D]` to `[M]`.
  ///
  /// `|x - e|² = |x|² - 2 x·e + |e|²`, and `|x|²` does not change the order.
  public static func nearest(_ rows: Tensor, _ codebook: Tensor) -> Tensor {
    let lengths = codebook.square().sum(over: [1])  // [K]
    return (rows.matmul(codebook.transposed()) * -2 + lengths).argmin(over: 1)
  }

  /// The latent of codes.
  /// - Parameter codes: `[B, h, w, levels]` int64.
  /// - Returns: `[B, D, h, w]`
  func lookUp(_ codes: Tensor) -> Tensor {
    let entries = codebooks.enumerated().map { level, codebook in
      codebook.embedding(codes.select(3, level))  // [B, h, w, D]
    }
    return entries.dropFirst().reduce(entries[0], +).permuted(0, 3, 1, 2)
  }

  /// Lowest and highest reachable value of each channel.
  var range: (low: Tensor, high: Tensor) {
    func bound(_ extreme: (Tensor) -> Tensor) -> Tensor {
      let ends = codebooks.map(extreme)  // [D] each
      return ends.dropFirst().reduce(ends[0], +).reshaped(1, -1, 1, 1)
    }
    return (bound { $0.amin(over: [0]) }, bound { $0.amax(over: [0]) })
  }
}
