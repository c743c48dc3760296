import Foundation
import GRDB
import Painting

/// A right to paint a job elsewhere, which ends when another worker is given it.
struct Lease: Codable, Sendable, Hashable {
  var job: String
  /// See `Job.turn`.
  var turn: Int

  /// As the header of requests has it.
  var text: String { "\(job).\(turn)" }

  init(job: String, turn: Int) { (self.job, self.turn) = (job, turn) }

  /// Reads `text`; nil where it is not that.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, Identifier.isPlausible(String(parts[0])),
      let turn = Int(parts[1])
    else { return nil }
    self.init(job: String(parts[0]), turn: turn)
  }
}

extension Store {
  /// What came of a wish to be given a job.
  enum Claim: Sendable {
    /// It is the worker's to paint.
    case granted(Job)
    /// Nothing of these needs waits.
    case nothing
    /// Somebody paints it who is at work.
    case taken
    /// So many workers were lost with it that it is not given to another one.
    case givenUp(Job)
  }

  /// Most workers that may be lost with one job.
  static let mostLosses = 100

  /// Gives a worker elsewhere a job: the one that an earlier worker had on the same ticket and lost, or the
  /// first that waits and has these needs.
  ///
  /// - Parameters:
  ///   - ticket: the broker's message that entitles to one job.
  ///   - isAgain: whether the broker has handed the message out before, so that who had it then is lost.
  ///   - isAtWork: whether the worker of a job was heard of just now.
  ///   - worker: who asks.
  func claim(
    _ ticket: String, isAgain: Bool, needs: String, for worker: String,
    isAtWork: @escaping @Sendable (Lease) -> Bool
  ) async throws -> Claim {
    try await pool.write { db in
      let painting = Job.filter(
        Column("state") == Job.State.painting.rawValue && Column("ticket") == ticket)
      if var job = try painting.fetchOne(db) {
        // An answer that was lost on its way is asked for again.
        if job.device == worker, !isAgain { return .granted(job) }
        guard isAgain || !isAtWork(Lease(job: job.id, turn: job.turn)) else { return .taken }
        let lost = job.device ?? ""
        job.interruptions += 1
        guard job.interruptions < Self.mostLosses else { return .givenUp(job) }
        job.turn += 1
        job.device = worker
        try job.update(db)
        try Self.note(
          .retried, job.id,
          ["reason": .string("\(lost) was lost"), "device": .string(worker)], in: db)
        return .granted(job)
      }
      let waiting = Job.filter(
        Column("state") == Job.State.queued.rawValue && Column("needs") == needs)
      guard var job = try waiting.order(Column("position")).fetchOne(db) else { return .nothing }
      job.state = .painting
      job.turn += 1
      (job.device, job.ticket) = (worker, ticket)
      job.started = job.started ?? Date().timeIntervalSince1970
      try job.update(db)
      try Self.note(.started, job.id, ["device": .string(worker)], in: db)
      return .granted(job)
    }
  }

  /// The job of a lease; nil when it is over, or somebody else's.
  func job(on lease: Lease) async throws -> Job? {
    guard let job = try await job(lease.job), job.state == .painting, job.ticket != nil,
      job.turn == lease.turn
    else { return nil }
    return job
  }

  /// Jobs that are painted elsewhere.
  func leased() async throws -> [Job] {
    try await pool.read {
      try Job.filter(
        Column("state") == Job.State.painting.rawValue && Column("ticket") != nil
      ).fetchAll($0)
    }
  }

  /// How many jobs of each needs wait or are painted elsewhere.
  func openCounts() async throws -> [String: Int] {
    try await pool.read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT needs, COUNT(*) AS n FROM jobs INDEXED BY "jobs by needs"
          WHERE state IN ('queued', 'painting') AND needs IS NOT NULL GROUP BY needs
          """)
      return rows.reduce(into: [:]) { $0[$1["needs"], default: 0] += $1["n"] as Int }
    }
  }

  /// Jobs that wait and of which it is not known what they need.
  func withoutNeeds() async throws -> [Job] {
    try await pool.read {
      try Job.filter(Column("state") == Job.State.queued.rawValue && Column("needs") == nil)
        .fetchAll($0)
    }
  }

  /// Writes down what jobs need.
  func note(needs: [String: String]) async throws {
    try await pool.write { db in
      for (job, needs) in needs {
        try db.execute(
          sql: "UPDATE jobs SET needs = ? WHERE id = ?", arguments: [needs, job])
      }
    }
  }

  /// How jobs ended since a moment, by where they were painted.
  func endings(since: Double) async throws -> [String: [Job.State: Int]] {
    try await pool.read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT device, state, COUNT(*) AS n FROM jobs INDEXED BY "jobs by end"
          WHERE ended >= ? AND device IS NOT NULL GROUP BY device, state
          """, arguments: [since])
      return rows.reduce(into: [:]) { found, row in
        guard let state = Job.State(rawValue: row["state"]) else { return }
        found[row["device"], default: [:]][state] = row["n"]
      }
    }
  }
}
