import Foundation
import Testing
import Torch
import Weights

/// Files that the tests read.
enum Fixtures {
  /// A file of `Fixtures/`, made by a script of `Oracle/`.
  static func url(_ name: String) throws -> URL {
    try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/\(name)")
  }

  /// The folder `.oracle` at the root of the checkout, git-ignored, where the oracle scripts put
  /// what is too large to commit.
  static let oracle = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".oracle")

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Calls `body` with the path of a file in a folder of its own, which is removed afterwards.
  static func withTemporaryFile<Result>(
    _ name: String, _ body: (URL) throws -> Result
  ) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("reverie-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appendingPathComponent(name))
  }
}

/// Parameters that depend on nothing but their keys, the same as `weight` of `Oracle/common.py`.
enum SyntheticWeights {
  /// SplitMix64 (Steele et al. 2014) counted from FNV-1a of the key.
  static func tensor(_ key: String, _ shape: [Int]) -> Tensor {
    var seed: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let fanIn = Double(shape.dropFirst().reduce(1, *))
    let values = (1...UInt64(max(1, shape.reduce(1, *)))).map { index in
      var z = seed &+ index &* 0x9E37_79B9_7F4A_7C15
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      z ^= z >> 31
      let u = Double(z >> 40) / 8_388_608 - 1
      if shape.count > 1 { return Float(u * (3 / fanIn).squareRoot()) }
      let isGain = key.hasSuffix("weight") || key.hasSuffix("running_var")
      return Float(isGain ? 1 + 0.2 * u : 0.1 * u)
    }
    return Tensor(values, shape)
  }
}

/// Notes what a model asks for, to learn its keys and shapes.
final class Recorder: ParameterSource {
  private(set) var shapes: [String: [Int]] = [:]

  func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
    shapes[path] = shape
    return SyntheticWeights.tensor(path, shape)
  }
}
