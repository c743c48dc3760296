import Foundation
import Imaging
import Painting
import Testing
import TestSupport

@testable import reverie

/// Runs that are killed at random instants and gone on with give the pixels of one that was left alone.
@Suite(.serialized) struct ResumeTests {
  private static let pack = Result { try TinyPack.make().path }

  /// Kinds of runs, with enough work in each for several kills.
  static let runs: [[String]] = [
    ["--method", "vqgan-clip", "--iterations", "60", "--cutouts", "2", "--ema", "0.8"],
    ["--method", "fft", "--iterations", "40", "--cutouts", "2", "--optimizer", "adamp"],
    ["--method", "dalle", "--candidates", "30", "--count", "2"],
    [
      "--method", "vqgan-clip", "--latent", "logits", "--iterations", "40", "--cutouts", "2",
      "--count", "2", "--learning-rate-drops", "50", "--accumulate", "2",
    ],
    ["--method", "diffusion", "--iterations", "300", "--sampler", "iplms", "--count", "2"],
    [
      "--method", "diffusion", "--iterations", "60", "--guidance", "100", "--eta", "0.5",
      "--cutouts",
      "2",
    ],
    ["--method", "clipdraw", "--iterations", "40", "--cutouts", "2", "--strokes", "16"],
    ["--method", "pixel", "--iterations", "40", "--cutouts", "2", "--objective", "start:0.1"],
    [
      "film", "zoom", "--frames", "8", "--every", "4", "--cutouts", "2", "--turn", "2", "--method",
      "pixels",
    ],
    ["film", "restyle", "--source", "plain", "--every", "6", "--cutouts", "2", "--carry", "0.5"],
    [
      "film", "morph", "--seeds", "1,2,3", "--iterations", "12", "--frames", "4", "--cutouts", "2",
      "--method", "fft",
    ],
    ["film", "ring", "--frames", "4", "--iterations", "12", "--every", "3", "--cutouts", "2"],
  ]

  /// What a run writes, and the name of its folder.
  private func names(_ options: [String]) -> (file: String, run: String) {
    (options[0] == "film" ? "fox.gif" : "fox.png", "fox.run")
  }

  /// A program's folder with a small video of pictures in it.
  private func program() throws -> Program {
    let program = try Program()
    let folder = program.folder.appending(path: "plain")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (index, color) in [Color.white, .black, Color(red: 200, green: 30, blue: 30)].enumerated() {
      try Picture(width: 20, height: 20, color: color)
        .write(to: folder.appending(path: "\(index).png").path)
    }
    return program
  }

  /// How often each kind is killed; REVERIE_KILLS in the thorough run.
  private static let kills =
    ProcessInfo.processInfo.environment["REVERIE_KILLS"].flatMap { Int($0) } ?? 2

  /// Numbers that differ from run to run of this test, on purpose: every instant must do.
  private func wait(upTo seconds: Double) { usleep(UInt32.random(in: 0...UInt32(seconds * 1e6))) }

  @Test("a run killed again and again ends with the pixels of one that was not", arguments: runs)
  func killed(_ options: [String]) throws {
    let pack = try Self.pack.get()
    let (file, folder) = names(options)
    let isFilm = options[0] == "film"
    let arguments =
      (isFilm ? Array(options.prefix(2)) : []) + ["red fox", "--seed", "3", "--size", "48"]
      + (isFilm ? Array(options.dropFirst(2)) : options)
    let alone = try program()
    let start = ContinuousClock.now
    let whole = try alone.run(arguments + ["--pack", pack, "-o", file])
    #expect(whole.status == 0, "\(whole.errors)")
    let spent = (ContinuousClock.now - start).seconds

    var done = 0
    while done < Self.kills {
      let program = try program()
      var command = arguments + ["--pack", pack, "-o", file, "--checkpoint-every", "0.02"]
      var rounds = 0
      while true {
        let (process, _, errors) = try program.start(command)
        wait(upTo: spent)
        let ended = !process.isRunning
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        if ended || process.terminationReason == .exit {
          let text = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
          #expect(process.terminationStatus == 0, "\(text)")
          break
        }
        done += 1
        rounds += 1
        // Killed before there was a run: begun anew. Often killed: left in peace to its end.
        let isThere = FileManager.default.fileExists(
          atPath: program.folder.appending(path: "\(folder)/run.json").path)
        if isThere { command = ["resume", folder, "--checkpoint-every", "0.02"] }
        // Killed after all was done.
        if !isThere, program.contents.contains(file) { break }
        if rounds >= 6 {
          let last = try program.run(command)
          #expect(last.status == 0, "\(last.errors)")
          break
        }
      }
      let names = alone.contents
      // Killed while a run's folder was being removed, it may stay under a hidden name.
      #expect(program.contents.filter { !$0.hasPrefix(".") } == names)
      for name in names {
        let files = [alone, program].map { $0.folder.appending(path: name) }
        guard !name.hasSuffix(".png") else {
          let pictures = try files.map { try Picture.read(from: $0.path) }
          #expect(pictures[0] == pictures[1], "\(name) after \(rounds) kills of \(options)")
          continue
        }
        // A film's bytes follow from its frames.
        #expect(
          FileManager.default.contentsEqual(atPath: files[0].path, andPath: files[1].path),
          "\(name) after \(rounds) kills of \(options)")
      }
    }
  }
}
