import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// Tells of a picture how it came about, by painting it once more: nothing is made up afterwards.
struct PictureExplanation: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The page; beside the picture if left out.", valueName: "file.html"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Where files lie that it was painted with, if they are not beside it.", valueName: "folder"))
  var files: String?

  @OptionGroup var execution: ExecutionOptions

  /// Whether a name is that of a picture's or a film's file.
  static func isPicture(_ name: String) -> Bool {
    let ending = URL(filePath: name).pathExtension.lowercased()
    return (try? PictureFormat(extensionOf: name)) != nil || VideoFormat(rawValue: ending) != nil
  }

  /// Paints it, and writes the page.
  func explain(_ path: String) async throws {
    let url = URL(filePath: path)
    if VideoFormat(rawValue: url.pathExtension.lowercased()).map({ $0 != .webp }) == true {
      throw ValidationError(
        "\(path) is a film; only pictures are explained. Its settings: reverie describe "
          + Console.quoted(path))
    }
    let page =
      output.map { URL(filePath: $0) } ?? url.deletingPathExtension().appendingPathExtension("html")
    if FileManager.default.fileExists(atPath: page.path) {
      throw OutputError.exists(page.relativePath)
    }
    let painted = try Picture.read(from: path)
    let metadata = try Metadata(ofPictureAt: path)
    let repainting = try Repainting(
      metadata, places: FilePlaces([files, url.deletingLastPathComponent().path, "."]),
      execution: execution, quiet: false)
    let progress = ProgressLine(enabled: true)
    defer { progress.clear() }
    var found: Event.Output?
    for try await event in repainting.engine.generate(
      repainting.request, .init(files: repainting.attachments, traces: true))
    {
      switch event {
      case .preparing(let step), .step(let step): progress.show(step)
      case .image(let image): found = image
      default: break
      }
    }
    guard let found, let trace = found.trace else { throw CancellationError() }
    progress.clear()
    // A file that was written with losses is never the same.
    let isSame = url.pathExtension.lowercased() != "png" || found.picture == painted
    if !isSame {
      Console.say(
        "Note: painted on this machine the picture differs from \(path); the page tells of the new one."
      )
    }
    let html = try TracePage(
      metadata: found.metadata, picture: found.picture, trace: trace, isSame: isSame
    ).html
    try Data(html.utf8).write(to: page, options: .withoutOverwriting)
    Console.result(Console.relative(page))
  }
}
