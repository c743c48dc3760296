import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting
import Training

/// `reverie evaluate edits`: what becomes of pictures that are varied or painted into.
struct EvaluateEdits: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edits",
    abstract: "Measure variations of pictures, and things painted into a hole.",
    discussion: """
      Varies renders of single things, told by no word, and has the judge name what came out. Cuts the second \
      of two things out of other renders, asks for it by its name, and has the judge look into the hole; outside \
      it every pixel must be as it was. Fixed prompts and seeds, nothing picked. Keeps a sheet of each, with \
      what was handed in beside what became of it.

      EXAMPLES
        reverie evaluate edits
        reverie evaluate edits --variations 20 --holes 0 --sheet varied.png
        reverie evaluate edits --pack packs/mine --filling glide
      """)

  @OptionGroup var options: EvaluationOptions

  @Option(help: "How to vary.")
  var varying: Method.ID = .auto

  @Option(help: "How to fill holes.")
  var filling: Method.ID = .auto

  @Option(help: "Number of pictures to vary.")
  var variations = 60

  @Option(help: "Number of holes to fill.")
  var holes = 40

  @Option(help: "Of the lists of prompts and of the first picture of each.")
  var seed = 1

  @Option(help: ArgumentHelp("Where the contact sheets go.", valueName: "png"))
  var sheet = "edits.png"

  func validate() throws {
    guard (0...10_000).contains(variations), (0...10_000).contains(holes) else {
      throw ValidationError("--variations and --holes must be from 0 to 10000.")
    }
    guard (0...Int(UInt32.max)).contains(seed) else {
      throw ValidationError("--seed must be from 0 to \(UInt32.max).")
    }
    for name in ["varied", "filled"] {
      guard !FileManager.default.fileExists(atPath: path(name)) else {
        throw ValidationError("\(path(name)) is there already. Name another file with --sheet.")
      }
    }
  }

  func run() async throws {
    let pack = try options.openedPack()
    let judge = try Judge(folder: options.judges)
    let evaluation = try PackEvaluation(pack: pack)
    let engine = Engine(pack: pack, threads: options.threads)
    let side = pack.manifest.pictureSize
    try await measure("varied", by: varying, side: side, count: variations) { request, report in
      try await evaluation.variations(
        of: evaluation.prompts(.singles, seen: false, count: variations, seed: seed), with: engine,
        judge: judge, request: request, seed: seed, report: report)
    }
    try await measure("filled", by: filling, side: side, count: holes) { request, report in
      try await evaluation.inpaintings(
        of: evaluation.apart(count: holes, seed: seed), with: engine, judge: judge,
        request: request, seed: seed, report: report)
    }
  }

  /// Has pictures edited, and says how often what came out is named and the rest kept.
  private func measure(
    _ name: String, by method: Method.ID, side: Int, count: Int,
    edited: (Request, (Edit) -> Void) async throws -> [Edit]
  ) async throws {
    guard count > 0 else { return }
    let progress = ProgressNote()
    var request = Request("")
    (request.method, request.width, request.height) = (method, side, side)
    var done = 0
    let edits = try await edited(request) { edit in
      done += 1
      progress.show("\(name) \(done)/\(count)  \(edit.prompt.text)")
    }
    progress.clear()
    func figure(_ what: String, _ holds: (Edit) -> Bool) {
      let part = Proportion(edits.filter(holds).count, of: edits.count)
      Console.result("\(method.rawValue), \(name): \(what)  \(part)")
    }
    figure("the object is the judge's first guess", \.isNamed)
    if name == "filled" { figure("the rest keeps its pixels", \.keepsRest) }
    try save(edits, as: name)
  }

  private func path(_ name: String) -> String {
    URL(filePath: sheet).deletingPathExtension().path + "-\(name).png"
  }

  private func save(_ edits: [Edit], as name: String) throws {
    let cells = edits.flatMap { edit in
      [
        ContactSheet.Cell(edit.original, caption: edit.prompt.text),
        ContactSheet.Cell(edit.result, caption: edit.isNamed ? "✓" : "✗"),
      ]
    }
    try ContactSheet(cells, columns: 12, cellSize: 96).render().write(to: path(name))
    Console.result(path(name))
  }
}
