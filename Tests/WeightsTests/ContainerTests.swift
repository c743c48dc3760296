import Foundation
import Testing
import Torch

@testable import Weights

/// Fixtures by Oracle/containers.py: the same tensors as torch, safetensors and flax write them.
enum Containers {
  static func url(_ name: String) -> URL {
    Bundle.module.bundleURL.appending(path: "Fixtures/containers/\(name)")
  }

  static func expected() throws -> SafeTensors {
    try SafeTensors(contentsOf: url("expected.safetensors"))
  }

  /// Shape, type and every value are the expected ones.
  static func expectEqual(
    _ tensor: Tensor, _ expected: Tensor, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(tensor.shape == expected.shape, "\(name)", sourceLocation: sourceLocation)
    #expect(tensor.dtype == expected.dtype, "\(name)", sourceLocation: sourceLocation)
    let same = tensor.withBytes { a in expected.withBytes { b in a.elementsEqual(b) } }
    #expect(same, "values of \(name)", sourceLocation: sourceLocation)
  }
}

@Suite("Containers")
struct ContainerTests {
  @Test(
    "every tensor of a dictionary is read to equal values",
    arguments: [
      ("zip.pt", Container.torch, ""), ("legacy.pt", .legacyTorch, ""),
      ("lightning.ckpt", .torch, "state_dict."),
      ("lightning-legacy.ckpt", .legacyTorch, "state_dict."),
      ("tensors.safetensors", .safetensors, ""),
    ])
  func dictionaries(name: String, container: Container, prefix: String) throws {
    let file = try openTensors(at: Containers.url(name))
    let expected = try Containers.expected()
    #expect(file.container == container)
    for name in expected.names where !name.hasPrefix("module.") && name != "chunked" {
      #expect(file.entries[prefix + name] == expected.entries[name])
      Containers.expectEqual(
        try file.tensor(prefix + name), try expected.tensor(name), name)
    }
    #expect(file.names.filter { $0.hasPrefix(prefix) }.count >= 18)
  }

  @Test(
    "a module's tensors have the names of its state dictionary",
    arguments: [
      ("module.pkl", Container.torch, ""), ("module-legacy.pkl", .legacyTorch, ""),
      ("script.pt", .torchScript, ""), ("parameters.pth", .torch, "model."),
    ])
  func modules(name: String, container: Container, prefix: String) throws {
    let file = try openTensors(at: Containers.url(name))
    let expected = try Containers.expected()
    #expect(file.container == container)
    let names = expected.names.filter { $0.hasPrefix("module.") }
    #expect(names.count == 11)
    for name in names {
      let key = prefix + name.dropFirst("module.".count)
      Containers.expectEqual(try file.tensor(key), try expected.tensor(name), key)
    }
    #expect(file.names.count == names.count + (prefix.isEmpty ? 0 : 1))
  }

  @Test("what stands beside the tensors is kept as text, and foreign classes are listed")
  func surroundings() throws {
    for name in ["lightning.ckpt", "lightning-legacy.ckpt"] {
      let file = try openTensors(at: Containers.url(name))
      #expect(file.metadata["epoch"] == "3")
      #expect(file.metadata["pytorch-lightning_version"] == "1.0.8")
      #expect(
        file.foreign.contains("pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"))
      #expect(file.foreign.contains("argparse.Namespace"))
      #expect(!file.foreign.contains { $0.hasPrefix("torch.") || $0.hasPrefix("collections.") })
    }
  }

  @Test("flax's arrays are read, whole and in chunks")
  func flax() throws {
    let file = try openTensors(at: Containers.url("flax.msgpack"))
    let expected = try Containers.expected()
    #expect(file.container == .flax)
    #expect(file.metadata["step"] == "5")
    let names = [
      "encoder.kernel": "float32", "encoder.half": "half", "bfloat16": "bfloat16",
      "int32": "int32", "empty": "empty", "deep.deeper.scalar": "scalar",
    ]
    #expect(Set(file.names) == Set(names.keys))
    for (theirs, ours) in names {
      Containers.expectEqual(try file.tensor(theirs), try expected.tensor(ours), theirs)
    }
    let chunked = try openTensors(at: Containers.url("flax-chunked.msgpack"))
    #expect(chunked.names == ["big.x"])
    Containers.expectEqual(
      try chunked.tensor("big.x"), try expected.tensor("chunked"), "chunked")
  }

  @Test("an index opens its parts, of either kind")
  func shards() throws {
    let file = try openTensors(at: Containers.url("model.safetensors.index.json"))
    let expected = try Containers.expected()
    #expect(file.container == .sharded)
    #expect(file.names == ["a", "b"])
    Containers.expectEqual(try file.tensor("a"), try expected.tensor("float32"), "a")
    Containers.expectEqual(try file.tensor("b"), try expected.tensor("half"), "b")
  }

  @Test("an index may name only what lies beside it")
  func strayShards() throws {
    try withTemporaryFolder { folder in
      for part in ["../x.safetensors", "/etc/passwd", "", "a/b", "..", "x.index.json"] {
        let url = folder.appending(path: "index.json")
        try Data(#"{"weight_map": {"a": "\#(part)"}}"#.utf8).write(to: url)
        let error = #expect(throws: WeightsError.self) { try openTensors(at: url) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("beside"))
      }
    }
  }

  @Test("what a hostile pickle would call is listed, and nothing happens")
  func hostile() throws {
    let mark = "/tmp/reverie-was-here"
    try? FileManager.default.removeItem(atPath: mark)
    let file = try openTensors(at: Containers.url("hostile.pt"))
    #expect(file.names.isEmpty)
    #expect(
      file.foreign.sorted()
        == ["__builtin__.__import__", "__builtin__.eval", "__builtin__.getattr", "posix.system"])
    #expect(!FileManager.default.fileExists(atPath: mark))
  }

  @Test("tensors that share a storage lie on the same mapped bytes")
  func sharing() throws {
    let file = try openTensors(at: Containers.url("zip.pt"))
    let tensor = try file.tensor("transposed")
    #expect(tensor.shape == [4, 6])
    #expect(try file.tensor("row").floats() == (0..<4).map { tensor.floats()[$0 * 6 + 2] })
  }

  @Test(
    "what is no checkpoint is named for what it is",
    arguments: [
      ("<!DOCTYPE html><html>", "web page"), ("version https://git-lfs.github.com/spec/v1", "LFS"),
      ("\u{1F}hello world, how are you", "container"), ("short", "5 bytes"),
    ])
  func strangers(text: String, words: String) throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "model.pt")
      try Data(text.utf8).write(to: url)
      let error = #expect(throws: WeightsError.self) { try openTensors(at: url) }
      #expect("\(error.map { "\($0)" } ?? "")".contains(words))
    }
  }

  private func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }
}
