import Weights

/// Seeds, as numbers and as words.
public enum Seed {
  /// The seeds that there are: those that JSON's numbers hold exactly.
  public static let range = 0...(1 << 53 - 1)

  /// The seed that a text stands for: the number that it writes, else the first 52 bits of its SHA-256,
  /// blanks around it left out.
  /// - Parameter field: what errors name.
  /// - Throws: `RequestError.badValue` for nothing, and for a number that is no seed: whatever begins with
  ///   a digit and is a number to somebody, as `1e400` and `1..4` are.
  public static func number(of text: String, field: String = "seed") throws(RequestError) -> Int {
    let text = text.trimmed
    let hasDigits = text.utf8.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let isNumber =
      hasDigits && (Double(text) != nil || text.allSatisfy { "0123456789+-.,_".contains($0) })
    guard !isNumber, !text.isEmpty else {
      let value = Int(text).map(JSONValue.integer) ?? .string(text)
      guard case .integer(let seed) = try ParameterKind.integer(range).check(value, of: field)
      else { throw .badValue(field: field, reason: "must be a whole number or a word") }
      return seed
    }
    // Thirteen digits of four bits: within `range`.
    guard let seed = Int(Checksum.sha256(of: text).prefix(13), radix: 16) else {
      preconditionFailure("a checksum is written in hexadecimal digits")
    }
    return seed
  }
}
