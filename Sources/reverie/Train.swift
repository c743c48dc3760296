import ArgumentParser
import Foundation
import Painting
import Torch
import Training

extension PackTraining.Stage: ExpressibleByArgument {}

/// `reverie train STAGE`: trains one part of a pack, from where its run folder stands.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train one part of a model pack.",
    discussion: """
      A stage goes on from its checkpoint if there is one; of what it was begun with, only the number of steps \
      may be another then. ^C writes a checkpoint and stops. While it runs, index.html in its folder shows \
      progress, figures, the loss's curve and samples.

      Several processes, on one machine or many, train one network together where torchrun or srun starts them: RANK, \
      WORLD_SIZE, MASTER_ADDR and MASTER_PORT say how they meet, or Slurm's own numbers and MASTER_ADDR. Each takes \
      its part of every batch; the first one keeps the run's folder.

      EXAMPLES
        reverie train vqgan --run runs/pack --config Configurations/pack/vqgan.yaml
        reverie train dalle --run runs/mine --config mine.yaml --data pictures
        reverie train clip --run runs/next --config clip.yaml --start packs/mine
        torchrun --no-python --nproc-per-node 2 -- reverie train dalle …
      """)

  @Argument(
    help: "What to train: \(PackTraining.Stage.allCases.map(\.rawValue).joined(separator: ", ")).")
  var stage: PackTraining.Stage

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Folder that holds the folders of all stages.", valueName: "folder"))
  var folder: String

  @Option(help: ArgumentHelp("Configuration of the stage.", valueName: "yaml"))
  var config: String

  @Option(
    help: ArgumentHelp(
      "Folder of images with captions (metadata.jsonl, or name.txt beside name.png); the emoji corpus if left out.",
      valueName: "folder"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Folder of more drawings of the emoji, fluent-3d/1f98a.webp and so on; \(ArtFolder.variable) if left out, and without either the font's alone.",
      valueName: "folder"))
  var art: String?

  @Option(
    help: ArgumentHelp(
      "Pack to start from: its weights instead of random ones, and its files where a stage has not run.",
      valueName: "pack"))
  var start: String?

  @Option(
    help: ArgumentHelp(
      "Folder of a judge whose weights the stage 'judge' starts from.", valueName: "folder"))
  var judge: String?

  @Option(help: "Side of the training pictures in pixels.")
  var size = 128

  @Option(help: "Where to compute: cpu, cuda or cuda:N.")
  var device = "cpu"

  @Option(help: "float32 or bfloat16; the device's fast type if left out.")
  var precision: String?

  @Option(help: "Threads of one operation.")
  var threads: Int?

  func validate() throws {
    guard Device(device) != nil else {
      throw ValidationError("'\(device)' is no device. Use cpu, cuda or cuda:N.")
    }
    if let precision, !["float32", "bfloat16"].contains(precision) {
      throw ValidationError("'\(precision)' is no precision. Use float32 or bfloat16.")
    }
    guard size > 0, size % 16 == 0, size <= 1024 else {
      throw ValidationError("--size must be a multiple of 16 up to 1024.")
    }
    guard threads.map({ (1...1024).contains($0) }) ?? true else {
      throw ValidationError("--threads must be from 1 to 1024.")
    }
  }

  func run() throws {
    let device = Device(device) ?? .cpu
    guard Device.available.contains(device) else {
      throw ValidationError(
        "There is no \(device) here; there is: \(Device.available.map(\.description).joined(separator: ", "))."
      )
    }
    if let threads { Libtorch.threads = threads }
    let interrupt = Interrupt()
    let progress = TrainingProgress(stage.rawValue)
    let group = try group(progress.say)
    let context = PackTraining.Context(
      folder: URL(filePath: folder),
      data: data.map { .folder(URL(filePath: $0), size: size) } ?? .emoji(size: size),
      art: try ArtFolder(named: art),
      start: try start.map { try Pack(folder: URL(filePath: $0)) },
      judge: judge.map { URL(filePath: $0) },
      device: device,
      precision: precision.map { $0 == "bfloat16" ? .bfloat16 : .float32 } ?? device.fastFloat,
      group: group,
      stop: { interrupt.happened },
      report: { if group.isFirst { progress.show($0) } },
      say: { if group.isFirst { progress.say($0) } })
    try PackTraining(context).run(stage, configuration: URL(filePath: config))
    guard group.isFirst else { return }
    progress.say("done: \(URL(filePath: folder).appending(path: stage.rawValue).relativePath)")
  }

  /// The processes that the environment says this one trains with.
  private func group(_ say: (String) -> Void) throws -> ProcessGroup {
    let environment = ProcessInfo.processInfo.environment
    guard let address = try ProcessGroup.Address(environment: environment) else {
      return ProcessGroup()
    }
    let place = "\(address.host):\(address.port)"
    say("process \(address.rank) of \(address.size) waits for the others at \(place)")
    return try ProcessGroup(address)
  }
}

/// Shows where a training stands: a live line on a terminal, a line now and then otherwise.
private final class TrainingProgress {
  private let name: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var last = ContinuousClock.now - .seconds(60)

  init(_ name: String) { self.name = name }

  func show(_ report: Trainer.Report) {
    let now = ContinuousClock.now
    guard
      now - last >= (isTerminal ? .milliseconds(500) : .seconds(30)) || report.step == report.steps
    else { return }
    last = now
    let pace = Double(report.stepsHere) / max(report.seconds, 1e-3)
    let left = Duration.seconds(Double(report.steps - report.step) / max(pace, 1e-6))
    let figures = report.figures.prefix(4).map { "\($0.name) \(String(format: "%.4g", $0.value))" }
    let line =
      "\(name) \(report.step)/\(report.steps)  \(figures.joined(separator: "  "))  "
      + String(format: "%.2f steps/s", pace)
      + "  \(left.formatted(.time(pattern: .hourMinuteSecond))) left"
    write(isTerminal ? "\r\u{1B}[K" + line : line + "\n")
  }

  func say(_ line: String) { write((isTerminal ? "\r\u{1B}[K" : "") + line + "\n") }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
