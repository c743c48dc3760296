import Foundation
import TestSupport
import Testing

/// What several processes do in one folder at the same moment.
@Suite(.serialized) struct SharedFolderTests {
  private static let pack = Result { try TinyPack.make().path }

  /// A painting that takes far longer than the tests look at it.
  private func long(_ program: Program, seed: Int, _ more: [String]) throws -> Process {
    let (process, _, _) = try program.start(
      [
        "red fox", "--method", "fft", "--iterations", "100000", "--cutouts", "1", "--size", "32",
        "--seed", "\(seed)", "--checkpoint-every", "0.02", "--quiet", "--pack", Self.pack.get(),
      ] + more)
    return process
  }

  private func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Waits until a run has a checkpoint.
  private func begun(_ run: String, _ program: Program, _ process: Process) async throws {
    let file = program.folder.appending(path: run).appending(path: "checkpoint.safetensors")
    try await wait(for: file.path) {
      try #require(process.isRunning)
      return FileManager.default.fileExists(atPath: file.path)
    }
  }

  /// Waits until a process has a run.
  private func taken(_ run: String, _ program: Program, _ process: Process) async throws {
    let note = program.folder.appending(path: run).appending(path: "lock")
    try await wait(for: note.path) {
      try #require(process.isRunning)
      let text = try? String(contentsOf: note, encoding: .utf8)
      return text == "\(process.processIdentifier)\n"
    }
  }

  @Test("a run that is being painted is not resumed beside that, and is afterwards")
  func twoResumes() async throws {
    let program = try Program()
    let first = try long(program, seed: 1, ["-o", "fox.png"])
    defer { end(first) }
    try await begun("fox.run", program, first)
    for words in [["resume", "fox.run"], ["resume", "--outdir", "."]] {
      let second = try program.run(words)
      #expect(second.status == 1 && second.output.isEmpty)
      #expect(
        second.errors.contains("fox.run is in use by process \(first.processIdentifier)"),
        "\(second.errors)")
    }
    #expect(first.isRunning)
    end(first)
    let (second, _, _) = try program.start(["resume", "fox.run"])
    defer { end(second) }
    try await taken("fox.run", program, second)
  }

  @Test("resume without a name takes the newest run that nobody paints")
  func newestFree() async throws {
    let program = try Program()
    let left = try long(program, seed: 1, ["-o", "left.png"])
    try await begun("left.run", program, left)
    end(left)
    let painted = try long(program, seed: 2, ["-o", "painted.png"])
    defer { end(painted) }
    try await begun("painted.run", program, painted)
    let (second, _, _) = try program.start(["resume", "--outdir", "."])
    defer { end(second) }
    try await taken("left.run", program, second)
    #expect(painted.isRunning)
  }

  @Test("four paintings of one prompt and seed at the same moment are four pictures")
  func fourPaintings() throws {
    let program = try Program()
    let started = try (0..<4).map { _ in
      try program.start([
        "fox", "--method", "pixel", "--iterations", "1", "--cutouts", "1", "--size", "32", "--seed",
        "1", "--outdir", "o", "--svg", "--pack", Self.pack.get(),
      ])
    }
    for (process, _, errors) in started {
      let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(text)")
    }
    #expect(program.contents.count { $0.hasSuffix(".png") } == 4, "\(program.contents)")
    #expect(program.contents.count { $0.hasSuffix(".svg") } == 4, "\(program.contents)")
    #expect(!program.contents.contains { $0.contains(".run") })
  }
}
