import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import Painting

/// Single pictures, and collections of them.
struct PictureOperations: OperationGroup {
  let queue: JobQueue
  let thumbnails: Thumbnails
  let admission: JobFactory
  let jobs: JobOperations
  let converter: FilmConverter
  let interrogator: Interrogator?
  private var store: Store { queue.store }

  var operations: [Operation] { one + changes + collections }

  private var one: [Operation] {
    let missing = Operation.Answer.problem(404, "There is none")
    return [
      Operation(
        method: .get, path: "/api/v1/pictures/{id}", id: "getPicture",
        summary: "A picture's request and metadata.", parameters: [.picture],
        answers: [.init(status: 200, help: "The picture", schema: "Picture"), missing]
      ) { _, context in .json(try await picture(context).value) },
      Operation(
        method: .get, path: "/api/v1/pictures/{id}/file", id: "getPictureFile",
        summary: "A picture as PNG with its metadata.",
        parameters: [
          .picture, .init(name: "download", help: "Whether it is to be saved", schema: .boolean),
        ], answers: [.init(status: 200, help: "A PNG", type: "image/png"), missing]
      ) { request, context in
        let picture = try await picture(context)
        guard let data = try? Data(contentsOf: queue.folder.picture(picture.id)) else {
          throw Problem.notFound("file of this picture")
        }
        var response = Response.bytes(
          data, type: "image/png", etag: picture.id, request: request)
        if try request.flag("download") {
          response.headers[.contentDisposition] = attachment(picture, "png")
        }
        return response
      },
      Operation(
        method: .get, path: "/api/v1/pictures/{id}/thumbnail", id: "getThumbnail",
        summary: "A picture in small.", parameters: [.picture],
        answers: [
          .init(status: 200, help: "A WebP of at most 320 pixels", type: "image/webp"), missing,
        ]
      ) { request, context in
        let picture = try await picture(context)
        let data = try await thumbnails.data(of: picture.id)
        return .bytes(data, type: "image/webp", etag: "t-\(picture.id)", request: request)
      },
      Operation(
        method: .get, path: "/api/v1/pictures/{id}/film", id: "getFilm",
        summary: "The film whose last frame the picture is.",
        parameters: [
          .picture, .init(name: "download", help: "Whether it is to be saved", schema: .boolean),
          .init(
            name: "format", help: "The kind of file; MP4 if left out",
            schema: .words(VideoFormat.allCases.map(\.rawValue))),
        ],
        answers: [
          .init(status: 200, help: "A film, in parts if asked for", type: "video/mp4"), missing,
          .problem(422, "It cannot be had in this kind of file"),
        ]
      ) { request, context in
        let picture = try await picture(context)
        guard picture.film != nil else { throw Problem.notFound("film of this picture") }
        let word = try request.text("format", limit: 20) ?? VideoFormat.mp4.rawValue
        guard let format = VideoFormat(rawValue: word) else {
          throw Problem(
            .unprocessableContent,
            "format must be one of "
              + VideoFormat.allCases.map(\.rawValue).joined(separator: ", ") + ".", field: "format")
        }
        if format != .mp4 { try await converter.make(picture.id, as: format) }
        var response = try await films.response(to: request, picture.id, as: format, context)
        if try request.flag("download") {
          response.headers[.contentDisposition] = attachment(picture, format.rawValue)
        }
        return response
      },
      beside(
        "attention", id: "getAttention", "A sheet that shows which word painted where.",
        .init(status: 200, help: "A PNG", type: "image/png")
      ) { $0.attention($1) },
      beside(
        "trace", id: "getTrace", "How it came about, as it was recorded while it was painted.",
        .init(status: 200, help: "What was seen", schema: "Trace")
      ) { $0.trace($1) },
    ]
  }

  /// A file that lies beside some pictures.
  private func beside(
    _ name: String, id: String, _ summary: String, _ answer: Operation.Answer,
    _ file: @escaping @Sendable (StudioFolder, String) -> URL
  ) -> Operation {
    Operation(
      method: .get, path: "/api/v1/pictures/{id}/\(name)", id: id, summary: summary,
      parameters: [.picture], answers: [answer, .problem(404, "There is none")]
    ) { request, context in
      let picture = try await picture(context)
      guard let data = try? Data(contentsOf: file(queue.folder, picture.id)) else {
        throw Problem.notFound("\(name) of this picture")
      }
      return .bytes(
        data, type: answer.type ?? "", etag: "\(name)-\(picture.id)",
        request: request)
    }
  }

  private var changes: [Operation] {
    let missing = Operation.Answer.problem(404, "There is none")
    return [
      Operation(
        method: .post, path: "/api/v1/pictures/{id}/describe", id: "describePicture",
        summary: "Say what a picture shows, as far as the pack's CLIP finds it.",
        parameters: [.picture],
        answers: [
          .init(status: 200, help: "As a prompt", schema: "Description"), missing,
          .problem(501, "This studio has no program for it"),
        ]
      ) { _, context in
        let picture = try await picture(context)
        guard let interrogator else {
          throw Problem(.notImplemented, "This studio has no program that describes pictures.")
        }
        return .json(
          .object([
            "caption": .string(try await interrogator.caption(of: queue.folder.picture(picture.id)))
          ]))
      },
      Operation(
        method: .post, path: "/api/v1/pictures/{id}/enlarge", id: "enlargePicture",
        summary: "Queue a picture to be made larger by a network.", parameters: [.picture],
        body: "Enlargement", isBodyOptional: true,
        answers: [
          .init(status: 202, help: "It is queued", schema: "Job"), missing,
          .problem(422, "It would become too large, or there is no network"),
          .problem(429, "The queue is full; Retry-After says when to try again"),
        ]
      ) { request, context in
        let picture = try await picture(context)
        let fields = try await request.fields(of: .enlargement)
        var scale = 2
        switch fields["scale"] {
        case nil, .null: break
        case .integer(let wish): scale = wish
        default: throw RequestError.badValue(field: "scale", reason: "must be a whole number")
        }
        let file = try await input(picture)
        let new = try admission.enlargement(of: picture, file: file, scale: scale)
        let job = try await queue.submit(new).job
        return .json(
          try await jobs.value(of: job), .accepted, [.location: "/api/v1/jobs/\(job.id)"])
      },
      Operation(
        method: .patch, path: "/api/v1/pictures/{id}", id: "changePicture",
        summary: "Make a picture a favourite, or not.", parameters: [.picture],
        body: "PictureChange",
        answers: [
          .init(status: 200, help: "The picture", schema: "Picture"), missing,
          .problem(422, "A field cannot be used"),
        ]
      ) { request, context in
        let picture = try await picture(context)
        let fields = try await request.fields(of: .pictureChange)
        if let wish = fields["favourite"] {
          guard case .bool(let favourite) = wish else {
            throw RequestError.badValue(field: "favourite", reason: "must be true or false")
          }
          _ = try await store.mark([picture.id], favourite: favourite)
        }
        return .json(try await self.picture(context).value)
      },
      Operation(
        method: .delete, path: "/api/v1/pictures/{id}", id: "deletePicture",
        summary: "Throw a picture away; it can be taken back for a month.", parameters: [.picture],
        answers: [.init(status: 204, help: "It is gone", type: nil), missing]
      ) { _, context in
        _ = try await store.mark([picture(context).id], deleted: true)
        return Response(status: .noContent)
      },
      Operation(
        method: .post, path: "/api/v1/pictures/{id}/restore", id: "restorePicture",
        summary: "Take a picture back that was thrown away.", parameters: [.picture],
        answers: [.init(status: 200, help: "The picture", schema: "Picture"), missing]
      ) { _, context in
        _ = try await store.mark([picture(context).id], deleted: false)
        return .json(try await picture(context).value)
      },
      Operation(
        method: .post, path: "/api/v1/pictures/{id}/input", id: "usePicture",
        summary: "Make a picture a file that requests can name.", parameters: [.picture],
        answers: [.init(status: 200, help: "What a request calls it", schema: "File"), missing]
      ) { _, context in
        .json(try await input(picture(context)).value)
      },
    ]
  }

  private var films: Films { Films(folder: queue.folder) }

  /// A picture as a file that requests can name.
  private func input(_ picture: PictureRecord) async throws -> FileReference {
    guard let data = try? Data(contentsOf: queue.folder.picture(picture.id)) else {
      throw Problem.notFound("file of this picture")
    }
    return try await Inputs(queue: queue).keep(data, name: "\(picture.id).png")
  }

  private func attachment(_ picture: PictureRecord, _ ending: String) -> String {
    "attachment; filename=\"\(OutputName.slug(picture.prompt))-\(picture.seed).\(ending)\""
  }

  private var collections: [Operation] {
    [
      Operation(
        method: .get, path: "/api/v1/collections", id: "listCollections",
        summary: "All collections, by name.",
        answers: [.init(status: 200, help: "Collections", schema: "Collections")]
      ) { _, _ in .json(try await collectionsValue()) },
      Operation(
        method: .post, path: "/api/v1/collections", id: "createCollection",
        summary: "Make a collection; of one name there is one.", body: "NewCollection",
        answers: [
          .init(status: 201, help: "All collections", schema: "Collections"),
          .problem(422, "The name cannot be used"),
        ]
      ) { request, _ in
        let fields = try await request.fields(of: .newCollection)
        guard case .string(let text) = fields["name"] else {
          throw RequestError.badValue(field: "name", reason: "must be a text")
        }
        let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...80).contains(name.count), !name.unicodeScalars.contains("\0") else {
          throw RequestError.badValue(field: "name", reason: "must have 1 to 80 characters")
        }
        _ = try await store.makeCollection(name)
        return .json(try await collectionsValue(), .created)
      },
      Operation(
        method: .delete, path: "/api/v1/collections/{id}", id: "deleteCollection",
        summary: "Forget a collection; its pictures stay.", parameters: [.collection],
        answers: [
          .init(status: 204, help: "It is gone", type: nil), .problem(404, "There is none"),
        ]
      ) { _, context in
        guard try await store.removeCollection(context.identifier(of: "collection")) else {
          throw Problem.notFound("such collection")
        }
        return Response(status: .noContent)
      },
      collecting(.put, "collectPicture", "Put a picture into a collection.", isIn: true),
      collecting(.delete, "uncollectPicture", "Take a picture out of a collection.", isIn: false),
    ]
  }

  private func collecting(
    _ method: HTTPRequest.Method, _ id: String, _ summary: String, isIn: Bool
  ) -> Operation {
    Operation(
      method: method, path: "/api/v1/collections/{id}/pictures/{picture}", id: id,
      summary: summary,
      parameters: [
        .collection,
        .init(
          name: "picture", help: "The picture's name", schema: .text(limit: 40), isInPath: true),
      ],
      answers: [.init(status: 204, help: "Done", type: nil), .problem(404, "There is none")]
    ) { _, context in
      let picture = try await picture(context, "picture")
      guard
        try await store.collect(
          [picture.id], in: context.identifier(of: "collection"), isIn: isIn)
      else { throw Problem.notFound("such collection") }
      return Response(status: .noContent)
    }
  }

  private func picture(_ context: StudioContext, _ name: String = "id") async throws
    -> PictureRecord
  {
    let id = try context.identifier(name, of: "picture")
    guard let picture = try await store.picture(id) else {
      throw Problem.notFound("picture '\(id)'")
    }
    return picture
  }

  private func collectionsValue() async throws -> JSONValue {
    let all = try await store.collections()
    return .object([
      "collections": .array(
        all.map {
          .object([
            "id": .string($0.id), "name": .string($0.name), "created": .number($0.created),
            "pictures": .integer($0.pictures), "cover": JSONValue($0.cover),
          ])
        })
    ])
  }
}

extension PictureRecord {
  /// A picture as clients see it.
  var value: JSONValue {
    let known = JSONValue(text: metadata)
    var request: JSONValue = .null
    // Enlarged, or a film's still, it tells the request of another picture, which has the sheet.
    var isAnothers = film != nil
    if case .object(let fields) = known {
      request = fields["request"] ?? .null
      isAnothers = isAnothers || fields["enlarged"] != nil
    }
    var showsAttention = false
    if case .object(let fields) = request, !isAnothers {
      showsAttention = fields["attention"] == .bool(true)
    }
    return .object([
      "id": .string(id), "job": .string(job), "place": .integer(place),
      "created": .number(created), "prompt": .string(prompt), "method": .string(method),
      "seed": .integer(seed), "width": .integer(width), "height": .integer(height),
      "score": JSONValue(score), "stopped": .bool(stopped), "parent": JSONValue(parent),
      "favourite": .bool(favourite), "deleted": JSONValue(deleted), "request": request,
      "metadata": known ?? .null,
      "links": .object([
        "file": .string("/api/v1/pictures/\(id)/file"),
        "thumbnail": .string("/api/v1/pictures/\(id)/thumbnail"),
        "film": JSONValue(film == nil ? nil : "/api/v1/pictures/\(id)/film"),
        "attention": JSONValue(showsAttention ? "/api/v1/pictures/\(id)/attention" : nil),
        "trace": JSONValue(traced ? "/api/v1/pictures/\(id)/trace" : nil),
      ]),
    ])
  }
}
