import ArgumentParser
import Commands
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
        reverie film restyle "a watercolour" --source dance.mp4 --carry 0.3
        reverie film morph "a lion ^ a tiger" --frames 45 -o morph.gif
        reverie film ring "a burning candle" --frames 8 -o candle.webp

      The parameters of a picture hold as well (reverie --help). Films are mp4, webm, gif or webp; ffmpeg \
      makes them. A film that was stopped or killed goes on with reverie resume.

      FILM:
      \(FilmArguments.help)
      """)

  @Argument(help: ArgumentHelp("How the film comes about.", valueName: "kind"))
  var kind: Film.Kind

  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp("What to paint, and parameters of the picture.", valueName: "prompt"),
    completion: RequestArguments.completion)
  var words: [String] = []

  @Option(
    help: ArgumentHelp(
      "A request as JSON, or Disco Diffusion's settings.txt with its camera; what the command line says "
        + "goes before it.", valueName: "file"))
  var request: String?

  @OptionGroup(title: "Output")
  var output: OutputOptions

  @OptionGroup(title: "Execution")
  var execution: ExecutionOptions

  func run() async throws {
    let file = try request.map { try RequestFile($0) }
    file?.note(output)
    var film = try FilmArguments(kind, words, base: file?.film ?? [:])
    var parsed = try RequestArguments(
      parsing: film.rest, base: file?.request, files: file?.files ?? Attachments())
    if parsed.request.method == nil, let method = Registry.builtIn.filmMethod {
      parsed.default("method", .string(method.id.rawValue))
    }
    guard parsed.startPictures.isEmpty else {
      throw ValidationError(
        "--init-image of a film is one picture. A folder is painted over by: film restyle --source FOLDER"
      )
    }
    if parsed.leavesToChance {
      parsed = try parsed.drawn(
        Alternatives(nil), seed: parsed.request.seed ?? Int.random(in: 0..<(1 << 32)))
    }
    try parsed.request.validate(in: .builtIn)
    let source = film.source
    let shot = try film.film { try parsed.attach($0) }
    // Said before hours of painting, not after them.
    let ending = try FilmArguments.ending(output)
    _ = try FFmpeg()
    if let source { try await check(source) }
    let device = try execution.resolvedDevice()
    let destination = try Destination(output)
    let pack = try execution.openPack()
    let resolver = Resolver(pack: pack)
    if !output.quiet {
      for remark in try resolver.remarks(on: parsed.request, parsed.files) {
        Console.say("Note: \(remark)")
      }
    }
    let request = try shot.adapted(resolver.resolve(parsed.request, device: device))
    let session = FilmSession(
      engine: try execution.engine(pack, device: device), destination: destination,
      output: output, ending: ending)
    try await session.run(shot, request, files: parsed.files, pack: execution.pack)
  }
}

extension FilmCommand {
  /// Opens everything that is to be painted over, which is quick beside painting.
  /// - Throws: an error that names each file as it was typed.
  private func check(_ source: String) async throws {
    let files = try FilmArguments.files(at: source)
    guard files.count == 1, (try? Picture.read(from: files[0])) == nil else {
      var batch = Batch(of: files.count)
      for file in files { try await batch.attempt(file) { _ = try Picture.read(from: file) } }
      return try batch.end()
    }
    let video = try await VideoReader(files[0], size: (16, 16))
    for try await _ in video {}
    if !output.quiet, try await VideoInfo.hasSound(files[0]) {
      Console.say(
        "Note: the film is silent; the sound of \(files[0]) is not taken over. ffmpeg can lay it under the "
          + "film.")
    }
  }
}

/// What moves, as the command line gives it: options that derive from what films declare.
struct FilmArguments {
  private let kind: Film.Kind
  private var given: [String: JSONValue] = [:]
  /// The video, or the folder of pictures, that is painted over.
  private(set) var source: String?
  /// The words that are no options of a film.
  private(set) var rest: [String] = []

  private static func flag(of parameter: Film.Parameter) -> String {
    // As ffmpeg and everybody calls it.
    parameter.name == "rate" ? "fps" : parameter.flag
  }

  /// Every flag, without its dashes.
  static var flags: [String] { Film.parameters.map(flag) + ["shift", "source"] }

  /// Every option, with its dashes; all take a value.
  static var options: Set<String> { Set(flags.map { "--" + $0 }) }

  /// The flag of a parameter, without its dashes; nil where films have no such parameter.
  static func flag(named name: String) -> String? {
    name == "source" ? name : Film.parameters.first { $0.name == name }.map(flag)
  }

  /// Takes a film's options out of the words.
  /// - Parameter base: values that stand in where the words are silent; those of other kinds are left out.
  /// - Throws: `ValidationError` or `RequestError`.
  init(_ kind: Film.Kind, _ words: [String], base: [String: JSONValue] = [:]) throws {
    self.kind = kind
    given = base.filter { name, _ in
      Film.parameters.contains { $0.name == name && $0.films.contains(kind) }
    }
    var words = words[...]
    while let word = words.popFirst() {
      if word == "--" {
        rest += [word] + words
        break
      }
      let pieces = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = pieces[0].hasPrefix("--") ? String(pieces[0].dropFirst(2)) : ""
      let parameter = Film.parameters.first { Self.flag(of: $0) == flag }
      guard Self.flags.contains(flag) else {
        rest.append(word)
        continue
      }
      guard let value = pieces.count > 1 ? String(pieces[1]) : words.popFirst() else {
        throw ValidationError("Missing value for '--\(flag)'.")
      }
      switch flag {
      case "source": source = value
      case "shift":
        let numbers = value.split(separator: ",").compactMap { Int($0) }
        guard numbers.count == 2 else {
          throw ValidationError("--shift takes two whole numbers, as in 4,0, not '\(value)'.")
        }
        (given["shiftX"], given["shiftY"]) = (.integer(numbers[0]), .integer(numbers[1]))
      default:
        guard let parameter else { continue }
        given[parameter.name] = try parameter.kind.value(of: value, field: flag, in: .builtIn) {
          _ in preconditionFailure("no parameter of films is a file")
        }
      }
    }
    if case .array(let seeds) = given["seeds"], seeds.count < 2 {
      throw ValidationError("--seeds takes at least two seeds, as in 1,2,3.")
    }
  }

  /// The film, its files attached.
  mutating func film(attach: (String) throws -> FileReference) throws -> Film {
    var film = try Film(kind, given)
    film.source = try source.map { try Self.files(at: $0) }?.map { try attach($0) } ?? []
    return film
  }

  /// Every option with its help.
  static var help: String {
    let own = Film.parameters.map { parameter in
      var notes = [parameter.kind.note()].compactMap(\.self)
      let kinds = Film.Kind.allCases.filter(parameter.films.contains)
      let defaults = Set(kinds.compactMap { parameter.default(of: $0)?.text })
      if defaults.count == 1 { notes += defaults.map { "default \($0)" } }
      if defaults.count > 1 {
        notes += kinds.compactMap { kind in
          parameter.default(of: kind).map { "\(kind.rawValue): \($0.text)" }
        }
      }
      return ("--\(flag(of: parameter))", "\(parameter.help) (\(notes.joined(separator: "; "))).")
    }
    let more = [
      ("--shift", "Both shifts at once, as X,Y."),
      ("--source", "A video, or a folder of pictures, to be painted over."),
    ]
    return (own + more).map(ParameterHelp.row).joined(separator: "\n")
  }

  /// The files at a path: itself, or the pictures of a folder in their natural order.
  fileprivate static func files(at path: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError(path: path)
    }
    guard isFolder.boolValue else { return [path] }
    return try PictureFolder.pictures(in: path)
  }

  /// The ending of the film's file.
  static func ending(_ output: OutputOptions, standard: String = "mp4") throws -> String {
    guard let file = output.output else {
      return try output.outputName.map(OutputPattern.init)?.ending.flatMap {
        VideoFormat(rawValue: $0) == nil ? nil : $0
      } ?? standard
    }
    let ending = URL(filePath: file).pathExtension.lowercased()
    guard VideoFormat(rawValue: ending) != nil else {
      throw ValidationError(
        "--output of a film must end in .mp4, .webm, .gif or .webp, not '\(file.suffix(40))'.")
    }
    return ending
  }
}
