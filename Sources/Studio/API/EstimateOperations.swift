import Foundation
import HTTPTypes
import Hummingbird
import Painting

/// What a job would be, before it is handed in.
struct EstimateOperations: OperationGroup {
  let queue: JobQueue
  let admission: JobFactory

  var operations: [Operation] {
    [
      Operation(
        method: .post, path: "/api/v1/estimates", id: "estimateJob",
        summary:
          "See how a job would be painted: its method and size, and how long a picture took and how much "
          + "memory where such a one was painted lately. Nothing is queued.",
        body: "NewJob",
        answers: [
          .init(status: 200, help: "How it would be painted", schema: "Estimate"),
          .problem(422, "The field that it names cannot be used"),
        ]
      ) { request, _ in
        let new = try admission.job(await request.json(), key: nil)
        let alike = try await queue.store.costs(of: new.request, as: new.work)
        return .json(
          .object([
            "method": .string(new.request.method?.rawValue ?? ""),
            "width": .integer(new.request.width ?? 0),
            "height": .integer(new.request.height ?? 0),
            "seconds": JSONValue(Self.median(alike.map(\.seconds)).map { $0 * Double(new.count) }),
            "measured": .integer(alike.count),
            "memory": alike.compactMap(\.memory).max().map { .integer($0) } ?? .null,
            "freeMemory": Memory.free.map { .integer($0) } ?? .null,
            "remarks": .array(new.remarks.map { .string($0.text) }),
          ]))
      }
    ]
  }

  static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

extension Store {
  /// What jobs took for a picture: seconds, and bytes of memory where they were told.
  typealias Cost = (seconds: Double, memory: Int?)

  /// What pictures took which are painted as a request asks, of the last hundred jobs: all settings are the same but
  /// what is wanted, the seed and the files.
  func costs(of request: Painting.Request, as work: JobSpec?) async throws -> [Cost] {
    // Of films each has a length of its own.
    guard work == nil else { return [] }
    let wanted = try request.costing()
    let jobs = try await jobs([.finished], after: nil, limit: 100).jobs
    return jobs.compactMap { job in
      guard job.work == nil, !job.stopped, job.failures == 0, job.interruptions == 0,
        let started = job.started, let ended = job.ended, ended > started,
        let painted = try? job.painted(), (try? painted.costing()) == wanted
      else { return nil }
      return ((ended - started) / Double(job.count), job.memory)
    }
  }
}

extension Painting.Request {
  /// What of a resolved request decides how long it takes, and how much memory.
  fileprivate func costing() throws -> JSONValue {
    guard case .object(var fields) = try JSONValue(body: JSONEncoder().encode(self)) else {
      return .null
    }
    for name in ["prompt", "seed", "negativePrompt", "variationSeed", "variationStrength"] {
      fields[name] = nil
    }
    // How many prompts there are counts, and not what they say.
    for (name, value) in fields {
      guard case .array(let values) = value, case .object = values.first else { continue }
      fields[name] = .integer(values.count)
    }
    for name in ["initImage", "blend", "mask", "overlay"] where fields[name] != nil {
      fields[name] = .bool(true)
    }
    return .object(fields)
  }
}
