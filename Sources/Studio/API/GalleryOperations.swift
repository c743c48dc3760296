import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Painting

/// The gallery as a whole: look through it, change many pictures, take them away, see what came of what.
struct GalleryOperations: OperationGroup {
  let queue: JobQueue
  private var store: Store { queue.store }
  /// Most pictures that are changed or taken away at once.
  private static let most = 1_000

  var operations: [Operation] { [list, relatives] + many }

  private var list: Operation {
    Operation(
      method: .get, path: "/api/v1/pictures", id: "listPictures",
      summary: "Pictures, newest first if nothing else is asked.",
      parameters: [
        .init(name: "q", help: "Words of the prompt", schema: .text(limit: 400)),
        .init(name: "favourites", help: "Favourites only", schema: .boolean),
        .init(name: "collection", help: "Those of a collection only", schema: .text(limit: 40)),
        .init(name: "method", help: "Those of a method only", schema: .text(limit: 100)),
        .init(
          name: "since", help: "Those painted then or later, in seconds since 1970",
          schema: Self.moment),
        .init(
          name: "until", help: "Those painted before, in seconds since 1970", schema: Self.moment),
        .init(
          name: "order", help: "Which come first; best is by CLIP's score",
          schema: .words(Store.PictureQuery.Order.allCases.map(\.rawValue))),
        .init(
          name: "deleted", help: "Those that were thrown away, which stay for a month",
          schema: .boolean), .limit(standard: 60, most: 200), .after,
      ],
      answers: [
        .init(status: 200, help: "A page", schema: "PicturePage"),
        .problem(422, "A value of the query cannot be used"),
      ]
    ) { request, _ in
      var query = Store.PictureQuery()
      query.text = try request.text("q")
      query.favourites = try request.flag("favourites")
      query.collection = try request.text("collection", limit: 40)
      query.method = try request.text("method", limit: 100)
      query.deleted = try request.flag("deleted")
      let moments = 0...1 << 40
      if try request.text("since", limit: 40) != nil {
        query.since = Double(try request.number("since", in: moments, standard: 0))
      }
      if try request.text("until", limit: 40) != nil {
        query.until = Double(try request.number("until", in: moments, standard: 0))
      }
      if let word = try request.text("order", limit: 40) {
        guard let order = Store.PictureQuery.Order(rawValue: word) else {
          throw Problem(
            .unprocessableContent,
            "order must be one of "
              + Store.PictureQuery.Order.allCases.map(\.rawValue).joined(separator: ", ") + ".",
            field: "order")
        }
        query.order = order
      }
      query.limit = try request.number("limit", in: 1...200, standard: 60)
      if try request.text("after", limit: 40) != nil {
        query.after = Int64(try request.number("after", in: 0...Int.max, standard: 0))
      }
      let wanted = query
      let page = try await store.pages.page(wanted) {
        let page = try await store.pictures(wanted)
        let value = JSONValue.object([
          "pictures": .array(page.pictures.map(\.value)),
          "next": JSONValue(page.next.map { "\($0)" }),
          "methods": .array(try await store.methodsUsed().map(JSONValue.string)),
        ])
        return ByteBuffer(string: value.json)
      }
      return Response(
        status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: page))
    }
  }

  private static let moment = JSONValue.object([
    "type": .string("integer"), "minimum": .integer(0), "maximum": .integer(1 << 40),
  ])

  private var relatives: Operation {
    Operation(
      method: .get, path: "/api/v1/pictures/{id}/relatives", id: "getRelatives",
      summary: "What a picture came of and what came of it, as `parent` tells; the oldest first.",
      parameters: [.picture],
      answers: [
        .init(status: 200, help: "Pictures, this one among them", schema: "PicturePage"),
        .problem(404, "There is none"),
      ]
    ) { _, context in
      let id = try context.identifier(of: "picture")
      guard try await store.picture(id) != nil else { throw Problem.notFound("picture '\(id)'") }
      return .json(
        .object([
          "pictures": .array(try await store.relatives(of: id).map(\.value)), "next": .null,
        ]))
    }
  }

  // MARK: Many at once

  /// What is done with many pictures.
  enum Change: String, CaseIterable {
    case delete, restore, favourite, unfavourite
  }

  private var many: [Operation] {
    [
      Operation(
        method: .post, path: "/api/v1/pictures/changes", id: "changePictures",
        summary: "Throw many pictures away, take them back, or make them favourites.",
        body: "PictureChanges",
        answers: [
          .init(status: 200, help: "How many there were", schema: "Changed"),
          .problem(422, "A field cannot be used"),
        ]
      ) { request, _ in
        let fields = try await request.fields(of: .pictureChanges)
        let ids = try Self.pictures(fields)
        guard case .string(let word) = fields["change"], let change = Change(rawValue: word) else {
          throw RequestError.badValue(
            field: "change",
            reason: "must be one of " + Change.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let count =
          switch change {
          case .delete: try await store.mark(ids, deleted: true)
          case .restore: try await store.mark(ids, deleted: false)
          case .favourite: try await store.mark(ids, favourite: true)
          case .unfavourite: try await store.mark(ids, favourite: false)
          }
        return .json(.object(["pictures": .integer(count)]))
      },
      Operation(
        method: .delete, path: "/api/v1/bin", id: "emptyBin",
        summary: "Remove for good what was thrown away.",
        answers: [.init(status: 200, help: "How many there were", schema: "Changed")]
      ) { _, _ in
        .json(
          .object([
            "pictures": .integer(try await queue.emptyBin(before: Date().timeIntervalSince1970))
          ]))
      },
      Operation(
        method: .post, path: "/api/v1/archives", id: "archivePictures",
        summary: "Many pictures, and their films, as one ZIP file.", body: "PictureList",
        answers: [
          .init(status: 200, help: "A ZIP file", type: "application/zip"),
          .problem(404, "None of them is there"), .problem(422, "A field cannot be used"),
        ]
      ) { request, _ in
        let ids = try Self.pictures(try await request.fields(of: .pictureList))
        var entries: [ZipStream.Entry] = []
        for id in ids {
          guard let picture = try await store.picture(id) else { continue }
          let name = OutputName.slug(picture.prompt) + "-\(picture.seed)-\(picture.id)"
          entries.append(
            .init(
              name: name + ".png", file: queue.folder.picture(id), time: picture.created))
          if picture.film != nil {
            entries.append(
              .init(name: name + ".mp4", file: queue.folder.film(id), time: picture.created))
          }
        }
        guard !entries.isEmpty else { throw Problem.notFound("such picture") }
        return Response(
          status: .ok,
          headers: [
            .contentType: "application/zip",
            .contentDisposition: "attachment; filename=\"reverie.zip\"",
          ], body: ZipStream(entries: entries).body)
      },
    ]
  }

  /// Names of pictures in a body.
  private static func pictures(_ fields: [String: JSONValue]) throws -> [String] {
    guard case .array(let values) = fields["pictures"], (1...most).contains(values.count) else {
      throw RequestError.badValue(
        field: "pictures", reason: "must be a list of 1 to \(most) pictures' names")
    }
    return try values.map { value in
      guard case .string(let id) = value, Identifier.isPlausible(id) else {
        throw RequestError.badValue(field: "pictures", reason: "must be a list of pictures' names")
      }
      return id
    }
  }
}
