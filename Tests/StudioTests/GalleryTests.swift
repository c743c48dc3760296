import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Imaging
import NIOCore
import TestSupport
import Testing
import Weights

@testable import Painting
@testable import Studio

/// The gallery as a whole: order, filters, many at once, what came of what, the bin.
@Suite struct GalleryTests {
  private func fill(_ bench: Bench) async throws -> [String] {
    var ids: [String] = []
    let pictures: [(String, Double?, String?)] = [
      ("fft", 0.1, nil), ("pixel", 0.9, "a-1"), ("fft", nil, "b-1"), ("fft", 0.5, "a-1"),
      ("pixel", nil, nil),
    ]
    for (index, (method, score, parent)) in pictures.enumerated() {
      let job = ["a", "b", "c", "d", "e"][index]
      let id = PictureRecord.id(job: job, place: 1)
      let file = bench.folder.picture(id)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Picture(width: 8, height: 8, color: Color(red: UInt8(index), green: 2, blue: 3))
        .write(to: file.path, as: .png(), replacing: true)
      try await bench.store.add(
        PictureRecord(
          id: id, job: job, place: 1, created: Double(1_000 * (index + 1)),
          prompt: "a fox \(index)",
          metadata: "{}", method: method, seed: index, width: 8, height: 8, score: score,
          stopped: false, parent: parent))
      ids.append(id)
    }
    return ids
  }

  @Test(
    "pictures come in the order that is asked for, page by page, and only those that are",
    arguments: [
      ("", "e d c b a"), ("order=oldest", "a b c d e"), ("order=best", "b d a e c"),
      ("method=fft", "d c a"), ("since=2000&until=4000", "c b"),
      ("order=oldest&method=pixel", "b e"), ("method=none", ""),
    ])
  func order(_ query: String, _ wanted: String) async throws {
    try await Asking.with { ask in
      _ = try await fill(ask.bench)
      var found: [String] = []
      var after = ""
      repeat {
        let page = try await ask(.get, "/api/v1/pictures?limit=2&\(query)\(after)")
        #expect(page.status == 200)
        guard case .array(let pictures) = page.body["pictures"] else { break }
        found += pictures.compactMap { $0["job"]?.text }
        #expect(page.body["methods"] == .array([.string("fft"), .string("pixel")]))
        guard case .string(let next) = page.body["next"] else { break }
        after = "&after=\(next)"
      } while found.count < 10
      #expect(found.joined(separator: " ") == wanted)
    }
  }

  @Test(
    "an order or a moment that there is not is told", arguments: ["order=x", "since=x", "until=-1"])
  func mistakes(_ query: String) async throws {
    try await Asking.with { ask in
      let answer = try await ask(.get, "/api/v1/pictures?\(query)")
      #expect((answer.status, answer.field) == (422, String(query.prefix { $0 != "=" })))
    }
  }

  @Test("what a picture came of and what came of it are found from each of them")
  func relatives() async throws {
    try await Asking.with { ask in
      _ = try await fill(ask.bench)
      for id in ["a-1", "b-1", "c-1", "d-1"] {
        let answer = try await ask(.get, "/api/v1/pictures/\(id)/relatives")
        guard case .array(let pictures) = answer.body["pictures"] else { continue }
        #expect(pictures.compactMap { $0["id"]?.text } == ["a-1", "b-1", "c-1", "d-1"], "\(id)")
      }
      let alone = try await ask(.get, "/api/v1/pictures/e-1/relatives")
      #expect(alone.body["pictures"]?[0]?["id"] == .string("e-1"))
      #expect(try await ask(.get, "/api/v1/pictures/x-1/relatives").status == 404)
    }
  }

  @Test("many are changed at once, and what was thrown away goes for good, with its files")
  func many() async throws {
    try await Asking.with { ask in
      let ids = try await fill(ask.bench)
      func change(_ body: String) async throws -> Asking.Answer {
        try await ask(.post, "/api/v1/pictures/changes", Data(body.utf8))
      }
      let liked = try await change(#"{"pictures":["a-1","b-1","x-1"],"change":"favourite"}"#)
      #expect(liked.body["pictures"] == .integer(2))
      #expect(try await ask.bench.store.picture("b-1")?.favourite == true)
      _ = try await change(#"{"pictures":["a-1","c-1"],"change":"delete"}"#)
      _ = try await change(#"{"pictures":["c-1"],"change":"restore"}"#)
      #expect(try await ask.bench.store.pictureCount() == ids.count - 1)
      for body in [
        #"{"pictures":[],"change":"delete"}"#, #"{"pictures":["a-1"],"change":"burn"}"#,
        #"{"pictures":[7],"change":"delete"}"#, #"{"pictures":["../x"],"change":"delete"}"#,
      ] { #expect(try await change(body).status == 422, "\(body)") }
      let file = ask.bench.folder.picture("a-1")
      #expect(FileManager.default.fileExists(atPath: file.path))
      let emptied = try await ask(.delete, "/api/v1/bin")
      #expect((emptied.status, emptied.body["pictures"]) == (200, .integer(1)))
      #expect(!FileManager.default.fileExists(atPath: file.path))
      #expect(try await ask(.get, "/api/v1/pictures/a-1").status == 404)
      #expect(try await ask(.get, "/api/v1/pictures/b-1").status == 200)
    }
  }

  @Test("an archive has the checksum that others compute, and a directory that fits")
  func archive() async throws {
    #expect(Checksum.crc32(of: Data("123456789".utf8)) == 0xcbf4_3926)
    #expect(Checksum.crc32(of: Data()) == 0)
    try await Asking.with { ask in
      _ = try await fill(ask.bench)
      let response = try await ask.client.executeRequest(
        uri: "/api/v1/archives", method: .post, headers: [.contentType: "application/json"],
        body: .init(string: #"{"pictures":["a-1","b-1","x-1"]}"#))
      let bytes = Array(response.body.readableBytesView)
      #expect(bytes.starts(with: [0x50, 0x4b, 3, 4]))
      let end = bytes.suffix(22)
      #expect(end.starts(with: [0x50, 0x4b, 5, 6]))
      #expect(end.dropFirst(10).first == 2)
      let empty = try await ask(
        .post, "/api/v1/archives", Data(#"{"pictures":["x-1"]}"#.utf8))
      #expect(empty.status == 404)
    }
  }
}
