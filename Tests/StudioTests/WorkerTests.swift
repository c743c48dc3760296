import Foundation
import Imaging
import Logging
import Painting
import Testing
import TestSupport

@testable import Studio

/// Worker processes of the program that was built with these tests, and a pack of random weights.
@Suite(.serialized) struct WorkerTests {
  private static let pack = Result { try TinyPack.make(upscaler: true).path }

  private static var program: URL {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "reverie-studio")
  }

  private func worker(
    _ folder: StudioFolder, _ more: [String] = [], program: String = Self.program.path
  ) throws -> LocalWorker {
    signal(SIGPIPE, SIG_IGN)
    var logger = Logger(label: "worker")
    logger.logLevel = .critical
    return LocalWorker(
      program: program,
      arguments: [
        "worker", "--data", folder.url.path, "--device", "cpu", "--threads", "1", "--pack",
        try Self.pack.get(), "--checkpoint-every", "0.02",
      ] + more, environment: ["REVERIE_CACHE": folder.url.appending(path: "cache").path],
      logger: logger)
  }

  private func job(_ bench: Bench, _ prompt: String, _ change: (inout Request) -> Void) throws
    -> Store.NewJob
  {
    var request = Request(prompt)
    request.seed = 3
    request.width = 32
    request.height = 32
    change(&request)
    return try bench.server.admission.job(request, count: 1)
  }

  private func guided(_ request: inout Request) {
    request.method = "vqgan-clip"
    request.iterations = 40
    request.cutouts = 2
  }

  private func picture(_ bench: Bench, _ job: String) throws -> Picture {
    try Picture.read(from: bench.folder.picture("\(job)-1"))
  }

  @Test("a worker paints by optimisation and by sampling, and its pictures tell how")
  func paints() async throws {
    let bench = try await Bench()
    let first = try await bench.queue.submit(job(bench, "red fox", guided)).job
    let second = try await bench.queue.submit(
      job(bench, "red fox") {
        $0.method = "dalle"
        $0.candidates = 4
      }
    ).job
    try await bench.painting(worker(bench.folder)) {
      for job in [first, second] {
        let ended = try await bench.wait(for: job.id)
        #expect(ended.state == .finished, "\(ended.reason ?? "")")
      }
    }
    for job in [first, second] {
      let file = bench.folder.picture("\(job.id)-1").path
      #expect(try Metadata(ofPictureAt: file).request == job.painted())
    }
  }

  @Test("how a picture came about lies beside it, and nothing where that is not wanted")
  func traces() async throws {
    for isWanted in [true, false] {
      let bench = try await Bench()
      let job = try await bench.queue.submit(
        job(bench, "red fox") { ($0.method, $0.iterations) = ("pixels", 4) }
      ).job
      try await bench.painting(worker(bench.folder, isWanted ? [] : ["--no-traces"])) {
        let ended = try await bench.wait(for: job.id)
        #expect(ended.state == .finished, "\(ended.reason ?? "")")
      }
      let file = bench.folder.trace("\(job.id)-1")
      #expect(FileManager.default.fileExists(atPath: file.path) == isWanted)
      guard isWanted else { continue }
      let trace = try JSONDecoder().decode(Trace.self, from: Data(contentsOf: file))
      #expect(trace.panels.first?.title == "On the way")
      let record = try #require(try await bench.queue.store.picture("\(job.id)-1"))
      #expect(
        record.value["links"]?["trace"] == .string("/api/v1/pictures/\(job.id)-1/trace"))
    }
  }

  @Test("which word painted where lies beside the picture, is told, and goes with it")
  func attention() async throws {
    let bench = try await Bench()
    let seen = try await bench.queue.submit(
      job(bench, "red fox") {
        ($0.method, $0.candidates) = ("attngan", 1)
        $0.arguments["attention"] = .bool(true)
      }
    ).job
    let plain = try await bench.queue.submit(
      job(bench, "red fox") { ($0.method, $0.candidates) = ("attngan", 1) }
    ).job
    try await bench.painting(worker(bench.folder)) {
      for job in [seen, plain] {
        let ended = try await bench.wait(for: job.id)
        #expect(ended.state == .finished, "\(ended.reason ?? "")")
      }
    }
    let sheet = bench.folder.attention("\(seen.id)-1")
    #expect(try Picture.read(from: sheet.path).width > 200)
    #expect(
      !FileManager.default.fileExists(atPath: bench.folder.attention("\(plain.id)-1").path))
    for (job, link) in [
      (seen, JSONValue.string("/api/v1/pictures/\(seen.id)-1/attention")), (plain, .null),
    ] {
      let record = try #require(try await bench.queue.store.picture("\(job.id)-1"))
      #expect(record.value["links"]?["attention"] == link)
    }
  }

  @Test("a worker that is killed again and again ends with the pixels of one that was not")
  func killed() async throws {
    let bench = try await Bench()
    let alone = try await bench.queue.submit(job(bench, "red fox", guided)).job
    let process = try worker(bench.folder)
    try await bench.painting(process) { try await bench.wait(for: alone.id) }
    await bench.queue.reopen()
    let killed = try await bench.queue.submit(job(bench, "red fox", guided)).job
    let other = try worker(bench.folder)
    try await bench.painting(other) {
      for step in [1, 15, 30] {
        try await bench.wait(for: killed.id) { $0.state.isOver || ($0.step ?? 0) >= step }
        if let process = await other.processIdentifier { kill(process, SIGKILL) }
      }
      #expect(try await bench.wait(for: killed.id).state == .finished)
    }
    #expect(try picture(bench, killed.id) == picture(bench, alone.id))
    #expect(try await bench.store.pictureCount() == 2)
  }

  @Test("a studio that ends leaves its worker at a checkpoint, and the next one goes on")
  func left() async throws {
    let bench = try await Bench()
    let long = try await bench.queue.submit(
      job(bench, "red fox") {
        guided(&$0)
        $0.iterations = 300
      }
    ).job
    try await bench.painting(worker(bench.folder)) {
      try await bench.wait(for: long.id) { ($0.step ?? 0) > 3 }
    }
    #expect(try await bench.store.job(long.id)?.state == .queued)
    let run = bench.folder.run(of: long.id)
    #expect(
      FileManager.default.fileExists(
        atPath: run.appending(path: "checkpoint.safetensors").path))
    await bench.queue.reopen()
    try await bench.painting(worker(bench.folder)) {
      _ = try await bench.queue.cancel(long.id, keep: true)
      let ended = try await bench.wait(for: long.id)
      #expect(ended.state == .finished || ended.state == .cancelled)
    }
  }

  @Test("a job that is stopped keeps what there is")
  func stopped() async throws {
    let bench = try await Bench()
    let long = try await bench.queue.submit(
      job(bench, "red fox") {
        guided(&$0)
        $0.iterations = 100_000
      }
    ).job
    try await bench.painting(worker(bench.folder)) {
      try await bench.wait(for: long.id) { ($0.step ?? 0) > 3 }
      _ = try await bench.queue.cancel(long.id, keep: true)
      let ended = try await bench.wait(for: long.id)
      #expect((ended.state, ended.stopped) == (.finished, true))
    }
    let record = try #require(try await bench.store.picture("\(long.id)-1"))
    #expect(record.stopped)
    #expect(try picture(bench, long.id).width == 32)
  }

  @Test("a film is made and kept with its last frame, and an enlargement with what it was made of")
  func works() async throws {
    let bench = try await Bench()
    var film = try job(bench, "red fox", guided)
    var zoom = Film(.zoom)
    (zoom.frames, zoom.every, zoom.hold) = (3, 2, 0)
    film.request = try zoom.adapted(film.request)
    film.work = .film(zoom)
    let shot = try await bench.queue.submit(film).job
    try await bench.painting(worker(bench.folder)) {
      let ended = try await bench.wait(for: shot.id)
      #expect(ended.state == .finished, "\(ended.reason ?? "")")
    }
    let record = try #require(try await bench.store.picture("\(shot.id)-1"))
    #expect(record.film == "mp4")
    let video = try Data(contentsOf: bench.folder.film(record.id))
    #expect(video.dropFirst(4).prefix(4) == Data("ftyp".utf8))
    #expect(try Metadata(json: record.metadata).film == zoom)

    await bench.queue.reopen()
    let file = try await Inputs(queue: bench.queue).keep(
      Data(contentsOf: bench.folder.picture(record.id)), name: "fox.png")
    var larger = try job(bench, "red fox", guided)
    larger.work = .enlargement(.init(picture: file, scale: 2))
    let large = try await bench.queue.submit(larger).job
    try await bench.painting(worker(bench.folder)) {
      let ended = try await bench.wait(for: large.id)
      #expect(ended.state == .finished, "\(ended.reason ?? "")")
    }
    #expect(try picture(bench, large.id).width == 64)
    let result = try #require(try await bench.store.picture("\(large.id)-1"))
    #expect((result.width, try Metadata(json: result.metadata).enlarged) == (64, 2))
  }

  @Test("a program that cannot be started fails its job with a reason")
  func noProgram() async throws {
    let bench = try await Bench()
    let job = try await bench.submit("red fox")[0]
    try await bench.painting(worker(bench.folder, program: "/nothing/here")) {
      let failed = try await bench.wait(for: job.id)
      #expect(failed.state == .failed)
      #expect(failed.reason?.contains("cannot be started") == true)
    }
  }
}
