/// A table that renames the keys of a foreign layout of the same weights to ours.
///
/// A rule is a pair of patterns in which `*` stands for one part between two points (the n-th star of
/// the right side repeats the n-th of the left). The first rule that matches a key decides; a key
/// that none matches keeps its name. Our `weight` and `bias` follow by `…*` at the end of a pattern
/// like any other part.
///
/// ```swift
/// KeyRules(name: "transformers", mark: "text_model.embeddings.token_embedding.weight", rules: [
///   .init("text_model.encoder.layers.*.layer_norm1.*", "transformer.resblocks.*.ln_1.*"),
///   .init("text_projection.weight", "text_projection", .transpose),
/// ])
/// ```
public struct KeyRules: Sendable {
  /// What happens to the tensor on the way.
  public enum Change: Sendable, Equatable {
    /// Nothing.
    case none
    /// A matrix is transposed.
    case transpose
    /// Part `index` of `count` tensors that are joined along the first dimension.
    case part(Int, of: Int)
    /// Trailing dimensions of size one are added or dropped to reach this rank.
    case rank(Int)
  }

  /// One line of the table.
  public struct Rule: Sendable {
    let from: [Substring]
    let to: [Substring]
    let change: Change
    let map: (@Sendable ([Substring]) -> [String])?

    /// A rule.
    ///
    /// - Parameters:
    ///   - from: pattern of the foreign key.
    ///   - to: our key.
    ///   - change: what happens to the tensor.
    ///   - map: from the parts that the stars matched to the parts to put in their place.
    public init(
      _ from: String, _ to: String, _ change: Change = .none,
      map: (@Sendable ([Substring]) -> [String])? = nil
    ) {
      self.from = from.split(separator: ".")
      self.to = to.split(separator: ".")
      self.change = change
      self.map = map
    }

    /// Our key for a foreign one, nil when the pattern does not match.
    func apply(_ key: String) -> String? {
      let parts = key.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == from.count else { return nil }
      var stars: [Substring] = []
      for (part, pattern) in zip(parts, from) {
        if pattern == "*" {
          stars.append(part)
        } else if part != pattern {
          return nil
        }
      }
      var rest = (map?(stars) ?? stars.map(String.init))[...]
      return to.map { $0 == "*" ? rest.popFirst() ?? "*" : String($0) }.joined(separator: ".")
    }
  }

  /// The layout's name, for errors.
  public let name: String
  /// A key that only this layout has.
  public let mark: String
  /// The table.
  public let rules: [Rule]
  /// Keys (in our naming, after the rules) that such files hold and no model needs.
  public let ignored: [String]

  /// A table.
  public init(name: String, mark: String, rules: [Rule], ignored: [String] = []) {
    self.name = name
    self.mark = mark
    self.rules = rules
    self.ignored = ignored
  }

  /// Whether these are the keys of a file in this layout.
  public func recognises(_ keys: [String]) -> Bool { keys.contains(mark) }

  /// Where the value of one of our keys comes from.
  enum Origin: Equatable {
    case key(String)
    case transposed(String)
    case joined([String])
    case reshaped(String, rank: Int)

    /// The file's keys.
    var keys: [String] {
      switch self {
      case .key(let key), .transposed(let key), .reshaped(let key, _): [key]
      case .joined(let keys): keys
      }
    }
  }

  /// Our keys and where their values come from. A key of which parts are lacking is left out, and so
  /// is reported as missing.
  func plan(_ keys: [String]) -> [String: Origin] {
    var plan: [String: Origin] = [:]
    var parts: [String: [String?]] = [:]
    for key in keys {
      guard
        let (rule, ours) = rules.lazy.compactMap({ rule in rule.apply(key).map { (rule, $0) } })
          .first
      else {
        plan[key] = .key(key)
        continue
      }
      switch rule.change {
      case .none: plan[ours] = .key(key)
      case .transpose: plan[ours] = .transposed(key)
      case .rank(let rank): plan[ours] = .reshaped(key, rank: rank)
      case .part(let index, let count):
        parts[ours, default: Array(repeating: nil, count: count)][index] = key
      }
    }
    for (ours, keys) in parts {
      let present = keys.compactMap { $0 }
      if present.count == keys.count { plan[ours] = .joined(present) }
    }
    return plan
  }

  /// A shape with trailing ones added or dropped to reach `rank`.
  static func fitted(_ shape: [Int], rank: Int) -> [Int] {
    var shape = shape
    while shape.count > rank, shape.last == 1 { shape.removeLast() }
    while shape.count < rank { shape.append(1) }
    return shape
  }

  /// Whether a key is the pattern, begins with it when it ends in a point or an asterisk, or ends with it
  /// when it begins with an asterisk.
  static func matches(_ key: String, _ pattern: String) -> Bool {
    if pattern.hasPrefix("*") { return key.hasSuffix(pattern.dropFirst()) }
    if pattern.hasSuffix("*") { return key.hasPrefix(pattern.dropLast()) }
    return pattern.hasSuffix(".") ? key.hasPrefix(pattern) : key == pattern
  }
}
