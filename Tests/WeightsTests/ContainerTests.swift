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

  @Test("plain pickles of Python 2's protocols are read as data")
  func plainPickles() throws {
    // pickle.dumps({"cat": [1, 2.5, True, None], "dog": (3,)}, 0)
    let text = "(dp0\nVcat\np1\n(lp2\nI1\naF2.5\naI01\naNasVdog\np3\n(I3\ntp4\ns."
    let old = try Array(text.utf8).withUnsafeBytes { try Unpickler.read($0) }
    let pairs = try #require(old.pairs(old.root))
    #expect(pairs.map(\.key) == [.string("cat"), .string("dog")])
    #expect(old.sequence(pairs[0].value) == [.integer(1), .float(2.5), .bool(true), .none])
    #expect(old.sequence(pairs[1].value) == [.integer(3)])
    // pickle.dumps({"cat": [1, 2**70, "x"]}, 2)
    let bytes: [UInt8] =
      [0x80, 2, 0x7D, 0x71, 0, 0x58, 3, 0, 0, 0, 0x63, 0x61, 0x74, 0x71, 1, 0x5D, 0x71, 2, 0x28]
      + [0x4B, 1, 0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x58, 1, 0, 0, 0, 0x78, 0x71, 3, 0x65]
      + [0x73, 0x2E]
    let new = try bytes.withUnsafeBytes { try Unpickler.read($0) }
    let values = try #require(new.pairs(new.root)?.first.flatMap { new.sequence($0.value) })
    #expect(values[0] == .integer(1) && values[2] == .string("x"))
    guard case .bytes(let long) = new.node(values[1]) else {
      Issue.record("\(values[1])")
      return
    }
    #expect(long == [0, 0, 0, 0, 0, 0, 0, 0, 0x40])
  }

  @Test(
    "a part of a tensor reads as in the whole",
    arguments: [
      "zip.pt", "tensors.safetensors", "flax.msgpack", "model.safetensors.index.json",
    ])
  func parts(name: String) throws {
    let file = try openTensors(at: Containers.url(name))
    let keys = file.names.filter { file.entries[$0]?.shape.first ?? 0 > 0 }
    #expect(!keys.isEmpty)
    for key in keys {
      let whole = try file.tensor(key)
      for index in [0, whole.size(0) - 1] {
        let part = try file.tensor(key, at: index)
        #expect(part.shape == Array(whole.shape.dropFirst()) && part.dtype == whole.dtype)
        let same = part.withBytes { part in
          whole.select(0, index).withBytes { part.elementsEqual($0) }
        }
        #expect(same, "\(key) \(index)")
      }
    }
  }

  @Test("a tensor whose memory was given back reads the same again")
  func forgetting() throws {
    for name in ["zip.pt", "tensors.safetensors", "legacy.pt"] {
      let file = try openTensors(at: Containers.url(name))
      for key in file.names {
        let before = try file.tensor(key)
        let values = before.withBytes { Array($0) }
        file.forget(key)
        #expect(before.withBytes { Array($0) } == values)
        #expect(try file.tensor(key).withBytes { Array($0) } == values)
      }
    }
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
