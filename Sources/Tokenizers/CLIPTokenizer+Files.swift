import Foundation
import Weights

/// What can be wrong with a vocabulary.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
  /// The file is not one of the known formats, or is damaged.
  case file(path: String, reason: String)
  /// A merge joins symbols that the vocabulary does not have.
  case merge(line: Int, left: String, right: String)
  /// A symbol that every vocabulary must have is missing.
  case symbol(String)
  /// A vocabulary was asked for that cannot hold the byte symbols.
  case size(Int)

  /// The sentence for the user.
  public var description: String {
    switch self {
    case .file(let path, let reason):
      "\(path) is not a tokenizer's vocabulary: \(reason)."
    case .merge(let line, let left, let right):
      "Merge \(line) of the vocabulary joins '\(left)' and '\(right)', which it does not have."
    case .symbol(let symbol):
      "The vocabulary lacks the symbol '\(symbol)'."
    case .size(let size):
      "A vocabulary of \(size) tokens is too small: 512 byte symbols and 2 specials come first."
    }
  }
}

extension CLIPTokenizer {
  /// The longest vocabulary file that is read, in bytes, also after unpacking.
  static let longestFile = 64 << 20

  /// Reads a vocabulary. The format shows in the name:
  ///
  /// - `….txt`, `….txt.gz`: OpenAI's `bpe_simple_vocab_16e6.txt`: a header line, then merges, of
  ///   which the first 48,894 count;
  /// - a folder with `vocab.json` and `merges.txt`, or the path of that `vocab.json`: Hugging Face;
  /// - `tokenizer.json`: Hugging Face's of one file, or Reverie's own, see ``encoded()``.
  ///
  /// - Throws: `TokenizerError` naming what is wrong.
  public init(contentsOf url: URL) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue
    {
      let vocabulary = url.appendingPathComponent("vocab.json")
      let own = url.appendingPathComponent("tokenizer.json")
      let exists = FileManager.default.fileExists(atPath: vocabulary.path)
      try self.init(contentsOf: exists ? vocabulary : own)
      return
    }
    let data = try Self.read(url)
    switch url.lastPathComponent {
    case "vocab.json":
      let lines = url.deletingLastPathComponent().appendingPathComponent("merges.txt")
      try self.init(huggingFace: data, merges: try Self.read(lines), path: url.path)
    case let name where name.hasSuffix(".json"):
      if let file = try? JSONDecoder().decode(TokenizersFile.self, from: data) {
        try self.init(
          merges: file.model.merges.map { Pair($0.left, $0.right) },
          symbols: Self.symbols(file.model.vocab, path: url.path))
      } else {
        try self.init(encoded: data, path: url.path)
      }
    default:
      try self.init(merges: try Self.merges(lines: data, path: url.path))
    }
  }

  private static func read(_ url: URL) throws -> Data {
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      throw TokenizerError.file(path: url.path, reason: "it cannot be read")
    }
    guard data.count <= longestFile else {
      throw TokenizerError.file(path: url.path, reason: "it is larger than \(longestFile) bytes")
    }
    guard data.starts(with: [0x1F, 0x8B]) else { return data }
    do {
      return try Gzip.unpack(data, limit: longestFile)
    } catch {
      throw TokenizerError.file(path: url.path, reason: "\(error)")
    }
  }

  // MARK: Lines of merges

  private static func merges(lines data: Data, path: String) throws -> [Pair] {
    guard let text = String(data: data, encoding: .utf8) else {
      throw TokenizerError.file(path: path, reason: "it is not UTF-8 text")
    }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
    if let first = lines.first, first.contains("#version") { lines = lines.dropFirst() }
    // OpenAI's file has 262,144 lines, of which the model uses this many (49,408 tokens in all).
    lines = lines.prefix(49_152 - 256 - 2)
    if lines.last?.isEmpty == true { lines = lines.dropLast() }
    return try lines.enumerated().map { index, line in
      let parts = line.split(separator: " ")
      guard parts.count == 2 else {
        throw TokenizerError.file(path: path, reason: "merge \(index + 1) is not two symbols")
      }
      return Pair(String(parts[0]), String(parts[1]))
    }
  }

  private init(huggingFace data: Data, merges lines: Data, path: String) throws {
    guard let ids = try? JSONDecoder().decode([String: Int].self, from: data) else {
      throw TokenizerError.file(path: path, reason: "it does not map symbols to ids")
    }
    let symbols = try Self.symbols(ids, path: path)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    let merges = try Self.merges(
      lines: lines, path: folder.appendingPathComponent("merges.txt").path)
    try self.init(merges: merges, symbols: symbols)
  }

  /// The symbol of each id.
  private static func symbols(_ ids: [String: Int], path: String) throws -> [String] {
    var symbols = [String?](repeating: nil, count: ids.count)
    for (symbol, id) in ids {
      guard symbols.indices.contains(id), symbols[id] == nil else {
        throw TokenizerError.file(path: path, reason: "the id \(id) of '\(symbol)' is out of order")
      }
      symbols[id] = symbol
    }
    return symbols.compactMap { $0 }
  }

  /// Hugging Face's file of the library tokenizers, as far as it matters.
  private struct TokenizersFile: Decodable {
    /// Two symbols, with a blank between or in a list.
    struct Merge: Decodable {
      let left: String
      let right: String

      init(from decoder: any Swift.Decoder) throws {
        let value = try decoder.singleValueContainer()
        let parts =
          try (try? value.decode([String].self))
          ?? value.decode(String.self).split(separator: " ").map(String.init)
        guard parts.count == 2 else {
          throw DecodingError.dataCorruptedError(in: value, debugDescription: "not two symbols")
        }
        (left, right) = (parts[0], parts[1])
      }
    }
    struct Model: Decodable {
      let vocab: [String: Int]
      let merges: [Merge]
    }
    let model: Model
  }

  // MARK: Reverie's own

  private struct File: Codable {
    var format = "reverie-bpe"
    var version = 1
    var specials = CLIPTokenizer.specials
    var merges: [String]
  }

  /// The vocabulary in Reverie's own format: one JSON object with `format`, `version`, `specials`
  /// and `merges` (each two symbols with a blank between). Equal vocabularies give equal bytes.
  public func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(File(merges: merges.map { "\($0.left) \($0.right)" }))
  }

  /// Reads what ``encoded()`` wrote.
  ///
  /// - Parameter path: the file's name, for errors.
  public init(encoded data: Data, path: String = "tokenizer.json") throws {
    guard let file = try? JSONDecoder().decode(File.self, from: data), file.format == "reverie-bpe"
    else { throw TokenizerError.file(path: path, reason: "it lacks the fields of the format") }
    guard file.version == 1, file.specials == Self.specials else {
      throw TokenizerError.file(
        path: path, reason: "it is of version \(file.version), or has other special tokens")
    }
    try self.init(
      merges: file.merges.enumerated().map { index, merge in
        let parts = merge.split(separator: " ")
        guard parts.count == 2 else {
          throw TokenizerError.file(path: path, reason: "merge \(index + 1) is not two symbols")
        }
        return Pair(String(parts[0]), String(parts[1]))
      })
  }
}
