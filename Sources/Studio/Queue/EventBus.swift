import Foundation
import Synchronization

/// Tells listeners that something was written down, and shows them pictures on the way, which are not.
///
/// A listener that is slow misses nothing: what it is told is only to look again, and of pictures on the
/// way the newest is enough.
final class EventBus: Sendable {
  /// A picture on the way.
  struct Preview: Sendable {
    let job: String
    let step: Int
    let jpeg: Data
  }

  /// What a listener is told.
  enum Notice: Sendable {
    /// There are new events.
    case news
    /// There is a newer picture on the way of this job.
    case preview(String)
    /// Nothing, only so that a listener who has gone is noticed.
    case beat
  }

  private struct State {
    var listeners: [Int: Listener] = [:]
    var previews: [String: Preview] = [:]
    var next = 0
    var isOver = false
  }

  private struct Listener {
    let job: String?
    let notices: AsyncStream<Notice>.Continuation
  }

  private let state = Mutex(State())

  /// Most listeners at a time.
  let limit: Int

  init(limit: Int = 1_000) { self.limit = limit }

  /// How many listen.
  var count: Int { state.withLock { $0.listeners.count } }

  /// Notices of one job, or of all, until the caller stops listening or the studio ends; nil when there
  /// are too many listeners already.
  func listen(to job: String?) -> AsyncStream<Notice>? {
    let (stream, continuation) = AsyncStream<Notice>.makeStream(
      bufferingPolicy: .bufferingNewest(8))
    let number: Int? = state.withLock { state in
      guard state.listeners.count < limit else { return nil }
      state.next += 1
      if state.isOver {
        continuation.finish()
      } else {
        state.listeners[state.next] = Listener(job: job, notices: continuation)
      }
      return state.next
    }
    guard let number else { return nil }
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
    }
    return stream
  }

  /// Tells that something was written down about a job.
  func tell(_ job: String) {
    for listener in listeners(of: job) { listener.yield(.news) }
  }

  /// Looks whether the listeners are there still.
  func beat() {
    let all = state.withLock { $0.listeners.values.map(\.notices) }
    for listener in all { listener.yield(.beat) }
  }

  /// Shows a picture on the way.
  func show(_ preview: Preview) {
    state.withLock { $0.previews[preview.job] = preview }
    for listener in listeners(of: preview.job) { listener.yield(.preview(preview.job)) }
  }

  /// The newest picture on the way.
  func preview(of job: String) -> Preview? { state.withLock { $0.previews[job] } }

  /// All newest pictures on the way.
  var previews: [Preview] { state.withLock { Array($0.previews.values) } }

  /// Forgets the picture on the way of a job that is over.
  func forget(_ job: String) {
    _ = state.withLock { $0.previews.removeValue(forKey: job) }
  }

  /// Ends all listening, for good.
  func end() {
    let all = state.withLock { state in
      state.isOver = true
      defer { state.listeners = [:] }
      return state.listeners.values.map(\.notices)
    }
    for listener in all { listener.finish() }
  }

  private func listeners(of job: String) -> [AsyncStream<Notice>.Continuation] {
    state.withLock { state in
      state.listeners.values.filter { $0.job == nil || $0.job == job }.map(\.notices)
    }
  }
}
