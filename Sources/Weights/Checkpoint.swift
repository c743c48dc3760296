import Foundation
import Torch

/// A file of weights from which models are built.
///
/// ```swift
/// let clip = try Checkpoint(contentsOf: url, layouts: [CLIP.transformers]).build(.bfloat16, device: .cpu) {
///   CLIP($0, config)
/// }
/// ```
public final class Checkpoint {
  /// The file.
  public let file: any TensorFile
  /// The layout whose rules rename the file's keys; nil when they are ours already.
  public let layout: KeyRules?

  private let plan: [String: KeyRules.Origin]
  private let prefix: String

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - layouts: foreign layouts of the same weights; the first that recognises the file is used.
  ///   - prefix: what stands before every key of the model, for example `first_stage_model.`. Keys
  ///     without it are neither used nor reported.
  public convenience init(
    contentsOf url: URL, layouts: [KeyRules] = [], prefix: String = ""
  ) throws {
    try self.init(openTensors(at: url), layouts: layouts, prefix: prefix)
  }

  /// As ``init(contentsOf:layouts:prefix:)``, of a file that is open.
  public init(_ file: any TensorFile, layouts: [KeyRules] = [], prefix: String = "") throws {
    let names = (file.names + file.unread.keys.sorted())
      .filter { $0.hasPrefix(prefix) && !file.isScale($0) }
      .map { String($0.dropFirst(prefix.count)) }
    let layout = layouts.first { $0.recognises(names) }
    self.file = file
    self.layout = layout
    self.prefix = prefix
    plan =
      layout?.plan(names) { file.entries[prefix + $0]?.shape }
      ?? Dictionary(uniqueKeysWithValues: names.map { ($0, .key($0)) })
  }

  /// Every key in our layout.
  public var keys: [String] { plan.keys.sorted() }

  /// The shape under one of our keys; nil when the file has no such key. Reads no data.
  public func shape(_ key: String) -> [Int]? { plan[key].flatMap(shape) }

  /// The shapes of all keys in our layout, from which sizes can be detected.
  public var shapes: [String: [Int]] { plan.compactMapValues(shape) }

  /// Bytes that a model of all these weights takes in a compute type; what is kept in eight bits stays so.
  /// - Parameter eightBits: whether matrices become so.
  public func bytes(in dtype: DType, eightBits: Bool = false) -> Int {
    plan.values.reduce(0) { sum, origin in
      let shape = shape(origin) ?? []
      let count = shape.reduce(1, *)
      if eightBits, shape.count == 2, count >= EightBits.least { return sum + count }
      guard case .key(let key) = origin, file.entries[prefix + key]?.dtype == .int8 else {
        return sum + count * dtype.size
      }
      return sum + count
    }
  }

  /// Builds a model whose parameters are this file's.
  ///
  /// Floating-point weights are cast to `dtype` once; those whose role is precise (norms, codebooks,
  /// scales) become float32. Weights that need no cast stay on the mapped file.
  ///
  /// - Parameters:
  ///   - dtype: the compute type.
  ///   - device: where the model is to run.
  ///   - eightBits: whether large matrices that the model allows it for are held in eight bits, which is for
  ///     the CPU. Those that the file keeps so stay so in any case.
  ///   - leftovers: keys that may stay unused although they stand in the model's own modules, with the
  ///     reason beside the list. An entry that ends in a point or an asterisk stands for all keys that
  ///     begin so.
  ///   - body: makes the model; it must ask for each parameter it has.
  /// - Throws: `WeightsError.mismatch`, one error with every key that is missing, mis-shaped, or in the
  ///   model's own modules and unused; `WeightsError.notFinite`.
  public func build<Model>(
    _ dtype: DType = .float32, device: Device = .cpu, eightBits: Bool = false,
    leftovers: [String] = [], _ body: (Parameters) throws -> Model
  ) throws -> Model {
    let ledger = Ledger(self, dtype, device, eightBits: eightBits)
    let model = try body(Parameters(ledger))
    try ledger.finish(unused: unused(ledger.used, leftovers).foreign)
    return model
  }

  /// How a file fits a model.
  public struct Fit: Sendable, Equatable {
    /// What does not fit; nil when everything does.
    public var problem: String?
    /// Keys that the model does not ask for and that are none of its modules': passed over.
    public var besides: [String] = []
  }

  /// How the file fits a model, told without reading a tensor.
  ///
  /// - Parameters: as for ``build(_:device:leftovers:_:)``.
  public func fit<Model>(leftovers: [String] = [], _ body: (Parameters) throws -> Model) throws
    -> Fit
  {
    let ledger = Ledger(self, .float32, .meta)
    _ = try body(Parameters(ledger))
    let unused = unused(ledger.used, leftovers)
    do {
      try ledger.finish(unused: unused.foreign)
      return Fit(problem: nil, besides: unused.besides)
    } catch WeightsError.mismatch(_, let summary) {
      return Fit(problem: summary, besides: unused.besides)
    }
  }

  /// Keys that a model did not ask for. Numbers of another kind, what is empty, another name of a tensor
  /// that is used, and whatever stands in modules that the model does not have, change nothing in it.
  /// What stands in its own modules tells that it is another model.
  private func unused(_ used: Set<String>, _ leftovers: [String]) -> (
    foreign: [String], besides: [String]
  ) {
    let allowed = leftovers + (layout?.ignored ?? [])
    // `conv_up3` beside `conv_up1` and `conv_up2` is one more of the same.
    func module(_ key: String) -> String {
      let top = key.prefix { $0 != "." }
      let stem = top.reversed().drop { $0.isNumber }.reversed()
      return String(stem.isEmpty ? Substring(top) : Substring(String(stem)))
    }
    let modules = Set(used.map(module))
    let places = Set(used.compactMap { plan[$0].flatMap(place) })
    var (foreign, besides) = ([String](), [String]())
    for key in plan.keys.sorted()
    where !used.contains(key) && !allowed.contains(where: { KeyRules.matches(key, $0) }) {
      let isOwn = modules.contains(module(key)) && plan[key].map(isWeight) == true
      let isSecond = plan[key].flatMap(place).map(places.contains) ?? false
      if isOwn && !isSecond { foreign.append(key) } else { besides.append(key) }
    }
    return (foreign, besides)
  }

  /// Whether a key is made of numbers that may be weights.
  private func isWeight(_ origin: KeyRules.Origin) -> Bool {
    origin.keys.contains { key in
      file.entries[prefix + key].map { $0.dtype.isFloat && $0.count > 0 } ?? false
    }
  }

  /// Where in the file the one tensor lies that a key is made of.
  private func place(_ origin: KeyRules.Origin) -> TensorPlace? {
    origin.keys.count == 1 ? file.place(prefix + origin.keys[0]) : nil
  }

  // MARK: Reading

  private func shape(_ origin: KeyRules.Origin) -> [Int]? {
    switch origin {
    case .key(let key): file.entries[prefix + key]?.shape
    case .layer(_, let key): file.entries[prefix + key].map { Array($0.shape.dropFirst()) }
    case .transposed(let origin):
      shape(origin).flatMap { $0.count == 2 ? $0.reversed() : nil }
    case .kernel(let origin):
      shape(origin).map { shape in KeyRules.Origin.kernelOrder(shape.count).map { shape[$0] } }
    case .reshaped(let origin, let rank): shape(origin).map { KeyRules.fitted($0, rank: rank) }
    case .joined(let keys, let rows): joined(keys.map { file.entries[prefix + $0]?.shape }, rows)
    }
  }

  /// The shape of parts that are joined; nil where they do not go together.
  private func joined(_ shapes: [[Int]?], _ rows: Int?) -> [Int]? {
    let parts = shapes.compactMap(\.self)
    guard parts.count == shapes.count, let first = parts.first, let height = first.first,
      parts.allSatisfy({ !$0.isEmpty && $0.dropFirst() == first.dropFirst() })
    else { return nil }
    // Those that take turns are alike, and of whole turns.
    if let rows, rows < 1 || height % rows != 0 || parts.contains(where: { $0 != first }) {
      return nil
    }
    return [parts.reduce(0) { $0 + $1[0] }] + first.dropFirst()
  }

  /// What a key is made of, in any order of its elements in memory.
  fileprivate func read(_ origin: KeyRules.Origin) throws -> Tensor {
    switch origin {
    case .key(let key): return try file.weight(prefix + key)
    case .layer(let layer, let key): return try file.weight(prefix + key, at: layer)
    case .transposed(let origin): return try read(origin).transposed()
    case .kernel(let origin):
      let weight = try read(origin)
      return weight.permuted(KeyRules.Origin.kernelOrder(weight.rank))
    case .reshaped(let origin, let rank):
      let weight = try read(origin)
      return weight.reshaped(KeyRules.fitted(weight.shape, rank: rank))
    case .joined(let keys, let rows):
      let parts = try keys.map { try file.weight(prefix + $0) }
      guard let rows else { return concatenated(parts, over: 0) }
      let rest = Array(parts[0].shape.dropFirst())
      return concatenated(parts.map { $0.reshaped([-1, rows] + rest) }, over: 1)
        .reshaped([-1] + rest)
    }
  }

  /// Whether a key's value is a copy of what the file holds.
  fileprivate func isRearranged(_ origin: KeyRules.Origin) -> Bool {
    switch origin {
    case .key, .layer: false
    case .transposed, .kernel, .joined: true
    case .reshaped(let origin, _): isRearranged(origin)
    }
  }

  /// Gives back the memory of the file's part that has been copied.
  fileprivate func forget(_ origin: KeyRules.Origin) {
    for key in origin.keys { file.forget(prefix + key) }
  }

  fileprivate func origin(_ key: String) -> KeyRules.Origin? { plan[key] }

  /// The matrix that a key is, as it is kept in eight bits; nil where it is not.
  fileprivate func rows(_ origin: KeyRules.Origin) throws -> EightBitRows? {
    guard case .key(let key) = origin, let rows = try file.rows(prefix + key),
      rows.values.rank == 2
    else { return nil }
    return rows
  }

  /// Whether a key is made of numbers that are no NaN and not infinite; those that are kept in eight bits
  /// are as good as their scales.
  fileprivate func isFinite(_ origin: KeyRules.Origin, _ tensor: Tensor) throws -> Bool {
    let scales = try origin.keys.compactMap { try file.rows(prefix + $0)?.scales }
    return scales.isEmpty ? tensor.hasOnlyNumbers : scales.allSatisfy(\.hasOnlyNumbers)
  }

  /// The type of what a key is made of where that is one of whole numbers that stand for themselves.
  fileprivate func wholeNumbers(_ origin: KeyRules.Origin) -> DType? {
    origin.keys.lazy.compactMap { self.file.wholeNumbers(self.prefix + $0) }.first
  }

  /// The type that keeps what a key is made of from being read; nil when nothing does.
  fileprivate func unreadType(_ origin: KeyRules.Origin) -> String? {
    origin.keys.lazy.compactMap { self.file.unread[self.prefix + $0] }.first
  }
}

/// Looks parameters up and keeps account of what does not fit.
private final class Ledger: ParameterSource {
  private(set) var used: Set<String> = []
  private var missing: [String] = []
  private var misshaped: [String] = []
  private var unreadable: [any Error] = []
  private let checkpoint: Checkpoint
  private let dtype: DType
  private let device: Device
  private let eightBits: Bool
  /// Weights put into eight bits since the memory that lay between was given back: it is larger than they are.
  private var packed = 0

  init(_ checkpoint: Checkpoint, _ dtype: DType, _ device: Device, eightBits: Bool = false) {
    self.checkpoint = checkpoint
    self.dtype = dtype
    self.device = device
    self.eightBits = eightBits
  }

  func parameter(_ path: String, _ shape: [Int], _ initial: Initial, _ role: Role) -> Tensor {
    let wanted: DType = role == .precise ? .float32 : dtype
    guard let origin = fitting(path, shape) else { return placeholder(shape, wanted) }
    guard device != .meta else { return Tensor.empty(shape, wanted, device: .meta) }
    do {
      let tensor = try numbers(origin, path)
      let isRearranged = checkpoint.isRearranged(origin)
      var cast = tensor
      if isRearranged {
        // In one go: a large network has no room for what would lie between.
        cast = Tensor.empty(shape, tensor.dtype.isFloat ? wanted : tensor.dtype)
        cast.assign(tensor)
      } else if tensor.dtype.isFloat {
        cast = tensor.to(wanted)
      }
      // What is as it lies in the file stays there; the file and a copy need not be held together.
      if tensor.dtype != cast.dtype || isRearranged { checkpoint.forget(origin) }
      return cast.to(device)
    } catch {
      unreadable.append(error)
      return placeholder(shape, wanted)
    }
  }

  func matrix(_ path: String, _ shape: [Int], _ initial: Initial) -> Matrix {
    let isLarge = shape.count == 2 && shape.reduce(1, *) >= EightBits.least
    do {
      guard device == .cpu, let origin = checkpoint.origin(path), checkpoint.shape(path) == shape,
        checkpoint.wholeNumbers(origin) == nil
      else { return .floats(parameter(path, shape, initial, .weight)) }
      if let rows = try checkpoint.rows(origin) {
        used.insert(path)
        guard rows.scales.hasOnlyNumbers else { throw notFinite(path) }
        return .eightBits(rows)
      }
      guard eightBits, isLarge else {
        return .floats(parameter(path, shape, initial, .weight))
      }
      used.insert(path)
      let rows = EightBits.rows(try numbers(origin, path))
      checkpoint.forget(origin)
      packed += rows.values.count
      if packed >= 1 << 26 {
        Libtorch.releaseFreeMemory()
        packed = 0
      }
      return .eightBits(rows)
    } catch {
      unreadable.append(error)
      return .floats(placeholder(shape, dtype))
    }
  }

  /// What a key of this shape is made of; nil, and noted, where it is missing or something else.
  private func fitting(_ path: String, _ shape: [Int]) -> KeyRules.Origin? {
    used.insert(path)
    guard let origin = checkpoint.origin(path) else {
      missing.append("\(path) \(shape)")
      return nil
    }
    guard let found = checkpoint.shape(path), found == shape else {
      let found = checkpoint.shape(path).map { "\($0)" } ?? "something that cannot be rearranged so"
      misshaped.append(
        checkpoint.unreadType(origin).map { "\(path): of the type \($0), which is not read" }
          ?? "\(path): file \(found), model \(shape)")
      return nil
    }
    if let type = checkpoint.wholeNumbers(origin) {
      misshaped.append("\(path): whole numbers (\(type)), which are no weights")
      return nil
    }
    return origin
  }

  /// What a key is made of.
  /// - Throws: `WeightsError.notFinite`, and what reading throws.
  private func numbers(_ origin: KeyRules.Origin, _ path: String) throws -> Tensor {
    let tensor = try checkpoint.read(origin)
    guard try checkpoint.isFinite(origin, tensor) else { throw notFinite(path) }
    return tensor
  }

  private func notFinite(_ path: String) -> WeightsError {
    .notFinite(path: checkpoint.file.url.path, name: path)
  }

  /// One element seen as the whole shape: a wrong configuration must not cost memory. A model uses
  /// its weights only after `build`, which will throw.
  private func placeholder(_ shape: [Int], _ dtype: DType) -> Tensor {
    guard device != .meta else { return Tensor.empty(shape, dtype, device: .meta) }
    return Tensor.zeros(Array(repeating: 1, count: shape.count), dtype).expanded(shape)
  }

  func finish(unused: [String]) throws {
    if let error = unreadable.first { throw error }
    let groups = [
      ("missing", missing), ("of another shape or type", misshaped), ("unused", unused),
    ]
    let count = groups.reduce(0) { $0 + $1.1.count }
    guard count > 0 else { return }
    var lines = ["\(count) \(count == 1 ? "key does" : "keys do") not fit."]
    for (name, items) in groups where !items.isEmpty {
      lines.append("  \(items.count) \(name):")
      lines += items.prefix(10).map { "    \($0)" }
      if items.count > 10 { lines.append("    … and \(items.count - 10) more") }
    }
    lines.append(
      checkpoint.layout.map { "The keys were read as the layout '\($0.name)'." }
        ?? "The keys were read as they are. Is this the file of another model?")
    throw WeightsError.mismatch(
      path: checkpoint.file.url.path, summary: lines.joined(separator: "\n"))
  }
}
