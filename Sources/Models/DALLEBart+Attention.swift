import Torch

extension DALLEBart {
  /// Which words were looked at where: how much of each token of the text every position of whole pictures
  /// took, given the codes before it.
  /// - Parameters:
  ///   - text: a row for each picture.
  ///   - codes: `[B, image_token_count, levels]` int64.
  /// - Returns: `[B, heads, image_token_count, T]` for each layer of the decoder; what a position took of all
  ///   tokens adds up to one.
  public func attention(_ text: EncodedText, _ codes: Tensor) -> [Tensor] {
    var (x, mask) = decoder.begin(codes)
    return decoder.layers.map { layer in
      let asked = layer.pre_encoder_attn_layer_norm(layer.lookingBack(x, mask: mask))
      x = layer(x, mask: mask, text: text)
      return layer.encoder_attn.weights(asked, on: text.state, mask: text.mask)
    }
  }
}

extension BartAttention {
  /// How much of each of `other` `[B, S, D]` every one of `x` `[B, T, D]` takes: `[B, N, T, S]`.
  func weights(_ x: Tensor, on other: Tensor, mask: Tensor) -> Tensor {
    let q = split(q_proj(x)).to(.float32)
    let scores = q.matmul(split(k_proj(other)).to(.float32).transposed())
    return (scores / Double(q.size(-1)).squareRoot() + mask).softmax(over: -1)
  }
}
