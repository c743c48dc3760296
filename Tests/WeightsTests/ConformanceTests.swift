import Foundation
import TestSupport
import Testing
import Torch

@testable import Weights

/// Checkpoints of strangers against what torch, safetensors and msgpack read of them.
@Suite("Files of others", .enabled(if: Conformance.isThere, Conformance.absent))
struct ConformanceTests {
  private struct File: Decodable {
    struct Tensor: Decodable {
      let dtype: String
      let shape: [Int]
      let sum: Double?
    }
    let tensors: [String: Tensor]?
    let error: String?
  }

  private static func files() -> [String] {
    ((try? Conformance.decode([String: File].self, "expected.json")) ?? [:]).keys.sorted()
  }

  private static let expected = Result {
    try Conformance.decode([String: File].self, "expected.json")
  }

  @Test(
    "names, types, shapes and sums are those that the makers' libraries read", arguments: files())
  func tensors(path: String) throws {
    let expected = try #require(try Self.expected.get()[path])
    guard let tensors = expected.tensors, expected.error == nil else {
      #expect(throws: WeightsError.self) { try openTensors(at: Conformance.url(path)) }
      return
    }
    let file = try openTensors(at: Conformance.url(path))
    // A script's attributes that are tensors are no part of its state dictionary.
    let names = file.names.filter { file.container != .torchScript || tensors[$0] != nil }
    #expect(Set(names) == Set(tensors.keys))
    for (name, told) in tensors {
      let entry = try #require(file.entries[name], "\(name)")
      #expect(entry.dtype.description == told.dtype, "\(name)")
      #expect(entry.shape == told.shape, "\(name)")
      guard let sum = told.sum, entry.count > 0 else { continue }
      let found = try file.tensor(name).to(.float64)
      guard found.sum().item().isFinite else { continue }
      let size = found.abs().sum().item()
      #expect(abs(found.sum().item() - sum) <= 1e-9 * max(1, size), "\(name)")
    }
  }

  @Test("the list of files is there, and every one of them")
  func whole() throws {
    #expect(try Self.expected.get().count > 100)
  }

  @Test("nothing hostile is run, and nothing traps")
  func hostile() throws {
    let folder = try Conformance.url("hostile")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count > 40)
    for name in names {
      do {
        let file = try openTensors(at: folder.appending(path: name))
        for tensor in file.names { _ = try file.tensor(tensor) }
      } catch is WeightsError {
      }
    }
  }
}
