import Torch
import Weights

/// The text encoder of AttnGAN (Xu et al., "AttnGAN: Fine-Grained Text to Image Generation with Attentional
/// Generative Adversarial Networks", 2018): reads words in both directions.
///
/// Follows `RNN_ENCODER` of `code/model.py` of taoxugit/AttnGAN at 0d000e6, keys verbatim.
public struct AttnGANText {
  /// The shape of the network.
  public struct Config: Codable, Sendable, Hashable {
    /// Words that it knows, the end of a text included.
    public var words: Int
    /// Numbers in the embedding of a word.
    public var inputs: Int
    /// Numbers in what is read of a word, half of them in each direction; the same in that of a text.
    public var width: Int

    /// A configuration; what is left out is that of the published networks.
    public init(words: Int, inputs: Int = 300, width: Int = 256) {
      (self.words, self.inputs, self.width) = (words, inputs, width)
    }
  }

  /// Texts as the generator sees them.
  public struct Reading {
    /// What is read of each word, `[B, E, T]`; zeros behind a text's end.
    public let words: Tensor
    /// What is read of each text, `[B, E]`.
    public let sentence: Tensor
    /// Added to the scores of words: 0, or -inf behind a text's end, `[B, 1, T]`.
    public let mask: Tensor

    /// A reading of these parts; see the fields.
    public init(words: Tensor, sentence: Tensor, mask: Tensor) {
      (self.words, self.sentence, self.mask) = (words, sentence, mask)
    }

    /// The same without history.
    public func detached() -> Reading {
      Reading(words: words.detached(), sentence: sentence.detached(), mask: mask)
    }
  }

  /// The shape of this network.
  public let config: Config
  let encoder: Embedding
  let rnn: LSTM

  /// The network with parameters at `p`.
  public init(_ p: Parameters, _ config: Config) {
    self.config = config
    encoder = Embedding(p / "encoder", config.words, config.inputs, initial: .uniform(0.1))
    rnn = LSTM(p / "rnn", config.inputs, config.width / 2)
  }

  /// Reads texts.
  /// - Parameters:
  ///   - tokens: `[B, T]` int64; what stands behind a text's end is not read.
  ///   - lengths: words of each text, at least one.
  ///   - dropped: by what the embeddings are multiplied, `[B, T, D]`, in training.
  public func callAsFunction(_ tokens: Tensor, lengths: [Int], dropped: Tensor? = nil) -> Reading {
    var x = encoder(tokens)  // [B, T, D]
    if let dropped { x = x * dropped }
    let (outputs, last) = rnn(x, lengths: lengths)  // [B, T, E], [2, B, E / 2]
    let ends = Tensor(lengths, [lengths.count, 1]).to(tokens.device)
    let behind = Tensor.arange(0..<tokens.size(1), device: tokens.device).unsqueezed(0).atLeast(
      ends)
    let mask = Tensor.zeros(behind.shape, device: tokens.device)
      .filled(where: behind, with: -.infinity).unsqueezed(1)
    return Reading(
      words: outputs.transposed(1, 2),
      sentence: last.transposed(0, 1).reshaped(lengths.count, -1), mask: mask)
  }
}

extension AttnGANText: Network {
  /// AttnGAN's files, and the dictionary that lies beside them.
  public static let architecture = Architecture(
    "attngan-text", AttnGANText.self, kind: AttnGAN.kind,
    layouts: [
      .init(
        "AttnGAN text encoder", mark: "rnn.weight_ih_l0",
        needs: ["encoder.weight", "rnn.weight_hh_l0", "rnn.weight_hh_l0_reverse"])
    ], sidecars: { _ in [AttnGAN.dictionaryFile] }
  ) { checkpoint, _ in
    guard let table = checkpoint.shape("encoder.weight"), table.count == 2,
      let gates = checkpoint.shape("rnn.weight_hh_l0"), gates.count == 2
    else { return nil }
    return (Config(words: table[0], inputs: table[1], width: 2 * gates[1]), [])
  }
}

extension AttnGANText.Config: NetworkConfig {
  /// The network in a few words.
  public var title: String { "AttnGAN text encoder of \(words) words" }

  /// Words that it knows.
  public var vocabularySize: Int? { words }

  /// See `NetworkConfig`.
  public var problem: String? {
    guard (1...1 << 20).contains(words) else { return "'words' must be from 1 to 1048576" }
    guard (1...8192).contains(inputs) else { return "'inputs' must be from 1 to 8192" }
    guard (2...8192).contains(width), width % 2 == 0 else {
      return "'width' must be an even number from 2 to 8192"
    }
    return nil
  }
}
