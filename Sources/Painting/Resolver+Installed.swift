import Library
import Models

extension Resolver {
  /// The installed models that can draw in `method`.
  public func installed(for method: Method) -> [String] {
    guard let slot = method.components.first, slot.takesInstalled,
      let architecture = registry.architectures.first(where: { $0.id == slot.architecture })
    else { return [] }
    return library.installed(architecture)
  }
}
