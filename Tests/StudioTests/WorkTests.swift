import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import TestSupport
import Testing
import Weights

@testable import Painting
@testable import Studio

/// What a studio answers to workers elsewhere, by HTTP alone: its broker is never there.
@Suite struct WorkTests {
  private func studio(
    token: String? = nil, _ body: @escaping @Sendable (Asking) async throws -> Void
  ) async throws {
    let bench = try await Bench {
      $0.broker = NATSAddress("nats://127.0.0.1:1")
      $0.token = token
    }
    try await Application(router: bench.server.router()).test(.router) { client in
      try await body(Asking(client: client, bench: bench))
    }
  }

  private static func json(_ value: some Encodable) throws -> Data {
    try JSONEncoder().encode(value)
  }

  private static func headers(_ lease: Lease) -> HTTPFields {
    [.contentType: "application/json", WorkOperations.lease: lease.text]
  }

  private static func worker(_ ask: Asking, _ name: String = "w1") -> WorkerDescription {
    var worker = LeaseTests.worker(name)
    worker.pack = ask.bench.server.admission.packName
    return worker
  }

  private static func claim(
    _ ask: Asking, _ ticket: String = "t1", again: Bool = false, by worker: String = "w1"
  ) async throws -> Asking.Answer {
    let needs = Needs(pack: ask.bench.server.admission.packName).json
    return try await ask(
      .post, "/worker/claim",
      json(WorkClaim(worker: worker, ticket: .init(id: ticket, needs: needs), isAgain: again)))
  }

  /// Hands in a job and gives it away.
  private static func begun(_ ask: Asking) async throws -> Lease {
    let job = try await ask.bench.submit("a")[0]
    let needs = Needs(pack: ask.bench.server.admission.packName).json
    try await ask.bench.store.note(needs: [job.id: needs])
    let answer = try await claim(ask)
    #expect(answer.status == 200)
    return Lease(job: job.id, turn: 1)
  }

  private static func picture(_ ask: Asking, _ lease: Lease) async throws -> (Data, WorkPicture) {
    let job = try #require(try await ask.bench.store.job(lease.job))
    let metadata = Metadata(
      request: try job.painted(), pack: .init(id: "tiny", version: "0"), device: "cpu",
      precision: "float32", threads: 1, libtorch: "0", painted: .init(width: 16, height: 16),
      resampling: nil)
    let data = try Picture(width: 16, height: 16, color: Sample.red)
      .encoded(as: .png(texts: metadata.texts()))
    return (
      data,
      WorkPicture(
        place: 1, picture: Checksum.sha256(of: data), metadata: try metadata.json(), score: 0.5,
        stopped: false)
    )
  }

  @Test("a worker that fits is told where its tickets are; one that does not, why")
  func greets() async throws {
    try await studio { ask in
      let good = try await ask(.post, "/worker/greet", Self.json(Self.worker(ask)))
      #expect(good.status == 200)
      #expect(good.body["stream"]?.text.hasPrefix("REVERIE-") == true)
      var other = Self.worker(ask)
      other.version = "9.9"
      let refused = try await ask(.post, "/worker/greet", Self.json(other))
      #expect(refused.status == 409)
      #expect(refused.sentence?.contains("9.9") == true)
      other = Self.worker(ask)
      other.name = "../x"
      #expect(try await ask(.post, "/worker/greet", Self.json(other)).status == 422)
      #expect(ask.bench.server.broker?.roster.counts.refused == 1)
    }
  }

  @Test("a picture that is handed in twice is in the gallery once, and the job ends")
  func pictures() async throws {
    try await studio { ask in
      let lease = try await Self.begun(ask)
      let (data, told) = try await Self.picture(ask, lease)
      let early = try await ask(.post, "/worker/pictures", Self.json(told), Self.headers(lease))
      #expect(early.status == 422)
      for status in [201, 204] {
        let put = try await ask(
          .put, "/worker/files/\(told.picture)", data, [WorkOperations.lease: lease.text])
        #expect(put.status == status)
        let taken = try await ask(.post, "/worker/pictures", Self.json(told), Self.headers(lease))
        #expect(taken.status == 204)
      }
      let end = try await ask(
        .post, "/worker/end", Self.json(WorkEnding(outcome: .finished)), Self.headers(lease))
      #expect(end.body["isOver"] == .bool(true))
      #expect(try await ask.bench.store.job(lease.job)?.state == .finished)
      #expect(try await ask.bench.store.pictureCount() == 1)
      let file = ask.bench.folder.picture("\(lease.job)-1")
      #expect(try Data(contentsOf: file) == data)
      // Nothing is left of what was handed in.
      let left = try FileManager.default.contentsOfDirectory(atPath: ask.bench.folder.kept.path)
      #expect(left == [])
    }
  }

  @Test("what a worker hands in that has lost its job is not taken")
  func lost() async throws {
    try await studio { ask in
      let first = try await Self.begun(ask)
      let (data, told) = try await Self.picture(ask, first)
      #expect(try await Self.claim(ask, again: true, by: "w2").status == 200)
      for (method, path, body) in [
        (HTTPRequest.Method.put, "/worker/files/\(told.picture)", data),
        (.post, "/worker/pictures", try Self.json(told)),
        (.post, "/worker/end", try Self.json(WorkEnding(outcome: .finished))),
        (
          .post, "/worker/checkpoint",
          try Self.json(KeptFiles.Checkpoint(files: [:], processors: []))
        ),
      ] {
        #expect(try await ask(method, path, body, Self.headers(first)).status == 409, "\(path)")
      }
      let job = try #require(try await ask.bench.store.job(first.job))
      #expect((job.state, job.turn, job.device) == (.painting, 2, "w2"))
      #expect(try await ask.bench.store.pictureCount() == 0)
    }
  }

  @Test("a checkpoint goes with the job to who paints it next")
  func checkpoints() async throws {
    try await studio { ask in
      let lease = try await Self.begun(ask)
      let data = Data("tensors".utf8)
      let sha256 = Checksum.sha256(of: data)
      let checkpoint = KeptFiles.Checkpoint(
        files: ["checkpoint.safetensors": sha256], processors: ["x86"])
      #expect(
        try await ask(.post, "/worker/checkpoint", Self.json(checkpoint), Self.headers(lease))
          .status
          == 422)
      #expect(
        try await ask(.put, "/worker/files/\(sha256)", Data("other".utf8), Self.headers(lease))
          .status
          == 422)
      #expect(
        try await ask(.put, "/worker/files/\(sha256)", data, Self.headers(lease)).status == 201)
      #expect(
        try await ask(.post, "/worker/checkpoint", Self.json(checkpoint), Self.headers(lease))
          .status
          == 204)
      let answer = try await Self.claim(ask, again: true, by: "w2")
      #expect(answer.body["checkpoint"]?["files"]?["checkpoint.safetensors"]?.text == sha256)
      #expect(!answer.body.json.contains(ask.bench.folder.url.path))
      let next = Lease(job: lease.job, turn: 2)
      let file = try await ask(.get, "/worker/files/\(sha256)", nil, Self.headers(next))
      #expect(file.body == .string("tensors"))
    }
  }

  @Test(
    "a worker that leaves, or whose painter dies, gives its job back; one that cannot paint it fails it",
    arguments: [
      (WorkEnding(outcome: .left), Job.State.queued),
      (WorkEnding(death: .init(WorkerDeath(signal: SIGKILL))), .queued),
      (WorkEnding(failure: .init(reason: "No.", field: "cutouts")), .failed),
    ])
  func endings(_ ending: WorkEnding, _ state: Job.State) async throws {
    try await studio { ask in
      let lease = try await Self.begun(ask)
      let answer = try await ask(.post, "/worker/end", Self.json(ending), Self.headers(lease))
      #expect(answer.body["isOver"] == .bool(state.isOver))
      let job = try #require(try await ask.bench.store.job(lease.job))
      #expect(job.state == state)
      #expect(job.field == ending.failure?.field)
    }
  }

  @Test("with no job that waits a ticket is one too many")
  func nothing() async throws {
    try await studio { ask in
      let answer = try await Self.claim(ask)
      #expect(answer.status == 410)
    }
  }

  @Test(
    "bodies that are none are refused",
    arguments: [
      "/worker/greet", "/worker/claim", "/worker/pictures", "/worker/checkpoint", "/worker/end",
    ], ["", "[]", "{}", "nonsense", "{\"outcome\": \"x\"}", "{\"files\": 1, \"processors\": []}"])
  func hostile(_ path: String, _ body: String) async throws {
    try await studio { ask in
      let lease = try await Self.begun(ask)
      let answer = try await ask(.post, path, Data(body.utf8), Self.headers(lease))
      #expect([400, 422].contains(answer.status), "\(answer.status)")
      #expect(try await ask.bench.store.job(lease.job)?.state == .painting)
    }
  }

  @Test(
    "names of files that are no hashes are not looked for", arguments: ["x", "..%2Fstudio.sqlite"])
  func names(_ name: String) async throws {
    try await studio { ask in
      let lease = try await Self.begun(ask)
      for method in [HTTPRequest.Method.get, .put] {
        #expect(
          try await ask(method, "/worker/files/\(name)", Data(), Self.headers(lease)).status == 404)
      }
    }
  }

  @Test("workers want the token too, and a studio without a broker knows none")
  func access() async throws {
    try await studio(token: "secret-word") { ask in
      let refused = try await ask(.post, "/worker/greet", Self.json(Self.worker(ask)))
      #expect(refused.status == 401)
      let headers: HTTPFields = [
        .contentType: "application/json", .authorization: "Bearer secret-word",
      ]
      #expect(
        try await ask(.post, "/worker/greet", Self.json(Self.worker(ask)), headers).status == 200)
    }
    try await Asking.with { ask in
      let none = try await ask(.post, "/worker/greet", Self.json(Self.worker(ask)))
      #expect(none.status == 404)
    }
  }

  @Test("who paints what is told, with the broker that is away, and counted for Prometheus")
  func operation() async throws {
    try await studio { ask in
      _ = try await ask(.post, "/worker/greet", Self.json(Self.worker(ask)))
      let lease = try await Self.begun(ask)
      let told = try await ask.get("/api/v1/workers").body
      #expect(told["workers"]?[1]?["name"]?.text == "w1")
      #expect(told["workers"]?[1]?["job"]?["id"]?.text == lease.job)
      #expect(told["broker"]?["isReached"] == .bool(false))
      #expect(try await ask.get("/healthz").body["broker"] == .string("away"))
      let metrics = try await ask.get("/metrics").body.text
      for line in [
        "reverie_broker_up 0", "reverie_workers{state=\"painting\"} 1",
        "reverie_claim_seconds_count 1", "reverie_claim_seconds_bucket{le=\"+Inf\"} 1",
        "reverie_worker_finished_total{worker=\"w1\"} 0", "reverie_jobs{state=\"painting\"} 1",
      ] {
        #expect(metrics.split(separator: "\n").contains(Substring(line)), "\(line)")
      }
    }
  }

  @Test("a studio that paints itself tells of its own devices")
  func own() async throws {
    try await Asking.with { ask in
      let told = try await ask.get("/api/v1/workers").body
      #expect(told["workers"]?[0]?["name"] == .string("cpu"))
      #expect(told["workers"]?[0]?["isHere"] == .bool(true))
      #expect(told["broker"] == .null)
    }
  }
}
