import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting
import Torch

extension Method.ID: ExpressibleByArgument {}
extension Request.Precision: ExpressibleByArgument {}

/// `--size`: one number for a square, or width x height.
struct PictureSize: ExpressibleByArgument {
  let width: Int
  let height: Int

  init?(argument: String) {
    let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    let sides = parts.compactMap { Int($0) }
    guard sides.count == parts.count, (1...2).contains(sides.count) else { return nil }
    width = sides[0]
    height = sides[sides.count - 1]
  }
}

/// Where results go.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The picture's file, .png, .jpg or .webp (a film's: .mp4, .webm, .gif or .webp), instead of a name "
        + "made up.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "How names are made up, as in {date}/{seed}-{prompt}.jpg: {date}, {time}, {prompt}, {size}, {init} "
        + "(the initial picture), {number} (in a list) and parameters by name.",
      valueName: "pattern"))
  var outputName: String?

  @Option(
    help: ArgumentHelp(
      "Folder for pictures (default: REVERIE_OUTPUTS, else outputs).", valueName: "folder"))
  var outdir: String?

  @Option(
    help: ArgumentHelp(
      "Keep every n-th picture on the way (or every n-th candidate).", valueName: "n"))
  var saveEvery: Int?

  @Option(
    help: ArgumentHelp(
      "With dalle: keep candidates that are being written, too, after every n-th code.",
      valueName: "n"))
  var saveCodes: Int?

  @Flag(help: "Of candidates, show all on one sheet, too, beside the picture.")
  var candidatesSheet = false

  @Option(
    help: ArgumentHelp(
      "Seconds between checkpoints, from which reverie resume goes on.", valueName: "seconds"))
  var checkpointEvery = 5.0

  @Flag(help: "Write shapes as .svg beside the picture, too, with a method that draws them.")
  var svg = false

  @Flag(help: "Write files that tell nothing of how they were painted.")
  var noMetadata = false

  @Flag(help: "Keep the run's folder (checkpoint, log, preview) when all is done.")
  var keepRun = false

  @Flag(help: "Print results as JSON, one object a line.")
  var json = false

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  /// Checks that the file that was asked for is one of a picture.
  func checkEnding() throws {
    if let ending = try outputName.map(OutputPattern.init)?.ending {
      guard (try? PictureFormat(extensionOf: "x." + ending)) != nil else {
        throw ValidationError("--output-name of a picture ends in .png, .jpg or .webp.")
      }
    }
    guard let output, (try? PictureFormat(extensionOf: output)) == nil else { return }
    throw ValidationError(
      "--output must end in .png, .jpg or .webp, not '\(output.suffix(40))'.")
  }

  func validate() throws {
    if let saveEvery, saveEvery < 1 {
      throw ValidationError("--save-every must be at least 1, not \(saveEvery).")
    }
    if let saveCodes, saveCodes < 1 {
      throw ValidationError("--save-codes must be at least 1, not \(saveCodes).")
    }
    guard checkpointEvery >= 0, checkpointEvery.isFinite else {
      throw ValidationError("--checkpoint-every must not be negative.")
    }
    guard outputName == nil || output == nil else {
      throw ValidationError("--output names the file, --output-name makes its name up. Give one.")
    }
    if let output {
      guard !output.isEmpty, !output.hasSuffix("/") else {
        throw ValidationError("--output must name a file.")
      }
    }
  }
}

extension OutputOptions {
  /// Checks that `request`, resolved, can be written as it is wanted.
  func check(_ request: Request) throws {
    try checkCandidates(request)
    let able = Registry.builtIn.methods.filter { $0.takes.contains(.svg) }.map(\.id)
    guard svg, !able.contains(request.method ?? .auto) else { return }
    let methods = able.map(\.rawValue).joined(separator: ", ")
    throw ValidationError(
      "--svg needs a method that draws shapes (\(methods)), not \(request.method?.rawValue ?? "").")
  }

  private func checkCandidates(_ request: Request) throws {
    func check(_ option: String, _ capability: Capabilities, _ what: String) throws {
      let able = Registry.builtIn.methods.filter { $0.takes.contains(capability) }.map(\.id)
      guard !able.contains(request.method ?? .auto) else { return }
      let methods = able.map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "\(option) needs a method that \(what) (\(methods)), not \(request.method?.rawValue ?? "")."
      )
    }
    if saveCodes != nil { try check("--save-codes", .codes, "writes codes") }
    if candidatesSheet { try check("--candidates-sheet", .candidates, "has candidates") }
    guard candidatesSheet, request.arguments["seamless"] == .bool(true) else { return }
    throw ValidationError(
      "--candidates-sheet shows candidates apart, and --seamless draws them as one. Give one.")
  }

  /// Tells what a picture's file will not hold of what was asked for.
  func note(_ request: Request) {
    guard svg, !quiet, let filters = request.filters, !filters.isEmpty else { return }
    let names = filters.map(\.name).joined(separator: ", ")
    Console.say(
      "Note: the .svg holds the shapes as they are before the filters (\(names)), the picture those "
        + "after them.")
  }
}
