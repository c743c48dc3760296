import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Painting
@testable import Studio

/// What a job would be, before it is handed in; and how much of a first picture may change.
@Suite struct EstimateTests {
  @Test("a time is told only where the like was painted, and nothing is queued")
  func time() async throws {
    try await Asking.with { ask in
      let wish =
        #"{"request":{"prompt":"a fox","method":"fft","width":64,"height":48,"iterations":3},"count":2}"#
      let first = try await ask(.post, "/api/v1/estimates", Data(wish.utf8))
      #expect(first.status == 200)
      #expect(first.body["method"] == .string("fft"))
      #expect((first.body["width"], first.body["height"]) == (.integer(64), .integer(48)))
      #expect((first.body["seconds"], first.body["measured"]) == (.null, .integer(0)))
      #expect(try await ask.bench.store.jobs([], after: nil, limit: 9).jobs.isEmpty)
      let job = try await ask(.post, "/api/v1/jobs", Data(wish.utf8))
      try await ask.bench.wait(for: try #require(job.body["id"]?.text))
      // Another prompt takes as long.
      let like = wish.replacing("a fox", with: "a whale")
      let second = try await ask(.post, "/api/v1/estimates", Data(like.utf8))
      #expect(second.body["measured"] == .integer(1))
      guard case .number(let seconds) = second.body["seconds"] else {
        Issue.record("no seconds: \(second.body)")
        return
      }
      #expect(seconds > 0)
      // The most that any picture of it took.
      #expect(first.body["memory"] == .null)
      #expect(second.body["memory"] == .integer(1_000_002))
      guard case .integer(let free) = second.body["freeMemory"] else {
        Issue.record("no free memory: \(second.body)")
        return
      }
      #expect(free > 1 << 20)
      let other = wish.replacing("\"iterations\":3", with: "\"iterations\":4")
      let third = try await ask(.post, "/api/v1/estimates", Data(other.utf8))
      #expect(third.body["measured"] == .integer(0))
      let bad = try await ask(
        .post, "/api/v1/estimates", Data(#"{"request":{"prompt":"a","width":3}}"#.utf8))
      #expect((bad.status, bad.field) == (422, "width"))
    }
  }

  @Test("the median of an even number lies between the two in the middle")
  func median() {
    #expect(EstimateOperations.median([]) == nil)
    #expect(EstimateOperations.median([3, 1, 2]) == 2)
    #expect(EstimateOperations.median([4, 1, 2, 3]) == 2.5)
  }

  @Test("of a first picture only so much changes: fewer steps, and where diffusion takes it up")
  func strength() async throws {
    let bench = try await Bench()
    let file = #"{"name":"a.png","sha256":"\#(String(repeating: "0", count: 64))"}"#
    func request(_ method: String, _ strength: String, _ more: String = "") throws -> Request {
      let body = """
        {"strength":\(strength),"request":{"prompt":"a fox","method":"\(method)"\(more)}}
        """
      return try bench.server.admission.job(
        try #require(JSONValue(text: body)), key: nil
      ).request
    }
    let image = #","initImage":"# + file
    let drawn = try request("fft", "0.5", image + #","iterations":10"#)
    #expect(drawn.iterations == 10)
    let usual = try request("fft", "1", image).iterations ?? 0
    #expect(try request("fft", "0.5", image).iterations == Int((Double(usual) / 2).rounded()))
    let noised = try request("diffusion", "0.3", image)
    #expect(noised.arguments["start"] == .number(0.3))
    #expect(
      try request("diffusion", "0.3", image + #","start":0.8"#).arguments["start"] == .number(0.8))
    #expect(throws: RequestError.self) { try request("fft", "0.5") }
    #expect(throws: RequestError.self) { try request("fft", "2", image) }
  }
}
