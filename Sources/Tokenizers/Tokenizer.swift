import Torch

/// Turns a text into the ids that a network was trained on. A component of a model, as its networks are.
///
/// ```swift
/// let tokenizer = try CLIPTokenizer(contentsOf: url)
/// tokenizer.encode("a photo of a cat!!!")  // 320 1125 539 320 2368 995
/// let (ids, mask) = tokenizer.padded("a cat", length: 77)
/// let tokens = tokenizer(["a cat", "a dog"], length: 77)  // [2, 77]
/// ```
public protocol Tokenizer: Sendable {
  /// Number of token ids; all are below it.
  var vocabularySize: Int { get }
  /// What the network wants around the ids of a text.
  var framing: Framing { get }

  /// The ids of a text alone, however many they are.
  func encode(_ text: String) -> [Int]
}

/// What a network wants around the ids of a text.
public struct Framing: Sendable, Equatable {
  /// The id before the text; nil for none.
  public var start: Int?
  /// The id after the text; nil for none.
  public var end: Int?
  /// The id that fills what is left of the length.
  public var padding: Int
}

extension Tokenizer {
  /// Start, the ids of a text, end, then padding up to `length`; what is too long is cut.
  ///
  /// - Parameter padding: another id than the tokenizer's own: Stable Diffusion pads CLIP's with the
  ///   end token.
  /// - Returns: `length` ids, and whether each is the text's (start and end included) or padding.
  public func padded(
    _ text: String, length: Int, padding: Int? = nil
  ) -> (ids: [Int], mask: [Bool]) {
    let length = max(0, length)
    let whole =
      [framing.start].compactMap(\.self) + encode(text) + [framing.end].compactMap(\.self)
    var ids = Array(whole.prefix(length))
    if whole.count > length, let end = framing.end, !ids.isEmpty {
      ids[ids.count - 1] = end
    }
    let rest = length - ids.count
    return (
      ids + Array(repeating: padding ?? framing.padding, count: rest),
      Array(repeating: true, count: ids.count) + Array(repeating: false, count: rest)
    )
  }

  /// Tokens of several texts, `[B, T]` int64. See ``padded(_:length:padding:)``.
  public func callAsFunction(_ texts: [String], length: Int, padding: Int? = nil) -> Tensor {
    Tensor(
      texts.flatMap { padded($0, length: length, padding: padding).ids }, [texts.count, length])
  }
}

/// What can be wrong with a vocabulary.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
  /// The vocabulary is damaged, or not the one that is wanted.
  case vocabulary(_ name: String, reason: String)
  /// A vocabulary was asked for that cannot hold the byte symbols.
  case size(Int)

  /// The sentence for the user.
  public var description: String {
    switch self {
    case .vocabulary(let name, let reason):
      "\(name) is not the vocabulary of a tokenizer: \(reason)."
    case .size(let size):
      "A vocabulary of \(size) tokens is too small: 512 byte symbols and 2 specials come first."
    }
  }
}
