import Models

/// All that can be named in a request: methods, objectives, filters, and the networks that files are told
/// from. It is a value, given to `Engine`: what a library's user adds is known where it is handed in.
///
/// ```swift
/// var registry = Registry.builtIn
/// registry.add(.guided("stripes", title: "Stripes", "A few stripes are coloured") { Stripes($0) })
/// let engine = Engine(pack: try Pack(folder: Pack.embedded), registry: registry)
/// ```
public struct Registry: Sendable {
  /// The methods, in the order of help.
  public private(set) var methods: [Method]
  /// The objectives, in the order of help.
  public private(set) var objectives: [ObjectiveKind]
  /// The filters, in the order of help.
  public private(set) var filters: [FilterKind]
  /// The networks, in the order in which a file is compared with them.
  public private(set) var architectures: [Architecture]

  /// What the program brings.
  public static let builtIn = Registry(
    methods: [
      .vqganCLIP, .clipGuidedDiffusion, .dvaeCLIP, .bigSleep, .deepDaze, .fourier, .pixels, .pixel,
      .line, .clipDraw, .superResolution, .dalleMini, .unCLIP, .glide, .attnGAN,
      .attnGANCLIP,
    ],
    objectives: ObjectiveKind.builtIn, filters: FilterKind.builtIn,
    architectures: Architecture.builtIn)

  /// Makes a method known; one of the same name is replaced.
  public mutating func add(_ method: Method) { methods.replace(with: method) { $0.id } }

  /// Makes an objective known; one of the same name is replaced.
  public mutating func add(_ kind: ObjectiveKind) { objectives.replace(with: kind) { $0.name } }

  /// Makes a filter known; one of the same name is replaced.
  public mutating func add(_ kind: FilterKind) { filters.replace(with: kind) { $0.name } }

  /// Makes a network known; its files are looked for before all others'.
  public mutating func add(_ architecture: Architecture) {
    architectures.removeAll { $0.id == architecture.id }
    architectures.insert(architecture, at: 0)
  }

  // MARK: Looking

  /// The method of a name; nil where there is none, and for `auto`.
  public func method(_ id: Method.ID?) -> Method? {
    methods.first { $0.id == id }
      ?? methods.first { method in id.map(method.aliases.contains) ?? false }
  }

  /// The networks that may fill a slot, the usual one first.
  func architectures(of slot: ComponentSlot) -> [Architecture] {
    ([slot.architecture] + slot.alternatives).compactMap { id in
      architectures.first { $0.id == id }
    }
  }

  /// The method for films of which no method is asked for: one that shoots every kind.
  public var filmMethod: Method? {
    methods.filter { $0.films == Set(Film.Kind.allCases) && $0.preference != nil }
      .min { ($0.preference?.order ?? 0) < ($1.preference?.order ?? 0) }
  }

  /// What `--method` chooses among.
  public var methodNames: [String] { [Method.ID.auto.rawValue] + methods.map(\.id.rawValue) }

  /// Why there is no method of a name.
  func unknown(_ id: Method.ID) -> RequestError {
    let near = nearestName(to: id.rawValue, among: methodNames)
    return .badValue(
      field: "method",
      reason: "must be one of " + methodNames.joined(separator: ", ")
        + ", not '\(id.rawValue.prefix(40))'" + (near.map { "; did you mean '\($0)'" } ?? ""))
  }

  /// The declaration of an argument that some method takes.
  public func argument(_ name: String) -> PartArgument? {
    methods.lazy.compactMap { $0.argument(name) }.first
  }

  /// Arguments of methods, of those with one name the first.
  public var arguments: [PartArgument] {
    var known: Set<String> = []
    return methods.flatMap(\.arguments).filter { known.insert($0.name).inserted }
  }

  /// The methods that take a parameter, or have an argument, of this name.
  public func methods(taking name: String) -> [Method.ID] {
    methods.filter { $0.takes(name) }.map(\.id)
  }

  /// The arguments of an objective or a filter.
  /// - Throws: `RequestError`, with the nearest name when there is no such part.
  func arguments(of name: String, _ family: PartSpec.Family) throws(RequestError) -> [PartArgument]
  {
    let known: [(name: String, arguments: [PartArgument])] =
      switch family {
      case .objective: objectives.map { ($0.name, $0.arguments) }
      case .filter: filters.map { ($0.name, $0.arguments) }
      }
    if let found = known.first(where: { $0.name == name }) { return found.arguments }
    let near = nearestName(to: name, among: known.map(\.name))
    throw .badValue(
      field: family.rawValue,
      reason: "has no '\(name.prefix(40))'"
        + (near.map { "; did you mean '\($0)'" } ?? "; there are "
          + known.map(\.name).joined(separator: ", ")))
  }
}

extension Array {
  fileprivate mutating func replace<Name: Equatable>(with new: Element, by name: (Element) -> Name)
  {
    if let index = firstIndex(where: { name($0) == name(new) }) {
      self[index] = new
    } else {
      append(new)
    }
  }
}
