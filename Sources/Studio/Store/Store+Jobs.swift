import Foundation
import GRDB
import Painting

extension Store {
  /// A job as it is handed in.
  struct NewJob: Sendable {
    var prompt: String
    var request: Request
    var count: Int
    var work: JobSpec?
    var presets: [String] = []
    var source = Job.Source.api
    var key: String?
    var parent: String?
    /// What was read otherwise than it was meant, perhaps; told once, in the answer.
    var remarks: [Remark] = []
  }

  /// Takes a job: when this returns, it is on the disk.
  /// - Parameter limit: most jobs that may wait.
  /// - Returns: the job, and whether it is new: of two with one key the second is the first one.
  /// - Throws: `QueueError.full`.
  func accept(_ new: NewJob, limit: Int) async throws -> (job: Job, isNew: Bool) {
    let request = String(decoding: try JSONEncoder().encode(new.request), as: UTF8.self)
    let work = try new.work.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    return try await pool.write { db in
      if let key = new.key, let known = try Job.filter(Column("key") == key).fetchOne(db) {
        return (known, false)
      }
      let waiting = try Job.filter(Column("state") == Job.State.queued.rawValue).fetchCount(db)
      guard waiting < limit else { throw QueueError.full(limit: limit) }
      let last = try Double.fetchOne(db, sql: "SELECT MAX(position) FROM jobs") ?? 0
      let now = Date()
      var job = Job(
        id: Identifier.new(at: now), state: .queued, position: last + 1, prompt: new.prompt,
        request: request, count: new.count, work: work, presets: new.presets.joined(separator: ","),
        source: new.source, key: new.key, parent: new.parent, created: now.timeIntervalSince1970)
      try job.insert(db)
      try Self.note(.queued, job.id, in: db)
      return (job, true)
    }
  }

  /// The job of a name.
  func job(_ id: String) async throws -> Job? {
    try await pool.read { try Job.filter(Column("id") == id).fetchOne($0) }
  }

  /// A page of jobs.
  struct JobPage: Sendable {
    var jobs: [Job]
    /// Where the next page begins; nil after the last.
    var next: String?
  }

  /// Jobs in the order of the queue where they wait, else the newest first.
  /// - Parameters:
  ///   - states: which; empty is all.
  ///   - after: where an earlier page said that this begins.
  func jobs(_ states: [Job.State], after: String?, limit: Int) async throws -> JobPage {
    let isQueue = !states.isEmpty && states.allSatisfy { !$0.isOver }
    let column = Column(isQueue ? "position" : "number")
    return try await pool.read { db in
      var query = Job.order(isQueue ? column.asc : column.desc)
      if !states.isEmpty { query = query.filter(states.map(\.rawValue).contains(Column("state"))) }
      if let after, let bound = Double(after) {
        query = query.filter(isQueue ? column > bound : column < bound)
      }
      let found = try query.limit(limit + 1).fetchAll(db)
      let jobs = Array(found.prefix(limit))
      let next = found.count > limit ? jobs.last : nil
      return JobPage(
        jobs: jobs, next: next.map { isQueue ? "\($0.position)" : "\($0.number ?? 0)" })
    }
  }

  /// How many jobs stand in each state.
  func jobCounts() async throws -> [Job.State: Int] {
    try await pool.read { db in
      let rows = try Row.fetchAll(db, sql: "SELECT state, COUNT(*) AS n FROM jobs GROUP BY state")
      return rows.reduce(into: [:]) { counts, row in
        if let state = Job.State(rawValue: row["state"]) { counts[state] = row["n"] }
      }
    }
  }

  /// How many jobs wait before each of these.
  func places(of jobs: [Job]) async throws -> [String: Int] {
    let waiting = jobs.filter { $0.state == .queued }.sorted { $0.position < $1.position }
    guard !waiting.isEmpty else { return [:] }
    return try await pool.read { db in
      let queued = Job.filter(Column("state") == Job.State.queued.rawValue)
      var (place, counted) = (0, -Double.infinity)
      // Each counts on from the one before it: a page lies together in the queue.
      return try waiting.reduce(into: [:]) { places, job in
        place += try queued.filter(
          Column("position") >= counted && Column("position") < job.position
        ).fetchCount(db)
        counted = job.position
        places[job.id] = place
      }
    }
  }

  // MARK: Painting

  /// Takes the first job that waits for `device`; nil when none does.
  func claim(for device: String) async throws -> Job? {
    try await pool.write { db in
      guard
        var job = try Job.filter(Column("state") == Job.State.queued.rawValue)
          .order(Column("position")).fetchOne(db)
      else { return nil }
      job.state = .painting
      (job.device, job.ticket) = (device, nil)
      job.started = job.started ?? Date().timeIntervalSince1970
      try job.update(db)
      try Self.note(.started, job.id, ["device": .string(device)], in: db)
      return job
    }
  }

  /// Queues again what was being painted when the studio was ended.
  /// - Parameter keepingLeases: whether workers elsewhere may go on with what they have.
  func recover(keepingLeases: Bool = false) async throws {
    try await pool.write { db in
      try db.execute(
        sql: "UPDATE jobs SET state = 'queued', device = NULL, ticket = NULL "
          + "WHERE state = 'painting'" + (keepingLeases ? " AND ticket IS NULL" : ""))
    }
  }

  /// Changes a job that is not over, with an event.
  /// - Returns: the job after it, or nil when there is none, it was over already, or nothing changed.
  @discardableResult
  func change(
    _ id: String, _ kind: StoredEvent.Kind, _ body: [String: JSONValue] = [:],
    _ change: @escaping @Sendable (inout Job) -> Void
  ) async throws -> Job? {
    try await pool.write { db in
      guard var job = try Job.filter(Column("id") == id).fetchOne(db), !job.state.isOver else {
        return nil
      }
      let before = job
      change(&job)
      guard job != before else { return nil }
      if job.state.isOver {
        job.ended = Date().timeIntervalSince1970
        // How it came to its end needs no telling afterwards.
        try db.execute(
          sql: "DELETE FROM events WHERE job = ? AND kind = 'progress'", arguments: [id])
      }
      try job.update(db)
      try Self.note(kind, id, body, in: db)
      return job
    }
  }

  /// Moves a waiting job before another one, or to the end.
  /// - Returns: false when one of them does not wait.
  func move(_ id: String, before other: String?) async throws -> Bool {
    try await pool.write { db in
      let queued = Job.filter(Column("state") == Job.State.queued.rawValue)
      guard var job = try queued.filter(Column("id") == id).fetchOne(db) else { return false }
      if let other {
        guard other != id else { return true }
        guard let next = try queued.filter(Column("id") == other).fetchOne(db) else { return false }
        let before = try Double.fetchOne(
          db, sql: "SELECT MAX(position) FROM jobs WHERE position < ? AND id <> ?",
          arguments: [next.position, id])
        job.position = ((before ?? next.position - 2) + next.position) / 2
        if job.position == before || job.position == next.position {
          // Halved too often to lie between: all waiting ones get whole numbers again.
          let all = try queued.filter(Column("id") != id).order(Column("position")).fetchAll(db)
          let first = try Double.fetchOne(db, sql: "SELECT MAX(position) FROM jobs") ?? 0
          for (index, var waiting) in all.enumerated() {
            let shift = waiting.position >= next.position ? 2.0 : 1.0
            waiting.position = first.rounded(.up) + Double(index) + shift
            try waiting.update(db)
            if waiting.id == other { job.position = waiting.position - 1 }
          }
        }
      } else {
        let last = try Double.fetchOne(db, sql: "SELECT MAX(position) FROM jobs") ?? 0
        job.position = last + 1
      }
      try job.update(db)
      try Self.note(.moved, id, in: db)
      return true
    }
  }

  // MARK: Events

  /// Writes an event down, inside a transaction.
  static func note(
    _ kind: StoredEvent.Kind, _ job: String, _ body: [String: JSONValue] = [:], in db: Database
  ) throws {
    var event = StoredEvent(
      job: job, kind: kind, time: Date().timeIntervalSince1970, body: JSONValue.object(body).json)
    try event.insert(db)
  }

  /// Events after number `after`, of one job or of all.
  func events(after: Int64, job: String?, limit: Int = 200) async throws -> [StoredEvent] {
    try await pool.read { db in
      var query = StoredEvent.filter(Column("id") > after)
      if let job { query = query.filter(Column("job") == job) }
      return try query.order(Column("id")).limit(limit).fetchAll(db)
    }
  }

  /// The number of the newest event.
  func lastEvent() async throws -> Int64 {
    try await pool.read { try Int64.fetchOne($0, sql: "SELECT MAX(id) FROM events") ?? 0 }
  }
}

/// What the queue says no to.
enum QueueError: Error, Equatable {
  /// There is no room for more.
  case full(limit: Int)
}
