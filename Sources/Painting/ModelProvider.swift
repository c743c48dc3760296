import Foundation
import Library
import Models
import Tokenizers
import Torch
import Weights

/// Loads networks when they are first asked for, and keeps them while there is room: those of a pack and
/// those that are installed, by model, architecture and compute type.
///
/// Not `Sendable`: it stays with the engine's actor.
final class ModelProvider {
  let pack: Pack
  let library: ModelLibrary
  let cache: EmbeddingCache?
  let device: Device
  /// Bytes of networks that may be kept beside those of the painting that is being made.
  let budget: Int

  /// What tells one thing that is kept from another.
  struct Key: Hashable {
    /// An installed model; nil is the pack.
    let model: String?
    let what: String
    var dtype: DType?
    /// Whether its matrices are held in eight bits.
    var eightBits = false
  }

  private struct Held {
    let value: Any
    let bytes: Int
    var used: Int
  }

  private var held: [Key: Held] = [:]
  private var paintings = 0

  init(
    pack: Pack, library: ModelLibrary, cache: EmbeddingCache?, device: Device, budget: Int
  ) {
    self.pack = pack
    self.library = library
    self.cache = cache
    self.device = device
    self.budget = budget
  }

  /// Bytes of the networks that are kept.
  var bytes: Int { held.values.reduce(0) { $0 + $1.bytes } }

  /// A new painting begins: what only earlier ones used may be released from now on.
  func begin() { paintings += 1 }

  /// What is kept under `key`, or what `open` gives.
  /// - Parameter bytes: that it will take.
  func kept<Value>(_ key: Key, bytes: () throws -> Int, open: () throws -> Value) rethrows -> Value
  {
    if let found: Value = kept(key) { return found }
    let bytes = try bytes()
    makeRoom(for: bytes)
    let value = try open()
    held[key] = Held(value: value, bytes: bytes, used: paintings)
    return value
  }

  /// What is kept under `key`; nil where nothing is.
  private func kept<Value>(_ key: Key) -> Value? {
    held[key]?.used = paintings
    return held[key]?.value as? Value
  }

  /// Releases what has not been used for longest, until so many bytes more are within the budget. What
  /// the present painting uses stays.
  private func makeRoom(for more: Int) {
    var isReleased = false
    while bytes + more > budget,
      let oldest = held.filter({ $0.value.used < paintings && $0.value.bytes > 0 })
        .min(by: { $0.value.used < $1.value.used })
    {
      held[oldest.key] = nil
      isReleased = true
    }
    if isReleased { Libtorch.releaseFreeMemory() }
  }

  /// Releases a network that the painting no longer needs; it is loaded again when it is asked for.
  func release<N: Network>(_ type: N.Type, of model: String?) {
    for key in held.keys where key.model == model && key.what == N.architecture.id {
      held[key] = nil
    }
    Libtorch.releaseFreeMemory()
  }
}

// MARK: - Opening

extension ModelProvider {
  /// The network of the pack.
  /// - Throws: `PaintingError` naming what the pack lacks, or the file that is damaged.
  func own<N: Network>(_ type: N.Type, _ dtype: DType, eightBits: Bool = false) throws -> N {
    guard let network = pack.network(N.architecture.id), let config = network.config as? N.Config
    else { throw PaintingError.notInPack(pack: pack.manifest.id, what: N.architecture.id) }
    let key = Key(model: nil, what: N.architecture.id, dtype: dtype, eightBits: eightBits)
    var opened: Checkpoint?
    func checkpoint() throws -> Checkpoint {
      if let opened { return opened }
      let made = try Checkpoint(contentsOf: pack.checkedFile(network.file))
      opened = made
      return made
    }
    return try kept(key) {
      try checkpoint().bytes(in: dtype, eightBits: eightBits)
    } open: {
      try checkpoint().build(
        dtype, device: device, eightBits: eightBits, leftovers: N.architecture.leftovers(config)
      ) {
        N($0, config)
      }
    }
  }

  /// A network of an installed model.
  /// - Throws: `StoreError` when the model is not installed or holds no such network; `WeightsError`.
  func installed<N: Network>(
    _ type: N.Type, of model: String, _ dtype: DType, eightBits: Bool = false
  ) throws -> N {
    let key = Key(model: model, what: N.architecture.id, dtype: dtype, eightBits: eightBits)
    if let network: N = kept(key) { return network }
    let found = try library.component(N.architecture, of: model)
    let told = try library.config(N.self, of: model, found)
    return try kept(key) {
      try found.checkpoint().bytes(in: dtype, eightBits: eightBits)
    } open: {
      guard
        let network = try found.network(
          N.self, told, dtype, device: device, eightBits: eightBits)
      else {
        throw StoreError.nothing(path: model, reason: "it is \(found.title)")
      }
      return network
    }
  }

  /// A network between those of two installed models.
  /// - Parameter share: of the first, 0 to 1.
  /// - Throws: as ``installed(_:of:_:)``; also when the two are not of the same sizes.
  func blended<N: Network>(
    _ type: N.Type, _ first: String, _ second: String, share: Double, _ dtype: DType
  ) throws -> N {
    let key = Key(model: "\(first) \(share) \(second)", what: N.architecture.id, dtype: dtype)
    let found = try [first, second].map { try library.component(N.architecture, of: $0) }
    guard let config = found[0].config as? N.Config, config == found[1].config as? N.Config else {
      throw StoreError.nothing(path: second, reason: "it is \(found[1].title), and \(first) is not")
    }
    let files = try found.map { try $0.checkpoint() }
    return try kept(key) {
      files[0].bytes(in: dtype)
    } open: {
      let leftovers = N.architecture.leftovers(config)
      return try files[0].build(dtype, device: device, leftovers: leftovers) { first in
        try files[1].build(dtype, device: device, leftovers: leftovers) { second in
          N(Parameters(Interpolation(first, second, share: share)), config)
        }
      }
    }
  }

  /// The vocabulary that goes with a CLIP.
  func tokenizer(of model: String?) throws -> CLIPTokenizer {
    try kept(Key(model: model, what: "tokenizer")) {
      0
    } open: {
      try model.map { try library.tokenizer(of: $0) } ?? pack.tokenizer()
    }
  }

  /// What tells a network from others of its architecture.
  func fingerprint(_ architecture: Architecture.ID, of model: String?) throws -> String {
    if let model { return try library.fingerprint(model) }
    guard let file = pack.network(architecture)?.file else {
      throw PaintingError.notInPack(pack: pack.manifest.id, what: architecture)
    }
    return pack.manifest.files[file]?.sha256 ?? ""
  }
}

// MARK: - For a painting

/// The networks of one painting, in its compute type.
public struct Networks {
  let provider: ModelProvider
  /// The type in which they compute.
  public let dtype: DType

  /// The pack.
  public var pack: Pack { provider.pack }
  /// Where they compute.
  public var device: Device { provider.device }

  /// A network: of the installed model that is named, else the pack's, else the first that is installed.
  /// - Parameters:
  ///   - model: an installed model; nil for the first that there is.
  ///   - packs: whether the pack's own is meant.
  ///   - dtype: the compute type, if it must be another.
  ///   - eightBits: whether its matrices are held in eight bits, where the network allows it.
  /// - Throws: `StoreError` with the next command where there is none; `WeightsError`.
  public func network<N: Network>(
    _ type: N.Type, of model: String? = nil, packs: Bool = true, _ dtype: DType? = nil,
    eightBits: Bool = false
  ) throws -> N {
    let dtype = dtype ?? self.dtype
    if model == nil, packs, pack.network(N.architecture.id) != nil {
      return try provider.own(type, dtype, eightBits: eightBits)
    }
    return try provider.installed(
      type, of: model ?? provider.library.first(N.architecture), dtype, eightBits: eightBits)
  }

  /// The network that fills a slot.
  /// - Parameters:
  ///   - model: the installed model that the request names; nil for the first that there is.
  ///   - eightBits: whether its matrices are held in eight bits, where the network allows it.
  public func network<N: Network>(
    _ type: N.Type, in slot: ComponentSlot, of model: String?, eightBits: Bool = false
  ) throws -> N {
    precondition(slot.architecture == N.architecture.id, "'\(slot.role)' is another network")
    guard slot.takesInstalled else { return try provider.own(type, dtype, eightBits: eightBits) }
    return try network(type, of: model, packs: slot.takesPacks, eightBits: eightBits)
  }

  /// What tells the network that `network` would give from others.
  func fingerprint(_ architecture: Architecture, of model: String?) throws -> String {
    let isOwn = model == nil && pack.network(architecture.id) != nil
    return try provider.fingerprint(
      architecture.id, of: isOwn ? nil : model ?? provider.library.first(architecture))
  }

  /// Releases a network that the painting no longer needs, as a cascade does between its stages.
  public func release<N: Network>(_ type: N.Type, of model: String? = nil) {
    provider.release(type, of: model)
  }

  /// The pack's vocabulary.
  public func tokenizer() throws -> CLIPTokenizer { try provider.tokenizer(of: nil) }

  // MARK: CLIP

  /// The perceptors that a request names.
  public func perceptors(_ request: Request) throws -> [Perceptor] {
    let choices =
      try request.clip.map { try Perceptor.Choice.parse($0) } ?? Perceptor.Choice.default
    let all =
      request.clipVoices == .average ? choices.reduce(0) { $0 + $1.weight } : 1
    return try choices.map { try perceptor($0.id, weight: $0.weight / all, request) }
  }

  /// A perceptor by its name, `pack` being the pack's own, that reads texts as a request has it.
  func perceptor(_ id: String, weight: Double = 1, _ request: Request) throws -> Perceptor {
    let model = id == "pack" ? nil : id
    let clip =
      try model.map { try provider.installed(CLIP.self, of: $0, dtype) }
      ?? provider.own(CLIP.self, dtype)
    return Perceptor(
      id: id, clip: clip, tokenizer: try provider.tokenizer(of: model), weight: weight,
      longTexts: request.longTexts ?? .average,
      fingerprint: "\(try fingerprint(ofPerceptor: model)) \(dtype) \(device)",
      cache: provider.cache)
  }

  private func fingerprint(ofPerceptor model: String?) throws -> String {
    let network = try provider.fingerprint(CLIP.architecture.id, of: model)
    guard model == nil else { return network }
    return [network, pack.manifest.files[Pack.tokenizerFile]?.sha256].compactMap(\.self)
      .joined(separator: " ")
  }
}
