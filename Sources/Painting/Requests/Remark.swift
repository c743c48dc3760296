/// Something that was read otherwise than it was meant, perhaps, or that has no effect: no error, but to
/// be told to whoever asked. See ``Resolver/remarks(on:_:)``.
public struct Remark: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The field of the request that it is about.
  public let field: String
  /// One or two sentences.
  public let text: String

  /// A remark; see the fields.
  public init(_ field: String, _ text: String) { (self.field, self.text) = (field, text) }

  /// The sentences.
  public var description: String { text }
}
