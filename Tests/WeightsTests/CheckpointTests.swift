import Foundation
import Synchronization
import Testing
import Torch

@testable import Weights

@Suite("Checkpoint")
struct CheckpointTests {
  private struct Model {
    let fc: Linear
    let norm: LayerNorm
    let scale: Tensor

    init(_ p: Parameters) {
      fc = Linear(p / "fc", 2, 3)
      norm = LayerNorm(p / "norm", 3)
      scale = p("scale", [], .ones, .precise)
    }
  }

  private let weights: [String: Tensor] = [
    "fc.weight": Tensor([1, 2, 3, 4, 5, 6] as [Float], [3, 2]).to(.float16),
    "fc.bias": Tensor.zeros([3], .float16), "norm.weight": Tensor.ones([3], .float16),
    "norm.bias": Tensor.zeros([3], .float16), "scale": Tensor(4).to(.float16),
  ]

  private func checkpoint(
    _ tensors: [String: Tensor], layouts: [KeyRules] = [], prefix: String = "",
    _ body: (Checkpoint) throws -> Void
  ) throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try SafeTensors.write(tensors, to: url)
      try body(Checkpoint(contentsOf: url, layouts: layouts, prefix: prefix))
    }
  }

  private struct Wide {
    let fc: Linear
    init(_ p: Parameters) { fc = Linear(p / "fc", 80, 64) }
  }

  @Test("Weights in eight bits come back to within half a step, and are no more than they were")
  func eightBits() throws {
    let stream = RandomStream(seed: 1, "rows")
    // Rows of very different size: one scale for all would lose the small ones.
    let gains = Tensor((0..<64).map { Float(pow(10, Double($0 % 5) - 3)) }, [64, 1])
    let weight = stream.normal([64, 80]) * gains
    let whole = ["fc.weight": weight, "fc.bias": stream.normal([64])]
    let (tensors, metadata) = EightBits.packed(whole)
    #expect(tensors["fc.weight"]?.dtype == .int8 && tensors["fc.bias"]?.dtype == .float16)
    try withFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try SafeTensors.write(tensors, metadata: metadata, to: url)
      let checkpoint = try Checkpoint(contentsOf: url)
      #expect(checkpoint.keys == ["fc.bias", "fc.weight"])
      let wide = try checkpoint.build { Wide($0) }
      let steps = weight.abs().amax(over: [1], keepDims: true) / 127
      #expect(((wide.fc.weight - weight).abs() / steps).amax().item() <= 0.501)
      // Packed once more nothing changes.
      let again = EightBits.packed(["fc.weight": wide.fc.weight]).tensors
      #expect(again["fc.weight"]?.ints() == tensors["fc.weight"]?.ints())

      var broken = tensors
      broken["fc.weight.scale"] = Tensor.ones([3])
      try SafeTensors.write(broken, metadata: metadata, to: url)
      #expect(throws: WeightsError.self) { try Checkpoint(contentsOf: url).build { Wide($0) } }
      // Without the mark, whole numbers are no weights of anybody's, and the scales a stray key.
      try SafeTensors.write(tensors, to: url)
      #expect(throws: WeightsError.self) { try Checkpoint(contentsOf: url).build { Wide($0) } }
    }
  }

  @Test("Weights take the compute type, precise parameters are float32")
  func casting() throws {
    try checkpoint(weights) { checkpoint in
      var seen: [String: DType] = [:]
      _ = try checkpoint.build(.bfloat16) { p in
        seen["weight"] = p("fc.weight", [3, 2]).dtype
        seen["bias"] = p("fc.bias", [3]).dtype
        seen["gain"] = p("norm.weight", [3], .ones, .precise).dtype
        return Model(p)
      }
      #expect(seen == ["weight": .bfloat16, "bias": .bfloat16, "gain": .float32])
      let model = try checkpoint.build { Model($0) }
      #expect(model.fc(Tensor([1, 1] as [Float], [1, 2])).floats() == [3, 7, 11])
      #expect(model.scale.item() == 4)
    }
  }

  @Test("One error lists every missing, mis-shaped and unused key, and the file")
  func mismatch() throws {
    var damaged = weights
    damaged["fc.bias"] = nil
    damaged["fc.weight"] = Tensor.zeros([3, 4])
    for index in 0..<12 { damaged["norm.extra\(index)"] = Tensor(1) }
    try checkpoint(damaged) { checkpoint in
      let error = #expect(throws: WeightsError.self) { try checkpoint.build { Model($0) } }
      let text = error?.description ?? ""
      for part in [
        "model.safetensors", "14 keys do not fit", "1 missing", "fc.bias [3]", "1 of another shape",
        "fc.weight: file [3, 4], model [3, 2]", "12 unused", "norm.extra0", "… and 2 more",
      ] {
        #expect(text.contains(part), "\(part) is not in:\n\(text)")
      }
    }
  }

  @Test("Leftovers are allowed by name or by beginning, no others")
  func leftovers() throws {
    var more = weights
    more["fc.loss.a"] = Tensor(1)
    more["fc.loss.b.c"] = Tensor(1)
    more["norm.step"] = Tensor(1)
    try checkpoint(more) { checkpoint in
      _ = try checkpoint.build(leftovers: ["fc.loss.", "norm.step"]) { Model($0) }
      #expect(throws: WeightsError.self) {
        try checkpoint.build(leftovers: ["fc.loss."]) { Model($0) }
      }
    }
  }

  @Test("What stands in no module of the model, is empty or counts something, is passed over")
  func besides() throws {
    var more = weights
    for name in ["extra.scale", "model_ema.fcweight", "epoch"] { more[name] = Tensor(1) }
    more["fc.nothing"] = Tensor.zeros([0, 4])
    more["norm.num_batches_tracked"] = Tensor.zeros([], .int64)
    try checkpoint(more) { checkpoint in
      _ = try checkpoint.build { Model($0) }
      let fit = try checkpoint.fit { Model($0) }
      #expect(fit.problem == nil)
      #expect(fit.besides.count == 5 && fit.besides.contains("extra.scale"))
    }
  }

  @Test("Weights that are not numbers, or whole numbers, are refused by name")
  func notNumbers() throws {
    for value in [Float.nan, .infinity] {
      var damaged = weights
      damaged["fc.weight"] = Tensor([1, 2, value, 4, 5, 6], [3, 2])
      try checkpoint(damaged) { checkpoint in
        let error = #expect(throws: WeightsError.self) { try checkpoint.build { Model($0) } }
        #expect(error?.description.contains("'fc.weight'") == true)
      }
    }
    var whole = weights
    whole["fc.weight"] = Tensor.zeros([3, 2], .int64)
    try checkpoint(whole) { checkpoint in
      let fit = try checkpoint.fit { Model($0) }
      #expect(fit.problem?.contains("int64") == true)
    }
  }

  @Test("Below a prefix only its keys count")
  func prefixes() throws {
    var prefixed = ["other": Tensor(1)]
    for (name, tensor) in weights { prefixed["first_stage_model.\(name)"] = tensor }
    try checkpoint(prefixed, prefix: "first_stage_model.") { checkpoint in
      #expect(checkpoint.keys == weights.keys.sorted())
      let model = try checkpoint.build { Model($0) }
      #expect(model.scale.item() == 4)
    }
  }

  @Test("Rows of parts that are joined take turns, and parts that cannot are missing")
  func turns() throws {
    let rules = KeyRules(
      name: "heads", mark: "q",
      rules: ["q", "k", "v"].enumerated().map { .init($1, "qkv", .part($0, of: 3, rows: 2)) })
    func parts(_ heights: [Int]) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: zip(["q", "k", "v"], heights).enumerated().map { index, part in
          (part.0, Tensor((0..<part.1).map { Float(10 * index + $0) }, [part.1, 1]))
        })
    }
    try checkpoint(parts([4, 4, 4]), layouts: [rules]) { checkpoint in
      try checkpoint.build { p in
        #expect(
          p("qkv", [12, 1]).floats() == [0, 1, 10, 11, 20, 21, 2, 3, 12, 13, 22, 23])
      }
    }
    for heights in [[6, 4, 2], [3, 3, 3], [4, 4, 2]] {
      try checkpoint(parts(heights), layouts: [rules]) { checkpoint in
        #expect(checkpoint.shape("qkv") == nil)
      }
    }
  }

  @Test("Rules take flax's kernels and the layers of a scan apart")
  func flaxRules() throws {
    let rules = KeyRules(
      name: "flax", mark: "layers.Blocks.dense.kernel",
      rules: [
        .init("layers.Blocks.dense.kernel", "layers.*.fc.weight", .kernel, stacked: true),
        .init("layers.Blocks.dense.bias", "layers.*.fc.bias", stacked: true),
        .init("down_*.conv.kernel", "down.*.conv.weight", .kernel),
      ])
    let numbers = { (count: Int) in (0..<count).map(Float.init) }
    let foreign = [
      "layers.Blocks.dense.kernel": Tensor(numbers(12), [2, 2, 3]),
      "layers.Blocks.dense.bias": Tensor(numbers(6), [2, 3]),
      "down_10.conv.kernel": Tensor(numbers(12), [1, 2, 2, 3]),
    ]
    try checkpoint(foreign, layouts: [rules]) { checkpoint in
      #expect(
        checkpoint.shapes == [
          "layers.0.fc.weight": [3, 2], "layers.1.fc.weight": [3, 2], "layers.0.fc.bias": [3],
          "layers.1.fc.bias": [3], "down.10.conv.weight": [3, 2, 1, 2],
        ])
      for type in [DType.float32, .float64] {
        try checkpoint.build(type) { p in
          #expect(p("layers.1.fc.weight", [3, 2]).floats() == [6, 9, 7, 10, 8, 11])
          #expect(p("layers.1.fc.bias", [3]).floats() == [3, 4, 5])
          #expect(
            p("down.10.conv.weight", [3, 2, 1, 2]).floats() == [
              0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11,
            ])
          for name in ["weight", "bias"] {
            _ = p("layers.0.fc.\(name)", name == "bias" ? [3] : [3, 2])
          }
        }
      }
    }
    // A tensor that is no stack has no layers.
    let flat = ["layers.Blocks.dense.kernel": Tensor(1)]
    try checkpoint(flat, layouts: [rules]) { #expect($0.keys.isEmpty) }
  }

  @Test(
    "Rules rename, join, transpose and reshape, reading each tensor once; what is lacking is missing"
  )
  func rules() throws {
    let rules = KeyRules(
      name: "foreign", mark: "linear.q.weight",
      rules: [
        .init("linear.q.*", "fc.*", .part(0, of: 2)), .init("linear.k.*", "fc.*", .part(1, of: 2)),
        .init("gains.*.weight", "norm.weight"), .init("gains.*.bias", "norm.bias", .rank(1)),
        .init("scale.value", "scale", .rank(0)), .init("matrix", "turned", .transpose),
      ], ignored: ["position_ids"])
    var foreign: [String: Tensor] = [
      "linear.q.weight": Tensor([1, 2] as [Float], [1, 2]),
      "linear.k.weight": Tensor([3, 4, 5, 6] as [Float], [2, 2]),
      "linear.q.bias": Tensor.zeros([1]), "linear.k.bias": Tensor.zeros([2]),
      "gains.0.weight": Tensor.ones([3]), "gains.0.bias": Tensor.zeros([3, 1, 1]),
      "scale.value": Tensor([4] as [Float]), "position_ids": Tensor([0], [1]),
      "matrix": Tensor([1, 2] as [Float], [1, 2]),
    ]
    try checkpoint(foreign, layouts: [rules]) { checkpoint in
      let counting = CountingFile(checkpoint.file)
      let model = try Checkpoint(counting, layouts: [rules]).build { p in
        #expect(p("turned", [2, 1]).floats() == [1, 2])
        return Model(p)
      }
      #expect(model.fc(Tensor([1, 1] as [Float], [1, 2])).floats() == [3, 7, 11])
      #expect(model.scale.item() == 4)
      #expect(counting.reads.allSatisfy { $0.value == 1 })
      #expect(Set(counting.reads.keys) == Set(foreign.keys).subtracting(["position_ids"]))
    }
    // A key of the model's own modules that it does not ask for is another model's, rearranged or not.
    try checkpoint(foreign, layouts: [rules]) { checkpoint in
      let fit = try checkpoint.fit { p in _ = p("turned.other", [1]) }
      #expect(fit.problem?.contains("turned") == true)
    }
    foreign["linear.k.weight"] = nil
    foreign["linear.k.bias"] = Tensor.zeros([7])
    foreign["scale.value"] = Tensor.zeros([2])
    try checkpoint(foreign, layouts: [rules]) { checkpoint in
      let error = #expect(throws: WeightsError.self) {
        try checkpoint.build { p in (Model(p), p("turned", [2, 2])) }
      }
      let text = error?.description ?? ""
      for part in [
        "missing:\n    fc.weight", "fc.bias: file [8]", "scale: file [2]", "turned: file [2, 1]",
        "'foreign'",
      ] {
        #expect(text.contains(part), "\(part) is not in:\n\(text)")
      }
    }
  }
}

/// A file that counts how often each of its tensors is read.
private final class CountingFile: TensorFile {
  private let file: any TensorFile
  private let counts = Mutex<[String: Int]>([:])

  init(_ file: any TensorFile) { self.file = file }

  var url: URL { file.url }
  var container: Container { file.container }
  var entries: [String: TensorEntry] { file.entries }
  var names: [String] { file.names }
  var metadata: [String: String] { file.metadata }
  var reads: [String: Int] { counts.withLock { $0 } }

  func tensor(_ name: String) throws -> Tensor {
    counts.withLock { $0[name, default: 0] += 1 }
    return try file.tensor(name)
  }
}

@Suite("Gzip")
struct GzipTests {
  /// `printf 'hello hello hello hello' | gzip -9n`
  static let packed: [UInt8] = [
    0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x57, 0xC8, 0x40, 0x27, 1,
    0xE3, 0x51, 0x3D, 0x8D, 0x17, 0, 0, 0,
  ]

  @Test("Data packed by gzip is unpacked, up to the limit")
  func unpack() throws {
    #expect(try Gzip.unpack(Data(Self.packed), limit: 23) == Data("hello hello hello hello".utf8))
    #expect(throws: Gzip.Failure.tooLarge(limit: 22)) {
      try Gzip.unpack(Data(Self.packed), limit: 22)
    }
    #expect(throws: Gzip.Failure.notGzip) { try Gzip.unpack(Data("plain".utf8), limit: 9) }
  }

  @Test("No damage traps or passes unnoticed")
  func damage() {
    for length in 0..<Self.packed.count - 4 {
      #expect(throws: Gzip.Failure.self) {
        try Gzip.unpack(Data(Self.packed.prefix(length)), limit: 1 << 20)
      }
    }
    for bit in 10 * 8..<(Self.packed.count - 4) * 8 {
      var flipped = Self.packed
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      // Bits behind the end of the code are padding; everything else must be noticed.
      if let data = try? Gzip.unpack(Data(flipped), limit: 1 << 20) {
        #expect(data == Data("hello hello hello hello".utf8))
      }
    }
  }
}
