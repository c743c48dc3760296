import Foundation
import Painting

/// What a worker is told, one JSON object a line.
enum Command: Codable, Sendable {
  /// Paint this.
  case paint(JobAssignment)
  /// Stop the job that is being painted after its step.
  case stop(Stop)
}

/// How a job that is being painted is stopped.
enum Stop: String, Codable, Sendable {
  /// What there is so far becomes a picture.
  case keep
  /// Nothing of it is wanted.
  case discard
  /// A checkpoint is made, from which it will be gone on with.
  case leave
}

/// A job as a worker sees it.
struct JobAssignment: Codable, Sendable {
  /// A file that the request names.
  struct File: Codable, Sendable {
    /// What the request calls it.
    var reference: FileReference
    /// Where it lies.
    var path: String
  }

  /// The job.
  var job: String
  /// Resolved.
  var request: Request
  /// Number of pictures.
  var count: Int
  /// What is made of it; nil is just pictures.
  var work: JobSpec?
  /// The folder of the run, which is there already when it was begun before.
  var run: String
  /// The files.
  var files: [File]
  /// Paths of what was kept of the run elsewhere, by their names in its folder; nil where there is none.
  var kept: [String: String]?
  /// The kinds of processor that painted it one after the other, where they were several.
  var processors: [String]?

  /// Goes on from a checkpoint.
  /// - Parameters:
  ///   - processor: the kind that will paint.
  ///   - path: where the file of a hash lies.
  mutating func go(
    on checkpoint: KeptFiles.Checkpoint?, here processor: String, _ path: (String) -> String
  ) {
    guard let checkpoint else { return }
    kept = checkpoint.files.mapValues(path)
    let all =
      checkpoint.processors.last == processor
      ? checkpoint.processors : checkpoint.processors + [processor]
    processors = all.count > 1 ? all : nil
  }
}

/// What a worker tells, one JSON object a line.
enum WorkerEvent: Codable, Sendable {
  /// It has the device and waits for orders.
  case ready(device: String, threads: Int)
  /// Painting begins, at this size.
  case started(width: Int, height: Int)
  /// Work before the first step is so far.
  case preparing(Progress)
  /// One more step is done.
  case step(Progress)
  /// A picture on the way, as JPEG.
  case preview(step: Int, jpeg: Data)
  /// A finished picture lies in a file.
  case picture(Result)
  /// It came to an end.
  case ended(JobOutcome)
  /// It cannot be painted.
  case failed(Failure)

  /// How far it is.
  struct Progress: Codable, Sendable, Equatable {
    /// Steps done, of the picture that is being painted.
    var step: Int
    /// Steps in all.
    var total: Int
    /// What a step is.
    var unit: String
    /// The loss, where there is one.
    var loss: Double?
    /// Which picture of the job, counted from 1.
    var picture: Int
    /// Pictures of as many steps each that follow it.
    var rest: Int?

    /// What the engine told of a picture.
    init(_ progress: Event.Progress, picture: Int, rest: Int? = nil) {
      self.init(
        step: progress.step, total: progress.total, unit: progress.unit, loss: progress.loss,
        picture: picture)
      self.rest = rest
    }

    init(step: Int, total: Int, unit: String, loss: Double? = nil, picture: Int) {
      (self.step, self.total, self.unit) = (step, total, unit)
      (self.loss, self.picture) = (loss, picture)
    }
  }

  /// A finished picture.
  struct Result: Codable, Sendable {
    /// Counted from 1 within the job.
    var place: Int
    /// Its PNG file.
    var path: String
    /// The MP4 file of a film, whose last frame the PNG is.
    var film: String?
    /// The PNG file of the sheet that shows which word painted where; nil where none is wanted.
    var attention: String?
    /// The file that tells how it came about; nil where that was not recorded.
    var trace: String?
    /// `Metadata` as JSON.
    var metadata: String
    /// CLIP's similarity, where it was measured.
    var score: Double?
    /// Whether it is what there was when painting was stopped.
    var stopped: Bool
    /// Most bytes that the worker held while it was painted; nil where the system does not tell.
    var memory: Int?
  }

  /// Why it cannot be painted.
  struct Failure: Codable, Sendable, Error, Equatable {
    /// For people.
    var reason: String
    /// The field of the request that is to blame.
    var field: String?
  }
}

/// How a job came to its end in a worker.
enum JobOutcome: String, Codable, Sendable {
  /// All is painted.
  case finished
  /// Stopped; what was to be kept has been told.
  case stopped
  /// Left at a checkpoint.
  case left
}

/// How a worker went while it painted.
struct WorkerDeath: Error, Sendable, Equatable {
  /// The signal that ended it; nil when it ended itself.
  var signal: Int32?
  /// Its exit code, when it ended itself.
  var code: Int32?
  /// Whether the system ended it because memory ran out.
  var isOutOfMemory = false
  /// What it complained about last.
  var complaint: String?

  /// Whether somebody else ended it, so that the job is not to blame.
  var isFromOutside: Bool {
    [SIGKILL, SIGTERM, SIGINT, SIGHUP].contains(signal ?? 0) && !isOutOfMemory
  }

  /// For people, with the next step.
  var reason: String {
    if isOutOfMemory {
      return
        "The machine ran out of memory while painting this. Try a smaller size, fewer cutouts or "
        + "fewer candidates."
    }
    let how = signal.map { "was ended by signal \($0)" } ?? "ended with code \(code ?? 0)"
    return "The program that paints \(how), twice at the same place. "
      + (complaint.map { "It said: \($0)" } ?? "Try other settings, and see: reverie doctor")
  }
}

/// Something that can be asked to stop a job.
protocol Stoppable: Sendable {
  /// Asks to stop a job after its step, be it painted already or next.
  func stop(_ job: String, _ how: Stop) async
}

/// Something that paints jobs, one after the other: a worker process, or a stand-in in a test.
protocol Worker: Stoppable {
  /// Paints a job.
  /// - Parameter tell: takes what happens, in order; when it throws, painting ends.
  /// - Throws: `WorkerEvent.Failure` when the job cannot be painted, `WorkerDeath` when the worker is gone.
  func paint(_ order: JobAssignment, tell: @escaping @Sendable (WorkerEvent) async throws -> Void)
    async throws
    -> JobOutcome
  /// Ends the worker, which has nothing to paint.
  func close() async
}

/// Lines of JSON.
enum Lines {
  static func line(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return try encoder.encode(value) + Data("\n".utf8)
  }

  static func read<Value: Decodable>(_ line: String, as type: Value.Type) -> Value? {
    try? JSONDecoder().decode(type, from: Data(line.utf8))
  }
}
