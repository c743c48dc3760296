import ArgumentParser
import Commands
import Foundation
import Imaging
import Library
import Painting
import Torch

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
    var request = metadata.request
    if let precision { request.precision = precision }
    let places = FilePlaces([files, url.deletingLastPathComponent().path, "."])
    let attachments = try places.attachments(
      request.references + (metadata.film?.source ?? []))
    if metadata.film == nil { try output.check(request) }
    let destination = try Destination(output)
    let pack = try execution.openPack()
    let device = try device(metadata)
    if !output.quiet { warn(metadata, pack, device) }
    let engine = try execution.engine(
      pack, device: device, threads: execution.threads ?? max(1, min(1024, metadata.threads)))
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

  private func device(_ metadata: Metadata) throws -> Device {
    if execution.device != nil { return try execution.resolvedDevice() }
    let painted = Device(metadata.device) ?? .cpu
    return painted == .cpu || Device.available.contains(painted) ? painted : .best
  }

  private func warn(_ metadata: Metadata, _ pack: Pack, _ device: Device) {
    func note(_ what: String, _ then: String, _ now: String) {
      guard then != now else { return }
      Console.say(
        "Note: it was painted with \(what) \(then), this is \(now); the picture may differ.")
    }
    note(
      "the pack", "\(metadata.pack.id) \(metadata.pack.version)",
      "\(pack.manifest.id) \(pack.manifest.version)")
    for (id, then) in (metadata.models ?? [:]).sorted(by: { $0.key < $1.key }) {
      // One that is not installed is told when it is to paint.
      guard let now = try? ModelLibrary().fingerprint(id), now != then else { continue }
      Console.say(
        "Note: it was painted with another model '\(id)' than is installed; the picture may differ."
      )
    }
    if let scale = metadata.enlarged {
      Console.say(
        "Note: it was enlarged afterwards; do so with reverie upscale --scale \(scale).")
    }
    note("libtorch", metadata.libtorch, Libtorch.version)
    note("the device", metadata.device, "\(device)")
  }
}
