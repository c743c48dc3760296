import Foundation

/// The dictionary in the `captions.pickle` of an AttnGAN, read as data: nothing in it is imported, called
/// or executed.
///
/// Python 2 wrote it as the list `[train_captions, test_captions, ixtoword, wordtoix]`, of which the first
/// two hold the captions of a data set as lists of numbers (`code/datasets.py` of taoxugit/AttnGAN at
/// 0d000e6). They are passed over.
public struct CaptionsFile {
  /// The number of each word; 0 is that of `<end>`.
  public let ids: [String: Int]

  /// Bytes of a file at most; COCO's has some 20 million.
  static let longest = 256 << 20
  /// The most memory that reading may take, in bytes by a rough count; COCO's file takes a third.
  static let budget = 1 << 30
  /// Words of a dictionary at most.
  static let mostWords = 1 << 20

  /// Reads a file.
  /// - Throws: `WeightsError`, naming the file and what is wrong with it.
  public init(contentsOf url: URL) throws {
    let file = try MappedFile(url)
    do {
      ids = try Self.ids(file.bytes)
    } catch {
      throw WeightsError.format(
        path: url.path, container: "captions.pickle of an AttnGAN", reason: error.reason)
    }
  }

  static func ids(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> [String: Int] {
    guard bytes.count <= longest else { throw FormatError("it has \(bytes.count) bytes") }
    let document = try Unpickler.read(bytes, budget: budget, skippingNumbers: true)
    guard let parts = document.sequence(document.root), parts.count == 4,
      let pairs = document.pairs(parts[3])
    else {
      throw FormatError("it is not a list of four of which the last is a dictionary")
    }
    guard (1...mostWords).contains(pairs.count) else {
      throw FormatError("its dictionary has \(pairs.count) words")
    }
    var ids: [String: Int] = [:]
    var taken: Set<Int> = []
    for (key, value) in pairs {
      guard case .string(let word) = key, case .integer(let id) = value else {
        throw FormatError("its dictionary holds something else than words and their numbers")
      }
      guard (0..<mostWords).contains(id), taken.insert(id).inserted else {
        throw FormatError("the number \(id) of '\(word.prefix(40))' is out of range or taken")
      }
      guard ids.updateValue(id, forKey: word) == nil else {
        throw FormatError("its dictionary has '\(word.prefix(40))' twice")
      }
    }
    return ids
  }
}
