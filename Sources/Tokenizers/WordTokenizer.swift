/// Whole words by a dictionary, as AttnGAN has them (Xu et al. 2018).
///
/// Follows `gen_example` of taoxugit/AttnGAN `code/main.py`: small letters, runs of letters, digits
/// and underscores, of which only ASCII's stay. Words that the dictionary lacks are left out; see
/// ``unknownWords(in:)``.
public struct WordTokenizer: Tokenizer {
  /// One more than the largest id.
  public let vocabularySize: Int
  private let ids: [String: Int]

  /// A tokenizer from the dictionary `wordtoix` of a model's `captions.pickle`.
  ///
  /// - Parameter ids: the id of each word; 0 is `<end>`, which fills what is left of the length.
  /// - Throws: `TokenizerError` when an id is taken twice or out of range.
  public init(_ ids: [String: Int]) throws {
    var seen: Set<Int> = []
    for (word, id) in ids {
      guard (0..<1 << 20).contains(id), seen.insert(id).inserted else {
        throw TokenizerError.vocabulary(
          "The dictionary", reason: "the id \(id) of '\(word)' is out of range or taken")
      }
    }
    self.ids = ids
    vocabularySize = (seen.max() ?? 0) + 1
  }

  /// Nothing before and after; padded with 0.
  public var framing: Framing { Framing(padding: 0) }

  /// The ids of the words that the dictionary has.
  public func encode(_ text: String) -> [Int] { Self.words(of: text).compactMap(id) }

  /// The words of a text that the dictionary has, in order, one for each id of `encode`.
  public func knownWords(in text: String) -> [String] {
    Self.words(of: text).filter { id(of: $0) != nil }.map(\.string)
  }

  /// The words of a text that the dictionary lacks, in small letters, each once.
  public func unknownWords(in text: String) -> [String] {
    var seen: Set<String> = []
    return Self.words(of: text).filter { id(of: $0) == nil }.map(\.string)
      .filter { seen.insert($0).inserted }
  }

  private func id(of word: ArraySlice<Unicode.Scalar>) -> Int? {
    let ascii = word.filter(\.isASCII).string
    return ascii.isEmpty ? nil : ids[ascii]
  }

  /// The matches of Python's `\w+`.
  private static func words(of text: String) -> [ArraySlice<Unicode.Scalar>] {
    CLIPTextCleaning.lowercased(Array(text.unicodeScalars)).split {
      $0 != "_" && ![.letter, .number].contains(ScalarKind($0))
    }
  }
}
