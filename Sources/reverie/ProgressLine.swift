import Foundation
import Painting
import Synchronization

/// A line on a terminal that tells how far painting is. Elsewhere, and in the first two seconds,
/// there is none.
final class ProgressLine: Sendable {
  private struct State {
    let start = ContinuousClock.now
    var first: (step: Int, time: ContinuousClock.Instant)?
    var last = ContinuousClock.now
    var isShown = false
  }

  private let enabled: Bool
  private let heading: String
  private let state = Mutex(State())

  /// - Parameters:
  ///   - enabled: false shows nothing.
  ///   - heading: stands before the numbers.
  init(enabled: Bool, heading: String = "") {
    self.enabled = enabled && isatty(STDERR_FILENO) == 1
    self.heading = heading
  }

  /// Shows a step, at most ten times a second.
  func show(_ progress: Event.Progress) {
    guard enabled else { return }
    let now = ContinuousClock.now
    state.withLock { state in
      guard let first = state.first, progress.step > first.step else {
        state.first = (progress.step, now)
        return
      }
      guard now - state.start > .seconds(2), now - state.last > .milliseconds(100) else { return }
      state.last = now
      state.isShown = true
      let spent = (now - first.time).seconds
      let pace = Double(progress.step - first.step) / max(spent, 1e-6)
      let left = Int(Double(progress.total - progress.step) / max(pace, 1e-6))
      let filled = 24 * progress.step / max(1, progress.total)
      let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled)
      let loss = progress.loss.map { String(format: "  loss %.3f", $0) } ?? ""
      write(
        "\r\u{1B}[K\(heading)\(progress.step)/\(progress.total) [\(bar)] "
          + String(format: "%.1f", pace)
          + " \(progress.unit)\(progress.unit.hasSuffix("s") ? "es" : "s")/s, "
          + "\(left / 60):\(left % 60 < 10 ? "0" : "")\(left % 60) left\(loss)")
    }
  }

  /// Takes the line away.
  func clear() {
    state.withLock { state in
      if state.isShown { write("\r\u{1B}[K") }
      state.isShown = false
    }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
