/// How long a step is as painting goes on: a tenth after each drop, as in pixray, but with the
/// optimiser's moments kept.
///
/// Drops come at given iterations, or earlier when nothing has become better for a while; when that
/// happens with no drop left, painting should end.
struct RateSchedule: Codable, Equatable {
  /// Iterations at which the step becomes a tenth, rising.
  let drops: [Int]
  /// Iterations without a better picture after which the next drop comes.
  let patience: Int?
  private(set) var dropped = 0
  private var lowest: Double?
  private var since = 0
  /// Whether nothing has become better for so long that painting should end.
  private(set) var isExhausted = false

  /// - Parameters:
  ///   - percentages: of the iterations, at which the step drops.
  ///   - iterations: in all.
  init(percentages: [Double], iterations: Int, patience: Int?) {
    // As pixray: a share of the last iteration's number, rounded down.
    drops = percentages.map { Int($0 / 100 * Double(max(0, iterations - 1))) }.sorted()
    self.patience = patience
  }

  /// By how much the learning rate is multiplied at `iteration`.
  mutating func factor(at iteration: Int) -> Double {
    while dropped < drops.count, drops[dropped] <= iteration { drop() }
    return (0..<dropped).reduce(1) { factor, _ in factor / 10 }
  }

  /// Takes note of a loss.
  mutating func note(_ loss: Double) {
    guard let patience else { return }
    guard let lowest, loss >= lowest else {
      (self.lowest, since) = (loss, 0)
      return
    }
    since += 1
    guard since >= patience else { return }
    if dropped < drops.count { drop() } else { isExhausted = true }
  }

  private mutating func drop() {
    dropped += 1
    (lowest, since) = (nil, 0)
  }
}
