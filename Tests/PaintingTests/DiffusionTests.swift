import Diffusion
import Foundation
import Imaging
import Testing
import TestSupport
import Torch

@testable import Painting

/// The method on random weights.
@Suite("Diffusion")
struct DiffusionTests {
  private func request(_ change: (inout Request) -> Void = { _ in }) -> Request {
    var request = Request("a red fox")
    request.method = .diffusion
    request.seed = 3
    request.iterations = 4
    (request.width, request.height) = (32, 32)
    change(&request)
    return request
  }

  private func paint(_ request: Request, files: Attachments = Attachments()) async throws
    -> Engine.Painted
  {
    try await Engine(pack: Pack(folder: TinyPack.make()), threads: 1).painted(request, files)
  }

  @Test("What steers changes the picture, and so does what is told")
  func steered() async throws {
    let plain = try await paint(request())
    #expect(try await paint(request()).bytes == plain.bytes)
    let steered = try await paint(request { $0.arguments["guidance"] = .number(500) })
    #expect(steered.bytes != plain.bytes)
    #expect(plain.losses.count == 4 && plain.losses.allSatisfy { $0 == nil })
    #expect(steered.losses.count == 4 && steered.losses.allSatisfy { $0 != nil })
    #expect(try await paint(request { $0.prompt = "a fox" }).bytes != plain.bytes)
    let told = try await paint(request { $0.arguments["conditionScale"] = .number(5) })
    #expect(told.bytes != plain.bytes)
  }

  @Test("Every sampler paints, steered or not", arguments: SamplerKind.all.map(\.name).dropFirst())
  func samplers(name: String) async throws {
    let plain = try await paint(request())
    let other = try await paint(request { $0.arguments["sampler"] = .string(name) })
    #expect(other.bytes != plain.bytes)
    let steered = try await paint(
      request {
        $0.arguments["sampler"] = .string(name)
        $0.arguments["guidance"] = .number(500)
      })
    #expect(steered.bytes != other.bytes)
    #expect(steered.losses.count == 4 && steered.losses.allSatisfy { $0?.isFinite == true })
  }

  @Test("The text is not asked for where it does not count")
  func untold() async throws {
    let one = try await paint(request { $0.arguments["conditionScale"] = .number(0) })
    let other = try await paint(
      request { ($0.prompt, $0.arguments["conditionScale"]) = ("a fox", .number(0)) })
    #expect(one.bytes == other.bytes)
  }

  @Test("Little noise leaves a given picture nearly as it is")
  func begun() async throws {
    let folder = try ScratchFolder.make("begun")
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "start.png")
    try Picture(width: 32, height: 32, color: Color(0xcc3020)).write(to: url.path)
    var files = Attachments()
    let reference = try files.add(url)
    func distance(_ start: Double) async throws -> Double {
      let painted = try await paint(
        request {
          $0.initImage = reference
          $0.arguments["start"] = .number(start)
        }, files: files)
      let same = try await paint(
        request {
          $0.initImage = reference
          $0.arguments["start"] = .number(0.01)
        }, files: files)
      return zip(painted.bytes, same.bytes).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) }
    }
    let (near, far) = (try await distance(0.1), try await distance(1))
    #expect(near < far)
  }

  @Test("What an optimiser would need is refused, and films that go on from pictures")
  func refused() throws {
    #expect(throws: RequestError.self) {
      try request { $0.learningRate = 0.1 }.validate(in: .builtIn)
    }
    #expect(throws: RequestError.self) { try request { $0.ema = 0.5 }.validate(in: .builtIn) }
    for none in [JSONValue.number(0), .integer(0)] {
      #expect(throws: RequestError.self) {
        try request {
          $0.objectives = [PartSpec("saturation")]
          $0.arguments["guidance"] = none
        }.validate(in: .builtIn)
      }
    }
    #expect(throws: RequestError.self) { try Film(.zoom).adapted(request()) }
    #expect(throws: RequestError.self) { try Film(.ring).adapted(request()) }
    #expect(throws: RequestError.self) {
      var morph = Film(.morph)
      morph.seeds = [1, 2]
      _ = try morph.adapted(request())
    }
    #expect(throws: Never.self) { try Film(.progress).adapted(request()) }
  }
}

extension Engine {
  /// What came of a request.
  struct Painted {
    var bytes: [UInt8] = []
    var losses: [Double?] = []
  }

  /// Paints to the end.
  func painted(_ request: Request, _ files: Attachments) async throws -> Painted {
    var painted = Painted()
    for try await event in generate(request, .init(files: files)) {
      switch event {
      case .step(let progress): painted.losses.append(progress.loss)
      case .image(let output): painted.bytes = output.picture.bytes
      default: continue
      }
    }
    return painted
  }
}
