import Foundation
import Imaging

/// A folder of pictures with captions, as a dataset.
///
/// Captions come from Hugging Face imagefolder's `metadata.jsonl` (one JSON object a line with
/// `file_name` and `text` or `caption`), or, without that file, from `name.txt` beside `name.png`,
/// `.jpg`, `.jpeg` or `.webp`. Pictures are cut to the square in their middle, laid over white and
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
      guard let data = FileManager.default.contents(atPath: metadata) else {
        throw CorpusError.unreadableFolder(path: path, reason: "metadata.jsonl cannot be read")
      }
      return listed(data, &skipped)
    }
    let files: [String]
    do {
      files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw CorpusError.unreadableFolder(path: path, reason: error.localizedDescription)
    }
    return paired(files, path, &skipped)
  }

  /// The lines of a `metadata.jsonl`.
  private static func listed(_ data: Data, _ skipped: inout [Skipped]) -> [Entry] {
    var entries: [Entry] = []
    for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
      guard line.contains(where: { $0 > 32 }) else { continue }
      let item = "metadata.jsonl, entry \(index + 1)"
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
      guard !file.hasPrefix("/"), !file.split(separator: "/").contains("..") else {
        skipped.append(Skipped(item: file, reason: "file_name leaves the folder"))
        continue
      }
      let caption = ((row["text"] ?? row["caption"]) as? String).map(tidied) ?? ""
      guard !caption.isEmpty else {
        skipped.append(Skipped(item: file, reason: "no text and no caption in metadata.jsonl"))
        continue
      }
      entries.append((file, caption))
    }
    return entries
  }

  /// Pictures with a text file of the same name.
  private static func paired(
    _ files: [String], _ path: String, _ skipped: inout [Skipped]
  ) -> [Entry] {
    let kinds: Set<String> = ["png", "jpg", "jpeg", "webp"]
    var entries: [Entry] = []
    for file in files where !file.hasPrefix(".") {
      let name = file as NSString
      let kind = name.pathExtension.lowercased()
      guard kinds.contains(kind) else {
        if kind != "txt" { skipped.append(Skipped(item: file, reason: "not a picture")) }
        continue
      }
      let text = name.deletingPathExtension + ".txt"
      guard let data = FileManager.default.contents(atPath: "\(path)/\(text)") else {
        skipped.append(Skipped(item: file, reason: "no caption: \(text) is missing"))
        continue
      }
      guard let caption = String(data: data, encoding: .utf8).map(tidied), !caption.isEmpty else {
        skipped.append(Skipped(item: file, reason: "\(text) is empty or not UTF-8"))
        continue
      }
      entries.append((file, caption))
    }
    return entries
  }

  private static func tidied(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// The square in a picture's middle, over white, scaled.
  private static func square(_ picture: Picture, size: Int) throws -> [UInt8] {
    let square = try picture.filled(width: size, height: size)
    return (square.hasAlpha ? square.composited(over: .white) : square).bytes
  }
}
