/// Which methods take a parameter.
public enum Scope: Sendable {
  /// All.
  case all
  /// Those under CLIP's guidance.
  case guided
  /// Those of them that optimise what they draw.
  case optimised
  /// Those that draw with a network.
  case drawing
  /// These.
  case only([Method])

  /// The methods meant.
  public var methods: [Method] {
    switch self {
    case .all: Method.painting
    case .guided: Method.guided
    case .optimised: Method.guided.filter { $0.drawer?.samples == false }
    case .drawing: Method.guided.filter { $0.drawer?.needs != .nothing }
    case .only(let methods): methods
    }
  }

  /// Whether `method` is among them; `auto` always is.
  public func contains(_ method: Method) -> Bool {
    if method == .auto { return true }
    if case .all = self { return true }
    return methods.contains(method)
  }
}
