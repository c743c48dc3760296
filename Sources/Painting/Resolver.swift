import Foundation
import Library
import Models
import Torch
import Weights

/// Fills requests: chooses the method and gives every field that is left open its value, from the pack, the
/// installed models and the methods' own defaults.
public struct Resolver: Sendable {
  /// Paints.
  public let pack: Pack
  /// The models that requests may name.
  public let library: ModelLibrary
  /// What may be named.
  public let registry: Registry

  /// A resolver; see the fields.
  public init(
    pack: Pack, library: ModelLibrary = ModelLibrary(), registry: Registry = .builtIn
  ) {
    (self.pack, self.library, self.registry) = (pack, library, registry)
  }

  /// Fills every field that `request` leaves open. The seed is drawn when there is none.
  /// - Parameters:
  ///   - request: what is asked for.
  ///   - count: number of pictures.
  ///   - device: where it will be painted.
  /// - Throws: `RequestError`, `PaintingError.notInPack`, or `StoreError`.
  public func resolve(_ request: Request, count: Int = 1, device: Device) throws -> Request {
    var request = try request.checked(in: registry)
    let choice = try choice(for: request)
    let method = choice.method
    (request.method, request.model) = (method.id, choice.model)
    let defaults = try defaults(of: method, in: request)
    let candidatesGiven = request.candidates != nil
    for parameter in Request.parameters
    where method.takes(parameter) && parameter.get(request) == nil {
      try parameter.set(
        &request, defaults[parameter.name] ?? method.defaults[parameter.name] ?? parameter.default)
    }
    var arguments = method.arguments.filled(
      request.arguments.merging(defaults.filter { method.argument($0.key) != nil }) { given, _ in
        given
      })
    for argument in method.arguments {
      arguments[argument.name] = try arguments[argument.name].map {
        try argument.kind.check($0, of: argument.name, in: registry)
      }
    }
    request.arguments = arguments
    if request.precision == .auto {
      request.precision = device.fastFloat == .bfloat16 ? .bfloat16 : .float32
    }
    if request.precision == .int8, device != .cpu {
      throw RequestError.badValue(
        field: "precision", reason: "is int8, which is for the CPU; choose bfloat16 on \(device)")
    }
    let seed = request.seed ?? Int.random(in: 0..<(1 << 32))
    request.seed = seed
    guard (1...1_000).contains(count) else {
      throw RequestError.badValue(field: "count", reason: "must be from 1 to 1000, not \(count)")
    }
    if method.makesCandidates {
      let needed = (request.rank ?? 1) + count - 1
      if needed > request.candidates ?? 1, candidatesGiven || needed > 64 {
        throw RequestError.badValue(
          field: "count", reason: "asks for more pictures than there are candidates")
      }
      request.candidates = max(request.candidates ?? 1, needed)
    } else if seed > Seed.range.upperBound - (count - 1) {
      throw RequestError.badValue(
        field: "seed",
        reason:
          "is too large for \(count) pictures; the last would be beyond \(Seed.range.upperBound)")
    }
    return try request.checked(in: registry)
  }

  /// What stands in for a parameter of `method` that a request leaves open.
  public func `default`(_ name: String, of method: Method) throws -> JSONValue? {
    try packDefaults(of: method)[name] ?? method.defaults[name]
      ?? Request.parameter(name)?.default ?? method.argument(name)?.default
  }

  /// What stands in for a parameter of `method` that a request of that method leaves open: as `default`, and
  /// where an installed network draws, what suits that.
  func usual(_ name: String, of method: Method, in request: Request) throws -> JSONValue? {
    try defaults(of: method, in: request)[name] ?? method.defaults[name]
      ?? Request.parameter(name)?.default ?? method.argument(name)?.default
  }

  // MARK: Methods

  /// A method, the installed network that draws in it, and why `auto` took it.
  public struct Choice: Sendable {
    /// The method.
    public let method: Method
    /// The installed model that draws; nil is the pack's, or none.
    public let model: String?
    /// Why it was taken before others; nil where the request names it.
    public let reason: String?
    /// Why the methods that `auto` asked before it cannot do what is asked.
    public let objections: [RequestError]
  }

  /// The method that is asked for, or the first that can do what is asked: those whose networks were trained for
  /// just that (`Method.calling`), then in the order of `Method.preference`, the pack's choice first, an installed network before the pack's of the same method.
  /// - Throws: why the method cannot do it; of `auto`, why its first choice cannot.
  public func choice(for request: Request) throws -> Choice {
    if let id = request.method, id != .auto {
      guard let method = registry.method(id) else { throw registry.unknown(id) }
      if request.model == nil, let what = lacking(method) {
        throw PaintingError.notInPack(pack: pack.manifest.id, what: what)
      }
      if let objection = request.objection(to: method, in: registry) { throw objection }
      return Choice(method: method, model: request.model, reason: nil, objections: [])
    }
    var first: Method.ID?
    if case .string(let name) = pack.manifest.defaults?["method"] { first = .init(rawValue: name) }
    let asked = registry.methods.filter { $0.preference != nil || $0.id == first }.sorted {
      ($0.id == first ? -1 : $0.preference?.order ?? 0)
        < ($1.id == first ? -1 : $1.preference?.order ?? 0)
    }
    let available = asked.filter(isAvailable)
    let called = available.reduce(into: [:]) { $0[$1.id] = $1.calling(request, self) }
    let present =
      available.filter { called[$0.id] != nil } + available.filter { called[$0.id] == nil }
    guard let best = present.first else {
      throw PaintingError.notInPack(
        pack: pack.manifest.id,
        what: asked.lazy.compactMap(lacking).first ?? "method that can paint")
    }
    var objections: [RequestError] = []
    for method in present {
      if let objection = request.objection(to: method, in: registry) {
        objections.append(objection)
        continue
      }
      if let stranger = stranger(to: method, request.model) {
        objections.append(stranger)
        continue
      }
      var model = request.model ?? called[method.id]?.model
      if model == nil, method.takes.contains(.model), let slot = method.components.first,
        slot.takesInstalled, !(slot.isNamed && pack.network(slot.architecture) != nil),
        let architecture = architecture(slot)
      {
        model = library.installed(architecture).first
      }
      return Choice(
        method: method, model: model,
        reason: called[method.id]?.reason
          ?? (method.id == first && method.preference == nil
            ? "the pack's first choice" : method.preference?.reason),
        objections: objections)
    }
    throw objections.first ?? RequestError.impossible(method: best.id, reason: "of its parameters")
  }

  /// Why an installed model cannot draw in `method`; nil where it can, or is not there.
  private func stranger(to method: Method, _ model: String?) -> RequestError? {
    guard let model, (try? library.store.model(model)) != nil,
      let slot = method.components.first, slot.takesInstalled,
      let architecture = architecture(slot, of: model),
      !library.installed(architecture).contains(model)
    else { return nil }
    return .impossible(method: method.id, reason: "'\(model)' holds no \(slot.title)")
  }

  /// The method that paints a request.
  public func method(for request: Request) throws -> Method { try choice(for: request).method }

  /// What `method` needs of the pack and the pack lacks; nil when it has all. A network that may be
  /// installed does not count, unless it must be named: whoever opens it says how to get it.
  public func lacking(_ method: Method) -> String? {
    if pack.config(of: CLIP.self) == nil { return "CLIP" }
    return method.components.first {
      (!$0.takesInstalled || $0.isNamed) && pack.network($0.architecture) == nil
    }?.title
  }

  /// Whether `method` can paint with what is there.
  public func isAvailable(_ method: Method) -> Bool {
    guard lacking(method) == nil else { return false }
    return method.components.allSatisfy { slot in
      slot.takesPacks && pack.network(slot.architecture) != nil
        || slot.takesInstalled
          && architecture(slot).map { !library.installed($0).isEmpty } == true
    }
  }

  /// The architecture of the network that fills a slot: of the model that is named, if that holds one.
  private func architecture(_ slot: ComponentSlot, of model: String? = nil) -> Architecture? {
    let known = registry.architectures(of: slot)
    return model.flatMap { model in known.first { library.installed($0).contains(model) } }
      ?? known.first
  }

  /// Whether an installed network draws what a resolved request asks for, and its sizes.
  func installedConfig(_ request: Request, _ method: Method) throws -> (any NetworkConfig)? {
    guard let slot = method.components.first, slot.takesInstalled,
      let architecture = architecture(slot, of: request.model), !drawsWithPack(request, method)
    else { return nil }
    return try library.component(
      architecture, of: request.model ?? library.first(architecture)
    ).config
  }

  /// Whether the pack's own networks draw what a request asks for; so they do where nothing but CLIP is
  /// needed.
  func drawsWithPack(_ request: Request, _ method: Method) -> Bool {
    guard let slot = method.components.first else { return true }
    return request.model == nil && slot.takesPacks && pack.network(slot.architecture) != nil
  }

  /// Whether the pack's own CLIP looks, alone.
  private func looksWithPack(_ request: Request) -> Bool {
    guard let names = request.clip, let chosen = try? Perceptor.Choice.parse(names) else {
      return true
    }
    return chosen.map(\.id) == Perceptor.Choice.default.map(\.id)
  }

  // MARK: Sizes and defaults

  /// The size at which the networks paint what `request`, resolved, asks for.
  public func paintedSize(_ request: Request) throws -> Metadata.Size {
    guard let method = registry.method(request.method) else {
      throw registry.unknown(request.method ?? .auto)
    }
    let side = pack.manifest.pictureSize
    return try method.size(
      Canvas(
        asked: .init(width: request.width ?? side, height: request.height ?? side), pack: pack,
        installed: installedConfig(request, method)))
  }

  /// The pack's defaults where its own networks draw; those of an installed network where that draws.
  private func defaults(of method: Method, in request: Request) throws -> [String: JSONValue] {
    if drawsWithPack(request, method) {
      let own = try packDefaults(of: method)
      guard method.isOptimised else { return own }
      let looks = looksWithPack(request)
      // What was found for the pack's CLIP says nothing of another, and its diffusion model knows less.
      if !looks, method.components.isEmpty { return [:] }
      return looks && Distillation.isPossible(with: pack)
        ? own : own.filter { $0.key != "distillation" }
    }
    guard let slot = method.components.first,
      let architecture = architecture(slot, of: request.model)
    else { return [:] }
    // One that is not there is told when it is opened, by name.
    return (try? library.drawing(architecture, of: request.model)).map(method.ofNetwork) ?? [:]
  }

  func packDefaults(of method: Method) throws -> [String: JSONValue] {
    guard case .object(var values) = pack.manifest.defaults?[method.id.rawValue] else { return [:] }
    var scratch = Request("x")
    for (name, value) in values {
      do {
        if let argument = method.argument(name) {
          values[name] = try argument.kind.check(value, of: name, in: registry)
          continue
        }
        guard let parameter = Request.parameter(name), method.takes(parameter) else {
          throw PaintingError.badPack(
            path: pack.folder.path, reason: "its defaults for \(method.id) have an odd '\(name)'")
        }
        try parameter.set(&scratch, value)
      } catch let error as RequestError {
        throw PaintingError.badPack(path: pack.folder.path, reason: "in its defaults \(error)")
      }
    }
    return values
  }
}
