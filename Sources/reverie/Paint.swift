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
      It is painted on this machine, by networks that come with the program, and
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
        reverie "a castle" --preset text2pixel --objective 'palette,colors=navy->gold'
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
      "A request as JSON; what the command line says goes before it.", valueName: "file.json"))
  var request: String?

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
  }

  func run() async throws {
    try output.checkEnding()
    let parsed = try parse()
    let grid = try Grid(grid)
    if continues, parsed.request.seed == nil, !grid.axes.contains(where: { $0.name == "seed" }) {
      throw ValidationError("--continue needs --grid and the seed that it was begun with.")
    }
    if grid.axes.isEmpty { try parsed.request.validate(in: .builtIn) }
    let device = try execution.resolvedDevice()
    let destination = try Destination(output)
    let pack = try execution.openPack()
    let presets = PresetLibrary.standard()
    let resolver = Resolver(pack: pack)
    var cells: [Grid.Cell] = []
    for values in grid.combinations {
      var arguments = parsed
      var names = preset
      for (axis, value) in zip(grid.axes, values) {
        if axis.name == "preset" {
          names.append(value)
        } else {
          try axis.set(value, in: &arguments)
        }
      }
      try arguments.request.validate(in: .builtIn)
      let chosen = try presets.presets(names.filter { $0 != "none" })
      if cells.isEmpty, !output.quiet { try note(chosen, arguments.request) }
      let wanted = try arguments.request.with(chosen, resolver)
      if cells.isEmpty, !output.quiet { note(try resolver.choice(for: arguments.request)) }
      var request = try resolver.resolve(wanted, count: count, device: device)
      // Without a seed of their own all have the first one's.
      if let first = cells.first, arguments.request.seed == nil {
        request.seed = first.request.seed
      }
      try output.check(request)
      cells.append(Grid.Cell(request: request, files: arguments.files, values: values))
    }
    // Once, also for a grid of many.
    if let filtered = cells.first(where: { $0.request.filters?.isEmpty == false }) {
      output.note(filtered.request)
    }
    let session = Session(
      engine: try execution.engine(pack, device: device), destination: destination,
      output: output)
    if grid.axes.isEmpty {
      try await session.run(
        cells[0].request, count: count, files: parsed.files, pack: execution.pack)
    } else {
      try await session.run(grid, cells, pack: execution.pack, continues: continues)
    }
  }

  /// Says why `auto` took another method than its first.
  private func note(_ choice: Resolver.Choice) {
    guard let objection = choice.objections.first else { return }
    Console.say("Note: \(objection) So it is painted with \(choice.method.id).")
  }

  private func note(_ presets: [Preset], _ request: Request) throws {
    let idle = try request.hasLargeCLIP(presets) ? [] : presets.filter(\.wantsLargeCLIP)
    for preset in idle {
      Console.say(
        "Note: the pack's own CLIP makes little of '\(preset.name)'; install a larger one and name it "
          + "with --clip.")
    }
  }

  private func parse() throws -> RequestArguments {
    guard let path = request else { return try RequestArguments(parsing: words) }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError(path: path)
    }
    let base = try Request(json: data)
    let url = URL(filePath: path)
    let places = FilePlaces([files, url.deletingLastPathComponent().path, "."])
    return try RequestArguments(
      parsing: words, base: base, files: try places.attachments(base.references))
  }
}
