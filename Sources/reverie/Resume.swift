import ArgumentParser
import Commands
import Foundation
import Painting
import Torch

/// `reverie resume [RUN]`: goes on with a run that was stopped or killed.
struct Resume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Goes on with a run that was stopped or killed.",
    discussion: """
      A run has a folder beside its pictures while it lasts (its name ends in .run). The pictures that \
      come of going on are the same, to the pixel, as if it had never been interrupted. Without a name \
      the newest run in the folder of pictures is taken.

      EXAMPLES
        reverie resume
        reverie resume outputs/20260901/143052-a-fox-7.run
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "folder.run"))
  var run: String?

  @OptionGroup(title: "Output")
  var output: OutputOptions

  func run() async throws {
    let run =
      try run.map { try RunFolder(opening: URL(filePath: $0, directoryHint: .isDirectory)) }
      ?? newest()
    let description = run.description
    let pack = try Pack(
      folder: description.pack.map { URL(filePath: $0, directoryHint: .isDirectory) }
        ?? Pack.embedded)
    let edition = Metadata.PackReference(
      id: pack.manifest.id, version: pack.manifest.version)
    if edition != description.packEdition, !output.quiet {
      Console.say(
        "Note: it was begun with the pack \(description.packEdition.id) "
          + "\(description.packEdition.version), this is \(edition.id) \(edition.version); the "
          + "picture may differ.")
    }
    guard let device = Device(description.device), Device.available.contains(device) else {
      throw ValidationError("It was begun on \(description.device), which is not here.")
    }
    let engine = Engine(
      pack: pack, cache: .standard(), device: device, threads: description.threads)
    let destination = try Destination(run)
    do {
      try await go(on: run, engine, destination)
    } catch {
      throw run.told(error)
    }
  }

  private func go(on run: RunFolder, _ engine: Engine, _ destination: Destination) async throws {
    let description = run.description
    guard let film = description.film else {
      let session = Session(engine: engine, destination: destination, output: output)
      try await session.go(on: run)
      return
    }
    let ending =
      description.output.map { URL(filePath: $0).pathExtension.lowercased() }
      ?? description.name.flatMap { try? OutputPattern($0).ending } ?? "mp4"
    let session = FilmSession(
      engine: engine, destination: destination, output: output, ending: ending)
    try await session.go(on: run, film)
  }

  /// The newest run in the folder of pictures that nobody paints.
  private func newest() throws -> RunFolder {
    let environment = ProcessInfo.processInfo.environment
    let outputs = URL(filePath: output.outdir ?? environment["REVERIE_OUTPUTS"] ?? "outputs")
    let found = FileManager.default.enumerator(
      at: outputs, includingPropertiesForKeys: [.contentModificationDateKey])
    let runs = (found?.allObjects as? [URL] ?? []).filter {
      $0.pathExtension == "run" && !$0.lastPathComponent.hasPrefix(".")
    }
    func date(_ url: URL) -> Date {
      (try? url.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate
        ?? .distantPast
    }
    var busy: PaintingError?
    for run in runs.sorted(by: { date($0) > date($1) }) {
      do {
        return try RunFolder(opening: run)
      } catch let error as PaintingError {
        guard case .runInUse = error else { throw error }
        busy = busy ?? error
      }
    }
    throw busy
      ?? ValidationError(
        "There is no run in \(outputs.relativePath) to go on with. Name its folder.")
  }
}
