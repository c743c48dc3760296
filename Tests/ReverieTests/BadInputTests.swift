import Foundation
import Testing
import TestSupport

@Suite struct BadInputTests {
  private static let pack = Result { try TinyPack.make().path }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let arguments: [String]
    let status: Int32
    let message: String

    init(_ name: String, _ arguments: [String], _ status: Int32, _ message: String) {
      self.name = name
      self.arguments = arguments
      self.status = status
      self.message = message
    }

    var testDescription: String { name }
  }

  @Test(
    "bad input gives its message and exit code, and leaves nothing behind",
    arguments: [
      Case("no prompt", [], 64, "The prompt is empty"),
      Case("empty prompt", [""], 64, "The prompt is empty"),
      Case("blank prompt", ["  \n"], 64, "The prompt is empty"),
      Case("only bars", ["||"], 64, "The prompt is empty"),
      Case("only numbers", [":1:2"], 64, "no text"),
      Case("size 0", ["fox", "--size", "0"], 64, "from 16 to 4096, not 0"),
      Case("size of words", ["fox", "--size", "large"], 64, "'large' is invalid for '--size"),
      Case("size of three", ["fox", "--size", "1x2x3"], 64, "invalid for '--size"),
      Case("negative size", ["fox", "--size=-64"], 64, "not -64"),
      Case("huge size", ["fox", "--size", "99999999999999999999"], 64, "invalid for '--size"),
      Case("large size", ["fox", "--size", "5000x64"], 64, "from 16 to 4096, not 5000"),
      Case("unknown method", ["fox", "--method", "magic"], 64, "vqgan-clip"),
      Case("unknown device", ["fox", "--device", "toaster"], 64, "'toaster' is no device"),
      Case("absent device", ["fox", "--device", "cuda:99"], 64, "There is no cuda:99 here"),
      Case("unknown option", ["fox", "--iteration", "5"], 64, "Did you mean '--iterations'?"),
      Case("unknown short option", ["fox", "-x", "5"], 64, "Unknown option '-x'"),
      Case("option without value", ["fox", "--seed"], 64, "Missing value for '--seed'"),
      Case("unknown objective", ["fox", "--objective", "palete"], 64, "has no 'palete'"),
      Case("absent image prompt", ["fox", "--image-prompt", "no.png:2"], 1, "no such file"),
      Case("noise of words", ["fox", "--noise-prompt", "x"], 64, "takes a seed"),
      Case("argument of another method", ["fox", "-m", "fft", "--latent", "z"], 64, "of fft"),
      Case("film of no kind", ["film", "dream", "fox"], 64, "dream"),
      Case("film as a picture", ["film", "zoom", "fox", "-o", "x.png"], 64, "must end in .mp4"),
      Case("film without source", ["film", "restyle", "fox"], 64, "must name a video"),
      Case(
        "film of an absent video", ["film", "restyle", "fox", "--source", "no.mp4"], 1, "no.mp4"),
      Case("film of a text", ["film", "restyle", "fox", "--source", "text.png"], 1, "text.png"),
      Case("morph from one", ["film", "morph", "fox"], 64, "needs two scenes"),
      Case("film of dalle", ["film", "zoom", "fox", "-m", "dalle"], 64, "shoots no film 'zoom'"),
      Case("film that stands", ["film", "zoom", "fox", "--fps", "0"], 64, "--fps must be"),
      Case("odd shift", ["film", "zoom", "fox", "--shift", "3"], 64, "two whole numbers"),
      Case("again of a text as film", ["again", "text.mp4"], 1, "text.mp4"),
      Case("resume of nothing", ["resume", "none.run"], 1, "holds no run.json"),
      Case("resume without runs", ["resume"], 64, "There is no run"),
      Case("negative seed", ["fox", "--seed=-1"], 64, "seed must be"),
      Case("fraction as a seed", ["fox", "--seed", "1.5"], 64, "seed must be a whole number"),
      Case("no iterations", ["fox", "--iterations", "0"], 64, "iterations must be"),
      Case("infinite rate", ["fox", "--learning-rate", "inf"], 64, "--learning-rate must be"),
      Case("no rate", ["fox", "--learning-rate", "nan"], 64, "--learning-rate must be"),
      Case("count 0", ["fox", "--count", "0"], 64, "--count must be"),
      Case("threads 0", ["fox", "--threads", "0"], 64, "--threads must be"),
      Case("save every 0", ["fox", "--save-every", "0"], 64, "--save-every must be"),
      Case("unknown preset", ["fox", "--preset", "pixel-at"], 64, "Did you mean 'pixel-art'?"),
      Case(
        "idle preset", ["fox", "--preset", "hexagons", "-m", "dalle"], 64,
        "says nothing about dalle"),
      Case("grid of nothing", ["fox", "--grid", "seed"], 64, "takes a name and its values"),
      Case("bad value in a grid", ["fox", "--grid", "cutouts=4,0"], 64, "cutouts must be"),
      Case("count with a grid", ["fox", "-c", "2", "--grid", "seed=1..2"], 64, "--grid seed=1..2"),
      Case("continue without seed", ["fox", "--continue"], 64, "--continue needs"),
      Case("shapes of no shapes", ["fox", "-m", "fft", "--svg"], 64, "--svg needs a method"),
      Case("explain nothing", ["explain", "zzzzzzzz"], 64, "nothing named 'zzzzzzzz'"),
      Case("odd ending", ["fox", "-o", "fox.bmp"], 64, "must end in .png, .jpg or .webp"),
      Case(
        "parameter of another method", ["fox", "--method", "dalle", "--iterations", "5"], 64,
        "iterations is not a parameter of dalle"),
      Case(
        "eight bits elsewhere", ["fox", "-m", "fft", "--precision", "int8"], 64,
        "precision is int8, which fft does not know; choose float32 or bfloat16"),
      Case(
        "negative prompt for the pack's dalle", ["fox", "-m", "dalle", "--negative-prompt", "red"],
        64,
        "name an installed one with --model, or paint with diffusion"),
      Case(
        "sheet without candidates", ["fox", "-m", "fft", "--candidates-sheet"], 64,
        "--candidates-sheet needs a method that has candidates (dalle, unclip, glide, attngan), not fft"
      ),
      Case(
        "sheet of a seamless picture",
        ["fox", "-m", "dalle", "--seamless", "yes", "--candidates-sheet"], 64,
        "--seamless draws them as one"),
      Case(
        "codes without candidates", ["fox", "-m", "fft", "--save-codes", "4"], 64,
        "--save-codes needs a method that writes codes (dalle), not fft"),
      Case(
        "codes of a method without", ["fox", "-m", "attngan", "--save-codes", "4"], 64,
        "--save-codes needs a method that writes codes (dalle), not attngan"),
      Case("no codes", ["fox", "--save-codes", "0"], 64, "--save-codes must be at least 1"),
      Case(
        "two texts for dalle", ["fox | red", "--method", "dalle"], 64, "dalle cannot paint this"),
      Case(
        "too many pictures", ["fox", "--method", "dalle", "--candidates", "2", "--count", "3"], 64,
        "more pictures than there are candidates"),
      Case(
        "long prompt", [String(repeating: "fox ", count: 25_000)], 64, "longer than 4096"),
      Case(
        "missing init image", ["fox", "--init-image", "none.png"], 1, "Cannot read none.png"),
      Case("init image of text", ["fox", "--init-image", "text.png"], 1, "text.png is not"),
      Case(
        "init image cut off", ["fox", "--init-image", "cut.png"], 1, "cut.png is a damaged PNG"),
      Case("folder as mask", ["fox", "--mask", "."], 1, "Cannot read .: it is a folder"),
      Case("device as init image", ["fox", "--init-image", "/dev/zero"], 1, "not a regular file"),
      Case("device as mask", ["fox", "--mask", "/dev/zero"], 1, "not a regular file"),
      Case("device as a wish", ["fox", "--image-prompt", "/dev/zero:2"], 1, "not a regular file"),
      Case(
        "device in a filter", ["fox", "--filter", "inpaint,mask=/dev/zero"], 1,
        "not a regular file"),
      Case("device as prompts", ["--prompts-from", "/dev/zero"], 1, "not a regular file"),
      Case("device again", ["again", "/dev/zero"], 1, "not a regular file"),
      Case("damaged film source", ["film", "restyle", "fox", "--source", "bad"], 1, "bad/7.png"),
      Case("output folder is a file", ["fox", "--outdir", "text.png"], 1, "Cannot write to"),
      Case("output below a file", ["fox", "--outdir", "/dev/null/x"], 1, "Cannot write to"),
      Case("output exists", ["fox", "-o", "text.png"], 1, "exists already"),
      Case("no pack", ["fox", "--pack", "nowhere"], 1, "no readable pack.json"),
      Case("again of nothing", ["again", "none.png"], 1, "Cannot read none.png"),
      Case("again of text", ["again", "text.png"], 1, "text.png"),
      Case("again of another's picture", ["again", "plain.png"], 64, "Reverie did not paint it"),
      Case("again without file", ["again"], 64, "<file>"),
    ])
  func refused(_ one: Case) throws {
    let program = try Program()
    try Data("just text".utf8).write(to: program.folder.appending(path: "text.png"))
    let png = try plainPNG()
    try png.write(to: program.folder.appending(path: "plain.png"))
    try png.dropLast(24).write(to: program.folder.appending(path: "cut.png"))
    let bad = program.folder.appending(path: "bad")
    try FileManager.default.createDirectory(at: bad, withIntermediateDirectories: true)
    for number in 1...6 { try png.write(to: bad.appending(path: "\(number).png")) }
    try png.dropLast(24).write(to: bad.appending(path: "7.png"))
    let before = program.contents
    let hasPack =
      one.arguments.contains("--pack") || ["resume", "explain"].contains(one.arguments.first)
    let result = try program.run(
      one.arguments + (hasPack ? [] : ["--pack", Self.pack.get()]))
    #expect(!result.crashed)
    #expect(result.status == one.status, "\(result.errors)")
    #expect(result.errors.contains(one.message), "\(result.errors)")
    #expect(result.output.isEmpty, "\(result.output)")
    #expect(program.contents == before)
  }

  @Test("an argument that is not UTF-8 is refused")
  func invalidUTF8() throws {
    let program = try Program()
    // Process can pass valid strings only: a shell makes the bytes.
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "exec \"$0\" \"$(printf 'fox\\377')\"", Program.url.path]
    process.currentDirectoryURL = program.folder
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 64)
    #expect(text.contains("not valid UTF-8"), "\(text)")
    #expect(program.contents.isEmpty)
  }

  @Test(
    "a damaged pack is an error that names the file",
    arguments: ["clip.safetensors", "vqgan.safetensors", "dalle.safetensors", "tokenizer.json"])
  func damagedPack(_ name: String) throws {
    for (damage, message) in [
      ({ (data: inout Data) in data.removeLast(1) }, "bytes"),
      ({ data in data[data.count - 1] ^= 1 }, "SHA-256"),
    ] {
      let folder = try TinyPack.make()
      let url = folder.appending(path: name)
      var data = try Data(contentsOf: url)
      damage(&data)
      try data.write(to: url)
      let program = try Program()
      let result = try program.run(["fox", "--method", "dalle", "--pack", folder.path])
      #expect(result.status == 1 && !result.crashed)
      #expect(
        result.errors.contains(name) && result.errors.contains(message), "\(result.errors)")
      #expect(program.contents.isEmpty)
    }
  }

  @Test("a header that claims ten gigabytes is an error, even where the checksum is right")
  func hugeHeader() throws {
    let folder = try TinyPack.make { name, data in
      guard name == "clip.safetensors" else { return }
      withUnsafeBytes(of: UInt64(10 << 30).littleEndian) { data.replaceSubrange(0..<8, with: $0) }
    }
    let program = try Program()
    let result = try program.run(["fox", "--pack", folder.path])
    #expect(result.status == 1 && !result.crashed)
    #expect(result.errors.contains("header of 10737418240 bytes"), "\(result.errors)")
    #expect(program.contents.isEmpty)
  }
}
