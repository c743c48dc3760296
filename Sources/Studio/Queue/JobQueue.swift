import Foundation
import Imaging
import Logging
import Painting

/// The queue: takes jobs, hands them to foremen, and writes down what becomes of them.
actor JobQueue {
  nonisolated let store: Store
  nonisolated let folder: StudioFolder
  /// Who is told.
  nonisolated let bus: EventBus
  nonisolated let logger: Logger
  /// Most jobs that may wait.
  nonisolated let limit: Int

  /// What is known of a job while it is painted.
  struct Live: Sendable {
    /// Work before the first step.
    var preparing: WorkerEvent.Progress?
    var progress: WorkerEvent.Progress?
    var firstStep: Int?
    var firstTime: ContinuousClock.Instant?
    var eta: Double?
    var noted: ContinuousClock.Instant?

    /// Whether it is time to write down how far it is: twice a second is often enough for people; the disk
    /// is spared the rest, and more of it the more jobs are painted.
    mutating func isDue(among jobs: Int) -> Bool {
      let now = ContinuousClock.now
      if let noted, now - noted <= .milliseconds(500) * max(1, jobs / 4) { return false }
      noted = now
      return true
    }
  }

  private var live: [String: Live] = [:]
  private var stopRequests: [String: Stop] = [:]
  private var workers: [String: any Stoppable] = [:]
  private var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
  private var nextSleeper = 0
  private var news = 0
  private var isClosing = false
  /// Told when a job waits that workers elsewhere might paint.
  private var broker: (any JobAnnouncing)?

  /// A queue on the folder and its database.
  init(
    store: Store, folder: StudioFolder, bus: EventBus = EventBus(), logger: Logger,
    limit: Int = 20_000
  ) {
    self.store = store
    self.folder = folder
    self.bus = bus
    self.logger = logger
    self.limit = limit
  }

  /// Puts in order what a studio that was killed left, and forgets what was thrown away long ago.
  /// - Parameter broker: hands jobs to workers elsewhere, who may be at work still.
  func begin(broker: (any JobAnnouncing)? = nil) async throws {
    self.broker = broker
    try await store.recover(keepingLeases: broker != nil)
    for home in [folder.runs, folder.kept] {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: home.path)) ?? [] {
        let id = name.hasPrefix(".") ? "" : String(name.prefix { $0 != "." })
        if let job = try await store.job(id), !job.state.isOver { continue }
        try? FileManager.default.removeItem(at: home.appending(path: name))
      }
    }
    try await purge()
  }

  /// Removes the files of pictures that were thrown away a month ago, and those that were handed in then
  /// and are named by no job that waits and no picture.
  func purge() async throws {
    let month = Date().timeIntervalSince1970 - 30 * 86_400
    try await emptyBin(before: month)
    for input in try await store.purgeInputs(before: month) {
      try? FileManager.default.removeItem(at: folder.input(input.sha256, ending: input.ending))
    }
  }

  /// Removes pictures for good that were thrown away before a moment.
  /// - Returns: how many there were.
  @discardableResult func emptyBin(before moment: Double) async throws -> Int {
    let gone = try await store.purge(before: moment)
    for file in gone.flatMap(folder.files) { try? FileManager.default.removeItem(at: file) }
    return gone.count
  }

  // MARK: For clients

  /// Takes a job.
  /// - Throws: `QueueError.full`.
  func submit(_ new: Store.NewJob) async throws -> (job: Job, isNew: Bool) {
    let taken = try await store.accept(new, limit: limit)
    if taken.isNew {
      bus.tell(taken.job.id)
      wake()
    }
    return taken
  }

  /// Ends a job.
  /// - Parameter keep: whether what there is so far becomes a picture.
  /// - Returns: the job, or nil when there is none or it was over already.
  func cancel(_ id: String, keep: Bool) async throws -> Job? {
    guard let job = try await store.job(id), !job.state.isOver else { return nil }
    if job.state == .queued {
      let ended = try await store.change(id, .cancelled) { job in
        // A runner may have taken it in the meantime: then it is stopped below.
        if job.state == .queued { job.state = .cancelled }
      }
      if let ended {
        drop(id)
        bus.tell(id)
        return ended
      }
    }
    stopRequests[id] = keep ? .keep : .discard
    await workers[id]?.stop(id, keep ? .keep : .discard)
    return try await store.job(id)
  }

  /// Moves a waiting job before another one, or to the end.
  func move(_ id: String, before other: String?) async throws -> Bool {
    let moved = try await store.move(id, before: other)
    if moved { bus.tell(id) }
    return moved
  }

  /// What is known of a job while it is painted.
  func live(_ id: String) -> Live? { live[id] }

  /// Jobs that are being painted, with what is known of them.
  var allLive: [String: Live] { live }

  // MARK: For foremen

  /// The next job for a device; waits for one. Nil when the studio ends.
  func next(for device: String) async throws -> Job? {
    while !isClosing {
      let seen = news
      if let job = try await store.claim(for: device) {
        live[job.id] = Live()
        bus.tell(job.id)
        return job
      }
      // A job that came between the look and here is not slept through.
      if news == seen, !isClosing { await sleep() }
    }
    return nil
  }

  private func sleep() async {
    let number = nextSleeper
    nextSleeper += 1
    await withCheckedContinuation { sleepers[number] = $0 }
  }

  private func wake() {
    news += 1
    let all = sleepers
    sleepers = [:]
    for sleeper in all.values { sleeper.resume() }
    broker?.announce()
  }

  /// Lets foremen go home once they are done.
  func shut() {
    isClosing = true
    wake()
  }

  /// Whether work is still taken up.
  var isOpen: Bool { !isClosing }

  /// Takes work up again after `shut`, for tests.
  func reopen() { isClosing = false }

  /// Notes who paints a job, so that it can be stopped; a wish that came before is passed on.
  func begins(_ id: String, with worker: any Stoppable) async {
    workers[id] = worker
    if live[id] == nil { live[id] = Live() }
    if isClosing {
      await worker.stop(id, .leave)
    } else if let wish = stopRequests[id] {
      await worker.stop(id, wish)
    }
  }

  /// Stops all that is being painted at a checkpoint.
  func leaveAll() async {
    shut()
    for (id, worker) in workers { await worker.stop(id, .leave) }
  }

  /// Writes down what a worker tells.
  func note(_ report: WorkerEvent, of job: Job) async throws {
    switch report {
    case .preparing(let progress): try await note(preparing: progress, of: job)
    case .step(let progress): try await note(progress, of: job)
    case .preview(let step, let jpeg):
      bus.show(EventBus.Preview(job: job.id, step: step, jpeg: jpeg))
    case .picture(let result): try await take(result, of: job)
    case .ready, .started, .ended, .failed: break
    }
  }

  /// Nothing of it is the job's own step: where a worker crashed is compared with those.
  private func note(preparing progress: WorkerEvent.Progress, of job: Job) async throws {
    var known = live[job.id] ?? Live()
    known.preparing = progress
    let isDue = known.isDue(among: live.count)
    live[job.id] = known
    guard isDue else { return }
    try await store.change(job.id, .progress, Self.fields(of: known)) { job in
      (job.step, job.total, job.unit) = (progress.step, progress.total, progress.unit)
    }
    bus.tell(job.id)
  }

  private func note(_ progress: WorkerEvent.Progress, of job: Job) async throws {
    let now = ContinuousClock.now
    var known = live[job.id] ?? Live()
    if known.progress?.picture != progress.picture { known.firstStep = nil }
    known.progress = progress
    if let first = known.firstStep, let since = known.firstTime, progress.step > first {
      let pace = (now - since) / .seconds(1) / Double(progress.step - first)
      let rest = (progress.rest ?? 0) * progress.total
      known.eta = pace * Double(progress.total - progress.step + rest)
    } else {
      known.firstStep = progress.step
      known.firstTime = now
    }
    let isDue = known.isDue(among: live.count)
    live[job.id] = known
    guard isDue else { return }
    let done = (progress.picture - 1) * progress.total + progress.step
    try await store.change(job.id, .progress, Self.fields(of: known)) { job in
      (job.step, job.total, job.unit) = (progress.step, progress.total, progress.unit)
      // Beyond where its worker last crashed: that crash does not count any more.
      if let failedAt = job.failedAt, done > failedAt {
        job.failures = 0
        job.failedAt = nil
      }
    }
    bus.tell(job.id)
  }

  /// Progress as events and jobs have it.
  static func fields(of live: Live) -> [String: JSONValue] {
    guard let progress = live.progress ?? live.preparing else { return [:] }
    return [
      "step": .integer(progress.step), "total": .integer(progress.total),
      "unit": .string(progress.unit), "picture": .integer(progress.picture),
      "loss": JSONValue(progress.loss), "eta": JSONValue(live.eta),
    ]
  }

  private func take(_ result: WorkerEvent.Result, of job: Job) async throws {
    let metadata = try Metadata(json: result.metadata)
    let id = PictureRecord.id(job: job.id, place: result.place)
    try Self.place(URL(filePath: result.path), at: folder.picture(id))
    if let film = result.film { try Self.place(URL(filePath: film), at: folder.film(id)) }
    if let sheet = result.attention {
      try Self.place(URL(filePath: sheet), at: folder.attention(id))
    }
    if let trace = result.trace { try Self.place(URL(filePath: trace), at: folder.trace(id)) }
    let request = metadata.request
    let scale = metadata.enlarged ?? 1
    try await store.add(
      PictureRecord(
        id: id, job: job.id, place: result.place, created: Date().timeIntervalSince1970,
        prompt: job.prompt, metadata: result.metadata, method: request.method?.rawValue ?? "",
        seed: request.seed ?? 0, width: (request.width ?? 0) * scale,
        height: (request.height ?? 0) * scale,
        score: result.score, stopped: result.stopped, parent: job.parent,
        film: result.film == nil ? nil : "mp4", traced: result.trace != nil), memory: result.memory)
    bus.tell(job.id)
  }

  /// Puts a file in its place on the disk for good; the same one again does no harm.
  private static func place(_ file: URL, at target: URL) throws {
    let home = target.deletingLastPathComponent()
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    let partial = home.appending(path: ".\(target.lastPathComponent).part")
    try? FileManager.default.removeItem(at: partial)
    if link(file.path, partial.path) != 0 {
      try FileManager.default.copyItem(at: file, to: partial)
    }
    for path in [partial.path, home.path] {
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      if descriptor >= 0 {
        fsync(descriptor)
        close(descriptor)
      }
    }
    guard rename(partial.path, target.path) == 0 else {
      throw StudioError.folder(path: target.path, reason: String(cString: strerror(errno)))
    }
    // Two names of one file are not renamed onto one another.
    try? FileManager.default.removeItem(at: partial)
  }

  // MARK: Ends

  /// A job was painted to its end, or to where it was stopped.
  func end(_ id: String, _ ending: JobOutcome) async throws {
    let wish = stopRequests[id]
    switch ending {
    case .finished:
      try await store.change(id, .finished) { $0.state = .finished }
    case .stopped where wish == .keep:
      let kept = try await !(store.pictures(of: [id])[id] ?? []).isEmpty
      try await store.change(id, kept ? .finished : .cancelled) { job in
        job.state = kept ? .finished : .cancelled
        job.stopped = true
      }
    case .stopped:
      try await store.change(id, .cancelled) { $0.state = .cancelled }
    case .left:
      return try await putBack(id)
    }
    drop(id)
    bus.tell(id)
  }

  /// A job cannot be painted.
  func fail(_ id: String, _ failure: WorkerEvent.Failure) async throws {
    try await store.change(
      id, .failed, ["reason": .string(failure.reason), "field": JSONValue(failure.field)]
    ) { job in
      job.state = .failed
      (job.reason, job.field) = (failure.reason, failure.field)
    }
    drop(id)
    bus.tell(id)
  }

  /// Queues a job again, from whose checkpoint it will be gone on with.
  private func putBack(_ id: String) async throws {
    try await store.change(id, .queued) { job in
      job.state = .queued
      (job.device, job.ticket) = (nil, nil)
    }
    forget(id)
    bus.tell(id)
    wake()
  }

  /// A worker is gone: its job is tried once more, then given up.
  func note(_ death: WorkerDeath, of id: String) async throws {
    if let wish = stopRequests[id] {
      // It was to be stopped anyhow.
      return try await end(id, wish == .leave ? .left : .stopped)
    }
    guard let job = try await store.job(id), !job.state.isOver else { return forget(id) }
    let tooOften = death.isFromOutside ? job.interruptions >= 100 : job.failures >= 1
    guard !tooOften else {
      return try await fail(id, WorkerEvent.Failure(reason: death.reason, field: nil))
    }
    let progress = live[id]?.progress
    let done = progress.map { ($0.picture - 1) * $0.total + $0.step }
    try await store.change(id, .retried, ["reason": .string("\(death)")]) { job in
      job.state = .queued
      (job.device, job.ticket) = (nil, nil)
      if death.isFromOutside {
        job.interruptions += 1
      } else {
        job.failures += 1
        job.failedAt = done ?? 0
      }
    }
    forget(id)
    bus.tell(id)
    wake()
  }

  /// Forgets what is known of a job while it is painted.
  private func forget(_ id: String) {
    live[id] = nil
    workers[id] = nil
    bus.forget(id)
  }

  /// Forgets a job that is over, and removes its run.
  private func drop(_ id: String) {
    forget(id)
    stopRequests[id] = nil
    let run = folder.run(of: id)
    // It loses its name first, so that there never is half a run.
    let gone = folder.runs.appending(path: ".\(id).gone")
    let renamed = rename(run.path, gone.path) == 0
    try? FileManager.default.removeItem(at: renamed ? gone : run)
    folder.kept(of: id).remove()
  }

  /// How a job that is painted is to be stopped; nil where it is not.
  func wish(for id: String) -> Stop? { stopRequests[id] }
}

/// Who hands jobs to workers elsewhere.
protocol JobAnnouncing: Sendable {
  /// There may be more jobs than were handed on.
  func announce()
}
