import Foundation
import Imaging
import Painting
import TestSupport
import Testing

/// Pictures painted again from what somebody copied out of one.
@Suite struct MetadataTextTests {
  private static let pack = Result { try TinyPack.make().path }

  private func run(_ program: Program, _ arguments: [String]) throws -> Program.Result {
    try program.run(arguments + ["--pack", Self.pack.get()])
  }

  @Test("our own metadata, alone or as --json prints them, give the same picture, also from a pipe")
  func painted() throws {
    let program = try Program()
    let first = try run(
      program,
      [
        "fox", "-m", "fft", "-i", "2", "--cutouts", "2", "--size", "32", "--seed", "3", "-o",
        "fox.png",
        "--json",
      ])
    #expect(first.status == 0, "\(first.errors)")
    let file = program.folder.appending(path: "fox.png")
    let texts = try [first.output, Metadata(ofPictureAt: file.path).json()]
    for (index, text) in texts.enumerated() {
      try Data(("\u{FEFF}\r\n" + text + "\r\n").utf8).write(
        to: program.folder.appending(path: "m.txt"))
      let second = try run(program, ["again", "m.txt", "-o", "\(index).png"])
      #expect(second.status == 0, "\(second.errors)")
      let other = program.folder.appending(path: "\(index).png")
      #expect(try Data(contentsOf: other) == Data(contentsOf: file))
      let third = try program.run(
        ["again", "-", "-o", "piped\(index).png", "--pack", Self.pack.get()],
        input: Data(text.utf8))
      #expect(third.status == 0, "\(third.errors)")
      let piped = program.folder.appending(path: "piped\(index).png")
      #expect(try Data(contentsOf: piped) == Data(contentsOf: file))
    }
    let empty = try program.run(["again", "-", "--pack", Self.pack.get()])
    #expect(empty.status != 0 && empty.errors.contains("standard input is empty"))
  }

  @Test("Disco Diffusion's settings paint a picture and a film, and what is left out is told")
  func disco() throws {
    let program = try Program()
    let settings = """
      {"text_prompts": {"0": ["red fox:2"]}, "steps": 12, "skip_steps": 10, "width": 64, "height": 64,
       "seed": 5, "cutn_batches": 1, "clip_guidance_scale": 500, "range_scale": 150, "max_frames": 2,
       "cut_overview": "[1]*1000", "cut_innercut": "[1]*1000", "zoom": "0: (1.1)"}
      """
    try Data(settings.utf8).write(to: program.folder.appending(path: "settings.txt"))
    for (index, arguments) in [["--request", "settings.txt"], ["again", "settings.txt"]]
      .enumerated()
    {
      let made = try run(program, arguments + ["-o", "\(index).png"])
      #expect(made.status == 0, "\(made.errors)")
      #expect(made.errors.contains("Note: range_scale is not taken over"))
      let request = try Metadata(
        ofPictureAt: program.folder.appending(path: "\(index).png").path
      ).request
      #expect(request.prompt == "red fox:2" && request.seed == 5 && request.iterations == 12)
      #expect(request.cutOverview == 1 && request["clampGradient"] == .number(0.05))
    }
    let both = try (0...1).map {
      try Picture.read(from: program.folder.appending(path: "\($0).png").path).bytes
    }
    #expect(both[0] == both[1])
    let film = try run(
      program, ["film", "zoom", "--request", "settings.txt", "-o", "film.gif", "--json"])
    #expect(film.status == 0, "\(film.errors)")
    #expect(film.output.contains("\"frames\":2"))
  }

  @Test("the lines of AUTOMATIC1111's tools give seed, size and prompts, and ours the method, too")
  func infotext() throws {
    let program = try Program()
    let first = try run(
      program,
      [
        "fox", "--negative-prompt", "cat:1.2", "-m", "fft", "-i", "2", "--size", "32x48", "--seed",
        "3",
        "-o", "fox.png",
      ])
    #expect(first.status == 0, "\(first.errors)")
    let file = program.folder.appending(path: "fox.png")
    let told = try Metadata(ofPictureAt: file.path)
    try Data(told.infotext.utf8).write(to: program.folder.appending(path: "m.txt"))
    let second = try run(program, ["again", "m.txt", "-o", "again.png"])
    #expect(second.status == 0, "\(second.errors)")
    let again = try Metadata(ofPictureAt: program.folder.appending(path: "again.png").path)
    #expect(again.request == told.request)

    let other =
      "a fox\r\nNegative prompt: blurry\r\nSteps: 1000, Sampler: Euler a, Seed: 42, Size: 32x16"
    try Data(other.utf8).write(to: program.folder.appending(path: "other.txt"))
    let third = try run(program, ["again", "other.txt", "-o", "other.png"])
    #expect(third.status == 0, "\(third.errors)")
    let request = try Metadata(
      ofPictureAt: program.folder.appending(path: "other.png").path
    ).request
    #expect((request.prompt, request.negativePrompt, request.seed) == ("a fox", "blurry", 42))
    #expect(request.width == 32 && request.height == 16 && request.iterations != 1000)
  }

  @Test(
    "what holds no metadata is told",
    arguments: [
      ("just words", "holds neither JSON nor a line"), ("", "is empty"), ("{}", "no 'prompt'"),
      ("{\"program\":\"reverie\",\"schema\":9,\"request\":{}}", "newer version"),
    ])
  func refused(_ text: String, _ message: String) throws {
    let program = try Program()
    try Data(text.utf8).write(to: program.folder.appending(path: "m.txt"))
    let result = try run(program, ["again", "m.txt"])
    #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
    #expect(program.contents == ["m.txt"])
  }
}
