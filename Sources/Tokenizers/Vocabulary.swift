import Foundation
import Weights

/// The symbols and merges of a byte-pair encoding.
struct Vocabulary: Sendable {
  /// What it is called in errors: the path of its file.
  let name: String
  /// The symbol of each id.
  let symbols: [String]
  /// The merges in the order in which they were learned, in the byte alphabet of GPT-2.
  let merges: [Merge]

  /// The largest file that is read, in bytes, also after unpacking; real ones have up to 5 MB.
  static let largestFile = 16 << 20

  /// CLIP's order of ids: 256 byte symbols, the same as ends of words, merges, special tokens.
  init(clip merges: [Merge], name: String) {
    let alphabet = ByteAlphabet.characters.map(String.init)
    self.name = name
    self.merges = merges
    symbols =
      alphabet + alphabet.map { $0 + CLIPTokenizer.suffix } + merges.map(\.joined)
      + CLIPTokenizer.specials
  }

  private init(_ ids: [String: Int], _ merges: [Merge], name: String) throws {
    var symbols = [String?](repeating: nil, count: ids.count)
    for (symbol, id) in ids {
      guard symbols.indices.contains(id), symbols[id] == nil else {
        throw TokenizerError.vocabulary(
          name, reason: "the id \(id) of '\(symbol)' is out of order or taken")
      }
      symbols[id] = symbol
    }
    self.name = name
    self.symbols = symbols.compactMap(\.self)
    self.merges = merges
  }

  /// Reads a vocabulary, packed by gzip or not. The format shows in the name:
  ///
  /// - `vocab….json` with `merges….txt` beside it (Hugging Face), or `encoder.json` with `vocab.bpe`
  ///   (OpenAI's GPT-2): the path of the first, or of their folder;
  /// - `tokenizer.json`: Hugging Face's single file, or Reverie's own: its path or its folder;
  /// - anything else: OpenAI's `bpe_simple_vocab_16e6.txt`, a header line, then CLIP's merges.
  ///
  /// - Parameter needsVersion: whether a text without the line of its version is none.
  /// - Throws: `TokenizerError` naming what is wrong.
  init(contentsOf url: URL, needsVersion: Bool = false) throws {
    let url = try Self.file(at: url)
    let name = url.lastPathComponent
    let data = try Self.read(url)
    if let merges = Self.merges(beside: name) {
      let merges = url.deletingLastPathComponent().appendingPathComponent(merges)
      try self.init(
        try Self.decode([String: Int].self, data, url.path),
        try Self.merges(lines: try Self.read(merges), merges.path), name: url.path)
    } else if name.contains(".json") {
      let file = try Self.decode(SingleFile.self, data, url.path)
      if let model = file.model {
        try self.init(model.vocab, model.merges, name: url.path)
      } else if file.isOwn, let merges = file.merges {
        self.init(clip: merges, name: url.path)
      } else {
        throw TokenizerError.vocabulary(
          url.path, reason: "it is of another format, a later version or has other special tokens")
      }
    } else {
      let first = data.prefix { $0 != UInt8(ascii: "\n") }
      guard !needsVersion || String(decoding: first, as: UTF8.self).contains("#version") else {
        throw TokenizerError.vocabulary(
          url.path, reason: "it does not begin with the line of its version, '… #version: 0.2'")
      }
      // OpenAI's file has 262,144 lines, of which the model uses this many (49,408 tokens in all).
      let merges = try Self.merges(lines: data, url.path, atMost: 49_152 - 256 - 2)
      guard !merges.isEmpty else {
        throw TokenizerError.vocabulary(url.path, reason: "it has not one merge")
      }
      self.init(clip: merges, name: url.path)
    }
  }

  /// The error for a symbol that must be there and is not.
  func lacks(_ symbol: String) -> TokenizerError {
    .vocabulary(name, reason: "it lacks the symbol '\(symbol)'")
  }

  /// The id of a symbol that must be there.
  func id(_ symbol: String) throws -> Int {
    guard let id = symbols.lastIndex(of: symbol) else { throw lacks(symbol) }
    return id
  }

  // MARK: Files

  /// The file that a path means, which may be that of its folder.
  private static func file(at url: URL) throws -> URL {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      isFolder.boolValue
    else { return url }
    let names = ["vocab.json", "encoder.json", "encoder.json.gz", "tokenizer.json"]
    let found = names.map { url.appendingPathComponent($0) }
      .first { FileManager.default.fileExists(atPath: $0.path) }
    guard let found else {
      throw TokenizerError.vocabulary(
        url.path, reason: "the folder has none of \(names.joined(separator: ", "))")
    }
    return found
  }

  private static func merges(beside name: String) -> String? {
    if name.hasPrefix("encoder.json") { return "vocab.bpe" + name.dropFirst(12) }
    guard name.hasPrefix("vocab"), name.contains(".json") else { return nil }
    return "merges" + name.dropFirst(5).replacing(".json", with: ".txt")
  }

  private static func read(_ url: URL) throws -> Data {
    func failure(_ reason: String) -> TokenizerError { .vocabulary(url.path, reason: reason) }
    do {
      let file = try MappedFile(url)
      guard file.bytes.count <= largestFile else {
        throw failure("it is larger than \(largestFile) bytes")
      }
      let data = withExtendedLifetime(file) { Data($0.bytes) }
      let isPacked = data.starts(with: [0x1F, 0x8B])
      return isPacked ? try Gzip.unpack(data, limit: largestFile) : data
    } catch WeightsError.file(_, let reason) {
      throw failure(reason)
    } catch let error as Gzip.Failure {
      throw failure(error.description)
    }
  }

  /// Merges, one a line, after a line that names the version.
  private static func merges(
    lines data: Data, _ name: String, atMost limit: Int = .max - 1
  ) throws -> [Merge] {
    var lines = data.split(
      separator: UInt8(ascii: "\n"), maxSplits: limit + 1, omittingEmptySubsequences: false)
    if let first = lines.first, String(decoding: first, as: UTF8.self).contains("#version") {
      lines.removeFirst()
    }
    lines = Array(lines.prefix(limit))
    if lines.last?.isEmpty == true { lines.removeLast() }
    return try lines.enumerated().map { index, line in
      guard let text = String(validating: line, as: UTF8.self), let merge = Merge(line: text) else {
        throw TokenizerError.vocabulary(name, reason: "merge \(index + 1) is not two symbols")
      }
      return merge
    }
  }

  private static func decode<T: Decodable>(
    _ type: T.Type, _ data: Data, _ name: String
  ) throws -> T {
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch DecodingError.dataCorrupted(let context) {
      throw TokenizerError.vocabulary(name, reason: context.debugDescription)
    } catch {
      throw TokenizerError.vocabulary(name, reason: "it lacks the fields of the format")
    }
  }

  /// What a `tokenizer.json` may hold.
  private struct SingleFile: Decodable {
    struct Model: Decodable {
      let vocab: [String: Int]
      let merges: [Merge]
    }
    /// Hugging Face's.
    let model: Model?
    // Reverie's own, see ``CLIPTokenizer/encoded()``.
    let format: String?
    let version: Version?
    let specials: [String]?
    let merges: [Merge]?

    var isOwn: Bool {
      format == "reverie-bpe" && version?.number == 1 && specials == CLIPTokenizer.specials
    }

    /// A number in Reverie's, a text in Hugging Face's.
    struct Version: Decodable {
      let number: Int?

      init(from decoder: any Swift.Decoder) throws {
        number = try? decoder.singleValueContainer().decode(Int.self)
      }
    }
  }
}

extension Merge: Decodable {
  /// Two symbols with a blank between.
  init?(line: some StringProtocol) {
    let parts = line.split(whereSeparator: { $0 == " " || $0 == "\r" })
    guard parts.count == 2 else { return nil }
    self.init(String(parts[0]), String(parts[1]))
  }

  /// Two symbols with a blank between, or in a list.
  public init(from decoder: any Swift.Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let parts = try? value.decode([String].self), parts.count == 2 {
      self.init(parts[0], parts[1])
    } else if let line = try? value.decode(String.self), let merge = Merge(line: line) {
      self = merge
    } else {
      throw DecodingError.dataCorruptedError(
        in: value, debugDescription: "a merge is not two symbols")
    }
  }
}
