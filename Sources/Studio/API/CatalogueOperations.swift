import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Painting
import Torch

/// What there is: parameters, presets; and how the studio is.
struct CatalogueOperations: OperationGroup {
  let queue: JobQueue
  let admission: JobFactory
  let devices: [String]
  let metrics: Metrics
  let broker: JobBroker?
  /// Paths of the page's files.
  let assets: Set<String>

  var operations: [Operation] {
    [
      Operation(
        method: .get, path: "/api/v1/status", id: "getStatus", summary: "How the studio is.",
        answers: [.init(status: 200, help: "Version, devices, counts", schema: "Status")]
      ) { _, _ in
        let counts = try await queue.store.jobCounts()
        return .json(
          .object([
            "program": .string(Program.name), "version": .string(Program.version),
            "libtorch": .string(Libtorch.version),
            "devices": .array(devices.map(JSONValue.string)),
            "jobs": .object(
              Dictionary(
                uniqueKeysWithValues: Job.State.allCases.map {
                  ($0.rawValue, .integer(counts[$0] ?? 0))
                })),
            "pictures": .integer(try await queue.store.pictureCount()),
            "pack": .object([
              "id": .string(admission.pack.manifest.id),
              "version": .string(admission.pack.manifest.version),
              "title": .string(admission.pack.manifest.title),
              "examples": .array(
                (admission.pack.manifest.examples ?? []).map(JSONValue.string)),
            ]),
          ]))
      },
      Operation(
        method: .get, path: "/api/v1/parameters", id: "getParameters",
        summary: "Every parameter of a request, with its kind, range, default and help.",
        answers: [.init(status: 200, help: "Methods, parameters, parts", schema: "Parameters")]
      ) { _, _ in .json(try Declarations(admission).value()) },
      Operation(
        method: .get, path: "/api/v1/presets", id: "listPresets",
        summary: "Named looks and qualities.",
        answers: [.init(status: 200, help: "Presets", schema: "Presets")]
      ) { _, _ in
        let library = admission.presets
        let presets = library.files.keys.sorted().compactMap { name -> JSONValue? in
          guard let preset = try? library.preset(name) else { return nil }
          return .object([
            "name": .string(name), "help": .string(preset.help),
            "kind": .string(preset.kind.rawValue),
            "wantsLargeCLIP": .bool(preset.wantsLargeCLIP),
            "picture": JSONValue(assets.contains(picture(name)) ? picture(name) : nil),
            "fields": .object(preset.values.fields),
            "scale": JSONValue(preset.values.scale), "prompt": JSONValue(preset.prompt),
          ])
        }
        return .json(.object(["presets": .array(presets)]))
      },
      Operation(
        method: .get, path: "/healthz", id: "getHealth", summary: "Whether the studio answers.",
        answers: [.init(status: 200, help: "It does", schema: "Health")]
      ) { _, _ in
        _ = try await queue.store.lastEvent()
        var fields: [String: JSONValue] = ["status": .string("ok")]
        if let broker {
          // Without it the studio answers still, and jobs wait.
          let isThere = broker.standing.since != nil
          fields["broker"] = .string(isThere ? "reached" : "away")
          let workers = broker.roster.entries.count { broker.roster.isPresent($0) }
          fields["workers"] = .integer(workers)
        }
        return .json(.object(fields))
      },
      Operation(
        method: .get, path: "/metrics", id: "getMetrics", summary: "Figures for Prometheus.",
        answers: [.init(status: 200, help: "Exposition format 0.0.4", type: "text/plain")]
      ) { _, _ in
        let text = metrics.text(
          jobs: try await queue.store.jobCounts(),
          pictures: try await queue.store.pictureCount(), listeners: queue.bus.count,
          broker: broker)
        return Response(
          status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
          body: .init(byteBuffer: ByteBuffer(string: text)))
      },
    ]
  }
}

/// The small picture on a preset's chip, painted by the pack.
private func picture(_ preset: String) -> String { "/styles/\(preset).webp" }
