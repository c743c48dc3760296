/// A kind of objective: what `--objective` chooses among.
public struct ObjectiveKind: Sendable {
  /// Its name, `palette` for instance.
  public let name: String
  /// What is wanted, in one sentence without the final stop.
  public let help: String
  /// Its arguments.
  public let arguments: [PartArgument]
  let make: @Sendable (PartContext) throws -> any Objective

  /// A kind; see the fields. The weight is applied from outside.
  public init(
    _ name: String, _ help: String, arguments: [PartArgument] = [],
    make: @escaping @Sendable (PartContext) throws -> any Objective
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
  let make: @Sendable (PartContext) throws -> any Filter

  /// A kind; see the fields.
  public init(
    _ name: String, _ help: String, arguments: [PartArgument] = [],
    make: @escaping @Sendable (PartContext) throws -> any Filter
  ) {
    self.name = name
    self.help = help
    self.arguments = arguments
    self.make = make
  }
}
