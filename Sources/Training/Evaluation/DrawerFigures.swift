import Foundation

/// What a drawer achieved over several prompts, in cosines of a CLIP that did not guide it.
public struct DrawerFigures: Sendable, Equatable {
  /// Of the picture that each prompt's painting began with.
  public let start: Mean
  /// Of the pictures painted for all the other prompts: what any picture of this drawer gets.
  public let others: Mean
  /// Of the finished picture.
  public let final: Mean
  /// Of the finished picture less that of its beginning, prompt by prompt.
  public let gain: Mean
  /// How often the finished picture fits better than its beginning.
  public let wins: Proportion
  /// How often the finished picture fits its own prompt better than any other.
  public let found: Proportion

  /// Figures of cosines with a row for each prompt's picture and a column for each prompt.
  /// - Parameters:
  ///   - start: of the pictures to begin with; nil for a drawer that does not begin with one.
  ///   - final: of the finished pictures.
  public init(start: [[Double]]?, final: [[Double]]) {
    let own = final.indices.map { final[$0][$0] }
    let first = start.map { rows in rows.indices.map { rows[$0][$0] } } ?? []
    let gains = zip(own, first).map { $0 - $1 }
    self.start = Mean(first)
    self.final = Mean(own)
    others = Mean(
      final.count < 2
        ? []
        : final.indices.map { prompt in
          let rest = final.indices.filter { $0 != prompt }.map { final[$0][prompt] }
          return rest.reduce(0, +) / Double(rest.count)
        })
    gain = Mean(gains)
    wins = Proportion(gains.filter { $0 > 0 }.count, of: gains.count)
    found = Proportion(
      final.indices.filter { final[$0].max() == final[$0][$0] }.count, of: final.count)
  }
}

/// A mean with its uncertainty.
public struct Mean: Sendable, Equatable, CustomStringConvertible {
  /// The mean; 0 of nothing.
  public let value: Double
  /// The standard error of the mean, `s / √n` with the sample's standard deviation; 0 of less than two
  /// values.
  public let error: Double
  /// How many values there were.
  public let count: Int

  /// The mean of values.
  public init(_ values: [Double]) {
    let n = Double(values.count)
    let mean = values.isEmpty ? 0 : values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    value = mean
    error = values.count < 2 ? 0 : (squares / (n - 1) / n).squareRoot()
    count = values.count
  }

  /// Such as `0.312 ± 0.021`; a dash of nothing.
  public var description: String {
    count == 0 ? "–" : String(format: "%.3f ± %.3f", value, error)
  }
}
