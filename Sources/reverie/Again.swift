import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// `reverie again FILE`: paints a picture once more from its own metadata.
struct Again: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Paints a picture once more, from what its file tells.",
    discussion: """
      On the same machine the new picture is the same to the pixel: same request, seed, precision and \
      number of threads.

      EXAMPLES
        reverie again outputs/20260901/143052-a-fox-7.png
        reverie again fox.png --output fox-again.png
        reverie again metadata.txt

      A text, or - for standard input, may be what a picture's file tells: Reverie's own JSON, a request, \
      the lines that AUTOMATIC1111's tools write, or Disco Diffusion's settings.txt.
      """)

  @Argument(
    help: ArgumentHelp(
      "A picture or a film that Reverie painted, or a text of its metadata; - is standard input.",
      valueName: "file"))
  var file: String

  @Option(
    help: ArgumentHelp(
      "Where files lie that it was painted with, if they are not beside it.", valueName: "folder"))
  var files: String?

  @Option(help: "Another type in which networks compute: float32, bfloat16 or int8.")
  var precision: Request.Precision?

  @OptionGroup(title: "Output")
  var output: OutputOptions

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func run() async throws {
    let url = URL(filePath: file)
    let isFilm = VideoFormat(rawValue: url.pathExtension.lowercased()).map { $0 != .webp } ?? false
    if !isFilm { try output.checkEnding() }
    let metadata: Metadata
    if let text = try MetadataText(file) {
      switch try text.content() {
      case .metadata(let told): metadata = told
      case .request(let request): return try await paint(request)
      case .settings(let settings):
        if !output.quiet {
          for remark in settings.leftOut { Console.say("Note: \(remark).") }
        }
        return try await paint(settings.request())
      }
    } else {
      metadata = isFilm ? try await Metadata(ofFilmAt: file) : try Metadata(ofPictureAt: file)
    }
    let places = FilePlaces([files, url.deletingLastPathComponent().path, "."])
    if metadata.film == nil { try output.check(metadata.request) }
    let destination = try Destination(output)
    let repainting = try Repainting(
      metadata, precision: precision, places: places, execution: execution, quiet: output.quiet)
    let (engine, request, attachments) = (
      repainting.engine, repainting.request, repainting.attachments
    )
    if let film = metadata.film {
      let ending = try FilmArguments.ending(output, standard: url.pathExtension.lowercased())
      return try await FilmSession(
        engine: engine, destination: destination, output: output, ending: ending
      ).run(film, request, files: attachments, pack: execution.pack)
    }
    output.note(request)
    let session = Session(engine: engine, destination: destination, output: output)
    try await session.run(request, count: 1, files: attachments, pack: execution.pack)
  }

  /// Paints what no picture of ours tells: with this pack, on this machine.
  private func paint(_ request: Request) async throws {
    var request = request
    if let precision { request.precision = precision }
    let places = FilePlaces([
      files, URL(filePath: file).deletingLastPathComponent().path, ".",
    ])
    let attachments = try places.attachments(request.references)
    let device = try execution.resolvedDevice()
    let destination = try Destination(output)
    let pack = try execution.openPack()
    let resolved = try Resolver(pack: pack).resolve(request, device: device)
    try output.check(resolved)
    output.note(resolved)
    let session = Session(
      engine: try execution.engine(pack, device: device), destination: destination, output: output)
    try await session.run(resolved, count: 1, files: attachments, pack: execution.pack)
  }
}
