import ArgumentParser
import Commands
import Foundation
import Imaging
import Painting
import TestSupport
import Testing
import Torch

@testable import reverie

/// Command lines of options with extreme values: each is understood or refused, and none ends the program.
///
/// `REVERIE_FUZZ` is the number of command lines; a seed of its own for each, which a failure names.
@Suite struct FuzzTests {
  private static let rounds =
    ProcessInfo.processInfo.environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 600

  private static let numbers = [
    "2", "3", "4", "8", "16", "32", "0.5", "0.25", "1", "1",
    "0", "-0", "-1", "1", "2", "007", "1e308", "-1e308", "1e400", "-1e400", "1e-400", "nan", "-nan",
    "inf",
    "-inf", "0x10", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "18446744073709551615", "9007199254740991", "9007199254740992", "4096", "4097", "100000", "0.5",
    ".5",
    "5.", "1_000", "1,2", "1..4", "-1..-4", "1..9223372036854775807", "1e308..-1e308",
    "0..1..1e-300",
    "1..2..nan", "½", "１２",
  ]
  private static let texts = [
    "", " ", "\n", "\r\n", "|", "^", ":", "::", ":1:2", "fox:1e308", "fox:-1e308:1e308", "{", "}",
    "{|}",
    "{9999$$a|b}", "{1-9999$$a|b}", "{-1$$a|b}", "{1e9::a|b}", "__", "____", "__*__", "__../x__",
    "a ^ b",
    "--", "-", "-x", "=", "a=b", "a=1..9", "none", "a:b:c:d", "🦊", "\u{202e}fox", "e\u{301}",
    String(repeating: "fox ", count: 2_000), String(repeating: "{", count: 2_000),
    String(repeating: "a|", count: 500), "palette:1e308,colors=[red", "tv:nan", "range:,,,", "(((",
    "[[,]]",
    "0.1*100,0.05*50", "0:1,50:1.05", "1*9223372036854775807", "9223372036854775807:1", "1:1,0:2",
    "navy->gold\\99999999999",
    "{date:%}", "{seed", "../x", "/", "a/../b", "{seed}/{prompt}.jpg", "none.png", ".", "/dev/zero",
    "/dev/null",
    "fifo", "picture.png", "picture.png:1e308", "text.txt", "text.txt:0:nan",
  ]

  private static let names: [String] =
    RequestArguments.flags.map { "--" + $0 } + FilmArguments.flags.map { "--" + $0 }
    + [
      "--prompt", "--count", "--preset", "--grid", "--output-name", "--threads", "--save-every",
      "--checkpoint-every", "--device", "-s", "-m", "-i", "-p", "-c", "--outdir", "--wildcards",
    ]

  /// A folder with one file of each kind.
  private static let folder = Result {
    let folder = try ScratchFolder.make("fuzz")
    try plainPNG().write(to: folder.appending(path: "picture.png"))
    try Data("fox\n__text__".utf8).write(to: folder.appending(path: "text.txt"))
    mkfifo(folder.appending(path: "fifo").path, 0o600)
    return folder
  }

  private func line(_ chance: inout SplitMix, isFilm: Bool) throws -> [String] {
    let folder = try Self.folder.get()
    func value(_ chance: inout SplitMix) -> String {
      let values = Bool.random(using: &chance) ? Self.numbers : Self.texts
      let value = values.randomElement(using: &chance) ?? ""
      let isFile = ["fifo", "picture.png", "text.txt"].contains { value.hasPrefix($0) }
      return isFile ? folder.path + "/" + value : value
    }
    let kind = Film.Kind.allCases.randomElement(using: &chance) ?? .zoom
    var words = isFilm ? ["film", kind.rawValue] : []
    words.append(Bool.random(using: &chance) ? "a fox" : value(&chance))
    for _ in 0..<Int.random(in: 1...3, using: &chance) {
      let name = Self.names.randomElement(using: &chance) ?? ""
      let text = value(&chance)
      words += Bool.random(using: &chance) ? [name, text] : ["\(name)=\(text)"]
    }
    return words
  }

  /// What the program does before it paints.
  private func understand(_ words: [String], _ maker: (Grid, Paint) throws -> Maker) throws {
    let options = RequestArguments.options.union(FilmArguments.options)
    let joined = Invocation.joined(words) { options }
    switch try Reverie.parseAsRoot(joined) {
    case let paint as Paint:
      try paint.output.checkEnding()
      let arguments = try RequestArguments(parsing: paint.words)
      guard arguments.startPictures.isEmpty else { return }
      let maker = try maker(Grid(paint.grid), paint)
      let works = try maker.works(
        .init(arguments: arguments, place: "here"), count: paint.count, isFirst: false)
      for request in works.flatMap(\.cells).map(\.request) {
        _ = try paint.output.outputName.map {
          try OutputPattern($0).path(request, date: Date(), number: 1)
        }
        _ = OutputName(prompt: request.title, seed: request.seed ?? 0, date: Date())
        let json = try JSONEncoder().encode(request)
        #expect(try Request(json: json) == request)
      }
    case let command as FilmCommand:
      var film = try FilmArguments(command.kind, command.words)
      var arguments = try RequestArguments(parsing: film.rest)
      let shot = try film.film { try arguments.attach($0) }
      var request = arguments.request
      if request.method == nil { request.method = Registry.builtIn.filmMethod?.id }
      _ = try shot.adapted(
        maker(Grid([]), Paint.parse(["fox"])).resolver.resolve(request, device: .cpu))
    default: break
    }
  }

  @Test("command lines of extreme values are understood or refused")
  func values() throws {
    let pack = try Pack(folder: TinyPack.make())
    let resolver = try TinyPack.resolver(pack)
    var understood = 0
    for round in 0..<Self.rounds {
      var chance = SplitMix(state: UInt64(round))
      let words = try line(&chance, isFilm: round % 4 == 3)
      do {
        try understand(words) { grid, paint in
          Maker(
            grid: grid, presets: paint.preset, library: .standard(), resolver: resolver,
            alternatives: Alternatives(try Self.folder.get().path), device: .cpu,
            output: paint.output)
        }
        understood += 1
      } catch {
        let text = "\(Reverie.fullMessage(for: error)) \(error)"
        #expect(!text.contains("NSCocoaErrorDomain") && !text.isEmpty, "\(round): \(words)")
      }
    }
    // Neither all nor nothing is understood, or nothing was tried.
    #expect(understood > Self.rounds / 50 && understood < Self.rounds)
  }

  @Test("some of them, run by the program, end by themselves with a picture or a message")
  func program() async throws {
    let pack = try TinyPack.make().path
    for round in 0..<min(100, max(8, Self.rounds / 60)) {
      var chance = SplitMix(state: UInt64(round) &+ 1 << 32)
      let words = try line(&chance, isFilm: false)
      let program = try Program()
      let result = try program.run(
        words.filter { $0 != "--" } + [
          "--method", "fft", "--iterations", "1", "--cutouts", "1", "--size", "32", "--count", "1",
          "--pack", pack, "--outdir", "o", "--quiet", "--accumulate", "1",
        ])
      #expect(!result.crashed && [0, 1, 64].contains(result.status), "\(round): \(words)")
      #expect(result.status == 0 || !result.errors.isEmpty, "\(round): \(words)")
    }
  }
}
