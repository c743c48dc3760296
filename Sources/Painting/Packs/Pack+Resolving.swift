import Foundation
import Models
import Torch

extension Pack {
  /// Fills every field that `request` leaves open: the method by what is possible, the others by the
  /// pack's defaults, then by the declarations'. The seed is drawn when there is none.
  /// - Parameters:
  ///   - request: what is asked for.
  ///   - count: number of pictures.
  ///   - device: where it will be painted.
  /// - Throws: `RequestError`, or `PaintingError.notInPack`.
  public func resolve(_ request: Request, count: Int = 1, device: Device) throws -> Request {
    try request.validate()
    var request = request
    let method = try method(for: request)
    request.method = method
    let defaults = try defaults(of: method)
    let candidatesGiven = request.candidates != nil
    for parameter in Request.parameters
    where parameter.belongs(to: method) && parameter.get(request) == nil {
      try parameter.set(&request, standard(parameter.name, of: method))
    }
    if let drawer = method.drawer {
      var arguments = drawer.arguments.filled(request.arguments)
      for (name, value) in defaults where drawer.argument(name) != nil {
        if request.arguments[name] == nil { arguments[name] = value }
      }
      request.arguments = arguments
    }
    if request.precision == .auto {
      request.precision = device.fastFloat == .bfloat16 ? .bfloat16 : .float32
    }
    let seed = request.seed ?? Int.random(in: 0..<(1 << 32))
    request.seed = seed
    guard (1...1_000).contains(count) else {
      throw RequestError.badValue(field: "count", reason: "must be from 1 to 1000, not \(count)")
    }
    if method == .dalle {
      let needed = (request.rank ?? 1) + count - 1
      if needed > request.candidates ?? 1, candidatesGiven || needed > 64 {
        throw RequestError.badValue(
          field: "count", reason: "asks for more pictures than there are candidates")
      }
      request.candidates = max(request.candidates ?? 1, needed)
    } else if seed > (1 << 53) - 1 - count {
      throw RequestError.badValue(field: "seed", reason: "is too large for \(count) pictures")
    }
    try request.validate()
    return request
  }

  /// What stands in for a parameter of `method` that a request leaves open.
  public func standard(_ name: String, of method: Method) throws -> JSONValue? {
    try defaults(of: method)[name] ?? method.drawer?.standards[name]
      ?? Request.parameter(name)?.standard
  }

  /// The method that is asked for, or the first that can do what is asked.
  func method(for request: Request) throws -> Method {
    if let method = request.method, method != .auto {
      if request.model == nil, let what = lacking(method) {
        throw PaintingError.notInPack(pack: manifest.id, what: what)
      }
      if let objection = request.objection(to: method) { throw objection }
      return method
    }
    var methods: [Method] = [.dalle, .vqganCLIP]
    if case .string(let name) = manifest.defaults?["method"], let first = Method(rawValue: name),
      first != .auto
    {
      methods = [first] + methods.filter { $0 != first }
    }
    let present = methods.filter(has)
    guard let best = present.first else {
      throw PaintingError.notInPack(
        pack: manifest.id, what: lacking(.vqganCLIP) ?? "method that can paint")
    }
    let objections = present.map { request.objection(to: $0) }
    if let index = objections.firstIndex(of: nil) { return present[index] }
    throw objections[0] ?? RequestError.impossible(method: best, reason: "of its parameters")
  }

  func defaults(of method: Method) throws -> [String: JSONValue] {
    guard case .object(let values) = manifest.defaults?[method.rawValue] else { return [:] }
    var scratch = Request("x")
    for (name, value) in values {
      if let argument = method.drawer?.argument(name) {
        _ = try argument.kind.check(value, of: name)
        continue
      }
      guard let parameter = Request.parameter(name), parameter.belongs(to: method) else {
        throw PaintingError.badPack(
          path: folder.path, reason: "its defaults for \(method.rawValue) have an odd '\(name)'")
      }
      do {
        try parameter.set(&scratch, value)
      } catch {
        throw PaintingError.badPack(path: folder.path, reason: "in its defaults \(error)")
      }
    }
    return values
  }

  /// The size at which the networks paint what `request`, resolved, asks for: the pack's own for
  /// `dalle`; else the largest multiples of the VQGAN's factor within the pack's limit and about in
  /// the proportion asked for; with a network of its own, of that network's factor and without limit.
  func paintedSize(_ request: Request, factor installed: Int? = nil) -> Metadata.Size {
    let width = request.width ?? manifest.pictureSize
    let height = request.height ?? manifest.pictureSize
    if let installed {
      func side(_ pixels: Int) -> Int { max(1, pixels / installed) * installed }
      return .init(width: side(width), height: side(height))
    }
    // What the pack's own small networks draw, in the proportions asked for; the rest is enlargement.
    if request.method == .bigSleep, let side = biggan?.size, request.model == nil {
      let longest = Double(max(width, height))
      func part(_ pixels: Int) -> Int {
        max(1, Int((Double(side * pixels) / longest).rounded()))
      }
      return .init(width: part(width), height: part(height))
    }
    if request.method == .diffusion, let diffusion, let factor = vqgan?.factor {
      let step = factor * diffusion.factor
      let scale = Double(diffusion.size * factor) / Double(width * height).squareRoot()
      func side(_ pixels: Int) -> Int {
        min(16, max(1, Int((Double(pixels) * scale / Double(step)).rounded()))) * step
      }
      return .init(width: side(width), height: side(height))
    }
    if let needs = request.method?.drawer?.needs, needs != .vqgan, needs != .dvae {
      // Nothing but CLIP limits these, and it sees no more than this.
      let scale = min(1, 1024 / Double(max(width, height)))
      func side(_ pixels: Int) -> Int { max(2, Int((Double(pixels) * scale).rounded())) }
      return .init(width: side(width), height: side(height))
    }
    guard request.method != .dalle, let factor = vqgan?.factor else {
      return .init(width: manifest.pictureSize, height: manifest.pictureSize)
    }
    let scale = min(1, Double(manifest.largestSize) / Double(max(width, height)))
    let most = max(1, manifest.largestSize / factor)
    func side(_ pixels: Int) -> Int {
      let units = Int((Double(pixels) * scale / Double(factor)).rounded())
      return min(most, max(1, units)) * factor
    }
    return .init(width: side(width), height: side(height))
  }
}
