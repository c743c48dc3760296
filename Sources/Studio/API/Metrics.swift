import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Painting
import Synchronization

/// What the studio counts, for Prometheus.
final class Metrics: Sendable {
  private struct Counts {
    var requests: [String: Int] = [:]
    var seconds = 0.0
    var claims = [Int](repeating: 0, count: Metrics.bounds.count + 1)
    var claimSeconds = 0.0
  }

  /// Upper bounds of the seconds in which claims are counted.
  private static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

  private let counts = Mutex(Counts())
  private let start = Date()

  /// Counts an answered request.
  func note(status: Int, seconds: Double) {
    counts.withLock { counts in
      counts.requests["\(status / 100)xx", default: 0] += 1
      counts.seconds += seconds
    }
  }

  /// Counts a job that a worker elsewhere asked for.
  func note(claim seconds: Double) {
    counts.withLock { counts in
      counts.claims[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
      counts.claimSeconds += seconds
    }
  }

  /// The text that Prometheus reads (exposition format 0.0.4).
  /// - Parameters:
  ///   - jobs: by state.
  ///   - broker: nil where all is painted here.
  func text(
    jobs: [Job.State: Int], pictures: Int, listeners: Int, broker: JobBroker? = nil
  ) -> String {
    let counts = counts.withLock { $0 }
    var lines: [String] = []
    func add(_ name: String, _ type: String, _ help: String, _ values: [(String, String)]) {
      lines.append("# HELP \(name) \(help)")
      lines.append("# TYPE \(name) \(type)")
      lines += values.map { "\(name)\($0.0) \($0.1)" }
    }
    add(
      "reverie_http_requests_total", "counter", "Answered requests by class of status.",
      counts.requests.sorted { $0.key < $1.key }.map { ("{status=\"\($0.key)\"}", "\($0.value)") })
    add(
      "reverie_http_seconds_total", "counter", "Seconds spent on answering.",
      [("", "\(counts.seconds)")])
    add(
      "reverie_jobs", "gauge", "Jobs by state.",
      Job.State.allCases.map { ("{state=\"\($0.rawValue)\"}", "\(jobs[$0] ?? 0)") })
    add("reverie_pictures", "gauge", "Pictures in the gallery.", [("", "\(pictures)")])
    add("reverie_listeners", "gauge", "Open streams of events.", [("", "\(listeners)")])
    if let broker { describe(broker, counts, add) }
    add(
      "process_start_time_seconds", "gauge", "When the studio was started.",
      [("", "\(start.timeIntervalSince1970)")])
    if let memory = Self.residentBytes {
      add(
        "process_resident_memory_bytes", "gauge", "Memory of the server, without its workers.",
        [("", "\(memory)")])
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func describe(
    _ broker: JobBroker, _ counts: Counts,
    _ add: (String, String, String, [(String, String)]) -> Void
  ) {
    let (standing, roster) = (broker.standing, broker.roster)
    add(
      "reverie_broker_up", "gauge", "Whether the broker of jobs is reached.",
      [("", standing.since == nil ? "0" : "1")])
    add(
      "reverie_broker_tickets", "gauge", "Jobs in the broker, waiting or handed out.",
      [("", "\(standing.tickets)")])
    add(
      "reverie_broker_published_total", "counter", "Jobs handed to the broker.",
      [("", "\(standing.published)")])
    let present = roster.entries.filter { roster.isPresent($0) }
    let busy = present.count { $0.lease != nil }
    add(
      "reverie_workers", "gauge", "Workers elsewhere that are there.",
      [("{state=\"painting\"}", "\(busy)"), ("{state=\"waiting\"}", "\(present.count - busy)")])
    // Names are of plain letters.
    func each(_ value: (WorkerRoster.Entry) -> Int) -> [(String, String)] {
      present.map { ("{worker=\"\($0.description.name)\"}", "\(value($0))") }
    }
    add(
      "reverie_worker_finished_total", "counter", "Jobs that a worker has brought to an end.",
      each(\.finished))
    add("reverie_worker_failed_total", "counter", "Jobs that failed with a worker.", each(\.failed))
    add(
      "reverie_leases_lost_total", "counter", "Jobs that were lost by their workers.",
      [("", "\(roster.counts.lost)")])
    add(
      "reverie_workers_refused_total", "counter", "Workers that were turned away.",
      [("", "\(roster.counts.refused)")])
    var sum = 0
    let buckets = counts.claims.enumerated().map { place, count in
      sum += count
      let bound = Self.bounds.indices.contains(place) ? "\(Self.bounds[place])" : "+Inf"
      return ("_bucket{le=\"\(bound)\"}", "\(sum)")
    }
    add(
      "reverie_claim_seconds", "histogram", "Seconds in which workers were given jobs.",
      buckets + [("_sum", "\(counts.claimSeconds)"), ("_count", "\(sum)")])
  }

  /// Memory of this process; nil where the system does not tell.
  static var residentBytes: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return nil
    }
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return pages.map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
  }
}

/// Counts and logs requests.
struct WatchMiddleware: RouterMiddleware {
  typealias Context = StudioContext
  let metrics: Metrics

  func handle(
    _ request: HummingbirdCore.Request, context: StudioContext,
    next: (HummingbirdCore.Request, StudioContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    let response = try await next(request, context)
    let seconds = (ContinuousClock.now - start).seconds
    metrics.note(status: response.status.code, seconds: seconds)
    context.logger.debug(
      "request",
      metadata: [
        "method": "\(request.method)", "path": "\(request.uri.path)",
        "status": "\(response.status.code)",
        "milliseconds": "\((seconds * 100_000).rounded() / 100)",
      ])
    return response
  }
}
