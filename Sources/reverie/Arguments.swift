import ArgumentParser
import Foundation
import Painting
import Torch

extension Method: ExpressibleByArgument {}
extension OptimizerName: ExpressibleByArgument {}
extension Request.Precision: ExpressibleByArgument {}

extension ArgumentHelp {
  /// Help of a request's parameter, from its declaration.
  static func declared(_ name: String, value: String? = nil) -> ArgumentHelp {
    // The parser lists the words of a choice itself.
    let text = Request.parameter(name)?.fullHelp(listingWords: false) ?? ""
    return ArgumentHelp(text, valueName: value)
  }
}

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

/// `--augmentations`: words separated by commas, or `none`.
struct AugmentationList: ExpressibleByArgument {
  let list: [Augmentation]

  init?(argument: String) {
    if argument == "none" {
      list = []
      return
    }
    let words = argument.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let known = words.compactMap { Augmentation(rawValue: $0) }
    guard known.count == words.count, !words.isEmpty else { return nil }
    list = known
  }
}

/// What determines the picture.
struct PictureOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: .declared("method"))
  var method: Method?

  @Option(help: "Size in pixels, 256 or 320x200 (16 to 4096; default 256).")
  var size: PictureSize?

  @Option(name: .shortAndLong, help: .declared("seed"))
  var seed: Int?

  @Option(
    name: .shortAndLong,
    help: "Number of pictures: with dalle the best candidates, else one seed after the other.")
  var count = 1

  @Option(help: .declared("clip", value: "ids"))
  var clip: String?

  @Option(help: .declared("model", value: "id"))
  var model: String?

  @Option(help: ArgumentHelp("A picture file to begin from (not with dalle).", valueName: "file"))
  var initImage: String?
}

/// What only methods under CLIP's guidance take.
struct OptimisationOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: .declared("iterations"))
  var iterations: Int?

  @Option(help: .declared("cutouts"))
  var cutouts: Int?

  @Option(help: .declared("learningRate"))
  var learningRate: Double?

  @Option(help: .declared("optimizer"))
  var optimizer: OptimizerName?

  @Option(help: .declared("augmentations"))
  var augmentations: AugmentationList?
}

/// What only `dalle` takes.
struct SamplingOptions: ParsableArguments {
  @Option(help: .declared("candidates"))
  var candidates: Int?

  @Option(help: .declared("rank"))
  var rank: Int?

  @Option(help: .declared("conditionScale"))
  var conditionScale: Double?

  @Option(help: .declared("temperature"))
  var temperature: Double?

  @Option(name: .customLong("top-k"), help: .declared("topK"))
  var topK: Int?
}

/// Where results go.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The picture's file, instead of a name made up.", valueName: "file.png"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Folder for pictures (default: REVERIE_OUTPUTS, else outputs).", valueName: "folder"))
  var outdir: String?

  @Option(
    help: ArgumentHelp(
      "Keep every n-th picture on the way (or every n-th candidate).", valueName: "n"))
  var saveEvery: Int?

  @Flag(help: "Print results as JSON, one object a line.")
  var json = false

  @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
  var quiet = false

  func validate() throws {
    if let saveEvery, saveEvery < 1 {
      throw ValidationError("--save-every must be at least 1, not \(saveEvery).")
    }
    if let output {
      guard !output.isEmpty, !output.hasSuffix("/") else {
        throw ValidationError("--output must name a file.")
      }
      guard output.lowercased().hasSuffix(".png") else {
        throw ValidationError("--output must end in .png, not '\(output.suffix(40))'.")
      }
    }
  }
}

/// How it is computed.
struct ExecutionOptions: ParsableArguments {
  @Option(help: .declared("precision"))
  var precision: Request.Precision?

  @Option(help: "Where to compute: cpu, cuda or cuda:1 (default: a GPU if there is one).")
  var device: String?

  @Option(help: "Threads of one operation (default: OMP_NUM_THREADS, else the physical cores).")
  var threads: Int?

  @Option(
    help: ArgumentHelp("A model pack's folder (default: the one that ships).", valueName: "folder"))
  var pack: String?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024, not \(threads).")
    }
    if let device {
      guard Device(device) != nil else {
        throw ValidationError("'\(device)' is no device. Use cpu, cuda or cuda:N.")
      }
    }
  }

  /// The device asked for, or the best.
  func resolvedDevice() throws -> Device {
    guard let text = device, let device = Device(text) else { return .best }
    if device == .cpu { return device }
    let available = Device.available
    guard available.contains(device) else {
      throw ValidationError(
        "There is no \(device) here; there is: \(available.map(\.description).joined(separator: ", "))."
      )
    }
    return device
  }

  /// The number asked for, or what suits the machine.
  var resolvedThreads: Int {
    let wish = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"].flatMap { Int($0) }
    return threads ?? wish.flatMap { (1...1024).contains($0) ? $0 : nil } ?? Processor.cores
  }

  /// The pack asked for, or the one that ships.
  func openPack() throws -> Pack {
    try Pack(
      folder: pack.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? Pack.embedded)
  }
}
