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
  }

  private let counts = Mutex(Counts())
  private let start = Date()

  /// Counts an answered request.
  func note(status: Int, seconds: Double) {
    counts.withLock { counts in
      counts.requests["\(status / 100)xx", default: 0] += 1
      counts.seconds += seconds
    }
  }

  /// The text that Prometheus reads (exposition format 0.0.4).
  func text(jobs: [Job.State: Int], pictures: Int, listeners: Int) -> String {
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
