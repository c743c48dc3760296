import Foundation
import TestSupport
import Testing
import Torch

@testable import Weights

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
