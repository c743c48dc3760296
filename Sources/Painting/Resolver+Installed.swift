import Library
import Models

extension Resolver {
  /// The installed models that can draw in `method`.
  public func installed(for method: Method) -> [String] {
    guard let slot = method.components.first, slot.takesInstalled else { return [] }
    return registry.architectures(of: slot).flatMap(library.installed)
  }
}
