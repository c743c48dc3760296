import Foundation
import Imaging
import TestSupport
import Testing

@testable import Painting

/// What is recorded of how pictures come about.
@Suite struct TraceTests {
  private func output(_ traces: Bool, _ change: (inout Request) -> Void) async throws
    -> Event.Output
  {
    let engine = Engine(pack: try Pack(folder: TinyPack.make()), threads: 1)
    var request = Request("red fox")
    (request.width, request.height, request.seed) = (32, 32, 3)
    change(&request)
    return try await engine.output(of: request, .init(traces: traces))
  }

  /// The picture is the same with and without a record, of which there is none unless it is asked for.
  private func trace(_ change: (inout Request) -> Void) async throws -> Trace {
    let plain = try await output(false, change)
    let told = try await output(true, change)
    #expect(plain.trace == nil)
    #expect(told.picture == plain.picture && told.metadata == plain.metadata)
    let trace = try #require(told.trace)
    let json = try JSONEncoder().encode(trace)
    #expect(json.count < Trace.limit)
    #expect(try JSONDecoder().decode(Trace.self, from: json) == trace)
    return trace
  }

  @Test(
    "of a painting under guidance: the way, the views, the gradient and the loss",
    arguments: ["pixels", "vqgan-clip"])
  func guided(_ method: String) async throws {
    let trace = try await trace {
      ($0.method, $0.iterations, $0.cutouts) = (Method.ID(rawValue: method), 20, 3)
    }
    #expect(
      trace.panels.map(\.title) == ["On the way", "What CLIP saw", "Where it was pulled", "Loss"])
    // After 1, 2, 4, 7, 10 and 15 of 20 iterations, and at the end.
    #expect(trace.panels[0].looks.map(\.caption) == ["1", "2", "4", "7", "10", "15", "20"])
    #expect(trace.panels[1].looks.count == 3)
    let curve = try #require(trace.panels[3].curve)
    #expect((curve.first, curve.last, curve.values.count) == (1, 20, 20))
    for look in trace.panels.flatMap(\.looks) {
      #expect(try Picture(decoding: look.webp).width <= 192)
    }
  }

  @Test("of diffusion the pictures that it found, and of tokens the candidates with their ranks")
  func others() async throws {
    let diffusion = try await trace {
      ($0.method, $0.iterations) = ("diffusion", 10)
      $0.arguments["guidance"] = .number(0)
    }
    #expect(diffusion.panels.map(\.title) == ["On the way"])
    let unclip = try await trace { ($0.method, $0.candidates) = ("unclip", 2) }
    #expect(unclip.panels.map(\.title) == ["On the way", "Candidates"])
    let dalle = try await trace { ($0.method, $0.candidates) = ("dalle", 3) }
    #expect(dalle.panels.map(\.title) == ["Candidates"])
    let ranks = dalle.panels[0].looks.map { $0.caption.prefix(4) }
    #expect(ranks == ["1 · ", "2 · ", "3 · "])
    let attention = try await trace { ($0.method, $0.candidates) = ("attngan", 1) }
    #expect(attention.panels.map(\.title) == ["Attention"])
  }

  @Test("a curve has as many points as can be told apart, means of all that it stands for")
  func curve() throws {
    #expect(Trace.Curve([1], first: 1) == nil)
    let curve = try #require(Trace.Curve((0..<480).map(Double.init), first: 5))
    #expect((curve.first, curve.last, curve.values.count) == (5, 484, 240))
    #expect(curve.values.first == 0.5 && curve.values.last == 478.5)
  }
}
