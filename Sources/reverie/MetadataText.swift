import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// What a picture's file tells, as a text that somebody copied out of it.
struct MetadataText {
  /// What such a text holds.
  enum Content {
    /// What Reverie wrote: enough to paint the same picture.
    case metadata(Metadata)
    /// What is asked for, and no more.
    case request(Request)
    /// What another program's settings ask for.
    case settings(ForeignSettings)
  }

  private static let mostBytes = 4 << 20

  private let text: String
  private let title: String

  /// Reads a text, or standard input where the path is `-`; nil where the file is no text.
  init?(_ path: String) throws {
    title = path == "-" ? "standard input" : path
    let data: Data?
    if path == "-" {
      data = try FileHandle.standardInput.read(upToCount: Self.mostBytes + 1)
    } else {
      guard VideoFormat(rawValue: URL(filePath: path).pathExtension.lowercased()) == nil,
        (try? PictureFormat(extensionOf: path)) == nil
      else { return nil }
      try FileError.check(path)
      data = try FileHandle(forReadingFrom: URL(filePath: path)).read(
        upToCount: Self.mostBytes + 1)
    }
    let bytes = data ?? Data()
    guard bytes.count <= Self.mostBytes, !bytes.contains(0),
      let text = String(data: bytes, encoding: .utf8)
    else {
      guard path == "-" else { return nil }
      throw ValidationError("\(title) is no text of metadata.")
    }
    self.text = text.trimmingCharacters(in: .whitespacesAndNewlines.union(["\u{FEFF}"]))
  }

  /// What it holds.
  /// - Throws: `RequestError` where that is nothing that can be painted.
  func content() throws -> Content {
    guard !text.isEmpty else { throw RequestError.notARequest("\(title) is empty") }
    guard text.hasPrefix("{") else {
      guard let request = Infotext(text)?.request() else {
        throw RequestError.notARequest(
          "\(title) holds neither JSON nor a line as 'Steps: 20, Seed: 42, Size: 512x512'")
      }
      return .request(request)
    }
    if let settings = ForeignSettings(disco: text) { return .settings(settings) }
    // Also as `--json` prints it, beside the path.
    struct Line: Decodable { let metadata: JSONValue }
    struct Form: Decodable { let program: String }
    let data = Data(text.utf8)
    let inner = try (try? JSONDecoder().decode(Line.self, from: data)).map {
      try JSONEncoder().encode($0.metadata)
    }
    if (try? JSONDecoder().decode(Form.self, from: inner ?? data)) != nil {
      return .metadata(try Metadata(json: String(decoding: inner ?? data, as: UTF8.self)))
    }
    return .request(try Request(json: data))
  }
}
