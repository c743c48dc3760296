import ArgumentParser
import Commands
import Painting

/// The program of the studio: `reverie serve` becomes it, and it starts itself for each worker.
@main struct ReverieStudio: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.name,
    abstract: "The studio of Reverie.",
    version: Program.version,
    subcommands: [Serve.self, WorkerCommand.self, Describe.self, StudioDoctor.self])

  static func main() async {
    await Invocation.run(Invocation.arguments(), of: Self.self)
  }
}
