import Foundation
import Painting

/// What the broker hands out: the right to one job of these needs. Which one it is, the studio says when it is
/// asked, so that its order holds whatever was moved or cancelled meanwhile.
struct Ticket: Codable, Sendable {
  /// Its name.
  var id: String
  /// `Needs.json`.
  var needs: String
}

/// What a studio answers to a worker that describes itself.
struct Welcome: Codable, Sendable {
  /// A place from which tickets are pulled.
  struct Source: Codable, Sendable, Hashable {
    var consumer: String
    var subject: String
  }

  /// The stream of tickets.
  var stream: String
  /// Where there are tickets that the worker can do.
  var sources: [Source]
  /// The subject to which it reports.
  var reports: String
  /// The subject on which it is told things.
  var orders: String
  /// Seconds after which who has not been heard of is lost.
  var lease: Double
}

/// A worker's wish to be given a job.
struct WorkClaim: Codable, Sendable {
  /// `WorkerDescription.name`.
  var worker: String
  /// The ticket that entitles to it.
  var ticket: Ticket
  /// Whether the broker has handed the ticket out before.
  var isAgain: Bool
}

/// A job as a worker elsewhere is given it. Files are named by what they hold.
struct WorkAssignment: Codable, Sendable {
  /// A file that the request names.
  struct Input: Codable, Sendable {
    var reference: FileReference
    /// The ending of its name.
    var ending: String
  }

  /// The right to paint it.
  var lease: Lease
  /// Resolved.
  var request: Request
  /// Number of pictures.
  var count: Int
  /// What is made of it; nil is just pictures.
  var work: JobSpec?
  /// The files that it names.
  var inputs: [Input]
  /// Where to go on; nil at the beginning.
  var checkpoint: KeptFiles.Checkpoint?
}

/// A finished picture as a worker elsewhere tells of it: its files are handed in already.
struct WorkPicture: Codable, Sendable {
  /// Counted from 1 within the job.
  var place: Int
  /// The hash of its PNG file.
  var picture: String
  /// The hash of its film.
  var film: String?
  /// The hash of the sheet that shows which word painted where.
  var attention: String?
  /// The hash of what tells how it came about.
  var trace: String?
  /// `Metadata` as JSON.
  var metadata: String
  /// CLIP's similarity, where it was measured.
  var score: Double?
  /// Whether it is what there was when painting was stopped.
  var stopped: Bool
}

/// How a job came to its end with a worker elsewhere; one of them is there.
struct WorkEnding: Codable, Sendable {
  /// It was painted, stopped or left.
  var outcome: JobOutcome?
  /// It cannot be painted.
  var failure: WorkerEvent.Failure?
  /// What painted it is gone.
  var death: Death?

  /// `WorkerDeath`, as a message.
  struct Death: Codable, Sendable {
    var signal: Int32?
    var code: Int32?
    var isOutOfMemory: Bool
    var complaint: String?

    init(_ death: WorkerDeath) {
      (signal, code) = (death.signal, death.code)
      (isOutOfMemory, complaint) = (death.isOutOfMemory, death.complaint)
    }

    var death: WorkerDeath {
      WorkerDeath(
        signal: signal, code: code, isOutOfMemory: isOutOfMemory,
        complaint: complaint.map { String($0.prefix(400)) })
    }
  }
}

/// What a studio answers to the end of a job.
struct WorkReceipt: Codable, Sendable {
  /// Whether nothing more will happen to it; else somebody is to go on with it.
  var isOver: Bool
}

/// What a worker says through the broker while it paints. Any of it may get lost.
struct WorkReport: Codable, Sendable {
  /// `WorkerDescription.name`.
  var worker: String
  /// What it paints.
  var lease: Lease
  /// What happened; nil is only a sign of life.
  var event: WorkerEvent?
}

/// What a studio tells a worker through the broker. It is told again until the worker heeds it.
struct WorkOrder: Codable, Sendable {
  /// What it paints.
  var lease: Lease
  /// How to stop.
  var stop: Stop
}
