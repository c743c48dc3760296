import Foundation

/// CLIP's byte-level byte-pair encoding (Radford et al. 2021).
///
/// Follows openai/CLIP `clip/simple_tokenizer.py`; the cleaning before it is in `CLIPTextCleaning`.
/// The vocabulary is: 256 byte symbols, the same as ends of words (`</w>`), one symbol for each
/// merge, `<|startoftext|>` and `<|endoftext|>`. Encoding takes time in proportion to n log n.
/// OpenAI's towers, open_clip, Karlo and GLIDE's noised CLIP pad with 0, Stable Diffusion with the
/// end token.
public struct CLIPTokenizer: Tokenizer {
  /// Id of `<|startoftext|>`.
  public let start: Int
  /// Id of `<|endoftext|>`, the largest, by which the text tower finds the end.
  public let end: Int
  private let pairs: BytePairs

  /// Names of the two special tokens.
  static let specials = ["<|startoftext|>", "<|endoftext|>"]
  /// What marks the symbols that end a word.
  static let suffix = "</w>"

  /// A tokenizer from its merges, ids in the standard order.
  ///
  /// - Throws: `TokenizerError` when a merge joins symbols that no earlier line made.
  public init(merges: [Merge]) throws {
    try self.init(Vocabulary(clip: merges, name: "The list of merges"))
  }

  /// Reads OpenAI's `bpe_simple_vocab_16e6.txt.gz`, Hugging Face's `vocab.json` with `merges.txt`
  /// beside it or `tokenizer.json`, or what ``encoded()`` wrote; a folder stands for what it holds.
  ///
  /// - Throws: `TokenizerError` naming what is wrong.
  public init(contentsOf url: URL) throws { try self.init(Vocabulary(contentsOf: url)) }

  /// Reads a vocabulary that nothing but its content tells: a text must have the line of its version, as
  /// OpenAI's and Hugging Face's have, since any list of pairs of letters would do otherwise.
  ///
  /// - Throws: `TokenizerError` naming what is wrong.
  public init(vocabularyAt url: URL) throws {
    try self.init(Vocabulary(contentsOf: url, needsVersion: true))
  }

  private init(_ vocabulary: Vocabulary) throws {
    start = try vocabulary.id(Self.specials[0])
    end = try vocabulary.id(Self.specials[1])
    pairs = try BytePairs(vocabulary, suffix: Self.suffix)
  }

  /// The merges in the order in which they were learned, in the byte alphabet of GPT-2.
  public var merges: [Merge] { pairs.vocabulary.merges }
  /// Number of token ids; all are below it.
  public var vocabularySize: Int { pairs.vocabulary.symbols.count }
  /// What the network wants around the ids of a text.
  public var framing: Framing { Framing(start: start, end: end, padding: 0) }

  /// The ids of a text alone.
  public func encode(_ text: String) -> [Int] {
    var ids: [Int] = []
    for piece in CLIPTextPieces(CLIPTextCleaning.clean(text)) {
      switch piece {
      case .start: ids.append(start)
      case .end: ids.append(end)
      case .bytes(let bytes): pairs.encode(bytes, into: &ids)
      }
    }
    return ids
  }

  /// The text of ids: cleaned, words separated by blanks, special tokens by name; ids outside the
  /// vocabulary are left out.
  public func decode(_ ids: [Int]) -> String { pairs.decode(ids) }

  /// The vocabulary in Reverie's own format: one JSON object with `format`, `version`, `specials`
  /// and `merges` (each two symbols with a blank between). Equal vocabularies give equal bytes.
  public func encoded() throws -> Data {
    struct File: Encodable {
      let format = "reverie-bpe"
      let version = 1
      let specials = CLIPTokenizer.specials
      let merges: [String]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(File(merges: merges.map { "\($0.left) \($0.right)" }))
  }
}
