import Foundation
import Synchronization

/// Who paints for the studio elsewhere, as far as was heard of them since it was started.
final class WorkerRoster: Sendable {
  /// A worker.
  struct Entry: Sendable {
    var description: WorkerDescription
    /// When it was first heard of.
    var since: Date
    /// When it was last heard of.
    var seen: Date
    /// What it paints.
    var lease: Lease?
    /// Jobs that it has brought to an end.
    var finished = 0
    /// Jobs that failed with it.
    var failed = 0
  }

  private struct State {
    var workers: [String: Entry] = [:]
    /// When a job's worker was last heard of.
    var signs: [String: (lease: Lease, time: Date)] = [:]
    var lost = 0
    var refused = 0
  }

  private let state = Mutex(State())
  /// Seconds after which who has not been heard of is lost.
  let lease: Double
  /// Most workers that are remembered.
  private static let limit = 10_000

  init(lease: Double) { self.lease = lease }

  /// A worker says that it is there.
  func greet(_ description: WorkerDescription, at now: Date = Date()) {
    state.withLock { state in
      if state.workers.count >= Self.limit {
        state.workers = state.workers.filter { now.timeIntervalSince($0.value.seen) < 3_600 }
      }
      state.workers[
        description.name, default: Entry(description: description, since: now, seen: now)
      ]
      .seen = now
      state.workers[description.name]?.description = description
    }
  }

  /// A worker was turned away.
  func refuse() { state.withLock { $0.refused += 1 } }

  /// A job was given to a worker, or was lost by another one before.
  func give(_ lease: Lease, to worker: String, at now: Date = Date()) {
    state.withLock { state in
      for (name, entry) in state.workers where entry.lease?.job == lease.job && name != worker {
        state.workers[name]?.lease = nil
        state.lost += 1
      }
      state.signs[lease.job] = (lease, now)
      state.workers[worker]?.lease = lease
      state.workers[worker]?.seen = now
    }
  }

  /// A worker was heard of with a job that is its own.
  func note(_ lease: Lease, of worker: String, at now: Date = Date()) {
    state.withLock { state in
      state.signs[lease.job] = (lease, now)
      state.workers[worker]?.lease = lease
      state.workers[worker]?.seen = now
    }
  }

  /// A job is no longer with a worker.
  /// - Parameter finished: whether it came to a good end; nil where it came to none.
  func end(_ lease: Lease, finished: Bool?) {
    state.withLock { state in
      state.signs[lease.job] = nil
      for (name, entry) in state.workers where entry.lease == lease {
        state.workers[name]?.lease = nil
        if let finished {
          if finished {
            state.workers[name]?.finished += 1
          } else {
            state.workers[name]?.failed += 1
          }
        }
      }
    }
  }

  /// A job's worker was not heard of for so long that the job is taken from it.
  func lose(_ lease: Lease) {
    state.withLock { $0.lost += 1 }
    end(lease, finished: nil)
  }

  /// The lease on which a job is known to be painted.
  func lease(of job: String) -> Lease? { state.withLock { $0.signs[job]?.lease } }

  /// Whether who has a lease was heard of so lately that it counts as at work.
  func isAtWork(_ lease: Lease, at now: Date = Date()) -> Bool {
    seconds(since: lease, at: now).map { $0 < self.lease } ?? false
  }

  /// Seconds since who has a lease was heard of; nil where it never was.
  func seconds(since lease: Lease, at now: Date = Date()) -> Double? {
    state.withLock { state in
      guard let sign = state.signs[lease.job], sign.lease == lease else { return nil }
      return now.timeIntervalSince(sign.time)
    }
  }

  /// All workers, by name.
  var entries: [Entry] {
    state.withLock { $0.workers.values.sorted { $0.description.name < $1.description.name } }
  }

  /// Whether a worker counts as there.
  func isPresent(_ entry: Entry, at now: Date = Date()) -> Bool {
    now.timeIntervalSince(entry.seen) < 3 * lease
  }

  /// How often a job was lost by its worker, and a worker turned away.
  var counts: (lost: Int, refused: Int) { state.withLock { ($0.lost, $0.refused) } }
}
