import Foundation
import Testing
import Torch

@testable import Weights

/// Damages files in the ways that chance and malice do.
///
/// Every mutation follows from its number, so that a failure can be repeated: set REVERIE_FUZZ_FIRST to
/// the number that the failure names and REVERIE_FUZZ to 1.
private struct Mutator {
  private var state: UInt64

  init(_ number: Int) { state = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15 }

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

  /// A length that a careless reader would believe.
  private mutating func length() -> UInt64 {
    let telling: [UInt64] = [
      0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40,
      UInt64(Int.max), UInt64(Int.max) + 1, .max - 7, .max,
    ]
    return telling[below(telling.count)]
  }

  mutating func damage(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    for _ in 0...below(2) {
      guard !bytes.isEmpty else { break }
      let at = below(bytes.count)
      switch below(9) {
      case 0: bytes[at] ^= 1 << UInt8(below(8))
      case 1: bytes[at] = UInt8(truncatingIfNeeded: next())
      case 2: bytes.removeLast(below(bytes.count))
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
      case 4:
        // A length field, of either byte order.
        let width = [1, 2, 4, 8][below(4)]
        var value = length()
        if below(2) == 0 { value = value.byteSwapped >> UInt64(64 - 8 * width) }
        for i in 0..<width where at + i < bytes.count {
          bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
        }
      case 5:
        // A piece twice: duplicate names, repeated opcodes.
        let piece = bytes[at..<min(bytes.count, at + 1 + below(200))]
        bytes.insert(contentsOf: piece, at: below(bytes.count))
      case 6:
        // Nesting.
        let opener: [UInt8] = [[0x28], [0x5D], [0x7D, 0x5B], [0x81, 0xA1, 0x61], [0x29, 0x85]][
          below(5)]
        bytes.insert(
          contentsOf: repeatElement(opener, count: 1 + below(3000)).joined(), at: at)
      case 7:
        // Another name, or a path.
        let names = ["..", "/etc/passwd", "data", "__metadata__", "\0", "storage", "é"]
        bytes.replaceSubrange(
          at..<min(bytes.count, at + below(8)), with: Array(names[below(names.count)].utf8))
      default:
        // A piece from elsewhere: offsets and numbers that are right in another place.
        let from = below(bytes.count)
        for i in 0..<min(8, bytes.count - max(at, from)) { bytes[at + i] = bytes[from + i] }
      }
    }
    return bytes
  }
}

/// Resident memory of this process in bytes.
private func residentMemory() -> Int {
  let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  let pages = status.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  return pages * Int(getpagesize())
}

@Suite("Fuzzing", .serialized)
struct FuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 1500
  private static let first = environment["REVERIE_FUZZ_FIRST"].flatMap { Int($0) } ?? 0

  @Test(
    "damaged files give a typed error or tensors within the file, soon and in little memory",
    arguments: [
      "tensors.safetensors", "zip.pt", "lightning.ckpt", "legacy.pt", "lightning-legacy.ckpt",
      "module.pkl", "module-legacy.pkl", "script.pt", "flax.msgpack", "flax-chunked.msgpack",
      "model.safetensors.index.json",
    ])
  func mutations(name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for part in ["part-1.safetensors", "part-2.bin"] {
      try FileManager.default.copyItem(
        at: Containers.url(part), to: folder.appending(path: part))
    }
    let original = [UInt8](try Data(contentsOf: Containers.url(name)))
    let url = folder.appending(path: "damaged")
    var opened = 0
    for number in Self.first..<Self.first + Self.count {
      var mutator = Mutator(number)
      let bytes = mutator.damage(original)
      try write(bytes, to: url.path)
      let memory = residentMemory()
      do {
        let file = try openTensors(at: url)
        opened += 1
        try readAll(file, atMost: 1 << 20)
      } catch is WeightsError {
      } catch is TorchError {
      }
      let grown = residentMemory() - memory
      #expect(grown < 64 << 20, "mutation \(number) of \(name) takes \(grown) bytes")
    }
    // A fuzzer whose every file is refused at the door tests the door only.
    #expect(opened * 50 > Self.count, "only \(opened) files opened")
  }

  /// Foundation's own writing waits for the disk, and so does ext4 when a file is cut and rewritten.
  private func write(_ bytes: [UInt8], to path: String) throws {
    unlink(path)
    let file = try #require(fopen(path, "wb"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }

  private func readAll(_ file: any TensorFile, atMost count: Int) throws {
    for name in file.names {
      guard let entry = file.entries[name], entry.count <= count else { continue }
      let tensor = try file.tensor(name)
      let sum = tensor.withBytes { $0.reduce(0) { $0 &+ Int($1) } }
      #expect(sum >= 0)
    }
  }

  @Test(
    "endless nesting, repetition and self-reference end in an error or in nothing",
    arguments: [
      // 100,000 lists in each other; a list that holds itself; a tuple that doubles 60 times.
      [UInt8](repeating: 0x5D, count: 100_000) + [UInt8](repeating: 0x61, count: 99_999) + [0x2E],
      [0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E],
      [0x29] + [UInt8](repeatElement([0x32, 0x86], count: 60).joined()) + [0x2E],
      [UInt8](repeating: 0x28, count: 200_000) + [0x2E],
    ])
  func endless(code: [UInt8]) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: url) }
    let version: [UInt8] = [0x80, 2, 0x4D, 0xE9, 3, 0x2E]
    let stream = TorchFile.magic + version + [0x80, 2, 0x7D, 0x2E] + code + [0x80, 2, 0x5D, 0x2E]
    try Data(stream).write(to: url)
    let start = ContinuousClock.now
    if let file = try? openTensors(at: url) { #expect(file.names.isEmpty) }
    #expect(ContinuousClock.now - start < .seconds(1))
  }
}
