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
        let (origin, settings) = ForeignSettings.read(data)
        return .json(
          .object([
            "file": file.value, "origin": JSONValue(origin), "settings": settings ?? .null,
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

/// Settings that travel in a picture's file: Reverie's own, AUTOMATIC1111's line, pixray's texts.
enum ForeignSettings {
  /// Where they come from, and as fields of a request; nil where there are none.
  static func read(_ data: Data) -> (origin: String?, settings: JSONValue?) {
    guard let texts = try? PictureMetadata.read(from: data) else { return (nil, nil) }
    func text(_ keyword: String) -> String? { texts.last { $0.keyword == keyword }?.text }
    if let own = text(Metadata.keyword), let metadata = try? Metadata(json: own) {
      return ("reverie", .object(metadata.request.fields))
    }
    if let line = text(Metadata.infotextKeyword), let fields = infotext(line) {
      return ("a1111", .object(fields))
    }
    if let prompts = text("pixray_prompts") {
      var fields: [String: JSONValue] = ["prompt": .string(unlisted(prompts))]
      if let seed = text("pixray_seed_used").flatMap({ Int($0) }), seed >= 0 {
        fields["seed"] = .integer(seed)
      }
      if let steps = text("pixray_iterations").flatMap({ Int($0) }), steps > 0 {
        fields["iterations"] = .integer(steps)
      }
      return ("pixray", .object(fields))
    }
    return (nil, nil)
  }

  /// What AUTOMATIC1111's tools write, as fields of a request; nil where it has neither prompt nor settings.
  static func infotext(_ text: String) -> [String: JSONValue]? {
    let infotext = Infotext(text)
    guard !infotext.settings.isEmpty else { return nil }
    var fields: [String: JSONValue] = ["prompt": .string(AttentionPrompt(infotext.prompt).text)]
    let away = AttentionPrompt(infotext.negativePrompt).text
    if !away.allSatisfy(\.isWhitespace) { fields["negativePrompt"] = .string(away) }
    func number(_ name: String, _ range: ClosedRange<Int>) -> JSONValue? {
      infotext[name].flatMap { Int($0) }.flatMap { range.contains($0) ? .integer($0) : nil }
    }
    fields["iterations"] = number("Steps", 1...100_000)
    fields["seed"] = number("Seed", Seed.range)
    if let size = infotext.size {
      (fields["width"], fields["height"]) = (.integer(size.width), .integer(size.height))
    }
    return fields
  }

  /// The texts of a Python list, by `|`.
  private static func unlisted(_ text: String) -> String {
    guard text.hasPrefix("["), text.hasSuffix("]") else { return text }
    return text.dropFirst().dropLast().components(separatedBy: ", ")
      .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "'\" ")) }
      .filter { !$0.isEmpty }.joined(separator: " | ")
  }
}
