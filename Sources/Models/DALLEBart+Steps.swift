import Torch

/// The decoder of a `DALLEBart` as sampling runs it: one position of few pictures at a time.
///
/// Such a step is bound by reading weights and, in small networks, by starting kernels. So projections of
/// the same input are one product, which on the CPU reads the weights as they are kept, in eight bits too:
/// they are not held a second time for it. There everything between products is float32, in which
/// attending to short sequences takes half as long as in bfloat16.
struct BartSteps {
  /// What is between products, and how many threads may share one.
  private struct Form {
    let type: DType
    let threads: Int
  }

  /// Bias-free layers that read the same input.
  private struct Projection {
    private enum Weights {
      case eightBits([EightBitRows])
      /// `[out, in]` each.
      case large([Tensor])
      /// Of all layers, `[out, in]`.
      case joined(Tensor)
    }
    private let weights: Weights
    private let type: DType
    private let threads: Int

    /// Elements from which layers are large: libtorch's own product takes less than reading them below.
    private static let large = 1 << 20
    /// Rows from which a product is bound by more than reading weights.
    private static let many = 16

    init(_ layers: [Linear], _ form: Form) {
      (type, threads) = (form.type, form.threads)
      let rows = layers.compactMap(\.matrix.rows)
      let parts = rows.count == layers.count ? [] : layers.map(\.weight)
      if parts.isEmpty {
        weights = .eightBits(rows)
      } else if parts.reduce(0, { $0 + $1.count }) >= Self.large,
        Set(parts.map(\.dtype)).count == 1,
        parts.allSatisfy({ $0.device == .cpu && [.float32, .bfloat16].contains($0.dtype) })
      {
        weights = .large(parts)
      } else {
        weights = .joined(parts.count == 1 ? parts[0] : concatenated(parts, over: 0))
      }
    }

    /// `[…, in]` to `[…, out]`, both of `type`.
    func callAsFunction(_ x: Tensor) -> Tensor {
      switch weights {
      case .eightBits(let rows): x.linear(rows, threads: threads)
      case .large(let parts):
        x.size(0) <= Self.many
          ? x.linear(fewRowsBy: parts, threads: threads)
          : concatenated(parts.map { x.to($0.dtype).linear($0).to(type) }, over: -1)
      case .joined(let weight): x.to(weight.dtype).linear(weight).to(type)
      }
    }
  }

  private struct GatedLayer {
    let ln0: LayerNorm, fc01: Projection, ln1: LayerNorm, fc2: Projection

    init(_ glu: GLU, _ form: Form) {
      (ln0, ln1) = (glu.ln0, glu.ln1)
      fc01 = Projection([glu.fc0, glu.fc1], form)
      fc2 = Projection([glu.fc2], form)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let h = fc01(ln0(x))  // [B, 1, 2 G]
      let inner = h.size(-1) / 2
      return fc2(ln1(h.narrowed(-1, 0, inner).gelu() * h.narrowed(-1, inner, inner)))
    }
  }

  private struct Layer {
    let layer: BartDecoder.Layer
    let qkv: Projection, out: Projection, textQuery: Projection, textOut: Projection
    let glu: GatedLayer
    let textKeys: Tensor, textValues: Tensor  // [B, N, T, D / N]
    /// Keys and values of the positions so far, and room for the rest, `[2, B, N, positions, D / N]`.
    let seen: Tensor

    init(_ layer: BartDecoder.Layer, _ text: Tensor, positions: Int, _ form: Form) {
      let type = form.type
      self.layer = layer
      let own = layer.self_attn
      qkv = Projection([own.q_proj, own.k_proj, own.v_proj], form)
      out = Projection([own.out_proj], form)
      textQuery = Projection([layer.encoder_attn.q_proj], form)
      textOut = Projection([layer.encoder_attn.out_proj], form)
      glu = GatedLayer(layer.glu, form)
      let (keys, values) = layer.encoder_attn.keysAndValues(text)
      (textKeys, textValues) = (keys.to(type).contiguous(), values.to(type).contiguous())
      let (b, n, width) = (keys.size(0), keys.size(1), keys.size(3))
      seen = Tensor.zeros([2, b, n, positions, width], type, device: keys.device)
    }

    /// `[B, 1, D]` at `position` to the same, given the positions before it.
    func callAsFunction(_ x: Tensor, at position: Int, textMask: Tensor) -> Tensor {
      let (b, n, width) = (x.size(0), seen.size(2), seen.size(4))
      let parts = qkv(layer.pre_self_attn_layer_norm(x))  // [B, 1, 3 D]
        .reshaped(b, 3, n, width).permuted(1, 0, 2, 3).unsqueezed(3)  // [3, B, N, 1, D / N]
      // In place: copying what is there for each new position would cost more than the layer.
      seen.narrowed(3, position, 1).assign(parts.narrowed(0, 1, 2))
      let sofar = seen.narrowed(3, 0, position + 1)
      let own = attention(parts.select(0, 0), sofar.select(0, 0), sofar.select(0, 1))
      let y = x + layer.self_attn_layer_norm(out(own.reshaped(x.shape)))
      let query = textQuery(layer.pre_encoder_attn_layer_norm(y)).reshaped(b, n, 1, width)
      let told = attention(query, textKeys, textValues, mask: textMask)  // [B, N, 1, D / N]
      let z = y + layer.encoder_attn_layer_norm(textOut(told.reshaped(x.shape)))
      return z + glu(z)
    }
  }

  private let decoder: BartDecoder
  private let layers: [Layer]
  private let firstHead: Projection
  private let residual: (glu: GatedLayer, head: Projection)?
  private let positions: Tensor  // [positions, D]
  private let textMask: Tensor
  private let type: DType

  /// - Parameters:
  ///   - text: a row for each picture that will be drawn.
  ///   - threads: that may share a large product.
  init(_ decoder: BartDecoder, _ text: DALLEBart.EncodedText, threads: Int = 1) {
    let type = text.state.device == .cpu ? .float32 : text.state.dtype
    let form = Form(type: type, threads: threads)
    self.decoder = decoder
    self.type = type
    textMask = text.mask
    positions = decoder.embed_positions.weight.to(type)
    layers = decoder.layers.map {
      Layer($0, text.state, positions: decoder.config.image_token_count, form)
    }
    firstHead = Projection([decoder.lm_head], form)
    residual = decoder.residual.map {
      (GatedLayer($0.glu, form), Projection([$0.lm_head], form))
    }
  }

  /// Features `[B, 1, D]` after `x` at a position; every position before it must have been asked for.
  func features(_ x: Tensor, at position: Int) -> Tensor {
    let h = decoder.layernorm_embedding(x.to(type) + positions.narrowed(0, position, 1))
    return decoder.final_ln(layers.reduce(h) { $1($0, at: position, textMask: textMask) })
  }

  /// Logits of the first code, `[B, 1, K]`.
  func first(_ h: Tensor) -> Tensor {
    firstHead(h).narrowed(-1, 0, decoder.config.startToken)
  }

  /// Logits of the second code given the first `[B, 1]`; nil where positions have one code.
  func second(_ h: Tensor, first: Tensor) -> Tensor? {
    guard let residual, let parts = decoder.residual else { return nil }
    let x = h + parts.embed_first(first).to(type)
    return residual.head(parts.final_ln(x + residual.glu(x)))
  }
}
