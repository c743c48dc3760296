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
    /// Of these, only the likeliest that together have at least this probability; 1 is all of them.
    public var topP: Double

    /// A way of drawing.
    public init(conditionScale: Double, temperature: Double, topK: Int, topP: Double = 1) {
      self.conditionScale = conditionScale
      self.temperature = temperature
      self.topK = topK
      self.topP = topP
    }
  }

  /// Nothing can be drawn, for the logits are no numbers: what weights that are none lead to.
  public struct NoNumbers: Error, CustomStringConvertible {
    /// The position whose code was to be drawn.
    public let position: Int

    /// What is wrong and what to do.
    public var description: String {
      "The transformer of DALL·E gives no numbers for the code at position \(position): its weights are "
        + "damaged. Fetch or train them anew, or paint with another pack: --pack FOLDER"
    }
  }

  /// Draws the codes of `count` pictures for each text, one position at a time, keeping keys and
  /// values of what was seen. The texts' are computed once.
  /// - Parameters:
  ///   - texts: tokens of the texts, `[P, T]` int64.
  ///   - empty: tokens of the empty text, or of one to keep away from, `[1, T]` int64, for the logits beyond
  ///     which conditioning goes.
  ///   - stream: where chance comes from.
  ///   - threads: that share the reading of large weights and the texts, on the CPU. All else of a position is too
  ///     short to be shared; nil leaves everything to libtorch.
  ///   - progress: called after each position with the codes of all positions so far, `[P count, 1, levels]`
  ///     each; throwing stops.
  /// - Returns: `[P count, image_token_count, levels]` int64, those of the first text first.
  /// - Throws: `NoNumbers`, and what `progress` throws.
  public func sample(
    _ texts: Tensor, empty: Tensor, count: Int, _ sampling: Sampling, _ stream: RandomStream,
    threads: Int? = nil, progress: ([Tensor]) throws -> Void = { _ in }
  ) throws -> Tensor {
    let before = Libtorch.threads
    defer { Libtorch.threads = before }
    if let threads { Libtorch.threads = threads }
    return try noGrad {
      let guided = sampling.conditionScale != 1
      // Rows: all conditional pictures, then all unconditional ones.
      let pictures = texts.size(0) * count
      func rows(_ text: Tensor, _ each: Int) -> EncodedText {
        let once = encode(text)
        return EncodedText(
          state: once.state.repeatInterleaved(each, over: 0),
          mask: once.mask.repeatInterleaved(each, over: 0))
      }
      var encoded = rows(texts, count)
      if guided {
        let unguided = rows(empty, pictures)
        encoded = EncodedText(
          state: concatenated([encoded.state, unguided.state], over: 0),
          mask: concatenated([encoded.mask, unguided.mask], over: 0))
      }
      let steps = BartSteps(decoder, encoded, threads: threads ?? 1)
      if threads != nil { Libtorch.threads = 1 }
      var x = decoder.start(encoded.state.size(0))  // [rows, 1, D]
      var codes: [Tensor] = []

      func draw(_ logits: Tensor) throws -> Tensor {
        var l = logits.to(.float32)  // [rows, 1, K]
        if guided {
          let (c, u) = (l[0..<pictures], l[pictures..<2 * pictures])
          l = u + (c - u) * sampling.conditionScale
        }
        let top = l.reshaped(pictures, -1).topK(min(sampling.topK, config.startToken))
        var odds = (top.values / max(sampling.temperature, 1e-4)).softmax(over: -1).to(.cpu)
        if sampling.topP < 1 {
          // Before each are the likelier ones: the first that reaches the sum is kept, as upstream does.
          let before = odds.cumulativeSum(over: -1) - odds
          odds = odds * before.less(than: sampling.topP).to(odds.dtype)
        }
        guard odds.floats().allSatisfy(\.isFinite) else { throw NoNumbers(position: codes.count) }
        let choice = stream.choose(byWeight: odds).to(l.device)  // [P count, 1]
        let code = top.indices.gather(1, choice)  // [P count, 1]
        return guided ? concatenated([code, code], over: 0) : code
      }

      for position in 0..<config.image_token_count {
        let h = steps.features(x, at: position)  // [rows, 1, D]
        let first = try draw(steps.first(h))
        let levels = try [first] + (steps.second(h, first: first).map { [try draw($0)] } ?? [])
        let code = stacked(levels, over: 2)  // [rows, 1, levels]
        codes.append(code[0..<pictures])
        x = decoder.embed(code)
        try progress(codes)
      }
      return concatenated(codes, over: 1)
    }
  }
}
