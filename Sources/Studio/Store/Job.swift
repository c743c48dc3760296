import Foundation
import GRDB
import Painting

/// Something to be painted, and how it stands.
struct Job: Codable, Sendable, Equatable, FetchableRecord, MutablePersistableRecord {
  static let databaseTableName = "jobs"

  /// How a job stands. It goes forward only, but for a job whose worker or server was ended, which is
  /// queued again.
  enum State: String, Codable, Sendable, CaseIterable, DatabaseValueConvertible {
    case queued, painting, finished, failed, cancelled

    /// Whether nothing more will happen to it.
    var isOver: Bool { self != .queued && self != .painting }
  }

  /// Where it came from.
  enum Source: String, Codable, Sendable, DatabaseValueConvertible {
    case api, openai, a1111
  }

  /// Counts jobs; gives their order of arrival.
  var number: Int64?
  /// Its name.
  var id: String
  /// How it stands.
  var state: State
  /// Its place in the queue: lower ones first.
  var position: Double
  /// The prompt as typed, before presets.
  var prompt: String
  /// The request as JSON, resolved.
  var request: String
  /// Number of pictures.
  var count: Int
  /// What is made of the request, `JobSpec` as JSON; nil is just pictures.
  var work: String?
  /// Names of presets, by commas.
  var presets: String
  /// Where it came from.
  var source: Source
  /// The client's key, under which the same job is never taken twice.
  var key: String?
  /// The picture that it was made from.
  var parent: String?
  /// Seconds since 1970.
  var created: Double
  /// When it was first begun.
  var started: Double?
  /// When it was over.
  var ended: Double?
  /// Where it is or was painted.
  var device: String?
  /// How often its worker has crashed since it last came further.
  var failures = 0
  /// How often its worker was ended by somebody else.
  var interruptions = 0
  /// How far it was when its worker last crashed.
  var failedAt: Int?
  /// Steps done.
  var step: Int?
  /// Steps in all.
  var total: Int?
  /// What a step is.
  var unit: String?
  /// Most bytes of memory that its worker on this machine held; nil where none told.
  var memory: Int?
  /// Whether somebody ended it before its time and kept what there was.
  var stopped = false
  /// Why it failed, for people.
  var reason: String?
  /// The field of the request that is to blame.
  var field: String?
  /// What it needs of a worker elsewhere, as `Needs.json`; nil where that was not asked yet.
  var needs: String?
  /// The ticket on which a worker elsewhere paints it; nil where none does.
  var ticket: String?
  /// How often it was given to a worker elsewhere: who has an earlier turn has lost it.
  var turn = 0

  mutating func didInsert(_ inserted: InsertionSuccess) { number = inserted.rowID }

  /// The request.
  /// - Throws: `RequestError` when a newer program wrote it.
  func painted() throws -> Request { try Request(json: Data(request.utf8)) }

  /// What is made of the request; nil is just pictures.
  func decodedWork() throws -> JobSpec? {
    try work.map { try JSONDecoder().decode(JobSpec.self, from: Data($0.utf8)) }
  }

  /// Names of presets.
  var presetNames: [String] { presets.split(separator: ",").map(String.init) }
}

/// Something that happened to a job. Numbers grow over all jobs.
struct StoredEvent: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
  static let databaseTableName = "events"

  /// What happened.
  enum Kind: String, Codable, Sendable, DatabaseValueConvertible {
    case queued, started, progress, picture, retried, finished, failed, cancelled, moved, changed
  }

  /// Grows over all jobs.
  var id: Int64?
  /// The job's, or empty where it is about pictures alone.
  var job: String
  /// What happened.
  var kind: Kind
  /// Seconds since 1970.
  var time: Double
  /// What more there is to tell, as JSON.
  var body: String

  mutating func didInsert(_ inserted: InsertionSuccess) { id = inserted.rowID }
}

/// A finished picture.
struct PictureRecord: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
  static let databaseTableName = "pictures"

  /// Counts pictures; gives the order of the gallery.
  var number: Int64?
  /// Its name: the job's, and its place among the job's pictures.
  var id: String
  /// The job that painted it.
  var job: String
  /// Counted from 1 within the job.
  var place: Int
  /// Seconds since 1970.
  var created: Double
  /// The prompt as typed.
  var prompt: String
  /// `Metadata` as JSON.
  var metadata: String
  /// The method's name.
  var method: String
  /// The seed.
  var seed: Int
  /// Pixels in a row.
  var width: Int
  /// Rows.
  var height: Int
  /// CLIP's similarity, where it was measured.
  var score: Double?
  /// Whether it was kept when painting was stopped.
  var stopped: Bool
  /// The picture that it was made from.
  var parent: String?
  /// The ending of its film's file; nil where it does not move.
  var film: String?
  /// Whether somebody likes it.
  var favourite = false
  /// When it was thrown away; nil while it is kept.
  var deleted: Double?
  /// Whether it was recorded how it came about.
  var traced = false

  mutating func didInsert(_ inserted: InsertionSuccess) { number = inserted.rowID }

  /// Its name.
  static func id(job: String, place: Int) -> String { "\(job)-\(place)" }
}
