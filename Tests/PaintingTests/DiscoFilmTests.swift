import Foundation
import Imaging
import TestSupport
import Testing
import Torch
import Weights

@testable import Painting

/// Films by diffusion, and Disco Diffusion's camera against its own code by `Oracle/disco.py`.
@Suite struct DiscoFilmTests {
  @Test(
    "the camera turns, zooms, shifts and wraps as OpenCV does for the notebook",
    arguments: [("zoomed", 0, 1.1, 0, 0), ("all", 7, 1.05, 3, -4), ("smaller", -3, 0.8, 0, 5)])
  func camera(_ name: String, _ angle: Double, _ zoom: Double, _ x: Double, _ y: Double) throws {
    let originals = try SafeTensors(
      contentsOf: Bundle.module.bundleURL.appending(path: "Fixtures/disco.safetensors"))
    func picture(_ name: String) throws -> Tensor {
      try originals.tensor(name).to(.float32).permuted(2, 0, 1).unsqueezed(0) / 255
    }
    var film = Film(.zoom)
    film.edges = .wrap
    // Its numbers move the picture, and it turns the other way.
    (film.turn, film.zoom) = (Schedule(-angle), Schedule(zoom))
    (film.shiftX, film.shiftY) = (Schedule(-x), Schedule(-y))
    let seen = Camera(film: film)(try picture("camera.frame"), frame: 0)
    // The original is rounded to whole steps.
    expectClose(seen, try picture("camera.\(name)"), atol: 0.51 / 255)
  }

  private static let pack = Result { try Pack(folder: TinyPack.make(dalle: false)) }

  /// The frames of a film by diffusion.
  /// - Parameter stops: after how many frames it is stopped, and gone on with.
  private func frames(
    _ film: Film, stops: [Int] = [], _ change: (inout Request) -> Void = { _ in }
  ) async throws -> [[UInt8]] {
    let pack = try Self.pack.get()
    var request = Request("red fox")
    request.method = .diffusion
    (request.width, request.height, request.seed, request.iterations) = (32, 32, 3, 4)
    change(&request)
    let run = try RunFolder(
      creating: ScratchFolder.make("disco").appending(path: "a.run"),
      .init(
        request: request, count: 1, film: film, pack: nil,
        packEdition: .init(id: pack.manifest.id, version: pack.manifest.version), device: "cpu",
        threads: 1, previewEvery: nil, output: nil, folder: "."), files: Attachments())
    for stop in stops + [Int.max] {
      let engine = Engine(pack: pack, threads: 1)
      let generation = engine.generate(request, .init(run: run, film: film))
      for try await event in generation {
        if case .frame(let frame) = event, frame.number >= stop { generation.stop() }
      }
    }
    return try (1...run.frameCount).map { try Picture.read(from: run.frame($0).path).bytes }
  }

  @Test(
    "a camera goes on from frame to frame, with turbo too, and a film that was stopped is the same",
    arguments: [1, 3])
  func walks(turbo: Int) async throws {
    var film = Film(.zoom)
    (film.frames, film.zoom, film.shiftX, film.edges) = (8, 1.1, 2, .wrap)
    (film.skip, film.turbo, film.preroll) = (0.5, turbo, 1)
    let whole = try await frames(film)
    #expect(whole.count == 8 && Set(whole).count == 8)
    #expect(try await frames(film, stops: [2, 5]) == whole)
    // The first frame begins from noise, and the others from the one before.
    film.skip = 0
    let anew = try await frames(film)
    #expect(anew[0] == whole[0] && anew[1] != whole[1])
    #expect((0..<8).map(film.isPainted) == (0..<8).map { turbo == 1 || [0, 1, 3, 6].contains($0) })
  }

  @Test("a frame is held to the one before, and texts follow one another over the film")
  func held() async throws {
    var film = Film(.zoom)
    film.frames = 3
    func steered(_ change: (inout Request) -> Void = { _ in }) async throws -> [[UInt8]] {
      try await frames(film) {
        $0.arguments["guidance"] = .number(500)
        change(&$0)
      }
    }
    let free = try await steered()
    let told = try await steered { $0.prompt = "red fox ^ red fox ^ a sea" }
    #expect(told[0] == free[0] && told[1] == free[1] && told[2] != free[2])
    film.nearness = 1000
    let near = try await steered()
    func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
      zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    }
    #expect(near[0] == free[0] && distance(near[1], near[0]) < distance(free[1], free[0]))
  }

  @Test("from seed to seed and from text to text a film is painted of mixes")
  func morphs() async throws {
    var film = Film(.morph)
    (film.frames, film.seeds) = (3, [3, 4])
    let seeds = try await frames(film)
    #expect(seeds.count == 4 && Set(seeds).count == 4)
    #expect(try await frames(film, stops: [2]) == seeds)
    let engine = Engine(pack: try Self.pack.get(), threads: 1)
    func picture(_ prompt: String, _ seed: Int) async throws -> [UInt8] {
      var request = Request(prompt)
      request.method = .diffusion
      (request.width, request.height, request.seed, request.iterations) = (32, 32, seed, 4)
      return try await engine.painted(request, .init()).bytes
    }
    #expect(seeds[0] == (try await picture("red fox", 3)))
    let last = try await picture("red fox", 4)
    #expect(zip(seeds[3], last).allSatisfy { abs(Int($0.0) - Int($0.1)) <= 1 })
    film.seeds = []
    let texts = try await frames(film) { $0.prompt = "red fox ^ a sea" }
    #expect(texts.count == 4 && Set(texts).count == 4)
    #expect(texts[0] == (try await picture("red fox", 3)))
    #expect(texts[3] == (try await picture("a sea", 3)))
  }
}
