import Foundation
import NIOCore
import Painting
import Testing

@testable import Studio

@Suite struct StoreTests {
  private func picture(_ number: Int, _ prompt: String) -> PictureRecord {
    PictureRecord(
      id: "job\(number)-1", job: "job\(number)", place: 1, created: Double(number),
      prompt: prompt, metadata: "{}", method: "fft", seed: number, width: 16, height: 16,
      score: nil, stopped: false, parent: nil)
  }

  @Test("a job that was taken is there when the database is opened again")
  func durable() async throws {
    let bench = try await Bench()
    let job = try await bench.submit("a red fox")[0]
    let again = try Store(bench.folder.database)
    let found = try #require(try await again.job(job.id))
    #expect(found == job)
    #expect(try found.painted().prompt == "a red fox")
    #expect(try found.painted().seed == 1)
  }

  @Test("of two jobs with one key the second is the first one")
  func idempotent() async throws {
    let bench = try await Bench()
    var new = try bench.new("a fox")
    new.key = "once"
    let first = try await bench.queue.submit(new)
    let second = try await bench.queue.submit(new)
    #expect(first.isNew)
    #expect(!second.isNew)
    #expect(first.job.id == second.job.id)
    #expect(try await bench.store.jobCounts() == [.queued: 1])
  }

  @Test("pages of the queue follow its order, pages of what is over the newest first")
  func pages() async throws {
    let bench = try await Bench()
    let jobs = try await bench.submit("a", "b", "c", "d", "e")
    var names: [String] = []
    var after: String?
    repeat {
      let page = try await bench.store.jobs([.queued, .painting], after: after, limit: 2)
      names += page.jobs.map(\.prompt)
      after = page.next
    } while after != nil
    #expect(names == ["a", "b", "c", "d", "e"])
    let all = try await bench.store.jobs([], after: nil, limit: 3)
    #expect(all.jobs.map(\.id) == jobs.reversed().prefix(3).map(\.id))
  }

  @Test("a job is moved before another one, again and again, and to the end")
  func moves() async throws {
    let bench = try await Bench()
    let jobs = try await bench.submit("a", "b", "c")
    func order() async throws -> String {
      try await bench.store.jobs([.queued], after: nil, limit: 10).jobs.map(\.prompt).joined()
    }
    #expect(try await bench.queue.move(jobs[2].id, before: jobs[0].id))
    #expect(try await order() == "cab")
    #expect(try await bench.queue.move(jobs[2].id, before: nil))
    #expect(try await order() == "abc")
    // So often that no number lies between two neighbours any more.
    for _ in 0..<120 {
      #expect(try await bench.queue.move(jobs[2].id, before: jobs[1].id))
      #expect(try await order() == "acb")
      #expect(try await bench.queue.move(jobs[1].id, before: jobs[2].id))
      #expect(try await order() == "abc")
    }
    #expect(try await !bench.queue.move(jobs[0].id, before: "nothing"))
  }

  @Test("a picture of one place in one job is taken in once")
  func once() async throws {
    let bench = try await Bench()
    #expect(try await bench.store.add(picture(1, "a fox")))
    #expect(try await !bench.store.add(picture(1, "a fox")))
    #expect(try await bench.store.pictureCount() == 1)
  }

  @Test(
    "prompts are searched by words, the last one by its beginning",
    arguments: [
      ("fox", [1, 3]), ("RED fo", [1]), ("crème", [2]), ("creme", [2]), ("xof", []),
      ("\"fox\" OR *", []), ("", [1, 2, 3]), ("snow NOT", []),
    ])
  func search(_ text: String, _ wanted: [Int]) async throws {
    let bench = try await Bench()
    for (index, prompt) in ["a red fox", "a crème brûlée", "a fox in snow"].enumerated() {
      try await bench.store.add(picture(index + 1, prompt))
    }
    var query = Store.PictureQuery()
    query.text = text
    let found = try await bench.store.pictures(query).pictures.map(\.seed)
    #expect(found == wanted.reversed())
  }

  @Test("pictures are favoured, collected, thrown away and taken back")
  func gallery() async throws {
    let bench = try await Bench()
    let store = bench.store
    for number in 1...5 { try await store.add(picture(number, "number \(number)")) }
    #expect(try await store.mark(["job2-1", "job4-1", "nothing"], favourite: true) == 2)
    let trees = try await store.makeCollection("Trees")
    #expect(try await store.makeCollection("trees") == trees)
    #expect(try await store.collect(["job1-1", "job2-1"], in: trees, isIn: true))
    func seeds(_ change: (inout Store.PictureQuery) -> Void) async throws -> [Int] {
      var query = Store.PictureQuery()
      change(&query)
      return try await store.pictures(query).pictures.map(\.seed)
    }
    #expect(try await seeds { $0.favourites = true } == [4, 2])
    #expect(try await seeds { $0.collection = trees } == [2, 1])
    #expect(try await store.mark(["job2-1"], deleted: true) == 1)
    #expect(try await seeds { _ in } == [5, 4, 3, 1])
    #expect(try await seeds { $0.deleted = true } == [2])
    #expect(try await seeds { $0.collection = trees } == [1])
    #expect(try await store.collections().map(\.pictures) == [1])
    #expect(try await store.mark(["job2-1"], deleted: false) == 1)
    #expect(try await seeds { $0.favourites = true } == [4, 2])
    #expect(try await store.removeCollection(trees))
    #expect(try await seeds { _ in }.count == 5)
    // Pages of two.
    let first = try await store.pictures(
      {
        var q = Store.PictureQuery(); q.limit = 2; return q
      }())
    #expect(first.pictures.map(\.seed) == [5, 4])
    #expect(try await seeds { $0.after = first.next } == [3, 2, 1])
  }

  @Test("a page is put together once, and anew after every change")
  func keptPages() async throws {
    let bench = try await Bench()
    let query = Store.PictureQuery()
    try await bench.store.add(picture(1, "a"))
    let collection = try await bench.store.makeCollection("Foxes")
    func seen(_ text: String) async throws -> String {
      String(buffer: try await bench.store.pages.page(query) { ByteBuffer(string: text) })
    }
    let changes: [() async throws -> Void] = [
      { _ = try await bench.store.add(picture(2, "b")) },
      { _ = try await bench.store.mark(["job1-1"], favourite: true) },
      { _ = try await bench.store.mark(["job1-1"], deleted: true) },
      { _ = try await bench.store.collect(["job2-1"], in: collection, isIn: true) },
      { _ = try await bench.store.removeCollection(collection) },
      { _ = try await bench.store.purge(before: .greatestFiniteMagnitude) },
    ]
    for (number, change) in changes.enumerated() {
      #expect(try await seen("\(number)") == "\(number)")
      #expect(try await seen("other") == "\(number)")
      try await change()
    }
    // A change while a page is made: it is not kept.
    _ = try await bench.store.pages.page(query) {
      bench.store.pages.forget()
      return ByteBuffer(string: "old")
    }
    #expect(try await seen("new") == "new")
  }

  @Test("what was thrown away long ago is forgotten")
  func purge() async throws {
    let bench = try await Bench()
    for number in 1...2 { try await bench.store.add(picture(number, "a")) }
    _ = try await bench.store.mark(["job1-1"], deleted: true)
    #expect(try await bench.store.purge(before: 0) == [])
    #expect(try await bench.store.purge(before: .greatestFiniteMagnitude) == ["job1-1"])
    #expect(try await bench.store.picture("job1-1") == nil)
    var query = Store.PictureQuery()
    query.text = "a"
    #expect(try await bench.store.pictures(query).pictures.map(\.id) == ["job2-1"])
  }

  @Test("files that were handed in go when nothing names them any more")
  func purgeInputs() async throws {
    let bench = try await Bench()
    func hash(_ letter: Character) -> String { String(repeating: letter, count: 64) }
    for letter in "abc" {
      try await bench.store.add(
        InputRecord(sha256: hash(letter), name: "x", ending: "png", bytes: 1, created: 5))
    }
    var painted = picture(1, "a fox")
    painted.metadata = #"{"request":{"initImage":{"sha256":"\#(hash("a"))"}}}"#
    try await bench.store.add(painted)
    var waits = try bench.new("a fox")
    waits.request.initImage = FileReference(name: "x.png", sha256: hash("b"))
    _ = try await bench.queue.submit(waits)
    #expect(try await bench.store.purgeInputs(before: 5) == [])
    #expect(try await bench.store.purgeInputs(before: 6).map(\.sha256) == [hash("c")])
    #expect(try await bench.store.input(hash("c")) == nil)
    // Handed in once more, a file is as new.
    try await bench.store.add(
      InputRecord(sha256: hash("b"), name: "x", ending: "png", bytes: 1, created: 9))
    #expect(try await bench.store.input(hash("b"))?.created == 9)
  }

  @Test("a folder serves one studio at a time")
  func locked() async throws {
    let bench = try await Bench()
    await #expect(throws: StudioError.busy(path: bench.folder.url.path)) {
      _ = try await Bench(bench.folder)
    }
  }
}
