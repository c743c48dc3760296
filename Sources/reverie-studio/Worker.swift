import ArgumentParser
import Commands
import Foundation
import Painting
import Studio

/// `reverie worker`: paints for a studio, which starts it.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Paints for a studio; reverie serve starts it.",
    discussion: "It reads orders as lines of JSON and writes reports as such.",
    shouldDisplay: false)

  @Option(help: ArgumentHelp("The studio's folder.", valueName: "folder"))
  var data: String

  @Option(help: ArgumentHelp("Seconds between checkpoints.", valueName: "seconds"))
  var checkpointEvery = 2.0

  @Flag(help: "Does not record how pictures come about.")
  var noTraces = false

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func run() async throws {
    // A terminal's interrupt is for the server, which then tells the worker.
    signal(SIGINT, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    let device = try execution.resolvedDevice()
    let folder = StudioFolder(URL(filePath: data, directoryHint: .isDirectory))
    let held = try WorkerSession.take("\(device)", in: folder)
    let loop = WorkerSession(
      engine: try execution.engine(execution.openPack(), device: device),
      input: .standardInput, output: .standardOutput, checkpointEvery: checkpointEvery,
      traces: !noTraces)
    await loop.run()
    withExtendedLifetime(held) {}
  }
}
