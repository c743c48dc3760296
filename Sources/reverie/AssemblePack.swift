import ArgumentParser
import Foundation
import Library
import Painting
import Training

/// `reverie pack RUNS`: gathers what trainings made into a pack.
struct AssemblePack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Gather trained networks into a model pack.",
    discussion: """
      Weights are written in half precision, with checksums of all files in pack.json. The decoder \
      tuned to the codes is taken if there is one.

      EXAMPLES
        reverie pack runs/mine --config pack.yaml --out packs/mine
        reverie "a fox" --pack packs/mine
      """)

  @Argument(help: ArgumentHelp("Folder that holds the folders of all stages.", valueName: "runs"))
  var runs: String

  @Option(help: ArgumentHelp("The pack's identity and defaults.", valueName: "yaml"))
  var config: String

  @Option(help: ArgumentHelp("Folder of the pack.", valueName: "folder"))
  var out: String

  @Option(
    help: ArgumentHelp(
      "Pack that gives what the runs have not trained; the one they started from.",
      valueName: "pack"))
  var start: String?

  @Option(
    help: ArgumentHelp("Folder for the judges; without it they are left out.", valueName: "folder"))
  var judges: String?

  func run() throws {
    let start = try start.map { try Pack(folder: URL(filePath: $0)) }
    let assembly = PackAssembly(runs: URL(filePath: runs), start: start)
    let manifest = try assembly.assemble(
      configuration: URL(filePath: config), into: URL(filePath: out))
    if let judges { try assembly.assembleJudges(into: URL(filePath: judges)) }
    for (name, file) in manifest.files.sorted(by: { $0.key < $1.key }) {
      print("\(name)\t\(file.size)\t\(file.sha256)")
    }
  }
}
