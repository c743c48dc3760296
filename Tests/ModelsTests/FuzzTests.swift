import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Files of DALL·E mini as chance and malice leave them; see `Mutator`.
@Suite("Fuzzing DALL·E mini's files", .serialized)
struct DALLEFuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 100
  private static let first = environment["REVERIE_FUZZ_FIRST"].flatMap { Int($0) } ?? 0

  @Test(
    "damaged files are told, refused with a typed error, or built",
    arguments: [
      ["dalle-mini/flax_model.msgpack", "dalle-mini/config.json"],
      ["dalle-mini-scanned/flax_model.msgpack", "dalle-mini-scanned/config.json"],
      ["dalle-mini-scanned/config.json", "dalle-mini-scanned/flax_model.msgpack"],
      [
        "dalle-mini-sharded/flax_model-00002-of-00002.msgpack",
        "dalle-mini-sharded/flax_model-00001-of-00002.msgpack",
        "dalle-mini-sharded/flax_model.msgpack.index.json", "dalle-mini-sharded/config.json",
      ],
      ["min-dalle/encoder.pt", "min-dalle/decoder.pt"],
      ["min-dalle/decoder.pt", "min-dalle/encoder.pt"],
    ])
  func mutations(names: [String]) throws {
    let folder = try ScratchFolder.make("fuzz")
    defer { try? FileManager.default.removeItem(at: folder) }
    let urls = try names.map { try Fixtures.url($0) }
    let damaged = folder.appending(path: urls[0].lastPathComponent)
    for url in urls.dropFirst() {
      try FileManager.default.copyItem(
        at: url, to: folder.appending(path: url.lastPathComponent))
    }
    let isSharded = names[0].hasPrefix("dalle-mini-sharded")
    let original = [UInt8](try Data(contentsOf: urls[0]))
    var recognised = 0
    for number in Self.first..<Self.first + Self.count {
      var mutator = Mutator(number)
      try mutator.damage(original).write(to: damaged)
      do {
        let file: any TensorFile =
          names[0].hasPrefix("min-dalle")
          ? try JoinedFile(
            ["encoder", "decoder"].map { ($0, folder.appending(path: "\($0).pt")) })
          : try openTensors(
            at: folder.appending(path: "flax_model.msgpack" + (isSharded ? ".index.json" : "")))
        let found = try Recognition(of: file)
        if found.config != nil { recognised += 1 }
        if try found.fit()?.problem == nil {
          _ = try found.network(DALLEBart.self, nil, .float32, device: .cpu)
        }
      } catch is WeightsError {
      } catch is TorchError {
      }
    }
    // A fuzzer whose every file is refused at the door tests the door only.
    #expect(recognised * 50 > Self.count, "only \(recognised) files were recognised")
  }
}
