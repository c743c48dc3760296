import Foundation
import Painting
import Testing

@testable import reverie

/// The program that was built with these tests, as studio and as doctor.
@Suite(.serialized) struct ServeTests {
  /// A studio, the address that it printed, and what stands in it beside.
  private func open(_ options: [String], _ body: (URL, Process) async throws -> Void) async throws {
    let program = try Program()
    let (process, output, _) = try program.start(
      ["serve", "--port", "0", "--data", "studio"] + options)
    defer { kill(process.processIdentifier, SIGKILL) }
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) {
      if byte.isEmpty { break }
      line += byte
    }
    let address = try #require(URL(string: String(decoding: line, as: UTF8.self)))
    try await body(address, process)
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
  }

  @Test("a studio says where it is, and leaves when it is asked to")
  func opens() async throws {
    try await open([]) { address, _ in
      #expect(address.host() == "127.0.0.1")
      #expect(address.query() == nil)
      #expect((address.port ?? 0) > 0)
    }
  }

  @Test("a studio that is open to a network makes a token and prints it")
  func token() async throws {
    try await open(["--host", "0.0.0.0"]) { address, _ in
      let token = try #require(address.query()?.split(separator: "=").last)
      #expect(token.count >= 16)
    }
    try await open(["--host", "0.0.0.0", "--token", "my-own-word"]) { address, _ in
      #expect(address.query() == "token=my-own-word")
    }
  }

  @Test(
    "wrong use is told",
    arguments: [
      (["--port", "70000"], "--port"), (["--token", "short"], "--token"),
      (["--log-level", "loud"], "--log-level"), (["--queue-limit", "0"], "--queue-limit"),
    ])
  func wrong(_ options: [String], _ word: String) throws {
    let result = try Program().run(["serve"] + options)
    #expect(result.status == 64)
    #expect(result.errors.contains(word))
  }

  @Test("the doctor finds what is here, as lines and as JSON")
  func doctor() throws {
    let program = try Program()
    let text = try program.run(["doctor", "--data", "studio", "--port", "0"])
    #expect(text.status == 0, "\(text.output)")
    for subject in ["libtorch", "device cpu", "memory", "disk", "pack", "models", "ffmpeg"] {
      #expect(text.output.contains(subject))
    }
    let json = try program.run(["doctor", "--json", "--data", "studio", "--port", "0"])
    for line in json.output.split(separator: "\n") {
      let value = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
      #expect(["ok", "note"].contains(value["state"]))
      // What is not well says what to do.
      #expect(value["state"] == "ok" || value["next"] != nil)
    }
  }

  @Test("the doctor calls a damaged thing bad")
  func damaged() throws {
    let program = try Program()
    let folder = program.folder.appending(path: "models/fox", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(
      #"{"schema":1,"id":"fox","kind":"clip","title":"a fox","source":"here","files":{"a.pt":{"size":9,"sha256":"\#(String(repeating: "0", count: 64))"}}}"#
        .utf8
    ).write(to: folder.appending(path: "model.json"))
    let result = try program.run(["doctor", "--data", "studio", "--port", "0"])
    #expect(result.status == 1)
    #expect(result.output.contains("bad  model fox"))
    let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("reverie models verify fox"))
  }
}
