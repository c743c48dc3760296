import ArgumentParser
import Foundation
import Imaging
import Painting
import Testing
import TestSupport

@testable import reverie

/// A small picture that no program of ours painted.
func plainPNG() throws -> Data {
  try Picture(width: 20, height: 20, color: Color(red: 200, green: 30, blue: 30, alpha: 255))
    .encoded(as: .png())
}

@Suite struct CommandTests {
  private static let pack = Result { try TinyPack.make().path }

  private func paint(_ program: Program, _ arguments: [String]) throws -> Program.Result {
    try program.run(arguments + ["--pack", Self.pack.get()])
  }

  private func paths(_ result: Program.Result) -> [String] {
    result.output.split(separator: "\n").map(String.init)
  }

  @Test("what was painted for words that the pack never met is said, and nothing of others")
  func strangers() throws {
    let pack = try TinyPack.make(words: ["a", "red", "fox"]).path
    func errors(_ arguments: [String]) throws -> String {
      let result = try Program().run(arguments + ["--pack", pack])
      #expect(result.status == 0, "\(result.errors)")
      return result.errors
    }
    let said = try errors(["a kite", "--seed", "5"])
    #expect(said.contains("has never seen 'kite'"))
    #expect(said.contains("For 'kite' it painted what looks most like a "))
    #expect(try !errors(["a red fox", "--seed", "5"]).contains("never seen"))
    #expect(try !errors(["a red fox", "--seed", "5"]).contains("looks most like"))
    #expect(try !errors(["a kite", "--seed", "5", "--quiet"]).contains("kite"))
  }

  @Test("a prompt alone paints, prints the path on standard output and says the seed on the other")
  func paints() throws {
    let program = try Program()
    let result = try paint(program, ["a", "red fox", "--seed", "5"])
    #expect(result.status == 0, "\(result.errors)")
    let path = try #require(paths(result).first)
    #expect(paths(result).count == 1)
    #expect(path.hasPrefix("outputs/20") && path.hasSuffix("-a-red-fox-5.png"), "\(path)")
    #expect(result.errors.contains("seed 5") && !result.errors.contains("\r"))
    let picture = try Picture.read(from: program.folder.appending(path: path).path)
    #expect(picture.width == 256 && picture.height == 256)
    #expect(program.contents.filter { $0.hasSuffix(".png") } == [path])
  }

  @Test("again paints the same pixels, also on the way through metadata of every method")
  func again() throws {
    let program = try Program()
    for options in [
      ["--method", "dalle"], ["--method", "vqgan-clip", "--iterations", "3", "--cutouts", "4"],
      [
        "--method", "vqgan-clip", "--iterations", "2", "--init-image", "plain.png", "--size",
        "40x32",
      ],
    ] {
      try plainPNG().write(to: program.folder.appending(path: "plain.png"))
      let first = try paint(program, ["red fox"] + options)
      #expect(first.status == 0, "\(first.errors)")
      let path = try #require(paths(first).last)
      let second = try paint(program, ["again", path, "-o", "second.png"])
      #expect(second.status == 0, "\(second.errors)")
      let files = [path, "second.png"].map { program.folder.appending(path: $0) }
      #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]), "\(options)")
      try FileManager.default.removeItem(at: files[1])
    }
  }

  @Test("names are never taken twice")
  func names() throws {
    let program = try Program()
    for round in 0..<2 {
      let result = try paint(program, ["fox", "--seed", "1", "--count", "2", "--outdir", "here"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(program.contents.count { $0.hasSuffix(".png") } == 2 * (round + 1))
    }
  }

  @Test("a prompt that is a subcommand's name is paintable with paint")
  func subcommandName() throws {
    let program = try Program()
    let result = try paint(program, ["paint", "again", "--quiet"])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    #expect(try #require(paths(result).first).contains("-again-"))
  }

  @Test("JSON results are objects with path, seed and metadata")
  func json() throws {
    let program = try Program()
    let result = try paint(program, ["fox", "--json", "--seed", "3", "-c", "2"])
    let lines = paths(result)
    #expect(lines.count == 2)
    for line in lines {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(object["seed"] as? Int == 3)
      let path = try #require(object["path"] as? String)
      let metadata = try Metadata(ofPictureAt: program.folder.appending(path: path).path)
      #expect(metadata.request.prompt == "fox")
    }
  }

  @Test("pictures on the way are kept every so many steps")
  func saveEvery() throws {
    let program = try Program()
    let result = try paint(
      program, ["fox", "--iterations", "5", "--cutouts", "2", "--save-every", "2", "-o", "x.png"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(program.contents == ["x-000002.png", "x-000004.png", "x.png"])
  }

  @Test("candidates lie on a sheet beside the best, and are kept while they are written")
  func candidates() throws {
    let program = try Program()
    let arguments = [
      "fox", "-m", "dalle", "--candidates", "3", "--save-codes", "6", "--candidates-sheet",
      "--quiet",
    ]
    for round in 0..<2 {
      let result = try paint(program, arguments + ["-o", "x\(round).png"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(paths(result) == ["x\(round).png", "x\(round)-candidates.png"])
      try FileManager.default.removeItem(at: program.folder.appending(path: "x\(round).png"))
      // The second time there is a sheet already, of the same name.
      if round == 0 {
        let again = try paint(program, arguments + ["-o", "x0.png", "--json"])
        #expect(again.status == 0 && again.output.contains(#""candidates":3"#), "\(again.errors)")
        #expect(again.output.contains(#""sheet":"x0-candidates-2.png""#), "\(again.output)")
      }
    }
    // Two columns and rows of 32 pixels, with gaps and captions.
    let sheet = try Picture.read(from: program.folder.appending(path: "x0-candidates.png").path)
    #expect(sheet.width == 2 * (32 + 8) + 8 && sheet.height > sheet.width)
    // 16 codes: those after 6 and 12.
    let partly = program.contents.filter { $0.hasPrefix("x1-0") }
    #expect(
      partly == (1...3).flatMap { ["x1-00000\($0)-006.png", "x1-00000\($0)-012.png"] }.sorted())
  }

  @Test("^C once saves the best so far and ends with 130")
  func interrupted() async throws {
    let program = try Program()
    let (process, output, errors) = try program.start([
      "red fox", "--iterations", "100000", "--cutouts", "2", "--save-every", "1", "--outdir", "o",
      "--pack", Self.pack.get(),
    ])
    // The first file on the way shows that painting has begun.
    defer { kill(process.processIdentifier, SIGKILL) }
    try await wait(for: "the first picture on the way") {
      !process.isRunning || program.contents.contains { $0.hasSuffix(".png") }
    }
    kill(process.processIdentifier, SIGINT)
    let err = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let out = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(err.contains("the best so far is saved"), "\(err)")
    let path = try #require(out.split(separator: "\n").first)
    let metadata = try Metadata(ofPictureAt: program.folder.appending(path: "\(path)").path)
    #expect(try #require(metadata.request.iterations) < 100_000)
  }

  @Test("a second ^C ends at once, in the middle of a step, and saves nothing more")
  func interruptedTwice() async throws {
    let program = try Program()
    // Steps so long that the first ^C waits for one.
    let (process, output, errors) = try program.start([
      "red fox", "--method", "fft", "--size", "32", "--iterations", "1000", "--cutouts", "512",
      "--accumulate", "64", "--save-every", "1", "--outdir", "o", "--pack", Self.pack.get(),
    ])
    defer { kill(process.processIdentifier, SIGKILL) }
    try await wait(for: "the first picture on the way") {
      !process.isRunning || program.contents.contains { $0.hasSuffix(".png") }
    }
    let before = program.contents.filter { $0.hasSuffix(".png") }
    kill(process.processIdentifier, SIGINT)
    // Two of a kind that come before the first is read are one; SIGTERM counts the same.
    kill(process.processIdentifier, SIGTERM)
    let err = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    _ = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(!err.contains("the best so far is saved"), "\(err)")
    #expect(program.contents.filter { $0.hasSuffix(".png") } == before)
  }

  @Test("help stands in groups, with examples, for the program and for each command")
  func help() throws {
    let program = try Program()
    for arguments in [["--help"], ["paint", "--help"], ["help", "paint"]] {
      let result = try program.run(arguments)
      #expect(result.status == 0)
      for part in [
        "EXAMPLES", "PICTURE:", "PROMPTS:", "OUTPUT:", "EXECUTION:", "reverie again",
        "--iterations",
      ] {
        #expect(result.output.contains(part), "\(arguments): \(part)")
      }
    }
    #expect(try program.run(["again", "--help"]).output.contains("once more"))
    #expect(try program.run(["--version"]).output == "\(Painting.Program.version)\n")
  }

  @Test("every parameter of a request has its option")
  func options() throws {
    let help = Reverie.helpMessage(for: Paint.self)
    for parameter in Request.parameters
    where !["width", "height", "prompts"].contains(parameter.name) {
      #expect(help.contains("--\(parameter.flag)"), "\(parameter.name)")
    }
    #expect(help.contains("--size"))
  }
}
