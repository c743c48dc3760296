import Foundation
import Painting
import TestSupport
import Testing
import Torch

@testable import Studio

/// Jobs that are given away, without a broker.
@Suite struct LeaseTests {
  private static let needs = Needs(pack: "tiny 0").json

  private func claim(
    _ bench: Bench, _ ticket: String, again: Bool = false, by worker: String = "w1",
    needs: String = Self.needs, atWork: Bool = true
  ) async throws -> Store.Claim {
    try await bench.store.claim(
      ticket, isAgain: again, needs: needs, for: worker, isAtWork: { _ in atWork })
  }

  private func granted(_ claim: Store.Claim) throws -> Job {
    guard case .granted(let job) = claim else { throw NeverCame(description: "\(claim)") }
    return job
  }

  private func jobs(_ prompts: [String]) async throws -> (Bench, [Job]) {
    let bench = try await Bench()
    var jobs: [Job] = []
    for prompt in prompts { jobs += try await bench.submit(prompt) }
    try await bench.store.note(
      needs: Dictionary(uniqueKeysWithValues: jobs.map { ($0.id, Self.needs) }))
    return (bench, jobs)
  }

  @Test("a ticket gets the first job of its needs, whichever it was published for")
  func order() async throws {
    let (bench, jobs) = try await jobs(["a", "b", "c"])
    _ = try await bench.queue.move(jobs[2].id, before: jobs[0].id)
    _ = try await bench.queue.cancel(jobs[0].id, keep: false)
    #expect(try granted(try await claim(bench, "t1")).prompt == "c")
    #expect(try granted(try await claim(bench, "t2")).prompt == "b")
    guard case .nothing = try await claim(bench, "t3") else {
      Issue.record("the third ticket found a job")
      return
    }
  }

  @Test("a job of other needs is not given")
  func needs() async throws {
    let (bench, _) = try await jobs(["a"])
    var other = Needs(pack: "tiny 0")
    other.models = ["clip": "1"]
    guard case .nothing = try await claim(bench, "t1", needs: other.json) else {
      Issue.record("a job of other needs was given")
      return
    }
  }

  @Test("an answer that was lost is given again; to another worker only once the first is lost")
  func again() async throws {
    let (bench, jobs) = try await jobs(["a"])
    let first = try granted(try await claim(bench, "t1"))
    #expect(try granted(try await claim(bench, "t1")).turn == first.turn)
    guard case .taken = try await claim(bench, "t1", by: "w2") else {
      Issue.record("a job was taken from who is at work")
      return
    }
    let second = try granted(try await claim(bench, "t1", again: true, by: "w2"))
    #expect(second.id == jobs[0].id)
    #expect(second.turn == first.turn + 1)
    #expect(second.device == "w2")
    #expect(try await bench.store.job(on: Lease(job: first.id, turn: first.turn)) == nil)
    #expect(try await bench.store.job(on: Lease(job: first.id, turn: second.turn))?.id == first.id)
    let third = try granted(try await claim(bench, "t1", by: "w3", atWork: false))
    #expect(third.turn == second.turn + 1)
    let kinds = try await bench.store.events(after: 0, job: first.id).map(\.kind)
    #expect(kinds == [.queued, .started, .retried, .retried])
  }

  @Test("a job with which worker after worker is lost is given up")
  func givenUp() async throws {
    let (bench, _) = try await jobs(["a"])
    _ = try granted(try await claim(bench, "t1"))
    for number in 1..<Store.mostLosses {
      _ = try granted(try await claim(bench, "t1", again: true, by: "w\(number)"))
    }
    guard case .givenUp = try await claim(bench, "t1", again: true, by: "last") else {
      Issue.record("it was given once more")
      return
    }
  }

  @Test("a studio that starts again leaves jobs with workers elsewhere, unless it paints itself")
  func recovered() async throws {
    let (bench, jobs) = try await jobs(["a"])
    _ = try granted(try await claim(bench, "t1"))
    try await bench.store.recover(keepingLeases: true)
    #expect(try await bench.store.job(jobs[0].id)?.state == .painting)
    #expect(try await bench.store.leased().map(\.id) == [jobs[0].id])
    try await bench.store.recover()
    let job = try #require(try await bench.store.job(jobs[0].id))
    #expect((job.state, job.ticket) == (.queued, nil))
  }

  @Test("open jobs are counted by what they need")
  func counts() async throws {
    let (bench, jobs) = try await jobs(["a", "b", "c"])
    _ = try granted(try await claim(bench, "t1"))
    _ = try await bench.queue.cancel(jobs[2].id, keep: false)
    #expect(try await bench.store.openCounts() == [Self.needs: 2])
  }

  @Test(
    "a worker takes what its pack, models, memory and programs can do",
    arguments: [
      (true, "{}"), (false, #"{"pack": "other 1"}"#), (true, #"{"models": {"clip": "1"}}"#),
      (false, #"{"models": {"clip": "2"}}"#), (false, #"{"models": {"other": "1"}}"#),
      (true, #"{"memory": 1000}"#), (false, #"{"memory": 1001}"#), (false, #"{"film": true}"#),
      (true, #"{"enlarger": true}"#),
    ])
  func abilities(_ isAble: Bool, _ change: String) throws {
    guard case .object(var fields) = JSONValue(text: Self.needs),
      case .object(let changed) = JSONValue(text: change)
    else { throw NeverCame(description: change) }
    fields.merge(changed) { $1 }
    let needs = try #require(Needs(json: JSONValue.object(fields).json))
    #expect(Self.worker().satisfies(needs) == isAble)
    #expect(Needs(json: needs.json) == needs)
  }

  static func worker(_ name: String = "w1") -> WorkerDescription {
    let json = """
      {"dialect": 1, "version": "\(Program.version)", "name": "\(name)", "device": "cpu",
       "processor": "x86", "pack": "tiny 0", "models": {"clip": "1"}, "memory": 1000,
       "film": false, "enlarger": true}
      """
    // The form is that of this file.
    // swift-format-ignore: NeverUseForceTry
    return try! JSONDecoder().decode(WorkerDescription.self, from: Data(json.utf8))
  }

  @Test("worker and studio that do not fit are told so")
  func objections() {
    var worker = Self.worker()
    #expect(worker.objection(pack: "tiny 0") == nil)
    #expect(worker.objection(pack: "big 2")?.contains("--pack") == true)
    worker.version = "9.9"
    #expect(worker.objection(pack: "tiny 0")?.contains("9.9") == true)
    worker.version = Program.version
    worker.dialect = 2
    #expect(worker.objection(pack: "tiny 0") != nil)
  }

  @Test("who is not heard of for the time of a lease is not at work any more")
  func roster() {
    let roster = WorkerRoster(lease: 10)
    let (start, lease) = (Date(), Lease(job: "a", turn: 1))
    roster.greet(Self.worker(), at: start)
    roster.greet(Self.worker("w2"), at: start)
    roster.give(lease, to: "w1", at: start)
    #expect(roster.isAtWork(lease, at: start + 9))
    #expect(!roster.isAtWork(lease, at: start + 11))
    roster.note(lease, of: "w1", at: start + 8)
    #expect(roster.isAtWork(lease, at: start + 17))
    #expect(!roster.isAtWork(Lease(job: "a", turn: 2), at: start + 9))
    roster.give(Lease(job: "a", turn: 2), to: "w2", at: start + 20)
    #expect(roster.counts.lost == 1)
    #expect(roster.entries.map(\.lease?.turn) == [nil, 2])
    roster.end(Lease(job: "a", turn: 2), finished: true)
    #expect(roster.entries.map(\.finished) == [0, 1])
    #expect(roster.entries.map { roster.isPresent($0, at: start + 45) } == [false, true])
  }

  @Test(
    "a lease is read back, and nothing else is",
    arguments: ["", "a", "a.", ".1", "a.1.2", "a/../b.1", "a.x"])
  func leases(_ text: String) {
    #expect(Lease(Lease(job: "0ab-1", turn: 12).text) == Lease(job: "0ab-1", turn: 12))
    #expect(Lease(text) == nil)
  }

  @Test(
    "an address of a broker is told without what is secret in it, or what is wrong with it",
    arguments: [
      ("nats://broker", "nats://broker", true),
      ("nats://word@broker:4222", "nats://broker:4222", true),
      ("tls://me:word@a,nats://b", "tls://a,nats://b", true),
      ("http://broker", "http://broker", false),
      ("broker:4222", "broker:4222", false), ("", "", false), ("nats://", "nats://", false),
    ])
  func addresses(_ text: String, _ shown: String, _ isGood: Bool) {
    #expect(NATSAddress(text).shown == shown)
    #expect((NATSAddress(text).objection == nil) == isGood)
  }
}

/// What workers elsewhere hand in.
@Suite struct KeptFilesTests {
  private struct Bytes: AsyncSequence {
    typealias Failure = any Error
    let parts: [Data]
    func makeAsyncIterator() -> Iterator { Iterator(parts: parts[...]) }
    struct Iterator: AsyncIteratorProtocol {
      typealias Failure = any Error
      var parts: ArraySlice<Data>
      mutating func next() async throws -> Data? { parts.popFirst() }
    }
  }

  // SHA-256 of "abc" and of nothing (FIPS 180-2, B.1).
  private static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  private static let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private func kept() throws -> KeptFiles {
    KeptFiles(folder: try ScratchFolder.make("kept").appending(path: "job"))
  }

  @Test("a file is kept under the hash of its bytes, and none that has another")
  func files() async throws {
    let kept = try kept()
    try await kept.add(Self.abc, Bytes(parts: [Data("a".utf8), Data("bc".utf8)]))
    #expect(try Data(contentsOf: kept.file(Self.abc)) == Data("abc".utf8))
    await #expect(throws: Problem.self) {
      try await kept.add(Self.nothing, Bytes(parts: [Data("abc".utf8)]))
    }
    #expect(!kept.has(Self.nothing))
    #expect(try FileManager.default.contentsOfDirectory(atPath: kept.folder.path) == [Self.abc])
  }

  @Test("a checkpoint is kept once all its files are, and lets go those of the one before")
  func checkpoints() async throws {
    let kept = try kept()
    #expect(kept.checkpoint == nil)
    let first = KeptFiles.Checkpoint(
      files: ["checkpoint.safetensors": Self.abc, "frames/000001.png": Self.nothing],
      processors: ["x86"])
    try await kept.add(Self.abc, Bytes(parts: [Data("abc".utf8)]))
    #expect(throws: Problem.self) { try kept.keep(first) }
    try await kept.add(Self.nothing, Bytes(parts: []))
    try kept.keep(first)
    #expect(kept.checkpoint == first)
    let second = KeptFiles.Checkpoint(files: ["final-1.png": Self.nothing], processors: ["x86"])
    try kept.keep(second)
    #expect(kept.checkpoint == second)
    #expect(!kept.has(Self.abc))
    #expect(kept.has(Self.nothing))
    try FileManager.default.removeItem(at: kept.file(Self.nothing))
    #expect(kept.checkpoint == nil)
  }

  @Test(
    "names that would leave the folder of a run are refused",
    arguments: [
      "../x", "/etc/passwd", "a/b/c", "a/../b", ".hidden", "frames/.x", "", "a//b", "a\0b", "ä.png",
      "a b", String(repeating: "a", count: 121),
    ])
  func names(_ name: String) throws {
    let checkpoint = KeptFiles.Checkpoint(files: [name: Self.abc], processors: [])
    #expect(checkpoint.objection != nil)
  }

  @Test("a job that was begun on another kind of processor says so, and else nothing")
  func processors() {
    let order = JobAssignment(
      job: "a", request: Request("fox"), count: 1, work: nil, run: "/run", files: [])
    let checkpoint = KeptFiles.Checkpoint(
      files: ["checkpoint.safetensors": Self.abc], processors: ["x86"])
    var same = order
    same.go(on: checkpoint, here: "x86") { "/kept/" + $0 }
    #expect(same.processors == nil)
    #expect(same.kept == ["checkpoint.safetensors": "/kept/" + Self.abc])
    var other = order
    other.go(on: checkpoint, here: "arm") { "/kept/" + $0 }
    #expect(other.processors == ["x86", "arm"])
    var fresh = order
    fresh.go(on: nil, here: "arm") { $0 }
    #expect(fresh.kept == nil)
  }

  @Test("a snapshot has the files of a run that others need, and those as they were")
  func snapshot() throws {
    let home = try ScratchFolder.make("run")
    let run = home.appending(path: "a.run")
    #expect(RunSnapshot(of: run, in: home.appending(path: "kept")) == nil)
    try FileManager.default.createDirectory(
      at: run.appending(path: "frames"), withIntermediateDirectories: true)
    for name in ["run.json", "log.jsonl", ".part", "checkpoint.safetensors", "frames/000001.png"] {
      try Data(name.utf8).write(to: run.appending(path: name), options: .atomic)
    }
    let snapshot = try #require(RunSnapshot(of: run, in: home.appending(path: "kept")))
    var known: [[Int]: String] = [:]
    let hashes = try snapshot.hashes(&known)
    #expect(hashes.keys.sorted() == ["checkpoint.safetensors", "frames/000001.png"])
    #expect(known.count == 2)
    try Data("new".utf8).write(to: run.appending(path: "checkpoint.safetensors"), options: .atomic)
    let copy = try #require(snapshot.files["checkpoint.safetensors"])
    #expect(try Data(contentsOf: copy) == Data("checkpoint.safetensors".utf8))
    snapshot.remove()
    let later = try #require(RunSnapshot(of: run, in: home.appending(path: "kept")))
    #expect(
      try later.hashes(&known)["checkpoint.safetensors"] != hashes["checkpoint.safetensors"])
  }
}
