/// A table that renames the keys of a foreign layout of the same weights to ours.
///
/// A rule is a pair of patterns in which `*` stands for one part between two points, or for the rest of a
/// part (`down_*`); the n-th star of the right side repeats the n-th of the left. The first rule that
/// matches a key decides; a key that none matches keeps its name. Our `weight` and `bias` follow by `…*`
/// at the end of a pattern like any other part.
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
    /// A kernel of flax, `[in, out]` or `[H, W, in, out]`, becomes PyTorch's weight, `[out, in]` or
    /// `[out, in, H, W]`.
    case kernel
    /// Part `index` of `count` tensors that are joined along the first dimension; with `rows`, so many rows of
    /// each in turn, as where a head's query, key and value lie together. With `rank`, what is joined gets or loses
    /// trailing dimensions of size one to reach it.
    case part(Int, of: Int, rows: Int? = nil, rank: Int? = nil)
    /// Trailing dimensions of size one are added or dropped to reach this rank.
    case rank(Int)
  }

  /// One line of the table.
  public struct Rule: Sendable {
    let from: [Substring]
    let to: [Substring]
    let change: Change
    let isStacked: Bool
    let map: (@Sendable ([Substring]) -> [String])?

    /// A rule.
    ///
    /// - Parameters:
    ///   - from: pattern of the foreign key.
    ///   - to: our key.
    ///   - change: what happens to the tensor.
    ///   - stacked: whether the tensor holds that of every layer along its first dimension, as flax's
    ///     `scan` leaves them; the last star of `to`, which `from` does not have, is the layer's number.
    ///   - map: from the parts that the stars matched to the parts to put in their place.
    public init(
      _ from: String, _ to: String, _ change: Change = .none, stacked: Bool = false,
      map: (@Sendable ([Substring]) -> [String])? = nil
    ) {
      self.from = from.split(separator: ".")
      self.to = to.split(separator: ".")
      self.change = change
      isStacked = stacked
      self.map = map
    }

    /// Our key for a foreign one, nil when the pattern does not match.
    /// - Parameter layer: of a stacked tensor, which of its layers.
    func apply(_ key: String, layer: Int? = nil) -> String? {
      let parts = key.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == from.count else { return nil }
      var stars: [Substring] = []
      for (part, pattern) in zip(parts, from) {
        if pattern.last == "*", part.hasPrefix(pattern.dropLast()), part.count >= pattern.count {
          stars.append(part.dropFirst(pattern.count - 1))
        } else if part != pattern {
          return nil
        }
      }
      var rest = (map?(stars) ?? stars.map(String.init))[...]
      if let layer { rest.append(String(layer)) }
      return to.map { part in
        part.last == "*" ? part.dropLast() + (rest.popFirst() ?? "*") : String(part)
      }.joined(separator: ".")
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
  indirect enum Origin: Equatable {
    case key(String)
    case layer(Int, of: String)
    case transposed(Origin)
    case kernel(Origin)
    case joined([String], rows: Int?)
    case reshaped(Origin, rank: Int)

    /// The file's keys.
    var keys: [String] {
      switch self {
      case .key(let key), .layer(_, let key): [key]
      case .transposed(let origin), .kernel(let origin), .reshaped(let origin, _): origin.keys
      case .joined(let keys, _): keys
      }
    }
  }

  /// Our keys and where their values come from. A key of which parts are lacking is left out, and so
  /// is reported as missing.
  /// - Parameter shape: of a tensor of the file.
  func plan(_ keys: [String], shape: (String) -> [Int]?) -> [String: Origin] {
    var plan: [String: Origin] = [:]
    var parts: [String: (keys: [String?], rows: Int?, rank: Int?)] = [:]
    for key in keys {
      guard
        let (rule, ours) = rules.lazy.compactMap({ rule in rule.apply(key).map { (rule, $0) } })
          .first
      else {
        plan[key] = .key(key)
        continue
      }
      if case .part(let index, let count, let rows, let rank) = rule.change {
        parts[ours, default: (Array(repeating: nil, count: count), rows, rank)].keys[index] = key
      } else if rule.isStacked {
        for layer in 0..<min(shape(key)?.first ?? 0, Self.mostLayers) {
          guard let ours = rule.apply(key, layer: layer) else { continue }
          plan[ours] = rule.change.applied(to: .layer(layer, of: key))
        }
      } else {
        plan[ours] = rule.change.applied(to: .key(key))
      }
    }
    for (ours, part) in parts {
      let present = part.keys.compactMap { $0 }
      guard present.count == part.keys.count else { continue }
      let joined = Origin.joined(present, rows: part.rows)
      plan[ours] = part.rank.map { .reshaped(joined, rank: $0) } ?? joined
    }
    return plan
  }

  /// Most layers that one tensor is taken for.
  private static let mostLayers = 1_024

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

extension KeyRules.Change {
  fileprivate func applied(to origin: KeyRules.Origin) -> KeyRules.Origin {
    switch self {
    case .none, .part: origin
    case .transpose: .transposed(origin)
    case .kernel: .kernel(origin)
    case .rank(let rank): .reshaped(origin, rank: rank)
    }
  }
}

extension KeyRules.Origin {
  /// The dimensions of flax's kernel in PyTorch's order.
  static func kernelOrder(_ rank: Int) -> [Int] {
    rank < 2 ? Array(0..<rank) : [rank - 1, rank - 2] + Array(0..<rank - 2)
  }
}
