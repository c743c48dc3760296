import Foundation
import Synchronization

/// A serial executor on one thread of its own, for actors that own networks.
///
/// libtorch keeps settings and worker threads for each calling thread, and a step takes long enough
/// to starve the cooperative pool; so all steps of an engine run here.
final class ModelThread: SerialExecutor {
  private struct State: ~Copyable {
    var jobs: [UnownedJob] = []
    var ended = false
  }

  private final class Queue: Sendable {
    private let condition = NSCondition()
    private let state = Mutex(State())

    func put(_ job: UnownedJob) {
      state.withLock { $0.jobs.append(job) }
      signal()
    }

    func end() {
      state.withLock { $0.ended = true }
      signal()
    }

    private func signal() {
      condition.lock()
      condition.broadcast()
      condition.unlock()
    }

    /// The next job, waited for; nil at the end.
    func take() -> UnownedJob? {
      condition.lock()
      defer { condition.unlock() }
      while true {
        let (job, ended) = state.withLock { state in
          (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.ended)
        }
        if let job { return job }
        if ended { return nil }
        condition.wait()
      }
    }
  }

  private let queue = Queue()

  /// - Parameter start: runs first on the thread.
  init(start: @escaping @Sendable () -> Void) {
    let queue = queue
    let executor = Unmanaged.passUnretained(self)
    let unowned = UnownedReference(executor)
    let thread = Thread {
      start()
      while let job = queue.take() {
        job.runSynchronously(on: unowned.executor())
      }
    }
    thread.name = "reverie.models"
    thread.stackSize = 16 << 20
    thread.start()
  }

  deinit { queue.end() }

  func enqueue(_ job: consuming ExecutorJob) { queue.put(UnownedJob(job)) }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

/// The executor without keeping it alive; the actor does that while jobs exist.
private struct UnownedReference: @unchecked Sendable {
  let reference: Unmanaged<ModelThread>
  init(_ reference: Unmanaged<ModelThread>) { self.reference = reference }
  func executor() -> UnownedSerialExecutor {
    reference.takeUnretainedValue().asUnownedSerialExecutor()
  }
}
