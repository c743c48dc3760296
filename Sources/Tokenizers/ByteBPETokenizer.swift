import Foundation

/// The byte-level byte-pair encoding of GPT-2 (Radford et al. 2019) and BART (Lewis et al. 2020):
/// words begin with the blank before them, and nothing marks their end.
///
/// Follows openai/gpt-2 `src/encoder.py`. Unlike Hugging Face's, names of special tokens within a
/// text are text.
public struct ByteBPETokenizer: Tokenizer {
  /// What the network wants around the ids of a text.
  public let framing: Framing
  private let pairs: BytePairs
  private let words: @Sendable (String) -> [[UInt8]]

  /// Reads `vocab.json` with `merges.txt` beside it, `encoder.json` with `vocab.bpe`, packed by gzip
  /// or not, or Hugging Face's `tokenizer.json`; a folder stands for what it holds.
  ///
  /// - Throws: `TokenizerError` naming what is wrong.
  public init(contentsOf url: URL, _ convention: Convention) throws {
    let vocabulary = try Vocabulary(contentsOf: url)
    framing = Framing(
      start: try convention.start.map(vocabulary.id), end: try convention.end.map(vocabulary.id),
      padding: try vocabulary.id(convention.padding))
    pairs = try BytePairs(vocabulary, unknown: convention.unknown)
    words = convention.words
  }

  /// Number of token ids; all are below it.
  public var vocabularySize: Int { pairs.vocabulary.symbols.count }

  /// The ids of a text alone.
  public func encode(_ text: String) -> [Int] {
    var ids: [Int] = []
    for word in words(text) { pairs.encode(word, into: &ids) }
    return ids
  }

  /// The text of ids, special tokens by name; ids outside the vocabulary are left out.
  public func decode(_ ids: [Int]) -> String { pairs.decode(ids) }
}

extension ByteBPETokenizer {
  /// How the authors of a network take a text apart, and the symbols that they put around it.
  public struct Convention: Sendable {
    fileprivate let words: @Sendable (String) -> [[UInt8]]
    fileprivate var start: String?
    fileprivate var end: String?
    fileprivate let padding: String
    fileprivate var unknown: String?

    /// GPT-2's vocabulary as GLIDE uses it (Nichol et al. 2021): small letters, nothing before and
    /// after, padded with `<|endoftext|>` to 128.
    ///
    /// Follows openai/glide-text2im `glide_text2im/tokenizer/bpe.py`.
    public static let glide = Convention(
      words: { Array(GPT2TextPieces(CLIPTextCleaning.lowercased(Array($0.unicodeScalars)))) },
      padding: "<|endoftext|>")

    /// BART's: `<s>`, the text, `</s>`, padded with `<pad>`.
    ///
    /// Follows transformers' `BartTokenizerFast`.
    public static let bart = Convention(
      words: { Array(GPT2TextPieces(Array($0.unicodeScalars))) },
      start: "<s>", end: "</s>", padding: "<pad>", unknown: "<unk>")

    /// BART's as kuprel/min-dalle reads texts (min_dalle/text_tokenizer.py at 73621fb): small letters of
    /// ASCII, a blank before every word, and no parting of words from their punctuation.
    public static let minDALLE = Convention(
      words: { text in
        CLIPTextCleaning.lowercased(Array(text.unicodeScalars)).filter(\.isASCII)
          .split(separator: " ").map { [UInt8(ascii: " ")] + $0.map { UInt8($0.value) } }
      },
      start: "<s>", end: "</s>", padding: "<pad>", unknown: "<unk>")
  }
}
