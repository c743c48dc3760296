import Foundation
import Imaging
import Painting
import TestSupport
import Testing

/// Films by the built program, on random weights.
@Suite(.enabled(if: (try? FFmpeg()) != nil, "needs ffmpeg"))
struct FilmCommandTests {
  private static let pack = Result { try TinyPack.make().path }

  private static let colors = [
    Color(red: 250, green: 250, blue: 250), Color(red: 10, green: 10, blue: 10),
    Color(red: 200, green: 30, blue: 60),
  ]

  /// A folder of three frames, each of one colour.
  private func folder(in program: Program) throws -> String {
    let folder = program.folder.appending(path: "plain")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (index, color) in Self.colors.enumerated() {
      try Picture(width: 40, height: 30, color: color)
        .write(to: folder.appending(path: "\(index).png").path)
    }
    return "plain"
  }

  private func video(in program: Program) async throws -> String {
    let path = program.folder.appending(path: "plain.mp4").path
    let writer = try VideoWriter(to: path, settings: VideoSettings(rate: 5))
    for color in Self.colors {
      try await writer.append(Picture(width: 40, height: 30, color: color))
    }
    try await writer.finish()
    return "plain.mp4"
  }

  @Test(
    "restyle begins each frame from the source's, with as much of the one before as is asked for",
    arguments: [false, true], [0.0, 0.5])
  func restyle(isVideo: Bool, carry: Double) async throws {
    let program = try Program()
    let source = isVideo ? try await video(in: program) : try folder(in: program)
    let result = try program.run([
      "film", "restyle", "red fox", "--source", source, "--carry", "\(carry)", "--every", "2",
      // Pixels that hardly move: what is seen is where each frame began.
      "--method", "pixels", "--learning-rate", "0.001", "--cutouts", "1", "--size", "48x32",
      "--hold", "0", "--fps", "5", "--seed", "1", "--pack", try Self.pack.get(), "-o", "fox.mp4",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output == "fox.mp4\n")
    let path = program.folder.appending(path: "fox.mp4").path
    let reader = try await VideoReader(path)
    #expect((reader.width, reader.height, reader.info.frames) == (48, 32, 3))
    #expect(abs((reader.info.rate ?? 0) - 5) < 0.01)
    let told = try Metadata(json: #require(reader.info.tags[Metadata.keyword]))
    #expect((told.film?.kind, told.film?.carry) == (.restyle, carry))
    #expect(told.request.prompt == "red fox")
    var wanted = Self.colors.map { [Double($0.red), Double($0.green), Double($0.blue)] }
    for index in wanted.indices.dropFirst() {
      wanted[index] = zip(wanted[index], wanted[index - 1]).map { $0 * (1 - carry) + $1 * carry }
    }
    var number = 0
    for try await picture in reader {
      let middle = picture[24, 16]
      let found = [middle.red, middle.green, middle.blue].map(Double.init)
      // Lossy coding, twice where the source is a video.
      #expect(zip(found, wanted[number]).allSatisfy { abs($0 - $1) < 12 }, "\(number): \(found)")
      number += 1
    }
    #expect(number == 3)
  }

  @Test("what is carried along moves as the video does where that is asked for")
  func flow() async throws {
    let program = try Program()
    // A square that walks to the right over a gradient.
    let frames = try (0..<3).map { number in
      var picture = try Picture(width: 64, height: 48, color: .black)
      for y in 0..<48 {
        for x in 0..<64 {
          let isSquare = (12..<28).contains(x - 8 * number) && (16..<32).contains(y)
          picture[x, y] =
            isSquare
            ? .init(red: 240, green: UInt8(9 * (x - 8 * number)), blue: UInt8(8 * y))
            : .init(red: 40, green: 60, blue: 90)
        }
      }
      return picture
    }
    let folder = program.folder.appending(path: "walk")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (number, frame) in frames.enumerated() {
      try frame.write(to: folder.appending(path: "\(number).png").path)
    }
    func last(_ name: String, _ options: [String]) async throws -> Picture {
      let result = try program.run(
        [
          "film", "restyle", "red fox", "--source", "walk", "--carry", "1", "--every", "2",
          "--method", "pixels", "--learning-rate", "0.001", "--cutouts", "1", "--size", "64x48",
          "--hold", "0", "--fps", "5", "--seed", "1", "--pack", try Self.pack.get(), "-o", name,
        ] + options)
      #expect(result.status == 0, "\(result.errors)")
      var picture: Picture?
      for try await frame in try await VideoReader(program.folder.appending(path: name).path) {
        picture = frame
      }
      return try #require(picture)
    }
    /// How red the places are where the square stood first, and where it stands last.
    func reds(_ picture: Picture) -> (first: Int, last: Int) {
      (Int(picture[16, 24].red), Int(picture[36, 24].red))
    }
    let (still, moved) = try await (last("a.mp4", []), last("b.mp4", ["--flow", "yes"]))
    #expect(reds(still).first > 180 && reds(still).last < 90)
    #expect(reds(moved).first < 90 && reds(moved).last > 180)
  }
}
