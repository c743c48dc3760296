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

  @Test("Disco Diffusion's ways of steering change the picture, each in its own way")
  func disco() async throws {
    func steered(_ change: (inout Request) -> Void) async throws -> [UInt8] {
      let painted = try await paint(
        request {
          $0.arguments["guidance"] = .number(500)
          change(&$0)
        })
      #expect(painted.losses.allSatisfy { $0?.isFinite == true })
      return painted.bytes
    }
    let changes: [(inout Request) -> Void] = [
      { _ in }, { $0.arguments["look"] = .string("blended") },
      { $0.arguments["clampGradient"] = .number(0.001) }, { $0.cutMode = .dango },
      { ($0.cutMode, $0.cutOverview) = (.dango, Schedule("[1]*400+[3]*600")) },
      { $0.arguments["symmetry"] = .string("horizontal") },
      {
        $0.arguments["symmetry"] = .string("horizontal")
        $0.arguments["symmetryAt"] = .array([.number(0.5)])
      }, { $0.accumulate = 2 },
    ]
    var pictures: [[UInt8]] = []
    for change in changes {
      let picture = try await steered(change)
      #expect(try await steered(change) == picture)
      pictures.append(picture)
    }
    // With four steps, 0.09 is the first of them, of pure noise.
    #expect(Set(pictures).count == changes.count)
    let idle = try Resolver(pack: Pack(folder: TinyPack.make())).remarks(
      on: request {
        ($0.cutMode, $0.cutInner) = (.dango, 3)
        ($0.arguments["clampGradient"], $0.arguments["guidance"]) = (.number(1), .number(0))
      })
    #expect(idle.map(\.field).contains("clampGradient") && idle.map(\.field).contains("cutInner"))
  }

  @Test("What steers and is no number is left out")
  func noNumber() async throws {
    struct Nothing: Objective {
      func loss(_ observation: Observation) -> Tensor? { observation.picture.mean() * .nan }
    }
    var registry = Registry.builtIn
    registry.add(ObjectiveKind("test-nothing", "no number") { _ in Nothing() })
    let engine = Engine(
      pack: try Pack(folder: TinyPack.make()), registry: registry, threads: 1)
    func painted(_ guidance: Double) async throws -> Engine.Painted {
      try await engine.painted(
        request {
          $0.arguments["guidance"] = .number(guidance)
          if guidance > 0 { $0.objectives = [PartSpec("test-nothing")] }
        }, .init())
    }
    let (without, nothing) = (try await painted(0), try await painted(500))
    #expect(nothing.losses == [nil, nil, nil, nil])
    #expect(nothing.bytes == without.bytes)
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

  @Test("What an optimiser would need is refused, and films of pictures painted in turns")
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
    #expect(throws: RequestError.self) { try Film(.ring).adapted(request()) }
    #expect(throws: Never.self) { try Film(.progress).adapted(request()) }
    // Each frame is a painting of its own.
    #expect(try Film(.zoom).adapted(request()).iterations == 4)
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
