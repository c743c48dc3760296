import Foundation
import Imaging
import Painting
import Testing
import TestSupport

@testable import reverie

@Suite struct GridTests {
  @Test(
    "an axis reads lists, ranges and steps",
    arguments: [
      ("seed=1..4", ["1", "2", "3", "4"]), ("seed=4..2", ["4", "3", "2"]),
      ("seed=1..7..3,20", ["1", "4", "7", "20"]), ("--seed=5", ["5"]),
      ("ema=0..0.9..0.3", ["0", "0.3", "0.6", "0.9"]),
      ("ema=0.1..0.3..0.1", ["0.1", "0.2", "0.3"]),
      ("method=vqgan-clip, pixel", ["vqgan-clip", "pixel"]),
      ("prompt=a fox, sitting;a cat | snow", ["a fox, sitting", "a cat | snow"]),
      ("prompt=a fox, sitting", ["a fox, sitting"]),
      ("objective=none;palette,colors=[red,blue]", ["none", "palette,colors=[red,blue]"]),
      ("clip=a,b;c", ["a,b", "c"]),
      ("preset=draft;pixel-art,better", ["draft", "pixel-art,better"]),
      ("size=64,64x32", ["64", "64x32"]), ("seed=1...4", ["1...4"]),
    ])
  func axis(_ text: String, _ values: [String]) throws {
    #expect(try Grid.Axis(parsing: text).values == values)
  }

  @Test(
    "a bad axis gives an error with the next step",
    arguments: [
      (["seed"], "takes a name and its values"), (["seed="], "takes a name and its values"),
      (["sead=1..4"], "no parameter 'sead'. Did you mean 'seed'?"),
      (["seed=1..1000000000"], "more than 100 values"), (["seed=4..1..1"], "never gets to its end"),
      (["seed=1..4..0"], "never gets to its end"), (["seed=,"], "has 0 values"),
      (["seed=1..100", "cutouts=1..100"], "10000 pictures; 400 are the most"),
      (["seed=1", "seed=2"], "'seed' twice"),
      (["seed=1", "cutouts=2", "ema=0", "method=fft"], "three times at most"),
    ])
  func bad(_ texts: [String], _ message: String) {
    #expect {
      try Grid(texts)
    } throws: {
      "\($0)".contains(message)
    }
  }

  @Test("combinations go through the first axis fastest, and there is one without axes")
  func combinations() throws {
    let grid = try Grid(["seed=1,2", "cutouts=3,4", "ema=0"])
    #expect(
      grid.combinations == [["1", "3", "0"], ["2", "3", "0"], ["1", "4", "0"], ["2", "4", "0"]])
    #expect(try Grid([]).combinations == [[]])
  }

  private static let pack = Result { try TinyPack.make().path }

  private func paint(_ program: Program, _ arguments: [String]) throws -> Program.Result {
    try program.run(arguments + ["--pack", Self.pack.get(), "--outdir", "o"])
  }

  @Test(
    "a grid paints every combination by its own name, and a sheet; with --continue only the rest")
  func paints() throws {
    let program = try Program()
    let grid = [
      "fox", "--grid", "seed=1,2", "--grid", "method=fft,pixel", "-i", "2", "--cutouts", "2",
      "--size",
      "32", "--json",
    ]
    let result = try paint(program, grid)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("[4/4] seed 2, pixel"))
    let lines = try result.output.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(lines.count == 5)
    var seen: [[String]] = []
    for line in lines.dropLast() {
      let path = try #require(line["path"] as? String)
      let request = try Metadata(ofPictureAt: program.folder.appending(path: path).path).request
      seen.append(["\(request.seed ?? 0)", request.method?.rawValue ?? ""])
    }
    #expect(seen == [["1", "fft"], ["2", "fft"], ["1", "pixel"], ["2", "pixel"]])
    let sheet = try #require(lines[4]["sheet"] as? String)
    #expect(sheet.hasSuffix("-grid.png"))
    let picture = try Picture.read(from: program.folder.appending(path: sheet).path)
    #expect(picture.width > 2 * 192 && picture.height > 2 * 192)

    let gone = try #require(lines[1]["path"] as? String)
    try FileManager.default.removeItem(at: program.folder.appending(path: gone))
    let again = try paint(program, grid + ["--continue"])
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.contains("[2/4]") && !again.errors.contains("[1/4]"))
    #expect(again.output.split(separator: "\n").count == 2)
  }

  @Test("a cell that comes out as no picture is told by its name, and the others are painted")
  func flaw() throws {
    // Weights that are numbers, but lead to none.
    let pack = try TinyPack.make { name, data in
      guard name == "vqgan.safetensors" else { return }
      let head = data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
      let count = (data.count - 8 - head) / 4
      data.replaceSubrange(
        (8 + head)..., with: [Float](repeating: 1e38, count: count).withUnsafeBytes { Data($0) })
    }
    let program = try Program()
    let presets = program.folder.appending(path: "presets")
    try FileManager.default.createDirectory(at: presets, withIntermediateDirectories: true)
    for (name, fields) in [
      ("sound", "method: fft, iterations: 1, cutouts: 2"),
      ("flawed", "method: dalle, candidates: 1"),
    ] {
      try Data("help: a\nrequest: {\(fields)}".utf8).write(
        to: presets.appending(path: "\(name).yaml"))
    }
    let result = try program.run([
      "fox", "--grid", "preset=sound,flawed", "--size", "32", "--outdir", "o", "--pack", pack.path,
    ])
    #expect(result.status == 1, "\(result.errors)")
    #expect(
      result.errors.contains("[2/2] flawed: What came out is no picture")
        && result.errors.contains("1 of 2 failed."), "\(result.errors)")
    let paths = result.output.split(separator: "\n")
    #expect(paths.count == 2 && paths[1].hasSuffix("-grid.png"), "\(result.output)")
  }

  @Test("without a seed all pictures have the same one, and presets may be an axis")
  func sameSeed() throws {
    let program = try Program()
    let presets = program.folder.appending(path: "presets")
    try FileManager.default.createDirectory(at: presets, withIntermediateDirectories: true)
    for cutouts in 1...2 {
      try Data("help: a\nrequest: {method: fft, cutouts: \(cutouts)}".utf8).write(
        to: presets.appending(path: "p\(cutouts).yaml"))
    }
    let result = try paint(
      program, ["fox", "--grid", "preset=p1,p2", "-i", "1", "--size", "32", "-q"])
    #expect(result.status == 0, "\(result.errors)")
    let requests = try result.output.split(separator: "\n").dropLast().map {
      try Metadata(ofPictureAt: program.folder.appending(path: "\($0)").path).request
    }
    #expect(requests.map(\.cutouts) == [1, 2] && requests[0].seed == requests[1].seed)
  }
}
