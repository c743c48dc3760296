import Foundation
import Imaging
import Painting
import Testing

@testable import Studio

@Suite struct QueueTests {
  @Test("jobs are painted in their order, and their pictures are in the gallery")
  func order() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    let jobs = try await bench.submit("a", "b", "c")
    try await bench.painting(worker) {
      for job in jobs { try await bench.wait(for: job.id) }
    }
    #expect(worker.painted == ["a", "b", "c"])
    let page = try await bench.store.pictures(Store.PictureQuery())
    #expect(page.pictures.map(\.prompt) == ["c", "b", "a"])
    for picture in page.pictures {
      let file = bench.folder.picture(picture.id)
      #expect(try Metadata(ofPictureAt: file.path).request.prompt == picture.prompt)
    }
    // Nothing is left of the runs.
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder.runs.path) == [])
    let events = try await bench.store.events(after: 0, job: jobs[0].id)
    #expect(events.map(\.kind) == [.queued, .started, .picture, .finished])
  }

  @Test("a job of several pictures has them all, each with its own seed")
  func several() async throws {
    let bench = try await Bench()
    let job = try await bench.queue.submit(bench.new("a", count: 3, seed: 7)).job
    try await bench.painting(FakeWorker()) { try await bench.wait(for: job.id) }
    let page = try await bench.store.pictures(Store.PictureQuery())
    #expect(page.pictures.map(\.seed) == [9, 8, 7])
    #expect(try await bench.store.pictures(of: [job.id])[job.id]?.count == 3)
  }

  @Test("a waiting job that is cancelled is never painted")
  func cancelWaiting() async throws {
    let bench = try await Bench()
    let jobs = try await bench.submit("a", "b")
    let cancelled = try #require(try await bench.queue.cancel(jobs[0].id, keep: true))
    #expect(cancelled.state == .cancelled)
    #expect(try await bench.queue.cancel(jobs[0].id, keep: true) == nil)
    let worker = FakeWorker()
    try await bench.painting(worker) { try await bench.wait(for: jobs[1].id) }
    #expect(worker.painted == ["b"])
  }

  @Test(
    "a job that is being painted is stopped, with its picture or without", arguments: [true, false])
  func cancelPainting(_ keep: Bool) async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script("a", [.wait])
    let job = try await bench.submit("a")[0]
    try await bench.painting(worker) {
      try await bench.wait(for: job.id) { $0.state == .painting && $0.step != nil }
      _ = try await bench.queue.cancel(job.id, keep: keep)
      let ended = try await bench.wait(for: job.id)
      #expect(ended.state == (keep ? .finished : .cancelled))
      #expect(ended.stopped == keep)
    }
    #expect(try await bench.store.pictureCount() == (keep ? 1 : 0))
  }

  private static let crash = WorkerDeath(signal: SIGSEGV)

  @Test("a job whose worker crashes is tried once more, and painted")
  func retried() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script("a", [.die(Self.crash, afterStep: 2)])
    let job = try await bench.submit("a")[0]
    try await bench.painting(worker) {
      let ended = try await bench.wait(for: job.id)
      #expect(ended.state == .finished)
    }
    let kinds = try await bench.store.events(after: 0, job: job.id).map(\.kind)
    #expect(kinds.contains(.retried))
  }

  @Test(
    "a job whose worker crashes twice at one place fails with a reason, and the next is painted")
  func givenUp() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script("a", [.die(Self.crash, afterStep: 2), .die(Self.crash, afterStep: 2)])
    let jobs = try await bench.submit("a", "b")
    try await bench.painting(worker) {
      let failed = try await bench.wait(for: jobs[0].id)
      #expect(failed.state == .failed)
      #expect(failed.reason?.contains("signal \(SIGSEGV)") == true)
      #expect(try await bench.wait(for: jobs[1].id).state == .finished)
    }
  }

  private static let classes = WorkerEvent.Progress(
    step: 900, total: 1000, unit: "class", picture: 1)

  @Test("work before the first step is told, but is no step of the job")
  func preparing() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script("a", [.prepare(Self.classes)])
    let job = try await bench.submit("a")[0]
    try await bench.painting(worker) {
      try await bench.wait(for: job.id) { $0.state == .painting && $0.unit == "class" }
      let live = try #require(await bench.queue.live(job.id))
      #expect(live.preparing == Self.classes)
      #expect(live.progress == nil)
      _ = try await bench.queue.cancel(job.id, keep: false)
      try await bench.wait(for: job.id)
    }
  }

  @Test("a crash before the first step does not count any more once there are steps")
  func crashBefore() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script(
      "a",
      [
        .dieBefore(Self.crash, Self.classes), .die(Self.crash, afterStep: 2),
        .dieBefore(Self.crash, Self.classes),
      ])
    let job = try await bench.submit("a")[0]
    try await bench.painting(worker) {
      let ended = try await bench.wait(for: job.id)
      #expect(ended.state == .failed)
    }
    let kinds = try await bench.store.events(after: 0, job: job.id).map(\.kind)
    #expect(kinds.count { $0 == .retried } == 2)
  }

  @Test("a job that brings its worker out of memory says so, and what helps")
  func memory() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    let death = WorkerDeath(signal: SIGKILL, isOutOfMemory: true)
    worker.script("a", [.die(death, afterStep: 1), .die(death, afterStep: 1)])
    let job = try await bench.submit("a")[0]
    try await bench.painting(worker) {
      let failed = try await bench.wait(for: job.id)
      #expect(failed.state == .failed)
      #expect(failed.reason?.contains("smaller size") == true)
    }
  }

  @Test("a job whose worker is ended by others is not to blame, however often")
  func fromOutside() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script(
      "a", Array(repeating: .die(WorkerDeath(signal: SIGKILL), afterStep: 1), count: 5))
    let job = try await bench.submit("a")[0]
    try await bench.painting(worker) {
      let ended = try await bench.wait(for: job.id)
      #expect(ended.state == .finished)
    }
  }

  @Test("a job that cannot be painted fails with what its worker says and the field")
  func refused() async throws {
    let bench = try await Bench()
    let worker = FakeWorker()
    worker.script("a", [.refuse(.init(reason: "No.", field: "cutouts"))])
    let job = try await bench.submit("a")[0]
    try await bench.painting(worker) {
      let failed = try await bench.wait(for: job.id)
      #expect((failed.state, failed.reason, failed.field) == (.failed, "No.", "cutouts"))
    }
  }

  @Test("a studio that ends leaves its job at a checkpoint; the next one goes on with it first")
  func left() async throws {
    let first = try await Bench()
    let worker = FakeWorker()
    worker.script("a", [.wait])
    let jobs = try await first.submit("a", "b")
    try await first.painting(worker) {
      try await first.wait(for: jobs[0].id) { $0.state == .painting && $0.step != nil }
    }
    let job = try #require(try await first.store.job(jobs[0].id))
    #expect(job.state == .queued)
    #expect(job.failures == 0)
    let again = FakeWorker()
    await first.queue.reopen()
    try await first.painting(again) {
      for job in jobs { try await first.wait(for: job.id) }
    }
    #expect(again.painted == ["a", "b"])
  }

  @Test("what a killed studio was painting is queued again, and runs of what is over are removed")
  func recovered() async throws {
    let bench = try await Bench()
    let jobs = try await bench.submit("a", "b")
    _ = try await bench.store.claim(for: "cpu")
    let manager = FileManager.default
    for name in ["\(jobs[0].id).run", "long-gone.run", ".half.run"] {
      try manager.createDirectory(
        at: bench.folder.runs.appending(path: name), withIntermediateDirectories: true)
    }
    try await bench.queue.begin()
    #expect(try await bench.store.jobCounts() == [.queued: 2])
    #expect(
      try manager.contentsOfDirectory(atPath: bench.folder.runs.path) == ["\(jobs[0].id).run"])
    #expect(try await bench.store.claim(for: "cpu")?.id == jobs[0].id)
  }

  @Test("a full queue takes no more")
  func full() async throws {
    let bench = try await Bench { $0.queueLimit = 2 }
    try await bench.submit("a", "b")
    await #expect(throws: QueueError.full(limit: 2)) { try await bench.submit("c") }
  }

  @Test("listeners hear of their job alone, and all of them to the end")
  func listeners() async throws {
    let bench = try await Bench()
    let jobs = try await bench.submit("a", "b")
    let bus = bench.queue.bus
    let streams = try (0..<64).map { _ in try #require(bus.listen(to: jobs[1].id)) }
    async let heard = withTaskGroup(of: Bool.self) { group in
      for stream in streams {
        group.addTask {
          for await notice in stream { if case .news = notice { return true } }
          return false
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    try await bench.painting(FakeWorker()) {
      for job in jobs { try await bench.wait(for: job.id) }
    }
    #expect(await heard == 64)
    bus.end()
    #expect(bus.count == 0)
  }
}
