import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting
import Training

/// `reverie evaluate variety`: how much the pictures of one prompt differ from seed to seed.
struct EvaluateVariety: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "variety",
    abstract: "Measure how much pictures of one prompt differ from seed to seed.",
    discussion: """
      Paints fixed prompts of single things with several seeds each, nothing picked. Says for each how far its \
      pictures lie apart (root mean square of the difference of two pictures in 0…1, the mean over all pairs) \
      and, where the judge knows them, how many hands drew them. Keeps a sheet with a row for each prompt.

      EXAMPLES
        reverie evaluate variety --count 20
        reverie evaluate variety --pack packs/mine --judge packs/judges --seeds 8
      """)

  @OptionGroup var options: EvaluationOptions

  @Option(help: "How to paint.")
  var method: Method.ID = .auto

  @Option(help: "Number of prompts.")
  var count = 20

  @Option(help: "Number of pictures of each.")
  var seeds = 8

  @Option(help: "Of the list of prompts and of the first picture of each.")
  var seed = 1

  @Option(help: ArgumentHelp("Where the contact sheet goes.", valueName: "png"))
  var sheet = "variety.png"

  func validate() throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("--count must be from 1 to 10000.")
    }
    guard (2...64).contains(seeds) else { throw ValidationError("--seeds must be from 2 to 64.") }
    guard (0...Int(UInt32.max)).contains(seed) else {
      throw ValidationError("--seed must be from 0 to \(UInt32.max).")
    }
    guard !FileManager.default.fileExists(atPath: sheet) else {
      throw ValidationError("\(sheet) is there already. Name another file with --sheet.")
    }
  }

  func run() async throws {
    let pack = try options.openedPack()
    let judge = try Judge(folder: options.judges)
    let evaluation = try PackEvaluation(pack: pack)
    var request = Request("")
    request.method = method
    (request.width, request.height) = (pack.manifest.pictureSize, pack.manifest.pictureSize)
    let prompts = evaluation.prompts(.singles, seen: false, count: count, seed: seed)
    let progress = ProgressNote()
    var done = 0
    let results = try await evaluation.variety(
      of: prompts, seeds: seeds, with: Engine(pack: pack, threads: options.threads), judge: judge,
      request: request, seed: seed
    ) { variety in
      done += 1
      progress.show("\(done)/\(prompts.count)  \(variety.prompt.text)")
    }
    progress.clear()
    let mean = results.map(\.distance).reduce(0, +) / Double(results.count)
    Console.result(String(format: "%@, distance of two seeds: %.3f", method.rawValue, mean))
    if results.contains(where: { !$0.hands.isEmpty }) {
      let varied = Proportion(results.filter { $0.handCount >= 3 }.count, of: results.count)
      Console.result("\(method.rawValue), three hands or more among \(seeds) seeds: \(varied)")
    }
    let cells = results.flatMap { variety in
      variety.pictures.map { ContactSheet.Cell($0, caption: variety.prompt.text) }
    }
    try ContactSheet(cells, columns: seeds, cellSize: 96).render().write(to: sheet)
    Console.result(sheet)
  }
}
