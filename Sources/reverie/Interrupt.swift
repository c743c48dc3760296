@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Notes SIGINT and SIGTERM instead of dying of them; the second one ends the program at once.
final class Interrupt: Sendable {
  private let count = Mutex(0)
  private let sources: [any DispatchSourceSignal]

  init() {
    var sources: [any DispatchSourceSignal] = []
    let queue = DispatchQueue(label: "interrupt")
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      sources.append(DispatchSource.makeSignalSource(signal: number, queue: queue))
    }
    self.sources = sources
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
    if times > 1 { exit(130) }
  }

  /// Whether the user asked to stop.
  var happened: Bool { count.withLock { $0 > 0 } }
}
