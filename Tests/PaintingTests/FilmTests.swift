import Foundation
import Imaging
import Testing
import Torch
import TestSupport

@testable import Painting

@Suite struct FilmTests {
  private let picture = RandomStream(seed: 1, "picture").uniform([1, 3, 16, 24])

  private func camera(_ change: (inout Film) -> Void) -> Camera {
    var film = Film(.zoom)
    film.zoom = 1
    change(&film)
    return Camera(film: film)
  }

  private func distance(_ x: Tensor, _ y: Tensor) -> Double { (x - y).abs().amax().item() }

  @Test("a camera that stands sees the same picture")
  func stands() { #expect(distance(camera { _ in }(picture, frame: 0), picture) == 0) }

  @Test("shifts go round, to the left and up")
  func shifts() {
    let moved = camera { ($0.shiftX, $0.shiftY) = (3, 2) }(picture, frame: 0)
    let expected = picture.rolled(-3, over: 3).rolled(-2, over: 2)
    #expect(distance(moved, expected) == 0)
  }

  @Test("half a turn is both mirrors, a quarter goes clockwise, all of it nothing")
  func turns() {
    let half = camera { $0.turn = 180 }(picture, frame: 0)
    #expect(distance(half, picture.flipped(2).flipped(3)) < 1e-4)
    #expect(distance(camera { $0.turn = 360 }(picture, frame: 0), picture) < 1e-4)
    let square = picture.narrowed(3, 0, 16)
    // Clockwise: what was on top is on the right.
    let quarter = camera { $0.turn = 90 }(square, frame: 0)
    #expect(distance(quarter, square.transposed().flipped(3)) < 1e-4)
  }

  @Test("twice as large, the middle fills the picture")
  func zooms() {
    let moved = camera { $0.zoom = 2 }(picture.resampled(64, 96, .bilinear), frame: 0)
    let middle = picture.resampled(64, 96, .bilinear).narrowed(2, 16, 32).narrowed(3, 24, 48)
    let expected = middle.resampled(64, 96, .bilinear)
    #expect((moved - expected).abs().mean().item() < 0.02)
  }

  @Test("films that cannot be are refused with the reason")
  func refused() throws {
    func reason(_ method: Method.ID, _ prompt: String = "a fox", _ change: (inout Film) -> Void)
      -> String
    {
      var film = Film(.morph)
      change(&film)
      var request = Request(prompt)
      request.method = method
      do {
        _ = try film.adapted(request)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(reason(.dalle) { _ in }.contains("shoots no film 'morph'"))
    #expect(reason(.vqganCLIP) { _ in }.contains("two scenes"))
    #expect(reason(.vqganCLIP, "a ^ b") { _ in }.isEmpty)
    #expect(reason(.vqganCLIP) { $0.seeds = [1, 2] }.isEmpty)
    #expect(reason(.vqganCLIP, "a ^ b") { $0.seeds = [1] }.contains("two --seeds"))
    #expect(reason(.vqganCLIP) { $0.seeds = [1, -2] }.contains("seeds must be"))
    #expect(reason(.vqganCLIP, "a ^ b") { $0.every = 0 }.contains("every must be"))
    #expect(reason(.vqganCLIP, "a ^ b") { $0.zoom = 100 }.contains("zoom must be"))
    #expect(reason(.vqganCLIP) { $0.kind = .restyle }.contains("must name a video"))
    #expect(
      reason(.vqganCLIP) {
        ($0.kind, $0.source, $0.flow) = (.restyle, [FileReference(name: "a.mp4", sha256: "")], true)
      }.contains("give --carry"))
    #expect(reason(.vqganCLIP) { ($0.kind, $0.frames) = (.ring, 1) }.contains("at least 2"))
    #expect(reason(.vqganCLIP) { ($0.kind, $0.start) = (.zoom, 20) }.isEmpty)
    let idle = #expect(throws: RequestError.self) { try Film(.morph, ["start": .integer(20)]) }
    #expect("\(idle.map { "\($0)" } ?? "")".contains("only with zoom"))
  }

  @Test("a film that was kept before there was a start is read")
  func olderFilm() throws {
    var film = Film(.zoom)
    film.start = nil
    let json = try JSONEncoder().encode(film)
    #expect(!String(decoding: json, as: UTF8.self).contains("start"))
    #expect(try JSONDecoder().decode(Film.self, from: json) == film)
    let older = #"""
      {"kind":"zoom","every":3,"frames":9,"rate":15,"hold":1,"zoom":1.05,"shiftX":3,"shiftY":-2,
       "turn":0.5,"source":[],"carry":0,"seeds":[]}
      """#
    var expected = Film(.zoom)
    (expected.every, expected.frames, expected.zoom) = (3, 9, 1.05)
    (expected.shiftX, expected.shiftY, expected.turn) = (3, -2, 0.5)
    #expect(try JSONDecoder().decode(Film.self, from: Data(older.utf8)) == expected)
  }

  @Test("a zoom stands until its start, then moves on", arguments: [0, 2, 100])
  func start(_ start: Int) async throws {
    let pack = try Pack(folder: TinyPack.make(dalle: false))
    var request = Request("red fox")
    request.method = "pixels"
    (request.width, request.height, request.seed) = (32, 32, 3)
    // So small a step that only the camera changes the picture.
    (request.cutouts, request.learningRate) = (1, 1e-6)
    request.objectives = []
    var film = Film(.zoom)
    (film.every, film.frames, film.zoom, film.shiftX) = (1, 4, 1, 3)
    film.start = start
    let run = try RunFolder(
      creating: ScratchFolder.make("zoom").appending(path: "a.run"),
      .init(
        request: request, count: 1, film: film, pack: nil,
        packEdition: .init(id: pack.manifest.id, version: pack.manifest.version), device: "cpu",
        threads: 1, previewEvery: nil, output: nil, folder: "."), files: Attachments())
    let engine = Engine(pack: pack, threads: 1)
    for try await _ in engine.generate(request, .init(run: run, film: film)) {}
    #expect(run.frameCount == 5)
    let frames = try (1...5).map { try Picture.read(from: run.frame($0).path).tensor() }
    for (index, (frame, next)) in zip(frames, frames.dropFirst()).enumerated() {
      // A level of 256 may be rounded the other way.
      #expect((distance(frame, next) < 0.01) == (index < start), "frame \(index)")
    }
  }

  @Test("an overlay covers as much as its own transparency and its alpha say")
  func overlay() throws {
    var logo = try Picture(width: 4, height: 2, color: .clear)
    logo.draw(
      try Picture(width: 2, height: 2, color: Color(red: 255, green: 0, blue: 0)), x: 0, y: 0)
    let overlay = try Overlay(logo, width: 4, height: 2, alpha: 0.5, .cpu)
    #expect(overlay.alpha.floats() == [0.5, 0.5, 0, 0, 0.5, 0.5, 0, 0])
    #expect(
      overlay.color.select(1, 0).floats()[0] == 1 && overlay.color.select(1, 1).floats()[0] == 0)
  }

  @Test("what is relevant is where scores are above their mean")
  func relevance() {
    let mask = RelevanceMap.mask([0, 0.1, 0.9, 1, 0.2, 0], 2, 3)
    #expect(mask.shape == [1, 1, 2, 3] && mask.dtype == .float32)
    // Relative and squared: 0, .01, .81, 1, .04, 0; the mean of those above zero is 0.465.
    #expect(mask.floats() == [0, 0, 1, 1, 0, 0])
  }

  @Test(
    "optical flow finds how a picture was shifted or enlarged, and names what it cannot know",
    arguments: [(dx: 5.0, dy: -2.5, zoom: 1.0), (-9, 4, 1), (0, 0, 1.08)])
  func flow(_ motion: (dx: Double, dy: Double, zoom: Double)) throws {
    let random = RandomStream(seed: 3, "clouds")
    let before = StartPicture.octaves.tensor(width: 160, height: 120, from: random)
    // What stands at a place now stood `away` of it before.
    func away(_ x: Double, _ y: Double) -> (Double, Double) {
      let scale = 1 / motion.zoom - 1
      return ((x - 80) * scale - motion.dx, (y - 60) * scale - motion.dy)
    }
    var places: [Float] = []
    for y in 0..<120 {
      for x in 0..<160 {
        let (ax, ay) = away(Double(x), Double(y))
        places += [
          Float((2 * (Double(x) + ax) + 1) / 160 - 1), Float((2 * (Double(y) + ay) + 1) / 120 - 1),
        ]
      }
    }
    let after = before.gridSampled(
      Tensor(places, [1, 120, 160, 2]), .bicubic, outside: .border)
    let flow = OpticalFlow(from: before, to: after)
    let found = flow.shifts.floats()
    var errors: [Double] = []
    for y in stride(from: 16, to: 104, by: 8) {
      for x in stride(from: 16, to: 144, by: 8) {
        let (ax, ay) = away(Double(x), Double(y))
        let place = y * 160 + x
        errors.append(
          hypot(Double(found[place]) - ax, Double(found[120 * 160 + place]) - ay))
      }
    }
    errors.sort()
    #expect(errors[errors.count / 2] < 0.1 && errors[errors.count * 9 / 10] < 0.4)
    #expect(flow.known.mean().item() > 0.95)
    // Another picture is not explained by any motion.
    let other = OpticalFlow(
      from: before,
      to: RandomStream(seed: 4, "other").uniform([1, 3, 120, 160]))
    #expect(other.known.mean().item() < 0.2)
  }
}
