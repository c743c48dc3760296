import Foundation
import HTTPTypes
import Hummingbird
import Painting

/// Who paints what, here and on other machines, and how it goes.
struct WorkerOperations: OperationGroup {
  let queue: JobQueue
  /// Where this machine paints itself.
  let devices: [String]
  let broker: JobBroker?

  var operations: [Operation] {
    [
      Operation(
        method: .get, path: "/api/v1/workers", id: "listWorkers",
        summary: "Who paints what, and what came of the last hour.",
        answers: [.init(status: 200, help: "Workers, and the broker if any", schema: "Workers")]
      ) { _, _ in .json(try await value()) }
    ]
  }

  private func value() async throws -> JSONValue {
    let now = Date()
    let endings = try await queue.store.endings(since: now.timeIntervalSince1970 - 3_600)
    let painting = try await queue.store.jobs([.painting], after: nil, limit: 500).jobs
    let live = await queue.allLive
    func job(_ job: Job?) -> JSONValue {
      guard let job else { return .null }
      let progress = live[job.id].map(JobQueue.fields) ?? [:]
      return .object([
        "id": .string(job.id), "prompt": .string(job.prompt),
        "started": JSONValue(job.started),
        "progress": progress.isEmpty ? .null : .object(progress),
      ])
    }
    func hour(_ name: String) -> [String: JSONValue] {
      [
        "finished": .integer(endings[name]?[.finished] ?? 0),
        "failed": .integer(endings[name]?[.failed] ?? 0),
      ]
    }
    var workers = devices.map { device in
      JSONValue.object(
        [
          "name": .string(device), "device": .string(device), "isHere": .bool(true),
          "isPresent": .bool(true), "processor": .null, "version": .string(Program.version),
          "seen": .number(now.timeIntervalSince1970),
          "job": job(painting.first { $0.device == device && $0.ticket == nil }),
        ].merging(hour(device)) { $1 })
    }
    for entry in broker?.roster.entries ?? [] {
      let worker = entry.description
      workers.append(
        .object(
          [
            "name": .string(worker.name), "device": .string(worker.device), "isHere": .bool(false),
            "isPresent": .bool(broker?.roster.isPresent(entry) ?? false),
            "processor": .string(worker.processor), "version": .string(worker.version),
            "seen": .number(entry.seen.timeIntervalSince1970),
            "job": job(painting.first { $0.device == worker.name }),
          ].merging(hour(worker.name)) { $1 }))
    }
    let states = endings.values.reduce(into: [Job.State: Int]()) {
      $0.merge($1, uniquingKeysWith: +)
    }
    return .object([
      "workers": .array(workers),
      "hour": .object([
        "finished": .integer(states[.finished] ?? 0), "failed": .integer(states[.failed] ?? 0),
        "cancelled": .integer(states[.cancelled] ?? 0),
      ]),
      "queued": .integer(try await queue.store.jobCounts()[.queued] ?? 0),
      "broker": brokerValue,
    ])
  }

  private var brokerValue: JSONValue {
    guard let broker else { return .null }
    let standing = broker.standing
    return .object([
      "isReached": .bool(standing.since != nil), "reason": JSONValue(standing.reason),
      "tickets": .integer(standing.tickets), "lost": .integer(broker.roster.counts.lost),
      "refused": .integer(broker.roster.counts.refused),
    ])
  }

  /// The schema of the answer.
  static var schema: JSONValue {
    let text = JSONValue.plain("string")
    let number = JSONValue.plain("number")
    let integer = JSONValue.plain("integer")
    let job = JSONValue.record(
      of: [
        "id": text, "prompt": text, "started": .optional(number),
        "progress": .optional(.record(of: [:], isOpen: true)),
      ], required: ["id", "prompt", "progress"])
    return .record(
      of: [
        "workers": .list(
          of: .record(
            of: [
              "name": text, "device": text, "isHere": .boolean, "isPresent": .boolean,
              "processor": .optional(text), "version": text, "seen": number,
              "job": .optional(job), "finished": integer, "failed": integer,
            ],
            required: [
              "name", "device", "isHere", "isPresent", "version", "seen", "job", "finished",
              "failed",
            ])),
        "hour": .record(
          of: ["finished": integer, "failed": integer, "cancelled": integer],
          required: ["finished", "failed", "cancelled"]),
        "queued": integer,
        "broker": .optional(
          .record(
            of: [
              "isReached": .boolean, "reason": .optional(text), "tickets": integer, "lost": integer,
              "refused": integer,
            ], required: ["isReached", "reason", "tickets", "lost", "refused"])),
      ], required: ["workers", "hour", "queued", "broker"])
  }
}
