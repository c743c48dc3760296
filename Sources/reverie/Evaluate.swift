import ArgumentParser
import EmbeddedPack
import Foundation
import Imaging
import Painting
import Training

/// `reverie evaluate`: the pack, or the drawers.
struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a pack, or what its CLIP guides, with judges that took no part in it.",
    subcommands: [EvaluatePack.self, EvaluateDrawers.self], defaultSubcommand: EvaluatePack.self)
}

/// `reverie evaluate pack`: measures a pack on prompts and pictures its training never saw.
struct EvaluatePack: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Measure a pack on held-out prompts with a judge that took no part in its making.",
    discussion: """
      Paints a fixed list of prompts (an object on a ground that training never joined) with fixed \
      seeds, nothing picked, and has the judge name each picture. Also measures how well the VQGAN \
      gives held-out renders back, and how often CLIP finds a picture's caption among a thousand.

      EXAMPLES
        reverie evaluate --count 217
        reverie evaluate --method vqgan-clip --count 40 --sheet sheet.png
        reverie evaluate drawers --sheets sheets
      """)

  @Option(help: ArgumentHelp("Pack to measure; the embedded one if left out.", valueName: "folder"))
  var pack: String?

  @Option(
    help: ArgumentHelp("Weights of the judge; the one that ships if left out.", valueName: "file"))
  var judge: String?

  @Option(help: "How to paint.")
  var method: Method = .dalle

  @Option(help: "Number of prompts; 0 leaves painting out.")
  var count = 217

  @Option(help: "Of the list of prompts and of the pictures.")
  var seed = 1

  @Option(help: ArgumentHelp("Where the contact sheet goes.", valueName: "png"))
  var sheet = "evaluation.png"

  @Option(help: "Threads of one operation.")
  var threads: Int = Processor.cores

  func validate() throws {
    guard count >= 0, count <= 10_000 else {
      throw ValidationError("--count must be from 0 to 10000.")
    }
    guard seed >= 0 else { throw ValidationError("--seed must not be negative.") }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads must be from 1 to 1024.")
    }
  }

  func run() async throws {
    let pack = try Pack(folder: pack.map { URL(filePath: $0) } ?? EmbeddedPack.folder)
    let evaluation = try PackEvaluation(pack: pack)
    let judge = try Judge(
      contentsOf: judge.map { URL(filePath: $0) } ?? EmbeddedPack.judge,
      classes: evaluation.concepts.count)

    print("pack \(pack.manifest.id) \(pack.manifest.version)")
    let own = evaluation.accuracy(of: judge)
    row("judge on held-out renders, in the middle", "\(own.grid)")
    row("judge on held-out renders, anywhere", "\(own.anywhere)")
    if pack.vqgan != nil {
      let result = try evaluation.reconstruction()
      row(
        "VQGAN on held-out renders",
        String(format: "PSNR %.2f dB, SSIM %.3f", result.psnr, result.ssim))
      try save(result.sheet, as: "reconstructions")
    }
    if pack.clip != nil {
      row("CLIP image-to-text recall@1 among 1,000", "\(try evaluation.retrieval())")
    }
    if count > 0 { try await paint(evaluation, judge) }
  }

  private func paint(_ evaluation: PackEvaluation, _ judge: Judge) async throws {
    var request = Request("")
    request.method = method
    request.width = evaluation.pack.manifest.pictureSize
    request.height = evaluation.pack.manifest.pictureSize
    let engine = Engine(pack: evaluation.pack, threads: threads)
    var done = 0
    let progress = ProgressNote()
    let painted = try await evaluation.paint(
      with: engine, judge: judge, request: request, count: count, seed: seed
    ) { picture, total in
      done += 1
      progress.show("\(done)/\(total)  \(picture.prompt.text)")
    }
    progress.clear()
    func proportion(_ holds: (PackEvaluation.Painted) -> Bool) -> Proportion {
      Proportion(painted.filter(holds).count, of: painted.count)
    }
    row("\(method.rawValue): judge's first guess is right", "\(proportion(\.isFirst))")
    row("\(method.rawValue): right among the judge's five", "\(proportion(\.isAmongFive))")
    row("\(method.rawValue): ground of the colour asked for", "\(proportion(\.hasGround))")
    let times = painted.map(\.seconds).sorted()
    if !times.isEmpty {
      row(
        "\(method.rawValue): seconds a picture, median",
        String(format: "%.2f", times[times.count / 2]))
    }
    let cells = painted.map { item in
      ContactSheet.Cell(
        item.picture,
        caption: item.isFirst ? item.prompt.text : item.prompt.text + " ✗")
    }
    try save(
      try ContactSheet(cells, columns: 14, cellSize: 96).render(), as: nil)
  }

  private func row(_ name: String, _ value: String) {
    print(name.padding(toLength: 48, withPad: " ", startingAt: 0) + value)
  }

  /// Beside the contact sheet, under its name with `suffix`; an older evaluation's sheet is kept.
  private func save(_ picture: Picture, as suffix: String?) throws {
    let base = URL(filePath: sheet)
    let stem = base.deletingPathExtension().path + (suffix.map { "-" + $0 } ?? "")
    for number in 1... {
      let path = stem + (number == 1 ? "" : "-\(number)") + ".png"
      if FileManager.default.fileExists(atPath: path) { continue }
      try picture.write(to: path)
      row(suffix ?? "sheet", path)
      return
    }
  }
}

/// One line on a terminal that is written over; nothing elsewhere.
struct ProgressNote {
  private let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ text: String) { write("\r\u{1B}[K" + text) }
  func clear() { write("\r\u{1B}[K") }

  private func write(_ text: String) {
    if isTerminal { FileHandle.standardError.write(Data(text.utf8)) }
  }
}
