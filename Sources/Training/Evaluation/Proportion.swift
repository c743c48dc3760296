import Foundation

/// A part of a whole with its uncertainty.
public struct Proportion: Sendable, Equatable, CustomStringConvertible {
  /// How many held.
  public let hits: Int
  /// How many there were.
  public let count: Int

  /// `hits` of `count`.
  public init(_ hits: Int, of count: Int) {
    self.hits = hits
    self.count = count
  }

  /// The part, 0 to 1.
  public var value: Double { count == 0 ? 0 : Double(hits) / Double(count) }

  /// Wilson's 95 % score interval (1927).
  public var interval: ClosedRange<Double> {
    guard count > 0 else { return 0...1 }
    let (n, z) = (Double(count), 1.959964)
    let centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, centre - half)...min(1, centre + half)
  }

  /// Such as `74.0 % (68.1-79.2 %, 200 prompts)`.
  public var description: String {
    String(
      format: "%.1f %% (%.1f-%.1f %%, n = %d)", 100 * value, 100 * interval.lowerBound,
      100 * interval.upperBound, count)
  }
}
