import Foundation
import Models
import Synchronization
import Torch

/// Candidates that are sampled together.
///
/// Groups depend on nothing but the number of candidates before them, so that the first candidates are
/// the same however many follow. The first is small, so that there is something to see soon.
struct CandidateGroup {
  /// Candidates before this group.
  let start: Int
  /// Candidates in this group.
  let size: Int

  static func all(of count: Int) -> [CandidateGroup] {
    let starts = count > 2 ? [0] + Array(stride(from: 2, to: count, by: 4)) : [0]
    return zip(starts, starts.dropFirst() + [count]).map {
      CandidateGroup(start: $0, size: $1 - $0)
    }
  }
}

/// Samples groups of candidates side by side, each on a thread of its own.
///
/// A step through a network that reads one position of a few pictures is too short to be shared among
/// threads: on two cores, two groups at once take half the time of one after the other, and one group
/// on two threads takes longer than on one.
struct CandidateSampler: @unchecked Sendable {
  let dalle: DALLEBart
  /// Tokens of the text and of the empty text, `[1, T]` each.
  let text: Tensor
  let empty: Tensor
  let sampling: DALLEBart.Sampling
  let seed: UInt64

  /// - Parameters:
  ///   - isStopped: asked on the calling thread alone.
  ///   - progress: told how many tokens of all groups are drawn, one call at a time, on any thread.
  /// - Returns: the codes of each group, `[size, positions, levels]`; fewer groups when stopped.
  func callAsFunction(
    _ groups: [CandidateGroup], isStopped: () -> Bool, progress: (Int) -> Void
  ) throws -> [Tensor] {
    let threads = Libtorch.threads
    defer { Libtorch.threads = threads }
    let results = Mutex(Results(codes: groups.map { _ in nil }))
    // `concurrentPerform` returns when all are done, so these may be used on other threads.
    nonisolated(unsafe) let (isStopped, progress, caller) = (isStopped, progress, Thread.current)
    DispatchQueue.concurrentPerform(iterations: groups.count) { index in
      Libtorch.threads = 1  // a setting of the calling thread
      let asks = Thread.current == caller
      do {
        let codes = try sample(groups[index]) {
          results.withLock { results in
            results.tokens += groups[index].size
            progress(results.tokens)
            if asks, isStopped() { results.isStopped = true }
            return results.isStopped
          }
        }
        nonisolated(unsafe) let found = codes
        results.withLock { $0.codes[index] = found }
      } catch {
        results.withLock { $0.error = error }
      }
    }
    return try results.withLock { results in
      if let error = results.error { throw error }
      return Array(results.codes.prefix { $0 != nil }).compactMap(\.self)
    }
  }

  private struct Results: @unchecked Sendable {
    var codes: [Tensor?]
    var tokens = 0
    var isStopped = false
    var error: (any Error)?
  }

  private struct Stop: Error {}

  /// The codes of one group; nil when `drew`, which is told of each position, says to stop.
  private func sample(_ group: CandidateGroup, drew: () -> Bool) throws -> Tensor? {
    let stream = RandomStream(seed: seed, "candidates from \(group.start)")
    do {
      return try dalle.sample(text, empty: empty, count: group.size, sampling, stream) { _ in
        if drew() { throw Stop() }
      }
    } catch is Stop {
      return nil
    }
  }
}
