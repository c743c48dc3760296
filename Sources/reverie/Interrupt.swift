@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Notes SIGINT and SIGTERM instead of dying of them; the second one ends the program at once.
final class Interrupt: Sendable {
  private let count = Mutex(0)
  private let sources: [any DispatchSourceSignal]
  private let first: @Sendable () -> Void

  /// - Parameter first: called once, at the first signal.
  init(_ first: @escaping @Sendable () -> Void = {}) {
    self.first = first
    let queue = DispatchQueue(label: "interrupt")
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for source in sources {
      source.setEventHandler { [weak self] in self?.note() }
      source.resume()
    }
  }

  private func note() {
    let times = count.withLock {
      $0 += 1
      return $0
    }
    if times > 1 { _exit(130) }
    first()
  }

  /// Whether the user asked to stop.
  var happened: Bool { count.withLock { $0 > 0 } }
}
