import Torch

/// How well texts and pictures go together by their words and as wholes (DAMSM, Xu et al. 2018, equations 7
/// to 13).
///
/// Follows `words_loss` and `sent_loss` of `code/miscc/losses.py` and `func_attention` of
/// `code/GlobalAttention.py` of taoxugit/AttnGAN at 0d000e6.
public struct DAMSMLikeness {
  /// How sharply regions are chosen for a word.
  public var gamma1: Double
  /// How much the words that fit best count.
  public var gamma2: Double
  /// How sharply a text is told from others.
  public var gamma3: Double

  /// A likeness; what is left out is that of `cfg/DAMSM/bird.yml`.
  public init(gamma1: Double = 4, gamma2: Double = 5, gamma3: Double = 10) {
    (self.gamma1, self.gamma2, self.gamma3) = (gamma1, gamma2, gamma3)
  }

  /// How well the words of each text fit the regions of each picture.
  /// - Parameters:
  ///   - regions: `[B, E, h, w]`
  ///   - words: `[C, E, T]`
  ///   - lengths: words of each of the C texts.
  /// - Returns: of picture and text, `[B, C]`, and for each text which region of its picture its words
  ///   looked at, `[C, T, h, w]`, where there are as many pictures as texts.
  public func words(_ regions: Tensor, _ words: Tensor, lengths: [Int]) -> (
    scores: Tensor, attention: Tensor
  ) {
    let (b, e, h, w) = (regions.size(0), regions.size(1), regions.size(2), regions.size(3))
    let (c, t) = (words.size(0), words.size(2))
    let context = regions.reshaped(b, e, h * w)  // [B, E, N]
    let query = words.transposed(0, 1).reshaped(e, c * t)  // [E, C T]
    // Softmax over words is that of a text's own: those behind its end do not take part.
    let ends = Tensor(lengths, [c, 1]).to(words.device)
    let behind = Tensor.arange(0..<t, device: words.device).unsqueezed(0).atLeast(ends)  // [C, T]
    let scores = context.transposed().matmul(query).reshaped(b, h * w, c, t)  // [B, N, C, T]
      .filled(where: behind, with: -.infinity).softmax(over: -1)
    let attention = (scores * gamma1).softmax(over: 1)  // [B, N, C, T]
    let seen = context.matmul(attention.reshaped(b, h * w, c * t)).reshaped(b, e, c, t)
    let own = words.transposed(0, 1).unsqueezed(0)  // [1, E, C, T]
    let lengthsOfBoth = (seen.norm(over: 1) * own.norm(over: 1)).clamped(1e-8, .infinity)
    let cosines = (seen * own).sum(over: [1]) / lengthsOfBoth  // [B, C, T]
    let sums = (cosines * gamma2).filled(where: behind, with: -.infinity).exp().sum(over: [2])
    let maps =
      b == c
      ? stacked((0..<b).map { attention[$0].select(1, $0) })  // [C, N, T]
        .transposed().reshaped(c, t, h, w)
      : Tensor.zeros([0, t, h, w])
    return (sums.log() * gamma3, maps)
  }

  /// How well each text as a whole fits each picture.
  /// - Parameters:
  ///   - pictures: `[B, E]`
  ///   - sentences: `[C, E]`
  /// - Returns: `[B, C]`
  public func wholes(_ pictures: Tensor, _ sentences: Tensor) -> Tensor {
    let lengths = pictures.norm(over: 1, keepDims: true).matmul(
      sentences.norm(over: 1, keepDims: true).transposed())
    return pictures.matmul(sentences.transposed()) / lengths.clamped(1e-8, .infinity) * gamma3
  }

  /// The loss of scores `[B, B]` whose pairs stand on the diagonal, told apart in both directions.
  /// - Parameter same: pairs of other rows that show the same, and are not to be told apart; `[B, B]`.
  public func loss(_ scores: Tensor, same: Tensor? = nil) -> Tensor {
    let scores = same.map { scores.filled(where: $0, with: -.infinity) } ?? scores
    let pairs = Tensor.arange(0..<scores.size(0), device: scores.device)
    return scores.crossEntropy(pairs) + scores.transposed().crossEntropy(pairs)
  }
}
