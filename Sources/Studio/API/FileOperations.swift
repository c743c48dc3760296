import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import Painting
import Weights

/// Pictures that are handed in, to begin from, to be like, or for their settings.
struct FileOperations: OperationGroup {
  let queue: JobQueue
  let permits: Permits
  /// Largest file.
  static let limit = 32 << 20

  var operations: [Operation] {
    [
      Operation(
        method: .post, path: "/api/v1/files", id: "createFile",
        summary: "Hand in a picture: its bytes are the body. What its metadata says of how it was "
          + "painted is read back.",
        parameters: [.init(name: "name", help: "What to call it", schema: .text(limit: 200))],
        body: "Bytes", bodyTypes: ["image/png", "image/jpeg", "image/webp"],
        answers: [
          .init(
            status: 201, help: "What requests call it, and its settings", schema: "HandedIn"),
          .problem(413, "It is too large"), .problem(422, "It is no picture"),
        ]
      ) { request, _ in
        let permit = try permits.take()
        defer { permit.giveBack() }
        let name = try request.text("name", limit: 200)
        let data = try await request.bytes(limit: Self.limit)
        let inputs = Inputs(queue: queue)
        let file = try await inputs.keep(data, name: name ?? "picture")
        let found = ForeignSettings(of: data)
        return .json(
          .object([
            "file": file.value, "origin": JSONValue(found?.origin),
            "settings": found.map { .object($0.fields) } ?? .null,
          ]), .created)
      }
    ]
  }
}

/// Keeps files that requests name.
struct Inputs: Sendable {
  let queue: JobQueue
  /// What is decoded; more is refused.
  static let limits = ReadingLimits(pixels: 40_000_000, bytes: FileOperations.limit)

  /// Keeps a picture's file under the hash of its bytes.
  /// - Parameter name: as the client calls it; only its plain letters are kept.
  /// - Throws: `ImagingError` when it is no picture or too large.
  func keep(_ data: Data, name: String) async throws -> FileReference {
    _ = try Picture(decoding: data, name: "The file", limits: Self.limits)
    let sha256 = Checksum.sha256(of: data)
    let ending = data.first == 0x89 ? "png" : data.first == 0xff ? "jpg" : "webp"
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
