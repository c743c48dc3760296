import Library
import Models

extension Resolver {
  /// The installed models that can draw in `method`.
  public func installed(for method: Method) -> [String] {
    guard let slot = method.components.first, slot.takesInstalled else { return [] }
    return registry.architectures(of: slot).flatMap(library.installed)
  }

  /// The models that a request names beside its perceptors: the one that draws, and those that arguments of its
  /// method and its objectives name.
  public func models(of request: Request) -> [String] {
    func named(_ declared: [PartArgument], _ given: [String: JSONValue]) -> [String] {
      declared.filter(\.namesModel).compactMap { argument in
        if case .string(let id) = given[argument.name] { id } else { nil }
      }
    }
    let method = registry.method(request.method)
    let own = method.map { named($0.arguments, request.arguments) } ?? []
    return (request.objectives ?? []).reduce(into: [request.model].compactMap(\.self) + own) {
      ids, part in
      let kind = registry.objectives.first { $0.name == part.name }
      ids += kind.map { named($0.arguments, part.arguments) } ?? []
    }
  }

  /// The installed models that a request names, with what tells each from others of its name.
  public func fingerprints(of request: Request) throws -> [String: String] {
    let perceptors = try request.clip.map { try Perceptor.Choice.parse($0).map(\.id) } ?? []
    let ids = (perceptors + models(of: request)).filter { $0 != "pack" }
    return try ids.reduce(into: [:]) { $0[$1] = try library.fingerprint($1) }
  }
}
