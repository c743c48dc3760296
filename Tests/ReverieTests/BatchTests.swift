import Foundation
import Imaging
import Painting
import TestSupport
import Testing

@testable import reverie

/// Lists of files and of prompts, in which a bad one does not end the rest.
@Suite struct BatchTests {
  private static let pack = Result { try TinyPack.make(upscaler: true).path }
  private static let quick = ["-m", "fft", "-i", "1", "--cutouts", "1", "--size", "32"]

  private func run(_ program: Program, _ arguments: [String]) throws -> Program.Result {
    try program.run(arguments + ["--pack", Self.pack.get()])
  }

  /// A good picture, one cut in half, one that is too wide to be enlarged, and another good one.
  private func pictures(_ program: Program) throws -> [String] {
    let png = try plainPNG()
    let wide = try Picture(width: 5000, height: 2, color: .white).encoded(as: .png())
    let files = [
      ("a.png", png), ("b.png", png.prefix(png.count / 2)), ("c.png", wide), ("d.png", png),
    ]
    for (name, data) in files { try Data(data).write(to: program.folder.appending(path: name)) }
    return files.map(\.0) + ["none.png"]
  }

  @Test("a list to be enlarged goes on after a bad file, and names each of them")
  func upscale() throws {
    let program = try Program()
    let result = try run(program, ["upscale"] + pictures(program) + ["--outdir", "o"])
    #expect(result.status == 1 && !result.crashed)
    #expect(result.output == "o/a-2x.png\no/d-2x.png\n")
    for name in ["b.png", "c.png", "none.png"] { #expect(result.errors.contains(name)) }
    #expect(result.errors.contains("3 of 5 failed."), "\(result.errors)")
  }

  @Test("a list to be described goes on after a bad file")
  func describe() throws {
    let program = try Program()
    let names = try pictures(program)
    let result = try run(program, ["describe", names[1], names[0], names[4]])
    #expect(result.status == 1)
    #expect(result.output.contains("a.png: ") && result.errors.contains("2 of 3 failed."))
  }

  @Test("models to be verified are looked at after one that is not there")
  func verify() throws {
    let result = try Program().run(["models", "verify", "nothing", "neither"])
    #expect(result.status == 1)
    #expect(result.errors.contains("nothing") && result.errors.contains("neither"))
  }

  @Test("each picture of a folder is painted from, keeps its name, and a bad one is named")
  func folder() throws {
    let program = try Program()
    let folder = program.folder.appending(path: "in")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let png = try plainPNG()
    for (name, data) in [
      ("2.png", png), ("10.png", png), ("x.y.png", png), ("bad.png", png.prefix(60)),
    ] {
      try Data(data).write(to: folder.appending(path: name))
    }
    let words = ["fox", "--init-image", "in", "--outdir", "o"] + Self.quick
    let result = try run(program, words)
    #expect(result.status == 1, "\(result.errors)")
    #expect(result.output == "o/2.png\no/10.png\no/x.y.png\n")
    #expect(result.errors.contains("in/bad.png is a damaged PNG"), "\(result.errors)")
    let metadata = try Metadata(ofPictureAt: program.folder.appending(path: "o/10.png").path)
    #expect(metadata.request.initImage?.name == "10.png")
    let second = try run(program, words + ["--count", "2"])
    #expect(second.output.hasPrefix("o/2-2.png\no/2-3.png\no/10-2.png\n"), "\(second.output)")
  }

  // MARK: Lists of prompts

  private func list(_ program: Program, _ text: String, _ name: String = "list.txt") throws {
    try Data(text.utf8).write(to: program.folder.appending(path: name))
  }

  private func requests(_ program: Program, _ result: Program.Result) throws -> [Request] {
    try result.output.split(separator: "\n").map {
      try Metadata(ofPictureAt: program.folder.appending(path: "\($0)").path).request
    }
  }

  @Test("prompts come from a text, one a line, with options in our words or A1111's")
  func text() throws {
    let program = try Program()
    try list(
      program,
      """
      \u{FEFF}a red fox | snow:0.5

      # a remark
      --prompt "a \\"big\\" cat" --seed 5 --steps 2\r
      a whale's song --iterations=3 --width 48 --negative_prompt 'blurry, grey'
      """)
    let result = try run(program, ["--prompts-from", "list.txt", "--seed", "1"] + Self.quick)
    #expect(result.status == 0, "\(result.errors)")
    let requests = try requests(program, result)
    #expect(requests.map(\.prompt) == ["a red fox | snow:0.5", "a \"big\" cat", "a whale's song"])
    #expect(requests.map(\.seed) == [1, 5, 1] && requests.map(\.iterations) == [1, 2, 3])
    #expect(requests[2].width == 48 && requests[2].height == 32)
    #expect(requests[2].negativePrompt == "blurry, grey")
  }

  @Test(
    "prompts come from a table whose columns are named like parameters",
    arguments: [",", ";", "\t"])
  func table(_ separator: String) throws {
    let program = try Program()
    let rows = [
      ["prompt", "seed", "learningRate", "cut-mode", "preset", "count"],
      ["\"a fox, in \"\"snow\"\"; or\tnot\"", "7", "0.2", "", "", "2"], ["", "", "", "", "", ""],
      ["a cat", "", "", "pixray", "draft", ""],
    ]
    try list(
      program, rows.map { $0.joined(separator: separator) }.joined(separator: "\r\n"), "l.csv")
    let result = try run(program, ["--prompts-from", "l.csv"] + Self.quick)
    #expect(result.status == 0, "\(result.errors)")
    let requests = try requests(program, result)
    #expect(
      requests.map(\.prompt) == [
        "a fox, in \"snow\"; or\tnot", "a fox, in \"snow\"; or\tnot", "a cat",
      ])
    #expect(requests.prefix(2).map(\.seed) == [7, 8])
    #expect(requests[0].learningRate == 0.2 && requests[2].cutMode?.rawValue == "pixray")
  }

  @Test("every line with a mistake is named before anything is painted")
  func mistakes() throws {
    let program = try Program()
    try list(program, "a fox\na cat --sead 5\na dog --seed \"5\n--seed x --iterations 1.5")
    let result = try run(program, ["--prompts-from", "list.txt"] + Self.quick)
    #expect(result.status == 64 && result.output.isEmpty)
    for part in ["line 2: Unknown option '--sead'", "line 3: A quotation", "line 4: "] {
      #expect(result.errors.contains("list.txt, " + part), "\(result.errors)")
    }
    try list(program, "a fox\n^ | ^\na cat --iterations 0\n||")
    let second = try run(program, ["--prompts-from", "list.txt"] + Self.quick)
    #expect(second.status == 64 && second.output.isEmpty)
    #expect(second.errors.contains("list.txt, line 3: iterations must be"), "\(second.errors)")
    try list(program, "a fox\n^ | ^\n||")
    let third = try run(program, ["--prompts-from", "list.txt"] + Self.quick)
    #expect(third.status == 1 && third.output.isEmpty)
    #expect(third.errors.contains("line 2: The prompt is empty"), "\(third.errors)")
    #expect(third.errors.contains("line 3: The prompt is empty"), "\(third.errors)")
    for (text, message) in [
      ("prompt,colour\na,b", "column 'colour'"), ("a,b\nc,d", "no column named prompt"),
      ("prompt,seed\na,1,2", "3 cells in 2 columns"), ("", "is empty"),
      ("prompt\n\"a", "a quotation has no end"),
    ] {
      try list(program, text, "l.csv")
      let result = try run(program, ["--prompts-from", "l.csv"])
      #expect(result.status == 64 && result.errors.contains(message), "\(text): \(result.errors)")
    }
    let both = try run(program, ["a fox", "--prompts-from", "list.txt"])
    #expect(both.status == 64 && both.errors.contains("leave the other one out"))
  }

  @Test("a grid of a list with a cell that fails does not end the list")
  func grids() throws {
    let program = try Program()
    try list(program, "a fox\na cat")
    let words = ["--prompts-from", "list.txt", "--grid", "clip=pack,nobody"] + Self.quick
    let result = try run(program, words)
    #expect(result.status == 1 && result.output.contains("a-cat"), "\(result.errors)")
    #expect(result.errors.contains("2 of 2 failed"), "\(result.errors)")
  }

  @Test("batches and pictures of each are as many as their product")
  func batches() throws {
    let program = try Program()
    try list(program, "a fox --n-iter 2 --batch-size 2 --seed 3")
    let result = try run(program, ["--prompts-from", "list.txt"] + Self.quick)
    #expect(try requests(program, result).map(\.seed) == [3, 4, 5, 6], "\(result.errors)")
  }

  @Test("prompts come from standard input, and each may be a grid")
  func input() throws {
    let program = try Program()
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    let words =
      ["--prompts-from", "-", "--grid", "seed=1,2", "--pack", try Self.pack.get()] + Self.quick
    process.arguments =
      ["-c", "printf 'a fox\\na cat\\n' | \"$0\" \"$@\"", Program.url.path] + words
    process.currentDirectoryURL = program.folder
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
    #expect(text.split(separator: "\n").count == 6 && text.contains("a-cat-2.png"), "\(text)")
  }
}
