import Foundation
import Torch

/// A network for Tencent's ncnn: a `.param` that describes its layers in plain text, and the `.bin` of its
/// weights beside it (https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure).
///
/// ncnn has no names for weights. Here the layers that have some are counted, and named
/// `Convolution.0.weight`, `Convolution.0.bias`, `PReLU.1.weight`. Opening reads the description and the
/// marks before the weights.
public final class NcnnFile: TensorFile {
  /// Where the `.param` lies.
  public let url: URL
  /// Always `.ncnn`.
  public let container = Container.ncnn
  /// See `TensorFile`.
  public let entries: [String: TensorEntry]
  /// See `TensorFile`.
  public let names: [String]
  /// How many layers there are of each type, by the type's name.
  public let metadata: [String: String]
  /// See `TensorFile`.
  public let parts: [URL]

  private let views: [String: TensorView]

  /// The first line of a description.
  static let magic = "7767517"

  private static let longest = 4 << 20
  private static let mostLayers = 100_000

  init(_ file: MappedFile, _ url: URL) throws {
    let weights = url.deletingPathExtension().appendingPathExtension("bin")
    func bad(_ reason: String) -> WeightsError {
      .format(path: url.path, container: "ncnn network", reason: reason)
    }
    guard file.bytes.count <= Self.longest,
      let text = String(validating: file.bytes, as: UTF8.self)
    else { throw bad("its description is no text of a few megabytes") }
    guard FileManager.default.fileExists(atPath: weights.path) else {
      throw bad("its weights, \(weights.lastPathComponent), are not beside it")
    }
    do {
      var reader = NcnnReader(try MappedFile(weights))
      for line in text.split(whereSeparator: \.isNewline).dropFirst(2) {
        try reader.read(line.split(whereSeparator: \.isWhitespace))
        guard reader.layers <= Self.mostLayers else { throw FormatError("it has too many layers") }
      }
      try reader.end()
      self.url = url
      parts = [weights]
      views = Dictionary(uniqueKeysWithValues: reader.tensors.map { ($0.name, $0.view) })
      names = reader.tensors.map(\.name)
      entries = views.mapValues(\.entry)
      metadata = reader.counts.mapValues { String($0) }
    } catch let error as FormatError {
      throw bad(error.reason)
    }
  }

  /// See `TensorFile`.
  public func tensor(_ name: String) throws -> Tensor {
    guard let view = views[name] else { throw WeightsError.missing(path: url.path, name: name) }
    return try view.tensor()
  }

  /// See `TensorFile`.
  public func forget(_ name: String) { views[name]?.forget() }
}

/// Reads the layers of a description, and where the weights of each lie.
private struct NcnnReader {
  private(set) var tensors: [(name: String, view: TensorView)] = []
  private(set) var counts: [String: Int] = [:]
  private(set) var layers = 0

  private let file: MappedFile
  private var reader: ByteReader
  private var place = 0

  /// Layers that have no weights of their own.
  private static let plain: Set = [
    "Input", "Split", "Concat", "BinaryOp", "UnaryOp", "ReLU", "Interp", "PixelShuffle", "Eltwise",
    "Crop", "Padding", "Reorg", "Clip", "Sigmoid", "Dropout", "Noop", "Reshape", "Permute", "Slice",
    "Flatten", "Pooling", "Softmax",
  ]
  /// Marks before weights (ncnn `modelbin.cpp`).
  private static let (whole, half) = (0, 0x0130_6B47)

  init(_ file: MappedFile) {
    self.file = file
    reader = ByteReader(file.bytes)
  }

  /// A line: type, name, numbers of inputs and outputs, these by name, `key=value`.
  mutating func read(_ words: [Substring]) throws(FormatError) {
    guard words.count >= 4, let inputs = Int(words[2]), let outputs = Int(words[3]),
      (0...10_000).contains(inputs), (0...10_000).contains(outputs),
      words.count >= 4 + inputs + outputs
    else { throw FormatError("layer \(layers + 1) is not described as ncnn does it") }
    let type = String(words[0])
    layers += 1
    counts[type, default: 0] += 1
    var values: [Int: Int] = [:]
    for word in words.dropFirst(4 + inputs + outputs) {
      let pair = word.split(separator: "=", maxSplits: 1)
      guard pair.count == 2, let key = Int(pair[0]), let value = Int(pair[1]) else { continue }
      values[key] = value
    }
    switch type {
    case "Convolution": try convolution(values)
    case "PReLU": try add("PReLU.\(place).weight", [try size(values[0])], .float32)
    case _ where Self.plain.contains(type): return
    default: throw FormatError("it has layers of the type \(type.prefix(40)), which is not read")
    }
    place += 1
  }

  /// 0 is the number of outputs, 1 and 11 the kernel's sides, 5 whether there is a bias, 6 the number of
  /// weights.
  private mutating func convolution(_ values: [Int: Int]) throws(FormatError) {
    let (outputs, width) = (try size(values[0]), try size(values[1]))
    let (height, count) = (try size(values[11] ?? width), try size(values[6]))
    let (each, overflow) = outputs.multipliedReportingOverflow(by: width * height)
    guard !overflow, count % each == 0 else {
      throw FormatError("layer \(layers) has \(count) weights, which make no kernels")
    }
    let shape = [outputs, count / each, height, width]
    switch try reader.unsigned(4) {
    case Self.whole: try add("Convolution.\(place).weight", shape, .float32)
    case Self.half:
      try add("Convolution.\(place).weight", shape, .float16)
      // What follows begins at a multiple of four bytes.
      if count % 2 == 1 { _ = try reader.bytes(2) }
    default: throw FormatError("layer \(layers) keeps its weights in a form that is not read")
    }
    if values[5] == 1 { try add("Convolution.\(place).bias", [outputs], .float32) }
  }

  private func size(_ value: Int?) throws(FormatError) -> Int {
    guard let value, (1...1 << 28).contains(value) else {
      throw FormatError("layer \(layers) has an impossible size")
    }
    return value
  }

  private mutating func add(_ name: String, _ shape: [Int], _ dtype: DType) throws(FormatError) {
    let start = reader.position
    let view: TensorView
    do {
      view = try TensorView(
        file, storage: start..<start + reader.remaining, dtype: dtype, shape: shape)
    } catch {
      throw FormatError("layer \(layers) \(error.reason): is the .bin cut off?")
    }
    _ = try reader.bytes(view.entry.byteCount)
    tensors.append((name, view))
  }

  /// All of the weights must belong to a layer.
  func end() throws(FormatError) {
    guard reader.remaining == 0 else {
      throw FormatError("\(reader.remaining) bytes of its weights belong to no layer")
    }
  }
}
