import ArgumentParser
import Foundation
import Imaging
import Painting

extension Film.Kind: ExpressibleByArgument {}

/// `reverie film KIND PROMPT…`: paints a film.
struct FilmCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "film",
    abstract: "Paints a film.",
    usage: "reverie film <kind> <prompt> ... [options]",
    discussion: """
      KINDS
      \(Film.Kind.allCases.map { ParameterHelp.row(($0.rawValue, $0.help + ".")) }
        .joined(separator: "\n"))

      EXAMPLES
        reverie film progress "a red fox" -o fox.mp4
        reverie film progress "a seed ^ a flower ^ an apple" --iterations 300
        reverie film zoom "a tunnel of leaves" --zoom 1.03 --turn 1 --frames 100
        reverie film restyle "a watercolour" --source dance.mp4 --every 25 --carry 0.3
        reverie film morph "a lion ^ a tiger" --frames 45 -o morph.gif
        reverie film ring "a burning candle" --frames 8 -o candle.webp

      The parameters of a picture hold as well (reverie --help). Films are mp4, webm, gif or webp; ffmpeg
      makes them. A film that was stopped or killed goes on with reverie resume.
      """)

  @Argument(help: ArgumentHelp("How the film comes about.", valueName: "kind"))
  var kind: Film.Kind

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp("What to paint, and parameters of the picture.", valueName: "prompt"),
    completion: RequestArguments.completion)
  var words: [String] = []

  @OptionGroup(title: "Film")
  var options: FilmOptions

  @OptionGroup(title: "Output")
  var output: OutputOptions

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func run() async throws {
    var parsed = try RequestArguments(parsing: words)
    // The methods that need no drawing network of their own kind are guided ones, too.
    if parsed.request.method == nil { parsed.default("method", .string("vqgan-clip")) }
    try parsed.request.validate()
    let film = try options.film(kind) { try parsed.attach($0) }
    // Said before hours of painting, not after them.
    let ending = try FilmOptions.ending(output)
    _ = try FFmpeg()
    if let source = options.source, (try? Picture.read(from: source)) == nil {
      _ = try await VideoReader(source)
    }
    let device = try execution.resolvedDevice()
    let destination = try Destination(output)
    let pack = try execution.openPack()
    let request = try film.adapted(pack.resolve(parsed.request, device: device))
    let session = FilmSession(
      engine: try execution.engine(pack, device: device), destination: destination,
      output: output, ending: ending)
    try await session.run(film, request, files: parsed.files, pack: execution.pack)
  }
}

/// What moves.
struct FilmOptions: ParsableArguments {
  @Option(help: "Iterations from one frame to the next (5; restyle: 25; ring: 10).")
  var every: Int?

  @Option(help: "Frames: of zoom in all (60), of morph between two pictures (30), of ring (6).")
  var frames: Int?

  @Option(help: "Frames in a second.")
  var fps = 15.0

  @Option(help: "Frames in a second after those in between have been made up.")
  var smooth: Double?

  @Option(help: "Seconds for which the last frame stands.")
  var hold = 1.0

  @Option(help: "Iterations of zoom before the camera begins to move (0).")
  var start: Int?

  @Option(help: "How much larger the picture becomes from frame to frame.")
  var zoom = 1.02

  @Option(help: ArgumentHelp("Pixels by which it moves left and up.", valueName: "x,y"))
  var shift: String?

  @Option(help: "Degrees by which it turns.")
  var turn = 0.0

  @Option(help: ArgumentHelp("A video, or a folder of pictures.", valueName: "path"))
  var source: String?

  @Option(help: "How much of the frame before is laid over the next (0; ring: 0.5).")
  var carry: Double?

  @Option(help: ArgumentHelp("Seeds between which morph goes.", valueName: "1,2,3"))
  var seeds: String?

  /// The film, its files attached.
  func film(_ kind: Film.Kind, attach: (String) throws -> FileReference) throws -> Film {
    var film = Film(kind)
    film.every = every ?? (kind == .restyle ? 25 : kind == .ring ? 10 : 5)
    film.frames = frames
    film.start = start
    (film.rate, film.smooth, film.hold) = (fps, smooth, hold)
    (film.zoom, film.turn) = (zoom, turn)
    if let carry { film.carry = carry }
    if let shift {
      let numbers = shift.split(separator: ",").compactMap { Int($0) }
      guard numbers.count == 2 else {
        throw ValidationError("--shift takes two whole numbers, as in 4,0, not '\(shift)'.")
      }
      (film.shiftX, film.shiftY) = (numbers[0], numbers[1])
    }
    if let seeds {
      film.seeds = try seeds.split(separator: ",").map {
        try Seed.number(of: String($0), field: "seeds")
      }
      guard film.seeds.count > 1 else {
        throw ValidationError("--seeds takes at least two seeds, as in 1,2,3, not '\(seeds)'.")
      }
    }
    film.source = try source.map { try Self.files(at: $0) }?.map { try attach($0) } ?? []
    return film
  }

  /// The files at a path: itself, or the pictures of a folder in their natural order.
  private static func files(at path: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError(path: path)
    }
    guard isFolder.boolValue else { return [path] }
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
      ["png", "jpg", "jpeg", "webp"].contains(URL(filePath: name).pathExtension.lowercased())
    }
    guard !names.isEmpty else { throw ValidationError("The folder \(path) holds no pictures.") }
    return names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
      .map { path + "/" + $0 }
  }

  /// The ending of the film's file.
  static func ending(_ output: OutputOptions, standard: String = "mp4") throws -> String {
    guard let file = output.output else { return standard }
    let ending = URL(filePath: file).pathExtension.lowercased()
    guard VideoFormat(rawValue: ending) != nil else {
      throw ValidationError(
        "--output of a film must end in .mp4, .webm, .gif or .webp, not '\(file.suffix(40))'.")
    }
    return ending
  }
}
