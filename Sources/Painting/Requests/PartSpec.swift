/// A part of the machine by name, with its weight and arguments, as the command line writes it:
///
/// ```
/// palette:0.5,colors=[red,#0044ff],steps=8
/// ```
///
/// and as JSON: `{"name": "palette", "weight": 0.5, "colors": "[red,#0044ff]", "steps": 8}`.
public struct PartSpec: Sendable, Hashable {
  /// Which part.
  public var name: String
  /// How much it counts; nil is the part's own.
  public var weight: Double?
  /// Its arguments by name.
  public var arguments: [String: JSONValue]

  /// A part; see the fields.
  public init(_ name: String, weight: Double? = nil, _ arguments: [String: JSONValue] = [:]) {
    self.name = name
    self.weight = weight
    self.arguments = arguments
  }
}
