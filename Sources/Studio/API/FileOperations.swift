import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import Painting
import Weights

/// Pictures and videos that are handed in: to begin from, to be like, to be painted over, or for their settings.
struct FileOperations: OperationGroup {
  let queue: JobQueue
  let permits: Permits
  /// Largest file.
  static let limit = 32 << 20
  /// Largest video.
  static let videoLimit = 64 << 20
  private static let videoTypes = ["video/mp4", "video/webm", "video/quicktime", "image/gif"]

  var operations: [Operation] {
    [
      Operation(
        method: .post, path: "/api/v1/files", id: "createFile",
        summary:
          "Hand in a picture, or a video to paint over: its bytes are the body. What a picture's "
          + "metadata says of how it was painted is read back.",
        parameters: [.init(name: "name", help: "What to call it", schema: .text(limit: 200))],
        body: "Bytes", bodyTypes: ["image/png", "image/jpeg", "image/webp"] + Self.videoTypes,
        answers: [
          .init(
            status: 201, help: "What requests call it, and its settings", schema: "HandedIn"),
          .problem(413, "It is too large"), .problem(422, "It is no picture and no video"),
        ]
      ) { request, _ in
        let permit = try permits.take()
        defer { permit.giveBack() }
        let name = try request.text("name", limit: 200)
        let inputs = Inputs(queue: queue)
        let type = request.headers[.contentType]?.lowercased() ?? ""
        if Self.videoTypes.contains(type) {
          let data = try await request.bytes(limit: Self.videoLimit)
          let file = try await inputs.keepVideo(data, name: name ?? "video")
          return .json(
            .object(["file": file.value, "origin": .null, "settings": .null]), .created)
        }
        let data = try await request.bytes(limit: Self.limit)
        let file = try await inputs.keep(data, name: name ?? "picture")
        let found = ForeignSettings(of: data)
        return .json(
          .object([
            "file": file.value, "origin": JSONValue(found?.origin),
            "settings": found.map { .object($0.fields) } ?? .null,
          ]), .created)
      },
      Operation(
        method: .get, path: "/api/v1/files/{sha256}", id: "getFile",
        summary: "A file that was handed in.",
        parameters: [
          .init(
            name: "sha256", help: "The SHA-256 of its bytes", schema: .text(limit: 64, least: 64),
            isInPath: true)
        ],
        answers: [
          .init(status: 200, help: "A picture or a video", type: "image/png"),
          .problem(404, "There is none"),
        ]
      ) { request, context in
        guard let sha256 = context.parameters.get("sha256"), sha256.utf8.count == 64,
          let input = try await queue.store.input(sha256),
          let data = try? Data(contentsOf: queue.folder.input(sha256, ending: input.ending))
        else { throw Problem.notFound("such file") }
        let type =
          ["png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"][input.ending]
          ?? VideoFormat(rawValue: input.ending)?.mediaType ?? "application/octet-stream"
        return .bytes(data, type: type, etag: sha256, request: request)
      },
    ]
  }
}

/// Keeps files that requests name.
struct Inputs: Sendable {
  let queue: JobQueue
  /// What is decoded; more is refused.
  static let limits = ReadingLimits(pixels: 40_000_000, bytes: FileOperations.limit)
  /// The endings of `keepVideo`.
  static let videoEndings = ["gif", "webm", "mp4"]

  /// Keeps a picture's file under the hash of its bytes.
  /// - Parameter name: as the client calls it; only its plain letters are kept.
  /// - Throws: `ImagingError` when it is no picture or too large.
  func keep(_ data: Data, name: String) async throws -> FileReference {
    _ = try Picture(decoding: data, name: "The file", limits: Self.limits)
    return try await keep(data, name: name, ending: Self.ending(of: data))
  }

  private static func ending(of picture: Data) -> String {
    picture.first == 0x89 ? "png" : picture.first == 0xff ? "jpg" : "webp"
  }

  /// Keeps a video's file, to be painted over.
  /// - Throws: `ImagingError` when it is no video or too large; `Problem` when it is too long.
  func keepVideo(_ data: Data, name: String) async throws -> FileReference {
    let isGIF = data.starts(with: Data("GIF8".utf8))
    let ending = isGIF ? "gif" : data.starts(with: [0x1a, 0x45, 0xdf, 0xa3]) ? "webm" : "mp4"
    let draft = queue.folder.inputs.appending(path: ".\(UUID().uuidString).\(ending)")
    defer { try? FileManager.default.removeItem(at: draft) }
    try data.write(to: draft)
    let info: VideoInfo
    do {
      info = try await VideoReader(draft.path, limits: Self.limits).info
    } catch let error as ImagingError {
      // Where it lies here is nobody's business.
      if case .unreadable(_, let reason) = error {
        throw ImagingError.unreadable(path: "The file", reason: reason)
      }
      throw error
    }
    guard info.frames <= Film.mostFrames else {
      throw Problem(
        .contentTooLarge,
        "The video has \(info.frames) frames; \(Film.mostFrames) are taken. Cut it shorter.")
    }
    return try await keep(data, name: name, ending: ending)
  }

  private func keep(_ data: Data, name: String, ending: String) async throws -> FileReference {
    let sha256 = Checksum.sha256(of: data)
    let file = queue.folder.input(sha256, ending: ending)
    if !FileManager.default.fileExists(atPath: file.path) {
      try data.write(to: file, options: .atomic)
    }
    let plain = OutputName.slug((name as NSString).deletingPathExtension) + "." + ending
    try await queue.store.add(
      InputRecord(
        sha256: sha256, name: plain, ending: ending, bytes: data.count,
        created: Date().timeIntervalSince1970))
    return FileReference(name: plain, sha256: sha256)
  }
}

extension FileReference {
  /// As clients see it.
  var value: JSONValue { .object(["name": .string(name), "sha256": .string(sha256)]) }
}
