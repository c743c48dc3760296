import Foundation
import Testing
import Torch

@testable import Weights

@Suite("SafeTensors")
struct SafeTensorsTests {
  @Test("What is written reads back: every type, empty and scalar shapes, metadata, odd names")
  func roundTrip() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("a.safetensors")
      var tensors: [String: Tensor] = [
        "scalar": Tensor(2.5), "empty": Tensor.zeros([0, 3]), "quote\"\\\n\u{1}": Tensor.ones([1]),
        "transposed": Tensor([1, 2, 3, 4, 5, 6] as [Float], [2, 3]).transposed(),
        "東京": Tensor([1, 2, 3], [3]),
      ]
      for dtype in DType.allCases { tensors["type.\(dtype)"] = Tensor([0, 1, 1], [3]).to(dtype) }
      let metadata = ["format": "pt", "note\n": "\"é\" \\ \u{7}"]
      try SafeTensors.write(tensors, metadata: metadata, to: url)
      let file = try SafeTensors(contentsOf: url)
      #expect(file.metadata == metadata)
      #expect(Set(file.names) == Set(tensors.keys))
      for (name, tensor) in tensors {
        let read = try file.tensor(name)
        #expect(read.shape == tensor.shape)
        #expect(read.dtype == tensor.dtype)
        #expect(read.floats() == tensor.floats())
      }
      #expect(throws: WeightsError.missing(path: url.path, name: "other")) {
        try file.tensor("other")
      }
    }
  }

  @Test("Equal contents give equal bytes, aligned, and nothing temporary is left")
  func deterministic() throws {
    try withFolder { folder in
      let names = (0..<40).map { "tensor.\($0)" }
      let tensors = names.enumerated().map { index, name in
        (name, Tensor.ones([index + 1], index % 2 == 0 ? .uint8 : .float32))
      }
      let urls = ["a", "b"].map { folder.appendingPathComponent($0) }
      try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: urls[0])
      try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors.reversed()), to: urls[1])
      try SafeTensors.write(Dictionary(uniqueKeysWithValues: tensors), to: urls[1])
      #expect(try Data(contentsOf: urls[0]) == Data(contentsOf: urls[1]))
      #expect(try Checksum.sha256(of: urls[0]) == Checksum.sha256(of: urls[1]))
      let file = try SafeTensors(contentsOf: urls[0])
      for (name, range) in file.ranges {
        #expect(range.lowerBound % file.entries[name]!.dtype.size == 0)
      }
      #expect(file.ranges.values.map(\.lowerBound).min().map { $0 % 8 } == 0)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a", "b"])
    }
  }

  @Test("A tensor outlives the file object and the file's name")
  func lifetime() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("a.safetensors")
      try SafeTensors.write(["x": Tensor.full([1000], 3)], to: url)
      let tensor = try SafeTensors(contentsOf: url).tensor("x")
      try SafeTensors.write(["x": Tensor.full([1000], 4)], to: url)
      try FileManager.default.removeItem(at: url)
      #expect(tensor.sum().item() == 3000)
    }
  }

  @Test("Data that lies askew is copied")
  func misaligned() throws {
    try withFile(
      header:
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#,
      data: [7, 0, 0, 0x80, 0x3F]
    ) { url in
      let file = try SafeTensors(contentsOf: url)
      #expect(try file.tensor("a").ints() == [7])
      #expect(try file.tensor("b").floats() == [1])
    }
  }

  @Test(
    "A hostile header is refused with file, tensor and reason",
    arguments: [
      ("[]", "not a JSON object"),
      ("{", "at byte 1"),
      ("", "ends too early"),
      (#"{"a":1}"#, "'a' is not a JSON object"),
      (
        #"{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#,
        "too large for any file"
      ),
      (#"{"__metadata__":[]}"#, "__metadata__"),
      (#"{"__metadata__":{"a":1}}"#, "not a string"),
      (
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        "duplicate key 'a'"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}"#,
        "duplicate key 'shape'"
      ),
      (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, "no dtype"),
      (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, "no shape"),
      (#"{"a":{"dtype":"F32","shape":[1]}}"#, "no data_offsets"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, "data_offsets"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "data_offsets"),
      (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "bad shape"),
      (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, "not an integer"),
      (#"{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}"#, "unexpected character"),
      (#"{"a":{"dtype":"F32","shape":[1e9],"data_offsets":[0,4]}}"#, "not an integer"),
      (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, "too large"),
      (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, "too large"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "needs 8 bytes"),
      (
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        "'b' overlaps"
      ),
      (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}"#, "'a' leaves a gap"),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "1 bytes at its end"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "truncated"),
      (
        #"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#,
        "beyond any file"
      ),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":0}}"#, "bad field 'x'"),
      (String(repeating: "[", count: 100_000), "nesting"),
      (#"{"\ud800\u0041":1}"#, "surrogate"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x"#, "unexpected text"),
    ])
  func hostile(header: String, reason: String) throws {
    try withFile(header: header, data: [0, 0, 0, 0]) { url in
      let error = #expect(throws: WeightsError.self) { try SafeTensors(contentsOf: url) }
      let text = error?.description ?? ""
      #expect(text.contains(reason), "\(text)")
      #expect(text.contains(url.path))
    }
  }

  @Test("A header that claims 10 GB, a short file and an empty one are refused")
  func sizes() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("a.safetensors")
      for (bytes, reason) in [
        ([0, 0xE4, 0x0B, 0x54, 2, 0, 0, 0, 0x7B], "claims a header of 10000000000 bytes"),
        ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "claims a header"),
        ([100, 0, 0, 0, 0, 0, 0, 0, 0x7B], "truncated"), ([1, 2, 3], "truncated"),
        ([], "truncated"),
      ] as [([UInt8], String)] {
        try Data(bytes).write(to: url)
        let error = #expect(throws: WeightsError.self) { try SafeTensors(contentsOf: url) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
      }
      #expect(throws: WeightsError.self) { try SafeTensors(contentsOf: folder) }
      #expect(throws: WeightsError.self) {
        try SafeTensors(contentsOf: folder.appendingPathComponent("none"))
      }
    }
  }

  @Test("Every truncation of a good file is refused, and no flipped header bit traps")
  func damage() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("a.safetensors")
      try SafeTensors.write(
        ["a": Tensor.ones([2, 3]), "b": Tensor.ones([5], .float16)], metadata: ["k": "v"], to: url)
      let good = try Data(contentsOf: url)
      let bad = folder.appendingPathComponent("b.safetensors")
      for length in 0..<good.count {
        try good.prefix(length).write(to: bad)
        #expect(throws: WeightsError.self) { try SafeTensors(contentsOf: bad) }
      }
      for bit in 0..<(good.count - 34) * 8 {
        var flipped = good
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        try flipped.write(to: bad)
        guard let file = try? SafeTensors(contentsOf: bad) else { continue }
        for name in file.names { _ = try file.tensor(name).floats() }
      }
    }
  }

  @Test("Writing where one cannot write says so and leaves nothing")
  func unwritable() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("no/such/folder/a.safetensors")
      #expect(throws: WeightsError.self) { try SafeTensors.write(["a": Tensor.ones([1])], to: url) }
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("taken"), withIntermediateDirectories: false)
      #expect(throws: WeightsError.self) {
        try SafeTensors.write(
          ["a": Tensor.ones([1])], to: folder.appendingPathComponent("taken"))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken"])
    }
  }

  @Test("SHA-256 is that of FIPS 180, and a wrong one names the file and both sums")
  func checksum() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("abc")
      try Data("abc".utf8).write(to: url)
      let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
      #expect(try Checksum.sha256(of: url) == sum)
      #expect(Checksum.sha256(of: "abc") == sum)
      #expect(Checksum.sha256(of: Data("abc".utf8)) == sum)
      try Checksum.verify(url, sha256: sum.uppercased())
      try Data("abd".utf8).write(to: url)
      let error = #expect(throws: WeightsError.self) { try Checksum.verify(url, sha256: sum) }
      #expect(error?.description.contains(sum) == true)
      #expect(error?.description.contains(url.path) == true)
    }
  }
}

/// Calls `body` with a new folder, which is removed afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("reverie-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// Calls `body` with a file of this header and data.
func withFile(header: String, data: [UInt8], _ body: (URL) throws -> Void) throws {
  try withFolder { folder in
    let url = folder.appendingPathComponent("hand made.safetensors")
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
    bytes += Array(header.utf8) + data
    try Data(bytes).write(to: url)
    try body(url)
  }
}
