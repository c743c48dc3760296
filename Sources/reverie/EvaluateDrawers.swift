import ArgumentParser
import Foundation
import Imaging
import Painting
import Training

/// `reverie evaluate drawers`: measures what guided drawers achieve, as a Markdown table and sheets.
struct EvaluateDrawers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drawers",
    abstract: "Measure what guided drawers achieve, by a CLIP that guided none of them.",
    discussion: """
      Paints 20 fixed prompts with each drawer as it comes, fixed seeds, nothing picked. Prints a \
      Markdown table of the judge's cosines between prompt and picture: where the drawer began, for \
      the pictures of the other prompts, and in the end. Keeps a sheet of beginnings and ends.

      EXAMPLES
        reverie evaluate drawers --sheets Docs/drawers
        reverie evaluate drawers --drawer fft --drawer pixel --count 5
        reverie evaluate drawers --drawer fft -- --objective tv:20
      """)

  @OptionGroup var options: EvaluationOptions

  @Option(
    name: .customLong("drawer"),
    help: ArgumentHelp("What to measure, several times for several; all if left out."))
  var drawers: [String] = []

  @Option(help: "Number of prompts.")
  var count = DrawerEvaluation.objects.count

  @Option(help: "Of the first picture; the others' follow.")
  var seed = 1

  @Option(
    help: ArgumentHelp(
      "Where pictures are kept; those of a measurement that was broken off are taken up again.",
      valueName: "folder"))
  var pictures = "outputs/drawers"

  @Option(help: ArgumentHelp("Where a sheet for each drawer goes.", valueName: "folder"))
  var sheets: String?

  @Option(help: "Side of a picture on a sheet in pixels.")
  var cell = 48

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp(
      "Parameters of painting, as for 'reverie paint', where not as they come.",
      valueName: "parameters"))
  var parameters: [String] = []

  func validate() throws {
    guard (1...DrawerEvaluation.objects.count).contains(count) else {
      throw ValidationError("--count must be from 1 to \(DrawerEvaluation.objects.count).")
    }
    guard seed >= 0 else { throw ValidationError("--seed must not be negative.") }
    guard (8...512).contains(cell) else { throw ValidationError("--cell must be from 8 to 512.") }
  }

  func run() async throws {
    let pack = try options.openedPack()
    let folder = options.judges
    let ways = try ways(of: pack)
    let evaluation = try PackEvaluation(pack: pack)
    let clip = try CLIPJudge(folder: folder)
    let classifier = try Judge(folder: folder)
    let drawing = DrawerEvaluation(
      evaluation, engine: Engine(pack: pack, threads: options.threads), judge: classifier)
    let prompts = try evaluation.prompts(of: Array(DrawerEvaluation.objects.prefix(count)))
    if let sheets {
      try FileManager.default.createDirectory(
        at: URL(filePath: sheets), withIntermediateDirectories: true)
    }

    print(
      "The judge finds a picture's own caption among 1,000: \(evaluation.retrieval(by: clip))\n")
    print("| drawer | start | others' | final | gain | better | found | ground | five | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    try comparison(evaluation, prompts, clip)
    for way in ways {
      var done = 0
      let progress = ProgressNote()
      let drawn = try await drawing.draw(
        way, prompts, seed: seed, in: URL(filePath: pictures)
      ) { request in
        request = try RequestArguments(parsing: parameters, base: request).request
      } report: { item in
        done += 1
        progress.show("\(way.name) \(done)/\(prompts.count)  \(item.painted.prompt.text)")
      }
      progress.clear()
      print(row(way.name, DrawerEvaluation.figures(drawn, by: clip), drawn.map(\.painted)))
      if let sheets {
        try drawing.sheet(drawn, cellSize: cell)
          .write(to: "\(sheets)/\(way.fileName).png", replacing: true)
      }
    }
  }

  private func ways(of pack: Pack) throws -> [DrawerEvaluation.Way] {
    let all = DrawerEvaluation.ways(of: Resolver(pack: pack))
    return try drawers.isEmpty
      ? all
      : drawers.map { name in
        guard let way = all.first(where: { $0.name == name }) else {
          throw ValidationError(
            "There is no '\(name)' to measure; there is: \(all.map(\.name).joined(separator: "; "))."
          )
        }
        return way
      }
  }

  /// The best and the worst there could be: renders of what is asked for, and noise.
  private func comparison(
    _ evaluation: PackEvaluation, _ prompts: [EvaluationPrompt], _ clip: CLIPJudge
  ) throws {
    let texts = prompts.map(\.text)
    let renders = DrawerFigures(
      start: nil, final: clip.cosines(try evaluation.renders(of: prompts), texts))
    print(row("(the emoji itself)", renders, []))
    let noise = try DrawerEvaluation.noise(size: evaluation.pack.manifest.pictureSize, seed: seed)
    print("| (noise) | | | \(Mean(clip.cosines([noise], texts)[0])) | | | | | | |")
  }

  private func row(
    _ name: String, _ figures: DrawerFigures, _ painted: [PaintedPrompt]
  ) -> String {
    func part(_ proportion: Proportion) -> String {
      proportion.count == 0 ? "–" : "\(proportion.hits)/\(proportion.count)"
    }
    func part(_ holds: (PaintedPrompt) -> Bool) -> String {
      part(Proportion(painted.filter(holds).count, of: painted.count))
    }
    let times = painted.map(\.seconds).sorted()
    let cells = [
      name, "\(figures.start)", "\(figures.others)", "\(figures.final)", "\(figures.gain)",
      part(figures.wins), part(figures.found), part(\.hasColor), part(\.isAmongFive),
      times.isEmpty ? "–" : String(format: "%.1f", times[times.count / 2]),
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }
}
