import Foundation
import Imaging
import Painting
import Testing

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
  ]

  /// How often each kind is killed; REVERIE_KILLS in the thorough run.
  private static let kills =
    ProcessInfo.processInfo.environment["REVERIE_KILLS"].flatMap { Int($0) } ?? 4

  /// Numbers that differ from run to run of this test, on purpose: every instant must do.
  private func wait(upTo seconds: Double) { usleep(UInt32.random(in: 0...UInt32(seconds * 1e6))) }

  @Test("a run killed again and again ends with the pixels of one that was not", arguments: runs)
  func killed(_ options: [String]) throws {
    let pack = try Self.pack.get()
    let arguments = ["red fox", "--seed", "3", "--size", "48"] + options
    let alone = try Program()
    let start = ContinuousClock.now
    let whole = try alone.run(arguments + ["--pack", pack, "-o", "fox.png"])
    #expect(whole.status == 0, "\(whole.errors)")
    let spent = (ContinuousClock.now - start) / .seconds(1)

    var done = 0
    while done < Self.kills {
      let program = try Program()
      var command = arguments + ["--pack", pack, "-o", "fox.png", "--checkpoint-every", "0.02"]
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
          atPath: program.folder.appending(path: "fox.run/run.json").path)
        if isThere { command = ["resume", "fox.run", "--checkpoint-every", "0.02"] }
        // Killed after all was done.
        if !isThere, program.contents.contains("fox.png") { break }
        if rounds >= 6 {
          let last = try program.run(command)
          #expect(last.status == 0, "\(last.errors)")
          break
        }
      }
      let names = alone.contents.filter { $0.hasSuffix(".png") }
      // Killed while a run's folder was being removed, it may stay under a hidden name.
      #expect(program.contents.filter { !$0.hasPrefix(".") } == names)
      for name in names {
        let pictures = try [alone, program].map {
          try Picture.read(from: $0.folder.appending(path: name).path)
        }
        #expect(pictures[0] == pictures[1], "\(name) after \(rounds) kills of \(options)")
      }
    }
  }
}
