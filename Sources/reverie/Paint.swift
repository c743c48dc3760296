import ArgumentParser
import Commands
import Foundation
import Painting

/// `reverie [paint] PROMPT…`: paints a picture of a text.
struct Paint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Paints a picture of a text.",
    usage: """
      reverie <prompt> ... [options]
      reverie again <picture.png> [options]
      """,
    discussion: """
      It is painted on this machine, by networks that come with the program, and \
      the path of its file is printed.

      PROMPTS
        "a red fox"                 one text
        "a red fox | snow:0.5"      several with weights
        "a red fox | text:-0.3"     a negative weight pushes away
        "a red fox:1:0.8"           a third number: near enough below this distance
        "a seed ^ a tree"           scenes, one after the other

      EXAMPLES
        reverie "a sailboat on a blue background"
        reverie "a fox" --count 4 --seed 7
        reverie "a pizza | green:0.3" --iterations 300 --save-every 50
        reverie "a whale" --init-image sketch.png --size 512x384
        reverie "a castle" --preset watercolour,better
        reverie "a castle" --preset text2pixel --objective palette
        reverie "a castle" --grid seed=1..4 --grid preset=none,watercolour
        reverie again outputs/20260901/143052-a-fox-7.png

      OTHER COMMANDS
        reverie again FILE.png    paints a picture once more
        reverie resume            goes on with a run that was left or killed
        reverie film KIND PROMPT  paints a film
        reverie explain [NAME]    methods, objectives, filters and their arguments
        reverie presets           named looks and qualities
        reverie paint PROMPT      the same as without 'paint'
        reverie models            installs and explains checkpoints that you have
        reverie serve             opens the studio in the browser, and HTTP APIs
        reverie doctor            looks whether everything is in place
        reverie train STAGE       trains one part of a model pack
        reverie pack              gathers what was trained into a pack
        reverie evaluate          measures how well a pack paints
        reverie help COMMAND      help on a command

      ^C once saves the best picture so far; twice stops at once.
      Exit codes: 0 done, 64 wrong use, 1 failed, 130 stopped by ^C.

      \(ParameterHelp.parameters)
      """)

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp("What to paint, and the parameters above.", valueName: "prompt"),
    completion: RequestArguments.completion)
  var words: [String] = []

  @Option(
    name: .shortAndLong,
    help: "Number of pictures: the best candidates, or one seed after the other.")
  var count = 1

  @Option(
    help: ArgumentHelp(
      "Named looks and qualities, several by commas; see reverie presets.", valueName: "names"))
  var preset: [String] = []

  @Option(
    help: ArgumentHelp(
      "Paint with each of these values, as in seed=1..4, ema=0..0.9..0.3, method=fft,pixel or "
        + "'prompt=a fox;a cat'. Up to three times: columns, rows and blocks of a contact sheet.",
      valueName: "name=values"))
  var grid: [String] = []

  @Flag(
    name: .customLong("continue"),
    help: "With --grid and a seed: leave out what the folder of pictures has already.")
  var continues = false

  @Option(
    help: ArgumentHelp(
      "Write what is to be painted, every field filled, into this file instead of painting; with --task, paint "
        + "from it.", valueName: "file"))
  var plan: String?

  @Option(
    help: ArgumentHelp(
      "With --plan: which of its tasks, as in 3, 2/8 for a share, or all for what is missing and the sheet.",
      valueName: "n"))
  var task: String?

  @Option(
    help: ArgumentHelp(
      "A request as JSON, or Disco Diffusion's settings.txt; what the command line says goes before it.",
      valueName: "file"))
  var request: String?

  @Option(
    help: ArgumentHelp(
      "Prompts of a file, one a line, with options if wanted, or a table (CSV) with columns named like "
        + "parameters; - is standard input.", valueName: "file"))
  var promptsFrom: String?

  @Option(
    help: ArgumentHelp(
      "Where NAME.txt lies for __NAME__ in a prompt (default: REVERIE_WILDCARDS, else wildcards among "
        + "the settings).", valueName: "folder"))
  var wildcards: String?

  @Option(help: ArgumentHelp("Where files lie that a request names.", valueName: "folder"))
  var files: String?

  @OptionGroup(title: "Output")
  var output: OutputOptions

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func validate() throws {
    guard (1...1000).contains(count) else {
      throw ValidationError("--count must be from 1 to 1000, not \(count).")
    }
    guard grid.isEmpty || count == 1 else {
      throw ValidationError("--count does not go with --grid. Use --grid seed=1..\(count).")
    }
    guard task == nil || plan != nil else {
      throw ValidationError("--task is one of a plan's; name the plan with --plan.")
    }
    let asksMore =
      !words.isEmpty || !grid.isEmpty || !preset.isEmpty || count != 1 || request != nil
      || promptsFrom != nil
    guard task == nil || !asksMore else {
      throw ValidationError(
        "--task paints what its plan says; leave out what else is to be painted.")
    }
  }

  func run() async throws {
    try output.checkEnding()
    if let plan, let task { return try await paint(Plan(contentsOf: plan), task) }
    let grid = try Grid(grid)
    let entries = try entries()
    if continues {
      let hasSeed = grid.axes.contains { $0.name == "seed" }
      guard !output.noMetadata, hasSeed || entries.allSatisfy({ $0.arguments.request.seed != nil })
      else {
        throw ValidationError(
          "--continue needs --grid, the seed that it was begun with, and pictures with metadata.")
      }
    }
    if grid.axes.isEmpty, entries.count == 1 {
      try entries[0].arguments.request.validate(in: .builtIn)
    }
    let device = try execution.resolvedDevice()
    let destination = try Destination(output)
    let pack = try execution.openPack()
    let maker = Maker(
      grid: grid, presets: preset, library: .standard(), resolver: Resolver(pack: pack),
      alternatives: Alternatives(wildcards), device: device, output: output)
    var works: [Work] = []
    var batch = Batch(of: entries.count)
    for (index, entry) in entries.enumerated() {
      let made = try await batch.attempt(entry.place) {
        try maker.works(entry, count: entry.count ?? count, isFirst: index == 0)
      }
      works += (made ?? []).map { work in
        var work = work
        work.number = index + 1
        return work
      }
    }
    // What is wrong with a list is said before hours of painting; of a folder the rest is painted.
    if promptsFrom != nil { try batch.end() }
    if let plan {
      let written = try Plan(works, grid, pack)
      try written.write(to: plan)
      if !output.quiet {
        Console.say(
          "\(written.tasks.count) tasks. Paint them with: reverie paint --plan \(Console.quoted(plan)) "
            + "--task 1")
      }
      return Console.result(plan)
    }
    let cells = works.flatMap(\.cells)
    // Once, also for many.
    if let filtered = cells.first(where: { $0.request.filters?.isEmpty == false }) {
      output.note(filtered.request)
    }
    let engine = try execution.engine(pack, device: device)
    let names = try Self.namesOfFolder(works, output)
    var painting = Batch(of: works.count)
    for (index, work) in works.enumerated() {
      var session = Session(
        engine: engine, destination: destination.numbered(work.number, names: names),
        output: output)
      if works.count > 1 { session.heading = "[\(index + 1)/\(works.count)] " }
      try await painting.attempt(session.heading + work.title) {
        guard grid.axes.isEmpty else {
          return try await session.run(
            grid, work.cells, pack: execution.pack, continues: continues)
        }
        if works.count > 1, !output.quiet { Console.say(session.heading + work.title) }
        try await session.run(
          work.cells[0].request, count: work.count, files: work.cells[0].files,
          pack: execution.pack)
      }
    }
    try painting.end()
    try batch.end()
  }

  /// Paints tasks of a plan.
  private func paint(_ plan: Plan, _ task: String) async throws {
    let chosen = try plan.chosen(task)
    let pack = try execution.openPack()
    let edition = Metadata.PackReference(id: pack.manifest.id, version: pack.manifest.version)
    guard plan.pack == edition else {
      throw ValidationError(
        "The plan is of the pack \(plan.pack.id) \(plan.pack.version), and here is \(edition.id) "
          + "\(edition.version): its pictures would be others. Make the plan anew, or name its pack with --pack."
      )
    }
    let session = Session(
      engine: try execution.engine(pack, device: execution.resolvedDevice()),
      destination: try Destination(output), output: output)
    try await session.run(plan, chosen, pack: execution.pack)
  }

  /// Names of pictures that begin from those of a folder: theirs.
  private static func namesOfFolder(_ works: [Work], _ output: OutputOptions) throws
    -> OutputPattern?
  {
    guard works.allSatisfy({ $0.keepsName }) else { return nil }
    return try OutputPattern(output.outdir == nil ? "{date}/{init}" : "{init}")
  }

  /// Everything that is to be painted, in its order: of a list each line, of a folder each picture.
  private func entries() throws -> [RequestList.Entry] {
    let parsed = try parse()
    var entries = [RequestList.Entry(arguments: parsed, place: "the prompt")]
    if let promptsFrom {
      guard request == nil, parsed.request.prompt.isEmpty else {
        throw ValidationError("--prompts-from gives the prompts; leave the other one out.")
      }
      entries = try RequestList(promptsFrom, base: parsed).entries
    }
    return entries.flatMap { entry in
      let pictures = entry.arguments.startPictures
      guard !pictures.isEmpty else { return [entry] }
      return pictures.map { picture in
        var copy = entry
        (copy.startPicture, copy.place) = (picture, picture)
        return copy
      }
    }
  }

  private func parse() throws -> RequestArguments {
    guard let path = request else { return try RequestArguments(parsing: words) }
    let file = try RequestFile(path, folder: files)
    file.note(output)
    return try RequestArguments(parsing: words, base: file.request, files: file.files)
  }
}
