// Not @testable: what is here must be possible for a library's user.
import Imaging
import Painting
import Testing
import Torch
import TestSupport

/// A drawer, an objective and a filter that are not the program's own.
@Suite struct AddedPartsTests {
  /// Horizontal stripes of one colour each.
  private struct Stripes: Drawer {
    let colors: Tensor  // [1, 3, N, 1]
    let context: PartContext

    init(_ context: PartContext) {
      self.context = context
      let count = context.integer("testStripes")
      colors = context.stream("stripes").uniform([1, 3, count, 1]).to(context.device).variable()
    }

    var parameters: [Tensor] { [colors] }
    func project() { noGrad { colors.assign(colors.clamped(0, 1)) } }
    func render(_ iteration: Int?) -> Tensor {
      colors.resampled(context.height, context.width, .nearest)
    }
  }

  /// Much of one channel.
  private struct Much: Objective {
    let channel: Int
    func loss(_ observation: Observation) -> Tensor? {
      1 - observation.picture.narrowed(1, channel, 1).mean()
    }
  }

  private struct UpsideDown: Filter {
    func callAsFunction(_ picture: Tensor, iteration: Int?) -> (picture: Tensor, loss: Tensor?) {
      (picture.flipped(2), nil)
    }
  }

  /// All that the program brings, and these.
  private var registry: Registry {
    var registry = Registry.builtIn
    registry.add(
      .guided(
        "test-stripes", title: "Stripes", "Stripes of one colour each are optimised",
        arguments: [.integer("testStripes", 1...64, default: 4, "Number of stripes")],
        defaults: ["learningRate": .number(0.05)]
      ) { Stripes($0) })
    registry.add(
      ObjectiveKind(
        "test-much", "much of a channel",
        arguments: [.integer("channel", 0...2, default: 2, "which")]
      ) { Much(channel: $0.integer("channel")) })
    registry.add(
      FilterKind("test-upside-down", "turns the picture upside down") { _ in UpsideDown() })
    return registry
  }

  @Test("parts that are added by a line each paint, and their names are known everywhere")
  func paints() async throws {
    let pack = try Pack(folder: TinyPack.make(dalle: false))
    let engine = Engine(pack: pack, registry: registry, threads: 1)
    func picture(_ change: (inout Request) -> Void = { _ in }) async throws -> [Float] {
      var request = Request("red fox")
      request.method = "test-stripes"
      (request.width, request.height, request.seed) = (32, 32, 1)
      (request.iterations, request.cutouts, request.precision) = (12, 2, .float32)
      request.arguments = ["testStripes": .integer(8)]
      change(&request)
      for try await event in engine.generate(request) {
        guard case .image(let output) = event else { continue }
        let exact = output.metadata.request
        #expect(exact.learningRate == 0.05)
        #expect(try Metadata(json: output.metadata.json()).request == exact)
        return output.picture.tensor().floats()
      }
      Issue.record("no picture")
      return []
    }
    func blue(_ values: [Float]) -> Float { values.suffix(32 * 32).reduce(0, +) / 1024 }

    let plain = try await picture()
    let rows = (0..<3 * 32).map { Set(plain[($0 * 32)..<($0 * 32 + 32)]) }
    #expect(rows.allSatisfy { $0.count == 1 })
    // Some have run into a bound in red, the first channel.
    #expect((5...8).contains(Set(rows.prefix(32)).count), "stripes")
    let bluer = try await picture { $0.objectives = [PartSpec("test-much", weight: 100)] }
    #expect(blue(bluer) > blue(plain) + 0.1)
    let redder = try await picture {
      $0.objectives = [PartSpec("test-much", weight: 100, ["channel": .integer(0)])]
    }
    #expect(blue(redder) < blue(bluer))
    let turned = try await picture {
      $0.filters = [PartSpec("test-upside-down")]
      $0.iterations = 1
    }
    let upright = try await picture { $0.iterations = 1 }
    #expect(turned == Tensor(upright, [3, 32, 32]).flipped(1).floats())
  }

  @Test("what is added is known where it is handed in, and nowhere else")
  func isAValue() async throws {
    var request = Request("red fox")
    request.method = "test-stripes"
    request.objectives = [PartSpec("test-much")]
    try request.validate(in: registry)
    #expect(throws: RequestError.self) { try request.validate(in: .builtIn) }
    let engine = Engine(pack: try Pack(folder: TinyPack.make(dalle: false)), threads: 1)
    request.objectives = nil
    await #expect {
      _ = try await engine.picture(of: request)
    } throws: {
      $0 is RequestError && "\($0)".contains("'test-stripes'")
    }
  }

  @Test("one of a name that there is takes its place")
  func replaces() {
    var registry = registry
    let count = registry.methods.count
    registry.add(.guided("test-stripes", title: "Other", "Stripes again") { Stripes($0) })
    #expect(registry.methods.count == count)
    #expect(registry.method("test-stripes")?.title == "Other")
  }

  @Test("an argument that a part does not declare is refused by name")
  func refused() {
    var registry = Registry.builtIn
    registry.add(ObjectiveKind("test-nothing", "nothing at all") { _ in Much(channel: 0) })
    var request = Request("red fox")
    request.objectives = [PartSpec("test-nothing", ["volume": .integer(3)])]
    let error = #expect(throws: RequestError.self) { try request.validate(in: registry) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("'volume'"))
  }
}
