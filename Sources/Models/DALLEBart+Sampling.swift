import Torch

extension DALLEBart {
  /// How codes are drawn.
  public struct Sampling: Sendable, Hashable {
    /// How far to go beyond the unconditional logits: `u + scale (c - u)`; 1 is plain conditioning.
    public var conditionScale: Double
    /// Logits are divided by it; near zero the likeliest code always wins.
    public var temperature: Double
    /// Only so many of the likeliest codes may be drawn.
    public var topK: Int

    /// A way of drawing.
    public init(conditionScale: Double, temperature: Double, topK: Int) {
      self.conditionScale = conditionScale
      self.temperature = temperature
      self.topK = topK
    }
  }

  /// Draws the codes of `count` pictures for one text, one position at a time, keeping keys and
  /// values of what was seen. The text's are computed once.
  /// - Parameters:
  ///   - text: tokens of the text, `[1, T]` int64.
  ///   - empty: tokens of the empty text, `[1, T]` int64, for the unconditional logits.
  ///   - stream: where chance comes from.
  ///   - progress: called after each position with the number done; throwing stops.
  /// - Returns: `[count, image_token_count, levels]` int64.
  public func sample(
    _ text: Tensor, empty: Tensor, count: Int, _ sampling: Sampling, _ stream: RandomStream,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> Tensor {
    try noGrad {
      let guided = sampling.conditionScale != 1
      // Rows: all conditional pictures, then all unconditional ones.
      let tokens = guided ? concatenated([text, empty], over: 0) : text  // [1 or 2, T]
      let once = encode(tokens)
      let encoded = EncodedText(
        state: once.state.repeatInterleaved(count, over: 0),
        mask: once.mask.repeatInterleaved(count, over: 0))
      let rows = encoded.state.size(0)
      var caches = decoder.caches(encoded)
      var x = decoder.start(rows)  // [rows, 1, D]
      var codes: [Tensor] = []

      func draw(_ logits: Tensor) -> Tensor {
        var l = logits.to(.float32)  // [rows, 1, K]
        if guided {
          let (c, u) = (l[0..<count], l[count..<2 * count])
          l = u + (c - u) * sampling.conditionScale
        }
        let top = l.reshaped(count, -1).topK(min(sampling.topK, config.image_vocab_count))
        let odds = (top.values / max(sampling.temperature, 1e-4)).softmax(over: -1)
        let choice = stream.choose(byWeight: odds.to(.cpu)).to(l.device)  // [count, 1]
        let code = top.indices.gather(1, choice)  // [count, 1]
        return guided ? concatenated([code, code], over: 0) : code
      }

      for position in 0..<config.image_token_count {
        let h = decoder.advance(
          x, at: position, mask: nil, textMask: encoded.mask, &caches)  // [rows, 1, D]
        let first = draw(decoder.firstHead(h))
        let levels = [first] + (decoder.residual.map { [draw($0(h, first: first))] } ?? [])
        let code = stacked(levels, over: 2)  // [rows, 1, levels]
        codes.append(code[0..<count])
        x = decoder.embed(code)
        try progress(position + 1)
      }
      return concatenated(codes, over: 1)
    }
  }
}
