import Foundation
import Imaging
import Weights

/// A folder of pictures with captions, as a dataset.
///
/// Captions come from Hugging Face imagefolder's `metadata.jsonl` (one JSON object a line with
/// `file_name` and `text` or `caption`), or, without that file, from `name.txt` or `name.caption` beside
/// `name.png`, `.jpg`, `.jpeg` or `.webp`; the lines of such a text are joined by blanks. Pictures are cut to the square in their middle, laid over white and
/// scaled once when the folder is opened; they stay in memory at `3 * size * size` bytes each.
public struct ImageFolder: CaptionedDataset {
  /// A file that was left out.
  public struct Skipped: Sendable, Hashable, CustomStringConvertible {
    /// The file, or the line of `metadata.jsonl`.
    public let item: String
    /// Why.
    public let reason: String
    /// "item: reason".
    public var description: String { "\(item): \(reason)" }
  }

  /// The side of every picture in pixels.
  public let size: Int
  /// What was left out, in order of reading.
  public let skipped: [Skipped]

  /// How many pictures with captions there are, and what was left out and why, for people.
  public var summary: [String] {
    let number = pixels.count
    guard !skipped.isEmpty else { return ["\(Self.counted(number)); nothing left out"] }
    let shown = skipped.prefix(10).map { "  \($0)" }
    let rest = skipped.count - shown.count
    return ["\(Self.counted(number)); \(skipped.count) left out:"] + shown
      + (rest > 0 ? ["  … and \(rest) more"] : [])
  }

  private static func counted(_ number: Int) -> String {
    number == 1 ? "1 picture with a caption" : "\(number) pictures with captions"
  }

  private let pixels: [[UInt8]]
  private let labels: [ExampleLabel]

  /// Opens a folder.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - size: The side of the pictures in pixels, 8 to 1024.
  ///   - memoryLimit: How many bytes the scaled pictures may take together.
  ///   - decode: Reads a picture file.
  ///
  /// Throws `CorpusError.unreadableFolder`, `.emptyFolder` when nothing is usable, and
  /// `.badConfiguration` for a size out of range or pictures beyond the memory limit.
  public init(
    path: String, size: Int, memoryLimit: Int = 4 << 30,
    decode: (String) throws -> Picture = { try Picture.read(from: $0) }
  ) throws {
    guard (8...1024).contains(size) else {
      throw CorpusError.badConfiguration("size \(size) is outside 8 to 1024")
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CorpusError.unreadableFolder(path: path, reason: "it does not exist")
    }
    guard isFolder.boolValue else {
      throw CorpusError.unreadableFolder(path: path, reason: "it is not a folder")
    }
    var skipped: [Skipped] = []
    let entries = try Self.entries(path, &skipped)
    var pixels: [[UInt8]] = []
    var labels: [ExampleLabel] = []
    for entry in entries {
      guard (pixels.count + 1) * 3 * size * size <= memoryLimit else {
        throw CorpusError.badConfiguration(
          "\(entries.count) pictures of \(size) pixels take more than \(memoryLimit) bytes; "
            + "choose a smaller size")
      }
      do {
        let picture = try decode("\(path)/\(entry.file)")
        pixels.append(try Self.square(picture, size: size))
        labels.append(
          ExampleLabel(caption: entry.caption, conceptIDs: [], colorID: nil, kind: .file))
      } catch {
        skipped.append(Skipped(item: entry.file, reason: "\(error)"))
      }
    }
    guard !pixels.isEmpty else {
      throw CorpusError.emptyFolder(path: path, skipped: skipped.map(\.description))
    }
    self.size = size
    self.skipped = skipped
    self.pixels = pixels
    self.labels = labels
  }

  /// Opens a folder by its file URL; see `init(path:size:memoryLimit:decode:)`.
  public init(_ folder: URL, size: Int) throws {
    try self.init(path: folder.path, size: size)
  }

  /// How many pictures there are.
  public var count: Int? { pixels.count }

  /// One picture and its caption; indices wrap around.
  public func example(_ index: Int) throws -> CorpusExample {
    let at = wrapped(index)
    let picture = try Picture(width: size, height: size, channels: 3, bytes: pixels[at])
    return CorpusExample(picture: picture, label: labels[at])
  }

  /// The caption of one picture; indices wrap around.
  public func label(_ index: Int) -> ExampleLabel { labels[wrapped(index)] }

  /// Writes pictures into a caller's buffer; see `CaptionedDataset`.
  public func fill(
    _ indices: some Sequence<Int>, into buffer: UnsafeMutableBufferPointer<UInt8>,
    layout: PixelLayout
  ) -> [ExampleLabel] {
    let area = size * size
    var result: [ExampleLabel] = []
    for index in indices {
      let start = result.count * 3 * area
      guard start + 3 * area <= buffer.count else { break }
      let source = pixels[wrapped(index)]
      for pixel in 0..<area {
        for c in 0..<3 {
          let to = layout == .channelsLast ? pixel * 3 + c : c * area + pixel
          buffer[start + to] = source[pixel * 3 + c]
        }
      }
      result.append(labels[wrapped(index)])
    }
    return result
  }

  private func wrapped(_ index: Int) -> Int {
    let remainder = index % pixels.count
    return remainder < 0 ? remainder + pixels.count : remainder
  }

  // MARK: Reading

  private typealias Entry = (file: String, caption: String)

  private static func entries(_ path: String, _ skipped: inout [Skipped]) throws -> [Entry] {
    let metadata = "\(path)/metadata.jsonl"
    if FileManager.default.fileExists(atPath: metadata) {
      let data: Data
      do {
        data = try RegularFile.data(at: URL(filePath: metadata), limit: 1 << 30)
      } catch {
        throw CorpusError.unreadableFolder(path: path, reason: "\(error)")
      }
      let (entries, named) = listed(data, &skipped)
      for file in try names(in: path) where isPicture(file) && !named.contains(file) {
        skipped.append(Skipped(item: file, reason: "metadata.jsonl does not list it"))
      }
      return entries
    }
    return paired(try names(in: path), path, &skipped)
  }

  private static func names(in path: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw CorpusError.unreadableFolder(path: path, reason: error.localizedDescription)
    }
  }

  private static func isPicture(_ file: String) -> Bool {
    !file.hasPrefix(".")
      && ["png", "jpg", "jpeg", "webp"].contains((file as NSString).pathExtension.lowercased())
  }

  /// The lines of a `metadata.jsonl`, and all files that they name.
  private static func listed(_ data: Data, _ skipped: inout [Skipped]) -> (
    entries: [Entry], named: Set<String>
  ) {
    var (entries, named): ([Entry], Set<String>) = ([], [])
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      guard line.contains(where: { $0 > 32 }) else { continue }
      let item = "metadata.jsonl, line \(index + 1)"
      guard
        let row = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      else {
        skipped.append(Skipped(item: item, reason: "not a JSON object"))
        continue
      }
      guard let file = row["file_name"] as? String, !file.isEmpty else {
        skipped.append(Skipped(item: item, reason: "no file_name"))
        continue
      }
      named.insert(file)
      guard !file.hasPrefix("/"), !file.split(separator: "/").contains("..") else {
        skipped.append(Skipped(item: file, reason: "file_name leaves the folder"))
        continue
      }
      guard let key = ["text", "caption"].first(where: { row[$0] != nil }), let value = row[key]
      else {
        skipped.append(Skipped(item: file, reason: "no text and no caption in metadata.jsonl"))
        continue
      }
      guard let caption = (value as? String).map(tidied), !caption.isEmpty else {
        let kind =
          switch value {
          case is String: "empty"
          case is [Any]: "a list, and one text is wanted"
          case is NSNull: "null"
          default: "no text"
          }
        skipped.append(Skipped(item: file, reason: "its '\(key)' in metadata.jsonl is \(kind)"))
        continue
      }
      entries.append((file, caption))
    }
    return (entries, named)
  }

  /// Pictures with a text file of the same name.
  private static func paired(
    _ files: [String], _ path: String, _ skipped: inout [Skipped]
  ) -> [Entry] {
    var entries: [Entry] = []
    // Endings in capitals are common on other systems.
    let captions = Dictionary(
      files.filter { captionKinds.contains(($0 as NSString).pathExtension.lowercased()) }
        .map { ("\(($0 as NSString).deletingPathExtension).\(kind(of: $0))", $0) },
      uniquingKeysWith: { first, _ in first })
    var used: Set<String> = []
    for file in files where isPicture(file) {
      let name = (file as NSString).deletingPathExtension
      guard let text = captionKinds.lazy.compactMap({ captions["\(name).\($0)"] }).first else {
        skipped.append(Skipped(item: file, reason: "no caption: \(name).txt is missing"))
        continue
      }
      used.insert(text)
      guard let data = try? RegularFile.data(at: URL(filePath: "\(path)/\(text)"), limit: 1 << 20),
        let caption = String(data: data, encoding: .utf8).map(tidied)
      else {
        skipped.append(Skipped(item: file, reason: "\(text) cannot be read as UTF-8"))
        continue
      }
      guard !caption.isEmpty else {
        skipped.append(Skipped(item: file, reason: "\(text) is empty"))
        continue
      }
      entries.append((file, caption))
    }
    for file in files where !file.hasPrefix(".") && !isPicture(file) && !used.contains(file) {
      skipped.append(Skipped(item: file, reason: other(file, path)))
    }
    return entries
  }

  /// Why something that is no picture is left out.
  private static func other(_ file: String, _ path: String) -> String {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: "\(path)/\(file)", isDirectory: &isFolder)
    if exists, isFolder.boolValue { return "a folder within the folder, which is not looked into" }
    if captionKinds.contains(kind(of: file)) { return "a caption without a picture of its name" }
    if file == "metadata.csv" { return "not read; metadata.jsonl is" }
    return "not a picture"
  }

  private static func kind(of file: String) -> String {
    (file as NSString).pathExtension.lowercased()
  }

  /// Endings of captions, the first before the second.
  private static let captionKinds = ["txt", "caption"]

  private static func tidied(_ text: String) -> String {
    // Editors of other systems begin a text with the mark of its byte order.
    text.split { $0.isWhitespace || $0 == "\u{FEFF}" }.joined(separator: " ")
  }

  /// The square in a picture's middle, over white, scaled.
  private static func square(_ picture: Picture, size: Int) throws -> [UInt8] {
    let square = try picture.filled(width: size, height: size)
    return (square.hasAlpha ? square.composited(over: .white) : square).bytes
  }
}
