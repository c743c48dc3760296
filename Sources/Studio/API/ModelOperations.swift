import Foundation
import HTTPTypes
import Hummingbird
import Library
import Painting

/// Models: what is installed and what is known; fetch, take in, check, remove.
struct ModelOperations: OperationGroup {
  let keeper: ModelKeeper
  let admission: JobFactory

  var operations: [Operation] { list + fetching + changes }

  private var list: [Operation] {
    [
      Operation(
        method: .get, path: "/api/v1/models", id: "listModels",
        summary:
          "Models: those that are installed, those that can be fetched by name, and those that "
          + "are being fetched.",
        answers: [.init(status: 200, help: "Models", schema: "Models")]
      ) { _, _ in .json(try await value()) }
    ]
  }

  private var fetching: [Operation] {
    [
      Operation(
        method: .post, path: "/api/v1/models/{id}/fetch", id: "fetchModel",
        summary: "Fetch a known model, or go on where that was cut off.", parameters: [.model],
        answers: [
          .init(status: 202, help: "It is being fetched", schema: "Models"),
          .problem(404, "None of that name is known"), .problem(409, "It is installed"),
          .problem(429, "Others are being fetched; Retry-After says when to try again"),
        ]
      ) { _, context in
        try await keeper.fetch(name(context))
        return .json(try await value(), .accepted)
      },
      Operation(
        method: .delete, path: "/api/v1/models/{id}/fetch", id: "stopFetch",
        summary: "Stop fetching a model; what is there of it stays for another time.",
        parameters: [.model],
        answers: [
          .init(status: 204, help: "It stops", type: nil),
          .problem(404, "It is not being fetched"),
        ]
      ) { _, context in
        try await keeper.stop(name(context))
        return Response(status: .noContent)
      },
    ]
  }

  private var changes: [Operation] {
    let missing = Operation.Answer.problem(404, "None of that name is installed")
    return [
      Operation(
        method: .post, path: "/api/v1/models", id: "addModel",
        summary:
          "Hand in a file of weights or a vocabulary: its bytes are the body. What it is is seen "
          + "from what it holds.",
        parameters: [.init(name: "name", help: "The file's name", schema: .text(limit: 200))],
        body: "Bytes", bodyTypes: ["application/octet-stream"],
        answers: [
          .init(status: 201, help: "It is installed", schema: "Models"),
          .problem(422, "It is nothing that Reverie reads, or its name is taken"),
          .problem(429, "Another file is being handed in"),
        ]
      ) { request, _ in
        guard let name = try request.text("name", limit: 200) else {
          throw Problem(
            .unprocessableContent, "name must say what the file is called.", field: "name")
        }
        _ = try await keeper.take(request.body, name: name)
        return .json(try await value(), .created)
      },
      Operation(
        method: .post, path: "/api/v1/models/{id}/verify", id: "verifyModel",
        summary: "Compare an installed model's files with the hashes noted when they came.",
        parameters: [.model],
        answers: [.init(status: 200, help: "What is wrong with it", schema: "Verdict"), missing]
      ) { _, context in
        let problems = try await keeper.problems(of: installed(context))
        return .json(
          .object([
            "sound": .bool(problems.isEmpty), "problems": .array(problems.map(JSONValue.string)),
          ]))
      },
      Operation(
        method: .delete, path: "/api/v1/models/{id}", id: "removeModel",
        summary: "Remove an installed model.", parameters: [.model],
        answers: [.init(status: 204, help: "It is gone", type: nil), missing]
      ) { _, context in
        try await keeper.remove(installed(context))
        return Response(status: .noContent)
      },
    ]
  }

  private func name(_ context: StudioContext) throws -> String {
    guard let id = context.parameters.get("id"), ModelRecord.isID(id) else {
      throw Problem.notFound("such model")
    }
    return id
  }

  private func installed(_ context: StudioContext) throws -> String {
    let id = try name(context)
    guard (try? admission.library.store.model(id)) != nil else {
      throw Problem.notFound("installed model '\(id)'")
    }
    return id
  }

  private func value() async throws -> JSONValue {
    let models = admission.library.store.models()
    let here = Set(models.map(\.record.id))
    var drawing: [String: [String]] = [:]
    for method in admission.registry.methods {
      for id in admission.resolver.installed(for: method) {
        drawing[id, default: []].append(method.id.rawValue)
      }
    }
    var installed: [JSONValue] = []
    for model in models {
      let record = model.record
      installed.append(
        .object([
          "id": .string(record.id), "kind": .string(record.kind.rawValue),
          "title": .string(record.title), "bytes": .integer(record.size),
          "licence": JSONValue(record.licence),
          "memory": JSONValue(await keeper.memory(of: model)),
          "methods": .array((drawing[record.id] ?? []).map(JSONValue.string)),
        ]))
    }
    let known = try KnownModel.all().map { model -> JSONValue in
      let size = (model.files ?? []).compactMap(\.size).reduce(0, +)
      return .object([
        "id": .string(model.id), "kind": .string(model.kind.rawValue),
        "title": .string(model.title), "licence": .string(model.licence),
        "page": .string(model.page), "bytes": JSONValue(size > 0 ? size : nil),
        "isInstalled": .bool(here.contains(model.id)),
      ])
    }
    let fetches = await keeper.fetches.sorted { $0.key < $1.key }.map { id, fetch -> JSONValue in
      .object([
        "id": .string(id), "state": .string(fetch.state.rawValue), "done": .integer(fetch.done),
        "total": JSONValue(fetch.total), "problem": JSONValue(fetch.problem),
      ])
    }
    return .object([
      "models": .array(installed), "known": .array(known), "fetches": .array(fetches),
    ])
  }
}

extension Operation.Parameter {
  static let model = Self(
    name: "id", help: "The model's name", schema: .text(limit: 80, least: 1), isInPath: true)
}
