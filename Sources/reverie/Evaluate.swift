import ArgumentParser
import Commands
import Foundation
import Imaging
import Models
import Painting
import Training

extension PromptList: ExpressibleByArgument {}
extension CaptionGrammar.Phrasing: ExpressibleByArgument {}

/// `reverie evaluate`: the pack, or the drawers.
struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a pack, or what its CLIP guides, with judges that took no part in it.",
    subcommands: [
      EvaluatePack.self, EvaluateDrawers.self, EvaluateVariety.self, EvaluateEdits.self,
    ],
    defaultSubcommand: EvaluatePack.self)
}

/// `reverie evaluate pack`: measures a pack on prompts and pictures its training never saw.
struct EvaluatePack: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Measure a pack on held-out prompts with a judge that took no part in its making.",
    discussion: """
      Paints fixed lists of prompts (an object and a ground, two objects, an object and a scene or a \
      style that training never joined) with fixed seeds, nothing picked, and has the judge name each \
      picture. Also measures how well the VQGAN gives held-out renders back, and how often CLIP finds \
      a picture's caption among a thousand.

      EXAMPLES
        reverie evaluate --count 200
        reverie evaluate --list relations --list scenes --seen
        reverie evaluate --method \(Registry.guiding) --list singles --sheet sheet.png
        reverie evaluate --against packs/before --count 40
        reverie evaluate drawers --sheets sheets
      """)

  @OptionGroup var options: EvaluationOptions

  @Option(
    help: ArgumentHelp("Another pack, measured in the same way beside it.", valueName: "folder"))
  var against: String?

  @Option(
    help: ArgumentHelp(
      "Folder of more drawings of the emoji, to measure the networks on them too; \(ArtFolder.variable) if left out.",
      valueName: "folder"))
  var art: String?

  @Option(help: "How to paint.")
  var method: Method.ID = .auto

  @Option(
    name: .customLong("list"),
    help: ArgumentHelp(
      "What to ask for, several times for several; if left out, all, and the networks are measured too."
    ))
  var lists: [PromptList] = []

  @Flag(help: "Also ask for combinations that training shows, for comparison.")
  var seen = false

  @Option(help: "Whether prompts are worded as in training, or in ways that it never shows.")
  var phrasing: CaptionGrammar.Phrasing = .known

  @Flag(
    help: ArgumentHelp(
      "Also show the judge renders of what is asked for, and what the VQGAN gives back of them."))
  var bounds = false

  @Option(help: "Number of prompts in each list; 0 leaves painting out.")
  var count = 100

  @Option(help: "Of the list of prompts and of the pictures.")
  var seed = 1

  @Option(help: ArgumentHelp("Where the contact sheet goes.", valueName: "png"))
  var sheet = "evaluation.png"

  func validate() throws {
    guard count >= 0, count <= 10_000 else {
      throw ValidationError("--count must be from 0 to 10000.")
    }
    guard seed >= 0 else { throw ValidationError("--seed must not be negative.") }
  }

  func run() async throws {
    let pack = try options.openedPack()
    let other = try against.map { try Pack(folder: URL(filePath: $0)) }
    let judge = try Judge(folder: options.judges)
    let rows = try await measure(pack, judge)
    guard let other else { return }
    Console.result("")
    let others = try await measure(other, judge)
    compare(pack, rows, other, others)
  }

  /// Figures of a pack by their names, printed as they come.
  private typealias Rows = [(name: String, value: String)]

  private func measure(_ pack: Pack, _ judge: Judge) async throws -> Rows {
    let evaluation = try PackEvaluation(pack: pack, art: ArtFolder(named: art))
    Console.result("pack \(pack.manifest.id) \(pack.manifest.version)")
    var rows: Rows = []
    if lists.isEmpty { try measureNetworks(evaluation, judge, &rows) }
    guard count > 0 else { return rows }
    for list in lists.isEmpty ? PromptList.allCases : lists {
      try await paint(list, seen: false, evaluation, judge, &rows)
      if seen { try await paint(list, seen: true, evaluation, judge, &rows) }
    }
    return rows
  }

  /// Both packs' figures in one table; what only one has stands alone.
  private func compare(_ one: Pack, _ rows: Rows, _ other: Pack, _ others: Rows) {
    func title(_ pack: Pack) -> String { "\(pack.manifest.id) \(pack.manifest.version)" }
    Console.result("\n| | \(title(one)) | \(title(other)) |\n|---|---|---|")
    let names =
      rows.map(\.name)
      + others.map(\.name).filter { name in
        !rows.contains { $0.name == name }
      }
    for name in names where !name.hasPrefix("sheet of") {
      func value(_ rows: Rows) -> String { rows.first { $0.name == name }?.value ?? "–" }
      Console.result("| \(name) | \(value(rows)) | \(value(others)) |")
    }
  }

  private func measureNetworks(_ evaluation: PackEvaluation, _ judge: Judge, _ rows: inout Rows)
    throws
  {
    let pack = evaluation.pack
    let own = evaluation.accuracy(of: judge)
    row("judge on held-out renders, in the middle", "\(own.grid)", &rows)
    row("judge on held-out renders, anywhere", "\(own.anywhere)", &rows)
    if pack.config(of: VQGAN.self) != nil {
      let result = try evaluation.reconstruction()
      row(
        "VQGAN on held-out renders",
        String(format: "PSNR %.2f dB, SSIM %.3f", result.psnr, result.ssim), &rows)
      row(
        "VQGAN, with as many codes as you like",
        String(format: "SSIM %.3f", result.unquantized), &rows)
      for part in result.parts {
        row("VQGAN, \(part.kind)", String(format: "SSIM %.3f (%d)", part.ssim, part.count), &rows)
      }
      try save(result.sheet, as: "reconstructions", &rows)
    }
    if let result = try evaluation.enlargement() {
      func text(_ one: PackEvaluation.Enlargement) -> String {
        String(
          format: "PSNR %.2f dB (bicubic %.2f), SSIM %.3f (%.3f)", one.network.psnr,
          one.bicubic.psnr, one.network.ssim, one.bicubic.ssim)
      }
      row("upscaler on held-out renders", text(result.plain), &rows)
      row("upscaler on what the VQGAN gives back of them", text(result.coded), &rows)
      try save(result.sheet, as: "enlargements", &rows)
    }
    if pack.config(of: CLIP.self) != nil {
      row("CLIP image-to-text recall@1 among 1,000", "\(try evaluation.retrieval())", &rows)
    }
  }

  private func paint(
    _ list: PromptList, seen: Bool, _ evaluation: PackEvaluation, _ judge: Judge,
    _ rows: inout Rows
  ) async throws {
    var request = Request("")
    request.method = method
    request.width = evaluation.pack.manifest.pictureSize
    request.height = evaluation.pack.manifest.pictureSize
    let engine = Engine(pack: evaluation.pack, threads: options.threads)
    var done = 0
    let progress = ProgressNote()
    let prompts = evaluation.prompts(
      list, seen: seen, count: count, seed: seed, phrasing: phrasing)
    let painted = try await evaluation.paint(
      prompts, with: engine, judge: judge, request: request, seed: seed
    ) { picture in
      done += 1
      progress.show("\(list.rawValue) \(done)/\(prompts.count)  \(picture.prompt.text)")
    }
    progress.clear()
    let suffix =
      "\(list.rawValue)" + (seen ? ", seen" : "")
      + (phrasing == .heldOut ? ", held-out phrasings" : "")
    let name = "\(method.rawValue), \(suffix)"
    judged(painted, list, name, &rows)
    if bounds {
      let (renders, coded) = try evaluation.bounds(of: prompts, judge: judge)
      judged(renders, list, "renders, \(suffix)", &rows)
      if !coded.isEmpty { judged(coded, list, "what the VQGAN gives back, \(suffix)", &rows) }
    }
    let times = painted.map(\.seconds).sorted()
    if !times.isEmpty {
      row(
        "\(name): seconds a picture, median",
        String(format: "%.2f", times[times.count / 2]), &rows)
    }
    let cells = painted.map { item in
      ContactSheet.Cell(
        item.picture,
        caption: item.isRight ? item.prompt.text : item.prompt.text + " ✗")
    }
    try save(
      try ContactSheet(cells, columns: 14, cellSize: 96).render(),
      as: list.rawValue + (seen ? "-seen" : ""), &rows)
  }

  /// Rows of what the judge saw in pictures of a list.
  private func judged(
    _ painted: [PaintedPrompt], _ list: PromptList, _ name: String, _ rows: inout Rows
  ) {
    // Natural prompts of which the judge knows nothing are for the eye alone.
    let painted = list == .natural ? painted.filter { !$0.prompt.conceptIDs.isEmpty } : painted
    func figure(_ what: String, _ holds: (PaintedPrompt) -> Bool) {
      let part = Proportion(painted.filter(holds).count, of: painted.count)
      row("\(name): \(what)", "\(part)", &rows)
    }
    if list != .views {
      figure("objects are the judge's first guess", \.isFirst)
      figure("objects are among its five", \.isAmongFive)
    }
    switch list {
    case .singles, .counts: figure("ground of the colour asked for", \.hasColor)
    case .scenes, .views: figure("scene is its first guess", \.hasGround)
    case .styles:
      figure("style is its first guess", \.hasStyle)
      for style in Style.all {
        let some = painted.filter { $0.prompt.styleID == style.id }
        guard !some.isEmpty else { continue }
        let part = Proportion(some.filter(\.hasStyle).count, of: some.count)
        row("\(name), \(style.name): style is its first guess", "\(part)", &rows)
      }
    case .attributes:
      if painted.contains(where: { !$0.opinion.tints.isEmpty }) {
        figure("the thing's colour is its first guess", \.hasTint)
      }
    case .renders:
      figure("scene is its first guess", \.hasGround)
      if painted.contains(where: { !$0.opinion.hands.isEmpty }) {
        figure("hand is its first guess", \.hasHand)
      }
    case .relations, .chatter, .worn, .natural: break
    }
  }

  private func row(_ name: String, _ value: String, _ rows: inout Rows) {
    rows.append((name, value))
    // At once, also into a file: the next one may take long.
    Console.result(name.padding(toLength: 64, withPad: " ", startingAt: 0) + value)
  }

  /// Under the contact sheet's name with `suffix`; an older evaluation's sheet is kept.
  private func save(_ picture: Picture, as suffix: String, _ rows: inout Rows) throws {
    let stem = URL(filePath: sheet).deletingPathExtension().path + "-" + suffix
    for number in 1... {
      let path = stem + (number == 1 ? "" : "-\(number)") + ".png"
      if FileManager.default.fileExists(atPath: path) { continue }
      try picture.write(to: path)
      row("sheet of \(suffix)", path, &rows)
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
