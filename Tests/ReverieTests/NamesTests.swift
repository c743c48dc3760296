import Foundation
import Imaging
import Painting
import TestSupport
import Testing

@testable import reverie

/// Names of pictures, and what their files tell.
@Suite struct NamesTests {
  private static let pack = Result { try TinyPack.make().path }
  private static let quick = [
    "-m", "fft", "-i", "1", "--cutouts", "1", "--size", "32", "--seed", "7",
  ]

  private func run(_ program: Program, _ arguments: [String]) throws -> Program.Result {
    try program.run(arguments + ["--pack", Self.pack.get()])
  }

  @Test("names follow a pattern, in folders of their own, and nothing is overwritten")
  func pattern() throws {
    let program = try Program()
    let words =
      [
        "A Fox / ../../etc", "--outdir", "o", "--output-name",
        "{method}/{seed}-{prompt}-{size}.jpg",
      ]
      + Self.quick
    #expect(try run(program, words).output == "o/fft/7-a-fox-etc-32x32.jpg\n")
    #expect(try run(program, words).output == "o/fft/7-a-fox-etc-32x32-2.jpg\n")
    #expect(
      try Metadata(
        ofPictureAt: program.folder.appending(path: "o/fft/7-a-fox-etc-32x32.jpg").path
      ).request.seed == 7)
    #expect(!program.contents.contains { $0.hasSuffix(".run") })
  }

  @Test(
    "fields are filled, and their values cannot leave the folder",
    arguments: [
      ("{date}-{time}", "20260901-143052"), ("{date:%Y-%m-%d}/{time:%H}", "2026-09-01/14"),
      ("{time:%H/%M}", "14-30"), ("{number}", "3"), ("{init}", "my sketch"), ("{clip}", "a-b"),
      ("{learning-rate}-{learningRate}", "0.1-0.1"), ("{model}", "none"), ("x.y.png", "x.y"),
      ("{seed}.webp", "5"), ("v1.5-{seed}", "v1.5-5"),
    ])
  func fields(_ pattern: String, _ name: String) throws {
    var request = Request("a fox")
    (request.seed, request.learningRate, request.clip) = (5, 0.1, "../a/b")
    request.initImage = FileReference(name: "my sketch.png", sha256: "")
    let zone = TimeZone.current.secondsFromGMT(for: Date(timeIntervalSince1970: 1_788_273_052))
    let date = Date(timeIntervalSince1970: Double(1_788_273_052 - zone))
    let path = try OutputPattern(pattern).path(request, date: date, number: 3)
    #expect(path == name)
  }

  @Test("a run with a pattern that was killed goes on under its name")
  func resumed() async throws {
    let program = try Program()
    let (first, _, _) = try program.start([
      "fox", "--outdir", "o", "--output-name", "x/{seed}.webp", "-m", "fft", "-i", "100000",
      "--size", "32", "--cutouts", "1", "--seed", "7", "--checkpoint-every", "0.01", "-q", "--pack",
      try Self.pack.get(),
    ])
    let run = program.folder.appending(path: "o/x/7.run")
    func checkpoint() -> Date? {
      let path = run.appending(path: "checkpoint.safetensors").path
      return (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }
    try await wait(for: run.path) { checkpoint() != nil }
    kill(first.processIdentifier, SIGKILL)
    first.waitUntilExit()
    let before = checkpoint()
    let (second, output, _) = try program.start([
      "resume", "o/x/7.run", "--checkpoint-every", "0.01", "-q",
    ])
    try await wait(for: "its next checkpoint") { checkpoint() != before }
    kill(second.processIdentifier, SIGTERM)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    second.waitUntilExit()
    #expect(second.terminationStatus == 130 && text == "o/x/7.webp\n")
  }

  @Test("a file without metadata holds none", arguments: ["png", "jpg", "webp"])
  func bare(_ ending: String) throws {
    let program = try Program()
    let result = try run(
      program, ["a secret fox", "--no-metadata", "-o", "x.\(ending)", "--count", "2"] + Self.quick)
    #expect(
      result.status == 0 && result.output == "x.\(ending)\nx-2.\(ending)\n", "\(result.errors)")
    #expect(program.contents == ["x-2.\(ending)", "x.\(ending)"])
    let file = program.folder.appending(path: "x.\(ending)")
    #expect(try PictureMetadata.read(from: file.path).isEmpty)
    #expect(try Data(contentsOf: file).range(of: Data("secret".utf8)) == nil)
    let told = try run(program, ["a secret fox", "-o", "y.\(ending)"] + Self.quick)
    #expect(told.status == 0)
    let other = program.folder.appending(path: "y.\(ending)")
    #expect(try Picture.read(from: other.path) == Picture.read(from: file.path))
  }
}
