import Foundation
import Imaging
import Painting
import Testing
import TestSupport

@testable import reverie

/// Files of other kinds than PNG.
@Suite struct OutputTests {
  private static let pack = Result { try TinyPack.make().path }

  private func run(_ program: Program, _ arguments: [String]) throws -> Program.Result {
    try program.run(arguments + ["--pack", Self.pack.get()])
  }

  @Test(
    "a picture may be JPEG or WebP, and again gives the same bytes",
    arguments: ["jpg", "JPEG", "webp"])
  func formats(_ ending: String) throws {
    let program = try Program()
    let first = try run(
      program,
      [
        "fox", "-m", "fft", "-i", "3", "--cutouts", "2", "--size", "32", "--save-every", "2", "-o",
        "fox.\(ending)",
      ])
    #expect(first.status == 0, "\(first.errors)")
    #expect(program.contents == ["fox-000002.\(ending)", "fox.\(ending)"])
    let file = program.folder.appending(path: "fox.\(ending)")
    #expect(try Metadata(ofPictureAt: file.path).request.prompt == "fox")
    let start = try Data(contentsOf: file).prefix(4)
    #expect(start == (ending == "webp" ? Data("RIFF".utf8) : Data([0xFF, 0xD8, 0xFF, 0xE0])))
    let second = try run(program, ["again", "fox.\(ending)", "-o", "second.\(ending)"])
    #expect(second.status == 0, "\(second.errors)")
    let other = program.folder.appending(path: "second.\(ending)")
    #expect(try Data(contentsOf: file) == Data(contentsOf: other))
  }

  @Test("shapes are written beside the picture, also by again", arguments: ["pixel", "clipdraw"])
  func svg(_ method: String) throws {
    let program = try Program()
    let first = try run(
      program,
      [
        "fox", "-m", method, "-i", "3", "--cutouts", "2", "--size", "32", "--svg", "-o", "fox.png",
        "--seed", "1",
      ])
    #expect(first.status == 0, "\(first.errors)")
    #expect(program.contents == ["fox.png", "fox.svg"])
    let svg = try String(contentsOf: program.folder.appending(path: "fox.svg"), encoding: .utf8)
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    let second = try run(program, ["again", "fox.png", "--svg", "-o", "second.png"])
    #expect(second.status == 0, "\(second.errors)")
    let other = program.folder.appending(path: "second.svg")
    #expect(try String(contentsOf: other, encoding: .utf8) == svg)
  }

  @Test("clear cells are clear in the file, also by again, and white in a JPEG")
  func transparency() throws {
    let program = try Program()
    for (index, ending) in ["png", "webp", "jpg"].enumerated() {
      let first = try run(
        program,
        [
          "red fox", "-m", "pixel", "--transparent", "yes", "--shape", "diamond", "--columns", "4",
          "-i", "4", "--cutouts", "2", "--learning-rate", "0.3", "--size", "40", "--seed", "1",
          "-o", "\(index).\(ending)",
        ])
      #expect(first.status == 0, "\(first.errors)")
      let file = program.folder.appending(path: "\(index).\(ending)")
      let picture = try Picture.read(from: file.path)
      #expect(picture.hasAlpha == (ending != "jpg"))
      guard ending == "png" else { continue }
      let pixels = (0..<1600).map { picture[$0 % 40, $0 / 40] }
      #expect(pixels.contains { $0.alpha < 255 } && Set(pixels).count > 4)
      let second = try run(program, ["again", "\(index).\(ending)", "-o", "again.png"])
      #expect(second.status == 0, "\(second.errors)")
      let other = program.folder.appending(path: "again.png")
      #expect(try Data(contentsOf: file) == Data(contentsOf: other))
    }
  }

  @Test("who wants shapes and filters is told that the shapes are without them")
  func filteredShapes() throws {
    let program = try Program()
    let options = ["-m", "pixel", "-i", "1", "--cutouts", "1", "--size", "32", "--svg", "-o"]
    let plain = try run(program, ["fox"] + options + ["plain.png"])
    #expect(plain.status == 0 && !plain.errors.contains("filters"), "\(plain.errors)")
    let filtered = try run(program, ["fox", "--filter", "lookup"] + options + ["filtered.png"])
    #expect(
      filtered.status == 0 && filtered.errors.contains("before the filters (lookup)"),
      "\(filtered.errors)")
  }

  @Test("the shapes are those of the picture that is kept, not of the last iteration")
  func bestShapes() throws {
    let program = try Program()
    // The picture is of before the last step at the latest, and steps are long.
    let result = try run(
      program,
      [
        "red fox", "-m", "pixel", "--columns", "4", "--rows", "4", "-i", "3", "--cutouts", "2",
        "--learning-rate", "0.1", "--size", "32", "--svg", "-o", "fox.png", "--seed", "2",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let picture = try Picture.read(from: program.folder.appending(path: "fox.png").path)
    let svg = try String(contentsOf: program.folder.appending(path: "fox.svg"), encoding: .utf8)
    // The middle of every cell, in the order of painting.
    for y in 0..<4 {
      for x in 0..<4 {
        let color = picture[8 * x + 4, 8 * y + 4]
        #expect(svg.contains("fill=\"\(color)\""), "\(x) \(y) \(color)")
      }
    }
  }

  @Test(
    "explain knows every part, and its examples are commands that parse",
    arguments: Chapter.all.flatMap { chapter in chapter.topics.map { $0.name } })
  func explain(_ name: String) throws {
    let text = try Explain.text(about: name)
    #expect(text.contains("EXAMPLE:"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 || $0.hasPrefix("# ") })
    for topic in Chapter.all.flatMap(\.topics) where topic.name == name {
      guard !topic.option.contains("picture.png") else { continue }
      let words = topic.option.split(separator: " ").map {
        $0.trimmingCharacters(in: ["'"])
      }
      try RequestArguments(parsing: ["fox"] + words).request.validate(in: .builtIn)
    }
  }

  @Test("explain lists kinds, knows aliases, parameters and presets, and guesses")
  func explainOthers() throws {
    #expect(try Explain.text(about: "filters").hasPrefix("FILTERS:"))
    #expect(try Explain.text(about: "Af").hasPrefix("affine, an augmentation"))
    #expect(try Explain.text(about: "--cut-power").contains("Above one"))
    #expect(try Explain.text(about: "draft").contains("name: draft"))
    #expect { try Explain.text(about: "palete") } throws: { "\($0)".contains("'palette'") }
    let program = try Program()
    let result = try program.run(["explain"])
    #expect(result.status == 0 && result.output.contains("METHODS:"))
  }

  @Test("presets are listed, shown and painted with, and a bad one is named")
  func presets() throws {
    let program = try Program()
    let list = try program.run(["presets"])
    #expect(list.status == 0 && list.output.contains("  pixel-art "), "\(list.errors)")
    let shown = try program.run(["presets", "show", "pixel-art"])
    #expect(shown.output.contains("method: pixel") && shown.output.contains("--preset pixel-art"))
    let painted = try run(
      program, ["fox", "--preset", "hexagons,draft", "-i", "1", "--size", "32", "-o", "fox.png"])
    #expect(painted.status == 0, "\(painted.errors)")
    let metadata = try Metadata(ofPictureAt: program.folder.appending(path: "fox.png").path)
    #expect(metadata.request["shape"] == .string("hex") && metadata.request.iterations == 1)
    #expect(metadata.request.cutouts == 10)
    let folder = program.folder.appending(path: "presets")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("help: a\nrequest: {itrations: 3}".utf8).write(to: folder.appending(path: "bad.yaml"))
    let bad = try run(program, ["fox", "--preset", "bad"])
    #expect(bad.status == 64 && bad.errors.contains("bad.yaml"), "\(bad.errors)")
    #expect(bad.errors.contains("Did you mean 'iterations'"))
    let broken = try program.run(["presets"])
    #expect(broken.status == 1 && broken.output.contains("pixel-art"))
    let note = try run(
      program, ["fox", "--preset", "ukiyo-e", "-m", "fft", "-i", "1", "--size", "32"])
    #expect(note.status == 0 && note.errors.contains("makes little of 'ukiyo-e'"), "\(note.errors)")
  }
}
