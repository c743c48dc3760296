import ArgumentParser
import EmbeddedPack
import Foundation
import Painting

/// What every evaluation is told: the pack, the judges, and how many threads.
struct EvaluationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Pack to measure; the embedded one if left out.", valueName: "folder"))
  var pack: String?

  @Option(
    help: ArgumentHelp("Folder of the judges; those that ship if left out.", valueName: "folder"))
  var judge: String?

  @Option(help: "Threads of one operation.")
  var threads: Int = Processor.cores

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads must be from 1 to 1024.")
    }
  }

  func openedPack() throws -> Pack {
    try Pack(folder: pack.map { URL(filePath: $0) } ?? EmbeddedPack.folder)
  }

  var judges: URL { judge.map { URL(filePath: $0) } ?? EmbeddedPack.judges }
}
