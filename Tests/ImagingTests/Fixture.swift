import Foundation
import Imaging
import Testing

/// The JSON files that Oracle/imaging.py writes.
enum Fixture {
  /// A file of an odd kind and the pixels that Pillow (or the script itself) says it holds.
  struct Coded: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var width, height, channels, tolerance: Int
    var file, bytes: Data
    var testDescription: String { name }
  }

  struct Resampling: Decodable, Sendable {
    var width, height: Int
    var rgb, rgba: Data
    var cases: [Resampled]
  }

  struct Resampled: Decodable, Sendable, CustomTestStringConvertible {
    var filter: String
    var width, height, channels: Int
    var bytes: Data
    var testDescription: String { "\(filter) to \(width) x \(height) x \(channels)" }
  }

  struct Texts: Decodable, Sendable {
    var file: Data
    var texts: [[String]]
  }

  /// A file with an EXIF block.
  struct EXIF: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var width, height: Int
    var comments: [String]
    var file: Data
    var testDescription: String { name }
  }

  static func exif() -> [EXIF] { (try? load([EXIF].self, "exif")) ?? [] }

  static func load<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    let folder = try #require(Bundle.module.resourceURL)
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/\(name).json"))
    return try JSONDecoder().decode(type, from: data)
  }

  static func coded(_ prefix: String = "") -> [Coded] {
    ((try? load([Coded].self, "pictures")) ?? []).filter { $0.name.hasPrefix(prefix) }
  }
}

/// The largest difference of two byte sequences of one length; nil when the lengths differ.
func largestDifference(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Int? {
  guard a.count == b.count else { return nil }
  return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

/// A picture of smooth colours, with alpha when `channels` is 4.
func gradient(_ width: Int, _ height: Int, channels: Int) throws -> Picture {
  var bytes: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      let pixel = [x * 255 / width, y * 255 / height, 128, 255 * (x + y) / (width + height)]
      bytes += pixel.prefix(channels).map(UInt8.init)
    }
  }
  return try Picture(width: width, height: height, channels: channels, bytes: bytes)
}

/// Runs `body` with the path of a new empty folder, removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// The names in a folder, hidden ones included.
func names(in folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

/// `withFolder` for what waits.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder.path)
}
