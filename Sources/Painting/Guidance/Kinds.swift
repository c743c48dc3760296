import Synchronization

/// A kind of drawer: what `--method` chooses among.
public struct DrawerKind: Sendable {
  /// The method's name, `pixel` for instance.
  public let id: String
  /// The method as galleries know it, `VQGAN+CLIP` for instance.
  public let title: String
  /// What it is, in one sentence without the final stop.
  public let help: String
  /// What it draws with, and so what a pack or an installed model must have.
  public let needs: Need
  /// Its arguments.
  public let arguments: [PartArgument]
  /// Values of the request's parameters that suit it better than the general ones.
  public let standards: [String: JSONValue]
  /// Whether its drawers are `VectorDrawer`s, whose pictures can be written as SVG.
  public let drawsShapes: Bool
  /// Whether its drawers go their own way instead of being optimised.
  public let samples: Bool
  let make: @Sendable (Setting) throws -> any Drawer

  /// What a drawer needs beside a CLIP.
  public enum Need: Sendable, Hashable {
    case nothing, vqgan, dvae, biggan, diffusion, upscaler
  }

  /// A kind; see the fields.
  public init(
    _ id: String, title: String, _ help: String, needs: Need = .nothing,
    arguments: [PartArgument] = [], standards: [String: JSONValue] = [:],
    drawsShapes: Bool = false, samples: Bool = false,
    make: @escaping @Sendable (Setting) throws -> any Drawer
  ) {
    self.samples = samples
    self.id = id
    self.title = title
    self.help = help
    self.needs = needs
    self.arguments = arguments
    self.standards = standards
    self.drawsShapes = drawsShapes
    self.make = make
  }

  /// The declaration of an argument.
  public func argument(_ name: String) -> PartArgument? { arguments.first { $0.name == name } }
}

/// A kind of objective: what `--objective` chooses among.
public struct ObjectiveKind: Sendable {
  /// Its name, `palette` for instance.
  public let name: String
  /// What is wanted, in one sentence without the final stop.
  public let help: String
  /// Its arguments.
  public let arguments: [PartArgument]
  let make: @Sendable (Setting) throws -> any Objective

  /// A kind; see the fields. The weight is applied from outside.
  public init(
    _ name: String, _ help: String, arguments: [PartArgument] = [],
    make: @escaping @Sendable (Setting) throws -> any Objective
  ) {
    self.name = name
    self.help = help
    self.arguments = arguments
    self.make = make
  }
}

/// A kind of filter: what `--filter` chooses among.
public struct FilterKind: Sendable {
  /// Its name, `lookup` for instance.
  public let name: String
  /// What it does, in one sentence without the final stop.
  public let help: String
  /// Its arguments.
  public let arguments: [PartArgument]
  let make: @Sendable (Setting) throws -> any Filter

  /// A kind; see the fields.
  public init(
    _ name: String, _ help: String, arguments: [PartArgument] = [],
    make: @escaping @Sendable (Setting) throws -> any Filter
  ) {
    self.name = name
    self.help = help
    self.arguments = arguments
    self.make = make
  }
}

// MARK: - The parts that there are

/// All kinds of drawers, objectives and filters: those of the program and those that a library's user
/// adds.
///
/// ```swift
/// Parts.add(DrawerKind("stripes", title: "stripes", "Colours a few stripes") { Stripes($0) })
/// ```
public enum Parts {
  private struct Added {
    var drawers: [DrawerKind] = []
    var objectives: [ObjectiveKind] = []
    var filters: [FilterKind] = []
  }

  private static let added = Mutex(Added())

  /// Makes a drawer known as a method; one of the same name is replaced.
  public static func add(_ kind: DrawerKind) {
    added.withLock { $0.drawers = $0.drawers.filter { $0.id != kind.id } + [kind] }
  }

  /// Makes an objective known; one of the same name is replaced.
  public static func add(_ kind: ObjectiveKind) {
    added.withLock { $0.objectives = $0.objectives.filter { $0.name != kind.name } + [kind] }
  }

  /// Makes a filter known; one of the same name is replaced.
  public static func add(_ kind: FilterKind) {
    added.withLock { $0.filters = $0.filters.filter { $0.name != kind.name } + [kind] }
  }

  /// All drawers, in the order of help.
  public static var drawers: [DrawerKind] { DrawerKind.builtIn + added.withLock { $0.drawers } }
  /// All objectives, in the order of help.
  public static var objectives: [ObjectiveKind] {
    ObjectiveKind.builtIn + added.withLock { $0.objectives }
  }
  /// All filters, in the order of help.
  public static var filters: [FilterKind] { FilterKind.builtIn + added.withLock { $0.filters } }

  /// The drawer `id`.
  public static func drawer(_ id: String) -> DrawerKind? { drawers.last { $0.id == id } }
}
