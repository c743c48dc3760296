import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting

/// `reverie upscale FILE…`: enlarges pictures by a network.
struct Upscale: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Enlarges pictures with the pack's network, or an ESRGAN.",
    discussion: """
      What a picture tells about how it was painted stays with it.

      EXAMPLES
        reverie upscale fox.png
        reverie upscale outputs/20260901/*.png --scale 4 --outdir large
        reverie upscale photograph.jpg --model realesrgan-x4plus
        reverie upscale photograph.jpg --model realesr-general-x4v3 --denoise 0.3
      """)

  @Argument(help: ArgumentHelp("Pictures: PNG, JPEG or WebP.", valueName: "file"))
  var files: [String]

  @Option(help: "How many times larger each side becomes, 2 to 16.")
  var scale = 2

  @Option(
    help: ArgumentHelp(
      "An installed ESRGAN or Real-ESRGAN instead of the pack's network.", valueName: "id"))
  var model: String?

  @Option(
    help: "How much noise realesr-general-x4v3 removes, 0 to 1; its sibling with wdn is needed.")
  var denoise: Double?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The result's file, .png, .jpg or .webp (default: a name like fox-2x.png beside the picture).",
      valueName: "file"))
  var output: String?

  @Option(help: ArgumentHelp("Folder for results instead.", valueName: "folder"))
  var outdir: String?

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func validate() throws {
    guard (2...16).contains(scale) else {
      throw ValidationError("--scale must be from 2 to 16, not \(scale).")
    }
    if let denoise {
      guard (0...1).contains(denoise) else {
        throw ValidationError("--denoise must be from 0 to 1, not \(denoise).")
      }
      guard model != nil else {
        throw ValidationError("--denoise needs --model realesr-general-x4v3.")
      }
    }
    if let output {
      guard files.count == 1 else {
        throw ValidationError("--output is for one picture; for several there is --outdir.")
      }
      guard (try? PictureFormat(extensionOf: output)) != nil else {
        throw ValidationError("--output must end in .png, .jpg or .webp.")
      }
    }
  }

  func run() async throws {
    let engine = try execution.engine(execution.openPack(), device: execution.resolvedDevice())
    var batch = Batch(of: files.count)
    for (index, file) in files.enumerated() {
      let heading = files.count > 1 ? "[\(index + 1)/\(files.count)] " : ""
      try await batch.attempt(file) { try await enlarge(file, by: engine, heading) }
    }
    try batch.end()
  }

  private func enlarge(_ file: String, by engine: Engine, _ heading: String) async throws {
    let picture = try Picture.read(from: file)
    let texts = try texts(of: file)
    let progress = ProgressLine(enabled: !quiet, heading: heading)
    defer { progress.clear() }
    let large = try await engine.enlarge(picture, by: scale, model: model, denoise: denoise) {
      done, pieces in
      progress.show(.init(step: done, total: pieces, unit: "piece"))
    }
    progress.clear()
    Console.result(Console.relative(try write(large, texts, of: URL(filePath: file))))
  }

  /// What the picture tells, and that it was enlarged.
  private func texts(of file: String) throws -> [PictureText] {
    guard var metadata = try? Metadata(ofPictureAt: file) else {
      return try PictureMetadata.read(from: file)
    }
    metadata.enlarged = (metadata.enlarged ?? 1) * scale
    return try metadata.texts()
  }

  /// Writes a result under a name that is not taken.
  private func write(_ picture: Picture, _ texts: [PictureText], of source: URL) throws -> URL {
    if let output {
      let url = URL(filePath: output)
      let format = try PictureFormat(extensionOf: url.path, texts: texts)
      do {
        try picture.write(to: url.path, as: format)
      } catch ImagingError.exists {
        throw OutputError.exists(url.relativePath)
      }
      return url
    }
    let home =
      outdir.map { URL(filePath: $0, directoryHint: .isDirectory) }
      ?? source.deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    } catch {
      throw OutputError.unwritable(home.relativePath, "the folder cannot be made")
    }
    let stem = "\(source.deletingPathExtension().lastPathComponent)-\(scale)x"
    for attempt in 1...10_000 {
      let url = home.appending(path: attempt == 1 ? "\(stem).png" : "\(stem)-\(attempt).png")
      do {
        try picture.write(to: url.path, as: .png(texts: texts))
        return url
      } catch ImagingError.exists {
        continue
      }
    }
    throw OutputError.exists(home.appending(path: "\(stem).png").relativePath)
  }
}
