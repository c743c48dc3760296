import ArgumentParser
import Commands
import Foundation
import Painting
import TestSupport
import Testing

@testable import reverie

/// What is said to who types what other programs understand.
@Suite struct WordsTests {
  private static let pack = Result { try TinyPack.make().path }

  @Test(
    "an option of another program is answered with the one that does it here",
    arguments: [
      ("--steps", "--iterations"), ("--num_inference_steps", "--iterations"),
      ("--iter", "--iterations"), ("--width", "--size"), ("--height", "--size"), ("-W", "--size"),
      ("-H", "--size"), ("--style", "--preset"), ("--cfg-scale", "--condition-scale"),
      ("--cfg_scale", "--condition-scale"), ("--guidance_scale", "--condition-scale"),
      ("--num-images", "--count"), ("--batch-size", "--count"), ("-n", "--count"),
      ("--n_iter", "--count"), ("--strength", "--start"), ("--denoising_strength", "--start"),
      ("--lr", "--learning-rate"), ("--cutn", "--cutouts"), ("--init_img", "--init-image"),
      ("--ckpt", "--model"), ("--output-dir", "--outdir"), ("--gpu", "--device"),
      ("--scheduler", "--sampler"), ("--neg", "--negative-prompt"),
      ("--init_imag", "Did you mean '--init-image'?"),
    ])
  func hints(_ typed: String, _ here: String) {
    #expect {
      try RequestArguments(parsing: ["fox", typed, "20"])
    } throws: {
      "\($0)".contains("Unknown option '\(typed)'") && "\($0)".contains(here)
    }
  }

  @Test("every option that a hint names is one")
  func hintsAreTrue() throws {
    let declared = Paint.helpMessage(columns: 200)
    for name in [
      "steps", "width", "style", "cfg", "sampler", "n", "strength", "lr", "cutn", "init",
      "ckpt", "out", "gpu", "S", "neg",
    ] {
      let hint = try #require(OptionHints.hint(for: name))
      for match in hint.matches(of: /--([a-z-]+)/) {
        let flag = String(match.1)
        #expect(
          declared.contains("--\(flag)") || RequestArguments.flags.contains(flag), "\(hint)")
      }
    }
  }

  @Test(
    "a number or a text that begins with a dash is a value after an option that takes one",
    arguments: [
      (["film", "zoom", "fox", "--turn", "-1"], ["film", "zoom", "fox", "--turn=-1"]),
      (["film", "zoom", "fox", "--shift", "-4,0"], ["film", "zoom", "fox", "--shift=-4,0"]),
      (["fox", "--threads", "-1"], ["fox", "--threads=-1"]),
      (["fox", "-c", "-1"], ["fox", "-c=-1"]),
      (["fox", "-s", "-1"], ["fox", "-s=-1"]),
      (["--prompt", "-a fox"], ["--prompt=-a fox"]),
      (["fox", "--negative-prompt", "-a b"], ["fox", "--negative-prompt=-a b"]),
      (["fox", "--json", "-1"], ["fox", "--json", "-1"]), (["fox", "-1"], ["fox", "-1"]),
      (["fox", "--seed", "--json"], ["fox", "--seed", "--json"]),
      (["--", "--seed", "-1"], ["--", "--seed", "-1"]),
    ])
  func dashes(_ words: [String], _ joined: [String]) {
    let options = RequestArguments.options.union(FilmArguments.options)
      .union(["--threads", "--count", "-c"])
    #expect(Invocation.joined(words) { options } == joined)
  }

  private struct Case: Sendable {
    let words: [String]
    let status: Int32
    let message: String
  }

  @Test(
    "what is typed wrongly is told in the words that were typed",
    arguments: [
      (["-a fox"], "reverie -- '-a fox'"), (["paint", "-red fox"], "reverie -- '-red fox'"),
      (["fox", "--threads", "-1"], "--threads must be from 1 to 1024, not -1."),
      (["fox", "-c", "-2"], "--count must be from 1 to 1000, not -2."),
      (["fox", "--learning-rate", "-1"], "--learning-rate must be"),
      (["fox", "--cut-sizes", "7"], "--cut-sizes must be"),
      (["fox", "--size", "8"], "--size: width must be"),
      (["film", "zoom", "fox", "--fps", "-3"], "--fps must be"),
      (["film", "zoom", "fox", "--hold", "-1"], "--hold must be"),
      (["fox", "--seed", "1..4"], "--grid seed=1..4"),
      (["fox", "--seed", "1e400"], "--seed must be a whole number"),
      (["fox", "--seed", "9007199254740992"], "to 9007199254740991"),
      (
        ["fox", "--seed", "9007199254740991", "-c", "2", "-m", "fft"],
        "--seed is too large for 2 pictures"
      ),
      (["fox", "--grid", "seed=1..9007199254740991"], "more than 100 values"),
      (["fox", "--grid", "seed=1..9223372036854775808"], "goes beyond"),
      (["fox", "--grid", "seed=-9223372036854775808..1"], "goes beyond"),
      (["fox", "--grid", "ema=1e300..1e300"], "goes beyond"),
      (["fox", "--output-name", "{sead}"], "Did you mean {seed}?"),
      (["fox", "--output-name", "../{seed}"], "must name a file in the folder"),
      (["fox", "--output-name", "/tmp/{seed}"], "must name a file in the folder"),
      (["fox", "--output-name", "{seed}", "-o", "a.png"], "Give one."),
      (["fox __colour__"], "Name the folder of wildcards with --wildcards"),
      (["explain", "sized"], "Did you mean 'size'?"),
    ])
  func told(_ words: [String], _ message: String) throws {
    let program = try Program()
    let needsPack = !["explain"].contains(words[0])
    let result = try program.run((needsPack ? ["--pack", Self.pack.get()] : []) + words)
    let again = needsPack ? try program.run(words + ["--pack", Self.pack.get()]) : result
    for result in words[0] == "film" || words[0] == "paint" ? [again] : [result, again] {
      #expect(result.status == 64 && !result.crashed, "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
      #expect(!result.errors.contains("<subcommand>"), "\(result.errors)")
    }
    #expect(program.contents.isEmpty)
  }

  @Test("the program's name alone says what to do")
  func alone() throws {
    let result = try Program().run([])
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errors.contains("reverie \"a red fox") && result.errors.contains("--help"))
  }

  @Test("a prompt that begins with a dash is painted after --, and by --prompt")
  func dashPrompt() throws {
    let options = ["-m", "fft", "-i", "1", "--cutouts", "1", "--size", "32", "-q", "--pack"]
    for words in [["--", "-a fox"], ["--prompt", "-a fox"], ["-p", "-a fox"]] {
      let program = try Program()
      let result = try program.run(options + [try Self.pack.get(), "-o", "fox.png"] + words)
      #expect(result.status == 0, "\(result.errors)")
      let file = program.folder.appending(path: "fox.png")
      #expect(try Metadata(ofPictureAt: file.path).request.prompt == "-a fox")
    }
  }

  @Test("the largest seed is one, and the last of several may be it")
  func largestSeed() throws {
    let program = try Program()
    for (seed, count) in [(9_007_199_254_740_991, 1), (9_007_199_254_740_990, 2)] {
      let result = try program.run([
        "fox", "-m", "fft", "-i", "1", "--cutouts", "1", "--size", "32", "--seed", "\(seed)",
        "--count", "\(count)", "--pack", try Self.pack.get(),
      ])
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.split(separator: "\n").count == count)
    }
  }

  @Test(
    "a method is known by other spellings of its name",
    arguments: [
      ("DALLE", "dalle"), ("dall-e", "dalle"), ("DALL·E", "dalle"), ("bigsleep", "big-sleep"),
    ])
  func methods(_ typed: String, _ method: String) throws {
    #expect(
      try RequestArguments(parsing: ["fox", "-m", typed]).request.method?.rawValue == method)
  }

  @Test(
    "a sentence within another one ends once",
    arguments: [
      ("Cannot read x: no such file..", "Cannot read x: no such file."),
      ("Is it cut off?. Copy it.", "Is it cut off? Copy it."), ("Wait...", "Wait..."),
      ("See ../a and 1..4.", "See ../a and 1..4."), ("A first.. B", "A first. B"),
    ])
  func stops(_ text: String, _ right: String) { #expect(Console.tidied(text) == right) }

  @Test("one thing is one thing")
  func counted() {
    #expect(
      Console.counted(1, "thread") == "1 thread" && Console.counted(2, "thread") == "2 threads")
  }

  @Test("errors of the system are sentences with the file's name")
  func systemErrors() {
    let missing = #expect(throws: (any Error).self) {
      try Data(contentsOf: URL(filePath: "/nowhere/x"))
    }
    #expect(missing.map(sentence) == "Cannot read /nowhere/x: No such file or directory.")
    let full = CocoaError(.fileWriteOutOfSpace, userInfo: [NSFilePathErrorKey: "/disk/x"])
    #expect(sentence(full) == "Cannot write /disk/x: No space left on device.")
    #expect(sentence(POSIXError(.ENOSPC)) == "No space left on device.")
  }
}
